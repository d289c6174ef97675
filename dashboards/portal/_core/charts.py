"""Pictures of a client's service as SVG: colour and pattern, never colour alone; every mark tells its counts.

Lengths are in units of the viewBox; a page scales the whole. Words come from the glossary.

Layout: all numbers are places, sizes and labels of drawings.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from dashboards.portal._core.svg import (
    LABEL,
    LEFT,
    TOP,
    Paper,
    Words,
    circle,
    line,
    link,
    rect,
    stride,
    svg,
    text,
)
from dashboards.portal.record import Arrivals, CauseCount, Day, Histogram, Staffing, YearDay
from dashboards.portal.which import STEPS_PER_DAY
from wire.board import Ratio

_PER_DAY: Final = 24
_DAYS_PER_MONTH: Final = 31
_HUNDRED: Final = 100
_SHADES: Final = 5
_GRID: Final = (0, 1, 2, 3, 4)
_MS_PER_S: Final = 1_000
_LABELLED: Final = 5
"""Every so many seconds of the histogram are labelled."""
_ROW: Final = 16
"""Height of a line of words."""


class Ways(NamedTuple):
    """Where marks lead: to the sessions that one counts (said as in dashboards.portal.which), to an incident's page.

    few_judged: fewer than so many say little about a rate; a mark of them is hollow.
    """

    sessions: Callable[..., str]
    incident: Callable[[str], str]
    few_judged: int


def histogram(shown: Histogram, words: Words, ways: Ways, paper: Paper) -> str:
    """First responses by the second: in time solid, late hatched, with each limit in force as a line.

    One that the picture does not reach stands at its end, in words.
    """
    bins = shown.bins
    tall, step = 184, paper.plot // len(bins)
    base = TOP + _ROW * len(shown.limits) + tall
    most = max(1, *(each.met + each.missed + each.unjudged for each in bins))
    marks = [*_scale(most, base, base - tall, paper)]
    for number, each in enumerate(bins):
        x, y = LEFT + number * step, base
        name = f"{number}-{number + 1} s" if number < len(bins) - 1 else f"> {number} s"
        said = f"{name}: {words['met']} {each.met}, {words['breached']} {each.missed}"
        if each.unjudged:
            said += f", {words['excluded']} {each.unjudged}"
        kinds = (
            (each.met, "met", "met"),
            (each.missed, "missed", "breached"),
            (each.unjudged, "unjudged", "excluded"),
        )
        for count, kind, verdict in kinds:
            high = _scaled(count, most, tall)
            y -= high
            if high:
                mark = rect(x + 1, y, step - 2, high, kind, said)
                marks.append(link(ways.sessions(verdict=verdict, second=number), said, mark))
        if number % _LABELLED == 0 or number == len(bins) - 1:
            marks.append(text(x, base + 18, f"> {number}" if number == len(bins) - 1 else str(number), "axis"))
    for row, limited in enumerate(shown.limits):
        x, y = min(paper.right, LEFT + limited.limit_ms * step // _MS_PER_S), TOP + row * _ROW
        if limited.limit_ms < len(bins) * _MS_PER_S:
            marks.append(line(x, y, x, base, "edge"))
        limit = f"{words['portal_limit']} {_seconds(limited.limit_ms)} s"
        told = limit if len(shown.limits) == 1 else f"{limit}: {limited.sessions:,}"
        is_right = x > LEFT + 2 * paper.plot // 3
        marks.append(text(x - 6 if is_right else x + 6, y + 12, told, "edge-word end" if is_right else "edge-word"))
    marks.append(text(paper.right, base + 34, words["portal_seconds_axis"], "axis end"))
    unreplied = f"{words['portal_no_reply']} {shown.no_reply}"
    mark = text(paper.right, 16, unreplied, "axis end")
    marks.append(link(ways.sessions(verdict="breached", unreplied=1), unreplied, mark) if shown.no_reply else mark)
    return svg(base + 40, words["picture_histogram"], marks, right=paper.wide)


def days(shown: Sequence[Day], words: Words, ways: Ways, paper: Paper) -> str:
    """Attainment by business day over a strip of completeness, with a lane of incidents."""
    height, base = 270, 190
    places = [LEFT + paper.plot * number // max(1, len(shown)) for number in range(len(shown) + 1)]
    every = stride(paper.plot // max(1, len(shown)))
    rates = [_percent(each.attainment) for each in shown if each.attainment.whole]
    low = min(90, *(rate // 10 * 10 for rate in rates)) if rates else 90
    marks = []
    for percent in range(low, _HUNDRED + 1, 2 if low >= 90 else 10):
        y = _rate_y(percent * _HUNDRED, low, base)
        marks += [line(LEFT, y, paper.right, y, "grid"), text(LEFT - 6, y + 4, f"{percent} %", "axis end")]
    before: tuple[int, int] | None = None
    for number, each in enumerate(shown):
        starts, ends = places[number : number + 2]
        x = (starts + ends) // 2
        rate = each.attainment
        here = None
        if rate.whole:
            y = _rate_y(rate.part * _HUNDRED * _HUNDRED // rate.whole, low, base)
            if before is not None:
                marks.append(line(*before, x, y, "trend"))
            here = x, y
            kind = "dot few" if rate.whole < ways.few_judged else "dot"
            few = f" ({words['few']})" if rate.whole < ways.few_judged else ""
            said = f"{each.name}: {rate_text(rate)}{few}"
            way = ways.sessions(from_=each.name, to_=each.name, figure="attainment")
            marks.append(link(way, said, circle(x, y, kind, said)))
        before = here
        marks += _strips(each, starts, ends - starts, base, words, ways)
        if (len(shown) - 1 - number) % every == 0:
            marks.append(text(x, base + 68, each.name[5:], "axis middle"))
    marks.append(text(LEFT - 6, base + 22, words["portal_lane_incidents"], "axis end small"))
    marks.append(text(LEFT - 6, base + 44, words["portal_lane_complete"], "axis end small"))
    return svg(height, words["picture_days"], marks, right=paper.wide)


def causes(shown: Sequence[CauseCount] | None, words: Words, ways: Ways, paper: Paper) -> str:
    """Misses by cause, the most first; hatched where they were met but for it, solid where nothing known explains."""
    if not shown:
        nothing = words["no_data" if shown is None else "portal_no_miss"]
        return svg(TOP + 20, words["picture_causes"], [text(LEFT, TOP, nothing, "axis")], right=paper.wide)
    above, x, wide = (_ROW, 0, paper.right - LABEL) if paper.is_narrow else (0, LEFT + 150, paper.plot // 2)
    tall, name_x, kind_of_name = 30 + above, max(0, x - 10), "" if paper.is_narrow else "end"
    most = max(each.count for each in shown)
    marks = []
    for number, each in enumerate(shown):
        y, name = TOP + number * tall, words[f"cause_{each.cause}"]
        kind = "missed" if each.but_for else "unexplained"
        long = _scaled(each.count, most, wide)
        said = f"{name}: {each.count}"
        mark = text(name_x, y + 18 - above // 2, name, kind_of_name) + rect(x, y + 4 + above, long, 20, kind, said)
        mark += text(x + long + 8, y + 18 + above, f"{each.count:,}", "axis")
        marks.append(link(ways.sessions(verdict="breached", cause=each.cause), said, mark))
    return svg(TOP + len(shown) * tall + 8, words["picture_causes"], marks, right=paper.wide)


def heat(shown: Sequence[Sequence[Ratio]], words: Words, ways: Ways, paper: Paper) -> str:
    """Weekday x hour: how large a share was missed, darker is more; the number in a cell is its percent missed.

    From the first hour of any day that has data to the last; on a phone the hours run downwards.
    """
    told = [hour for hour in range(_PER_DAY) if any(row[hour].whole for row in shown)] or [0, _PER_DAY - 1]
    hours, tall = range(told[0], told[-1] + 1), 30
    across, down = (len(shown), len(hours)) if paper.is_narrow else (max(len(hours), _PER_DAY // 2), len(shown))
    cell = paper.plot // across
    marks = []

    def corner(weekday: int, hour: int) -> tuple[int, int]:
        column, row = (weekday, hour - hours.start) if paper.is_narrow else (hour - hours.start, weekday)
        return LEFT + column * cell, TOP + row * tall

    for weekday, row in enumerate(shown):
        name = words[f"portal_weekday_{weekday}"]
        marks.append(_beside(corner(weekday, hours.start), name, cell, above=paper.is_narrow))
        for hour in hours:
            rate = row[hour]
            x, y = corner(weekday, hour)
            said = f"{name} {hour:02}:00: {rate_text(rate)}"
            if not rate.whole:
                marks.append(rect(x, y, cell - 2, tall - 2, "none", f"{name} {hour:02}:00: {words['no_data']}"))
                continue
            missed = _HUNDRED - _percent(rate)
            few = " few" if rate.whole < ways.few_judged else ""
            over = "few" if few else _shade(missed)
            mark = rect(x, y, cell - 2, tall - 2, f"shade-{_shade(missed)}{few}", said)
            mark += text(x + cell // 2 - 1, y + 19, str(missed), f"cell on-{over}")
            marks.append(link(ways.sessions(weekday=weekday, hour=hour, figure="attainment"), said, mark))
    marks.extend(_beside(corner(0, hour), f"{hour:02}", cell, above=not paper.is_narrow) for hour in hours[::2])
    return svg(TOP + down * tall + 8, words["picture_heat"], marks, right=paper.wide)


def _beside(corner: tuple[int, int], name: str, cell: int, *, above: bool) -> str:
    """The name of a column above its first cell, or of a row before it."""
    x, y = corner
    return text(x + cell // 2, y - 8, name, "axis middle") if above else text(x - 6, y + 20, name, "axis end")


def year(shown: Sequence[YearDay], words: Words, ways: Ways, paper: Paper) -> str:
    """Month x day: how large a share was missed, as in the heat map; on a phone the days run downwards.

    A bar above it tells of incidents, one below it that the record is not complete.
    """
    months = sorted({each.name[:7] for each in shown})
    across, tall = (len(months), 24) if paper.is_narrow else (_DAYS_PER_MONTH, 32)
    cell = paper.plot // max(1, across)
    marks = []
    for each in shown:
        month, number = months.index(each.name[:7]), int(each.name[8:]) - 1
        column, row = (month, number) if paper.is_narrow else (number, month)
        x, y, wide = LEFT + column * cell, TOP + row * tall, cell - 2
        rate = each.attainment
        said = f"{each.name}: {rate_text(rate) if rate.whole else words['no_data']}"
        few = " few" if rate.whole < ways.few_judged else ""
        missed = _HUNDRED - _percent(rate) if rate.whole else 0
        mark = rect(x, y, wide, tall - 2, f"shade-{_shade(missed)}{few}" if rate.whole else "none", said)
        if rate.whole:
            over = "few" if few else _shade(missed)
            mark += text(x + cell // 2 - 1, y + tall // 2 + 4, str(missed), f"cell on-{over}")
            mark = link(ways.sessions(from_=each.name, to_=each.name, figure="attainment"), said, mark)
        marks.append(mark)
        if each.incidents:
            marks.append(
                rect(x, y, wide, 4, "incident", f"{each.name}: {words['portal_lane_incidents']} {each.incidents}")
            )
        if each.covered.part < each.covered.whole:
            said = f"{each.name}: {words['coverage']} {_share(each.covered)}"
            marks.append(rect(x, y + tall - 5, wide, 3, "incomplete", said))
    for number, name in enumerate(months):
        corner = (LEFT + number * cell, TOP) if paper.is_narrow else (LEFT, TOP + number * tall)
        marks.append(_beside(corner, name[5:] if paper.is_narrow else name, cell, above=paper.is_narrow))
    for number in range(0, _DAYS_PER_MONTH, 2):
        corner = (LEFT, TOP + number * tall) if paper.is_narrow else (LEFT + number * cell, TOP)
        marks.append(_beside(corner, str(number + 1), cell, above=not paper.is_narrow))
    down = _DAYS_PER_MONTH if paper.is_narrow else len(months)
    return svg(TOP + down * tall + 8, words["picture_year"], marks, right=paper.wide)


def arrivals(shown: Arrivals, words: Words, ways: Ways, paper: Paper) -> str:
    """Arrivals by five minutes, last week's same day as a line, and a strip of what share was missed by 15 minutes."""
    height, base = 270, 200
    most = max(1, *shown.counts, *(shown.week_before or ()))
    marks = [*_scale(most, base, TOP + 10, paper)]
    for number, count in enumerate(shown.counts):
        tall = _scaled(count, most, base - TOP - 10)
        if tall:
            x = _step_x(number, paper)
            said = f"{_clock(shown.starts_minute + 5 * number)}: {count}"
            mark = rect(x, base - tall, max(1, _step_x(number + 1, paper) - x - 1), tall, "offered", said)
            marks.append(link(ways.sessions(from_=shown.day, to_=shown.day, step=number), said, mark))
    if shown.week_before is not None:
        points = " ".join(
            f"{_step_x(number, paper)},{base - _scaled(count, most, base - TOP - 10)}"
            for number, count in enumerate(shown.week_before)
        )
        marks.append(f'<polyline class="ghost" points="{points}"/>')
        marks.append(text(paper.right, TOP, words["portal_week_before"], "ghost-word end"))
    for number, rate in enumerate(shown.attainment):
        x = _step_x(number * 3, paper)
        at = _clock(shown.starts_minute + 15 * number)
        kind = f"shade-{_shade(_HUNDRED - _percent(rate))}" if rate.whole else "none"
        said = f"{at}: {rate_text(rate) if rate.whole else words['no_data']}"
        mark = rect(x, base + 6, _step_x(number * 3 + 3, paper) - x - 1, 16, kind, said)
        part = {"step": number * 3, "steps": 3, "figure": "attainment"}
        way = ways.sessions(from_=shown.day, to_=shown.day, **part)
        marks.append(link(way, said, mark) if rate.whole else mark)
    for hour in range(0, _PER_DAY + 1, 6 if paper.is_narrow else 2):
        x = _step_x(hour * 12, paper)
        marks.append(text(x, base + 40, _clock(shown.starts_minute + 60 * hour), "axis middle"))
    return svg(height - 20, words["picture_arrivals"], marks, right=paper.wide)


def staffing(shown: Sequence[Staffing], words: Words, _: Ways, paper: Paper) -> str:
    """People there as bars, seats paid for as a step; a bar under the step is hatched. It counts no sessions."""
    height, base = 240, 190
    step = max(1, paper.plot // max(1, len(shown)))
    told = [value for each in shown for value in (each.staffed, each.contracted) if value is not None]
    if not told:
        nothing = [text(LEFT, TOP, words["no_data"], "axis")]
        return svg(TOP + 20, words["picture_staffing"], nothing, right=paper.wide)
    most = -(-max(_HUNDRED, *told) // _HUNDRED) * _HUNDRED
    marks = [*_scale(most // _HUNDRED, base, TOP + 10, paper)]
    for number, each in enumerate(shown):
        x = LEFT + number * step
        said = (
            f"{each.name}: {words['staffed_seats']} {_seats(each.staffed, words)}, "
            f"{words['contracted_seats']} {_seats(each.contracted, words)}"
        )
        if each.staffed is None:
            marks.append(rect(x + 1, base - 8, max(1, step - 2), 8, "none", said))
        else:
            tall = _scaled(each.staffed, most, base - TOP - 10)
            is_short = each.contracted is not None and each.staffed < each.contracted
            marks.append(rect(x + 1, base - tall, max(1, step - 2), tall, "missed" if is_short else "offered", said))
        if each.contracted is not None:
            y = base - _scaled(each.contracted, most, base - TOP - 10)
            marks.append(line(x, y, x + step, y, "paid"))
        if number % stride(step) == 0:
            # an hour is called 2026-11-02 09:00+08:00, a day 2026-11-02
            label = each.name[11:16] or each.name[5:]
            marks.append(text(x + step // 2, base + 18, label, "axis middle"))
    return svg(height, words["picture_staffing"], marks, right=paper.wide)


def rate_text(rate: Ratio) -> str:
    """A share with its counts, as `seatwatch report` prints it."""
    if not rate.whole:
        return "-"
    hundredths = (2 * _HUNDRED * _HUNDRED * rate.part + rate.whole) // (2 * rate.whole)
    return f"{hundredths // _HUNDRED}.{hundredths % _HUNDRED:02} % ({rate.part}/{rate.whole})"


def _strips(each: Day, x: int, step: int, base: int, words: Words, ways: Ways) -> Iterable[str]:
    """The incident lane and the completeness strip under one day."""
    wide = max(1, step - 2)
    yield rect(x + 1, base + 12, wide, 12, "lane", f"{each.name}: {words['portal_no_incident']}")
    for lane in each.incidents:
        start = x + 1 + wide * lane.start // 1_000
        mark = rect(start, base + 12, max(2, wide * (lane.end - lane.start) // 1_000), 12, "incident", lane.said)
        yield link(ways.incident(lane.incident), lane.said, mark)
    covered = each.covered
    if not covered.whole:
        yield rect(x + 1, base + 34, wide, 12, "none", f"{each.name}: {words['no_data']}")
        return
    kind = "complete" if covered.part == covered.whole else "incomplete"
    yield rect(x + 1, base + 34, wide, 12, kind, f"{each.name}: {words['coverage']} {_share(covered)}")


def _share(rate: Ratio) -> str:
    return rate_text(rate).partition(" (")[0]


def _seats(hundredths: int | None, words: Words) -> str:
    return words["no_data"] if hundredths is None else f"{hundredths // _HUNDRED}.{hundredths % _HUNDRED:02}"


def _scale(most: int, base: int, top: int, paper: Paper) -> Iterable[str]:
    """Lines and numbers of a scale of counts from 0 on."""
    last = None
    for quarter in _GRID:
        value = most * quarter // 4
        if value != last:
            y = base - _scaled(value, most, base - top)
            yield line(LEFT, y, paper.right, y, "grid")
            yield text(LEFT - 6, y + 4, f"{value:,}", "axis end")
        last = value


def _scaled(count: int, most: int, tall: int) -> int:
    """Length of a bar; what is there at all is seen."""
    return max(1, count * tall // most) if count else 0


def _rate_y(hundredths: int, low: int, base: int) -> int:
    return base - (hundredths - low * _HUNDRED) * (base - TOP) // ((_HUNDRED - low) * _HUNDRED)


def _percent(rate: Ratio) -> int:
    """Whole percent, down: 99.9 % is not 100."""
    return rate.part * _HUNDRED // rate.whole


def _shade(missed: int) -> int:
    """0 = none missed, then by 5 % steps."""
    return 0 if missed == 0 else min(_SHADES, 1 + (missed - 1) // _LABELLED)


def _step_x(number: int, paper: Paper) -> int:
    return LEFT + paper.plot * number // STEPS_PER_DAY


def _clock(minute: int) -> str:
    return f"{minute // 60 % _PER_DAY:02}:{minute % 60:02}"


def _seconds(ms: int) -> str:
    whole, rest = divmod(ms, _MS_PER_S)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".") if rest else str(whole)
