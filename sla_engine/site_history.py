"""What the ledgers hold of one site's past: power, lines, phone lines, feeds and seats, as lanes over one time axis.

Only what the site's own sources told is read, found by their names, so that the cost is the site's own and not that of
everything around it.

* TooMuchError: more was told in that time than is read at once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from ledger.entry import StoredEntry
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import Hours, SiteLimits, SiteRosterState
from sla_engine._core.site_lanes import (
    GOES_ON,
    NO_DATA,
    Charge,
    Discharge,
    Span,
    Told,
    discharges,
    spans,
    thinned,
    without,
)
from sla_engine._core.site_seats import Seats, SeatStep, stays
from sla_engine._core.windows import DAY_MS
from wire.facility import Comms, Heartbeat, Power, Role, SelfTest, UpsReading
from wire.kinds import Kind
from wire.organisation import RosterLink
from wire.phone import PhoneLineReading, TrunkState
from wire.record import SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded
from wire.uplink import LineReading, LineState

HEARD: Final = "heard"
TOLD_LATER: Final = "told_later"
SILENT: Final = "silent"
CONVERSATIONS: Final = "conversations"
ON_BATTERY: Final = frozenset({Power.BATTERY, Power.CRITICAL})
_TOLD: Final = frozenset({Kind.HEARTBEAT, Kind.UPS_READING, Kind.LINE_READING, Kind.PHONE_LINE_READING})
_HELD: Final = frozenset({Power.CONFLICT, Power.STARTING})
_GRAVEST_FIRST: Final = (
    *(Power.CRITICAL, Power.LOAD_OFF, Power.OFF, Power.BATTERY, Power.BYPASS, Power.MAINS_DISCHARGING),
    *(LineState.DOWN, TrunkState.UNREACHABLE, TrunkState.UNAVAILABLE, LineState.DEGRADED, TrunkState.LAGGED),
    *(SILENT, NO_DATA, TOLD_LATER),
)


class TooMuchError(Exception):
    """More entries than are read at once."""


class HubSources(NamedTuple):
    """Under which names the hub itself writes: roster links, declared sources, silences."""

    roster: str
    declared: str
    silence: str


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, from `[portal]` in defaults.toml, each as `history_...`.

    holds_ms: how long a reading holds at most. late_ms: how much later a backlog may come in. entries_max: read at
    once. steps: of the seats' lane. heartbeats_missed: a word that comes later than so many beats was told afterwards.
    spans: of one lane, at most.
    """

    holds_ms: int
    late_ms: int
    entries_max: int
    steps: int
    heartbeats_missed: int
    spans: int
    limits: SiteLimits


class Lane(NamedTuple):
    """One lane. of: ups, line, phone_line, probe or feed. name: which one. carrier: of a line, "" where not known."""

    of: str
    name: str
    carrier: str
    spans: list[Span]


class SelfTestTold(NamedTuple):
    """What a UPS told last of its last self-test, at `at` (ms). date: when that was, in its own words."""

    at: int
    result: SelfTest
    date: str


class SiteHistory(NamedTuple):
    """A site from `since` to `until`, ms. charges, discharges, self_tests: by UPS. seats: empty if there are none."""

    lanes: list[Lane]
    charges: dict[str, list[Charge]]
    discharges: dict[str, list[Discharge]]
    seats: list[SeatStep]
    self_tests: dict[str, SelfTestTold]


class SiteBook:
    """Reads the past of sites from the operator's ledger. For one thread at a time."""

    def __init__(self, reader: LedgerReader, hub: HubSources, settings: HistorySettings) -> None:
        self._reader: Final = reader
        self._hub: Final = hub
        self._settings: Final = settings
        self.roster: Final = SiteRosterState()
        for entry in _bodies(reader.of_source(hub.roster)):
            if isinstance(entry.body, RosterLink):
                roster.enter(self.roster, entry.body)
        self._sources: Final[dict[str, str]] = {}
        for entry in _bodies(reader.of_source(hub.declared)):
            if isinstance(entry.body, SourceDeclared) and entry.body.site:
                self._sources[entry.body.about_source] = entry.body.site

    def sites(self) -> set[str]:
        """Every site that the roster or a declared source names."""
        return set(self.roster.seats) | set(self._sources.values())

    def history(self, site: str, since: int, until: int, *, client: str | None) -> SiteHistory:
        """The lanes of a site within [since, until), ms. client: whose seats alone are counted; None = all.

        Raises TooMuchError, LedgerCorrupt.
        """
        reader, settings = self._reader, self._settings
        holds_ms = settings.holds_ms
        starts = min(since, _day_start(roster.hours_at(self.roster, settings.limits, site, since), since)) - holds_ms
        first, end = reader.index_at(starts), reader.index_at(until + holds_ms)
        beats = self._beats(site, first, end)
        told = _Readings(site, until, settings)
        gateways = [source for source, (_, body) in beats.items() if body.role is Role.GATEWAY]
        early, late = reader.index_at(since - holds_ms), reader.index_at(until + settings.late_ms)
        for source in gateways:
            told.take(source, reader.span_of_source(source, early, late))
        holes = standstills(reader, since, until, holds_ms)
        lanes, charges, found = told.lanes(since, until, roster.lines_at(self.roster, site, until - 1))
        heard, silent = self._silences(beats, first, end)
        quiet = {source: _quiet(heard[source], silent[source], until) for source in gateways}
        lanes = [
            _heard_or_silent(lane, quiet.get(lane.name, []), holes) if lane.of == "probe" else lane for lane in lanes
        ]
        at_seats = {source: beat for source, beat in beats.items() if beat[1].role is Role.SEAT and beat[1].seat}
        seats: list[SeatStep] = []
        if at_seats or self.roster.seats.get(site):
            there = {body.seat: stays(heard[source], silent[source], until) for source, (_, body) in at_seats.items()}
            counted = Seats(self.roster, settings.limits, site, client, there)
            seats = counted.steps(_cuts(since, until, settings.steps), holes)
        return SiteHistory(lanes, charges, found, seats, told.self_tests)

    def _beats(self, site: str, first: int, end: int) -> dict[str, tuple[int, Heartbeat]]:
        """Of each source of the site its first heartbeat, and when it came in."""
        found = {}
        for source in sorted(source for source, at in self._sources.items() if at == site):
            entry = self._reader.first_of_source(source, Kind.HEARTBEAT, first, end)
            body = None if entry is None else recorded(entry).body
            if entry is not None and isinstance(body, Heartbeat) and body.site == site:
                found[source] = entry.received_at, body
        return found

    def _silences(
        self, beats: dict[str, tuple[int, Heartbeat]], first: int, end: int
    ) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """By source, from when on it was heard, and after when it was not, as the hub noticed."""
        heard: dict[str, list[int]] = {source: [at] for source, (at, _) in beats.items()}
        silent: dict[str, list[int]] = defaultdict(list)
        for entry in _bodies(self._reader.span_of_source(self._hub.silence, first, end)):
            if isinstance(entry.body, SourceSilent) and entry.body.about_source in heard:
                silent[entry.body.about_source].append(entry.body.heard_at)
            elif isinstance(entry.body, SourceBack) and entry.body.about_source in heard:
                heard[entry.body.about_source].append(entry.body.occurred_at)
        return heard, silent


def feeds(reader: LedgerReader, hub: HubSources, since: int, until: int, holds_ms: int) -> list[Lane]:
    """The lanes of a client's own sources of conversations, from its own ledger. Raises LedgerCorrupt."""
    began: dict[str, int] = {}
    for entry in _bodies(reader.of_source(hub.declared)):
        if isinstance(entry.body, SourceDeclared) and entry.body.carries == CONVERSATIONS:
            began[entry.body.about_source] = min(entry.received_at, began.get(entry.body.about_source, until))
    heard: dict[str, list[int]] = {source: [at] for source, at in began.items()}
    silent: dict[str, list[int]] = defaultdict(list)
    for entry in _bodies(reader.span_of_source(hub.silence, 0, reader.index_at(until + holds_ms))):
        if isinstance(entry.body, SourceSilent) and entry.body.about_source in heard:
            silent[entry.body.about_source].append(entry.body.heard_at)
        elif isinstance(entry.body, SourceBack) and entry.body.about_source in heard:
            heard[entry.body.about_source].append(entry.body.occurred_at)
    holes = standstills(reader, since, until, holds_ms)
    return [
        Lane(
            "feed", source, "", without(_feed_spans(began[source], heard[source], silent[source], since, until), holes)
        )
        for source in sorted(began)
    ]


def standstills(reader: LedgerReader, since: int, until: int, holds_ms: int) -> list[tuple[int, int]]:
    """Times in which the ledger took nothing in, not even that a minute had passed: all of twice `holds_ms` or more.

    Nothing was recorded then, and nothing that only the hub notices is known, such as who fell silent.
    """
    found: list[tuple[int, int]] = []
    size, index = reader.size(), reader.index_at(since)
    heard_at = reader.received_at(index - 1) if index else since
    at = since
    while at < until:
        at = min(at + holds_ms, until)
        before, index = index, reader.index_at(at, after=index)
        if index > before:
            heard_at = reader.received_at(index - 1)
            continue
        next_at = reader.received_at(index) if index < size else until
        if next_at - heard_at >= holds_ms:
            found.append((max(heard_at, since), min(next_at, until)))
            at = min(next_at, until)
    return found


class _Readings:
    """What the gateways of one site told."""

    def __init__(self, site: str, until: int, settings: HistorySettings) -> None:
        self._site = site
        self._until = until
        self._settings = settings
        self._read = 0
        self._told: dict[tuple[str, str], list[Told]] = defaultdict(list)
        self._carriers: dict[str, str] = {}
        self._charges: dict[str, list[Charge]] = defaultdict(list)
        self.self_tests: dict[str, SelfTestTold] = {}

    def take(self, source: str, entries: Iterator[StoredEntry]) -> None:
        for entry in entries:
            self._read += 1
            if self._read > self._settings.entries_max:
                raise TooMuchError(self._site)
            if entry.kind in _TOLD:
                self._take(source, recorded(entry))

    def _take(self, source: str, entry: Recorded) -> None:
        body = entry.body
        match body:
            case Heartbeat():
                late_ms = self._settings.heartbeats_missed * body.interval_ms
                is_late = entry.received_at - body.occurred_at > late_ms
                self._tell("probe", source, _at(entry, body), 0, TOLD_LATER if is_late else HEARD)
            case UpsReading(site=self._site):
                at = _at(entry, body)
                self._tell("ups", body.ups, at, body.since_ms, _power(body))
                if body.charge_percent is not None and body.comms is Comms.OK:
                    charge = Charge(at, body.charge_percent, body.runtime_ms, body.runtime_is_estimate)
                    self._charges[body.ups].append(charge)
                self._tested(body, at)
            case LineReading(site=self._site):
                at = _at(entry, body)
                self._carriers[body.line] = body.carrier
                held_ms = body.since_ms
                if body.state is LineState.DOWN and body.first_bad_at is not None:
                    held_ms = max(held_ms, at - body.first_bad_at)
                self._tell("line", body.line, at, held_ms, _line(body))
            case PhoneLineReading(site=self._site):
                state = NO_DATA if body.state is TrunkState.UNKNOWN else str(body.state)
                self._tell("phone_line", body.phone_line, _at(entry, body), body.since_ms, state)

    def _tested(self, body: UpsReading, at: int) -> None:
        before = self.self_tests.get(body.ups)
        if body.self_test is not None and at < self._until and (before is None or before.at <= at):
            self.self_tests[body.ups] = SelfTestTold(at, body.self_test, body.self_test_date)

    def _tell(self, of: str, name: str, at: int, held_ms: int, state: str) -> None:
        self._told[of, name].append(Told(at, at - held_ms, state))

    def lanes(
        self, since: int, until: int, lines: dict[str, str]
    ) -> tuple[list[Lane], dict[str, list[Charge]], dict[str, list[Discharge]]]:
        """Lanes, charges and discharges by UPS. lines: which there are by the roster, told of or not."""
        carriers = lines | {line: carrier for line, carrier in self._carriers.items() if carrier}
        wanted = dict(self._told.items()) | {("line", line): self._told.get(("line", line), []) for line in carriers}
        order = ("ups", "line", "phone_line", "probe")
        found = [
            Lane(
                of,
                name,
                carriers.get(name, "") if of == "line" else "",
                spans(wanted[of, name], since, until, self._settings.holds_ms),
            )
            for of, name in sorted(wanted, key=lambda key: (order.index(key[0]), key[1]))
        ]
        charges = {ups: sorted(each) for ups, each in sorted(self._charges.items())}
        on_battery = {
            lane.name: discharges(lane.spans, charges.get(lane.name, []), frozenset(map(str, ON_BATTERY)))
            for lane in found
            if lane.of == "ups"
        }
        gravity = [str(state) for state in _GRAVEST_FIRST]
        return (
            [lane._replace(spans=thinned(lane.spans, gravity, self._settings.spans)) for lane in found],
            charges,
            on_battery,
        )


def _at(entry: Recorded, body: Heartbeat | UpsReading | LineReading | PhoneLineReading) -> int:
    """A clock ahead of the hub's counts as the hub's."""
    return min(body.occurred_at, entry.received_at)


def _power(body: UpsReading) -> str:
    if body.comms is Comms.STARTING or (body.comms is Comms.OK and body.power in _HELD):
        return GOES_ON
    if body.comms is not Comms.OK:
        return f"comms_{body.comms}"
    return NO_DATA if body.power is Power.UNKNOWN else str(body.power)


def _line(body: LineReading) -> str:
    if body.state is LineState.SUSPECT:
        return GOES_ON
    return NO_DATA if body.state is LineState.UNKNOWN else str(body.state)


def _feed_spans(began: int, heard: list[int], silent: list[int], since: int, until: int) -> list[Span]:
    found: list[Span] = []
    at = max(since, min(began, until))
    if since < at:
        found.append(Span(since, at, NO_DATA))
    for begins, ends in stays(heard, silent, until):
        if ends <= since:
            continue
        if at < begins:
            found.append(Span(at, begins, SILENT))
        found.append(Span(max(at, begins), ends, HEARD))
        at = ends
    if at < until:
        found.append(Span(at, until, SILENT))
    return found


def _quiet(heard: list[int], silent: list[int], until: int) -> list[tuple[int, int]]:
    """When a source was not heard although it had been before."""
    reported = stays(heard, silent, until)
    ends = [*(since for since, _ in reported[1:]), until]
    return [(left, back) for (_, left), back in zip(reported, ends, strict=True) if left < back]


def _heard_or_silent(lane: Lane, quiet: Sequence[tuple[int, int]], holes: Sequence[tuple[int, int]]) -> Lane:
    """A probe of which nothing was heard was silent, unless nothing at all was recorded, or it never spoke before.

    quiet: when the hub noticed that it was not heard; what it told of that time came afterwards.
    """
    spoke = next((span.since for span in lane.spans if span.state != NO_DATA), lane.spans[-1].until)
    told = [piece for span in lane.spans for piece in ([span] if span.state == TOLD_LATER else without([span], quiet))]
    silent = [
        Span(span.since, span.until, SILENT) if span.state == NO_DATA and span.since >= spoke else span for span in told
    ]
    return lane._replace(spans=without(silent, holes))


def _bodies(entries: Iterator[StoredEntry] | Sequence[StoredEntry]) -> Iterator[Recorded]:
    return (recorded(entry) for entry in entries)


def _cuts(since: int, until: int, steps: int) -> list[int]:
    return [since + (until - since) * number // steps for number in range(steps + 1)]


def _day_start(hours: Hours, at: int) -> int:
    return hours.zone.first_instant_of(hours.business_day(at) * DAY_MS + hours.day_starts_ms)
