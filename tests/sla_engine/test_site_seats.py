"""Seats of a site over time: there against expected, at the worst moment, and only of who may be told."""

from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import SiteRosterState
from sla_engine._core.site_seats import Seats, SeatStep, stays
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, NIGHT, floor
from tests.sla_engine.site_limits import LIMITS
from wire.organisation import Relation, RosterLink

FROM, UNTIL = NOON, NOON + HOUR


def state_of(*links: object) -> SiteRosterState:
    state = SiteRosterState()
    for link in links:
        assert isinstance(link, RosterLink)
        roster.enter(state, link)
    return state


def two_seats(log: Log) -> SiteRosterState:
    links = [entry.body for entry in floor(log, 2) if isinstance(entry.body, RosterLink)]
    others = [
        log.link(Relation.SITE_OF_SEAT, "t00", "north").body,
        log.link(Relation.SEAT_OF_PERSON, "pt00", "t00").body,
        log.link(Relation.SHIFT_OF_PERSON, "pt00", "day", starts="08:00", ends="24:00").body,
        log.link(Relation.PERSON_OF_ACCOUNT, "at00", "pt00", client="bolt").body,
    ]
    return state_of(*links, *others)


def test_a_seat_reports_from_its_first_word_until_it_fell_silent() -> None:
    assert stays([10, 50], [30], 100) == [(10, 30), (50, 100)]
    assert stays([10], [5, 20, 25], 100) == [(10, 20)]
    assert stays([], [30], 100) == []
    assert stays([100], [], 100) == []


def test_each_coming_and_going_begins_a_step() -> None:
    there = {"s00": [(FROM, UNTIL)], "s01": [(FROM, FROM + 10 * MINUTE), (FROM + 20 * MINUTE, UNTIL)]}
    found = Seats(two_seats(Log()), LIMITS, "north", "acme", there).steps([FROM, UNTIL], [])
    assert found == [
        SeatStep(FROM, FROM + 10 * MINUTE, 2, 2),
        SeatStep(FROM + 10 * MINUTE, FROM + 20 * MINUTE, 1, 2),
        SeatStep(FROM + 20 * MINUTE, UNTIL, 2, 2),
    ]


def test_where_seats_come_and_go_all_the_time_a_step_shows_its_worst_moment() -> None:
    flicker = [(FROM + at * MINUTE, FROM + at * MINUTE + 50_000) for at in range(60)]
    (found,) = Seats(two_seats(Log()), LIMITS, "north", "acme", {"s00": [(FROM, UNTIL)], "s01": flicker}).steps(
        [FROM, UNTIL], []
    )
    assert found == SeatStep(FROM, UNTIL, 1, 2)


def test_a_client_is_told_of_its_own_seats_only() -> None:
    state, there = two_seats(Log()), {"s00": [(FROM, UNTIL)], "t00": [(FROM, UNTIL)]}
    counted = {
        client: Seats(state, LIMITS, "north", client, there).steps([FROM, UNTIL], [])[0][2:]
        for client in (None, "acme", "bolt", "nobody")
    }
    assert counted == {None: (2, 3), "acme": (1, 2), "bolt": (1, 1), "nobody": (0, 0)}


def test_how_other_clients_seats_come_and_go_begins_no_step_of_a_client() -> None:
    there = {"s00": [(FROM, UNTIL)], "t00": [(FROM, FROM + 10 * MINUTE)]}
    own = Seats(two_seats(Log()), LIMITS, "north", "acme", there).steps([FROM, UNTIL], [])
    assert own == [SeatStep(FROM, UNTIL, 1, 2)]
    assert len(Seats(two_seats(Log()), LIMITS, "north", None, there).steps([FROM, UNTIL], [])) == 2


def test_where_nothing_was_recorded_nobody_knows_and_at_night_nobody_is_expected() -> None:
    seats = Seats(two_seats(Log()), LIMITS, "north", None, {"s00": [(FROM, UNTIL)]})
    assert seats.steps([FROM, FROM + MINUTE], [(FROM, FROM + MINUTE)]) == [SeatStep(FROM, FROM + MINUTE, None, None)]
    assert seats.steps([NIGHT, NIGHT + MINUTE], [])[0].expected == 0


def test_without_a_shift_a_seat_is_expected_once_it_was_heard_that_day_in_service_hours() -> None:
    there = {"x": [(FROM, FROM + 10 * MINUTE)]}
    found = Seats(SiteRosterState(), LIMITS, "north", None, there).steps([FROM - MINUTE, UNTIL], [])
    assert [(step.present, step.expected) for step in found] == [(0, 0), (1, 1), (0, 1)]


def test_who_is_missing_when_a_shift_begins_is_seen_however_long_a_step_is() -> None:
    early = NOON - 4 * HOUR  # 08:00, when the shifts begin
    seats = Seats(two_seats(Log()), LIMITS, "north", "acme", {"s00": [(early - HOUR, UNTIL)]})
    found = seats.steps([early - HOUR, early + 3 * HOUR], [])
    assert found == [SeatStep(early - HOUR, early, 1, 0), SeatStep(early, early + 3 * HOUR, 1, 2)]


def test_nobody_is_missed_from_when_people_may_go_nor_without_shifts_before_the_site_opens() -> None:
    may_go = NOON + 12 * HOUR - LIMITS.leaves_early_ms
    shifts = Seats(two_seats(Log()), LIMITS, "north", "acme", {"s00": [(NOON, may_go + 2 * HOUR)]})
    found = shifts.steps([may_go - HOUR, may_go + HOUR], [])
    assert [(step.since - may_go, step.expected) for step in found] == [(-HOUR, 2), (0, 0), (LIMITS.leaves_early_ms, 0)]
    opens = NOON - 4 * HOUR
    there = {"x": [(opens - 2 * HOUR, opens + HOUR)]}
    found = Seats(SiteRosterState(), LIMITS, "north", None, there).steps([opens - HOUR, opens + HOUR], [])
    assert [(step.since - opens, step.expected) for step in found] == [(-HOUR, 0), (0, 1)]


def test_how_other_clients_shifts_turn_begins_no_step_of_a_client() -> None:
    log, evening = Log(), NOON + 7 * HOUR  # 19:00
    state = two_seats(log)
    early = log.link(Relation.SHIFT_OF_PERSON, "ps00", "early", starts="08:00", ends="20:00").body
    assert isinstance(early, RosterLink)
    roster.enter(state, early)
    begun = {
        client: len(Seats(state, LIMITS, "north", client, {}).steps([evening, evening + 2 * HOUR], []))
        for client in ("acme", "bolt")
    }
    assert begun == {"acme": 2, "bolt": 1}
