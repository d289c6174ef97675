"""Time on the record when the hub's clock is set: it goes on, is never behind itself, and is right again in the end."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collector.timekeeper import Timekeeper, TimekeeperSettings
from seatwatch.clock import RecordClock
from tests.collector.running import CLIENT, running_hub
from tests.collector.store import NOW
from wire.record import Clock

HOUR_MS = 3_600_000


class Machine:
    """Its clock, which people set, and what has passed, which nobody sets."""

    def __init__(self) -> None:
        self.clock = NOW
        self.passed = 5

    def pass_time(self, elapsed_ms: int) -> None:
        self.clock += elapsed_ms
        self.passed += elapsed_ms

    def record_clock(self) -> RecordClock:
        return RecordClock(lambda: self.clock, lambda: self.passed, slower=2)


def test_it_is_the_machine_s_clock_as_long_as_nobody_sets_that_back() -> None:
    machine = Machine()
    clock = machine.record_clock()
    for elapsed_ms in (1, 999, HOUR_MS):
        machine.pass_time(elapsed_ms)
        assert clock.now_ms() == machine.clock
    machine.clock += HOUR_MS
    assert (clock.now_ms(), clock.ahead_ms()) == (machine.clock, 0)


def test_after_an_hour_back_time_goes_on_at_half_its_pace_and_is_right_again_two_hours_later() -> None:
    machine = Machine()
    clock = machine.record_clock()
    machine.pass_time(1_000)
    was = clock.now_ms()
    machine.clock -= HOUR_MS
    assert (clock.now_ms(), clock.ahead_ms()) == (was, HOUR_MS)
    machine.pass_time(10_000)
    assert (clock.now_ms(), clock.ahead_ms()) == (was + 5_000, HOUR_MS - 5_000)
    for _ in range(2 * 3_600):
        machine.pass_time(1_000)
        clock.now_ms()
    assert (clock.now_ms(), clock.ahead_ms()) == (machine.clock, 0)


def test_a_start_after_the_clock_was_set_back_takes_up_where_the_record_ends() -> None:
    machine = Machine()
    clock = machine.record_clock()
    clock.not_before(NOW + 60_000)
    clock.not_before(NOW - 60_000)
    machine.pass_time(2_000)
    assert clock.now_ms() == NOW + 61_000


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(-100_000, 100_000)), max_size=50))
def test_it_is_never_behind_itself_or_the_machine_and_moves_whenever_time_does(moves: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock = machine.record_clock()
    before = clock.now_ms()
    for elapsed_ms, set_by in moves:
        machine.pass_time(elapsed_ms)
        machine.clock += set_by
        now = clock.now_ms()
        assert now >= machine.clock
        assert now >= before + elapsed_ms // 2 - 1
        before = now


async def test_clock_entries_go_on_while_the_hub_s_clock_has_been_set_back(tmp_path: Path) -> None:
    machine = Machine()
    clock = machine.record_clock()
    settings = TimekeeperSettings(clock_open_ms=1000, clock_idle_ms=60_000, silent_after=3, restore_rows=100)
    async with running_hub(tmp_path) as hub:
        timekeeper = Timekeeper(hub.intake, settings, clock_ms=clock.now_ms, owes=lambda _: True)

        async def pass_seconds(seconds: int) -> None:
            for _ in range(seconds):
                machine.pass_time(1_000)
                hub.now = clock.now_ms()
                await timekeeper.tick()

        await pass_seconds(3)
        machine.clock -= HOUR_MS
        await pass_seconds(10)
        said = [entry.occurred_at - NOW for entry in hub.bodies(Clock, CLIENT)]
        received = [record.received_at - NOW for record in hub.records() if isinstance(record.body, Clock)]
    assert said == [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000]
    assert received == said
