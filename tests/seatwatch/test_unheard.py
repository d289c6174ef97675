"""A collector that is not heard: the board stands as it was then, nothing of it passes for live, and all are told."""

from msgspec.structs import replace

from seatwatch.server.unheard import Unheard
from tests.collector.store import NOW
from tests.sla_engine.test_hearing import Engine
from wire.board import Board, Figures, PersonTile, SeatTile, SiteTile, Tile, Waiting
from wire.record import Feed

MOST_MS = 2_750
FIVE = Waiting(waiting=5, overdue=0, oldest_since=NOW, next_due_at=None)


def board(as_of: int) -> Board:
    tiles = [Tile("queue", "q", "acme", "q", Feed.LIVE, FIVE, Figures(offered=5), Figures(offered=5), [])]
    site = SiteTile("s", "s", "ok", "ok", NOW, "online", "ok", 100, None, 2, 2, NOW, seats_present=1, seats_expected=1)
    made = Board(as_of, as_of, None, 0, 0, tiles, tiles, [], [], [site], 0, 0, 0, 0, 0)
    people = [PersonTile("p-1", "acme", "", "", "s", presence="online")]
    return replace(made, people=people, seats=[SeatTile("s-1", "s", "", "", reports=True)])


def waiting(shown: Board) -> list[Waiting | None]:
    return [tile.live for tile in (*shown.clients, *shown.queues)]


def heard() -> tuple[Engine, Unheard]:
    engine = Engine("acme")
    unheard = Unheard(engine.hearing, lambda: engine.clock, most_ms=MOST_MS)
    engine.find(NOW)
    engine.find(NOW + 500)
    return engine, unheard


def test_while_it_is_heard_the_board_is_true_as_of_then_and_ready() -> None:
    engine, unheard = heard()
    engine.pass_time(700)
    shown = unheard.withhold(board(engine.clock))
    assert shown == replace(board(engine.clock), as_of=NOW)
    assert unheard.withhold(board(NOW - 9_000)).as_of == NOW - 9_000
    assert unheard.problems() == []


def test_once_it_is_not_the_last_board_stands_without_anything_live() -> None:
    engine, unheard = heard()
    unheard.withhold(board(engine.clock))
    engine.pass_time(60_000)
    shown = unheard.withhold(replace(board(engine.clock), queues=[], interval_start=NOW))
    assert (shown.as_of, shown.computed_at, shown.interval_start) == (NOW, NOW, 0)
    assert waiting(shown) == [None, None]
    assert [(tile.stale_since, tile.day.offered) for tile in shown.queues] == [(NOW, 5)]
    (site,) = shown.sites
    assert (site.state, site.reason, site.since) == ("unknown", "collector_unheard", NOW)
    assert (site.comms, site.probes_reporting, site.seats_present) == ("stale", 0, None)
    assert [person.stale_since for person in shown.people] == [NOW]
    assert [seat.reports for seat in shown.seats] == [None]
    (problem,) = unheard.problems()
    assert problem.startswith("the collector was not heard for 1 min, so no number on the board is shown as live")


def test_the_instant_it_stands_at_does_not_move_where_two_clocks_are_rounded_apart() -> None:
    engine, unheard = heard()
    unheard.withhold(board(engine.clock))
    engine.pass_time(60_000)
    stood_at = unheard.withhold(board(engine.clock)).as_of
    engine.clock -= 1
    assert unheard.withhold(board(engine.clock)).as_of == stood_at
    engine.clock += 1
    engine.find(engine.clock)
    unheard.withhold(board(engine.clock))
    engine.pass_time(60_000)
    assert unheard.withhold(board(engine.clock)).as_of > stood_at, "of another time it is not heard"


def test_an_engine_that_starts_beside_a_dead_collector_shows_nothing_as_live_and_says_how_old_it_is() -> None:
    engine = Engine("acme")
    unheard = Unheard(engine.hearing, lambda: engine.clock, most_ms=MOST_MS)
    assert (unheard.withhold(board(NOW)).as_of, waiting(unheard.withhold(board(NOW)))) == (NOW, [None, None])
    engine.find(NOW - 3_600_000)
    engine.pass_time(1_000)
    shown = unheard.withhold(board(engine.clock))
    assert (shown.as_of, shown.computed_at) == (NOW - 3_600_000, NOW - 3_600_000)
    assert waiting(shown) == [None, None]
    assert "not heard since this start" in unheard.problems()[0]


def test_it_is_live_again_as_soon_as_the_collector_is_heard() -> None:
    engine, unheard = heard()
    engine.pass_time(60_000)
    assert waiting(unheard.withhold(board(engine.clock))) == [None, None]
    engine.find(NOW + 1_000)
    assert unheard.withhold(board(engine.clock)) == board(engine.clock)
    assert unheard.problems() == []
