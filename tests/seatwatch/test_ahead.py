"""A record ahead of the hub's clock: nothing passes for live, and everybody is told why."""

from msgspec.structs import replace

from seatwatch.clock import RecordClock
from seatwatch.server.ahead import Ahead, spoken
from tests.collector.store import NOW
from wire.board import Board, Figures, Tile, Waiting
from wire.record import Feed

MOST_MS = 5_000
EMPTY = Waiting(waiting=0, overdue=0, oldest_since=None, next_due_at=None)


class Hub:
    """A clock, and a record that is ahead of it by `lead_ms`."""

    def __init__(self, lead_ms: int) -> None:
        self.now = NOW
        self.passed = 0
        record_clock = RecordClock(lambda: self.now, lambda: self.passed, slower=2)
        record_clock.not_before(NOW + lead_ms)
        self.ahead = Ahead(record_clock, lambda: self.now, most_ms=MOST_MS, slower=2)

    def pass_time(self, elapsed_ms: int) -> None:
        self.now += elapsed_ms
        self.passed += elapsed_ms


def tile(feed: Feed | None, live: Waiting | None) -> Tile:
    return Tile("queue", "q", "acme", "q", feed, live, Figures(), Figures(), [])


def board() -> Board:
    queues = [tile(Feed.LIVE, EMPTY), tile(Feed.DAILY, None), tile(None, None)]
    return Board(NOW, NOW, None, 0, 0, [tile(Feed.LIVE, EMPTY)], queues, [], [], [], 0, 0, 0, 0, 0)


def test_within_the_bound_the_board_is_as_it_is() -> None:
    hub = Hub(MOST_MS)
    assert hub.ahead.withhold(board()) == board()
    assert hub.ahead.problems() == []


def test_beyond_it_no_tile_is_live_and_the_as_of_time_stands_where_it_began() -> None:
    hub = Hub(100_000_000)
    hub.ahead.withhold(board())
    hub.pass_time(10_000)
    shown = hub.ahead.withhold(replace(board(), as_of=NOW + 100_000_000))
    assert (shown.as_of, shown.record_ahead_ms) == (NOW, 100_000_000 - 5_000)
    assert [(each.live, each.stale_since) for each in shown.queues] == [(None, NOW), (None, None), (None, None)]
    assert [(each.live, each.stale_since) for each in shown.clients] == [(None, NOW)]


def test_it_says_the_cause_and_what_to_do() -> None:
    (problem,) = Hub(100_000_000).ahead.problems()
    assert problem.startswith("the hub's clock is 27 h 46 min behind its record")
    assert "set the clock right" in problem
    assert "55 h 33 min" in problem


def test_the_board_is_live_again_once_the_clock_has_caught_up_to_the_bound() -> None:
    hub = Hub(MOST_MS + 1_000)
    assert hub.ahead.withhold(board()).record_ahead_ms
    hub.pass_time(2_000)
    assert hub.ahead.withhold(board()) == board()


def test_durations_are_said_as_people_say_them() -> None:
    assert [spoken(ms) for ms in (6_999, 60_000, 3_599_999, 100_000_000)] == ["6 s", "1 min", "59 min", "27 h 46 min"]
