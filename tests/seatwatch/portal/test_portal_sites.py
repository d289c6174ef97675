"""A site's past on a page: every lane says what was told, nothing where nothing was, and only to whom it may."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from dashboards.portal._core.site_charts import discharge, lanes
from dashboards.portal._core.svg import PHONE, SCREEN
from dashboards.portal.record import AskedWronglyError, NothingSaidError
from dashboards.portal.site_record import LanePicture, Look, NotSeenError, Range, SiteAsked, SitePage, Spell, Stretch
from dashboards.wallboard.past import instant_of
from seatwatch.cli import run
from seatwatch.config import Config
from seatwatch.instants import local_time
from seatwatch.portal.site_page import site_file
from seatwatch.portal.site_record import SiteHistories
from seatwatch.portal.site_spells import spells
from seatwatch.printed.incident_words import IncidentTeller
from seatwatch.server.web import words
from seatwatch.settings import Defaults, load_defaults
from tests.builders import ZONE, Event, ms
from tests.seatwatch.portal.sites import (
    GATE,
    MINUTE,
    Befell,
    incident,
    operator_of,
    readings,
    site_day,
    two_clients,
)
from tests.seatwatch.portal.worlds import client_of, config, day
from wire.incident import IncidentSaid
from wire.scope import Scope

CLIENT = Scope(clients=frozenset({"acme"}), sites=frozenset())
NORTH = SiteAsked(client="acme", language="en", scope=CLIENT, site="north", until="2026-11-02T13:00")
STAFF = replace(NORTH, scope=Scope())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("sites")
    two_clients(data)
    return data


def histories(data: Path, now: str = "13:00", given: Config | None = None) -> SiteHistories:
    return SiteHistories(given or config(), data, defaults=load_defaults(), clock_ms=lambda: ms(now))


def lane(page: SitePage, title: str) -> LanePicture:
    return next(each for each in page.lanes if each.title == title)


def told(page: SitePage, title: str) -> list[tuple[str, str, str]]:
    """Look, word and beginning of each stretch from 09:50 on."""
    return [
        (each.look, each.word, local_time(each.since, ZONE)[11:19])
        for each in lane(page, title).stretches
        if each.since >= ms("09:50")
    ]


def test_the_last_self_test_of_a_ups_stands_on_the_page_once_one_was_told(world: Path) -> None:
    assert histories(world).site(STAFF).head[1:] == ("UPS self-test rack: passed (2025-11-01)",)
    assert histories(world).site(replace(NORTH, language="zh-CN")).head[1:] == ("UPS 最近自检 rack: 通过 (2025-11-01)",)
    before = replace(STAFF, until="2026-11-02T09:30")
    assert len(histories(world).site(before).head) == 1, "what was told later was not known then"


def test_every_lane_shows_what_its_readings_said_and_when(world: Path) -> None:
    page = histories(world).site(STAFF)
    assert [each.title for each in page.lanes] == [
        *("Mains rack", "Battery rack", "telecom wan1", "unicom wan2", "Trunk sip", "Seats there %"),
        *("Gateway probe gateway", "Chat feed chat"),
    ]
    assert told(page, "Mains rack") == [
        ("good", "Mains", "09:50:00"),
        ("bad", "On battery", "11:00:00"),
        ("good", "Mains", "11:10:00"),
        ("none", "No data", "12:51:00"),
    ]
    assert told(page, "telecom wan1")[1] == ("bad", "line down", "10:00:05")
    assert [look for look, _, _ in told(page, "unicom wan2")] == ["good", "none"]
    assert told(page, "Gateway probe gateway")[:5] == [
        ("good", "Reporting", "09:50:00"),
        ("bad", "Silent", "10:20:00"),
        ("good", "Reporting", "10:20:30"),
        ("warn", "Told afterwards", "12:00:00"),
        ("good", "Reporting", "12:10:00"),
    ]
    assert told(page, "Seats there %")[2:5] == [
        ("bad", "0 / 5", "11:58:00"),
        ("warn", "3 / 5 at worst", "12:10:00"),
        ("none", "No data", "12:48:00"),
    ]
    battery = [percent for _, percent in lane(page, "Battery rack").level]
    assert min(percent for percent in battery if percent is not None) == 60


def test_what_nobody_told_is_no_data_and_never_well(world: Path) -> None:
    page = histories(world).site(STAFF)
    for each in page.lanes[:-1]:  # the chat feed had spoken by then
        before = [stretch for stretch in each.stretches if stretch.since < ms("09:50")]
        assert {stretch.look for stretch in before} - {Look.PLAIN} == {Look.NONE}, each.title
    assert lane(page, "Battery rack").level[0][1] is None
    empty = histories(world, now="+3 12:00").site(replace(STAFF, until=""))
    looks = {stretch.look for each in empty.lanes for stretch in each.stretches}
    assert looks <= {Look.NONE, Look.PLAIN}, looks
    assert {"Mains", "Broadband"} <= {each.title for each in empty.lanes}


def test_what_was_not_well_is_listed_with_its_times_the_newest_first(world: Path) -> None:
    page = histories(world).site(STAFF)
    (battery,) = (each for each in page.spells if (each.title, each.state) == ("Mains rack", "On battery"))
    assert (battery.times, battery.together, battery.longest) == (1, "0:10:00", "0:10:00")
    assert battery.every == (Spell("On battery", "2026-11-02 11:00:00", "2026-11-02 11:10:00", "0:10:00"),)
    newest = [each.every[0].since for each in page.spells]
    assert newest == sorted(newest, reverse=True)
    assert page.spells_found == page.spells_listed == sum(len(each.every) for each in page.spells)


def test_what_comes_again_and_again_is_one_line_with_how_often_and_how_long(tmp_path: Path) -> None:
    flaps = [ms(f"-{day} {hour}:00") for day in range(1, 6) for hour in range(8, 20)]
    told = [
        each
        for at in flaps
        for since in (at, at + 2 * MINUTE)
        for each in readings(since, since, Befell(line_down=(at, at + 2 * MINUTE)))
    ]
    named = [
        Event(replace(each.body, incident=f"i-{at}", started_at=at, ended_at=at + 2 * MINUTE), "~incident", at)
        for at in flaps
        if isinstance((each := incident()).body, IncidentSaid)
    ]
    operator_of(tmp_path, [*site_day(), *told, *named])
    client_of(tmp_path, "acme", day())
    page = histories(tmp_path).site(replace(STAFF, range=Range.WEEK))
    (down,) = (each for each in page.spells if (each.title, each.state) == ("telecom wan1", "line down"))
    assert (down.times, down.together, down.longest) == (61, "2:07:55", "0:07:55")
    assert page.spells_listed == load_defaults().int("portal.listed_max") < page.spells_found
    assert down.every[0].since == "2026-11-02 10:00:05"
    (line,) = (each for each in page.events if each.title.startswith("Line down"))
    assert (line.times, line.every[-1].incident) == (61, f"i-{min(flaps)}")
    assert len(page.spells) + len(page.events) < 20, "a page and no roll of paper"


def test_what_came_before_all_that_is_listed_one_by_one_has_its_latest_time_all_the_same(world: Path) -> None:
    shipped = load_defaults()
    few = Defaults({**shipped, "portal.listed_max": dataclasses.replace(shipped["portal.listed_max"], value=2)})
    book = SiteHistories(config(), world, defaults=few, clock_ms=lambda: ms("13:00"))
    page = book.site(STAFF)
    (battery,) = (each for each in page.spells if (each.title, each.state) == ("Mains rack", "On battery"))
    assert [each.since for each in battery.every] == ["2026-11-02 11:00:00"]
    assert len(page.spells) <= page.spells_listed <= len(page.spells) + 1 < page.spells_found


def test_a_floor_that_goes_seat_by_seat_is_one_trouble_however_many_are_there_each_time() -> None:
    there = [Stretch(n * MINUTE, (n + 1) * MINUTE, Look.WARN, f"{9 - n} / 9", "") for n in range(1, 4)]
    lanes = [
        LanePicture("Seats", tuple(there), level=((MINUTE, 88),)),
        LanePicture("Mains", (there[0], replace(there[1], word="other"))),
    ]
    found = spells(lanes, IncidentTeller("en", ZONE), 10)
    seats, *mains = sorted(found, key=lambda each: -each.times)
    assert (seats.title, seats.state, seats.times) == ("Seats", "Watch", 3)
    assert [each.word for each in seats.every] == ["6 / 9", "7 / 9", "8 / 9"]
    assert {each.state for each in mains} == {"8 / 9", "other"}


def test_a_discharge_shows_measured_points_and_calls_its_end_an_estimate(world: Path) -> None:
    (shown,) = histories(world).site(STAFF).discharges
    assert shown.charges[0] == (ms("11:00"), 100)
    assert (shown.until, shown.empty_at) == (ms("11:10"), ms("11:25"))
    assert shown.said.startswith("Estimate: by how fast it fell, empty about 2026-11-02 11:25:00")
    picture = discharge(shown, words()["en"], None, PHONE)
    assert 'class="projected"' in picture
    assert "Projected end (estimate)" in picture
    (lasting,) = histories(world, now="11:05").site(replace(STAFF, until="")).discharges
    assert (lasting.until, lasting.charges[-1]) == (None, (ms("11:04"), 84))
    assert "Off battery" not in discharge(lasting, words()["en"], None, PHONE)


def test_a_battery_whose_gateway_fell_silent_is_not_said_to_be_off_battery(tmp_path: Path) -> None:
    dark = [each for each in site_day() if each.source != GATE or each.received_at < ms("11:06")]
    operator_of(tmp_path, dark)
    client_of(tmp_path, "acme", day())
    (shown,) = histories(tmp_path).site(STAFF).discharges
    assert (shown.until, shown.is_over) == (ms("11:07"), False)
    assert shown.title == (
        "UPS rack: On battery 2026-11-02 11:00:00 \u00b7 no reading since 2026-11-02 11:07:00, "
        "whether the mains are back is not known"
    )
    picture = discharge(shown, words()["en"], None, SCREEN)
    assert ("Off battery" in picture, "No reading since" in picture) == (False, True)


def test_a_client_sees_the_sites_its_people_sit_at_its_own_seats_and_no_others_trouble(world: Path) -> None:
    page = histories(world).site(NORTH)
    assert page.sites == (("north", "north"),)
    assert told(page, "Seats there %")[2] == ("good", "3 / 3", "12:10:00")
    assert [mark.incident for mark in page.incidents] == ["i-line"]
    assert {site for site, _ in histories(world).site(STAFF).sites} == {"north", "south"}
    with pytest.raises(NotSeenError):
        histories(world).site(replace(NORTH, site="south"))
    only_south = replace(NORTH, scope=Scope(sites=frozenset({"south"})))
    with pytest.raises(NotSeenError):
        histories(world).site(only_south)
    with pytest.raises(NotSeenError):
        histories(world).incident(NORTH, "i-seat")
    with pytest.raises(NothingSaidError, match="portal_no_site"):
        histories(world).site(replace(NORTH, site="", client="nobody-sits-anywhere"))


def test_an_incident_is_told_as_the_command_tells_it_and_to_a_client_without_other_peoples_seats(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = histories(world).incident(STAFF, "i-line")
    assert run(["incident", "show", "i-line", "--data", str(world)]) == 0
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()[3:]]
    assert [" ".join(" ".join(row).split()) for row in page.rows] == printed
    assert any("north/n4" in " ".join(row) for row in page.rows)
    assert page.days == ("2026-11-01", "2026-11-02")
    own = histories(world).incident(NORTH, "i-line")
    assert ("2026-11-02 10:02:00.000", "telecom: line down (internet unreachable)") in own.rows
    assert not any("north/" in cell or cell.startswith("#") for row in own.rows for cell in row)
    with pytest.raises(NotSeenError):
        histories(world).incident(STAFF, "i-0")


@pytest.mark.parametrize("until", ["yesterday", "1970-01-01T00:30", "99999-01-01", "2026-11-02T13:00+99:00"])
def test_a_time_that_is_none_is_said_to_be(world: Path, until: str) -> None:
    with pytest.raises(AskedWronglyError):
        histories(world).site(replace(NORTH, until=until))


def test_ranges_lead_to_those_around_them_and_a_future_one_ends_now(world: Path) -> None:
    page = histories(world).site(replace(STAFF, range=Range.HOUR, until="2026-11-02T11:30"))
    assert (page.since, page.until) == (ms("10:30"), ms("11:30"))
    assert (page.earlier, page.later, page.board_at) == ("2026-11-02T10:30", "2026-11-02T12:30", "2026-11-02T03:30:00Z")
    assert instant_of(page.board_at, ZONE) == page.until
    assert [label for _, label in page.axis] == ["10:30", "10:40", "10:50", "11:00", "11:10", "11:20"]
    future = histories(world).site(replace(STAFF, until="2027-01-01T00:00", range=Range.WEEK))
    assert (future.until, future.ends, future.later) == (ms("13:00"), "", "")
    assert histories(world).site(replace(STAFF, until="2026-11-02T12:30")).later == "now"


def test_files_hold_every_stretch_and_begin_no_formula(world: Path) -> None:
    rows = list(csv.reader(io.StringIO(histories(world).site_file(NORTH, "csv").decode())))
    found = json.loads(histories(world).site_file(NORTH, "json"))
    head = ["lane", "since_ms", "since_local", "until_ms", "until_local", "state", "percent"]
    assert rows[0] == head == list(found[0])
    times = [str(ms("11:00")), "2026-11-02 11:00:00", str(ms("11:10")), "2026-11-02 11:10:00"]
    assert ["Mains rack", *times, "On battery", ""] in rows
    assert len(rows) == len(found) + 1
    shown = histories(world)._shown(NORTH)
    evil = [each._replace(carrier="=1+1") for each in shown.history.lanes]
    written = site_file(shown._replace(history=shown.history._replace(lanes=evil)), "csv").decode()
    assert "\r\n'=1+1 wan1," in written
    assert "\r\n=" not in written


def test_a_page_reads_no_more_than_it_may(world: Path) -> None:
    few = replace(histories(world)._settings, entries_max=10)
    limited = histories(world)
    object.__setattr__(limited, "_settings", few)
    with pytest.raises(NothingSaidError, match="portal_too_much"):
        limited.site(NORTH)
    assert limited.incident(STAFF, "i-line").note.startswith("Too many entries")


def test_names_from_outside_are_escaped_in_pictures(world: Path) -> None:
    page = histories(world).site(STAFF)
    evil = LanePicture('"><script>alert(1)</script>', page.lanes[0].stretches)
    marks = tuple(replace(mark, said="<b>&") for mark in page.incidents)
    drawn = lanes(replace(page, lanes=(evil,), incidents=marks), words()["en"], lambda name: f'?id="{name}&', SCREEN)
    assert "<script" not in drawn
    assert "<b>" not in drawn
    assert "href='?id=\"i-line&amp;'" in drawn


def test_without_a_record_of_sites_there_are_words_and_no_lanes(tmp_path: Path) -> None:
    client_of(tmp_path, "acme", day())
    with pytest.raises(NothingSaidError, match="portal_unreadable"):
        histories(tmp_path).site(STAFF)
    operator_of(tmp_path, [])
    with pytest.raises(NothingSaidError, match="portal_no_site"):
        histories(tmp_path).site(replace(STAFF, site=""))
