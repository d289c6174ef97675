"""Conversations: their phases, the signals that move them, and the one table of which signal is legal when.

Format: numbers and bits of our own kept state of a conversation.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import msgspec

from sla_engine._core.limits import NOT_YET


class Phase(IntEnum):
    """Where a conversation stands, whatever the definitions make of it."""

    UNKNOWN = 0  # something was heard of it, not its beginning
    QUEUED = 1  # nobody has it in hands
    IN_HANDS = 2  # a person has it
    CLOSED = 3  # ended
    LEFT = 4  # ended by the customer, or before anybody took it


class Signal(IntEnum):
    """What happened, as far as the phase is concerned."""

    OFFERED = 0
    QUEUED = 1
    ASSIGNED = 2
    ACCEPTED = 3
    CUSTOMER_TURN = 4
    PERSON_TURN = 5  # a human of ours wrote or picked up
    PROGRAM_TURN = 6  # a bot, a welcome, a note, a campaign
    TRANSFERRED = 7  # back to a queue
    HANDED_OVER = 8  # to another person
    LEFT = 9
    CLOSED = 10


NEXT: Final[Mapping[Phase, Mapping[Signal, Phase]]] = {
    Phase.UNKNOWN: {
        Signal.OFFERED: Phase.QUEUED,
        Signal.QUEUED: Phase.QUEUED,
        Signal.CUSTOMER_TURN: Phase.QUEUED,
    },
    Phase.QUEUED: {
        Signal.OFFERED: Phase.QUEUED,
        Signal.QUEUED: Phase.QUEUED,
        Signal.ASSIGNED: Phase.IN_HANDS,
        Signal.ACCEPTED: Phase.IN_HANDS,
        Signal.CUSTOMER_TURN: Phase.QUEUED,
        Signal.PERSON_TURN: Phase.IN_HANDS,
        Signal.PROGRAM_TURN: Phase.QUEUED,
        Signal.TRANSFERRED: Phase.QUEUED,
        Signal.HANDED_OVER: Phase.IN_HANDS,
        Signal.LEFT: Phase.LEFT,
        Signal.CLOSED: Phase.CLOSED,
    },
    Phase.IN_HANDS: {
        Signal.OFFERED: Phase.IN_HANDS,
        Signal.QUEUED: Phase.QUEUED,
        Signal.ASSIGNED: Phase.IN_HANDS,
        Signal.ACCEPTED: Phase.IN_HANDS,
        Signal.CUSTOMER_TURN: Phase.IN_HANDS,
        Signal.PERSON_TURN: Phase.IN_HANDS,
        Signal.PROGRAM_TURN: Phase.IN_HANDS,
        Signal.TRANSFERRED: Phase.QUEUED,
        Signal.HANDED_OVER: Phase.IN_HANDS,
        Signal.LEFT: Phase.LEFT,
        Signal.CLOSED: Phase.CLOSED,
    },
    Phase.CLOSED: {
        Signal.OFFERED: Phase.QUEUED,
        Signal.QUEUED: Phase.QUEUED,
        Signal.CUSTOMER_TURN: Phase.QUEUED,
        Signal.PERSON_TURN: Phase.CLOSED,
        Signal.PROGRAM_TURN: Phase.CLOSED,
    },
    Phase.LEFT: {
        Signal.OFFERED: Phase.QUEUED,
        Signal.QUEUED: Phase.QUEUED,
        Signal.CUSTOMER_TURN: Phase.QUEUED,
        Signal.PERSON_TURN: Phase.LEFT,
        Signal.PROGRAM_TURN: Phase.LEFT,
    },
}
"""Phase -> signal -> phase. A missing pair is illegal: the event is counted with its reason and moves nothing."""

SIGNAL_BITS: Final = 4
ILLEGAL: Final = -1
TABLE: Final[tuple[int, ...]] = tuple(
    int(NEXT[phase].get(Signal(number), ILLEGAL)) if number < len(Signal) else ILLEGAL
    for phase in Phase
    for number in range(1 << SIGNAL_BITS)
)
"""NEXT, flat: TABLE[phase << SIGNAL_BITS | signal]."""

# The same phases and signals as plain ints: comparing enum members costs a call each on the hot path.
UNKNOWN: Final = int(Phase.UNKNOWN)
QUEUED: Final = int(Phase.QUEUED)
IN_HANDS: Final = int(Phase.IN_HANDS)
CLOSED: Final = int(Phase.CLOSED)
LEFT: Final = int(Phase.LEFT)

# How a session stands with its first response under one definition.
OWED: Final = 0
ANSWERED: Final = 1
LOST: Final = 2  # ended unanswered; goes on when the customer comes back within the gap
OUTBOUND: Final = 3
OUTSIDE_WINDOW: Final = 4
NOT_STARTED: Final = 5  # the customer did something that this definition does not count as an enquiry
AWAITS_CLOCK: Final = 6  # started, but the clock starts with a signal that has not come (E1)
UNREACHED: Final = 7  # ended so
OUTSIDE_WAITING: Final = 8  # started outside the windows; counts if it is answered inside them (E7)
OUTSIDE_ANSWERED: Final = 9  # it was not
OUTSIDE_COUNTED: Final = 10  # it was
CUT: Final = 11  # the window closed on it (E8), for good

# Bits of Track.flags; above them, how many warnings were said.
JUDGED: Final = 1  # the watermark has passed the due instant, and it was said
REPLIED: Final = 2  # a valid reply came in this session
TURN_SAID: Final = 4  # the open turn was said to be unanswered; an answer may still come
BEGAN_INSIDE: Final = 8  # the clock first started inside the windows
TOLD_NOBODY: Final = 16  # the source said that nobody was there
ARRIVAL_STANDS_IN: Final = 32  # the clock runs from the arrival, for want of a word of the queue (E1)
TURN_TOLD_NOBODY: Final = 64  # the source said so while the open turn waited
SAID_OVERDUE: Final = 128
ONE_WARNING: Final = 256

# Bits of Conversation.owes.
WAITS: Final = 1  # the customer has written (or called) and no human of ours has answered since
LEG_OWED: Final = 2  # that was so at some time during the running leg


WHOLE_SESSION: Final = -1
"""In the place of a turn, where a fact is about the session."""


LEGS: Final = (1 << 12) - 1
"""In the place of a slot, where a fact is about a leg, which no definition judges. No definition has this slot."""


def fact_key(slot: int, session: int, turn: int) -> int:
    """A fact's identity within its conversation, in 63 bits: session counted from the conversation's first."""
    return (session << 32) | ((turn + 1) << 12) | slot


class Track(msgspec.Struct, array_like=True, gc=False):
    """The session of a conversation as one definition sees it. Instants in ms, NOT_YET where it has not happened.

    slot: place of the definition in the rules, NO_SLOT where none applies (nothing is judged then).
    queue: where the session started. owner: who had it in hands when the first response was due, so far.
    clock_at: where the customer's clock started; resolution_ms, domain: of the event that told so (skew.py).
    queued_at, first_assigned_at: first of this session. emitted: session facts said so far.
    turn: number of the next turn to be answered; turn_at: start of the open turn, then what told of it.
    """

    slot: int
    session: int
    queue: str
    started_at: int
    resolution_ms: int
    domain: int
    due_at: int
    state: int = OWED
    flags: int = 0
    emitted: int = 0
    owner: str = ""
    first_assigned_at: int = NOT_YET
    queued_at: int = NOT_YET
    clock_at: int = NOT_YET
    turn: int = 0
    turn_at: int = NOT_YET
    turn_resolution_ms: int = 0
    turn_domain: int = 0


class Conversation(msgspec.Struct, array_like=True, gc=False):
    """One conversation in the fold. account, assigned_at, accepted_at, leg_at, replied_at: the running leg.

    life: index of the entry it was first heard in; sessions are numbered from it, so that a conversation which comes
    back after it was forgotten never reuses a number. feed: how soon the slowest of its sources tells (an index of
    watermark.FEEDS). begun_at: when something was first heard of its session; rules_known: how many definitions and
    contracts had been entered by then, and no later ones ever apply to it (E18).
    called_at: since when it is a call; it stays one. customer: the first pseudonym told. tells_queue: whether its
    source had told a `queued` of anything before this was first heard of: such a source will tell this one's, too (E1).
    leg: number of the running leg, or the next one, in leg_session: the last one that began under what was then the
    first definition. log: its events in order of event time
    (history.py); base: the state before the first of them. emissions: how often a fact was said, for facts said more
    than once (history.py) and open turns that were said. tracks: a tuple, so that a conversation holds nothing the
    garbage collector has to look through again and again; the primary
    definition's first.
    """

    key: str
    life: int
    feed: int
    begun_at: int = NOT_YET
    rules_known: int = 0
    customer: str = ""
    queue: str = ""
    phase: int = UNKNOWN
    called_at: int = NOT_YET
    account: str = ""
    assigned_at: int = NOT_YET
    accepted_at: int = NOT_YET
    leg: int = 0
    leg_session: int = NOT_YET
    leg_at: int = NOT_YET
    replied_at: int = NOT_YET
    owes: int = 0
    ended_at: int = NOT_YET
    last_at: int = NOT_YET
    ordinal: int = 0
    log: bytes = b""
    base: bytes = b""
    tracks: tuple[Track, ...] = ()
    emissions: dict[int, int] | None = None
    tells_queue: bool = False
