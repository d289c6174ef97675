"""A ledger made of two dicts, and senders to admit: what the tests of the pure admission need around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from collector._core import keys
from collector._core.admission import Admission, Outcome, Rules, Stored, admit, stream_epoch
from collector._core.sequence import StreamView
from ledger.entry import NewEntry
from wire.body import Body
from wire.codec import KIND_OF, decode_body, encode_body
from wire.conversation import AgentTurn
from wire.frame import Frame, GoneRange, Item, Lane
from wire.record import Gone

SOURCE = "shop/one"
EPOCH = b"e" * 16
NOW = 1_700_000_000_000
RULES = Rules(future_tolerance_ms=1000, holes_max=100)


def turn(conversation: str = "c-1", *, at: int = NOW) -> AgentTurn:
    return AgentTurn(at, 1, SOURCE, None, True, conversation, conversation, "account-1")


def item(sequence: int, body: Body | None = None, *, event_id: str = "") -> Item:
    body = turn(f"c-{sequence}") if body is None else body
    kind, kind_version = KIND_OF[type(body)]
    return Item(sequence, kind, kind_version, msgspec.Raw(encode_body(body)), event_id)


def raw_item(sequence: int, data: bytes, *, kind: int = 21, kind_version: int = 1) -> Item:
    return Item(sequence, kind, kind_version, msgspec.Raw(data))


def frame(
    *items: Item,
    source: str = SOURCE,
    epoch: bytes = EPOCH,
    lane: Lane = Lane.BACKLOG,
    base: int = 0,
    gone: Sequence[GoneRange] = (),
    prev: tuple[bytes, int] | None = None,
) -> Frame:
    prev_epoch, prev_last = prev or (None, None)
    return Frame(1, source, epoch, lane, base, list(gone), list(items), prev_epoch, prev_last)


@dataclass
class Store:
    """Admits frames and keeps what comes back, as a collector would. Crashes on a key taken twice."""

    entries: dict[tuple[str, bytes, int], NewEntry] = field(default_factory=dict)
    operator: dict[tuple[str, bytes, int], NewEntry] = field(default_factory=dict)
    views: dict[bytes, StreamView] = field(default_factory=dict)
    rules: Rules = RULES
    now: int = NOW

    def admit(self, frame: Frame, *, queues: frozenset[str] | None = None, site: str = "") -> Admission:
        admission = admit(
            frame,
            self.views.get(stream_epoch(frame), StreamView()),
            rules=self.rules,
            received_at=self.now,
            stored=self.stored,
            queues=queues,
            site=site,
            previous=self.views.get(frame.prev_epoch) if frame.prev_epoch else None,
        )
        for entry in admission.entries:
            _put(self.entries, entry)
        for entry in admission.unrouted:
            _put(self.operator, entry)
        self.views[admission.epoch] = admission.view
        return admission

    def stored(self, source: str, epoch: bytes, sequence: int) -> Stored | None:
        where: Mapping[tuple[str, bytes, int], NewEntry] = self.operator if source == keys.UNROUTED else self.entries
        entry = where.get((source, epoch, sequence))
        return None if entry is None else (entry.kind, entry.kind_version, entry.body)

    def settled(self, epoch: bytes = EPOCH) -> set[int]:
        """Sequences that are durable or named in a gap."""
        found = {entry.sequence for entry in self.entries.values() if entry.epoch == epoch}
        for gap in self.gaps():
            if gap.about_epoch == epoch:
                found |= set(range(gap.first, gap.last + 1))
        return found

    def gaps(self) -> list[Gone]:
        return [body for body in map(body_of, self.entries.values()) if isinstance(body, Gone)]


def body_of(entry: NewEntry) -> Body | None:
    return decode_body(entry.kind, entry.kind_version, entry.body)


def outcomes(admission: Admission) -> list[tuple[int, Outcome]]:
    return [(decision.sequence, decision.outcome) for decision in admission.decisions]


def _put(where: dict[tuple[str, bytes, int], NewEntry], entry: NewEntry) -> None:
    key = (entry.source, entry.epoch, entry.sequence)
    assert key not in where, f"stored twice: {key}"
    where[key] = entry
