"""Whether the collector is heard: by pulses that are newer than those before, counted by the engine's own clocks."""

from typing import Final

from redis.asyncio import Redis

from sla_engine.runners.redis_pulse import Hearing, Instant
from tests.collector.store import NOW
from wire.stream import Pulse

LEDGER: Final = bytes(16)
HOUR_MS: Final = 3_600_000


class Stream:
    """A stream of which so much was received."""

    def __init__(self, received: int) -> None:
        self.ledger_id = LEDGER
        self.received = received


class Engine:
    """What hears, and its two clocks."""

    def __init__(self, *streams: str, received: int = 10) -> None:
        self.clock, self.elapsed = NOW, 0
        self.streams = {client: Stream(received) for client in streams}
        self.hearing = Hearing(
            Redis(), self.streams, look_s=1.0, clock_ms=lambda: self.clock, elapsed_ms=lambda: self.elapsed
        )

    def pass_time(self, elapsed_ms: int) -> None:
        self.clock += elapsed_ms
        self.elapsed += elapsed_ms

    def find(self, told_at: int, *, size: int = 10, ledger: bytes = LEDGER) -> int | None:
        """The age once this pulse is found for every stream."""
        pulses = {client: Pulse(ledger, size, told_at) for client in self.streams}
        self.hearing.take(pulses, Instant(self.clock, self.elapsed))
        return self.hearing.age_ms()


def test_the_first_pulse_proves_nothing_it_may_be_what_a_dead_collector_left() -> None:
    engine = Engine("acme")
    assert engine.find(NOW) is None
    assert engine.find(NOW) is None
    assert engine.hearing.told_at() == NOW


def test_a_newer_pulse_is_heard_and_its_age_grows_while_none_follows() -> None:
    engine = Engine("acme")
    engine.find(NOW - HOUR_MS)
    assert engine.find(NOW - HOUR_MS + 1) == 0
    engine.pass_time(4_000)
    assert engine.find(NOW - HOUR_MS + 1) == 4_000


def test_a_redis_that_came_back_with_an_old_pulse_proves_nothing() -> None:
    engine = Engine("acme")
    engine.find(NOW)
    engine.find(NOW + 500)
    engine.pass_time(60_000)
    assert engine.find(NOW - 10_000) == 60_000
    assert engine.find(NOW - 9_500) == 0


def test_a_pulse_counts_as_of_when_it_was_found_once_what_it_tells_of_is_received() -> None:
    engine = Engine("acme")
    engine.find(NOW)
    assert engine.find(NOW + 500, size=12) is None
    engine.pass_time(500)
    assert engine.find(NOW + 1_000, size=15) is None
    engine.streams["acme"].received = 12
    assert engine.hearing.age_ms() == 500


def test_of_several_ledgers_the_one_heard_of_least_lately_says_the_age() -> None:
    engine = Engine("acme", "bank")
    engine.find(NOW)
    engine.find(NOW + 500)
    engine.streams["bank"].received = 0
    engine.pass_time(3_000)
    assert engine.find(NOW + 1_000) == 3_000


def test_the_pulse_of_another_ledger_is_not_heard() -> None:
    engine = Engine("acme")
    assert engine.find(NOW, ledger=b"\x01" * 16) is None
    assert engine.find(NOW + 500, ledger=b"\x01" * 16) is None
    assert engine.hearing.told_at() is None


def test_a_machine_that_slept_and_one_whose_clock_was_set_back_both_know_that_time_has_passed() -> None:
    slept = Engine("acme")
    slept.find(NOW)
    slept.find(NOW + 500)
    slept.clock += HOUR_MS
    assert slept.hearing.age_ms() == HOUR_MS
    set_back = Engine("acme")
    set_back.find(NOW)
    set_back.find(NOW + 500)
    set_back.clock -= HOUR_MS
    set_back.elapsed += 5_000
    assert set_back.hearing.age_ms() == 5_000
