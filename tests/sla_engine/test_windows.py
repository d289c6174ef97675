"""Windows by the wall clock of the contract's zone, across midnight and both kinds of clock change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.definition import DefinitionError
from sla_engine._core.windows import DAY_MS, PeriodCalendar, WindowCalendar, ZoneTable, civil_date, first_of_month
from sla_engine.zones import zone_table

HOUR_MS = 3_600_000
QUARTER_MS = 900_000
ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Asia/Jerusalem",
)


def at(zone: str, text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


TABLED = st.integers(min_value=at("UTC", "1990-01-02 00:00"), max_value=at("UTC", "2044-12-30 00:00"))


def calendar(zone: str, day_starts_ms: int = 4 * HOUR_MS) -> WindowCalendar:
    return WindowCalendar(zone=zone_table(zone), interval_ms=QUARTER_MS, day_starts_ms=day_starts_ms)


def test_a_business_day_starts_at_four_and_takes_the_night_with_it() -> None:
    shanghai = calendar("Asia/Shanghai")
    start = at("Asia/Shanghai", "2026-11-21 04:00")
    for text in ("2026-11-21 04:00:00", "2026-11-21 23:59:59", "2026-11-22 03:59:59"):
        assert shanghai.day_start(at("Asia/Shanghai", text)) == start
    assert shanghai.day_start(start - 1) == start - DAY_MS == shanghai.previous_day_start(start)
    assert shanghai.next_day_start(start) == start + DAY_MS


def test_a_session_of_the_first_night_hours_belongs_to_the_month_before() -> None:
    shanghai = calendar("Asia/Shanghai")
    assert shanghai.month_of(at("Asia/Shanghai", "2026-12-01 03:59:59")) == (2026, 11)
    assert shanghai.month_of(at("Asia/Shanghai", "2026-12-01 04:00")) == (2026, 12)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 23), ("2026-10-24", 25), ("2026-06-01", 24)])
def test_the_day_of_a_clock_change_is_an_hour_shorter_or_longer(day: str, hours: int) -> None:
    berlin = calendar("Europe/Berlin")
    start = at("Europe/Berlin", f"{day} 04:00")
    assert berlin.day_start(start) == start
    assert berlin.next_day_start(start) - start == hours * HOUR_MS
    assert berlin.previous_day_start(berlin.next_day_start(start)) == start


def test_a_day_that_starts_in_the_skipped_hour_starts_when_the_jump_ends() -> None:
    berlin = calendar("Europe/Berlin", day_starts_ms=2 * HOUR_MS + 30 * 60_000)
    jump = at("Europe/Berlin", "2026-03-29 03:00")
    assert berlin.day_start(jump) == jump
    assert berlin.day_start(jump - 1) < jump - 12 * HOUR_MS


def test_a_day_that_starts_in_the_hour_shown_twice_starts_at_its_first_showing() -> None:
    berlin = calendar("Europe/Berlin", day_starts_ms=2 * HOUR_MS + 30 * 60_000)
    start = at("Europe/Berlin", "2026-10-25 02:30")
    instants = (start, start + HOUR_MS - 15 * 60_000, start + HOUR_MS, start + 20 * HOUR_MS)
    assert [berlin.day_start(instant) for instant in instants] == [start] * 4
    assert berlin.day_start(start - 1) == start - DAY_MS


@given(
    zone=st.sampled_from(ZONES),
    instant=TABLED,
)
def test_offsets_equal_the_time_zone_database(zone: str, instant: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    assert zone_table(zone).offset_at(instant) == offset // timedelta(milliseconds=1)


@given(
    zone=st.sampled_from(ZONES),
    instant=TABLED,
)
def test_windows_hold_their_instant_and_tile_time(zone: str, instant: int) -> None:
    windows = calendar(zone)
    interval, day = windows.interval_start(instant), windows.day_start(instant)
    following = windows.next_day_start(day)
    assert interval <= instant < interval + QUARTER_MS
    assert day <= instant < following
    assert windows.day_start(following - 1) == day
    assert windows.day_start(following) == following


@given(days=st.integers(min_value=-200_000, max_value=200_000))
def test_dates_equal_those_of_the_gregorian_calendar(days: int) -> None:
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)
    assert civil_date(days) == (day.year, day.month, day.day)
    assert first_of_month(day.year, day.month) == days - day.day + 1


# a year's period starts within the table too
LONG_TABLED = st.integers(min_value=at("UTC", "1991-02-01 00:00"), max_value=at("UTC", "2044-12-30 00:00"))


@given(zone=st.sampled_from(ZONES), instant=LONG_TABLED, months=st.sampled_from([1, 3, 12]), starts=st.integers(0, 95))
def test_periods_hold_their_instant_and_tile_time(zone: str, instant: int, months: int, starts: int) -> None:
    periods = PeriodCalendar(zone_table(zone), months, starts * QUARTER_MS)
    start, end = periods.bounds(instant)
    assert start <= instant < end
    assert periods.bounds(start) == periods.bounds(end - 1) == (start, end)
    assert periods.bounds(end)[0] == end
    shown = datetime.fromtimestamp(start / 1000, ZoneInfo(zone))
    assert (shown.day, (shown.month - 1) % months) == (1, 0)
    assert shown.hour * 4 + shown.minute // 15 - starts in {0, 1, 2, 3, 4}, "later only where the clock skips it"


def test_a_month_over_a_clock_change_is_an_hour_shorter_or_longer() -> None:
    periods = PeriodCalendar(zone_table("Europe/Berlin"), 1, 0)
    for month, hours in (("2026-03-15 00:00", 31 * 24 - 1), ("2026-10-15 00:00", 31 * 24 + 1)):
        start, end = periods.bounds(at("Europe/Berlin", month))
        assert end - start == hours * HOUR_MS


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(DefinitionError, match="Asia/Shanghia"):
        zone_table("Asia/Shanghia")


def test_a_table_of_one_offset_is_valid_everywhere() -> None:
    fixed = ZoneTable("UTC+8", (0,), (8 * HOUR_MS,))
    assert fixed.offset_at(-DAY_MS) == fixed.offset_at(10**13) == 8 * HOUR_MS
    assert fixed.first_instant_of(8 * HOUR_MS) == 0


def test_a_month_that_a_clock_had_shown_already_goes_on_when_it_is_set_back_into_the_one_before() -> None:
    """On 2009-11-01 at 00:01 the clocks of St. John's went back to 23:01 of October."""
    periods = PeriodCalendar(zone_table("America/St_Johns"), 1, 0)
    began = at("America/St_Johns", "2009-11-01 00:00")
    in_the_hour_shown_again = began + 30 * 60_000
    assert periods.bounds(in_the_hour_shown_again) == (began, at("America/St_Johns", "2009-12-01 00:00"))
    assert periods.bounds(began - 1) == (at("America/St_Johns", "2009-10-01 00:00"), began)
