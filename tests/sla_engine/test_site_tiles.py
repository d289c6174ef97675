"""What a site's tile says beside its verdict: its lines, what is wrong, and who is behind it."""

from sla_engine._core.sites import fold_sites, new_sites, tile_of
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import MINUTE, SECOND, floor, silences, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.board import SiteTile
from wire.facility import Power
from wire.organisation import Relation
from wire.phone import TrunkState
from wire.recorded import Recorded
from wire.uplink import LineState


def site_after(*entries: Recorded) -> SiteTile:
    state = new_sites(LIMITS)
    fold_sites(state, entries)
    return tile_of(state, "north")


def test_a_tile_has_every_line_and_phone_line_with_its_word_and_since_when() -> None:
    log = Log()
    tile = site_after(
        *two_lines(log),
        log.phone_line("gate", NOON, TrunkState.REACHABLE),
        log.line("gate", NOON + 10_000, "telecom", LineState.DOWN, first_bad_at=NOON + 8_000),
    )
    assert [(line.name, line.state, line.word) for line in tile.lines] == [
        ("telecom", "down", "line_down"),
        ("unicom", "up", "line_up"),
    ]
    assert tile.lines[0].since == NOON + 8_000
    assert [(line.state, line.word) for line in tile.phone_lines] == [("reachable", "trunk_reachable")]
    assert [(trouble.what, trouble.count, trouble.since) for trouble in tile.troubles] == [
        ("line_down", 1, NOON + 8_000)
    ]


def test_troubles_of_one_kind_are_one_and_name_no_seat_the_gravest_first() -> None:
    log = Log()
    tile = site_after(
        *floor(log, 40),
        *silences(log, ["s03"], NOON),
        *silences(log, ["s31"], NOON + 20 * SECOND),
        log.heartbeat("gate", NOON + 2 * MINUTE),
        log.ups("gate", NOON + 2 * MINUTE, replace_battery=True),
        log.line("gate", NOON + 2 * MINUTE, "telecom", is_default_route=True),
        log.line("gate", NOON + 2 * MINUTE, "unicom"),
        log.line("gate", NOON + 3 * MINUTE, "telecom", LineState.DOWN),
    )
    whats = [(trouble.what, trouble.count) for trouble in tile.troubles]
    assert whats == [("line_down", 1), ("seat_down", 2), ("battery_worn", 1)]
    assert "s03" not in repr(tile)


def test_shops_behind_a_site_are_those_its_people_have_accounts_of_the_one_of_most_people_first() -> None:
    log = Log()
    served = [
        log.link(Relation.PERSON_OF_ACCOUNT, "as01", "ps01", client="acme", shop="outlet"),
        log.link(Relation.PERSON_OF_ACCOUNT, "as02", "ps02", client="acme", shop="flagship"),
        log.link(Relation.PERSON_OF_ACCOUNT, "as03", "ps03", client="acme", shop="flagship"),
        log.link(Relation.PERSON_OF_ACCOUNT, "also", "ps03", client="bolt", shop="bolts"),
        log.link(Relation.PERSON_OF_ACCOUNT, "elsewhere", "somebody", client="acme", shop="annex"),
    ]
    calm = [*floor(log, 4), *served]
    dark = log.ups("gate", NOON + SECOND, Power.BATTERY)
    assert site_after(*calm).shops == {}
    assert site_after(*calm, dark).shops == {"acme": ["flagship", "outlet"], "bolt": ["bolts"]}


def test_clients_and_teams_behind_a_site_are_told_while_it_is_in_trouble_only() -> None:
    log = Log()
    team = log.link(Relation.TEAM_OF_PERSON, "ps01", "red")
    elsewhere = log.link(Relation.TEAM_OF_PERSON, "somebody", "blue")
    calm = [team, elsewhere, *floor(log, 3)]
    dark = log.ups("gate", NOON + SECOND, Power.BATTERY)
    over = log.ups("gate", NOON + 2 * SECOND)
    for entries, clients, teams in (([], [], []), ([dark], ["acme"], ["red"]), ([dark, over], [], [])):
        tile = site_after(*calm, *entries)
        assert (tile.clients, tile.teams) == (clients, teams)
