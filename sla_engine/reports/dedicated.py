"""Seats that people were at beside seats that are paid for (M20), for clients and their shops, from their ledgers.

Whether somebody on a dedicated seat also served others is told by reading the ledgers of all clients, so that only a
reader who may see all of them is told, and then by counts of time alone. Nothing is written, and no clock is read.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from ledger.errors import LedgerMissing
from ledger.reader import LedgerReader
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.coverage import union
from sla_engine.board_at import CLIENTS
from sla_engine.replay import entered_rules, ledger_batches, replay
from sla_engine.reports._core.buckets import By, Frame
from sla_engine.reports._core.composing import frame_of
from sla_engine.reports._core.dedicated import Span, Spent, also_serving, hands_intervals, on_dedicated_seats, serving
from sla_engine.reports._core.observed import Observed
from sla_engine.reports._core.service_hours import ServiceHours
from sla_engine.reports._core.time_at_work import (
    HalfHour,
    half_hour_end,
    half_hours,
    in_row,
    on_call,
    person_intervals,
    seat_time,
)
from sla_engine.reports.making import ruling_of
from wire.board import Ratio
from wire.limits import INSTANT_MAX_MS
from wire.recorded import Recorded
from wire.scope import Scope
from wire.verdict import LegFact, LoadChange

MS_PER_S: Final = 1_000
Rows = Literal["half-hour", "day"]
_Bucket = tuple[str, int, int]
"""Name ("" = the total), start and end (ms)."""


class SeatRow(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of a client, or of one of its shops, within [since, until), ms.

    name: the row by the local clock, "" = the total. shop: "" = the whole client. staffed: person-ms / ms of service
    window, None where no source tells who is there. contracted: seat-ms / ms of window, None where the roster states no
    seats. shortfall_ms: seat-ms, None without either. no_data_ms: window in which nothing was told of people, left out
    of all of these; where that is all, contracted is of it.
    also_serving: ms at work on dedicated seats in which that person served other clients too / ms at work on them; None
    of a shop, of a reader who may not see all clients, and where nobody was on a dedicated seat.
    """

    client: str
    shop: str
    name: str
    since: int
    until: int
    staffed: Ratio | None
    contracted: Ratio | None
    shortfall_ms: int | None
    no_data_ms: int
    also_serving: Ratio | None


class SeatTable(msgspec.Struct, frozen=True):
    """zones: of each client in the table. without_rules: clients with no contract, so with no service window."""

    rows: tuple[SeatRow, ...]
    zones: dict[str, str]
    without_rules: tuple[str, ...]


class SeatQuestion(NamedTuple):
    """span: the time (ms, half-open) that is asked for, by a client's own days. client: "" = every one.

    lookback_ms: what people did longer before that is not looked at. hands_idle_ms: how long after the last word on it
    a conversation is in hands whose end nobody told.
    """

    span: Callable[[Frame], Span]
    rows: Rows
    client: str
    lookback_ms: int
    hands_idle_ms: int


class _Client:
    """One client's ledger, open."""

    def __init__(self, name: str, reader: LedgerReader, hours: ServiceHours, frame: Frame, span: Span) -> None:
        self.name: Final = name
        self.reader: Final = reader
        self.hours: Final = hours
        self.frame: Final = frame
        self.span: Final = span
        self.seen = Observed(*span)
        self.spent: Spent = ()
        self.calls: list[LegFact] = []
        self.until = self._until = span[1]

    def read(self, earliest: int, until: int, hands_idle_ms: int) -> None:
        """Take in what its people did up to `until` (ms), or as far as the record goes. hands_idle_ms: as asked."""
        batches = ledger_batches(self.reader, earliest=earliest)
        loads: list[LoadChange] = []
        calls: dict[tuple[str, int, int], LegFact] = {}
        for fact in replay(self._watched(batches)):
            if isinstance(fact, LegFact):
                if fact.voice and fact.ended_at >= earliest and fact.started_at < until:
                    calls[fact.conversation, fact.session, fact.leg] = fact  # the last word on it
            elif isinstance(fact, LoadChange) and earliest <= fact.at < until:
                loads.append(fact)
        held = Counter[tuple[str, str]]()
        for load in loads:
            held[load.conversation, load.account] += load.change
        loads += self.seen.never_ended.leave(held, hands_idle_ms)
        self.calls = list(calls.values())
        known = max(self.seen.received_at, self.span[0] + 1)
        self.until = min(self.span[1], known)
        self._until = min(until, known)
        spoken = [talk for leg in self.calls for talk in on_call(leg)]
        hands = [*hands_intervals(loads), *spoken]
        self.spent = list(person_intervals(self.seen.presences(), hands, self.seen.roster, self.known_until))

    def known_until(self, account: str) -> int:
        """How far (ms) what was last told of an account holds."""
        return min(self._until, self.seen.account_until(account))

    def _watched(self, batches: Iterator[list[Recorded]]) -> Iterator[list[Recorded]]:
        for batch in batches:
            self.seen.take(batch)
            yield batch


def seats(data_directory: Path, question: SeatQuestion, scope: Scope, passed: Callable[[int], None]) -> SeatTable:
    """The table over the client ledgers in `data_directory`. passed: told how many are read. LedgerCorrupt."""
    opened: list[_Client] = []
    without_rules: list[str] = []
    try:
        for name in _names(data_directory, question, scope):
            found = _opened(data_directory / CLIENTS / name, name, question)
            if found is not None:
                opened.append(found)
            elif question.client in ("", name):
                without_rules.append(name)
        since = min((client.span[0] for client in opened), default=0)
        until = max((client.span[1] for client in opened), default=0)
        for number, client in enumerate(opened, start=1):
            client.read(since - question.lookback_ms, until, question.hands_idle_ms)
            passed(number)
        serves = {client.name: serving(client.spent) for client in opened} if scope.clients is None else None
        shown = [client for client in opened if question.client in ("", client.name)]
        rows = tuple(row for client in shown for row in _rows(client, question, serves))
        zones = {client.name: client.frame.days.zone.name for client in shown}
        return SeatTable(rows, zones, tuple(without_rules))
    finally:
        for client in opened:
            client.reader.close()


def _names(data_directory: Path, question: SeatQuestion, scope: Scope) -> list[str]:
    """Clients whose ledgers are read: all that may be seen, where that may tell of dedicated seats."""
    folder = data_directory / CLIENTS
    there = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    seen = [name for name in there if scope.sees_client(name)]
    return seen if scope.clients is None else [name for name in seen if question.client in ("", name)]


def _opened(directory: Path, name: str, question: SeatQuestion) -> _Client | None:
    """None where there is no ledger, or no contract in it."""
    try:
        reader = LedgerReader.open(directory)
    except LedgerMissing:
        return None
    ruling = ruling_of(*entered_rules(reader), None, (EVERY_QUEUE,), INSTANT_MAX_MS)
    if ruling is None:
        reader.close()
        return None
    frame = frame_of(ruling.frame, ruling.contract)
    return _Client(name, reader, ServiceHours(ruling.windows), frame, question.span(frame))


def _rows(
    client: _Client, question: SeatQuestion, serves: dict[str, dict[str, list[Span]]] | None
) -> Iterator[SeatRow]:
    """The client as a whole, then each shop; the total after the rows of each."""
    seen = client.seen
    subjects: list[tuple[str, Spent, list[Span]]] = [("", client.spent, seen.unseen())]
    for shop, queues in sorted(_shops(client).items()):
        sources = seen.feeding(queues)
        spoken = [talk for leg in client.calls if leg.queue in queues for talk in on_call(leg)]
        told = list(person_intervals(seen.presences(sources), spoken, seen.roster, client.known_until))
        subjects.append((shop, told, seen.unseen(sources)))
    for shop, spent, unseen in subjects:
        intervals = [interval for _, interval in spent]
        spans = half_hours(intervals, client.hours, client.frame, client.span[0], client.until, unseen)
        buckets = list(_buckets(client, question.rows, spans))
        shared: list[Ratio | None] = [None] * len(buckets)
        if serves is not None and not shop:
            shared = _shared(client, serves, buckets)
        of_shop, of_client = seen.seats.contracted_of_shop, seen.seats.contracted
        contracted = partial(of_shop, shop) if shop else partial(of_client, client.name)
        for (name, start, end), also in zip(buckets, shared, strict=True):
            time = seat_time(in_row(spans, start, end), contracted)
            if time is not None:
                yield SeatRow(
                    client=client.name,
                    shop=shop,
                    name=name,
                    since=start,
                    until=end,
                    staffed=time.staffed,
                    contracted=time.contracted,
                    shortfall_ms=time.shortfall_ms,
                    no_data_ms=time.no_data_ms,
                    also_serving=also,
                )


def _buckets(client: _Client, rows: Rows, spans: Sequence[HalfHour]) -> Iterator[_Bucket]:
    """The total last."""
    frame, (since, until) = client.frame, client.span
    if rows == "half-hour":
        zone = ZoneInfo(frame.days.zone.name)
        for span in spans:
            name = datetime.fromtimestamp(span.start // MS_PER_S, tz=zone).isoformat(" ", "minutes")
            yield name, span.start, min(half_hour_end(frame, span.start), until)
    else:
        for start, end in pairwise(frame.edges(By.DAY, since, until)):
            yield frame.name(By.DAY, start), start, end
    yield "", since, until


def _shared(
    client: _Client, serves: dict[str, dict[str, list[Span]]], buckets: Sequence[_Bucket]
) -> list[Ratio | None]:
    """How much of the time at work on dedicated seats its people served others in each bucket, None without any."""
    own = on_dedicated_seats(client.spent, client.seen.seats)
    others: dict[str, list[Span]] = {}
    for name, people in serves.items():
        for person, spans in people.items() if name != client.name else ():
            others.setdefault(person, []).extend(spans)
    edges = sorted({at for _, start, end in buckets for at in (start, end)})
    parts = also_serving(own, {person: union(spans) for person, spans in others.items()}, edges)
    found: list[Ratio | None] = []
    for _, start, end in buckets:
        within = parts[bisect_left(edges, start) : bisect_left(edges, end)]
        whole = sum(part.whole for part in within)
        found.append(Ratio(sum(part.part for part in within), whole) if whole else None)
    return found


def _shops(client: _Client) -> dict[str, set[str]]:
    """Queues by the shop they serve when the table begins."""
    shops: dict[str, set[str]] = {}
    for queue in client.seen.feeds.queues():
        shop = client.seen.seats.shop_of(queue, client.span[0])
        if shop:
            shops.setdefault(shop, set()).add(queue)
    return shops
