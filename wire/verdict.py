"""Facts and announcements: what the engine says. Facts are a function of entries only; announcements may use the clock.

A fact's identity is (conversation, session, turn, definition, type); `revision` counts corrections of it, the highest
wins.
"""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """The judgement of one obligation."""

    MET = "met"
    BREACHED = "breached"
    EXCLUDED = "excluded"


class Outcome(StrEnum):
    """How a session's wait for a first response ended."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    UNANSWERED = "unanswered"
    EXCLUDED = "excluded"


class Why(StrEnum):
    """The rule that decided; each has a sentence in the glossary."""

    ANSWERED_IN_TIME = "answered_in_time"
    ANSWERED_LATE = "answered_late"
    NOT_ANSWERED_WHEN_DUE = "not_answered_when_due"
    LEFT_UNANSWERED = "left_unanswered"
    LEFT_SHORT = "left_short"
    CLOSED_UNANSWERED = "closed_unanswered"
    ARRIVED_OUT_OF_HOURS = "arrived_out_of_hours"
    OUTBOUND = "outbound"
    RUNNING_IN = "running_in"
    ANSWERED_BEFORE_OPENING = "answered_before_opening"
    ANSWERED_OUT_OF_HOURS = "answered_out_of_hours"
    CUT_AT_CLOSE = "cut_at_close"
    NEVER_ANSWERED_DROPPED = "never_answered_dropped"
    NEVER_REACHED_A_PERSON = "never_reached_a_person"
    LEFT_IN_TIME = "left_in_time"
    LEFT_IGNORED = "left_ignored"
    NOBODY_ONLINE = "nobody_online"
    NOT_SERVED = "not_served"
    WENT_ELSEWHERE = "went_elsewhere"


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where it happened, by the roster in force at the event's time; "unassigned" where unmapped."""

    account: str
    person: str
    team: str
    seat: str
    site: str
    shift: str


class SessionFact(msgspec.Struct, frozen=True, gc=False, tag="session"):
    """How a session's first response went under one definition. Durations in ms, None where it never happened.

    started_at: the session's start, which places it in its period. seat_response_ms: from assignment of the answering
    leg to its reply. entry_index: the entry that decided it. void: a late entry joined this session to another one; it
    counts nowhere. customer: pseudonym, "" where the source tells none. clock_started_at: where the customer's clock
    started (E1), None = never. waited_ms: by the definition's clock until the customer left or was given up, None
    where answered. queued_at: when it entered the queue of humans, where told. nobody_online: nobody was ready when
    the clock started (E13). skew_bound_ms: how far first_response_ms may be off, told by two clock domains (E17).
    queue_wait_ms: from the queue of humans (the start where none was told) until anybody first had it. answer_wait_ms:
    from there until it was taken by who had it when it was answered (M8); first_response_ms where nobody had it.
    """

    conversation: str
    session: int
    definition: str
    revision: int
    queue: str
    place: Place
    started_at: int
    due_at: int
    resolution_ms: int
    outcome: Outcome
    verdict: Verdict
    why: Why
    first_response_ms: int | None
    seat_response_ms: int | None
    queue_wait_ms: int | None
    accept_wait_ms: int | None
    ended_at: int | None
    entry_index: int
    void: bool = False
    customer: str = ""
    clock_started_at: int | None = None
    waited_ms: int | None = None
    queued_at: int | None = None
    answered_out_of_hours: bool = False
    nobody_online: bool = False
    skew_bound_ms: int = 0
    voice: bool = False
    answer_wait_ms: int | None = None


class ResponseFact(msgspec.Struct, frozen=True, gc=False, tag="response"):
    """One answered (or, at the end, unanswered) turn: M3. duration_ms is None when it was never answered.

    void: a late entry joined this turn to another one; it counts nowhere. verdict: None where the definition sets no
    limit for this turn. resolution_ms: the coarser one of its two ends. why: the rule that decided, where the customer
    left or nobody was there and the definition says more of that than the time does (semantics 2).
    """

    conversation: str
    session: int
    turn: int
    definition: str
    revision: int
    queue: str
    place: Place
    session_started_at: int
    started_at: int
    duration_ms: int | None
    entry_index: int
    void: bool = False
    customer: str = ""
    verdict: Verdict | None = None
    resolution_ms: int = 0
    why: Why | None = None


class LegEnd(StrEnum):
    """How a leg ended."""

    HANDED_OVER = "handed_over"
    REQUEUED = "requeued"
    LEFT = "left"
    CLOSED = "closed"


class LegFact(msgspec.Struct, frozen=True, gc=False, tag="leg"):
    """One stay of a conversation in a person's hands, said when it ends, whatever the definitions make of it.

    place: as it ended. started_at: assignment. accepted_at, replied_at: of this account, None = never. was_owed: the
    customer waited for a reply at some time during the leg; with replied_at None it is an unanswered leg (E4). closes:
    the session ended with it.
    """

    conversation: str
    session: int
    leg: int
    revision: int
    queue: str
    place: Place
    session_started_at: int
    started_at: int
    accepted_at: int | None
    replied_at: int | None
    ended_at: int
    end: LegEnd
    was_owed: bool
    closes: bool
    voice: bool
    entry_index: int
    void: bool = False


class LoadChange(msgspec.Struct, frozen=True, gc=False, tag="load"):
    """A conversation joined (+1) or left (-1) a person's hands at `at`: stage two computes concurrency from these.

    They add up: a correction is the opposite change at the same instant, under an ordinal of its own.
    """

    conversation: str
    session: int
    ordinal: int
    account: str
    at: int
    change: int


Fact = SessionFact | ResponseFact | LegFact | LoadChange


class Notice(StrEnum):
    """What an announcement says."""

    WARNING = "warning"
    OVERDUE = "overdue"


class Announcement(msgspec.Struct, frozen=True, gc=False):
    """Said at the due instant by the clock, judged later by entries. `at` is the instant it was owed."""

    notice: Notice
    conversation: str
    session: int
    turn: int
    definition: str
    queue: str
    team: str
    at: int
    due_at: int
