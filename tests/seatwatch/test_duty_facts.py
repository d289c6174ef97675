"""What is gathered for a message: whose sites, whose incidents, whose clocks."""

from pathlib import Path

import msgspec
import pytest

from collector._core import keys
from dashboards.alerting._core.duty_facts import Clocks, DutyKind
from dashboards.wallboard._core.names import Names
from seatwatch.duty.facts import About, duty_facts
from seatwatch.duty.messages import duty_message
from seatwatch.settings import load_defaults
from tests.builders import Event, rules
from tests.dashboards.alerting.incidents import incident
from tests.sla_engine.entries import NOON, Log, head
from tests.sla_engine.feeding import Feed
from tests.sla_engine.floors import HOUR, MINUTE, floor
from wire.incident import Cause, IncidentAcknowledged, Severity
from wire.kinds import Kind
from wire.organisation import Relation
from wire.recorded import Recorded
from wire.seat import SeatReading

SEVEN = NOON + 5 * MINUTE


def seat_clock(log: Log, seat: str, at: int, offset_ms: int | None, site: str = "north") -> Recorded:
    return log.entry(seat, Kind.SEAT_READING, SeatReading(**head(at), site=site, seat=seat, clock_offset_ms=offset_ms))


def recorded(data: Path, *entries: Recorded, client: str = "") -> None:
    feed = Feed(data / "clients" / client if client else data / "operator")
    feed.append(Event(entry.body, entry.source, entry.received_at) for entry in entries if entry.body is not None)
    feed.close()


def test_clocks_are_those_told_last_within_the_hour_and_of_that_site(tmp_path: Path) -> None:
    log = Log()
    readings = [
        seat_clock(log, "s00", SEVEN - 90 * MINUTE, 90_000),
        seat_clock(log, "s01", SEVEN - 30 * MINUTE, 5_000),
        seat_clock(log, "s01", SEVEN - MINUTE, -1_000),
        seat_clock(log, "s02", SEVEN - MINUTE, -1_001),
        seat_clock(log, "s03", SEVEN - MINUTE, None),
        seat_clock(log, "t00", SEVEN - MINUTE, 9_000, site="south"),
        seat_clock(log, "s02", SEVEN + MINUTE, 0),
    ]
    recorded(tmp_path, *readings)
    facts = duty_facts(tmp_path, DutyKind.PRE_OPENING, About("", "north"), SEVEN)
    assert facts.clocks == {"north": Clocks(told=2, off=1, worst_ms=1_001)}


def test_due_at_opening_are_the_seats_whose_shift_has_begun_by_then(tmp_path: Path) -> None:
    log = Log()
    later = [
        log.link(Relation.SITE_OF_SEAT, "late", "north"),
        log.link(Relation.SEAT_OF_PERSON, "li", "late"),
        log.link(Relation.SHIFT_OF_PERSON, "li", "09:00-18:00", starts="09:00", ends="18:00"),
        log.link(Relation.SITE_OF_SEAT, "spare", "north"),
    ]
    elsewhere = floor(log, 3, roster=False, site="south")
    opening = NOON + 20 * HOUR
    recorded(tmp_path, *floor(log, 3), *later, *elsewhere, log.clock(opening - 30 * MINUTE))
    check = duty_facts(tmp_path, DutyKind.PRE_OPENING, About("", "north"), opening - 30 * MINUTE)
    assert (check.opens_at, check.seats_due) == (opening, {"north": 3})
    assert check.sites[0].seats_expected == 0
    of_client = duty_facts(tmp_path, DutyKind.PRE_OPENING, About("acme", ""), opening - 30 * MINUTE)
    assert of_client.seats_due == {"north": 3}
    assert duty_facts(tmp_path, DutyKind.PRE_OPENING, About("", "south"), opening - 30 * MINUTE).seats_due == {}
    assert duty_facts(tmp_path, DutyKind.HANDOVER, About("", "north"), opening).seats_due == {}


def test_a_client_is_told_of_the_sites_its_people_sit_at_and_of_no_single_seat(tmp_path: Path) -> None:
    log = Log()
    elsewhere = [log.heartbeat("gate2", NOON, "south", interval_ms=2_000)]
    recorded(tmp_path, *floor(log, 2), *elsewhere)
    said = [
        incident("lines_down", NOON, site="north", cause=Cause.UPLINK),
        incident("seat_down", NOON, site="north", subject="s01", cause=Cause.SEAT_DOWN),
        incident("lines_down", SEVEN + 1, site="north", cause=Cause.UPLINK),
        incident("mains_lost", NOON - 2, site="north", ended_at=NOON + 2),
    ]
    feed = Feed(tmp_path / "clients" / "acme")
    feed.append([*rules(), *(Event(each, "~incident", SEVEN + 2) for each in said)])
    feed.close()
    facts = duty_facts(tmp_path, DutyKind.HANDOVER, About("acme", ""), SEVEN)
    assert [site.id for site in facts.sites] == ["north"]
    assert [each.incident for each in facts.open_incidents] == [said[0].incident]
    assert [each.incident for each in facts.ended] == [said[3].incident]
    assert duty_facts(tmp_path, DutyKind.HANDOVER, About("acme", ""), SEVEN, since=NOON + 3).ended == []


def test_whoever_took_on_a_lesser_trouble_is_not_named_for_what_it_became(tmp_path: Path) -> None:
    line = incident("line_down", NOON, site="north", cause=Cause.UPLINK)
    both = msgspec.structs.replace(line, what="lines_down", severity=Severity.CALL, revision=1)
    taken = [
        Event(IncidentAcknowledged(at, 1, "hub", None, True, "", line.incident, by), keys.ACKNOWLEDGED, at)
        for at, by in ((NOON + 2, "li"), (NOON + 3, "wang"), (NOON + 5, "zhao"))
    ]
    feed = Feed(tmp_path / "operator")
    feed.append([Event(line, keys.INCIDENT, NOON + 1), *taken[:2], Event(both, keys.INCIDENT, NOON + 4), taken[2]])
    feed.close()
    held = [duty_facts(tmp_path, DutyKind.HANDOVER, About("", "north"), NOON + at).taken_by for at in range(2, 6)]
    assert held == [{line.incident: "li"}] * 2 + [{}, {line.incident: "zhao"}]


def test_an_empty_data_directory_gives_a_message_without_data(tmp_path: Path) -> None:
    facts = duty_facts(tmp_path, DutyKind.DAILY, About("acme", ""), SEVEN)
    assert (facts.tiles, facts.sites, facts.client, facts.causes) == ([], [], None, None)


@pytest.mark.parametrize(("about", "page"), [(About("acme", ""), "/portal/board"), (About("", "north"), "/")])
def test_a_client_is_led_to_the_portal_and_a_site_to_the_wallboard(tmp_path: Path, about: About, page: str) -> None:
    facts = duty_facts(tmp_path, DutyKind.DAILY, about, SEVEN)
    names = Names(clients={"acme": "Acme"}, sites={"north": "North"})
    url = "https://hub.example.com/"
    made = duty_message(facts, "en", "UTC", names=names, public_url=url, defaults=load_defaults())
    assert made.link.startswith(f"https://hub.example.com{page}?at=20")
    assert ("Acme" if about.client else "North") in made.title
    # SEVEN is 12:05: the board of a day's last instant, as the next one shows another day
    assert made.link.endswith("T04:04:59%2B00:00")
    opening = duty_facts(tmp_path, DutyKind.PRE_OPENING, about, SEVEN)
    link = duty_message(opening, "en", "UTC", names=names, public_url=url, defaults=load_defaults()).link
    assert link.endswith("T04:05:00%2B00:00")
    both = Names(clients={"acme": "\u5c71\u91ce"}, sites={"north": "\u5317\u65b9"}, english=names)
    assert duty_message(facts, "en", "UTC", names=both, public_url=url, defaults=load_defaults()) == made
