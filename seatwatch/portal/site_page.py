"""One site's past, in words and shapes for a page: lanes, what was not as it should be, batteries as they ran down."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from dashboards.portal.site_record import (
    DischargePicture,
    IncidentPage,
    LanePicture,
    Look,
    Mark,
    Range,
    SitePage,
    Stretch,
)
from seatwatch.csv_text import Cell, csv_text
from seatwatch.instants import local_time
from seatwatch.portal.site_spells import events, spells
from seatwatch.printed.incident_words import IncidentTeller
from sla_engine._core.site_lanes import Charge, Discharge
from sla_engine._core.site_seats import SeatStep
from sla_engine._core.windows import DAY_MS, MINUTE_MS
from sla_engine.reports._core.buckets import DAYS_PER_WEEK
from sla_engine.site_history import HEARD, SILENT, TOLD_LATER, Lane, SiteHistory
from wire.incident import IncidentSaid

FIELDS: Final = ("lane", "since_ms", "since_local", "until_ms", "until_local", "state", "percent")
LOOKS: Final = {
    "ups": {
        "mains": (Look.GOOD, "mains"),
        "battery": (Look.BAD, "on_battery"),
        "critical": (Look.BAD, "power_critical"),
        "mains_discharging": (Look.WARN, "power_mains_discharging"),
        "bypass": (Look.WARN, "power_bypass"),
        "load_off": (Look.BAD, "power_load_off"),
        "off": (Look.BAD, "power_off"),
    },
    "line": {
        "up": (Look.GOOD, "line_up"),
        "degraded": (Look.WARN, "line_degraded"),
        "down": (Look.BAD, "line_down"),
        "disabled": (Look.OFF, "line_disabled"),
    },
    "phone_line": {
        "reachable": (Look.GOOD, "trunk_reachable"),
        "lagged": (Look.WARN, "trunk_lagged"),
        "unavailable": (Look.BAD, "trunk_unavailable"),
        "unreachable": (Look.BAD, "trunk_unreachable"),
    },
    "probe": {
        HEARD: (Look.GOOD, "portal_heard"),
        TOLD_LATER: (Look.WARN, "portal_told_later"),
        SILENT: (Look.BAD, "silent"),
    },
    "feed": {HEARD: (Look.GOOD, "portal_heard"), SILENT: (Look.BAD, "silent")},
}
_WORDED: Final = {
    "ups": "mains",
    "line": "portal_lane_line",
    "phone_line": "portal_lane_trunk",
    "probe": "portal_lane_probe",
    "feed": "portal_lane_feed",
}
_TICKS: Final = {Range.HOUR: 10 * MINUTE_MS, Range.DAY: 180 * MINUTE_MS, Range.WEEK: DAY_MS}  # Layout: of pictures.
_POINTS: Final = 400
"""Of a level: fewer than a picture has columns."""
_DISCHARGES: Final = 6  # Layout: of pictures.
_TICKS_OF_DISCHARGE: Final = 5
_WHOLE: Final = 100
_MISSING: Final = frozenset({Look.WARN, Look.BAD})


class Shown(NamedTuple):
    """Everything a page is made of. incidents: by their start."""

    site: str
    name: str
    sites: tuple[tuple[str, str], ...]
    range: Range
    since: int
    until: int
    is_now: bool
    long_ms: int
    now: int
    history: SiteHistory
    incidents: list[IncidentSaid]
    tell: IncidentTeller
    zone: ZoneInfo
    holds_ms: int


def site_page(shown: Shown, rows_max: int) -> SitePage:
    """The page. rows_max: how much of what was wrong is listed one by one."""
    lanes = tuple(_lanes(shown))
    tell, zone = shown.tell, shown.zone
    incidents = tuple(_mark(said, shown) for said in shown.incidents)
    found = spells(lanes, tell, rows_max)
    span = f"{tell.at(shown.since)[:-7]} .. {tell.at(shown.until)[:-7]}"
    return SitePage(
        site=shown.site,
        name=shown.name,
        sites=shown.sites,
        range=shown.range,
        since=shown.since,
        until=shown.until,
        ends="" if shown.is_now else _named(shown.until, zone),
        until_local=_named(shown.until, zone),
        earlier=_named(shown.since, zone),
        later="" if shown.is_now else _later(shown),
        head=(tell.word("portal_site_head").format(span=span, zone=zone.key), *_self_tests(shown)),
        axis=tuple(_axis(shown.since, shown.until, _TICKS[shown.range], shown.range, zone)),
        lanes=lanes,
        incidents=incidents,
        events=events(incidents),
        discharges=tuple(_discharges(shown)),
        spells=found,
        spells_found=sum(each.times for each in found),
        spells_listed=sum(len(each.every) for each in found),
        board_at=_iso(shown.until),
    )


def _self_tests(shown: Shown) -> Iterator[str]:
    """How the last self-test of each UPS went, as it said last; nothing of a UPS that tells of none."""
    tell = shown.tell
    for ups, told in sorted(shown.history.self_tests.items()):
        date = f" ({told.date})" if told.date else ""
        yield f"{tell.word('duty_self_test')} {ups}: {tell.word(f'self_test_{told.result}')}{date}"


def site_file(shown: Shown, form: str) -> bytes:
    """Every stretch and every measured level, instants in ms and by the page's clock."""
    rows: list[list[Cell]] = []
    for lane in _lanes(shown):
        for each in lane.stretches:
            # Format: ISO 8601 to the second.
            since, until = (local_time(at, shown.zone)[:19] for at in (each.since, each.until))
            rows.append([lane.title, each.since, since, each.until, until, each.word, None])
        # Format: ISO 8601 to the second.
        rows += [[lane.title, at, local_time(at, shown.zone)[:19], None, None, None, each] for at, each in lane.level]
    if form == "json":
        return msgspec.json.encode([dict(zip(FIELDS, row, strict=True)) for row in rows])
    return csv_text([list(FIELDS), *rows]).encode()


def incident_page(
    said: IncidentSaid,
    rows: Sequence[tuple[int, int, str]],
    tell: IncidentTeller,
    zone: ZoneInfo,
    *,
    has_entries: bool,
    is_long: bool,
) -> IncidentPage:
    """One incident. has_entries: the numbers of entries of the operator's ledger may be seen."""
    lasted = tell.lasted(said) or tell.word("incident_lasts")
    about = (
        f"{tell.word('cause')}: {tell.word(f'cause_{said.cause}')}",
        f"{tell.at(said.started_at)} .. {'' if said.ended_at is None else tell.at(said.ended_at)}  {lasted}".rstrip(),
    )
    cells = tuple((tell.at(at), f"#{index}", text) if has_entries else (tell.at(at), text) for at, index, text in rows)
    return IncidentPage(
        incident=said.incident,
        title=tell.headline(said),
        site=said.site,
        until=_named(said.started_at + DAY_MS // 2, zone),
        board_at=_iso(said.started_at),
        days=_days(said, zone),
        lines=about,
        rows=cells,
        note=tell.word("portal_evidence_long") if is_long else "",
    )


def _days(said: IncidentSaid, zone: ZoneInfo) -> tuple[str, str]:
    """The night before it belongs to the day before; of one that lasts for weeks, the first."""
    longest = said.started_at + DAYS_PER_WEEK * DAY_MS
    until = longest if said.ended_at is None else min(said.ended_at, longest)
    first, last = (local_time(at, zone).partition(" ")[0] for at in (said.started_at - DAY_MS, until))
    return first, last


def _lanes(shown: Shown) -> Iterator[LanePicture]:
    kinds = ("ups", "line", "phone_line")
    told = {lane.of for lane in shown.history.lanes}
    missing = [Lane(of, "", "", []) for of in kinds[:2] if of not in told]  # Format: the two of a probe come first.
    order = [*kinds, "probe", "feed"]
    seats = [_seats(shown)] if shown.history.seats else []
    for lane in sorted([*shown.history.lanes, *missing], key=lambda each: order.index(each.of)):
        if lane.of == "probe":
            yield from seats
            seats = []
        yield _lane(lane, shown)
        if lane.of == "ups" and lane.name:
            yield _battery(lane, shown)
    yield from seats


def _lane(lane: Lane, shown: Shown) -> LanePicture:
    word = shown.tell.word(_WORDED[lane.of])
    name = lane.name.removeprefix(f"{shown.site}/")
    title = " ".join(dict.fromkeys(part for part in (lane.carrier or word, name) if part))
    found = []
    for span in lane.spans:
        look, key = LOOKS[lane.of].get(span.state, (Look.NONE, span.state or "no_data"))
        found.append(_stretch(shown, title, max(span.since, shown.since), span.until, look, shown.tell.word(key)))
    if not found:
        found = [_stretch(shown, title, shown.since, shown.until, Look.NONE, shown.tell.word("no_data"))]
    return LanePicture(title, tuple(found))


def _stretch(shown: Shown, title: str, since: int, until: int, look: Look, word: str) -> Stretch:
    tell = shown.tell
    return Stretch(since, until, look, word, f"{title}: {word}  {tell.at(since)[:-4]} .. {tell.at(until)[:-4]}")


def _battery(lane: Lane, shown: Shown) -> LanePicture:
    """The charge as a line; where none was told, no data."""
    tell, holds_ms = shown.tell, shown.holds_ms
    title = f"{tell.word('portal_lane_battery')} {lane.name}"
    charges = [each for each in shown.history.charges.get(lane.name, []) if shown.since <= each.at < shown.until]
    level: list[tuple[int, int | None]] = []
    found: list[Stretch] = []
    at = shown.since
    for each in charges:
        if each.at - at > holds_ms:
            level.append((at, None))
            found.append(_stretch(shown, title, at, each.at, Look.NONE, tell.word("no_data")))
        level.append((each.at, each.percent))
        at = each.at
    if shown.until - at > holds_ms:
        found.append(_stretch(shown, title, at, shown.until, Look.NONE, tell.word("no_data")))
    plain = _stretch(shown, title, shown.since, shown.until, Look.PLAIN, tell.word("portal_lane_battery"))
    return LanePicture(title, (plain, *found), tuple(_thinned(level)) or ((shown.since, None),))


def _thinned(level: Sequence[tuple[int, int | None]]) -> Iterator[tuple[int, int | None]]:
    """The lowest of every few, so that no dip is lost, and every break."""
    together = -(-len(level) // _POINTS)
    held: list[tuple[int, int]] = []
    for at, percent in level:
        if percent is not None:
            held.append((at, percent))
        if held and (percent is None or len(held) >= together):
            yield min(held, key=lambda point: point[1])
            held = []
        if percent is None:
            yield at, None
    if held:
        yield min(held, key=lambda point: point[1])


def _seats(shown: Shown) -> LanePicture:
    """How many of those to be there were there. While some are missing it is one stretch, with its worst moment."""
    tell = shown.tell
    title = f"{tell.word('seats_present')} %"
    runs: list[list[SeatStep]] = []
    for step in shown.history.seats:
        look, word = _seat_look(step, tell)
        last = _seat_look(runs[-1][-1], tell) if runs else None
        if last is not None and last[0] is look and (look in _MISSING or last[1] == word):
            runs[-1].append(step)
        else:
            runs.append([step])
    found = []
    for run in runs:
        worst = min(run, key=lambda step: _percent(step) or 0)
        look, word = _seat_look(worst, tell)
        if len({(step.present, step.expected) for step in run}) > 1:
            word = tell.word("portal_at_worst").format(said=word)
        found.append(_stretch(shown, title, run[0].since, run[-1].until, look, word))
    level = [(at, _percent(step)) for step in shown.history.seats for at in (step.since, step.until)]
    return LanePicture(title, tuple(found), tuple(level))


def _percent(step: SeatStep) -> int | None:
    if step.present is None or not step.expected:
        return None
    return min(_WHOLE, _WHOLE * step.present // step.expected)


def _seat_look(step: SeatStep, tell: IncidentTeller) -> tuple[Look, str]:
    if step.present is None or step.expected is None:
        return Look.NONE, tell.word("no_data")
    if not step.expected:
        return Look.OFF, tell.word("portal_nobody_expected")
    word = f"{step.present} / {step.expected}"
    if step.present >= step.expected:
        return Look.GOOD, word
    return (Look.WARN if step.present else Look.BAD), word


def _mark(said: IncidentSaid, shown: Shown) -> Mark:
    tell = shown.tell
    until = shown.until if said.ended_at is None else min(said.ended_at, shown.until)
    lasted = tell.lasted(said) or tell.word("incident_lasts")
    return Mark(
        said.incident,
        max(said.started_at, shown.since),
        until,
        tell.headline(said),
        f"{tell.at(said.started_at)[:-4]} \u00b7 {tell.headline(said)} \u00b7 {lasted}",
        lasted,
        said.is_planned,
        _iso(said.started_at),
    )


def _discharges(shown: Shown) -> Iterator[DischargePicture]:
    """The latest first. Only where a charge was told: without one there is nothing to draw."""
    found = [(each, ups) for ups, told in shown.history.discharges.items() for each in told if each.charges]
    for each, ups in sorted(found, key=lambda pair: -pair[0].since)[:_DISCHARGES]:
        yield _discharge(each, ups, shown)


def _discharge(told: Discharge, ups: str, shown: Shown) -> DischargePicture:
    tell = shown.tell
    last = told.charges[-1]
    since = max(told.since, min(shown.since, told.charges[0].at))
    ends_at = max(last.at, told.until or 0, told.empty_at or 0, since + MINUTE_MS)
    title = f"UPS {ups}: {tell.word('on_battery')} {tell.at(told.since)[:-4]}"
    if told.until is not None:
        ends = tell.at(told.until)[:-4]
        title += f" .. {ends}" if told.is_over else f" \u00b7 {tell.word('portal_unread_since').format(at=ends)}"
    return DischargePicture(
        title,
        since,
        told.until,
        ends_at,
        tuple(
            (at, percent)
            for at, percent in _thinned([(each.at, each.percent) for each in told.charges])
            if percent is not None
        ),
        told.empty_at,
        _projection(told, last, tell),
        tuple(_even_axis(since, ends_at, shown.zone)),
        told.is_over,
    )


def _projection(told: Discharge, last: Charge, tell: IncidentTeller) -> str:
    if told.empty_at is None:
        return tell.word("portal_no_projection")
    key = "portal_projected_by_slope" if told.by_slope else "portal_projected_by_ups"
    return tell.word(key).format(at=tell.at(told.empty_at)[:-4], last=tell.at(last.at)[:-4], percent=last.percent)


def _axis(since: int, until: int, tick_ms: int, of: Range, zone: ZoneInfo) -> Iterator[tuple[int, str]]:
    """Labels at round times of the local clock, as its offset is at the end."""
    offset = datetime.fromtimestamp(until // 1_000, tz=UTC).astimezone(zone).utcoffset()
    offset_ms = 0 if offset is None else int(offset.total_seconds()) * 1_000
    at = -(-(since + offset_ms) // tick_ms) * tick_ms - offset_ms
    while at < until:
        shown = local_time(at, zone)
        yield at, shown[5:10] if of is Range.WEEK else shown[11:16]
        at += tick_ms


def _even_axis(since: int, until: int, zone: ZoneInfo) -> Iterator[tuple[int, str]]:
    for number in range(_TICKS_OF_DISCHARGE):  # Layout: labels that stand closer than a minute tell seconds.
        at = since + (until - since) * number // _TICKS_OF_DISCHARGE
        yield at, local_time(at, zone)[11 : 19 if until - since < 8 * MINUTE_MS else 16]


def _later(shown: Shown) -> str:
    until = shown.until + shown.long_ms
    return "now" if until >= shown.now else _named(until, shown.zone)


def _named(at: int, zone: ZoneInfo) -> str:
    """As a browser's field for date and time has it."""
    return local_time(at, zone)[:16].replace(" ", "T")  # Format: ISO 8601 to the minute.


def _iso(at: int) -> str:
    return f"{local_time(at, ZoneInfo('UTC'))[:-4].replace(' ', 'T')}Z"
