"""What two definitions make of one period, side by side for a person, and the same as one JSON object."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seatwatch.numbers import decimal, hundredths, mean_ms, share
from seatwatch.printed.teller import Teller
from seatwatch.screens import console_of
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine.diff import COUNTS, MEANS, RATIOS, Difference, Group, Side, Standing, count_named, mean_named
from sla_engine.reports._core.percentiles import SHOWN
from wire.board import Mean, Ratio

# Layout: of a table.
COLUMNS: Final = 140
"""Width in a file or a pipe."""


class Line(NamedTuple):
    """One figure on both sides: shown, and the difference (count, hundredths of a point, or ms); None = no data."""

    name: str
    before: str
    after: str
    difference: int | None
    shown: str


class Asked(NamedTuple):
    """Whose sessions were compared: those that start on these queues within [since, until), ms."""

    client: str
    since: int
    until: int
    time_zone: str
    queues: tuple[str, ...]


def lines(found: Difference, tell: Teller) -> Iterator[Line]:
    """Every figure, in the order of the page."""
    before, after = found.before.figures, found.after.figures
    yield _ratio_line("attainment", before.attainment, after.attainment, tell)
    levels = [None if each.service_level is None else each.service_level.ratio for each in (before, after)]
    yield _ratio_line("service_level", levels[0] or Ratio(0, 0), levels[1] or Ratio(0, 0), tell)
    for name in MEANS:
        yield _mean_line(name, Mean(*mean_named(before, name)), Mean(*mean_named(after, name)), tell)
    for of, name in (("first_responses", "first_response"), ("responses", "response")):
        for percent in SHOWN:
            old_ms, new_ms = (getattr(getattr(side, of), f"p{percent}") for side in (found.before, found.after))
            yield _duration_line(f"{name}_p{percent}", old_ms, new_ms, tell)
    for name in COUNTS:
        old, new = count_named(before, name), count_named(after, name)
        yield Line(name, str(old), str(new), new - old, f"{new - old:+d}")


def show(found: Difference, tell: Teller, asked: Asked, *, hint: str, limit: int) -> None:
    """Figures side by side, then what moved, the most frequent way first. hint: options of `seatwatch explain`."""
    console = console_of(COLUMNS)
    console.print(
        f"{tell.word('client')} {asked.client}  {tell.at(asked.since)} .. {tell.at(asked.until)}  {asked.time_zone}"
    )
    if asked.queues != (EVERY_QUEUE,):
        console.print(f"{tell.word('queue')}: {', '.join(asked.queues)}")
    for side in (found.before, found.after):
        console.print(f"{tell.word('definition_word')}: {side.label}  {tell.title(side.definition)}")
    table = Table()
    table.add_column("")
    for side in (found.before, found.after):
        table.add_column(side.label, justify="right", overflow="fold")
    table.add_column(tell.word("difference"), justify="right")
    for line in lines(found, tell):
        table.add_row(tell.word(line.name), line.before, line.after, line.shown)
    console.print(table)
    for side in (found.before, found.after):
        level = side.figures.service_level
        if level is not None:
            rule = f"{tell.word(level.formula)}, {tell.lasting(level.threshold_ms)}"
            console.print(f"{tell.word('service_level')} {side.label}: {rule}")
    moved = sum(len(group.moved) for group in found.groups)
    console.print(tell.filled("sessions_moved", n=moved, m=moved + found.unmoved))
    for group in found.groups:
        _group(console, group, tell, hint, limit)


def _group(console: Console, group: Group, tell: Teller, hint: str, limit: int) -> None:
    console.print()
    way = f"{_why(group.before, tell)} -> {_why(group.after, tell)}"
    by = ", ".join(map(tell.word, group.by))
    console.print(Text.assemble((way, "bold"), f" ({by})" if by else "", f": {len(group.moved)}"))
    for each in group.moved[:limit]:
        held = f"{_value(each.before, group, tell)} -> {_value(each.after, group, tell)}"
        console.print(f"  {tell.at(each.started_at)}  {each.conversation}  {held}")
    if len(group.moved) > limit:
        console.print(f"  {tell.filled('more', n=len(group.moved) - limit)}")
    if limit:
        console.print(f"  seatwatch explain {group.moved[0].conversation} {hint}")


def as_json(found: Difference, tell: Teller, asked: Asked, limit: int | None) -> bytes:
    """Everything: integers (ms, counts) beside what a person reads; `limit` sessions of each group, None = all."""
    told: dict[str, Any] = {
        "question": asked._asdict(),
        "before": _side(found.before),
        "after": _side(found.after),
        "figures": [line._asdict() for line in lines(found, tell)],
        "unmoved": found.unmoved,
        "groups": [
            {
                "before": group.before,
                "after": group.after,
                "by": group.by,
                "count": len(group.moved),
                "moved": group.moved[:limit],
            }
            for group in found.groups
        ],
    }
    return msgspec.json.encode(told)


def _side(side: Side) -> dict[str, Any]:
    return {"definition": side.label, "official": side.definition.official, "figures": side.figures}


def _ratio_line(name: str, before: Ratio, after: Ratio, tell: Teller) -> Line:
    if not before.whole or not after.whole:
        return Line(name, share(before), share(after), None, "-")
    difference = hundredths(after) - hundredths(before)
    points = f"{'-' if difference < 0 else '+'}{decimal(abs(difference))}"
    return Line(name, share(before), share(after), difference, tell.filled("percentage_points", n=points))


def _mean_line(name: str, before: Mean, after: Mean, tell: Teller) -> Line:
    old, new = (mean_ms(mean) if mean.count else None for mean in (before, after))
    line = _duration_line(name, old, new, tell)
    return line._replace(before=_shown_mean(before, tell), after=_shown_mean(after, tell))


def _duration_line(name: str, before: int | None, after: int | None, tell: Teller) -> Line:
    old, new = ("-" if ms is None else tell.lasting(ms) for ms in (before, after))
    if before is None or after is None:
        return Line(name, old, new, None, "-")
    difference = after - before
    return Line(name, old, new, difference, f"{'' if difference < 0 else '+'}{tell.lasting(difference)}")


def _shown_mean(mean: Mean, tell: Teller) -> str:
    return f"{tell.lasting(mean_ms(mean))} ({mean.count})" if mean.count else "-"


def _why(why: str, tell: Teller) -> str:
    return tell.word(why) if why else tell.word("no_such_session")


def _value(standing: Standing | None, group: Group, tell: Teller) -> str:
    """What the session adds to the rates that moved; else the first response, and where that is not all, the turns."""
    if standing is None:
        return "-"
    rates = [name for name in group.by if name in RATIOS]
    if rates:
        return ", ".join("{}/{}".format(*standing.adds[name]) for name in rates)
    first_ms = standing.first_response_ms
    if "first_response" in group.by:  # what a mean counts may be a cap
        first_ms = standing.adds["first_response"][0] if standing.adds["first_response"][1] else None
    first = "-" if first_ms is None else tell.lasting(first_ms)
    turns = ", ".join("-" if ms is None else tell.lasting(ms) for ms, _ in standing.turns)
    return f"{first} [{turns}]" if len(standing.turns) > 1 else first
