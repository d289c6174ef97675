"""How long a battery will last, told from how fast its charge falls."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe.sensors.ups.runtime import WHOLE, RuntimeEstimate
from tests.agent_probe.living_probe import SETTINGS

PERCENT = WHOLE // 100
RULES = SETTINGS.ups.slope
EVERY_MS = 30_000  # as drivers read the charge


def discharging(charge_at: Callable[[int], float], until: int) -> list[tuple[int, int]]:
    """(ms, estimate) for every sample that has one; charge in whole percents, as devices say it."""
    estimate = RuntimeEstimate(RULES)
    told = []
    for now in range(0, until, EVERY_MS):
        left_ms = estimate.observe(int(charge_at(now)) * PERCENT, now, on_battery=True)
        if left_ms is not None:
            told.append((now, left_ms))
    return told


@pytest.mark.parametrize("lasts_ms", [600_000, 1_800_000, 7_200_000])
def test_a_steady_discharge_is_told_to_within_a_quarter_from_the_fifth_percent_on(lasts_ms: int) -> None:
    told = discharging(lambda now: 100 - 100 * now / lasts_ms, lasts_ms)
    assert told[0][0] <= max(lasts_ms * 8 // 100, 3 * EVERY_MS)
    one_step_ms = lasts_ms // 100 + EVERY_MS
    wrong = [now for now, left_ms in told if abs(left_ms - (lasts_ms - now)) > (lasts_ms - now) / 4 + one_step_ms]
    assert wrong == []


def test_a_battery_that_falls_faster_towards_its_end_is_told_closer_and_closer() -> None:
    lasts_ms = 1_800_000
    told = discharging(lambda now: 100 - 60 * now / lasts_ms - 40 * (now / lasts_ms) ** 3, lasts_ms)
    early = next(left_ms - (lasts_ms - now) for now, left_ms in told if now >= lasts_ms // 4)
    late = next(left_ms - (lasts_ms - now) for now, left_ms in told if now >= lasts_ms * 9 // 10)
    assert late < early
    assert abs(late) < lasts_ms // 10


def test_nothing_is_told_on_mains_without_a_charge_or_before_three_percent_are_gone() -> None:
    estimate = RuntimeEstimate(RULES)
    assert estimate.observe(90 * PERCENT, 0, on_battery=False) is None
    for minute, percent in enumerate([90, 89, 88, 87]):
        assert estimate.observe(percent * PERCENT, minute * 60_000, on_battery=True) is None
    assert estimate.observe(86 * PERCENT, 240_000, on_battery=True) == 86 * 60_000
    assert estimate.observe(86 * PERCENT, 270_000, on_battery=True) == 86 * 60_000 - 30_000
    assert estimate.observe(None, 300_000, on_battery=True) is None
    assert estimate.observe(86 * PERCENT, 330_000, on_battery=True) is None


def test_a_charge_that_rises_begins_anew() -> None:
    estimate = RuntimeEstimate(RULES)
    for minute, percent in enumerate([50, 49, 48, 47, 46]):
        estimate.observe(percent * PERCENT, minute * 60_000, on_battery=True)
    assert estimate.observe(47 * PERCENT, 300_000, on_battery=True) is None


@given(
    st.lists(st.tuples(st.none() | st.integers(0, WHOLE), st.integers(0, 10**7), st.booleans()), max_size=60),
)
def test_an_estimate_is_never_negative_whatever_a_device_says(steps: list[tuple[int | None, int, bool]]) -> None:
    estimate = RuntimeEstimate(RULES)
    now = 0
    for charge, pause_ms, on_battery in steps:
        now += pause_ms
        left_ms = estimate.observe(charge, now, on_battery=on_battery)
        assert left_ms is None or left_ms >= 0
