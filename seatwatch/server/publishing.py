"""Boards for screens and scrapes, again and again; person by person less often, and only while somebody looks."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from dashboards.wallboard._core.names import Names, named
from dashboards.wallboard.hub import Hub
from seatwatch.server.engines import Engines
from seatwatch.server.web import Figures
from seatwatch.settings import Defaults
from wire.board import Board


async def publish(
    engines: Engines, hub: Hub, figures: Figures, names: Names, defaults: Defaults, withhold: Callable[[Board], Board]
) -> None:
    """Make the board again and again and hand it to screens, and to scrapes, which tell ids and their names apart.

    withhold: takes away what must not pass for live.
    """
    interval_s, people_interval_s = (
        defaults.seconds("board.refresh_interval"),
        defaults.seconds("board.people_interval"),
    )
    clock = asyncio.get_running_loop().time
    people_due_s = clock()
    people, seats = None, None
    while True:
        is_wanted = hub.needs_people
        if not is_wanted:
            people, seats = None, None
        with_people = is_wanted and (people is None or clock() >= people_due_s)
        board = engines.board(with_people=with_people)
        if board is not None:
            if with_people:
                people, seats = board.people, board.seats
                people_due_s = clock() + people_interval_s
            board = named(withhold(replace(board, people=people or [], seats=seats or [])), names)
            figures.board = board
            figures.folded = engines.folded()
            figures.anomalies = engines.anomalies()
            hub.publish(board)
        await asyncio.sleep(interval_s)
