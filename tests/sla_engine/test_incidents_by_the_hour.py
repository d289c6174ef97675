"""What an incident merits while its site serves and while it does not, by the roster or by the default contract."""

from datetime import datetime

import pytest

from sla_engine._core.incidents.seats import expected_seats
from sla_engine._core.sites import fold_sites, new_sites
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, NIGHT, SECOND, beats, floor, hours, said_after, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.incident import Severity
from wire.organisation import Relation
from wire.uplink import LineState


def test_a_standby_line_is_a_ticket_and_so_is_any_one_line_at_night() -> None:
    log = Log()
    standby = said_after(*two_lines(log), log.line("gate", NOON + 1, "unicom", LineState.DOWN))
    assert [each.severity for each in standby] == [Severity.TICKET]
    log = Log()
    night = said_after(*two_lines(log, NIGHT), log.line("gate", NIGHT + 1, "telecom", LineState.DOWN))
    assert [each.severity for each in night] == [Severity.TICKET]
    log = Log()
    both = [log.line("gate", NIGHT + 1, line, LineState.DOWN) for line in ("telecom", "unicom")]
    assert said_after(*two_lines(log, NIGHT), *both)[-1].severity is Severity.CALL


def test_what_is_a_ticket_at_night_is_a_page_when_the_day_begins() -> None:
    log = Log()
    opening = NOON + 20 * HOUR
    said = said_after(
        *two_lines(log, NIGHT),
        log.line("gate", NIGHT + 1, "telecom", LineState.DOWN),
        log.clock(opening - SECOND),
        log.clock(opening),
    )
    assert [(each.step, each.severity) for each in said] == [("opened", "ticket"), ("changed", "page")]


def test_a_site_that_serves_around_the_clock_by_its_roster_is_paged_for_a_line_at_night_and_others_are_not() -> None:
    log = Log()
    round_the_clock = hours(log, "north", "00:00", "24:00")
    said = said_after(round_the_clock, *two_lines(log, NIGHT), log.line("gate", NIGHT + 1, "telecom", LineState.DOWN))
    assert [each.severity for each in said] == [Severity.PAGE]
    log = Log()
    elsewhere = hours(log, "south", "00:00", "24:00")
    said = said_after(elsewhere, *two_lines(log, NIGHT), log.line("gate", NIGHT + 1, "telecom", LineState.DOWN))
    assert [each.severity for each in said] == [Severity.TICKET]


def test_when_a_site_closes_by_its_roster_what_was_a_page_becomes_a_ticket() -> None:
    log = Log()
    lunch = hours(log, "north", "09:00", "12:30")
    closing = NOON + 30 * MINUTE
    down = log.line("gate", NOON + 1, "telecom", LineState.DOWN)
    said = said_after(lunch, *two_lines(log), down, log.clock(closing - SECOND), log.clock(closing))
    assert [(each.step, each.severity) for each in said] == [("opened", "page"), ("changed", "ticket")]


def test_a_seat_that_was_there_is_expected_while_its_own_site_serves() -> None:
    there = [("north", "22:00", "06:00", 1), ("north", "22:00", "02:00", 0), ("south", "22:00", "06:00", 0)]
    for site, starts, ends, expected in there:
        log, state = Log(), new_sites(LIMITS)
        fold_sites(state, [hours(log, site, starts, ends), *beats(log, ["s1"], NIGHT)])
        assert expected_seats(state, "north", NIGHT + MINUTE) == expected


def utc(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp()) * SECOND


def severity_at(text: str, starts: str, ends: str, zone: str = "", line: str = "telecom") -> str:
    """Of a line that is lost at that moment, at a site with these hours."""
    log, at = Log(), utc(text)
    said = said_after(
        hours(log, "north", starts, ends, zone), *two_lines(log, at), log.line("gate", at + 1, line, LineState.DOWN)
    )
    return str(said[-1].severity)


@pytest.mark.parametrize(
    ("zone", "moment", "severity"),
    [
        ("", "2026-11-22T00:30", "ticket"),  # 08:30 in Shanghai
        ("Asia/Shanghai", "2026-11-22T00:30", "ticket"),
        ("Asia/Urumqi", "2026-11-22T00:30", "ticket"),  # 06:30 by the sun, where nobody opens at 09:00 of Beijing
        ("Asia/Tokyo", "2026-11-22T00:30", "page"),  # 09:30
        ("Asia/Tokyo", "2026-11-22T09:30", "ticket"),  # 18:30, and 17:30 in Shanghai
        ("Europe/Berlin", "2026-10-24T07:30", "page"),  # 09:30 in summer time
        ("Europe/Berlin", "2026-10-26T07:30", "ticket"),  # 08:30 in winter time, two days later
        ("Europe/Berlin", "2026-03-28T07:30", "ticket"),
        ("Europe/Berlin", "2026-03-30T07:30", "page"),
    ],
)
def test_a_site_is_judged_by_the_clock_of_its_own_zone(zone: str, moment: str, severity: str) -> None:
    assert severity_at(moment, "09:00", "18:00", zone) == severity


def test_a_site_in_another_zone_opens_by_its_own_clock_on_both_sides_of_a_change_of_clocks() -> None:
    for day, opens in (("2026-10-24", "07:00"), ("2026-10-26", "08:00")):
        log, opening = Log(), utc(f"{day}T{opens}")
        night = opening - HOUR
        said = said_after(
            hours(log, "north", "09:00", "18:00", "Europe/Berlin"),
            *two_lines(log, night),
            log.line("gate", night + 1, "telecom", LineState.DOWN),
            log.clock(opening - SECOND),
            log.clock(opening),
        )
        assert [(each.step, each.severity) for each in said] == [("opened", "ticket"), ("changed", "page")]


def test_a_table_of_a_zone_that_is_broken_counts_as_none() -> None:
    log, at = Log(), utc("2026-11-22T00:30")
    link = log.link(
        Relation.HOURS_OF_SITE, "north", "x", starts="08:00", ends="18:00", time_zone="Asia/Tokyo", offsets_0="noon+9"
    )
    said = said_after(link, *two_lines(log, at), log.line("gate", at + 1, "telecom", LineState.DOWN))
    assert [each.severity for each in said] == [Severity.PAGE], "08:30 in Shanghai"


def test_a_shift_is_by_the_clock_of_the_seats_site() -> None:
    """23:30 in Shanghai, half past midnight in Tokyo."""
    at = utc("2026-11-22T15:30")
    for zone, expected in (("", 1), ("Asia/Tokyo", 0)):
        log, state = Log(), new_sites(LIMITS)
        fold_sites(state, [*floor(log, 1, at), hours(log, "north", "08:00", "24:00", zone)])
        assert expected_seats(state, "north", at) == expected


@pytest.mark.parametrize(
    ("local", "telecom"),
    [("21:00", "page"), ("23:59", "page"), ("03:59", "page"), ("04:00", "ticket"), ("12:00", "ticket")],
)
def test_a_site_that_serves_past_midnight_pages_until_four_and_a_standby_line_is_a_ticket_all_along(
    local: str, telecom: str
) -> None:
    hour, minute = map(int, local.split(":"))
    moment = f"2026-11-2{2 if hour >= 8 else 1}T{(hour - 8) % 24:02}:{minute:02}"
    assert severity_at(moment, "20:00", "04:00") == telecom
    assert severity_at(moment, "20:00", "04:00", line="unicom") == "ticket"
    assert severity_at(moment, "00:00", "24:00", line="unicom") == "ticket", "around the clock as well"
    assert severity_at(moment, "00:00", "24:00") == "page"
