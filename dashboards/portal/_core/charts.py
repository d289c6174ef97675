"""Pictures of a client's service as SVG: colour and pattern, never colour alone; every mark tells its counts.

Lengths are in units of the viewBox; a page scales the whole. Words come from the glossary.

Layout: all numbers are places, sizes and labels of drawings.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from dashboards.portal._core.svg import LEFT, RIGHT, TOP, WIDTH, Words, circle, line, link, rect, svg, text
from dashboards.portal.record import Arrivals, CauseCount, Day, Histogram, Staffing
from dashboards.portal.which import STEPS_PER_DAY
from wire.board import Ratio

_PLOT: Final = WIDTH - LEFT - RIGHT
_PER_DAY: Final = 24
_HUNDRED: Final = 100
_SHADES: Final = 5
_GRID: Final = (0, 1, 2, 3, 4)
_MS_PER_S: Final = 1_000
_LABELLED: Final = 5
"""Every so many seconds of the histogram are labelled."""


class Ways(NamedTuple):
    """Where marks lead: to the sessions that one counts (said as in dashboards.portal.which), to an incident's page.

    few_judged: fewer than so many say little about a rate; a mark of them is hollow.
    """

    sessions: Callable[..., str]
    incident: Callable[[str], str]
    few_judged: int


def histogram(shown: Histogram, words: Words, ways: Ways) -> str:
    """First responses by the second: in time solid, late hatched, with the limit as a line."""
    height, base = 260, 220
    bins = shown.bins
    step = _PLOT // len(bins)
    most = max(1, *(each.met + each.missed + each.unjudged for each in bins))
    marks = [*_scale(most, base, TOP + 10)]
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
            tall = _scaled(count, most, base - TOP - 10)
            y -= tall
            if tall:
                mark = rect(x + 1, y, step - 2, tall, kind, said)
                marks.append(link(ways.sessions(verdict=verdict, second=number), said, mark))
        if number % _LABELLED == 0 or number == len(bins) - 1:
            marks.append(text(x, base + 18, f"> {number}" if number == len(bins) - 1 else str(number), "axis"))
    if shown.edge_ms is not None and shown.edge_ms < (len(bins) - 1) * _MS_PER_S:
        x = LEFT + shown.edge_ms * step // _MS_PER_S
        marks.append(line(x, TOP - 8, x, base, "edge"))
        marks.append(text(x + 6, TOP, f"{words['portal_limit']} {_seconds(shown.edge_ms)} s", "edge-word"))
    marks.append(text(WIDTH - RIGHT, base + 34, words["portal_seconds_axis"], "axis end"))
    unreplied = f"{words['portal_no_reply']} {shown.no_reply}"
    mark = text(WIDTH - RIGHT, TOP, unreplied, "axis end")
    marks.append(link(ways.sessions(verdict="breached", unreplied=1), unreplied, mark) if shown.no_reply else mark)
    return svg(height, words["picture_histogram"], marks)


def days(shown: Sequence[Day], words: Words, ways: Ways) -> str:
    """Attainment by business day over a strip of completeness, with a lane of incidents."""
    height, base = 270, 190
    step = max(1, _PLOT // max(1, len(shown)))
    rates = [_percent(each.attainment) for each in shown if each.attainment.whole]
    low = min(90, *(rate // 10 * 10 for rate in rates)) if rates else 90
    marks = []
    for percent in range(low, _HUNDRED + 1, 2 if low >= 90 else 10):
        y = _rate_y(percent * _HUNDRED, low, base)
        marks += [line(LEFT, y, WIDTH - RIGHT, y, "grid"), text(LEFT - 6, y + 4, f"{percent} %", "axis end")]
    before: tuple[int, int] | None = None
    for number, each in enumerate(shown):
        x = LEFT + number * step + step // 2
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
        marks += _strips(each, LEFT + number * step, step, base, words, ways)
        if number % max(1, len(shown) // 8) == 0:
            marks.append(text(x, base + 68, each.name[5:], "axis middle"))
    marks.append(text(LEFT - 6, base + 22, words["portal_lane_incidents"], "axis end small"))
    marks.append(text(LEFT - 6, base + 44, words["portal_lane_complete"], "axis end small"))
    return svg(height, words["picture_days"], marks)


def causes(shown: Sequence[CauseCount], words: Words, ways: Ways) -> str:
    """Misses by cause, the most first; hatched where they were met but for it, solid where nothing known explains."""
    if not shown:
        return svg(TOP + 20, words["picture_causes"], [text(LEFT, TOP, words["portal_no_miss"], "axis")])
    tall, wide, x = 30, _PLOT // 2, LEFT + 150
    most = max(each.count for each in shown)
    marks = []
    for number, each in enumerate(shown):
        y, name = TOP + number * tall, words[f"cause_{each.cause}"]
        kind = "missed" if each.but_for else "unexplained"
        long = _scaled(each.count, most, wide)
        said = f"{name}: {each.count}"
        mark = text(x - 10, y + 18, name, "end") + rect(x, y + 4, long, tall - 10, kind, said)
        mark += text(x + long + 8, y + 18, f"{each.count:,}", "axis")
        marks.append(link(ways.sessions(verdict="breached", cause=each.cause), said, mark))
    return svg(TOP + len(shown) * tall + 8, words["picture_causes"], marks)


def heat(shown: Sequence[Sequence[Ratio]], words: Words, ways: Ways) -> str:
    """Weekday x hour: how large a share was missed, darker is more; the number in a cell is its percent missed.

    From the first hour of any day that has data to the last: a telephone shows the left of it.
    """
    tall = 30
    told = [hour for hour in range(_PER_DAY) if any(row[hour].whole for row in shown)] or [0, _PER_DAY - 1]
    hours = range(told[0], told[-1] + 1)
    cell = _PLOT // max(len(hours), _PER_DAY // 2)
    marks = []
    for weekday, row in enumerate(shown):
        y = TOP + weekday * tall
        name = words[f"portal_weekday_{weekday}"]
        marks.append(text(LEFT - 6, y + 20, name, "axis end"))
        for hour in hours:
            rate = row[hour]
            x = LEFT + (hour - hours.start) * cell
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
    marks.extend(
        text(LEFT + (hour - hours.start) * cell + cell // 2, TOP - 8, f"{hour:02}", "axis middle")
        for hour in hours[::2]
    )
    return svg(TOP + 7 * tall + 8, words["picture_heat"], marks)


def arrivals(shown: Arrivals, words: Words, ways: Ways) -> str:
    """Arrivals by five minutes, last week's same day as a line, and a strip of what share was missed by 15 minutes."""
    height, base = 270, 200
    most = max(1, *shown.counts, *(shown.week_before or ()))
    marks = [*_scale(most, base, TOP + 10)]
    for number, count in enumerate(shown.counts):
        tall = _scaled(count, most, base - TOP - 10)
        if tall:
            x = _step_x(number)
            said = f"{_clock(shown.starts_minute + 5 * number)}: {count}"
            mark = rect(x, base - tall, max(1, _step_x(number + 1) - x - 1), tall, "offered", said)
            marks.append(link(ways.sessions(from_=shown.day, to_=shown.day, step=number), said, mark))
    if shown.week_before is not None:
        points = " ".join(
            f"{_step_x(number)},{base - _scaled(count, most, base - TOP - 10)}"
            for number, count in enumerate(shown.week_before)
        )
        marks.append(f'<polyline class="ghost" points="{points}"/>')
        marks.append(text(WIDTH - RIGHT, TOP, words["portal_week_before"], "ghost-word end"))
    for number, rate in enumerate(shown.attainment):
        x = _step_x(number * 3)
        at = _clock(shown.starts_minute + 15 * number)
        kind = f"shade-{_shade(_HUNDRED - _percent(rate))}" if rate.whole else "none"
        said = f"{at}: {rate_text(rate) if rate.whole else words['no_data']}"
        mark = rect(x, base + 6, _step_x(number * 3 + 3) - x - 1, 16, kind, said)
        part = {"step": number * 3, "steps": 3, "figure": "attainment"}
        way = ways.sessions(from_=shown.day, to_=shown.day, **part)
        marks.append(link(way, said, mark) if rate.whole else mark)
    for hour in range(0, _PER_DAY + 1, 2):
        x = _step_x(hour * 12)
        marks.append(text(x, base + 40, _clock(shown.starts_minute + 60 * hour), "axis middle"))
    return svg(height - 20, words["picture_arrivals"], marks)


def staffing(shown: Sequence[Staffing], words: Words, _: Ways) -> str:
    """People there as bars, seats paid for as a step; a bar under the step is hatched. It counts no sessions."""
    height, base = 240, 190
    step = max(1, _PLOT // max(1, len(shown)))
    told = [value for each in shown for value in (each.staffed, each.contracted) if value is not None]
    if not told:
        return svg(TOP + 20, words["picture_staffing"], [text(LEFT, TOP, words["no_data"], "axis")])
    most = -(-max(_HUNDRED, *told) // _HUNDRED) * _HUNDRED
    marks = [*_scale(most // _HUNDRED, base, TOP + 10)]
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
        if number % max(1, len(shown) // 12) == 0:
            # an hour is called 2026-11-02 09:00+08:00, a day 2026-11-02
            label = each.name[11:16] or each.name[5:]
            marks.append(text(x + step // 2, base + 18, label, "axis middle"))
    return svg(height, words["picture_staffing"], marks)


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


def _scale(most: int, base: int, top: int) -> Iterable[str]:
    """Lines and numbers of a scale of counts from 0 on."""
    last = None
    for quarter in _GRID:
        value = most * quarter // 4
        if value != last:
            y = base - _scaled(value, most, base - top)
            yield line(LEFT, y, WIDTH - RIGHT, y, "grid")
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


def _step_x(number: int) -> int:
    return LEFT + _PLOT * number // STEPS_PER_DAY


def _clock(minute: int) -> str:
    return f"{minute // 60 % _PER_DAY:02}:{minute % 60:02}"


def _seconds(ms: int) -> str:
    whole, rest = divmod(ms, _MS_PER_S)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".") if rest else str(whole)
