"""From a file to acknowledged events: frames in order of time, what came back, a second pass for what is missing."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Final, NamedTuple, Protocol

import msgspec

from collector.importers._core.order import Numbered
from collector.importers.doors import Door, DoorError
from collector.importers.report import RejectedRow, Report
from wire.frame import Ack, Frame, GoneRange, Item, Lane
from wire.kinds import Kind
from wire.limits import FRAME_BYTES_MAX, FRAME_ITEMS_MAX, FRAME_VERSION, GONE_RANGES_MAX

# Format: MessagePack, as frames travel.
_FRAME_HEAD: Final = 512
"""What a frame takes beside its items: names of 96 characters at most, epoch, empty lists."""
_ITEM_HEAD: Final = 32
_MS_PER_S: Final = 1000

_decode_gone: Final = msgspec.msgpack.Decoder(GoneRange).decode

Progress = Callable[[int], None]
"""Called with the bytes read so far."""


class Reading(Protocol):
    """Files that can be read more than once with the same result; longer ones give the same beginning."""

    @property
    def epochs(self) -> Sequence[bytes]:
        """The epochs they may have begun under; the first is that of what they hold now."""

    @property
    def starts_after(self) -> int:
        """The number that has to be stored before they can continue; 0 where they are the beginning."""

    @property
    def report(self) -> Report:
        """What the rows of the last pass were."""

    @property
    def size(self) -> int:
        """Bytes of all of them."""

    @property
    def position(self) -> int:
        """Bytes read in the running pass."""

    def in_time_order(self) -> Iterator[Numbered]:
        """All events, sorted as far as the settings allow. Counts anew into `report`."""

    def in_file_order(self) -> Iterator[Numbered]:
        """All events by number. Counts anew into `report`."""


class Delivered(NamedTuple):
    """What became of a file. events: in the file. stored_before, stored: how many of them the ledger held, and holds.

    refused: events that the door put into quarantine, by reason, beside the rows rejected here. refused_rows: where,
    each row once under its first reason. rows_touched: how many those are, listed or not. rows_refused: rows of which
    nothing was taken, by outcome.
    """

    epoch: bytes
    events: int
    stored_before: int
    stored: int
    refused: Counter[str]
    refused_rows: Sequence[RejectedRow]
    rows_touched: int
    rows_refused: Counter[str]

    @property
    def complete(self) -> bool:
        """Whether every event is durable, in quarantine or not."""
        return self.stored >= self.events


class Pace:
    """Waits so that events pass at `speed` times the rate they happened at."""

    def __init__(
        self,
        speed: float,
        *,
        monotonic_s: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._speed = speed
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._started: tuple[float, int] | None = None

    async def wait(self, occurred_at: int) -> None:
        """Return when it is time for an event of `occurred_at` (ms). The first one is due at once."""
        if self._started is None:
            self._started = self._monotonic_s(), occurred_at
        started_s, first_at = self._started
        due_s = started_s + (occurred_at - first_at) / _MS_PER_S / self._speed
        ahead_s = due_s - self._monotonic_s()
        if ahead_s > 0:
            await self._sleep(ahead_s)


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True):
    """frame_span_ms: at a given speed, events that are due within this of each other travel together."""

    frame_span_ms: int
    rejected_listed: int


class Delivery:
    """One source delivering one file."""

    def __init__(self, reading: Reading, door: Door, source: str, settings: DeliverySettings) -> None:
        self._reading = reading
        self._door = door
        self._source = source
        self._settings = settings
        self._refused: list[RejectedRow] = []
        self._refused_of: dict[int, int] = {}
        """By the number of a row's first event: a bit for each of its events that was refused."""
        self._rows_refused: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    async def run(self, *, speed: float | None = None, progress: Progress = lambda _: None) -> Delivered:
        """Deliver everything. DoorError; whatever was acknowledged stays, and a second run continues."""
        epoch, before = await self._epoch()
        if before < self._reading.starts_after:
            raise DoorError("the ledger does not hold what comes before these files; name the older parts too")
        stored = before
        pace = None if speed is None else Pace(speed)
        span_ms = 0 if speed is None else round(self._settings.frame_span_ms * speed)
        for chunk in _chunks(self._reading.in_time_order(), span_ms if pace else None):
            if pace is not None:
                await pace.wait(chunk[-1].occurred_at)
            stored = (await self._send(epoch, chunk)).acknowledged_through
            progress(self._reading.position)
        events = self._reading.report.events
        if stored < events:
            stored = await self._send_missing(epoch, stored)
        refused = (self._reasons, self._refused, len(self._refused_of), self._rows_refused)
        return Delivered(epoch, events, before, stored, *refused)

    async def _epoch(self) -> tuple[bytes, int]:
        """The epoch this file began under and how far the ledger has it; for a new file that of its first 4 KiB."""
        for epoch in self._reading.epochs:
            ack = await self._door.submit(self._frame(epoch, []))
            if ack.acknowledged_through or ack.wanted:
                return epoch, ack.acknowledged_through
        return self._reading.epochs[0], 0

    async def _send_missing(self, epoch: bytes, stored: int) -> int:
        """In order of their numbers nothing is ever postponed, however many holes the first pass left."""
        missing = (event for event in self._reading.in_file_order() if event.sequence > stored)
        for chunk in _chunks(missing, None):
            stored = (await self._send(epoch, chunk)).acknowledged_through
        return stored

    async def _send(self, epoch: bytes, chunk: Sequence[Numbered]) -> Ack:
        items = [
            Item(each.sequence, each.kind, each.kind_version, msgspec.Raw(each.body))
            for each in chunk
            if each.kind != Kind.DATA_GAP
        ]
        gone = [_decode_gone(each.body) for each in chunk if each.kind == Kind.DATA_GAP]
        ack = await self._door.submit(self._frame(epoch, items, gone))
        if ack.rejected:
            self._note(chunk, ack)
        return ack

    def _note(self, chunk: Sequence[Numbered], ack: Ack) -> None:
        """Count what the door did not take, once per event, other than rows we rejected ourselves."""
        ours = {each.sequence: each for each in chunk if each.kind != Kind.QUARANTINED}
        for item in ack.rejected:
            event = ours.get(item.sequence)
            if event is None:
                continue
            first, events, outcome = event.origin
            known = self._refused_of.get(first, 0)
            refused = known | 1 << (item.sequence - first)
            if refused == known:
                continue
            self._refused_of[first] = refused
            self._reasons[item.reason] += 1
            self._rows_refused[outcome] += refused == (1 << events) - 1
            if not known and len(self._refused) < self._settings.rejected_listed:
                self._refused.append(RejectedRow(event.row, item.reason, ""))

    def _frame(self, epoch: bytes, items: list[Item], gone: Sequence[GoneRange] = ()) -> Frame:
        return Frame(FRAME_VERSION, self._source, epoch, Lane.BACKLOG, 0, list(gone), items)


def _chunks(events: Iterable[Numbered], span_ms: int | None) -> Iterator[list[Numbered]]:
    """Events that fit one frame, and with `span_ms` lie within it of the first."""
    chunk: list[Numbered] = []
    size, holes = _FRAME_HEAD, 0
    for event in events:
        takes = len(event.body) + _ITEM_HEAD
        full = len(chunk) == FRAME_ITEMS_MAX or size + takes > FRAME_BYTES_MAX or holes == GONE_RANGES_MAX
        if chunk and (full or (span_ms is not None and event.occurred_at - chunk[0].occurred_at > span_ms)):
            yield chunk
            chunk, size, holes = [], _FRAME_HEAD, 0
        chunk.append(event)
        size += takes
        holes += event.kind == Kind.DATA_GAP
    if chunk:
        yield chunk
