"""Which line the probe's own connection takes, when it is given up for another, and what is said of the move."""

import pytest

from agent_probe._core.line_choice import LineNow, best, is_worth_leaving, works
from agent_probe.lines import Lines, Moved
from wire.uplink import LineReason, LineState


def line(name: str, state: LineState, *, reachable: bool | None = None, address: str = "192.0.2.1") -> LineNow:
    return LineNow(name, state, LineReason.OK, reachable, address, None)


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        (LineState.UP, LineState.UP, "a"),
        (LineState.DEGRADED, LineState.UP, "b"),
        (LineState.SUSPECT, LineState.DEGRADED, "b"),
        (LineState.UNKNOWN, LineState.SUSPECT, "b"),
        (LineState.DOWN, LineState.UNKNOWN, "b"),
        (LineState.DISABLED, LineState.DOWN, "b"),
        (LineState.DOWN, LineState.DOWN, "a"),
    ],
)
def test_the_best_line_is_taken_and_of_equals_the_first(first: LineState, second: LineState, chosen: str) -> None:
    found = best([line("a", first), line("b", second)])
    assert found is not None
    assert found.name == chosen


def test_a_line_that_answers_again_is_taken_before_one_that_was_never_measured() -> None:
    coming_back = line("b", LineState.DOWN, reachable=True)
    assert best([line("a", LineState.UNKNOWN), coming_back]) == coming_back


def test_a_line_without_an_address_cannot_be_taken() -> None:
    assert best([line("a", LineState.UP, address="")]) is None


@pytest.mark.parametrize(
    ("here", "there", "leaves"),
    [
        (LineState.UP, LineState.UP, False),
        (LineState.SUSPECT, LineState.UP, False),
        (LineState.DEGRADED, LineState.UP, True),
        (LineState.DEGRADED, LineState.DEGRADED, False),
        (LineState.DOWN, LineState.DEGRADED, True),
        (LineState.DOWN, LineState.UNKNOWN, False),
        (LineState.DOWN, LineState.DOWN, False),
        (LineState.DISABLED, LineState.UP, True),
    ],
)
def test_a_connection_is_given_up_only_for_a_line_that_is_clearly_better(
    here: LineState, there: LineState, leaves: bool
) -> None:
    assert is_worth_leaving([line("a", here), line("b", there)], "a") is leaves
    assert is_worth_leaving([line("b", there), line("a", here)], "a") is leaves


def test_a_connection_made_before_any_line_was_known_is_given_up_for_one_that_works() -> None:
    assert is_worth_leaving([line("a", LineState.UP)], "")
    assert not is_worth_leaving([line("a", LineState.DOWN)], "")
    assert not is_worth_leaving([], "")


def test_a_line_works_when_it_answered_last_and_has_an_address() -> None:
    assert works([line("a", LineState.DOWN), line("b", LineState.SUSPECT)])
    assert works([line("a", LineState.DOWN, reachable=True)])
    assert not works([line("a", LineState.UNKNOWN), line("b", LineState.DOWN)])
    assert not works([line("a", LineState.UP, address="")])
    assert not works([])


class World:
    def __init__(self) -> None:
        self.now = 1_000
        self.lines = Lines(lambda: self.now)
        self.told = 0
        self.lines.on_carrying = self.count

    def count(self) -> None:
        self.told += 1

    def connect(self) -> str:
        address = self.lines.take_best()
        self.lines.connected()
        return address


def test_a_move_lasts_from_the_first_echo_that_failed_until_the_connection_stands_again() -> None:
    world = World()
    world.lines.update(line("a", LineState.UP, address="192.0.2.1"))
    world.lines.update(line("b", LineState.UP, address="192.0.2.2"))
    assert (world.connect(), world.lines.carrying) == ("192.0.2.1", "a")
    world.now = 5_000
    bad = LineNow("a", LineState.DOWN, LineReason.NO_INTERNET, False, "192.0.2.1", 3_000)
    world.lines.update(bad)
    world.lines.disconnected()
    assert world.lines.carrying == ""
    world.now = 5_200
    assert world.connect() == "192.0.2.2"
    assert world.lines.moves == [Moved("a", "b", LineReason.NO_INTERNET, 2_200)]
    assert world.told == 3


def test_a_connection_made_again_over_the_same_line_is_no_move() -> None:
    world = World()
    world.lines.update(line("a", LineState.UP))
    world.connect()
    world.lines.disconnected()
    world.connect()
    assert world.lines.moves == []


def test_without_lines_the_system_chooses() -> None:
    world = World()
    assert (world.connect(), world.lines.carrying, world.lines.moves) == ("", "", [])
