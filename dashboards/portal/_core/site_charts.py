"""Pictures of a site's past as SVG: lanes over one time axis, and batteries as they run down.

Colour and pattern, never colour alone; every mark tells its times. Lengths are in units of the viewBox.

Layout: all numbers are places and sizes of drawings.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

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
from dashboards.portal.site_record import DischargePicture, Look, Mark, SitePage, Stretch

NAMES: Final = 184
"""Room for the names of lanes; where there is none they stand above them, so high."""
ABOVE: Final = 18
EDGE: Final = 6
LEVEL: Final = 54
FLAT: Final = 16
GAP: Final = 12
ROWS_OF_MARKS: Final = 4
NAME_SHOWN: Final = 22
_WHOLE: Final = 100
_GRAVEST_LAST: Final = (Look.PLAIN, Look.GOOD, Look.OFF, Look.NONE, Look.WARN, Look.BAD)
_LEAST_SEEN: Final = 2
_PROMISED: Final = (0, 25, 50, 75, 100)


def lanes(page: SitePage, words: Words, address: Callable[[str], str], paper: Paper) -> str:
    """Every lane under a lane of incidents, which lead to their pages; its name beside it, or above it on a phone.

    address: of an incident's page by its id.
    """
    left, above = (EDGE, ABOVE) if paper.is_narrow else (NAMES, 0)
    wide = paper.right - left
    x = _scale(page.since, page.until, left, wide)

    def name(title: str, y: int, tall: int) -> str:
        return text(left, y - 5, title, "axis") if above else text(left - 24, y + tall // 2 + 5, title, "axis end")

    y = TOP + 6 + above
    rows, high = _rows_of(page.incidents), FLAT + 3
    drawn = 1 + max(rows, default=0)
    nothing = words["portal_no_incident"]
    marks = [name(words["portal_lane_incidents"], y, FLAT)]
    marks += [rect(left, y + number * high, wide, FLAT, "lane", nothing) for number in range(drawn)]
    marks += [_incident(mark, x, y + row * high, address) for mark, row in zip(page.incidents, rows, strict=True)]
    y += drawn * high + GAP
    for lane in page.lanes:
        tall = LEVEL if lane.level else FLAT
        y += above
        marks.append(name(_short(lane.title), y, tall))
        marks += _stretches(lane.stretches, x, y, tall)
        if lane.level:
            marks += _level(lane.level, x, y, tall)
            marks.append(text(paper.right, y - 2, f"{_WHOLE} %", "axis end small"))
        y += tall + GAP
    every = stride(wide // max(1, len(page.axis)))
    grid = [line(x(at), TOP, x(at), y - 4, "grid") for at, _ in page.axis]
    marks += [text(max(x(at), LABEL // 2), y + 12, label, "axis middle") for at, label in page.axis[::every]]
    return svg(y + 22, words["picture_site"], [*grid, *marks], right=paper.wide)


def discharge(shown: DischargePicture, words: Words, _: object, paper: Paper) -> str:
    """Charge as measured, a dashed line to the projected end, which is called an estimate: all of it at once."""
    height, base, left, right = 250, 200, LEFT, paper.right
    x = _scale(shown.since, shown.ends_at, left, right - left)

    def y(percent: int) -> int:
        return base - (base - TOP - 10) * percent // _WHOLE

    marks = []
    for percent in _PROMISED:
        marks.append(line(left, y(percent), right, y(percent), "grid"))
        marks.append(text(left - 6, y(percent) + 4, f"{percent} %", "axis end"))
    every = stride((right - left) // max(1, len(shown.axis)))
    marks += [text(x(at), base + 24, label, "axis middle") for at, label in shown.axis[::every]]
    points = " ".join(f"{x(at)},{y(percent)}" for at, percent in shown.charges)
    marks.append(f'<polyline class="measured" points="{points}"/>')
    marks += [circle(x(at), y(percent), "dot", f"{percent} %") for at, percent in shown.charges]
    if shown.empty_at is not None and shown.charges:
        at, percent = shown.charges[-1]
        marks.append(line(x(at), y(percent), x(shown.empty_at), y(0), "projected"))
        marks.append(text(right, base + 46, words["portal_projected"], "edge-word end"))
    if shown.until is not None:
        ends = x(shown.until)
        is_right = ends > paper.wide // 2
        marks.append(line(ends, TOP, ends, base, "edge"))
        where = ends - 6 if is_right else ends + 6
        over = words["portal_discharge_over" if shown.is_over else "portal_discharge_unheard"]
        marks.append(text(where, TOP, over, "edge-word end" if is_right else "edge-word"))
    return svg(height, shown.title, marks, right=paper.wide, kind="discharge")


def _stretches(shown: Iterable[Stretch], x: Callable[[int], int], y: int, tall: int) -> Iterable[str]:
    """The gravest are drawn last, and wide enough to be seen: what is around it hides no short trouble."""
    for each in sorted(shown, key=lambda stretch: _GRAVEST_LAST.index(stretch.look)):
        wide = max(_LEAST_SEEN, x(each.until) - x(each.since))
        yield rect(x(each.since), y, wide, tall, f"look-{each.look}", each.said)


def _level(shown: Sequence[tuple[int, int | None]], x: Callable[[int], int], y: int, tall: int) -> Iterable[str]:
    """A line from 0 at the bottom to 100 at the top, broken where nothing is known."""
    points: list[str] = []
    for at, percent in (*shown, (0, None)):
        if percent is not None:
            points.append(f"{x(at)},{y + tall - tall * percent // _WHOLE}")
        elif points:
            yield f'<polyline class="level" points="{" ".join(points)}"/>'
            points = []


def _incident(mark: Mark, x: Callable[[int], int], y: int, address: Callable[[str], str]) -> str:
    wide = max(4, x(mark.until) - x(mark.since))
    box = rect(x(mark.since), y, wide, FLAT, "look-planned" if mark.is_planned else "incident", mark.said)
    return link(address(mark.incident), mark.said, box)


def _rows_of(shown: Sequence[Mark]) -> list[int]:
    """Which row each is drawn in, so that those of one time stand below each other; the last row takes the rest."""
    free = [0] * ROWS_OF_MARKS
    found = []
    for mark in shown:
        row = next((number for number, until in enumerate(free) if until <= mark.since), ROWS_OF_MARKS - 1)
        free[row] = max(free[row], mark.until)
        found.append(row)
    return found


def _scale(since: int, until: int, left: int, wide: int) -> Callable[[int], int]:
    """From an instant to its place; what lies outside stands at the edge."""
    long = max(1, until - since)
    return lambda at: left + wide * (min(max(at, since), until) - since) // long


def _short(title: str) -> str:
    return title if len(title) <= NAME_SHOWN else f"{title[: NAME_SHOWN - 3]}..."
