"""The board of an instant as tables for a person: tiles, then sites, then who is not configured."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.table import Table

from seatwatch.numbers import hundredths, mean_ms, percent, share
from seatwatch.printed.incident_words import power_word
from seatwatch.printed.teller import Teller
from seatwatch.screens import console_of
from wire.board import Board, Figures, Mean, SiteTile, Tile
from wire.ids import UNASSIGNED
from wire.record import Feed

# Layout: of a table.
COLUMNS: Final = 160
"""Width in a file or a pipe."""
_LIVE: Final = ("waiting", "overdue", "oldest_wait")
_FIGURES: Final = ("answered", "abandoned", "attainment", "service_level", "average_response", "grafana_target")
_SITE_COLUMNS: Final = ("site", "now", "power", "probes", "seats_present")
_MS_PER_S: Final = 1_000


def show(board: Board, tell: Teller, *, zone: str, origin: str) -> None:
    """Print it. zone: the name of the one that `tell` tells instants in; origin: where that is from, in words."""
    console = console_of(COLUMNS)
    moment = datetime.fromtimestamp(board.as_of // _MS_PER_S, tz=ZoneInfo(zone)).isoformat(" ")
    console.print(f"{tell.word('as_of')} {moment} ({zone}, {origin})")
    if board.queues:
        console.print(_tiles((*board.clients, *board.queues, *board.teams), board.as_of, tell))
        for line in _rules(board.queues, tell):
            console.print(line, markup=False, highlight=False)
    else:
        console.print(tell.word("no_data"))
    if board.sites:
        console.print(_sites(board.sites, tell))
    if board.unknown_sources:
        console.print(f"{tell.word('unknown_sources')}: {', '.join(board.unknown_sources)}")


def _tiles(tiles: Sequence[Tile], as_of: int, tell: Teller) -> Table:
    table = Table()
    table.add_column("", overflow="fold")
    for name in (*_LIVE, *_FIGURES):
        table.add_column(tell.word(name), justify="right")
    for tile in tiles:
        live = tile.live
        oldest = None if live is None or live.oldest_since is None else as_of - live.oldest_since
        target = tile.attainment_target
        table.add_row(
            f"{tell.word(tile.scope)} {tell.word(UNASSIGNED) if tile.id == UNASSIGNED else tile.name}",
            tell.word("t_plus_1_only" if tile.feed is Feed.DAILY else "no_data") if live is None else str(live.waiting),
            "" if live is None else str(live.overdue),
            "" if oldest is None else tell.lasting(oldest),
            *_figures(tile.day, tell),
            "" if target is None else percent(hundredths(target)),
        )
        for second in tile.seconds:
            named = f"  {tell.word('second_figure')} {tell.from_where(second.name, is_official=second.official)}"
            table.add_row(named, *("" for _ in _LIVE), *_figures(second.day, tell))
    return table


def _figures(day: Figures, tell: Teller) -> tuple[str, ...]:
    level = day.service_level
    return (
        str(day.answered),
        str(day.abandoned),
        share(day.attainment),
        "" if level is None else share(level.ratio),
        _average(day.average_response, tell),
    )


def _rules(queues: Sequence[Tile], tell: Teller) -> list[str]:
    """The definitions by which the queues are judged, with the limit of a session that starts now."""
    told = {(tile.definition, tile.first_response_limit_ms) for tile in queues}
    return [
        f"{tell.word('definition_word')}: {label}  {tell.word('portal_limit')} {tell.lasting(limit)}"
        for label, limit in sorted((label, limit) for label, limit in told if limit is not None)
    ]


def _sites(sites: Sequence[SiteTile], tell: Teller) -> Table:
    table = Table()
    for name in _SITE_COLUMNS:
        table.add_column(tell.word(name))
    for site in sites:
        state, reason = tell.word(site.state), tell.word(site.reason)
        said = state if state == reason else f"{state}: {reason}"
        power = "no_ups" if site.power is None else power_word(site.power)
        seats = "" if site.seats_expected is None else f"{site.seats_present or 0}/{site.seats_expected}"
        table.add_row(site.name, said, tell.word(power), f"{site.probes_reporting}/{site.probes_known}", seats)
    return table


def _average(mean: Mean, tell: Teller) -> str:
    return f"{tell.lasting(mean_ms(mean))} ({mean.count})" if mean.count else "-"
