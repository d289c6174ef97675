"""Entries that Seatwatch writes itself: what they say and under which key (see `keys`)."""

from collections.abc import Iterable
from typing import Final

import msgspec

from collector._core import keys
from collector._core.personal import keepable, masked
from ledger.entry import NewEntry
from wire.body import Body
from wire.codec import KIND_OF, decode_body
from wire.errors import DecodeError, EncodeError, Reason
from wire.follow_up import FollowedUp
from wire.frame import Frame, GoneRange, Item
from wire.incident import IncidentAcknowledged, IncidentSaid, MaintenanceSaid, MaintenanceStep, WorkSeen
from wire.record import (
    Clock,
    Equivocation,
    Feed,
    Gone,
    Quarantined,
    SiteRemoved,
    SourceBack,
    SourceDeclared,
    SourceSilent,
    Unrouted,
)
from wire.uplink import ConnectionSeen, LineWitnessed

HUB_CLOCK: Final = "hub"
"""The clock domain of everything the collector says about itself."""

LEAVE_NOTHING: Final = frozenset({Reason.UNROUTED_QUEUE, Reason.PERSONAL_DATA})

_Head = tuple[int, int, str, None, bool, str]
# Not wire.codec.encode_body: a quarantined body may be over the cap of a body, being the reason it is here.
_encode = msgspec.msgpack.Encoder().encode


def entry(source: str, epoch: bytes, sequence: int, body: Body) -> NewEntry:
    """`body` under the key (source, epoch, sequence)."""
    kind, kind_version = KIND_OF[type(body)]
    return NewEntry(source, epoch, sequence, kind, kind_version, _encode(body))


def require_readable(entries: Iterable[NewEntry]) -> None:
    """EncodeError where a body does not decode again: the record is never rewritten, so it must not come in.

    Encoding alone does not look at caps. For our own entries, which are few; what senders say was decoded at the door.
    """
    for each in entries:
        try:
            decode_body(each.kind, each.kind_version, each.body)
        except DecodeError as error:
            message = f"an entry of {each.source}, kind {each.kind}, could not be read again ({error.detail})"
            raise EncodeError(message) from None


def gap(source: str, epoch: bytes, hole: GoneRange, at: int) -> NewEntry:
    """The `hole` of (source, epoch) will never be filled."""
    body = Gone(
        *_head(at),
        source,
        epoch,
        hole.first,
        hole.last,
        hole.drop_class,
        hole.count,
        hole.reason,
        hole.since,
        hole.until,
    )
    return entry(keys.GAP, keys.gap_epoch(source, epoch), hole.first, body)


def equivocation(source: str, epoch: bytes, sequence: int, item: Item, at: int) -> NewEntry:
    """`item` came under a key that already holds something else. Nothing is kept of one that says who a person is."""
    raw = keepable(item)
    body = Equivocation(*_head(at), source, epoch, sequence, item.kind, item.kind_version, raw)
    return entry(keys.EQUIVOCATION, keys.equivocation_epoch(source, epoch, raw), sequence, body)


def quarantined(source: str, epoch: bytes, sequence: int, item: Item, reason: Reason, at: int) -> NewEntry:
    """`item` was not taken, for `reason`; kept whole under the sender's own key.

    Two leave nothing but their place: an unrouted item, since what it says may be another client's, and the operator
    keeps it; and one that says who a person is, which nobody keeps.
    """
    raw = b"" if reason in LEAVE_NOTHING else keepable(item)
    body = Quarantined(*_head(at), reason, item.kind, item.kind_version, raw)
    return entry(source, epoch, sequence, body)


def unrouted(source: str, epoch: bytes, sequence: int, item: Item, queue: str, at: int) -> NewEntry:
    """For the operator's ledger: `item` is about a queue of no contract.

    A telephone number in its place may be a customer's: it is masked, as much as tells a hotline that nobody configured
    yet, and nothing else of the item is kept.
    """
    said = masked(queue)
    raw = bytes(item.body) if said == queue else b""
    body = Unrouted(*_head(at), source, epoch, sequence, said, item.kind, item.kind_version, raw)
    return entry(keys.UNROUTED, keys.unrouted_epoch(source, epoch), sequence, body)


def stranger(frame: Frame, item: Item, at: int) -> NewEntry:
    """For the operator's ledger: an `item` of a source that nobody registered, unless it says who a person is."""
    raw = keepable(item)
    body = Unrouted(*_head(at), frame.source, frame.epoch, item.sequence, "", item.kind, item.kind_version, raw)
    return entry(keys.STRANGER, keys.stranger_epoch(frame.source, frame.epoch), item.sequence, body)


def clock(ledger_id: bytes, at: int) -> NewEntry:
    """The hub's time passed the second of `at`."""
    second = keys.clock_sequence(at)
    return entry(keys.CLOCK, keys.clock_epoch(ledger_id), second, Clock(*_head(keys.clock_instant(second))))


def silent(about_source: str, heard_at: int, missed_at: int) -> NewEntry:
    """`about_source` was last heard at `heard_at` and missed its heartbeats by `missed_at`."""
    body = SourceSilent(*_head(missed_at), about_source, heard_at)
    return entry(keys.SILENCE, keys.silence_epoch(about_source), heard_at, body)


def back(about_source: str, heard_at: int, back_at: int) -> NewEntry:
    """The silence since `heard_at` ended at `back_at`."""
    body = SourceBack(*_head(back_at), about_source)
    return entry(keys.SILENCE, keys.silence_epoch(about_source), heard_at + 1, body)


def declared(about_source: str, ordinal: int, at: int, words: "Declaration") -> NewEntry:
    """The `ordinal`-th declaration (from 1) of a source."""
    body = SourceDeclared(*_head(at), about_source, *words.in_body_order())
    return entry(keys.SOURCES, keys.declaration_epoch(about_source), ordinal, body)


def incident(said: IncidentSaid) -> NewEntry:
    """One revision of an incident: the same key in the operator's ledger and in every client's it is copied to."""
    return entry(keys.INCIDENT, keys.incident_epoch(said.of_ledger, said.incident), said.revision, said)


def maintenance(said: MaintenanceSaid) -> NewEntry:
    """A word about planned work. Each step is said once; what is said of a step again is told as an equivocation."""
    step = [*MaintenanceStep].index(said.step)
    return entry(keys.MAINTENANCE, keys.maintenance_epoch(said.maintenance), step + 1, said)


def connection(about_source: str, egress: str, at: int, *, is_open: bool) -> NewEntry:
    """The hub saw a connection of `about_source` begin or end. Whose line it came over is told by the roster."""
    body = ConnectionSeen(*_head(at), about_source, is_open, egress)
    return entry(keys.CONNECTION, keys.connection_epoch(about_source), at, body)


def line_witnessed(about_source: str, line: str, egress: str, at: int) -> NewEntry:
    """A request that `about_source` sent over `line` came from `egress`."""
    body = LineWitnessed(*_head(at), about_source, line, egress)
    return entry(keys.WITNESS, keys.witness_epoch(about_source, line), at, body)


def incident_acknowledged(incident: str, by: str, at: int, *, revision: int) -> NewEntry:
    """`by` took the incident on as of `revision`. The first to do so holds: each revision is taken on once."""
    body = IncidentAcknowledged(*_head(at), incident, by)
    return entry(keys.ACKNOWLEDGED, keys.acknowledged_epoch(incident), revision, body)


def work_seen(said: IncidentSaid, at: int, usual: int, replies: int, signed_out: int, *, is_working: bool) -> NewEntry:
    """What conversations tell, at `at`, of the people an incident is about."""
    body = WorkSeen(
        *_head(at), said.incident, said.site, said.subject, said.started_at, usual, replies, signed_out, is_working
    )
    return entry(keys.WORK, keys.work_epoch(said.incident), at, body)


def followed_up(body: FollowedUp) -> NewEntry:
    """Somebody looks after a wait or a person, since the body's instant."""
    epoch = keys.follow_up_epoch(body.conversation, body.person)
    return entry(keys.FOLLOW_UP, epoch, body.occurred_at, body)


def site_removed(site: str, at: int) -> NewEntry:
    """At `at`, a site that the record knows was found in the configuration no more."""
    return entry(keys.SITES, keys.removal_epoch(site), at, SiteRemoved(*_head(at), site))


class Declaration(msgspec.Struct, frozen=True, gc=False):
    """What is said about a source. heartbeat_ms: how often it promises to speak, 0 = it promises nothing."""

    feed: Feed
    carries: str
    numbered: bool
    site: str
    heartbeat_ms: int

    def in_body_order(self) -> tuple[Feed, str, bool, str, int]:
        """The fields as SourceDeclared takes them after `about_source`."""
        return self.feed, self.carries, self.numbered, self.site, self.heartbeat_ms

    @staticmethod
    def of(body: SourceDeclared) -> "Declaration":
        """What an entry declared."""
        return Declaration(body.feed, body.carries, body.numbered, body.site, body.heartbeat_ms)


def _head(at: int) -> _Head:
    return at, 1, HUB_CLOCK, None, True, ""
