import pytest

from sla_engine._core.calendar import Calendar
from sla_engine.definition_files import parse_definition
from tests.builders import HOUR_MS, PRESET, ms

WINDOWS = """
based_on = "contract-10s"
service_windows = ["09:00-12:00", "20:00-02:00"]
[special_days]
2026-11-03 = []
2026-11-04 = ["00:00-24:00"]
"""
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


@pytest.mark.parametrize(
    ("at", "start"),
    [("03:59:59.999", "-1 04:00"), ("04:00", "04:00"), ("23:00", "04:00"), ("+1 03:00", "04:00")],
)
def test_the_business_day_starts_at_four(at: str, start: str) -> None:
    assert Calendar(PRESET).business_day_start(ms(at)) == ms(start)


def test_a_day_on_which_the_clocks_change_is_an_hour_longer_or_shorter() -> None:
    calendar = Calendar(parse_definition(LONDON))
    for midnight, hours in ((CLOCKS_BACK, 25), (CLOCKS_ON, 23)):
        noon = midnight + 12 * HOUR_MS
        before = calendar.business_day_start(noon - 24 * HOUR_MS)
        after = calendar.business_day_start(noon)
        assert after - before == hours * HOUR_MS


def test_the_window_follows_the_local_clock_over_a_change() -> None:
    calendar = Calendar(parse_definition(LONDON))
    assert [calendar.is_open(CLOCKS_BACK + hour * HOUR_MS) for hour in (-17, -16, 7, 8)] == [True, True, False, True]
    assert calendar.is_open(CLOCKS_ON + 7 * HOUR_MS)
    assert not calendar.is_open(CLOCKS_ON + 7 * HOUR_MS - 1)
