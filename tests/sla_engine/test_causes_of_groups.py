"""Seats that went with a row are what it explains, and no seat of the row that stayed."""

from sla_engine._core.circumstances import Circumstances
from tests.causes.matrix import LIMITS
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import MINUTE, SECOND, beats, floor, said_after
from wire.incident import Cause, IncidentSaid
from wire.kinds import Kind
from wire.organisation import RosterLink
from wire.recorded import Recorded


def hit(entries: list[Recorded], said: list[IncidentSaid]) -> set[str]:
    """The seats that a group's trouble is about, as a client's own ledger tells it."""
    log, circumstances = Log(), Circumstances(LIMITS.load)
    for entry in entries:
        if isinstance(entry.body, RosterLink):
            circumstances.take(entry)
    for each in said:
        circumstances.take(log.entry("~incident", Kind.INCIDENT, each))
    found = [each for each in circumstances.impaired([], {}) if each.cause is Cause.SEAT_GROUP]
    return {seat for each in found for seat in each.seats or ()}


def row_loses(gone: list[str], *, is_over: bool) -> set[str]:
    """Of a row of ten these seats go, noticed one by one; later all are heard again, or none."""
    log = Log()
    there = floor(log, 20)
    stayed = [f"s{n:02}" for n in range(20) if f"s{n:02}" not in gone]
    noticed = [log.silent(seat, NOON, NOON + 15 * SECOND + 300 * n) for n, seat in enumerate(gone)]
    heard = [entry for after in (20, 25, 30) for entry in beats(log, stayed, NOON + after * SECOND)]
    back = [log.back(seat, NOON + MINUTE) for seat in gone] if is_over else []
    entries = [*there, *noticed, *heard, log.clock(NOON + 31 * SECOND), *back]
    said = said_after(*entries)
    assert (said[-1].what, said[-1].subject, said[-1].ended_at is not None) == ("seats_lost", "row:r0", is_over)
    return hit(entries, said)


def test_a_seat_of_the_row_that_stayed_has_another_reason_for_its_misses() -> None:
    gone = [f"s{n:02}" for n in range(7)]
    assert row_loses(gone, is_over=True) == set(gone)


def test_seats_whose_silence_was_noticed_last_went_with_the_row_as_well() -> None:
    gone = [f"s{n:02}" for n in range(10)]
    assert row_loses(gone, is_over=True) == set(gone)


def test_while_it_lasts_nobody_can_say_yet_who_stayed() -> None:
    assert row_loses([f"s{n:02}" for n in range(7)], is_over=False) == {f"s{n:02}" for n in range(10)}
