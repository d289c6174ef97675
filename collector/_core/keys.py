"""Epochs and sequences that are computed instead of drawn.

The same cause always gives the same key, so a restart of the collector or a second import appends nothing twice.
"""

from hashlib import sha256
from typing import Final

from wire.frame import Item, Lane
from wire.ids import SourceId
from wire.limits import EPOCH_BYTES

GAP: Final = SourceId("~gap")
EQUIVOCATION: Final = SourceId("~equivocation")
UNROUTED: Final = SourceId("~unrouted")
STRANGER: Final = SourceId("~stranger")
CLOCK: Final = SourceId("~clock")
SILENCE: Final = SourceId("~silence")
SOURCES: Final = SourceId("~sources")
INCIDENT: Final = SourceId("~incident")
ACKNOWLEDGED: Final = SourceId("~acknowledged")
MAINTENANCE: Final = SourceId("~maintenance")
CONNECTION: Final = SourceId("~connection")
WORK: Final = SourceId("~work")
FOLLOW_UP: Final = SourceId("~follow-up")
SITES: Final = SourceId("~sites")
WITNESS: Final = SourceId("~witness")

_MS_PER_S: Final = 1000


def gap_epoch(source: str, epoch: bytes) -> bytes:
    """Epoch of the holes declared by `source` in `epoch`; their sequence is the first one missing."""
    return _short_hash(b"gap", source.encode(), epoch)


def equivocation_epoch(source: str, epoch: bytes, body: bytes) -> bytes:
    """Epoch of a second `body` under a taken key; its sequence is the one that was taken."""
    return _short_hash(b"equivocation", source.encode(), epoch, body)


def unrouted_epoch(source: str, epoch: bytes) -> bytes:
    """Epoch of the events of `source` whose queue belongs to nobody; sequences stay the sender's."""
    return _short_hash(b"unrouted", source.encode(), epoch)


def stranger_epoch(source: str, epoch: bytes) -> bytes:
    """Epoch of what a `source` that nobody registered sent in `epoch`; sequences stay the sender's."""
    return _short_hash(b"stranger", source.encode(), epoch)


def event_id_epoch(source: str) -> bytes:
    """The one epoch of a source that cannot number."""
    return _short_hash(b"event_id", source.encode())


def event_id_sequence(event_id: str) -> int:
    """The sequence an `event_id` stands for."""
    return int.from_bytes(sha256(event_id.encode()).digest()[:8]) >> 1


def content_sequence(item: Item) -> int:
    """The sequence of an item without number and `event_id`: its content, so a resend of it adds nothing."""
    return int.from_bytes(sha256(b"\x00" + item.body).digest()[:8]) >> 1


def sequence_of(item: Item, lane: Lane) -> int:
    """The sequence an item of that lane stands for; that of its content, under `event_id_epoch`, where it says none."""
    told = item.sequence
    if lane is Lane.BY_EVENT_ID:
        told = event_id_sequence(item.event_id) if item.event_id else 0
    return told or content_sequence(item)


def clock_epoch(ledger_id: bytes) -> bytes:
    """Epoch of the `clock` entries of a ledger; their sequence is the Unix second."""
    return _short_hash(b"clock", ledger_id)


def clock_sequence(instant: int) -> int:
    """The Unix second of `instant` (ms)."""
    return instant // _MS_PER_S


def clock_instant(second: int) -> int:
    """The first ms of a Unix second."""
    return second * _MS_PER_S


def silence_epoch(about_source: str) -> bytes:
    """Epoch of the silences of a source. The sequence of one is the ms it was last heard at, of its end one more."""
    return _short_hash(b"silence", about_source.encode())


def declaration_epoch(about_source: str) -> bytes:
    """Epoch of what is declared about a source; the sequence comes from the declaration's content."""
    return _short_hash(b"declared", about_source.encode())


def acknowledged_epoch(incident: str) -> bytes:
    """Epoch of the one acknowledgement of an incident."""
    return _short_hash(b"acknowledged", incident.encode())


def incident_epoch(of_ledger: bytes, incident: str) -> bytes:
    """Epoch of an incident of the operator's ledger `of_ledger`; sequences are its revisions."""
    return _short_hash(b"incident", of_ledger, incident.encode())


def maintenance_epoch(maintenance: str) -> bytes:
    """Epoch of planned work; its steps are numbered in their order."""
    return _short_hash(b"maintenance", maintenance.encode())


def connection_epoch(about_source: str) -> bytes:
    """Epoch of the connections of a source; the sequence of one is the ms it was seen at."""
    return _short_hash(b"connection", about_source.encode())


def witness_epoch(about_source: str, line: str) -> bytes:
    """Epoch of the addresses one line of a source was seen from; the sequence of one is the ms it was seen at."""
    return _short_hash(b"witness", about_source.encode(), line.encode())


def work_epoch(incident: str) -> bytes:
    """Epoch of what conversations tell of an incident; the sequence of one answer is the ms it was given at."""
    return _short_hash(b"work", incident.encode())


def follow_up_epoch(conversation: str, person: str) -> bytes:
    """Epoch of who looked after a conversation, or after a person who owes nothing; the sequence is the ms of it."""
    return _short_hash(b"follow_up", conversation.encode(), b"" if conversation else person.encode())


def removal_epoch(site: str) -> bytes:
    """Epoch of the removals of a site from the configuration; the sequence of one is the ms it was noticed at."""
    return _short_hash(b"site_removed", site.encode())


def _short_hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()[:EPOCH_BYTES]
