"""What a rule did to a session, as a sentence of the glossary with values."""

from enum import StrEnum
from typing import NamedTuple


class Says(StrEnum):
    """Every sentence about a rule; each is a key of the glossary."""

    CLOCK_FROM_ARRIVAL = "clock_from_arrival"
    CLOCK_FROM_QUEUE = "clock_from_queue"
    CLOCK_FROM_ASSIGNMENT = "clock_from_assignment"
    CLOCK_FROM_ARRIVAL_UNTOLD = "clock_from_arrival_untold"
    CLOCK_NEVER_STARTED = "clock_never_started"
    CLOCK_MOVED = "clock_moved"
    ANSWERED_BY = "answered_by"
    NOT_A_REPLY = "not_a_reply"
    CREDITED_TO_SENDER = "credited_to_sender"
    CREDITED_TO_ASSIGNEE = "credited_to_assignee"
    TRANSFER_CLOCK_WENT_ON = "transfer_clock_went_on"
    TRANSFER_CLOCK_RESTARTED = "transfer_clock_restarted"
    TRANSFER_NEW_TURN = "transfer_new_turn"
    TURNS_HANDED_ON = "turns_handed_on"
    TURNS_RESTARTED = "turns_restarted"
    FIRST_MESSAGE_COUNTS = "first_message_counts"
    LAST_MESSAGE_COUNTS = "last_message_counts"
    FIRST_MESSAGES_COUNT = "first_messages_count"
    LAST_MESSAGES_COUNT = "last_messages_count"
    CAME_BACK_SAME_SESSION = "came_back_same_session"
    CAME_BACK_NEW_SESSION = "came_back_new_session"
    OUTSIDE_NOT_JUDGED = "outside_not_judged"
    OUTSIDE_FROM_OPENING = "outside_from_opening"
    OUTSIDE_ANSWERED_INSIDE = "outside_answered_inside"
    TURNS_FROM_OPENING = "turns_from_opening"
    CLOSED_CLOCK_RAN_ON = "closed_clock_ran_on"
    CLOSED_CLOCK_PAUSED = "closed_clock_paused"
    CLOSED_WAIT_CUT = "closed_wait_cut"
    DAY_ENDED_WAIT_CUT = "day_ended_wait_cut"
    TURNS_CUT = "turns_cut"
    TURNS_PAUSED = "turns_paused"
    ANSWERED_OUTSIDE_FULL = "answered_outside_full"
    ANSWERED_OUTSIDE_ZERO = "answered_outside_zero"
    TURNS_OUTSIDE_ZERO = "turns_outside_zero"
    UNANSWERED_IS_MISS = "unanswered_is_miss"
    UNANSWERED_IS_CAPPED = "unanswered_is_capped"
    UNANSWERED_IS_DROPPED = "unanswered_is_dropped"
    LEFT_TOO_SOON_TO_COUNT = "left_too_soon_to_count"
    LEFT_AND_COUNTS = "left_and_counts"
    LEFT_BY_DUE_IGNORED = "left_by_due_ignored"
    LEFT_AFTER_DUE_COUNTS = "left_after_due_counts"
    LEFT_ALWAYS_IGNORED = "left_always_ignored"
    LEFT_ALWAYS_COUNTS = "left_always_counts"
    LEFT_BY_DUE_IS_MET = "left_by_due_is_met"
    TURNS_LEFT = "turns_left"
    TURN_ENDED_WITH_SESSION = "turn_ended_with_session"
    TURN_STAYED_OPEN = "turn_stayed_open"
    TURN_ANSWERED_AFTER_END = "turn_answered_after_end"
    COURTESY_OPENS_NOTHING = "courtesy_opens_nothing"
    NOBODY_WAS_ONLINE = "nobody_was_online"
    TURNS_WITHOUT_ANYBODY = "turns_without_anybody"
    OPENS_A_TURN = "opens_a_turn"
    OPENS_NOTHING = "opens_nothing"
    OUTBOUND_NOT_JUDGED = "outbound_not_judged"
    OUTBOUND_COUNTS = "outbound_counts"
    IN_TIME_AT_MOST = "in_time_at_most"
    IN_TIME_BELOW = "in_time_below"
    TURN_LIMIT = "turn_limit"
    TOLD_COARSELY = "told_coarsely"
    CLOCKS_AS_STAMPED = "clocks_as_stamped"
    CLOCKS_CORRECTED = "clocks_corrected"
    VERSION_IN_FORCE = "version_in_force"


class Applied(NamedTuple):
    """One rule that did something. row: E1 .. E18. parameter, value: of the definition. values: for the sentence."""

    row: str
    parameter: str
    value: str
    says: Says
    values: dict[str, int | str]
