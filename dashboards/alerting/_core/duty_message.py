"""The three messages of a day as a person on a telephone reads them: before opening, after the day, at a shift change.

Lines that ask for something to be done begin with a mark, and the title counts them. What nobody told is said to be
not known, never drawn as zero or as perfect.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from dashboards.alerting._core.duty_facts import Clocks, DutyFacts, DutyKind
from dashboards.alerting._core.message import Message, Reader
from dashboards.alerting._core.wording import what_word
from wire.board import Mean, Ratio, SiteTile, Tile
from wire.facility import SelfTest
from wire.incident import IncidentSaid

MARK: Final = "! "
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_MINUTE_MS: Final = 60_000
# Format: percent of a whole.
_FULL: Final = 100
_POWER_WORDS: Final[Mapping[str, str]] = {
    "mains": "mains",
    "battery": "on_battery",
    "critical": "power_critical",
    "unknown": "no_data",
}
_TEST_TO_LOOK_AT: Final = frozenset({SelfTest.FAILED, SelfTest.WARNING})
_LINE_UP: Final = frozenset({"line_up", "line_disabled", "trunk_reachable"})


class DutyShown(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`, as `message_...`. few_judged: of fewer conversations nothing is made of a percentage."""

    lines_shown: int
    few_judged: int


def compose_duty(
    facts: DutyFacts, reader: Reader, shown: DutyShown, *, link: str, late_ms: int = 0, skipped: int = 0
) -> Message:
    """The message. link: the board frozen at that instant; "" = none. late_ms: how long after its time it is sent.

    skipped: how many before it were not sent at all.
    """
    teller = _Teller(facts, reader, shown)
    lines = list(_LINES[facts.kind](teller))
    marked = sum(line.startswith(MARK) for line in lines)
    word = reader.texts[facts.kind.value]
    unknown = sum(reader.texts["no_data"] in line for line in lines)
    found = (("duty_to_look_at", marked), ("duty_not_known", unknown))
    state = ", ".join(teller.said(key, n=n) for key, n in found if n) or reader.texts["duty_nothing_marked"]
    head = [teller.said("duty_late", n=-(-late_ms // _MINUTE_MS))] if late_ms else []
    head += [teller.said("duty_skipped", n=skipped)] if skipped else []
    # what asks for something first: a telephone shows the first lines only
    # Format: MARK has two characters.
    ordered = [*(line for line in lines if line.startswith(MARK)), *(line for line in lines if line[:2] != MARK)]
    hidden = len(ordered) - shown.lines_shown
    if hidden > 0:
        ordered = [*ordered[: shown.lines_shown], reader.texts["notify_more"].format(n=hidden)]
    named = _one_line(facts.name or facts.id)
    return Message(
        title=f"[{word}] {named} {teller.day_and_time(facts.at)} {state}",
        lines=[*head, *map(_one_line, ordered)],
        is_resolved=False,
        severity="",
        key=f"{facts.kind}/{facts.id}/{facts.at}",
        link=link,
        link_text=reader.texts["duty_board"],
    )


class _Teller:
    """Sentences about one set of facts."""

    def __init__(self, facts: DutyFacts, reader: Reader, shown: DutyShown) -> None:
        self.facts: Final = facts
        self._texts: Final = reader.texts
        self._reader: Final = reader
        self._few: Final = shown.few_judged

    def said(self, key: str, **values: int | str) -> str:
        """A word of the glossary with its places filled in."""
        return self._texts[key].format(**values)

    def day_and_time(self, at: int) -> str:
        """An instant (ms) as the readers' clocks show it."""
        return f"{self._local(at):%m-%d %H:%M}"

    def opening(self) -> Iterator[str]:
        """When it opens."""
        if self.facts.opens_at is not None:
            yield self.said("duty_opens", at=f"{self._local(self.facts.opens_at):%H:%M}")

    def sites(self) -> Iterator[str]:
        """Everything that has to work at opening, site by site."""
        if not self.facts.sites:
            yield f"{MARK}{self._texts['site']}: {self._texts['no_data']}"
        for site in self.facts.sites:
            where = f"{self._site_name(site.id)} " if len(self.facts.sites) > 1 else ""
            for line in self._site(site):
                yield f"{MARK}{where}{line[len(MARK) :]}" if line.startswith(MARK) else f"{where}{line}"

    def feeds(self) -> Iterator[str]:
        """Whether conversations are told of."""
        named = self._texts["duty_feeds"]
        told = [tile for tile in self.facts.tiles if tile.feed is not None]
        silent = [tile for tile in told if tile.stale_since is not None]
        if not told:
            yield f"{'' if self.facts.client is None else MARK}{named}: {self._texts['no_data']}"
            return
        yield f"{MARK if silent else ''}{named}: {len(told) - len(silent)}/{len(told)}"
        for tile in silent:
            since = tile.stale_since or 0
            yield f"{MARK}{tile.name}: {self._texts['stale']} ({self._since(since)})"

    def incidents(self) -> Iterator[str]:
        """What is open, then what ended."""
        told = sorted(self.facts.open_incidents, key=lambda said: said.started_at)
        if not told:
            yield self._texts["duty_none_open"]
        for said in told:
            taken = self.facts.taken_by.get(said.incident, "")
            held = [self._since(said.started_at), self._texts[f"severity_{said.severity}"]]
            held += [self._texts["suspected"]] if said.is_suspected else []
            held += [self._texts["planned"]] if said.is_planned else []
            held += [self.said("duty_taken_on", by=taken)] if taken else []
            yield f"{'' if said.is_planned else MARK}{self._named(said)} ({', '.join(held)})"
        for said in sorted(self.facts.ended, key=lambda said: said.started_at):
            ended = said.started_at if said.ended_at is None else said.ended_at
            minutes = max(1, -((said.started_at - ended) // _MINUTE_MS))
            span = self._texts["notify_lasted"].format(
                at=f"{self._local(said.started_at):%H:%M}", end=f"{self._local(ended):%H:%M}", n=minutes
            )
            yield f"{self._texts['notify_resolved']}: {self._named(said)} ({span})"

    def figures(self) -> Iterator[str]:
        """A line for each queue, and for the client or the site."""
        if not any(tile.day.offered for tile in self.facts.tiles):
            yield f"{self._texts['offered']}: {self._texts['no_data']}"
        for tile in self.facts.tiles:
            yield self._tile(tile)
        if self.facts.client is not None and len(self.facts.tiles) > 1:
            yield self._tile(self.facts.client, name=self._texts["portal_every_queue"])

    def causes(self) -> Iterator[str]:
        """Misses by cause."""
        if self.facts.causes is None:
            return
        named = self._texts["misses"]
        if not self.facts.causes:
            yield f"{named}: {0 if self._judged() else self._texts['no_data']}"
            return
        parts = []
        for each in self.facts.causes:
            but_for = f" ({self._texts['met_but_for_it']} {each.met_but_for_it})" if each.met_but_for_it else ""
            parts.append(f"{self._texts[f'cause_{each.cause}']} {each.misses}{but_for}")
        yield f"{named}: {', '.join(parts)}"

    def completeness(self) -> Iterator[str]:
        """How much of the day's record is there."""
        client = self.facts.client
        if client is None:
            return
        named, coverage = self._texts["coverage"], client.coverage
        if coverage is None or coverage.time.whole < _MINUTE_MS:
            yield f"{MARK}{named}: {self._texts['no_data']}"
            return
        is_whole = coverage.time.part >= coverage.time.whole
        bounds = ""
        worst, best = coverage.worst, coverage.best
        if worst is not None and best is not None and worst.whole and best.whole and not is_whole:
            bounds = f", {self._texts['attainment_bounds']} {_percent(worst)}..{_percent(best)}"
        minutes = Ratio(coverage.time.part // _MINUTE_MS, coverage.time.whole // _MINUTE_MS)
        yield f"{'' if is_whole else MARK}{named}: {_percent(minutes, self._texts['minutes'])}{bounds}"

    def waiting(self) -> Iterator[str]:
        """Who waits at the change of shifts."""
        for tile in self.facts.tiles:
            if tile.live is None:
                yield f"{tile.name}: {self._texts['waiting']} {self._texts['no_data']}"
            elif tile.live.waiting or tile.live.open:
                mark = MARK if tile.live.overdue else ""
                yield (
                    f"{mark}{tile.name}: {self._texts['waiting']} {tile.live.waiting}, "
                    f"{self._texts['overdue']} {tile.live.overdue}, {self._texts['open']} {tile.live.open}"
                )

    def _site(self, site: SiteTile) -> Iterator[str]:
        yield self._seats(site)
        for lines, none_known in ((site.lines, "duty_lines"), (site.phone_lines, "duty_phone_lines")):
            if not lines:
                yield f"{self._texts[none_known]}: {self._texts['no_data']}"
            for line in lines:
                is_up = line.word in _LINE_UP
                since = "" if is_up else f" ({self._since(line.since)})"
                yield f"{'' if is_up else MARK}{line.name}: {self._texts.get(line.word, line.state)}{since}"
        yield self._ups(site)
        yield self._self_test(site)
        yield self._clocks(self.facts.clocks.get(site.id))

    def _seats(self, site: SiteTile) -> str:
        named = self._texts["seats_present"]
        count = self.facts.seats_due.get(site.id)
        due = f" ({self.said('duty_seats_due', n=count)})" if count and count != site.seats_expected else ""
        if site.seats_present is None or site.seats_expected is None:
            return f"{named}: {self._texts['no_data']}{due}"
        if not site.seats_expected:
            none_yet = f" ({self._texts['duty_none_expected']})"
            return f"{named}: {site.seats_present}{due or none_yet}"
        mark = MARK if site.seats_present < site.seats_expected else ""
        return f"{mark}{named}: {site.seats_present}/{site.seats_expected}{due}"

    def _ups(self, site: SiteTile) -> str:
        if site.power is None:
            return f"UPS: {self._texts['no_data']}"
        parts = [self._texts[_POWER_WORDS.get(site.power, f"power_{site.power}")]]
        if site.comms not in {None, "ok"}:
            parts.append(self._texts[f"comms_{site.comms}"])
        charge = self._texts["no_data"] if site.charge_percent is None else f"{site.charge_percent} %"
        parts.append(f"{self._texts['duty_charge']} {charge}")
        if site.runtime_ms is not None:
            estimate = f" ({self._texts['estimated']})" if site.runtime_is_estimate else ""
            parts.append(self.said("duty_runtime", n=site.runtime_ms // _MINUTE_MS) + estimate)
        is_well = site.power == "mains" and site.comms == "ok"
        return f"{'' if is_well else MARK}UPS: {', '.join(parts)}"

    def _self_test(self, site: SiteTile) -> str:
        named = self._texts["duty_self_test"]
        if site.self_test is None:
            return f"{named}: {self._texts['duty_not_told']}"
        mark = MARK if site.self_test in _TEST_TO_LOOK_AT else ""
        date = f" ({site.self_test_date})" if site.self_test_date else ""
        return f"{mark}{named}: {self._texts[f'self_test_{site.self_test}']}, {site.self_test_ups}{date}"

    def _clocks(self, clocks: Clocks | None) -> str:
        named = self._texts["duty_clocks"]
        if clocks is None or not clocks.told:
            return f"{named}: {self._texts['no_data']}"
        if not clocks.off:
            return f"{named}: {self.said('duty_clocks_well', n=clocks.told)}"
        off = self.said("duty_clocks_off", n=clocks.off, told=clocks.told, worst=_seconds(clocks.worst_ms))
        return f"{MARK}{named}: {off}"

    def _tile(self, tile: Tile, *, name: str = "") -> str:
        day = tile.day
        name = name or tile.name
        if not day.offered:
            return f"{name}: {self._texts['no_data']}"
        average = self._average(day.average_response, tile)
        mark = MARK if _misses_target(tile, self._few) else ""
        counts = f"{self._texts['offered']} {day.offered:,}"
        return f"{mark}{name}: {counts}, {self._texts['attainment']} {self._ratio(day.attainment)}, {average}"

    def _ratio(self, ratio: Ratio) -> str:
        if not ratio.whole:
            return self._texts["no_data"]
        few = f" {self._texts['few']}" if ratio.whole < self._few else ""
        return f"{_percent(ratio)}{few}"

    def _average(self, mean: Mean, tile: Tile) -> str:
        named = self._texts["average_response"]
        if not mean.count:
            return f"{named} {self._texts['no_data']}"
        scale = [_seconds(limit) for limit in (tile.average_good_ms, tile.average_limit_ms) if limit is not None]
        beside = f" / {' / '.join(scale)}" if scale else ""
        return f"{named} {_seconds(mean.total_ms // mean.count)}{beside} {self._texts['seconds']}"

    def _judged(self) -> int:
        return sum(tile.day.attainment.whole for tile in self.facts.tiles)

    def _named(self, said: IncidentSaid) -> str:
        where = self._site_name(said.site) if said.site else ""
        return " ".join(part for part in (where, what_word(self._texts, said.what), said.about) if part)

    def _site_name(self, site: str) -> str:
        return self._reader.site_names.get(site, "") or site

    def _since(self, at: int) -> str:
        far = self._local(self.facts.at).date() != self._local(at).date()
        return self._texts["notify_since"].format(at=self.day_and_time(at) if far else f"{self._local(at):%H:%M}")

    def _local(self, at: int) -> datetime:
        return (_EPOCH + at * _MS).astimezone(self._reader.zone)


def _pre_opening(tell: _Teller) -> Iterator[str]:
    yield from tell.opening()
    yield from tell.sites()
    yield from tell.feeds()
    yield from tell.incidents()


def _daily(tell: _Teller) -> Iterator[str]:
    yield from tell.figures()
    yield from tell.causes()
    yield from tell.completeness()
    yield from tell.incidents()


def _handover(tell: _Teller) -> Iterator[str]:
    yield from tell.waiting()
    yield from tell.figures()
    yield from tell.incidents()
    yield from tell.feeds()


_LINES: Final[Mapping[DutyKind, Callable[[_Teller], Iterator[str]]]] = {
    DutyKind.PRE_OPENING: _pre_opening,
    DutyKind.DAILY: _daily,
    DutyKind.HANDOVER: _handover,
}


def _misses_target(tile: Tile, few: int) -> bool:
    """Whether the day's attainment is below its target, or its average above its limit, and not by a handful."""
    ratio, target = tile.day.attainment, tile.attainment_target
    mean, limit_ms = tile.day.average_response, tile.average_limit_ms
    is_short = target is not None and ratio.whole >= few and ratio.part * target.whole < target.part * ratio.whole
    return is_short or (limit_ms is not None and mean.count >= few and mean.total_ms > limit_ms * mean.count)


def _percent(ratio: Ratio, unit: str = "") -> str:
    """With its counts, of `unit`; rounded down, so that 100 % is all of them."""
    # Layout: one decimal place.
    whole, tenths = divmod(ratio.part * _FULL * 10 // ratio.whole, 10)
    return f"{whole}.{tenths} % ({ratio.part:,}/{ratio.whole:,}{unit and f' {unit}'})"


def _seconds(ms: int) -> str:
    sign, whole = ("-", -ms) if ms < 0 else ("", ms)
    return f"{sign}{whole // 1_000}.{whole % 1_000 // 100}"


def _one_line(text: str) -> str:
    """Whatever a name holds."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
