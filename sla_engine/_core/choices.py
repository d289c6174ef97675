"""The answers a definition can give to each edge case of docs/reference/definitions.md (E1-E18), as closed lists.

Every answer found in the field has its word here, so that a definition can name it. `IMPLEMENTED` says which of them
this build computes; a definition that asks for another one is refused by name when it is loaded, never reinterpreted.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Unit(StrEnum):
    """What a rate counts."""

    SESSION = "session"
    TURN = "turn"
    PERSON_DAY = "person_day"


class ClockStart(StrEnum):
    """E1: where the customer's clock starts."""

    ARRIVAL = "arrival"
    QUEUED = "queued"
    ASSIGNED = "assigned"


class Credit(StrEnum):
    """E3: who is credited with a reply."""

    SENDER = "sender"
    ASSIGNEE = "assignee"


class OnTransfer(StrEnum):
    """E4: what a transfer does to the clock."""

    SESSION_CLOCK_CONTINUES = "session_clock_continues"
    NEW_TURN_PER_ACCOUNT = "new_turn_per_account"
    CLOCK_RESTARTS = "clock_restarts"


class RepeatedTurns(StrEnum):
    """E5: which of several customer messages starts the turn."""

    FIRST = "first"
    LAST = "last"


class OutOfHours(StrEnum):
    """E7: a session that starts outside the service window."""

    EXCLUDE_BY_START = "exclude_by_start"
    STARTS_AT_OPENING = "starts_at_opening"
    COUNTS_IF_ANSWERED_INSIDE = "counts_if_answered_inside"


class WindowCloses(StrEnum):
    """E8: the window closes before the reply."""

    RUNS_ON = "runs_on"
    PAUSES = "pauses"
    IS_CUT = "is_cut"
    IS_CUT_AT_MIDNIGHT = "is_cut_at_midnight"


class AnsweredOutOfHours(StrEnum):
    """E9: a session started inside the window and answered outside it."""

    FULL_TIME = "full_time"
    ZERO = "zero"


class NeverAnswered(StrEnum):
    """E10: what a session without a reply is."""

    MISS = "miss"
    CAPPED = "capped"
    DROPPED = "dropped"


class LeftBeforeTarget(StrEnum):
    """E11: the customer leaves without an answer; five ways to count that.

    counts: a short one is neither met nor missed, any other is missed. ignore: who leaves by the due instant is
    neither, who leaves later is missed. ignore_all: neither, whenever. as_breach: missed, however short.
    met_if_within: met by the due instant, missed after it. Each is in the count of those who left all the same.
    """

    COUNTS = "counts"
    IGNORE = "ignore"
    AS_BREACH = "as_breach"
    MET_IF_WITHIN = "met_if_within"
    IGNORE_ALL = "ignore_all"


class TurnEnds(StrEnum):
    """E12: when an unanswered turn stops."""

    AT_CLOSE = "at_close"
    CLOSING_PHRASE = "closing_phrase"
    NEVER = "never"


class NobodyOnline(StrEnum):
    """E13: nobody could have answered."""

    MISS = "miss"
    LEAVES_METRIC = "leaves_metric"
    NOT_SERVED = "not_served"


class Outbound(StrEnum):
    """E15: we wrote or called first."""

    NO_FIRST_RESPONSE = "no_first_response"
    COUNTS = "counts"


class Boundary(StrEnum):
    """E16: whether a reply exactly at the limit is in time."""

    AT_MOST = "at_most"
    BELOW = "below"


class ClockDomains(StrEnum):
    """E17: how times of two clock domains are compared."""

    AS_STAMPED = "as_stamped"
    ESTIMATED_OFFSET = "estimated_offset"


class Redefinition(StrEnum):
    """E18: what a new version of a definition does to sessions that started before it."""

    NEW_SESSIONS_ONLY = "new_sessions_only"
    RESTATES = "restates"


class ServiceLevelFormula(StrEnum):
    """M7: the formulas in force in the field. W = answered within the threshold."""

    WITHIN_OF_COMPLETED = "within_of_completed"
    WITHIN_OR_LEFT_WITHIN_OF_ALL = "within_or_left_within_of_all"
    REMOVED_WITHIN_OF_QUEUED = "removed_within_of_queued"
    WITHIN_OF_OFFERED = "within_of_offered"
    WITHIN_OF_OFFERED_LESS_SHORT = "within_of_offered_less_short"
    WITHIN_OF_ANSWERED = "within_of_answered"
    WITHIN_OF_ANSWERED_OR_LEFT_LATE = "within_of_answered_or_left_late"


class Percentile(StrEnum):
    """How a percentile is taken."""

    NEAREST_RANK = "nearest_rank"
    INTERPOLATED = "interpolated"


class Period(StrEnum):
    """Over which time a rate is stated."""

    BUSINESS_DAY = "business_day"
    TRAILING_30_DAYS = "trailing_30_days"


# Format: numbers of the semantics, docs/reference/definitions.md.
IMPLEMENTED: Final[Mapping[str, tuple[object, ...]]] = {
    "semantics": (1, 2),
}
"""Field of a definition -> the values this build computes. A field that is not listed takes any well-formed value."""
