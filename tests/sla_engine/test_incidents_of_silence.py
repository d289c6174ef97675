"""A site nobody hears of: what its last words, other witnesses and its backlog make of it."""

import msgspec
import pytest

from sla_engine._core.sites import accounts_of, clients_of, fold_sites, new_sites, open_incidents
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, beats, floor, said_after, silences, steps, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Power, Role
from wire.incident import Cause, IncidentSaid, Severity
from wire.organisation import Relation
from wire.record import BROKER
from wire.recorded import Recorded
from wire.uplink import LineState

# ----------------------------------------------------------------------------------------------------------- silence


def test_a_site_that_falls_silent_with_a_line_down_is_cut_off() -> None:
    log = Log()
    said = said_after(
        *two_lines(log),
        log.line("gate", NOON + 5_000, "telecom", LineState.DOWN),
        log.silent("gate", NOON + 8_000, NOON + 14_000),
    )
    assert steps(said) == [("opened", "line_down"), ("changed", "site_isolated")]
    assert not said[-1].is_suspected


def test_a_site_that_falls_silent_in_health_is_silent_and_only_suspected() -> None:
    log = Log()
    said = said_after(log.heartbeat("gate", NOON), log.silent("gate", NOON, NOON + 6_000))
    assert [(each.what, each.cause, each.is_suspected) for each in said] == [("site_silent", "monitoring", True)]


def test_a_silence_that_ends_by_an_older_word_lasted_no_time_and_not_less() -> None:
    log = Log()
    repeated = log.heartbeat("gate", NOON + SECOND)
    said = said_after(
        log.heartbeat("gate", NOON),
        log.silent("gate", NOON + 2 * SECOND, NOON + 4 * SECOND),
        msgspec.structs.replace(repeated, received_at=NOON + 5 * SECOND),
    )
    assert steps(said) == [("opened", "site_silent"), ("closed", "site_silent")]
    assert said[-1].ended_at == said[-1].started_at == NOON + 2 * SECOND


def test_gateway_and_seats_that_fall_silent_together_are_one_incident_of_the_site() -> None:
    log = Log()
    names = [f"s{n:02}" for n in range(20)]
    said = said_after(
        *floor(log, 20),
        log.silent("gate", NOON, NOON + 6 * SECOND),
        log.clock(NOON + 7 * SECOND),
        log.clock(NOON + 11 * SECOND),
        *silences(log, names, NOON),
    )
    assert steps(said) == [("opened", "site_silent")]
    assert said[0].occurred_at == NOON + 11 * SECOND
    assert (said[0].cause, said[0].severity, said[0].is_suspected) == (Cause.MONITORING, Severity.PAGE, True)


def test_two_machines_that_go_at_once_while_other_sites_are_heard_are_certain_and_call() -> None:
    log = Log()
    said = said_after(
        *floor(log, 3),
        log.heartbeat("porch", NOON, "south"),
        log.heartbeat("porch", NOON + 8 * SECOND, "south"),
        log.silent("gate", NOON, NOON + 6 * SECOND),
        log.clock(NOON + 11 * SECOND),
    )
    assert [(each.what, each.cause, each.severity, each.is_suspected) for each in said] == [
        ("site_silent", "site_silent", "call", False)
    ]


def test_a_lone_gateway_that_is_silent_stays_suspected_however_many_other_sites_are_heard() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.heartbeat("porch", NOON + 30 * SECOND, "south"),
        log.silent("gate", NOON, NOON + 30 * SECOND),
        log.clock(NOON + 40 * SECOND),
    )
    assert [(each.what, each.severity, each.is_suspected) for each in said] == [("site_silent", "page", True)]


# ------------------------------------------------------------------------------------------- what is told afterwards


def silent_then_back(log: Log, *told: Recorded) -> list[IncidentSaid]:
    """A site of two lines and a UPS falls silent for ten minutes; `told` is sent once it is back."""
    back = NOON + 10 * MINUTE
    return said_after(
        *two_lines(log),
        log.ups("gate", NOON),
        log.silent("gate", NOON, NOON + 30 * SECOND),
        log.heartbeat("gate", back),
        *told,
    )


def test_a_power_cut_nobody_told_of_is_named_once_the_gateway_sends_what_it_kept() -> None:
    log = Log()
    back = NOON + 10 * MINUTE
    late = log.ups("gate", NOON + SECOND, Power.BATTERY, received_at=back + SECOND)
    again = log.ups("gate", NOON + 2 * SECOND, Power.CRITICAL, received_at=back + 2 * SECOND)
    said = silent_then_back(log, late, again)
    assert [(each.step, each.what, each.cause) for each in said] == [
        ("opened", "site_silent", "monitoring"),
        ("closed", "site_silent", "monitoring"),
        ("closed", "site_power_lost", "site_power"),
    ]
    assert {each.incident for each in said} == {said[0].incident}
    assert said[-1].ended_at == said[-2].ended_at == back
    assert said[-1].details["told_afterwards"] == "yes"


def test_lines_that_were_down_meanwhile_are_the_cause_only_when_all_of_them_were() -> None:
    back = NOON + 10 * MINUTE
    for down, expected in ((("telecom",), "monitoring"), (("telecom", "unicom"), "uplink")):
        log = Log()
        late = [
            log.line("gate", NOON + MINUTE, line, LineState.DOWN, received_at=back + n * SECOND)
            for n, line in enumerate(down, 1)
        ]
        assert silent_then_back(log, *late)[-1].cause == expected


def test_what_is_told_of_another_time_explains_no_silence() -> None:
    log = Log()
    back = NOON + 10 * MINUTE
    said = silent_then_back(
        log,
        log.ups("gate", NOON - MINUTE, Power.BATTERY, received_at=back + SECOND),
        log.ups("gate", back + 2 * SECOND, Power.BATTERY),
        log.ups("gate", back + 3 * SECOND),
    )
    assert [(each.step, each.what) for each in said] == [
        ("opened", "site_silent"),
        ("closed", "site_silent"),
        ("opened", "mains_lost"),
        ("closed", "mains_lost"),
    ]


# ------------------------------------------------------------------------------------------------- the second witness


def test_a_silent_site_whose_people_answer_customers_is_lost_monitoring_and_no_outage() -> None:
    log = Log()
    said = said_after(
        *floor(log, 3),
        log.silent("gate", NOON, NOON + 6 * SECOND),
        log.clock(NOON + 11 * SECOND),
        log.work(NOON + 30 * SECOND, is_working=True),
        *silences(log, ["s00", "s01", "s02"], NOON + 16 * SECOND),
        log.clock(NOON + 40 * SECOND),
    )
    assert [(each.step, each.what, each.severity) for each in said] == [
        ("opened", "site_silent", "page"),
        ("changed", "monitoring", "ticket"),
    ]


def test_a_deaf_hub_explains_sites_whose_people_are_at_work_as_well() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON, interval_ms=2_000),
        log.heartbeat("porch", NOON + 500, "south", interval_ms=2_000),
        log.silent("gate", NOON, NOON + 6_000),
        log.work(NOON + 20_000, is_working=True),
        log.silent("porch", NOON + 500, NOON + 21_000),
        log.clock(NOON + 25_000),
    )
    assert steps(said) == [("opened", "site_silent"), ("changed", "monitoring"), ("changed", "hub_deaf")]


def test_a_silent_site_whose_people_stopped_answering_is_certain() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON),
        log.silent("gate", NOON, NOON + 30 * SECOND),
        log.work(NOON + 60 * SECOND, is_working=False),
        log.heartbeat("gate", NOON + 5 * MINUTE),
        log.silent("gate", NOON + 5 * MINUTE, NOON + 6 * MINUTE),
    )
    assert [(each.step, each.is_suspected, each.cause) for each in said] == [
        ("opened", True, "monitoring"),
        ("changed", False, "site_silent"),
        ("closed", False, "site_silent"),
        ("opened", True, "monitoring"),
    ]


def test_a_gateway_that_is_silent_while_seats_are_heard_is_lost_monitoring_and_no_outage() -> None:
    log = Log()
    said = said_after(
        *floor(log, 3),
        log.silent("gate", NOON, NOON + 6 * SECOND),
        *beats(log, ["s00"], NOON + 8 * SECOND),
        log.clock(NOON + 12 * SECOND),
    )
    assert [(each.what, each.cause, each.severity) for each in said] == [("monitoring", "monitoring", "ticket")]


def test_all_sites_silent_at_one_moment_is_the_hub_and_pages_once() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON, interval_ms=2_000),
        log.heartbeat("porch", NOON + 500, "south", interval_ms=2_000),
        log.silent("gate", NOON, NOON + 6_000),
        log.silent("porch", NOON + 500, NOON + 6_500),
    )
    assert steps(said) == [("opened", "site_silent"), ("changed", "hub_deaf")]
    assert said[-1].site == ""


def test_a_site_that_is_closed_since_yesterday_does_not_hide_that_the_hub_is_deaf() -> None:
    log, later = Log(), NOON + 20 * HOUR
    sites = [f"n{number:02}" for number in range(20)]
    said = said_after(
        *(log.heartbeat(f"gate-{site}", NOON, site, interval_ms=2_000) for site in [*sites, "closed"]),
        log.silent("gate-closed", NOON, NOON + 10 * SECOND),
        *(log.heartbeat(f"gate-{site}", later, site, interval_ms=2_000) for site in sites),
        *(log.silent(f"gate-{site}", later, later + 6 * SECOND + n) for n, site in enumerate(sites)),
    )
    newest = {each.incident: each for each in said}
    closed, deaf = (each for each in newest.values() if each.ended_at is None)
    assert [(each.what, each.site) for each in (closed, deaf)] == [("site_silent", "closed"), ("hub_deaf", "")]
    assert (deaf.started_at, deaf.details["sites"]) == (later, "20")
    assert all(each.details["part_of"] == deaf.incident for each in newest.values() if each.site in sites)


def test_the_last_site_that_goes_dark_by_itself_is_not_the_hub() -> None:
    log = Log()
    said = said_after(
        log.heartbeat("gate", NOON, interval_ms=2_000),
        log.heartbeat("porch", NOON + HOUR, "south", interval_ms=2_000),
        log.silent("gate", NOON, NOON + HOUR + 6_000),
        log.silent("porch", NOON + HOUR, NOON + HOUR + 6_000),
    )
    assert steps(said) == [("opened", "site_silent"), ("opened", "site_silent")]


def test_the_only_site_is_not_called_silent_when_the_hub_lost_its_broker() -> None:
    log = Log()
    state = new_sites(LIMITS)
    lost = [
        log.heartbeat("gate", NOON, interval_ms=2_000),
        log.silent(BROKER, NOON + 1_000, NOON + 4_000),
        log.silent("gate", NOON, NOON + 6_000),
    ]
    fold_sites(state, lost)
    assert [(each.what, each.site, each.first_index) for each in open_incidents(state)] == [("hub_deaf", "", 1)]
    fold_sites(state, [log.back("gate", NOON + 60_000), log.back(BROKER, NOON + 70_000)])
    assert steps(state.unsaid) == [("opened", "hub_deaf"), ("changed", "broker_lost"), ("closed", "broker_lost")]
    assert len({each.incident for each in state.unsaid}) == 1


@pytest.mark.parametrize("is_heard_all_the_while", [True, False])
def test_a_dead_broker_is_one_trouble_where_some_sites_are_heard_over_https(is_heard_all_the_while: bool) -> None:
    """north has MQTT alone, as have the gateway of east and a seat of west; the others change to HTTPS."""
    log, lost = Log(), NOON + MINUTE
    sites = {"north": ["gate-n"], "east": ["gate-e", "seat-e"], "west": ["gate-w", "seat-w"], "south": ["gate-s"]}
    over_https = {"seat-e": "east", "gate-w": "west", "gate-s": "south"}
    probes = [(each, site) for site, each_of in sites.items() for each in each_of]
    first_away = [each for each, _ in probes if not is_heard_all_the_while or each not in over_https]

    def beat(probe: str, site: str, at: int) -> Recorded:
        seat = probe if probe.startswith("seat") else ""
        return log.heartbeat(probe, at, site, Role.SEAT if seat else Role.GATEWAY, seat, interval_ms=2_000)

    said = said_after(
        *(beat(probe, site, lost - SECOND) for probe, site in probes),
        log.silent(BROKER, lost, lost + 3 * SECOND),
        *(log.silent(probe, lost - SECOND, lost + 6 * SECOND) for probe in first_away),
        *(beat(probe, site, lost + n * SECOND) for n in range(10, 120, 2) for probe, site in over_https.items()),
        log.ups("gate-s", lost + 2 * MINUTE, Power.BATTERY, site="south"),
        log.ups("gate-s", lost + 2 * MINUTE + SECOND, site="south"),
        *(
            beat(probe, over_https[probe], lost + n * SECOND)
            for n in range(122, 140, 2)
            for probe in ("seat-e", "gate-w")
        ),
        log.silent("gate-s", lost + 2 * MINUTE + SECOND, lost + 140 * SECOND),
        *(beat(probe, site, lost + 141 * SECOND) for probe, site in probes),
        log.back(BROKER, lost + 151 * SECOND),
    )
    newest = {each.incident: each for each in said}
    by_itself = [each.what for each in newest.values() if "part_of" not in each.details]
    assert sorted(by_itself) == ["broker_lost", "mains_lost", "site_silent"]
    broker = next(each for each in newest.values() if each.what == "broker_lost")
    assert (broker.site, broker.cause, broker.severity, broker.step) == ("", "monitoring", "page", "closed")
    part_of = {each.details.get("part_of") for each in newest.values() if each.site in {"north", "east"}}
    assert part_of <= {broker.incident}
    told = [each for each in said if each.what == "broker_lost" and each.step != "closed"]
    assert told[-1].occurred_at <= lost + 30 * SECOND


@pytest.mark.parametrize("power", [Power.MAINS, Power.BATTERY])
def test_a_site_that_went_before_the_broker_or_said_why_it_would_is_its_own_trouble(power: Power) -> None:
    log = Log()
    late = power is Power.MAINS
    said = said_after(
        log.heartbeat("gate", NOON, interval_ms=2_000),
        log.ups("gate", NOON, power),
        log.silent("gate", NOON, NOON + 6_000),
        log.silent(BROKER, NOON + HOUR if late else NOON, NOON + HOUR + 3_000 if late else NOON + 7_000),
    )
    assert {each.what for each in said} == ({"site_silent"} if late else {"mains_lost", "site_power_lost"})


def test_a_silent_source_of_no_site_is_an_incident_of_its_own_and_no_clients_to_copy() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [*floor(log, 2), log.silent("jd/shop", NOON, NOON + MINUTE), log.back("jd/shop", NOON + HOUR)])
    assert [(each.step, each.what, each.site, each.subject, each.cause) for each in state.unsaid] == [
        ("opened", "feed_silent", "", "jd/shop", "feed_gap"),
        ("closed", "feed_silent", "", "jd/shop", "feed_gap"),
    ]
    assert clients_of(state, state.unsaid[0]) == []


def test_an_incident_concerns_the_clients_served_at_its_site_or_at_the_sites_it_names() -> None:
    log = Log()
    state = new_sites(LIMITS)
    fold_sites(state, [*floor(log, 2), log.heartbeat("porch", NOON, "south"), log.ups("gate", NOON, Power.BATTERY)])
    (said,) = state.unsaid
    assert clients_of(state, said) == ["acme"]
    assert clients_of(state, msgspec.structs.replace(said, site="south")) == []
    assert clients_of(state, msgspec.structs.replace(said, site="", details={"sites": "south"})) == []
    assert clients_of(state, msgspec.structs.replace(said, site="")) == ["acme"]


def test_what_befell_one_seat_concerns_the_client_whose_people_sit_on_it_and_no_other_at_the_site() -> None:
    log = Log()
    state = new_sites(LIMITS)
    other = [
        log.link(Relation.PERSON_OF_ACCOUNT, "as01", "ps01", client="bolt"),
        log.link(Relation.SEAT_OF_PERSON, "pas", "north/A-1"),
        log.link(Relation.PERSON_OF_ACCOUNT, "aas", "pas", client="bolt"),
    ]
    fold_sites(state, [*floor(log, 2), *other, log.ups("gate", NOON, Power.BATTERY)])
    (said,) = state.unsaid
    assert clients_of(state, said) == ["acme", "bolt"]
    for seat, concerned in (("s00", ["acme"]), ("s01", ["bolt"]), ("north/A-1", ["bolt"]), ("s09", [])):
        down = msgspec.structs.replace(said, cause=Cause.SEAT_DOWN, subject=seat)
        assert clients_of(state, down) == concerned, seat
        offline = msgspec.structs.replace(said, cause=Cause.ACCOUNT_OFFLINE, subject=f"{seat}/qianniu")
        assert clients_of(state, offline) == concerned, seat
        assert sorted(accounts_of(state, offline)) == concerned, seat
