"""Where the rows of a table over time are cut, by the wall clock of the contract's zone."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.windows import PeriodCalendar, WindowCalendar
from sla_engine.reports._core.buckets import By, Frame
from sla_engine.zones import zone_table

HOUR = 3_600_000


def frame(zone: str, day_starts_h: int = 4, month_starts_h: int = 0) -> Frame:
    table = zone_table(zone)
    return Frame(WindowCalendar(table, HOUR // 2, day_starts_h * HOUR), PeriodCalendar(table, 1, month_starts_h * HOUR))


BERLIN = frame("Europe/Berlin")
SHANGHAI = frame("Asia/Shanghai")


def at(text: str) -> int:
    """An instant given with its offset, or in UTC."""
    moment = datetime.fromisoformat(text)
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * 1000


def named(cut: Frame, by: By, since: str, until: str) -> list[str]:
    return [cut.name(by, edge) for edge in cut.edges(by, at(since), at(until))[:-1]]


def test_an_hour_that_the_clock_repeats_is_two_rows_told_apart_by_their_offset() -> None:
    assert named(BERLIN, By.HOUR, "2026-10-25 01:00+02:00", "2026-10-25 04:00+01:00") == [
        "2026-10-25 01:00+02:00",
        "2026-10-25 02:00+02:00",
        "2026-10-25 02:00+01:00",
        "2026-10-25 03:00+01:00",
    ]


def test_an_hour_that_the_clock_skips_is_no_row() -> None:
    assert named(BERLIN, By.HOUR, "2026-03-29 01:00+01:00", "2026-03-29 04:00+02:00") == [
        "2026-03-29 01:00+01:00",
        "2026-03-29 03:00+02:00",
    ]


def test_half_an_hour_that_the_clock_repeats_is_a_row_of_its_own() -> None:
    lord_howe = frame("Australia/Lord_Howe")
    assert named(lord_howe, By.HOUR, "2026-04-05 01:00+11:00", "2026-04-05 03:00+10:30") == [
        "2026-04-05 01:00+11:00",
        "2026-04-05 01:30+10:30",
        "2026-04-05 02:00+10:30",
    ]


def test_a_day_runs_from_four_to_four_and_is_longer_by_the_hour_that_is_repeated() -> None:
    edges = BERLIN.edges(By.DAY, at("2026-10-24 04:00+02:00"), at("2026-10-27 04:00+01:00"))
    assert [(b - a) // HOUR for a, b in pairwise(edges)] == [25, 24, 24]
    assert BERLIN.name(By.DAY, at("2026-10-25 03:59+01:00")) == "2026-10-24"


def test_a_week_begins_with_the_business_day_of_a_monday() -> None:
    assert named(SHANGHAI, By.WEEK, "2026-11-02 04:00+08:00", "2026-11-16 04:00+08:00") == ["2026-11-02", "2026-11-09"]
    assert SHANGHAI.name(By.WEEK, at("2026-11-02 03:59+08:00")) == "2026-10-26"


def test_a_month_begins_where_the_contract_cuts_its_periods_not_where_the_day_does() -> None:
    midnight, four = at("2026-11-01 00:00+08:00"), at("2026-11-01 04:00+08:00")
    assert SHANGHAI.edges(By.MONTH, midnight, at("2026-12-01 00:00+08:00"))[0] == midnight
    assert (SHANGHAI.name(By.MONTH, midnight), SHANGHAI.name(By.DAY, midnight)) == ("2026-11", "2026-10-31")
    assert frame("Asia/Shanghai", month_starts_h=4).end(By.MONTH, midnight) == four


def test_a_table_that_begins_within_a_row_has_the_rest_of_it() -> None:
    edges = SHANGHAI.edges(By.HOUR, at("2026-11-02 09:30+08:00"), at("2026-11-02 11:15+08:00"))
    assert [b - a for a, b in pairwise(edges)] == [HOUR // 2, HOUR, HOUR // 4]


@given(
    zone=st.sampled_from(
        ["Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]
    ),
    since=st.integers(at("2024-01-01"), at("2028-01-01")),
    hours=st.integers(1, 24 * 60),
    by=st.sampled_from([By.HOUR, By.DAY, By.WEEK, By.MONTH]),
)
def test_rows_are_half_open_and_leave_nothing_out(zone: str, since: int, hours: int, by: By) -> None:
    cut = frame(zone)
    edges = cut.edges(by, since, since + hours * HOUR)
    assert (edges[0], edges[-1]) == (since, since + hours * HOUR)
    assert all(a < b for a, b in pairwise(edges))
    for start, end in pairwise(edges):
        assert cut.name(by, start) == cut.name(by, end - 1)
        assert cut.start(by, end - 1) <= start


@pytest.mark.parametrize(("days", "first"), [(1, "2026-11-01"), (30, "2026-10-03")])
def test_business_days_are_counted_back_from_the_end_of_a_row(days: int, first: str) -> None:
    found = SHANGHAI.days_before(at("2026-11-02 04:00+08:00"), days)
    assert len(found) == days
    assert SHANGHAI.name(By.DAY, found[0]) == first
    assert SHANGHAI.name(By.DAY, found[-1]) == "2026-11-01"
