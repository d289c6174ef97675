"""Whose conversations are hit where seats vanish together: those on the seats that hang on the same thing."""

from sla_engine._core.circumstances import Circumstances
from tests.causes.matrix import LIMITS
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import SECOND, beats, floor, said_after, silences
from wire.incident import Cause
from wire.kinds import Kind


def hit(seats: int, gone: int) -> tuple[str, int]:
    """What vanished of a floor, and on how many seats conversations are hit by it."""
    log, circumstances = Log(), Circumstances(LIMITS.load)
    names, there = [f"s{n:02}" for n in range(seats)], floor(log, seats)
    for entry in there:
        circumstances.take(entry)
    said = said_after(
        *there,
        log.heartbeat("gate", NOON + 14 * SECOND, interval_ms=2_000),
        *beats(log, names[gone:], NOON + 14 * SECOND),
        *silences(log, names[:gone], NOON),
        log.clock(NOON + 30 * SECOND),
    )
    for each in said:
        circumstances.take(log.entry("~incident", Kind.INCIDENT, each))
    (found,) = (each for each in circumstances.impaired([], {}) if each.cause is Cause.SEAT_GROUP)
    return said[0].subject, len(found.seats or ())


def test_a_circuit_that_goes_hits_its_own_seats_and_a_floor_that_goes_whole_hits_all() -> None:
    assert hit(60, gone=20) == ("circuit:c0", 20)
    assert hit(60, gone=60) == ("site:north", 60)
