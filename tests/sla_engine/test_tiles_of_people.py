"""What tiles say of people, seats, feeds and surges, from entries to the tile."""

from msgspec.structs import replace

from sla_engine._core.client import ClientState
from sla_engine._core.remembered import RememberedParts, recall
from sla_engine._core.tiles import ClientPart, client_part
from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    back,
    clock,
    closed,
    customer,
    declared,
    entries,
    ms,
    presence,
    rules,
    silent,
    works,
)
from tests.sla_engine.folding import CALENDAR, TILES, Folding
from wire.board import Coverage, Load, Ratio, Staffing, Unbounded
from wire.conversation import Activity, Presence
from wire.organisation import Relation, RosterLink
from wire.record import Feed, GapReason, Gone
from wire.surge import Surge
from wire.verdict import Announcement, Notice

MINUTE = 60_000


def link(relation: Relation, subject: str, target: str, **extra: str) -> Event:
    return Event(RosterLink(0, 1, "hub", None, True, "", relation, subject, target, 0, None, extra), "~roster", 0)


def folded(*events: Event, now: str) -> Folding:
    folding = Folding()
    people = [*works("anna", "anna", "red", "a1", "north"), *works("bo", "bo", "blue", "b1", "south")]
    folding.fold_all(entries([*rules(), *people, *events, clock(now)]))
    return folding


def after(*events: Event, now: str) -> ClientPart:
    return folded(*events, now=now).part()


def test_saturation_is_what_ready_people_have_in_hands_of_what_they_may_hold() -> None:
    limit = link(Relation.PERSON_OF_ACCOUNT, "anna", "anna", limit="4")
    talks = [customer("09:00", "c1"), customer("09:00", "c2"), assigned("09:00:01", "anna", "c1")]
    talks += [assigned("09:00:02", "anna", "c2"), customer("09:00", "c3"), assigned("09:00:03", "bo", "c3")]
    on_break = presence("08:59", "bo", Presence.ON_BREAK)
    part = after(limit, presence("08:59"), on_break, *talks, now="09:00:04")
    assert part.client.saturation == Ratio(2, 4)
    assert {team.id: team.saturation for team in part.teams} == {"red": Ratio(2, 4), "blue": None}
    part = after(limit, presence("08:59"), presence("08:59", "bo"), *talks, closed("09:00:05", "c2"), now="09:00:06")
    assert part.client.saturation == Ratio(2, 4 + 10)


def test_without_a_presence_there_is_no_saturation_and_no_staffing() -> None:
    part = after(customer("09:00"), assigned("09:00:01", "anna"), now="09:00:04")
    assert (part.client.saturation, part.client.occupancy, part.client.staffing) == (None, None, [])


def test_occupancy_is_time_serving_of_time_at_work() -> None:
    part = after(
        customer("08:59"),
        presence("09:00"),
        presence("09:10", activity=Activity.SERVING),
        presence("09:15"),
        now="09:20",
    )
    assert part.client.occupancy == Ratio(5 * MINUTE, 20 * MINUTE)


def test_a_source_that_tells_no_activity_tells_no_occupancy() -> None:
    assert after(customer("08:59"), presence("09:00"), now="09:20").client.occupancy is None


def test_load_is_told_up_to_the_last_whole_minute() -> None:
    part = after(customer("09:00"), assigned("09:00:30", "anna"), clock("09:01:58"), now="09:02:30")
    assert part.client.load == Load(Ratio(90_000, 90_000), 1, 1)
    assert {team.id: team.load for team in part.teams} == {"red": part.client.load, "unassigned": None}


def test_staffed_seats_stand_beside_those_paid_for_by_client_and_by_shop() -> None:
    part = after(
        link(Relation.CONTRACTED_SEATS, "acme", "2"),
        link(Relation.CONTRACTED_SEATS_OF_SHOP, "flagship", "1"),
        link(Relation.QUEUE_OF_SHOP, "presale", "flagship"),
        customer("08:00"),
        presence("08:30"),
        presence("08:40", "bo"),
        now="08:50",
    )
    half_hour = ms("08:30")
    # 08:00-08:30: nobody of two; 08:30-08:50: 20 + 10 of 40 person-minutes; of the shop's one seat nothing lacks then
    short = (60 + 10) * MINUTE
    assert part.client.staffing == [
        Staffing("", half_hour, Ratio(30 * MINUTE, 20 * MINUTE), 2, short),
        Staffing("flagship", half_hour, Ratio(30 * MINUTE, 20 * MINUTE), 1, 30 * MINUTE),
    ]


DAILY = declared(0, "exports", Feed.DAILY)
SEATS = link(Relation.CONTRACTED_SEATS, "acme", "2")


def test_whom_only_a_daily_feed_tells_of_is_at_work_on_no_tile_of_now_beside_people_of_a_live_one() -> None:
    live = [customer("09:00"), presence("09:00")]
    told_after = [presence("-1 23:00", "bo", source="exports"), customer("-1 23:00", "c9", source="exports")]
    alone, mixed = (after(SEATS, DAILY, *live, *more, now="09:10").client for more in ((), told_after))
    assert (mixed.agents, mixed.saturation) == (alone.agents, alone.saturation)
    assert [agents.people for agents in mixed.agents] == [1]
    assert mixed.staffing[0].staffed == alone.staffing[0].staffed == Ratio(10 * MINUTE, 10 * MINUTE)
    teams = {team.id: team.agents for team in after(DAILY, *live, *told_after, now="09:10").teams}
    assert [agents.people for agents in teams["red"]] == [1]
    assert teams.get("blue", []) == []


def test_nobody_says_how_many_seats_lack_while_some_people_are_told_of_the_day_after() -> None:
    live = [customer("09:00"), presence("09:00")]
    by_day = [
        after(SEATS, DAILY, *live, presence(day, "bo", source="exports"), now="09:10").client.staffing[0].shortfall_ms
        for day in ("-1 09:00", "-9 09:00")
    ]
    assert by_day == [None, (2 * 70 - 10) * MINUTE]


def test_who_is_told_of_the_day_after_and_at_once_stands_as_told_at_once() -> None:
    late = presence("09:05", state=Presence.ON_BREAK, source="exports")
    part = after(DAILY, customer("09:00"), presence("09:00"), late, now="09:10")
    assert [(agents.presence, agents.people) for agents in part.client.agents] == [("ready", 1)]
    first = presence("09:05", state=Presence.ON_BREAK, source="exports")
    part = after(DAILY, customer("09:00"), first, presence("09:04"), now="09:10")
    assert [(agents.presence, agents.people) for agents in part.client.agents] == [("ready", 1)]


def test_a_feed_that_becomes_a_daily_one_takes_its_people_off_the_tiles() -> None:
    live = [declared(0, "exports"), customer("09:00"), presence("09:00"), presence("09:00", "bo", source="exports")]
    told = entries([*rules(), *live, declared("09:10", "exports", Feed.DAILY), clock("09:20")])
    folding = Folding()
    folding.fold_all(told, range(len(told)))
    client = folding.part().client
    assert [agents.people for agents in client.agents] == [1]
    assert client.staffing[0].staffed == Ratio(30 * MINUTE, 20 * MINUTE)


def test_seats_are_not_short_before_the_window_opens() -> None:
    part = after(link(Relation.CONTRACTED_SEATS, "acme", "1"), customer("07:00"), presence("08:10"), now="08:15")
    assert part.client.staffing[0].shortfall_ms == 10 * MINUTE


def test_coverage_is_the_window_less_the_time_a_live_feed_was_silent() -> None:
    quiet = [customer("08:10"), agent("08:10:05"), silent("08:12", "chat"), back("08:20")]
    part = after(*quiet, now="08:30")
    assert part.client.coverage is not None
    lost = ms("08:20") - heard_at(quiet)
    assert part.client.coverage.time == Ratio(30 * MINUTE - lost, 30 * MINUTE)
    assert (part.client.coverage.missing, part.client.coverage.worst) == (0, Ratio(1, 1))


def heard_at(events: list[Event]) -> int:
    (found,) = [getattr(event.body, "heard_at", None) for event in events if hasattr(event.body, "heard_at")]
    return int(found or 0)


def test_a_declared_loss_bounds_the_rate() -> None:
    lost = Gone(ms("08:25"), 1, "hub", None, True, "", "chat", bytes(16), 9, 12, "bulk", 4, GapReason.OVERFLOW)
    talk = [customer("08:10"), agent("08:10:05"), Event(lost, "~gap", ms("08:25"))]
    part = after(*talk, customer("08:28", "c2"), agent("08:28:03", c="c2"), now="08:30")
    # two sessions of two events each: four lost events stand for two more
    span = ms("08:28") - ms("08:10:05")
    expected = Coverage(Ratio(30 * MINUTE - span, 30 * MINUTE), 2, Ratio(2, 4), Ratio(4, 4))
    assert part.client.coverage == expected


def test_a_client_whose_feeds_are_none_of_them_live_has_no_coverage() -> None:
    folding = Folding()
    folding.fold_all(entries([clock("09:00")]))
    assert folding.part().client.coverage is None


def test_a_day_without_a_word_is_no_data_unless_its_feed_would_be_missed() -> None:
    plain = declared("-1 08:00")
    promised = plain._replace(body=replace(plain.body, heartbeat_ms=10_000))
    yesterday = [customer("-1 09:00"), agent("-1 09:00:05"), closed("-1 09:01")]
    assert after(plain, *yesterday, now="08:30").client.coverage is None
    half_hour = Ratio(30 * MINUTE, 30 * MINUTE)
    assert covered(promised, *yesterday) == half_hour
    assert covered(plain, *yesterday, customer("08:10", "c2")) == half_hour
    assert covered(plain, *yesterday, silent("07:00", "chat")) == Ratio(0, 30 * MINUTE), "that it was away is known"


def test_a_feed_that_cannot_number_covers_nothing_before_it_was_heard_whatever_it_tells_of_then() -> None:
    def covered_by(*events: Event) -> Coverage:
        folding = Folding()
        folding.fold_all(entries([*rules()[1:], *events, clock("08:30")]))
        coverage = folding.part().client.coverage
        assert coverage is not None
        return coverage

    numbered = declared("08:20")
    unnumbered = numbered._replace(body=replace(numbered.body, numbered=False))
    backdated = [customer("08:01", arrives="08:20"), agent("08:01:05", arrives="08:20")]
    proven = covered_by(numbered, *backdated)
    assert (proven.time, proven.missing) == (Ratio(29 * MINUTE, 30 * MINUTE), 0), "numbers show that it told all since"
    told = covered_by(unnumbered, *backdated)
    assert (told.time, told.missing) == (Ratio(10 * MINUTE, 30 * MINUTE), None)
    assert told.unbounded is Unbounded.NOT_NUMBERED


def covered(*events: Event) -> Ratio | None:
    coverage = after(*events, now="08:30").client.coverage
    return None if coverage is None else coverage.time


def test_a_surge_is_on_its_teams_tile_until_the_customers_are_answered() -> None:
    talks = [event for n in range(3) for event in (customer("09:00", f"c{n}"), assigned("09:00:01", "anna", f"c{n}"))]
    folding = folded(*talks, now="09:00:06")
    for number in range(3):
        folding.state.surges.announce(warning(f"c{number}"))
    assert [(team.id, team.surge) for team in folding.part().teams] == [("red", Surge(3, ms("09:00:06")))]
    answers = [agent("09:00:07", c=f"c{number}") for number in range(3)]
    folding.fold_all(entries([*answers, clock("09:00:08")], first=folding.shards[0].next_index))
    assert [team.surge for team in folding.part().teams] == [None]


def warning(conversation: str) -> Announcement:
    at = ms("09:00:06")
    return Announcement(Notice.WARNING, conversation, 0, 0, PRESET.name, "presale", "red", at, at + 4_000)


def test_what_was_told_of_people_and_feeds_survives_a_restart() -> None:
    seats = link(Relation.CONTRACTED_SEATS, "acme", "2")
    at_work = [presence("08:30"), presence("08:40", activity=Activity.SERVING)]
    folding = folded(seats, customer("08:00"), silent("08:10"), *at_work, now="08:50")
    remembered = folding.state.remembered()
    kept = recall(RememberedParts().sections(remembered, folding.state.staff.changed))
    again = ClientState("acme", CALENDAR, folding.lookup.shown_of, folding.lookup.place_of, TILES, kept)
    again.advance(ms("08:50"), None)
    before, after_it = folding.part().client, client_part(again, folding.lookup.promise_of).client
    assert before.occupancy == after_it.occupancy == Ratio(10 * MINUTE, 20 * MINUTE)
    assert before.staffing == after_it.staffing
    assert before.coverage is not None
    assert after_it.coverage is not None
    assert before.coverage.time == after_it.coverage.time
    assert kept == remembered


def test_only_what_changed_is_kept_again() -> None:
    folding = folded(presence("08:30"), presence("08:30", "bo"), now="08:50")
    parts = RememberedParts()
    everything = parts.sections(folding.state.remembered(), folding.state.staff.changed)
    assert set(everything) == {"client.remembered", "client.seats", "client.checks", "client.day/anna", "client.day/bo"}
    assert set(parts.sections(folding.state.remembered(), {"bo"})) == {"client.remembered", "client.day/bo"}
