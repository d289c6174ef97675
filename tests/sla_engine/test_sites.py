"""One verdict per site, from the last words of its probes and from their silence."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatch.glossary import words
from sla_engine._core.sites import (
    SiteReason,
    SitesState,
    SiteState,
    fold_sites,
    new_sites,
    site_tiles,
    tile_of,
)
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.site_limits import LIMITS
from wire.board import SiteTile
from wire.facility import Comms, Power, Role, SelfTest
from wire.recorded import Recorded

SECOND = 1_000


def site_after(*entries: Recorded) -> SiteTile:
    state = new_sites(LIMITS)
    fold_sites(state, entries)
    return tile_of(state, "north")


def verdict(tile: SiteTile) -> tuple[str, str]:
    return tile.state, tile.reason


def test_a_site_that_was_declared_and_never_heard_is_unknown_not_down() -> None:
    log = Log()
    tile = site_after(log.declared("gate", NOON, carries="facilities", site="north"))
    assert verdict(tile) == ("unknown", "never_heard")
    assert (tile.probes_known, tile.probes_reporting, tile.power, tile.last_heard_at) == (1, 0, None, None)


def test_a_site_with_mains_and_a_heartbeat_is_ok() -> None:
    log = Log()
    tile = site_after(log.heartbeat("gate", NOON), log.ups("gate", NOON + 1, charge_percent=100, runtime_ms=900_000))
    assert verdict(tile) == ("ok", "ok")
    assert (tile.power, tile.comms, tile.charge_percent, tile.runtime_ms) == ("mains", "ok", 100, 900_000)
    assert tile.last_heard_at == NOON + 1


def test_the_shortest_time_left_of_a_site_says_whether_it_is_an_estimate() -> None:
    log = Log()
    claims = log.ups("gate", NOON, ups="rack", runtime_ms=900_000)
    estimated = log.ups("gate", NOON, ups="hall", runtime_ms=600_000, runtime_is_estimate=True)
    assert (site_after(claims, estimated).runtime_ms, site_after(claims, estimated).runtime_is_estimate) == (
        600_000,
        True,
    )
    assert not site_after(claims).runtime_is_estimate


def test_mains_lost_shows_at_once_and_since_when() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [log.heartbeat("gate", NOON), log.ups("gate", NOON)])
    changed = fold_sites(state, [log.ups("gate", NOON + 5_000, Power.BATTERY, since_ms=700)])
    assert [(t.state, t.reason, t.since) for t in changed] == [("on_battery", "mains_lost", NOON + 4_300)]


def test_an_unchanged_verdict_is_no_change() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [log.heartbeat("gate", NOON), log.ups("gate", NOON)])
    assert fold_sites(state, [log.heartbeat("gate", NOON + 10_000), log.ups("gate", NOON + 10_000)]) == []


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ({"power": Power.CRITICAL}, ("on_battery", "power_critical")),
        ({"power": Power.BATTERY, "low_battery": True}, ("on_battery", "power_critical")),
        ({"power": Power.MAINS, "low_battery": True}, ("degraded", "battery_weak")),
        ({"power": Power.MAINS, "replace_battery": True}, ("degraded", "battery_worn")),
        ({"power": Power.MAINS, "self_test": SelfTest.FAILED}, ("degraded", "ups_self_test_failed")),
        ({"power": Power.MAINS, "self_test": SelfTest.WARNING}, ("ok", "ok")),
        ({"power": Power.MAINS, "self_test": SelfTest.UNKNOWN}, ("ok", "ok")),
        ({"power": Power.BATTERY, "self_test": SelfTest.FAILED}, ("on_battery", "mains_lost")),
        ({"power": Power.BYPASS}, ("redundancy_lost", "power_bypass")),
        ({"power": Power.LOAD_OFF}, ("degraded", "ups_off")),
        ({"power": Power.OFF}, ("degraded", "ups_off")),
        ({"power": Power.UNKNOWN}, ("degraded", "ups_status_unknown")),
        ({"power": Power.MAINS_DISCHARGING}, ("ok", "ok")),
        ({"power": Power.STARTING}, ("ok", "ok")),
        ({"power": Power.UNKNOWN, "comms": Comms.STALE}, ("degraded", "ups_comms_lost")),
        ({"power": Power.UNKNOWN, "comms": Comms.DRIVER_DEAD}, ("degraded", "ups_comms_lost")),
        ({"power": Power.UNKNOWN, "comms": Comms.UNREACHABLE}, ("degraded", "ups_comms_lost")),
        ({"power": Power.UNKNOWN, "comms": Comms.STARTING}, ("ok", "ok")),
    ],
)
def test_each_reading_after_mains_has_its_verdict(reading: dict[str, object], expected: tuple[str, str]) -> None:
    log = Log()
    tile = site_after(log.heartbeat("gate", NOON), log.ups("gate", NOON), log.ups("gate", NOON + 1, **reading))  # type: ignore[arg-type]  # parametrised
    assert verdict(tile) == expected


def test_a_site_shows_the_worst_self_test_of_its_upses_and_keeps_it_while_one_is_not_heard() -> None:
    log = Log()
    start = [
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON),
        log.ups("gate", NOON, ups="a", self_test=SelfTest.PASSED),
    ]
    shown = [
        site_after(*start),
        site_after(*start, log.ups("gate", NOON + 1, ups="z", self_test=SelfTest.FAILED, self_test_date="10/25/93")),
    ]
    lost = log.ups("gate", NOON + 2, Power.UNKNOWN, comms=Comms.STALE, ups="z")
    shown.append(
        site_after(
            *start, log.ups("gate", NOON + 1, ups="z", self_test=SelfTest.FAILED, self_test_date="10/25/93"), lost
        )
    )
    assert [(tile.self_test, tile.self_test_ups, tile.self_test_date) for tile in shown] == [
        ("passed", "a", ""),
        ("failed", "z", "10/25/93"),
        ("failed", "z", "10/25/93"),
    ]
    assert site_after(log.heartbeat("gate", NOON), log.ups("gate", NOON)).self_test is None


def test_a_conflict_alone_changes_nothing_but_what_is_shown() -> None:
    log = Log()
    start = (log.heartbeat("gate", NOON), log.ups("gate", NOON, charge_percent=98))
    tile = site_after(*start, log.ups("gate", NOON + 1, Power.CONFLICT, charge_percent=98))
    assert (*verdict(tile), tile.power) == ("ok", "ok", "conflict")


def test_a_conflict_with_a_falling_charge_is_a_loss_of_mains() -> None:
    log = Log()
    start = (log.heartbeat("gate", NOON), log.ups("gate", NOON, charge_percent=98))
    tile = site_after(*start, log.ups("gate", NOON + 1, Power.CONFLICT, charge_percent=95))
    assert verdict(tile) == ("on_battery", "mains_lost")


def test_a_ups_that_stops_answering_while_on_battery_stays_on_battery() -> None:
    log = Log()
    tile = site_after(
        log.heartbeat("gate", NOON),
        log.ups("gate", NOON, Power.BATTERY),
        log.ups("gate", NOON + 20_000, Power.UNKNOWN, comms=Comms.STALE),
    )
    assert (*verdict(tile), tile.power, tile.comms) == ("on_battery", "mains_lost", "battery", "stale")


def test_the_worst_ups_of_a_site_speaks_for_it() -> None:
    log = Log()
    tile = site_after(
        log.ups("gate", NOON, ups="a", charge_percent=100),
        log.ups("gate", NOON, Power.BATTERY, ups="b", charge_percent=60),
        log.ups("gate", NOON + 1, ups="a", charge_percent=100),
    )
    assert (*verdict(tile), tile.power, tile.charge_percent) == ("on_battery", "mains_lost", "battery", 60)


def test_silence_on_battery_is_a_loss_of_power() -> None:
    log = Log()
    tile = site_after(
        log.heartbeat("gate", NOON), log.ups("gate", NOON, Power.BATTERY), log.silent("gate", NOON, NOON + 30 * SECOND)
    )
    assert (*verdict(tile), tile.since, tile.probes_reporting) == ("power_lost", "silent_on_battery", NOON, 0)


def test_one_probe_that_goes_silent_in_health_explains_nothing() -> None:
    log = Log()
    tile = site_after(log.heartbeat("gate", NOON), log.ups("gate", NOON), log.silent("gate", NOON, NOON + 30 * SECOND))
    assert verdict(tile) == ("silent", "silent")


def test_several_probes_that_go_silent_together_with_nothing_said_are_silent_and_neither_dark_nor_cut_off() -> None:
    log = Log()
    tile = site_after(
        log.heartbeat("gate", NOON),
        log.heartbeat("seat-1", NOON + 8 * SECOND, role=Role.SEAT),
        log.silent("gate", NOON, NOON + 30 * SECOND),
        log.silent("seat-1", NOON + 8 * SECOND, NOON + 38 * SECOND),
    )
    assert verdict(tile) == ("silent", "silent_together")


def test_a_seat_switched_off_hours_before_does_not_make_the_silence_shared() -> None:
    log = Log()
    tile = site_after(
        log.heartbeat("seat-1", NOON - 7_200 * SECOND, role=Role.SEAT),
        log.silent("seat-1", NOON - 7_200 * SECOND, NOON - 7_170 * SECOND),
        log.heartbeat("gate", NOON),
        log.silent("gate", NOON, NOON + 30 * SECOND),
    )
    assert verdict(tile) == ("silent", "silent")


def test_a_seat_switched_off_says_nothing_about_its_site_but_a_gateway_does() -> None:
    log = Log()
    seat_off = (
        log.heartbeat("gate", NOON),
        log.heartbeat("seat-1", NOON, role=Role.SEAT),
        log.silent("seat-1", NOON, NOON + 30 * SECOND),
    )
    assert verdict(site_after(*seat_off)) == ("ok", "ok")
    gate_off = (
        log.heartbeat("gate", NOON),
        log.heartbeat("seat-1", NOON + 25 * SECOND, role=Role.SEAT),
        log.silent("gate", NOON, NOON + 30 * SECOND),
    )
    assert verdict(site_after(*gate_off)) == ("degraded", "probe_silent")


def test_a_probe_that_speaks_again_is_back_before_anyone_says_so() -> None:
    log = Log()
    entries = (
        log.heartbeat("gate", NOON),
        log.silent("gate", NOON, NOON + 30 * SECOND),
        log.heartbeat("gate", NOON + 60 * SECOND),
    )
    tile = site_after(*entries)
    assert (*verdict(tile), tile.probes_reporting) == ("ok", "ok", 1)
    assert verdict(site_after(*entries, log.back("gate", NOON + 60 * SECOND))) == ("ok", "ok")


def test_a_backlog_that_comes_after_the_fresh_snapshot_is_history() -> None:
    log = Log()
    now = NOON + 600 * SECOND
    tile = site_after(
        log.ups("gate", NOON),
        log.ups("gate", now, Power.MAINS),
        log.ups("gate", NOON + 60 * SECOND, Power.BATTERY, received_at=now + 1),
        log.ups("gate", NOON + 300 * SECOND, Power.CRITICAL, received_at=now + 2),
    )
    assert (*verdict(tile), tile.power) == ("ok", "ok", "mains")


def test_a_probe_whose_clock_runs_ahead_can_still_correct_itself() -> None:
    log = Log()
    tile = site_after(
        log.ups("gate", NOON + 3_600 * SECOND, Power.BATTERY, received_at=NOON),
        log.ups("gate", NOON + 1_000, Power.MAINS, received_at=NOON + 1_000),
    )
    assert verdict(tile) == ("ok", "ok")


def test_a_probe_that_moves_house_is_counted_where_it_is() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [log.heartbeat("gate", NOON), log.heartbeat("gate", NOON + 1, site="south")])
    assert [(t.id, t.probes_known) for t in site_tiles(state)] == [("north", 0), ("south", 1)]


def test_a_sender_nobody_configured_is_named_until_somebody_does() -> None:
    log = Log()
    state = new_sites(LIMITS)
    for source in ("porch", "gate", "porch"):
        fold_sites(state, [log.stranger(source, NOON)])
    assert state.strangers == ["gate", "porch"]
    fold_sites(state, [log.declared("gate", NOON, carries="facilities", site="north")])
    assert state.strangers == ["porch"]


def test_every_state_and_reason_has_its_word() -> None:
    assert {*SiteState, *SiteReason} <= set(words())


READINGS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(Power), st.sampled_from(Comms), st.booleans()),
    min_size=1,
    max_size=12,
)


@given(readings=READINGS, cut=st.integers(0, 12))
def test_state_is_the_same_for_any_batching_and_after_a_restart(
    readings: list[tuple[int, Power, Comms, bool]], cut: int
) -> None:
    log = Log()
    entries = [
        log.silent("gate", NOON + at, NOON + at) if silent else log.ups("gate", NOON + at, power, comms=comms)
        for at, power, comms, silent in readings
    ]
    whole, parts = new_sites(LIMITS), new_sites(LIMITS)
    fold_sites(whole, entries)
    fold_sites(parts, entries[:cut])
    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(parts), type=SitesState)
    fold_sites(restored, entries[cut:])
    assert site_tiles(restored) == site_tiles(whole)
