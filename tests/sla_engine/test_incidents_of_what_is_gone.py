"""UPSes, lines, gateways and seat PCs that were replaced, renamed or taken away hold no incident open."""

from msgspec.structs import replace

from sla_engine._core.sites import fold_sites, new_sites, open_incidents, site_tiles, tile_of
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, beats, floor, said_after, steps, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Comms, Power, Role
from wire.phone import TrunkState
from wire.uplink import LineState

LATER = NOON + HOUR


def test_a_ups_that_was_renamed_while_on_battery_is_no_longer_out_once_its_probe_lists_what_it_has() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON, upses=["rack"]),
        log.ups("gate", NOON, Power.BATTERY),
        log.heartbeat("gate", LATER, upses=["new"]),
        log.ups("gate", LATER, ups="new"),
        log.phone_line("gate", LATER + MINUTE, TrunkState.UNREACHABLE),
        log.silent("gate", LATER + HOUR, LATER + HOUR + 10 * SECOND),
    )
    assert steps(said) == [
        ("opened", "mains_lost"),
        ("closed", "mains_lost"),
        ("opened", "phone_line_down"),
        ("opened", "site_silent"),
        ("closed", "phone_line_down"),
    ]


def test_a_line_that_was_renamed_does_not_hide_that_all_lines_are_down() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.heartbeat("gate", LATER, lines=["dianxin", "unicom"]),
        log.line("gate", LATER, "dianxin", is_default_route=True),
        log.line("gate", LATER + MINUTE, "dianxin", LineState.DOWN),
        log.line("gate", LATER + MINUTE, "unicom", LineState.DOWN),
    )
    assert steps(said) == [("opened", "line_down"), ("changed", "lines_down")]


def test_lines_and_phone_lines_that_were_taken_away_while_down_are_over() -> None:
    log = Log()
    state = new_sites(LIMITS)
    entries = [
        *two_lines(log),
        log.line("gate", NOON + SECOND, "unicom", LineState.DOWN),
        log.phone_line("gate", NOON + SECOND, TrunkState.UNREACHABLE),
        log.heartbeat("gate", LATER, lines=["telecom"], phone_lines=[]),
    ]
    fold_sites(state, entries[:-1])
    assert {each.what for each in open_incidents(state)} == {"line_down", "phone_line_down"}
    fold_sites(state, entries[-1:])
    assert open_incidents(state) == []
    tile = tile_of(state, "north")
    assert ([line.id for line in tile.lines], tile.phone_lines, tile.state) == (["telecom"], [], "ok")


def test_a_probe_forgets_nothing_of_another_one_and_one_that_lists_nothing_forgets_nothing() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON, upses=["rack"]),
        log.heartbeat("annex", NOON, upses=["hall"]),
        log.ups("gate", NOON, Power.BATTERY),
        log.heartbeat("annex", LATER, upses=["hall"]),
        log.heartbeat("gate", LATER),
    )
    assert steps(said) == [("opened", "mains_lost")]


def test_what_an_earlier_start_listed_is_history() -> None:
    log = Log()
    told_late = log.heartbeat("gate", NOON, upses=["rack"])
    said = said_after(
        log.heartbeat("gate", LATER, upses=["new"]),
        log.ups("gate", LATER, Power.BATTERY, ups="new"),
        replace(told_late, received_at=LATER + SECOND),
    )
    assert steps(said) == [("opened", "mains_lost")]


def test_a_gateway_whose_identity_was_revoked_is_retired_with_all_it_told() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [*floor(log, 3), log.ups("gate", NOON, comms=Comms.DRIVER_DEAD)])
    fold_sites(state, [log.silent("gate", NOON, NOON + 10 * SECOND), *beats(log, ["s00", "s01"], NOON + MINUTE)])
    assert {each.what for each in open_incidents(state)} == {"ups_comms_lost", "monitoring"}
    fold_sites(state, [log.revoked("gate", LATER), log.silent("gate", LATER, LATER + 10 * SECOND)])
    assert open_incidents(state) == []
    fold_sites(state, [log.revoked("nobody", LATER + MINUTE), log.ups("gate", LATER + HOUR, Power.BATTERY)])
    assert [each.what for each in open_incidents(state)] == ["mains_lost"]


def test_a_site_whose_only_probe_was_retired_does_not_keep_the_hub_from_noticing_that_it_is_deaf() -> None:
    log = Log()
    said = said_after(
        *(log.heartbeat(f"gate-{site}", NOON, site, interval_ms=2_000) for site in ("north", "south", "closed")),
        log.revoked("gate-closed", NOON + SECOND),
        log.silent("gate-north", NOON, NOON + 6 * SECOND),
        log.silent("gate-south", NOON, NOON + 6 * SECOND),
    )
    assert steps(said) == [("opened", "site_silent"), ("changed", "hub_deaf")]


def test_a_seat_whose_machine_was_replaced_is_not_down_whichever_was_noticed_first() -> None:
    log = Log()
    new = log.heartbeat("pc-new", LATER, "north", Role.SEAT, "s00", 5_000)
    others = [*beats(log, ["s01", "s02"], LATER), log.heartbeat("gate", LATER)]
    ends = [log.clock(LATER + 2 * MINUTE)]
    old = log.silent("s00", LATER - MINUTE, LATER - 45 * SECOND)
    assert said_after(*floor(log, 3), new, *others, old, *ends) == []
    assert said_after(*floor(log, 3), old, new, *others, *ends) == []


def test_what_is_open_at_a_site_that_was_removed_ends_and_says_why_until_it_speaks_again() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [*floor(log, 3), log.heartbeat("far", NOON, "south")])
    fold_sites(state, [log.ups("gate", NOON, Power.MAINS), log.ups("gate", LATER, Power.BATTERY)])
    fold_sites(state, [log.removed("north", LATER + MINUTE)])
    assert steps(state.unsaid) == [("opened", "mains_lost"), ("closed", "mains_lost")]
    assert state.unsaid[-1].details["site_removed"] == "yes"
    assert state.unsaid[-1].ended_at == LATER + MINUTE
    assert [tile.id for tile in site_tiles(state)] == ["south"]
    silent = [log.silent(source, LATER, LATER + 2 * MINUTE) for source in ("gate", "s00")]
    fold_sites(state, [*silent, log.back("gate", LATER + 3 * MINUTE), log.removed("nowhere", LATER + 4 * MINUTE)])
    assert open_incidents(state) == []
    fold_sites(state, [log.ups("gate", LATER + HOUR, Power.BATTERY)])
    assert [(each.what, each.site) for each in open_incidents(state)] == [("mains_lost", "north")]


def test_a_removal_among_other_entries_leaves_nothing_of_its_site_to_be_judged() -> None:
    log, night = Log(), NOON + 12 * HOUR
    told = [*floor(log, 3), log.ups("gate", NOON, Power.BATTERY), log.removed("north", NOON + SECOND), log.clock(night)]
    state = new_sites(LIMITS)
    assert fold_sites(state, told) == []
    assert steps(state.unsaid) == [("opened", "mains_lost"), ("closed", "mains_lost")]
