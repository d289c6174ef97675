"""Lanes of a site's past: what a reading says, for how long, and what nobody said."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.site_lanes import (
    GOES_ON,
    NO_DATA,
    Charge,
    Span,
    Told,
    discharges,
    spans,
    thinned,
    without,
)

HOLDS = 30
ON_BATTERY = frozenset({"battery", "critical"})


def lane(*told: Told, since: int = 0, until: int = 100) -> list[Span]:
    return spans(told, since, until, HOLDS)


def said(at: int, state: str, since: int | None = None) -> Told:
    return Told(at, at if since is None else since, state)


def test_without_a_reading_there_is_no_data_and_after_one_only_for_a_while() -> None:
    assert lane() == [Span(0, 100, NO_DATA)]
    assert lane(said(20, "up")) == [Span(0, 20, NO_DATA), Span(20, 50, "up"), Span(50, 100, NO_DATA)]


def test_a_state_begins_when_the_reading_says_it_did_and_not_when_it_was_read() -> None:
    #  up at 10 ──── fell at 27 ── read at 30 ── up again, read at 40
    found = lane(said(10, "up"), said(30, "down", 27), said(40, "up"), since=10, until=60)
    assert found == [Span(10, 27, "up"), Span(27, 40, "down"), Span(40, 60, "up")]


def test_a_backlog_fills_the_hole_in_which_nobody_was_heard_in_whatever_order_it_comes() -> None:
    live = [said(10, "up"), said(90, "up")]
    assert lane(*live, since=10)[1] == Span(40, 90, NO_DATA)
    backlog = [said(50, "down", 45), said(30, "up"), said(70, "up")]
    assert lane(*live, *backlog, since=10) == [
        Span(10, 45, "up"),
        Span(45, 70, "down"),
        Span(70, 100, "up"),
    ]


def test_a_state_that_has_held_longer_than_the_range_begins_before_it() -> None:
    assert lane(said(20, "up", -500), until=40) == [Span(-500, 40, "up")]


def test_a_reading_that_says_nothing_by_itself_lets_go_on_what_held() -> None:
    assert lane(said(0, "up"), said(25, GOES_ON), until=50) == [Span(0, 50, "up")]
    assert lane(said(0, GOES_ON), until=20) == [Span(0, 20, NO_DATA)]


@given(
    st.lists(st.builds(Told, st.integers(0, 120), st.integers(-20, 120), st.sampled_from(["up", "down", GOES_ON, ""]))),
    st.integers(1, 40),
)
def test_a_lane_has_no_hole_and_says_nothing_that_no_reading_covers(told: list[Told], holds_ms: int) -> None:
    found = spans(told, 0, 100, holds_ms)
    assert found[0].since <= 0
    assert found[-1].until == 100
    assert all(before.until == after.since for before, after in pairwise(found))
    for span in found:
        if span.state == NO_DATA:
            continue
        for at in range(max(0, span.since), span.until):
            assert any(min(each.since, each.at) <= at <= each.at + holds_ms for each in told), at


def test_where_nothing_was_recorded_a_lane_has_no_data() -> None:
    whole = [Span(0, 50, "heard"), Span(50, 100, "silent")]
    assert without(whole, [(10, 20), (40, 60)]) == [
        Span(0, 10, "heard"),
        Span(10, 20, NO_DATA),
        Span(20, 40, "heard"),
        Span(40, 60, NO_DATA),
        Span(60, 100, "silent"),
    ]
    assert without(whole, []) == whole


def test_thinning_a_lane_loses_no_trouble() -> None:
    flicker = [Span(at, at + 1, "down" if at % 10 == 0 else f"up{at % 2}") for at in range(1_000)]
    found = thinned(flicker, ["down"], 50)
    assert len(found) <= 50
    assert (found[0].since, found[-1].until) == (0, 1_000)
    assert all(
        any(span.state == "down" and span.since <= at < span.until for span in found) for at in range(0, 1_000, 10)
    )
    assert thinned(flicker, ["down"], 1_000) == flicker


def charge(at: int, percent: int, runtime_ms: int | None = None, *, is_estimate: bool = False) -> Charge:
    return Charge(at, percent, runtime_ms, is_estimate)


def test_a_discharge_is_projected_by_what_was_measured_or_by_what_the_ups_says() -> None:
    power = [Span(0, 10, "mains"), Span(10, 30, "battery"), Span(30, 40, "critical"), Span(40, 100, "mains")]
    measured = [charge(5, 100), charge(10, 100), charge(20, 90), charge(30, 80)]
    (found,) = discharges(power, measured, ON_BATTERY)
    assert (found.since, found.until, found.empty_at, found.by_slope) == (10, 40, 110, True)
    assert found.charges == tuple(measured[1:])
    (claimed,) = discharges(power, [*measured, charge(35, 80, 500)], ON_BATTERY)
    assert (claimed.empty_at, claimed.by_slope) == (535, False)
    (estimated,) = discharges(power, [*measured, charge(35, 80, 500, is_estimate=True)], ON_BATTERY)
    assert (estimated.empty_at, estimated.by_slope) == (535, True)


def test_on_mains_or_before_the_charge_falls_nothing_is_projected() -> None:
    assert discharges([Span(0, 100, "mains")], [charge(5, 90), charge(9, 80)], ON_BATTERY) == []
    power = [Span(0, 10, "mains"), Span(10, 100, "battery")]
    (steady,) = discharges(power, [charge(20, 90), charge(30, 90)], ON_BATTERY)
    assert (steady.until, steady.empty_at) == (None, None)
    (untold,) = discharges(power, [], ON_BATTERY)
    assert (untold.charges, untold.empty_at) == ((), None)


def test_a_battery_of_which_nothing_is_read_any_more_is_not_called_off_battery() -> None:
    measured = [charge(10, 100), charge(20, 90)]
    (lost,) = discharges([Span(0, 10, "mains"), Span(10, 30, "battery"), Span(30, 90, NO_DATA)], measured, ON_BATTERY)
    assert (lost.until, lost.is_over) == (30, False)
    (back,) = discharges([Span(0, 10, "mains"), Span(10, 30, "battery"), Span(30, 90, "mains")], measured, ON_BATTERY)
    assert (back.until, back.is_over) == (30, True)
    (lasting,) = discharges([Span(0, 10, "mains"), Span(10, 30, "battery")], measured, ON_BATTERY)
    assert (lasting.until, lasting.is_over) == (None, False)
