"""Rows of an Asterisk queue_log: what they say, and the words for what becomes of them.

Parameters stand where `app_queue.c` writes them; what may be about a customer (caller ids, numbers dialled, keys
pressed) is never kept. A caller id is only compared with the extensions of our own people.

Format: queue_log of Asterisk's app_queue, and ids and digests made of it.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

from collector._core.personal import masked, masked_word
from collector.importers._core.text import REPLACEMENT
from wire.conversation import ClosedBy, LeftReason
from wire.limits import DURATION_MAX_MS, NAME_CHARS_MAX, WORD_CHARS_MAX
from wire.spelling import as_name

FORMAT: Final = "asterisk-queue-log"
SECOND_MS: Final = 1000
"""What a duration of the log counts, but for RINGNOANSWER, and how coarse the times of the file form are."""

_NOT_A_CALL: Final = frozenset({"", "NONE", "REALTIME", "MANAGER", "CLI"})
_NOBODY: Final = frozenset({"", "NONE"})
_EVENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_CUSTOMER_ANSWERED: Final = frozenset({"ANSWER", "ANSWERED"})
_DIGEST_CHARS: Final = 16
_ATTENDED: Final = "ATTENDEDTRANSFER"
_LINKED: Final = "LINK"
_BRIDGED: Final = "BRIDGE"
_EXTENSION: Final = re.compile(r"\d{3,6}")
"""What people on the floor dial each other by; a number of the public network is longer."""
_NUMBER: Final = re.compile(r"\d+")
_NAMES: Final = ("call", "queue", "agent", "event")
"""What stands between the time and the parameters."""


class Fault(StrEnum):
    """Why a row cannot be taken, beside what the mapping importer knows."""

    NOT_AN_EVENT = "not_an_event"
    NO_CALL = "names_no_call"
    NO_QUEUE = "names_no_queue"
    NOBODY = "names_nobody"


class Note(StrEnum):
    """What is odd about a row that was taken."""

    JOINED = "joined_after_transfer"
    TRANSFER_NOT_TOLD = "joined_though_no_transfer_was_told"
    ENTRY_NOT_TOLD = "entry_reckoned_from_the_wait"
    WAIT_CONTRADICTS = "duration_contradicts_times"
    NO_DURATION = "duration_that_cannot_be"
    STEPPED_BACK = "clock_stepped_back_within_call"
    ENTERED_TWICE = "entered_again_without_leaving"
    UNKNOWN = "unknown_event"
    RANG_TOGETHER = "rang_while_another_answered"
    END_NOT_TOLD = "end_never_told"
    AFTER_GIVEN_UP = "told_after_its_end_was_given_up"


class Call(StrEnum):
    """What an event does to a call."""

    ENTERS = "enters"
    TURNED_AWAY = "turned_away"
    RINGS = "rings"
    CONNECTS = "connects"
    LEAVES = "leaves"
    COMPLETES = "completes"
    TRANSFERS = "transfers"
    OUTBOUND = "outbound"


class Person(StrEnum):
    """What an event says about somebody who answers calls."""

    LOGS_IN = "logs_in"
    LOGS_OFF = "logs_off"
    JOINS = "joins"
    PARTS = "parts"
    PAUSES = "pauses"
    RESUMES = "resumes"
    WRAPS_UP = "wraps_up"


class CallEvent(NamedTuple):
    """An event about a call and the places of its parameters (from 0), None = it has none such.

    wait, talk: whole seconds. ring: of `ring_unit_ms`. left: why it ended unanswered; by: who ended it. attended: a
    transfer after asking.
    """

    does: Call
    wait: int | None = None
    talk: int | None = None
    ring: int | None = None
    ring_unit_ms: int = SECOND_MS
    left: LeftReason | None = None
    by: ClosedBy = ClosedBy.SYSTEM
    attended: bool = False


CALL_EVENTS: Final = {
    "ENTERQUEUE": CallEvent(Call.ENTERS),
    "CONNECT": CallEvent(Call.CONNECTS, wait=0, ring=2),
    "COMPLETEAGENT": CallEvent(Call.COMPLETES, wait=0, talk=1, by=ClosedBy.AGENT),
    "COMPLETECALLER": CallEvent(Call.COMPLETES, wait=0, talk=1, by=ClosedBy.CUSTOMER),
    "ABANDON": CallEvent(Call.LEAVES, wait=2, left=LeftReason.HUNG_UP),
    "EXITWITHTIMEOUT": CallEvent(Call.LEAVES, wait=2, left=LeftReason.TIMED_OUT),
    "EXITEMPTY": CallEvent(Call.LEAVES, wait=2, left=LeftReason.NOBODY_ONLINE),
    "EXITWITHKEY": CallEvent(Call.LEAVES, wait=3, left=LeftReason.PRESSED_KEY),
    "WITHDRAW": CallEvent(Call.LEAVES, wait=2, left=LeftReason.WITHDRAWN),
    "SYSCOMPAT": CallEvent(Call.LEAVES),
    "RINGNOANSWER": CallEvent(Call.RINGS, ring=0, ring_unit_ms=1),
    "AGENTDUMP": CallEvent(Call.RINGS),
    "BLINDTRANSFER": CallEvent(Call.TRANSFERS, wait=2, talk=3),
    "TRANSFER": CallEvent(Call.TRANSFERS, wait=2, talk=3),
    _ATTENDED: CallEvent(Call.TRANSFERS, wait=2, talk=3, attended=True),
    "OUTCALL": CallEvent(Call.OUTBOUND, talk=1),
    # written by dial plans of the Wazo and XiVO family
    "LEAVEEMPTY": CallEvent(Call.LEAVES, left=LeftReason.NOBODY_ONLINE),
    "JOINEMPTY": CallEvent(Call.TURNED_AWAY, left=LeftReason.NOBODY_ONLINE),
    "CLOSED": CallEvent(Call.TURNED_AWAY, left=LeftReason.QUEUE_CLOSED),
    "FULL": CallEvent(Call.TURNED_AWAY, left=LeftReason.TURNED_AWAY),
    "DIVERT_CA_RATIO": CallEvent(Call.TURNED_AWAY, left=LeftReason.TURNED_AWAY),
    "DIVERT_HOLDTIME": CallEvent(Call.TURNED_AWAY, left=LeftReason.TURNED_AWAY),
}
LINKED_TRANSFER: Final = CallEvent(Call.TRANSFERS, wait=3, talk=4, attended=True)
"""ATTENDEDTRANSFER between two channels: LINK and both of them, where BRIDGE and APP name one thing."""

PERSON_EVENTS: Final = {
    "AGENTLOGIN": Person.LOGS_IN,
    "AGENTCALLBACKLOGIN": Person.LOGS_IN,
    "AGENTLOGOFF": Person.LOGS_OFF,
    "AGENTCALLBACKLOGOFF": Person.LOGS_OFF,
    "ADDMEMBER": Person.JOINS,
    "REMOVEMEMBER": Person.PARTS,
    "PAUSE": Person.PAUSES,
    "PAUSEALL": Person.PAUSES,
    "UNPAUSE": Person.RESUMES,
    "UNPAUSEALL": Person.RESUMES,
    "WRAPUPSTART": Person.WRAPS_UP,
}
RESTART: Final = "QUEUESTART"
_CALLER_ID: Final = 1
_STATE_MORE: Final = frozenset({Call.COMPLETES, Call.TRANSFERS})
"""Their rows go on after the lengths: until then the last one may lack digits."""
KNOWN_NOTES: Final = frozenset({"CONFIGRELOAD", "RINGCANCELED", "PENALTY", "RINGINUSE", "DID", RESTART})
"""Known events that move nothing here; they are kept as notes like the unknown ones."""


class LogRow(NamedTuple):
    """One row. at: ms since the Unix epoch. call, queue, account: ids, "" where the row names none."""

    at: int
    resolution_ms: int
    call: str
    queue: str
    account: str
    event: str
    params: tuple[str, ...]

    def seconds(self, place: int | None) -> int | None:
        """The duration (ms) that parameter tells in whole seconds; None where it tells none, or a negative one."""
        return self.duration(place, SECOND_MS)

    def duration(self, place: int | None, unit_ms: int) -> int | None:
        """The duration (ms) that parameter tells in `unit_ms`; None where it tells none that can be."""
        if place is None or place >= len(self.params):
            return None
        text = self.params[place].strip()
        if not text.isdecimal() or len(text) > _DIGEST_CHARS:
            return None
        found = int(text) * unit_ms
        return found if found <= DURATION_MAX_MS else None

    def misstates(self, event: CallEvent) -> bool:
        """Whether one of the event's durations is stated and none that can be."""
        places = ((event.wait, SECOND_MS), (event.talk, SECOND_MS), (event.ring, event.ring_unit_ms))
        return any(
            place is not None
            and place < len(self.params)
            and self.params[place].strip() != ""
            and self.duration(place, unit_ms) is None
            for place, unit_ms in places
        )

    def is_answered(self, event: CallEvent) -> bool:
        """Of a call that went out: whether the customer took it, by its status or because they talked."""
        status = self.params[0].strip().upper() if self.params else ""
        return status in _CUSTOMER_ANSWERED or (self.seconds(event.talk) or 0) > 0

    @property
    def caller(self) -> str:
        """Of a call that enters: the number it comes from. For comparing only."""
        return self.params[_CALLER_ID].strip() if len(self.params) > _CALLER_ID else ""

    @property
    def meeting(self) -> str:
        """Of an attended transfer between two talks: a name of its own, in which no channel can be read; else ""."""
        places = {_BRIDGED: 2, _LINKED: 3}.get(self.params[0].strip(), 0) if self.params else 0
        if self.event != _ATTENDED or not places:
            return ""
        return sha256("|".join(self.params[:places]).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]

    @property
    def words(self) -> str:
        """The first parameter as a word: a reason for a pause."""
        return self.params[0].strip()[:WORD_CHARS_MAX] if self.params else ""


def as_row(at: int, resolution_ms: int, names: Sequence[str], params: Sequence[str]) -> LogRow | None:
    """A row of call id, queue, agent and event as the log writes them. None when one of them is no text."""
    if any(REPLACEMENT in name for name in names):
        return None
    call, queue, agent, event = (name.strip() for name in names)
    return LogRow(
        at,
        resolution_ms,
        "" if call in _NOT_A_CALL else as_name(call),
        "" if queue in _NOBODY else as_name(queue),
        "" if agent in _NOBODY else as_name(masked(agent)),
        masked_word(event),
        tuple(params),
    )


def is_extension(caller: str) -> bool:
    """Whether a call comes from a number of the floor itself."""
    return _EXTENSION.fullmatch(caller) is not None


def is_extension_of(account: str, caller: str) -> bool:
    """Whether the extension `caller` stands in an account, as 7009 does in `PJSIP/7009`."""
    return caller in _NUMBER.findall(account)


def is_event(name: str) -> bool:
    """Whether `name` may be the name of an event; a dial plan writes what it likes."""
    return len(name) <= NAME_CHARS_MAX and _EVENT.fullmatch(name) is not None


def is_cut_off(names: Sequence[str], params: Sequence[str]) -> bool:
    """Whether a last row without its line end breaks off: in its event's name, or before a length it has to state."""
    if len(names) < len(_NAMES) or not params:
        return True
    event = names[-1].strip()
    call = LINKED_TRANSFER if event == _ATTENDED and params[0].strip() == _LINKED else CALL_EVENTS.get(event)
    if call is None:
        return event not in PERSON_EVENTS and event not in KNOWN_NOTES
    last = max((place for place in (call.wait, call.talk, call.ring) if place is not None), default=0)
    return len(params) <= last + (call.does in _STATE_MORE)


def call_event(row: LogRow) -> CallEvent | None:
    """What the row does to a call, None where it is about something else."""
    if row.event == _ATTENDED and row.params and row.params[0].strip() == _LINKED:
        return LINKED_TRANSFER
    return CALL_EVENTS.get(row.event)
