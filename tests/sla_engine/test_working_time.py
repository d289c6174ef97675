"""Working time between two instants as help desks reckon it, each case by hand and by a walk from minute to minute."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sla_engine._core.calendar import Calendar
from sla_engine._core.windows import MINUTE_MS
from sla_engine.definition_files import parse_definition
from tests.sla_engine.test_calendar import shows_open

OFFICE = 'service_windows = ["08:00-21:00"]\nweekday_windows = { saturday = [], sunday = [] }'
NIGHT = 'service_windows = ["22:00-06:00"]'
ALWAYS = 'service_windows = ["00:00-24:00"]'
LUNCH = 'service_windows = ["09:00-12:00", "13:00-18:00"]\nyearly_days = { 12-25 = [], 12-24 = ["09:00-12:00"] }'
PROMOTION = (
    'service_windows = ["08:00-24:00"]\nspecial_days = { 2026-11-11 = ["00:00-24:00"], 2026-11-10 = ["08:00-02:00"] }'
)
CASES = [
    # a window that crosses midnight, asked for from within it, and begun in closed time
    ("Asia/Shanghai", NIGHT, "2026-11-02 23:30", "2026-11-03 07:00", 390),
    ("Asia/Shanghai", NIGHT, "2026-11-02 12:00", "2026-11-02 22:00", 0),
    # begun on a closed Saturday, over the weekend
    ("Europe/Berlin", OFFICE, "2026-11-07 10:00", "2026-11-09 10:00", 120),
    # a holiday, half a holiday, and the break at noon
    ("Europe/Berlin", LUNCH, "2026-12-24 08:00", "2026-12-26 10:00", 240),
    # a promotion that opens all night, beside a day whose window runs two hours into it
    ("Asia/Shanghai", PROMOTION, "2026-11-10 20:00", "2026-11-11 09:00", 780),
    # days of 25, 23, 24.5 and 23.5 hours
    ("Europe/Berlin", ALWAYS, "2026-10-25 00:00", "2026-10-26 00:00", 1500),
    ("Europe/Berlin", ALWAYS, "2026-03-29 00:00", "2026-03-30 00:00", 1380),
    ("Australia/Lord_Howe", ALWAYS, "2026-04-05 00:00", "2026-04-06 00:00", 1470),
    ("Australia/Lord_Howe", ALWAYS, "2026-10-04 00:00", "2026-10-05 00:00", 1410),
    # a night over each switch
    ("America/St_Johns", NIGHT, "2026-10-31 22:00", "2026-11-01 06:00", 540),
    ("America/St_Johns", NIGHT, "2026-03-07 22:00", "2026-03-08 06:00", 420),
    # clocks that changed at a minute past midnight, and at midnight itself
    ("America/St_Johns", 'service_windows = ["23:00-00:30"]', "2010-11-06 12:00", "2010-11-07 12:00", 150),
    ("Asia/Tehran", 'service_windows = ["00:00-02:00"]', "2022-03-21 12:00", "2022-03-22 12:00", 60),
    ("Asia/Tehran", 'service_windows = ["22:00-24:00"]', "2021-09-21 12:00", "2021-09-22 12:00", 180),
    # Ramadan in Morocco: an hour back, and five weeks later on again
    ("Africa/Casablanca", 'service_windows = ["01:00-04:00"]', "2026-02-14 12:00", "2026-02-15 12:00", 240),
    ("Africa/Casablanca", 'service_windows = ["01:00-04:00"]', "2026-03-21 12:00", "2026-03-22 12:00", 120),
    # summer time that was given up after a week, in each of its nights
    ("America/Recife", ALWAYS, "2000-10-07 00:00", "2000-10-09 00:00", 2820),
    ("America/Recife", ALWAYS, "2000-10-14 00:00", "2000-10-15 00:00", 1500),
    # a zone named by its offset, half past six on, a quarter to nine on, thirteen and fourteen hours on
    ("Etc/GMT+5", OFFICE, "2026-11-06 20:00", "2026-11-09 09:00", 120),
    ("Asia/Yangon", NIGHT, "2026-12-31 12:00", "2027-01-01 12:00", 480),
    ("Australia/Eucla", NIGHT, "2028-02-28 12:00", "2028-03-01 00:00", 600),
    ("Pacific/Chatham", ALWAYS, "2026-04-05 00:00", "2026-04-06 00:00", 1500),
    ("Pacific/Kiritimati", LUNCH, "2026-12-23 17:00", "2026-12-27 10:00", 780),
    # the last night of a country's summer time for good, and half an hour on for good
    ("America/Sao_Paulo", ALWAYS, "2019-02-16 00:00", "2019-02-17 00:00", 1500),
    ("Asia/Pyongyang", ALWAYS, "2018-05-04 12:00", "2018-05-05 12:00", 1410),
    # a date that Samoa skipped
    ("Pacific/Apia", ALWAYS, "2011-12-29 00:00", "2011-12-31 12:00", 2160),
    # no time at all, and a window that closes where it opens, which is a whole day
    ("Asia/Shanghai", OFFICE, "2026-11-02 10:00", "2026-11-02 10:00", 0),
    ("Asia/Shanghai", 'service_windows = ["09:00-09:00"]', "2026-11-02 10:00", "2026-11-03 10:00", 1440),
]


@pytest.mark.parametrize(("zone", "rules", "since", "until", "minutes"), CASES)
def test_working_time_is_what_a_clock_on_the_wall_shows_open(
    zone: str, rules: str, since: str, until: str, minutes: int
) -> None:
    definition = parse_definition(f'based_on = "contract-10s"\ntime_zone = "{zone}"\n{rules}\n')
    first, last = (
        round(datetime.fromisoformat(each).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000 for each in (since, until)
    )
    walked = sum(shows_open(definition, at) for at in range(first, last, MINUTE_MS))
    calendar = Calendar(definition)
    assert calendar.open_ms(first, last) == walked * MINUTE_MS == minutes * MINUTE_MS
    if minutes:
        due = calendar.add_open(first, minutes * MINUTE_MS)
        assert due <= last
        assert calendar.open_ms(due, last) == 0


def test_a_date_that_is_shown_twice_ends_at_the_second_midnight_for_who_came_after_the_first() -> None:
    """On 2010-11-07 at 00:01 the clocks of St. John's went back to 23:01 of the day before."""
    zone = ZoneInfo("America/St_Johns")
    calendar = Calendar(parse_definition(f'based_on = "contract-10s"\ntime_zone = "{zone.key}"'))
    midnight = round(datetime(2010, 11, 7, tzinfo=zone).timestamp()) * 1000
    assert calendar.day_ends_at(midnight - 1) == midnight
    assert calendar.day_ends_at(midnight + 30 * MINUTE_MS) == midnight + 60 * MINUTE_MS
    assert calendar.day_ends_at(midnight + 60 * MINUTE_MS) == midnight + 60 * MINUTE_MS + 24 * 60 * MINUTE_MS
