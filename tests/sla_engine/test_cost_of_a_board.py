"""What an event and the board after it cost does not grow with the conversations that are open.

Counted are byte codes, not seconds: the same on a busy machine as on an idle one.
"""

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from tests.builders import PRESET, Event, agent, assigned, closed, customer, entries, ms, rules, works
from tests.sla_engine.folding import Folding
from wire.surge import Surge
from wire.verdict import Announcement, Notice

FEW, MANY = 1_000, 10_000
NOW = ms("09:00:14")
BEGAN = {"overdue": "09:00:01", "soon": "09:00:05", "far": "09:00:13"}
"""When who waits wrote, so that at NOW the first reply was due, is due within the next seconds, or later."""
WAITS = tuple(BEGAN)
PEOPLE = {"anna": "red", "bo": "blue", "": ""}


@contextmanager
def no_collection() -> Iterator[None]:
    """The garbage of other tests is not taken out meanwhile: what it does at its end would count as work."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def byte_codes(work: Callable[[], object]) -> int:
    """How many byte codes `work` executes."""
    executed = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal executed
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        executed += event == "opcode"
        return trace

    before = sys.gettrace()
    with no_collection():
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(before)
    return executed


def bytes_at_once(work: Callable[[], object]) -> int:
    """The most memory that `work` has in use at a time: what walks within one call of C often makes a copy."""
    with no_collection():
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def talks(count: int) -> Iterator[Event]:
    """So many conversations, alike many of each wait, held by each person and by nobody, on two queues."""
    for number in range(count):
        wait, account = WAITS[number % 3], [*PEOPLE][number // 3 % 3]
        yield customer(BEGAN[wait], f"c{number}", f"queue-{number % 2}")
        if account:
            yield assigned(BEGAN[wait], account, f"c{number}")


def warning(number: int) -> Announcement:
    team = [*PEOPLE.values()][number // 3 % 3]
    return Announcement(
        Notice.WARNING, f"c{number}", 0, 0, PRESET.name, "queue-0", team, NOW, ms(BEGAN["soon"]) + 10_000
    )


def floor(count: int) -> Folding:
    """So many conversations open at NOW, the warnings told, and a board made of it."""
    folding = Folding()
    people = [
        link for name, team in PEOPLE.items() if name for link in works(name, name, team, f"seat-{name}", "north")
    ]
    folding.fold_all(entries([*rules(), *people, *talks(count)]))
    folding.fold([], NOW)
    for number in range(WAITS.index("soon"), count, 3):
        folding.state.surges.announce(warning(number))
    folding.part()
    return folding


@pytest.fixture(scope="module")
def floors() -> tuple[Folding, Folding]:
    return floor(FEW), floor(MANY)


def happens(folding: Folding, *events: Event) -> Callable[[], object]:
    """The events come in at NOW, and a board is made."""
    batch = entries(events, first=folding.shards[0].next_index)

    def work() -> None:
        folding.fold(batch, NOW)
        folding.part()

    return work


EVENTS = {
    "nothing": (),
    "one more waits": (customer(NOW, "new"),),
    "one who is due soon is answered": (agent(NOW, "anna", "c1"),),
    "one who is overdue is answered": (agent(NOW, "anna", "c0"),),
    "one who waits without haste is gone": (closed(NOW, "c2"),),
}


def test_the_floors_have_everything_there_is_to_count(floors: tuple[Folding, Folding]) -> None:
    for folding, count in zip(floors, (FEW, MANY), strict=True):
        part = folding.part()
        assert part.client.live is not None
        assert part.client.live.open == part.client.live.waiting == count
        assert part.client.live.overdue == sum(number % 3 == WAITS.index("overdue") for number in range(count))
        warned = range(WAITS.index("soon"), count, 3)
        assert part.client.live.due_soon == len(warned)
        surges = {team.id: team.surge for team in part.teams}
        assert surges["red"] == Surge(sum(number // 3 % 3 == 0 for number in warned), NOW)


def test_a_board_takes_no_more_room_for_ten_times_as_many_open(floors: tuple[Folding, Folding]) -> None:
    few, many = (bytes_at_once(folding.part) for folding in floors)
    assert 0 < many <= few + FEW, "nothing is copied of each conversation, be it by one call"


@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_an_event_and_the_board_after_it_cost_the_same_with_ten_times_as_many_open(
    floors: tuple[Folding, Folding], events: tuple[Event, ...]
) -> None:
    few, many = (byte_codes(happens(folding, *events)) for folding in floors)
    assert 0 < few == many
