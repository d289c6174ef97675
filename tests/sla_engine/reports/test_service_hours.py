"""Seats and coverage are measured in the service window of their own time, whatever was in force before or after."""

from itertools import pairwise
from pathlib import Path

import pytest

from sla_engine._core.definition import ServiceWindow
from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.service_hours import ServiceHours
from sla_engine.reports.dedicated import SeatQuestion, SeatRow, seats
from tests.builders import (
    PRESET,
    Event,
    agent,
    changed,
    clock,
    contract,
    customer,
    declared,
    gone,
    ms,
    presence,
    published,
    signed,
)
from tests.sla_engine.reports.reporting import filled, linked, made
from wire.board import Ratio
from wire.organisation import Relation
from wire.scope import EVERYTHING

HOUR = 3_600_000
DAYS = ("0 04:00", "1 04:00", "2 04:00", "3 04:00")
ROUND_THE_CLOCK = changed(PRESET, name="night", service_windows=(ServiceWindow(0, 24 * 60),))
LONGER = changed(PRESET, version=2, effective_from=ms("1 04:00"), service_windows=(ServiceWindow(0, 24 * 60),))
NOVEMBER = (published(ROUND_THE_CLOCK), signed(contract("night", name="acme-night", since="1 04:00")))


def floor(*rules: Event) -> list[Event]:
    """One of two paid seats is taken all the time; an hour of each night is lost."""
    paid = linked(Relation.CONTRACTED_SEATS, "acme", "2")
    told: list[Event] = [presence("0 04:00")]
    for day in range(3):
        told += [customer(f"{day} 09:00:00", f"c{day}"), agent(f"{day} 09:00:05", "anna", f"c{day}")]
        told.append(gone(f"{day + 1} 02:00", 1, since=f"{day + 1} 01:00", until=f"{day + 1} 02:00"))
    return [declared(0), published(), signed(), *rules, paid, *told, clock("3 12:00")]


@pytest.mark.parametrize("rules", [NOVEMBER, (published(LONGER),)], ids=["another contract", "another version"])
def test_a_day_has_the_same_seats_and_coverage_however_long_a_time_is_asked_for(
    rules: tuple[Event, ...], tmp_path: Path
) -> None:
    ledger = filled(tmp_path / "clients" / "acme", floor(*rules))
    together = made(ledger, By.DAY, DAYS[0], DAYS[-1])
    alone = [made(ledger, By.DAY, since, until).rows[0] for since, until in pairwise(DAYS)]
    assert [row.seats for row in together.rows] == [row.seats for row in alone]
    assert [row.coverage and row.coverage.time for row in together.rows] == [
        row.coverage and row.coverage.time for row in alone
    ]
    staffed = [row.seats.staffed for row in together.rows if row.seats is not None]
    assert staffed == [Ratio(16 * HOUR, 16 * HOUR), Ratio(23 * HOUR, 23 * HOUR), Ratio(23 * HOUR, 23 * HOUR)]


def test_a_contract_that_begins_later_moves_no_seat_hour_of_before(tmp_path: Path) -> None:
    def first_day(folder: Path, *rules: Event) -> list[SeatRow]:
        filled(folder / "clients" / "acme", floor(*rules))
        span = ms(DAYS[0]), ms(DAYS[1])
        question = SeatQuestion(span=lambda _: span, rows="day", client="", lookback_ms=24 * HOUR, hands_idle_ms=HOUR)
        return list(seats(folder, question, EVERYTHING, lambda _: None).rows)

    before = first_day(tmp_path / "october")
    assert before == first_day(tmp_path / "november", *NOVEMBER)
    assert before[-1].shortfall_ms == 16 * HOUR


def test_of_two_contracts_of_one_date_the_one_entered_last_says_when_it_is_open(tmp_path: Path) -> None:
    again = (published(ROUND_THE_CLOCK), signed(contract("night")))
    ledger = filled(tmp_path / "clients" / "acme", floor(*again))
    (row,) = made(ledger, By.DAY, DAYS[0], DAYS[1]).rows
    assert row.seats is not None
    assert row.seats.staffed == Ratio(23 * HOUR, 23 * HOUR)


def test_windows_of_one_time_end_where_others_begin() -> None:
    hours = ServiceHours([(0, PRESET), (ms("0 23:00"), ROUND_THE_CLOCK), (ms("1 02:00"), PRESET)])
    since, until = ms("0 07:00"), ms("1 09:00")
    assert [*hours.edges(since, until)] == [
        since,
        ms("0 08:00"),
        ms("0 23:00"),
        ms("0 23:00"),
        ms("1 02:00"),
        ms("1 08:00"),
    ]
    assert hours.open_ms(since, until) == (15 + 3 + 1) * HOUR
    assert [hours.is_open(ms(at)) for at in ("0 07:59", "0 08:00", "1 01:59", "1 02:00")] == [False, True, True, False]
