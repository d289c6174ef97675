"""What a team's leader sees of each person, from entries to the tile; and what a follow-up does to the tiles."""

import msgspec
import pytest

from sla_engine._core.remembered import RememberedParts, recall
from tests.builders import (
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
from tests.sla_engine.folding import Folding
from wire.board import PersonTile, Tile
from wire.conversation import Presence
from wire.follow_up import FollowedUp
from wire.record import Feed

SECOND = 1_000


def followed(
    at: str, conversation: str = "c1", since: str | None = "09:00", person: str = "w1", by: str = "lead-one"
) -> Event:
    waiting_since = None if since is None else ms(since)
    body = FollowedUp(ms(at), 1, "hub", None, True, "", conversation, waiting_since, person, "red", "a1", by)
    return Event(body, "~follow-up", ms(at))


def folding(*events: Event, now: str) -> Folding:
    made = Folding()
    roster = [*works("anna", "w1", "red", "a1", "north"), *works("anna2", "w1", "red", "a1", "north")]
    roster += works("bo", "w2", "red", "a2", "north")
    ordered = entries([*rules(), *roster, *events, clock(now)])
    made.fold_all(ordered, range(len(ordered)))
    return made


def people(*events: Event, now: str) -> dict[str, PersonTile]:
    return {tile.id: tile for tile in folding(*events, now=now).people()}


def tiles(*events: Event, now: str) -> dict[str, Tile]:
    part = folding(*events, now=now).part()
    return {tile.scope: tile for tile in (part.client, *part.queues, *part.teams)}


def test_a_person_shows_presence_hands_and_the_wait_that_is_due_first() -> None:
    talks = [customer("09:00", "c1"), assigned("09:00:01", "anna", "c1"), customer("09:00:03", "c2")]
    talks += [assigned("09:00:04", "anna", "c2"), customer("09:00:02", "c3"), assigned("09:00:04", "anna", "c3")]
    anna = people(presence("08:59"), *talks, agent("09:00:05", "anna", "c3"), now="09:00:06")["w1"]
    assert (anna.team, anna.seat, anna.site, anna.client) == ("red", "a1", "north", "acme")
    assert (anna.presence, anna.activity, anna.since) == ("ready", "serving", ms("08:59"))
    assert (anna.hands, anna.limit, anna.waiting, anna.overdue) == (3, 10, 2, 0)
    assert (anna.oldest, anna.oldest_since, anna.due_at) == ("c1", ms("09:00"), ms("09:00:10"))


def test_the_timer_of_a_presence_runs_on_while_sources_repeat_it() -> None:
    words = [presence("08:00"), presence("08:30"), presence("09:00")]
    assert people(*words, now="09:10")["w1"].since == ms("08:00")
    away = presence("09:05", state=Presence.ON_BREAK)
    anna = people(*words, away, now="09:10")["w1"]
    assert (anna.presence, anna.since) == ("on_break", ms("09:05"))


def test_a_word_that_comes_late_cuts_the_timer_where_the_presence_was_told_last() -> None:
    late = presence("08:45", state=Presence.ON_BREAK, arrives="09:05")
    before = presence("07:45", state=Presence.ON_BREAK, arrives="09:05")
    words = [presence("08:00"), presence("09:00")]
    assert people(*words, late, now="09:10")["w1"].since == ms("09:00")
    assert people(*words, before, now="09:10")["w1"].since == ms("08:00")


def test_two_accounts_are_one_person_who_is_ready_with_either_and_away_once_both_are() -> None:
    both = [presence("08:00"), presence("08:10", "anna2")]
    assert people(*both, now="09:00")["w1"].since == ms("08:00")
    gone = [presence("08:20", state=Presence.ON_BREAK), presence("08:40", "anna2", Presence.ON_BREAK)]
    anna = people(*both, *gone, now="09:00")["w1"]
    assert (anna.presence, anna.since, anna.limit) == ("on_break", ms("08:40"), 20)


def test_whom_the_roster_knows_and_nobody_told_of_is_unknown_and_not_absent() -> None:
    bo = people(presence("08:59"), now="09:00")["w2"]
    assert (bo.team, bo.seat, bo.presence, bo.since, bo.hands) == ("red", "a2", None, None, 0)


def test_an_account_that_no_roster_maps_stands_for_itself() -> None:
    found = people(presence("08:59", "temp"), customer("09:00"), assigned("09:00:01", "temp"), now="09:00:02")
    assert (found["~temp"].team, found["~temp"].waiting, found["~temp"].key) == ("unassigned", 1, "acme|~temp")
    assert found["w2"].key == "w2"


def test_what_was_missed_today_counts_facts_and_what_is_past_due_and_not_yet_judged_once() -> None:
    talks = [customer("09:00", "c1"), assigned("09:00:01", "anna", "c1"), agent("09:00:15", "anna", "c1")]
    talks += [customer("09:01", "c2"), assigned("09:01:01", "anna", "c2")]
    by_time = [people(presence("08:59"), *talks, now=now)["w1"].overdue_today for now in ("09:01:05", "09:01:11")]
    assert by_time == [1, 2]
    answered = agent("09:01:20", "anna", "c2")
    assert people(presence("08:59"), *talks, answered, now="09:01:30")["w1"].overdue_today == 2
    assert people(presence("08:59"), *talks, answered, clock("23:59"), now="28:00:05")["w1"].overdue_today == 0


def test_a_person_whose_source_is_silent_says_since_when() -> None:
    words = [declared("08:00"), presence("08:59"), silent("09:00")]
    assert people(*words, now="09:05")["w1"].stale_since == ms("09:00")
    assert people(*words, back("09:06"), now="09:07")["w1"].stale_since is None


WAITS = (presence("08:59"), customer("09:00"), assigned("09:00:01", "anna"))


def test_nobody_counts_down_on_a_wait_that_is_told_the_day_after() -> None:
    told = [declared(0, "chat", Feed.DAILY), presence("08:59"), customer("09:00"), assigned("09:00:01", "anna")]
    anna = people(*told, now="09:00:06")["w1"]
    assert (anna.waiting, anna.overdue, anna.due_at, anna.oldest_since, anna.oldest) == (0, 0, None, None, "")
    assert (anna.presence, anna.activity, anna.since, anna.hands, anna.team) == (None, None, None, 0, "red")
    with_hindsight = Folding(hindsight=True)
    with_hindsight.fold_all(entries([*rules(), *works("anna", "w1", "red", "a1", "north"), *told, clock("09:00:06")]))
    (anna,) = with_hindsight.people()
    assert (anna.presence, anna.hands, anna.waiting) == ("ready", 1, 1)
    assert tiles(*told, now="09:00:06")["queue"].saturation is None
    live = tiles(*told[1:], now="09:00:06")
    assert live["queue"].saturation is not None


def test_a_follow_up_shows_on_the_person_and_on_every_tile_the_wait_is_on() -> None:
    anna = people(*WAITS, followed("09:00:04"), now="09:00:05")["w1"]
    assert (anna.followed_at, anna.followed_by) == (ms("09:00:04"), "lead-one")
    shown = tiles(*WAITS, followed("09:00:04"), now="09:00:05")
    assert {scope: tile.followed for scope, tile in shown.items()} == {"queue": 1, "team": 1, "client": 1}
    assert {tile.followed for tile in tiles(*WAITS, now="09:00:05").values()} == {0}


@pytest.mark.parametrize(
    "over",
    [
        (agent("09:00:08", "anna"),),
        (agent("09:00:08", "anna"), customer("09:00:09")),
        (closed("09:00:08"),),
    ],
    ids=["answered", "answered and asked again", "closed"],
)
def test_a_follow_up_ends_with_the_wait_it_is_about(over: tuple[Event, ...]) -> None:
    anna = people(*WAITS, followed("09:00:04"), *over, now="09:00:10")["w1"]
    assert (anna.followed_at, anna.followed_by) == (None, "")
    assert tiles(*WAITS, followed("09:00:04"), *over, now="09:00:10")["team"].followed == 0


def test_of_two_who_clicked_at_once_it_stays_with_the_first() -> None:
    both = (followed("09:00:04"), followed("09:00:04.100", by="lead-two"))
    anna = people(*WAITS, *both, now="09:00:05")["w1"]
    assert (anna.followed_at, anna.followed_by) == (ms("09:00:04"), "lead-one")


def test_a_follow_up_goes_with_a_conversation_that_is_handed_on() -> None:
    found = people(*WAITS, presence("08:59", "bo"), followed("09:00:04"), assigned("09:00:06", "bo"), now="09:00:07")
    assert (found["w1"].followed_at, found["w2"].followed_at) == (None, ms("09:00:04"))


def test_a_follow_up_is_forgotten_after_a_while() -> None:
    assert people(*WAITS, followed("09:00:04"), now="09:05:03")["w1"].followed_at == ms("09:00:04")
    assert people(*WAITS, followed("09:00:04"), now="09:05:04")["w1"].followed_at is None


def test_somebody_who_owes_nothing_can_be_followed_up_too() -> None:
    on_break = presence("08:30", state=Presence.ON_BREAK)
    about = followed("09:00:04", "", None, "w1")
    assert people(on_break, about, now="09:00:05")["w1"].followed_by == "lead-one"
    shown = tiles(on_break, about, now="09:00:05")
    assert (shown["team"].followed, shown["client"].followed) == (1, 1)


def test_follow_ups_and_timers_are_there_after_a_restart() -> None:
    before = folding(*WAITS, followed("09:00:04"), now="09:00:05")
    sections = RememberedParts().sections(before.state.remembered(), before.state.staff.changed)
    told = recall(sections).told
    assert [(held.conversation, held.by) for held in told.follow_ups.values()] == [("c1", "lead-one")]
    assert told.accounts["anna"].since == ms("08:59")


def test_a_state_from_before_there_was_a_timer_is_read_and_its_timer_not_known() -> None:
    before = folding(presence("08:59"), now="09:00")
    told = before.state.remembered().told
    accounts = {name: msgspec.to_builtins(state)[:4] for name, state in told.accounts.items()}
    old = {**msgspec.to_builtins(told), "accounts": accounts}
    del old["follow_ups"]
    sections = RememberedParts().sections(before.state.remembered(), before.state.staff.changed)
    sections["client.remembered"] = msgspec.msgpack.encode(old)
    assert recall(sections).told.accounts["anna"].since == 0
