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

    started_at: the customer's clock start. seat_response_ms: from assignment of the answering leg to its reply.
    entry_index: the entry that decided it. void: a late entry joined this session to another one; it counts nowhere.
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


class ResponseFact(msgspec.Struct, frozen=True, gc=False, tag="response"):
    """One answered (or, at the end, unanswered) turn: M3. duration_ms is None when it was never answered.

    void: a late entry joined this turn to another one; it counts nowhere.
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


Fact = SessionFact | ResponseFact | LoadChange


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
