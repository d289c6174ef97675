"""What an incident merits while its site serves and while it does not, by the roster or by the default contract."""

from sla_engine._core.incidents.seats import expected_seats
from sla_engine._core.sites import fold_sites, new_sites
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, NIGHT, SECOND, beats, hours, said_after, two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.incident import Severity
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
