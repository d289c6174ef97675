from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.calendar import Calendar
from sla_engine._core.definition import Definition, ServiceWindow, SpecialDay, WeekdayWindows, YearlyDay
from sla_engine.definition_files import parse_definition
from tests.builders import HOUR_MS, PRESET, changed, ms
from wire.limits import INSTANT_MAX_MS

WINDOWS = """
based_on = "contract-10s"
service_windows = ["09:00-12:00", "20:00-02:00"]
[special_days]
2026-11-03 = []
2026-11-04 = ["00:00-24:00"]
"""
MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS
LONDON = 'based_on = "contract-10s"\ntime_zone = "Europe/London"\n'
CLOCKS_BACK = 1_792_886_400_000  # 2026-10-25 00:00 UTC, an hour before London's clocks go back
CLOCKS_ON = 1_774_742_400_000  # 2026-03-29 00:00 UTC, an hour before they go on


@pytest.mark.parametrize(
    ("at", "is_open"),
    [("07:59:59.999", False), ("08:00", True), ("23:59:59.999", True), ("+1 00:00", False), ("+1 03:00", False)],
)
def test_the_window_is_half_open_and_ends_at_midnight(at: str, is_open: bool) -> None:
    assert Calendar(PRESET).is_open(ms(at)) is is_open


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("08:59:59.999", False),
        ("09:00", True),
        ("12:00", False),
        ("20:00", True),
        ("23:59:59.999", True),
        ("+1 00:00", True),
        ("+1 01:59:59.999", True),
        ("+1 02:00", False),
        ("+1 10:00", False),
        ("+1 21:00", False),
        ("+2 00:00", True),
        ("+2 23:59", True),
        ("+3 00:00", False),
    ],
)
def test_windows_may_cross_midnight_and_special_days_have_their_own(at: str, is_open: bool) -> None:
    assert Calendar(parse_definition(WINDOWS)).is_open(ms(at)) is is_open


def test_the_window_follows_the_local_clock_over_a_change() -> None:
    calendar = Calendar(parse_definition(LONDON))
    assert [calendar.is_open(CLOCKS_BACK + hour * HOUR_MS) for hour in (-17, -16, 7, 8)] == [True, True, False, True]
    assert calendar.is_open(CLOCKS_ON + 7 * HOUR_MS)
    assert not calendar.is_open(CLOCKS_ON + 7 * HOUR_MS - 1)


PROMO = """
based_on = "contract-10s"
service_windows = ["08:00-12:00", "11:00-13:00", "13:00-14:00", "20:00-02:00"]
weekday_windows.saturday = ["10:00-12:00"]
weekday_windows.sunday = []
yearly_days.11-05 = []
yearly_days.11-11 = ["12:00-13:00"]
special_days.2026-11-03 = { windows = ["00:00-24:00"], first_response_limit_s = 15 }
special_days.2026-11-04 = { windows = ["22:00-03:00"], first_response_limit_s = 20 }
special_days.2026-11-11 = ["00:00-24:00"]
"""
# DAY is Monday, 2 November 2026


@pytest.mark.parametrize(
    ("at", "opens", "closes"),
    [
        ("07:00", "08:00", "07:00"),
        ("08:00", "08:00", "14:00"),  # overlapping and touching windows are one
        ("13:59", "13:59", "14:00"),
        ("15:00", "20:00", "15:00"),
        ("20:00", "20:00", "+2 00:00"),  # Monday's night runs into the open Tuesday
        ("+2 00:00", "+2 22:00", "+2 00:00"),
        ("+2 23:00", "+2 23:00", "+3 03:00"),  # into the holiday
        ("+3 03:00", "+4 08:00", "+3 03:00"),  # the holiday itself is closed
        ("+4 20:00", "+4 20:00", "+5 02:00"),  # Friday's night
        ("+5 02:00", "+5 10:00", "+5 02:00"),  # Saturday has its own windows, Sunday none
        ("+5 12:00", "+7 08:00", "+5 12:00"),
        ("+9 05:00", "+9 05:00", "+10 00:00"),  # the date itself goes before the date of every year
    ],
)
def test_the_next_opening_and_the_end_of_the_run_of_windows(at: str, opens: str, closes: str) -> None:
    calendar = Calendar(parse_definition(PROMO))
    assert calendar.next_open(ms(at)) == ms(opens)
    assert calendar.closes_at(ms(at)) == ms(closes)


@pytest.mark.parametrize(
    ("at", "limit_s"),
    [
        ("23:59", 10),
        ("+1 00:00", 15),
        ("+1 23:59", 15),
        ("+2 00:00", 10),  # closed
        ("+2 22:00", 20),
        ("+3 02:59", 20),  # still within the special day's window
        ("+3 03:00", 10),
    ],
)
def test_a_special_day_has_its_own_limit_within_its_windows(at: str, limit_s: int) -> None:
    assert Calendar(parse_definition(PROMO)).limit_of(ms(at)) == limit_s * 1000


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        ("07:00", "09:00", 60),
        ("09:00", "07:00", 0),
        ("10:00", "21:00", 4 * 60 + 60),
        ("00:00", "+1 00:00", 6 * 60 + 4 * 60),
        ("+5 00:00", "+7 00:00", 2 * 60 + 2 * 60),
    ],
)
def test_open_time_counts_overlapping_windows_once(since: str, until: str, minutes: int) -> None:
    calendar = Calendar(parse_definition(PROMO))
    assert calendar.open_ms(ms(since), ms(until)) == minutes * MINUTE_MS


@pytest.mark.parametrize(
    ("at", "seconds", "due"),
    [
        ("09:00", 10, "09:00:10"),
        ("13:59:55", 10, "20:00:05"),
        ("07:00", 10, "08:00:10"),
        ("13:59:50", 10, "14:00:00"),
        ("+3 02:59:55", 10, "+4 08:00:05"),
        ("15:00", 0, "15:00"),
    ],
)
def test_time_that_pauses_goes_on_at_the_next_opening(at: str, seconds: int, due: str) -> None:
    assert Calendar(parse_definition(PROMO)).add_open(ms(at), seconds * 1000) == ms(due)


def test_a_calendar_without_any_window_never_opens() -> None:
    shut = Calendar(changed(service_windows=()))
    assert shut.next_open(ms("09:00")) is None
    assert shut.add_open(ms("09:00"), 1) == INSTANT_MAX_MS
    assert shut.open_ms(ms("09:00"), ms("29 09:00")) == 0


def test_a_calendar_that_is_always_open_never_closes() -> None:
    always = Calendar(changed(service_windows=(ServiceWindow(0, 24 * 60),)))
    assert always.closes_at(ms("09:00")) == INSTANT_MAX_MS
    assert always.add_open(ms("09:00"), 40 * DAY_MS) == ms("09:00") + 40 * DAY_MS


def test_the_29th_of_february_is_a_holiday_when_there_is_one() -> None:
    calendar = Calendar(parse_definition('based_on = "contract-10s"\nyearly_days.02-29 = []\n'))

    def is_open(year: int, month: int, day: int) -> bool:
        at = datetime(year, month, day, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
        return calendar.is_open(round(at.timestamp()) * 1000)

    assert [is_open(2028, 2, 29), is_open(2028, 3, 1), is_open(2027, 2, 28), is_open(2027, 3, 1)] == [
        False,
        True,
        True,
        True,
    ]


NIGHT = 'based_on = "contract-10s"\ntime_zone = "Europe/London"\nservice_windows = ["22:00-06:00"]\n'
SKIPPED = 'based_on = "contract-10s"\ntime_zone = "Europe/London"\nservice_windows = ["01:15-01:45"]\n'


def test_a_night_shift_over_a_clock_change_lasts_as_long_as_it_lasts() -> None:
    night, hour = Calendar(parse_definition(NIGHT)), Calendar(parse_definition(SKIPPED))
    for midnight, hours in ((CLOCKS_BACK, 9), (CLOCKS_ON, 7)):
        opens = night.next_open(midnight - 12 * HOUR_MS)
        assert opens is not None
        assert night.closes_at(opens) - opens == hours * HOUR_MS
        assert night.open_ms(opens - HOUR_MS, opens + 12 * HOUR_MS) == hours * HOUR_MS
        assert night.add_open(opens, hours * HOUR_MS) == opens + hours * HOUR_MS
    assert hour.open_ms(CLOCKS_BACK - HOUR_MS, CLOCKS_BACK + 6 * HOUR_MS) == HOUR_MS, "shown twice"
    assert hour.open_ms(CLOCKS_ON, CLOCKS_ON + 6 * HOUR_MS) == 0, "never shown"


CHANGES = (
    ("Asia/Shanghai", "2026-11-08"),
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/London", "2026-03-29"),
    ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour, back
    ("Australia/Lord_Howe", "2026-10-04"),  # and on
    ("America/St_Johns", "2010-11-07"),  # half hours from UTC, at a minute past midnight
    ("America/St_Johns", "2026-03-08"),
    ("Asia/Tehran", "2022-03-22"),  # at midnight, which is skipped
    ("Asia/Tehran", "2021-09-22"),
    ("Africa/Casablanca", "2026-02-15"),  # for Ramadan
    ("Africa/Casablanca", "2026-03-22"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("Pacific/Apia", "2011-12-30"),  # a date that was skipped whole
    ("Antarctica/Troll", "2026-03-29"),  # by two hours
    ("America/Havana", "2026-11-01"),  # clocks go back from 01:00 to midnight
    ("Asia/Beirut", "2026-10-25"),  # and here from midnight into the day before
)


@cache
def base(zone: str) -> Definition:
    return parse_definition(f'based_on = "contract-10s"\ntime_zone = "{zone}"\n')


WINDOW_LISTS = st.lists(
    st.tuples(st.integers(0, 95), st.integers(1, 96)).map(
        lambda quarters: ServiceWindow(quarters[0] * 15, (quarters[0] + quarters[1]) * 15)
    ),
    max_size=3,
).map(tuple)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Definition, int]:
    """A definition with rules of every kind, and a midnight (UTC) near which its clocks change."""
    zone, on = draw(st.sampled_from(CHANGES))
    day = date.fromisoformat(on)
    near = [day + timedelta(days=offset) for offset in range(-2, 3)]
    definition = changed(
        base(zone),
        service_windows=draw(WINDOW_LISTS),
        weekday_windows=tuple(
            WeekdayWindows(each, draw(WINDOW_LISTS)) for each in draw(st.sets(st.integers(0, 6), max_size=2))
        ),
        yearly_days=tuple(
            YearlyDay(f"{each:%m-%d}", draw(WINDOW_LISTS)) for each in draw(st.sets(st.sampled_from(near), max_size=2))
        ),
        special_days=tuple(
            SpecialDay(each.isoformat(), draw(WINDOW_LISTS))
            for each in draw(st.sets(st.sampled_from(near), max_size=2))
        ),
    )
    return definition, round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def shows_open(definition: Definition, at: int) -> bool:
    """Whether the wall clock shows a time within a window, by the time zone database."""
    shown = datetime.fromtimestamp(at / 1000, ZoneInfo(definition.time_zone))
    for back in (0, 1):
        day = shown.date() - timedelta(days=back)
        minute = shown.hour * 60 + shown.minute + back * 24 * 60
        if any(window.opens_minute <= minute < window.closes_minute for window in windows_of(definition, day)):
            return True
    return False


def windows_of(definition: Definition, day: date) -> tuple[ServiceWindow, ...]:
    special = [each.windows for each in definition.special_days if each.date == day.isoformat()]
    yearly = [each.windows for each in definition.yearly_days if each.month_day == f"{day:%m-%d}"]
    weekly = [each.windows for each in definition.weekday_windows if each.weekday == day.weekday()]
    return [*special, *yearly, *weekly, definition.service_windows][0]


@given(given=calendars(), hours=st.tuples(st.integers(-60, 60), st.integers(0, 40)), minute=st.integers(0, 59))
def test_open_time_is_that_of_a_walk_from_minute_to_minute(
    given: tuple[Definition, int], hours: tuple[int, int], minute: int
) -> None:
    definition, midnight = given
    calendar = Calendar(definition)
    since = midnight + hours[0] * HOUR_MS + minute * MINUTE_MS
    walked = [shows_open(definition, at) for at in range(since, since + hours[1] * HOUR_MS, MINUTE_MS)]
    assert calendar.open_ms(since, since + hours[1] * HOUR_MS) == sum(walked) * MINUTE_MS
    assert [calendar.is_open(since + step * MINUTE_MS) for step in range(len(walked))] == walked
    if calendar.is_open(since) and False in walked:
        assert calendar.closes_at(since) == since + walked.index(False) * MINUTE_MS
    if True in walked:
        assert calendar.next_open(since) == since + walked.index(True) * MINUTE_MS


INSTANTS = st.integers(-4 * DAY_MS, 4 * DAY_MS)


@given(given=calendars(), instants=st.tuples(INSTANTS, INSTANTS, INSTANTS))
def test_open_time_adds_up(given: tuple[Definition, int], instants: tuple[int, int, int]) -> None:
    definition, midnight = given
    calendar = Calendar(definition)
    first, second, third = sorted(midnight + each for each in instants)
    assert calendar.open_ms(first, second) + calendar.open_ms(second, third) == calendar.open_ms(first, third)


@given(given=calendars(), start=INSTANTS, owed_ms=st.integers(1, 30 * HOUR_MS))
def test_adding_open_time_gives_the_first_instant_by_which_it_has_passed(
    given: tuple[Definition, int], start: int, owed_ms: int
) -> None:
    definition, midnight = given
    calendar = Calendar(definition)
    at = midnight + start
    due = calendar.add_open(at, owed_ms)
    if due == INSTANT_MAX_MS:
        assert calendar.open_ms(at, at + 399 * DAY_MS) < owed_ms
    else:
        assert calendar.open_ms(at, due) == owed_ms
        assert calendar.open_ms(at, due - 1) == owed_ms - 1
