"""People at work over time: per half hour, in any order of telling, beside the seats that are paid for."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.groups import CLIENT
from sla_engine._core.staffing import AWAY, READY, SERVING, AccountDay, StaffTime, told_state
from sla_engine._core.windows import WindowCalendar, ZoneTable
from wire.conversation import Activity, Presence

HALF_HOUR = 1_800_000
MINUTE = 60_000
ALL = (CLIENT, "acme")
GROUPS = frozenset({ALL})
SLICES = WindowCalendar(ZoneTable("UTC", (0,), (0,)), HALF_HOUR, 0)


def open_all_day(since: int, until: int) -> int:
    return max(0, until - since)


def open_first_hour(since: int, until: int) -> int:
    return max(0, min(until, 2 * HALF_HOUR) - since)


def staff(days: dict[str, AccountDay] | None = None, people: dict[str, str] | None = None) -> StaffTime:
    made = StaffTime(SLICES, open_all_day, {} if days is None else days)
    for account, person in (people or {"anna": "anna", "anna-2": "anna", "bo": "bo"}).items():
        made.place(account, person, GROUPS, 0)
    made.begin(0)
    return made


def ready(made: StaffTime, until: int) -> dict[int, int]:
    times = made.times(ALL)
    assert times is not None
    times.ready.advance(until)
    return times.ready.sums


def test_time_at_work_is_cut_at_half_hours() -> None:
    made = staff()
    made.tell("anna", 20 * MINUTE, READY)
    assert ready(made, 70 * MINUTE) == {0: 10 * MINUTE, HALF_HOUR: 30 * MINUTE, 2 * HALF_HOUR: 10 * MINUTE}


def test_a_day_that_begins_within_a_half_hour_begins_one_of_its_own() -> None:
    made = staff()
    made.begin(10 * MINUTE)
    made.tell("anna", 10 * MINUTE, READY)
    assert made.half_hour_start(20 * MINUTE) == 10 * MINUTE
    assert made.half_hour_start(31 * MINUTE) == HALF_HOUR
    assert ready(made, 31 * MINUTE) == {10 * MINUTE: 20 * MINUTE, HALF_HOUR: MINUTE}
    assert made.shortfall_ms(ALL, HALF_HOUR, lambda _: 2) == 20 * MINUTE


def test_a_person_with_two_accounts_is_one_person() -> None:
    made = staff()
    made.tell("anna", 0, READY)
    made.tell("anna-2", 5 * MINUTE, SERVING)
    made.tell("anna", 10 * MINUTE, AWAY)
    made.tell("bo", 20 * MINUTE, READY)
    assert ready(made, 30 * MINUTE) == {0: 40 * MINUTE}
    times = made.times(ALL)
    assert times is not None
    assert times.serving.total_ms(30 * MINUTE) == 25 * MINUTE


def test_who_was_ready_when_the_day_began_counts_from_there() -> None:
    made = staff()
    made.tell("anna", 10 * MINUTE, READY)
    made.begin(HALF_HOUR)
    assert ready(made, 40 * MINUTE) == {HALF_HOUR: 10 * MINUTE}


def test_a_person_who_moves_leaves_the_past_where_it_was() -> None:
    made = staff(people={"anna": "anna"})
    made.tell("anna", 0, READY)
    made.place("anna", "anna", frozenset({ALL, ("team", "red")}), 10 * MINUTE)
    red = made.times(("team", "red"))
    assert red is not None
    assert red.ready.total_ms(25 * MINUTE) == 15 * MINUTE
    assert ready(made, 25 * MINUTE) == {0: 25 * MINUTE}


def test_an_account_that_changes_hands_is_the_next_persons() -> None:
    made = staff(people={"anna": "anna"})
    made.tell("anna", 0, READY)
    made.place("anna", "carl", frozenset({("team", "blue")}), 10 * MINUTE)
    assert ready(made, 30 * MINUTE) == {0: 10 * MINUTE}
    blue = made.times(("team", "blue"))
    assert blue is not None
    assert blue.ready.total_ms(30 * MINUTE) == 20 * MINUTE


def test_a_half_hour_short_of_people_is_not_made_good_by_another() -> None:
    made = staff()
    made.tell("anna", 0, READY)
    made.tell("bo", HALF_HOUR, READY)
    made.tell("anna-2", HALF_HOUR, READY)
    assert made.shortfall_ms(ALL, 2 * HALF_HOUR, lambda _at: 2) == HALF_HOUR
    assert made.shortfall_ms(ALL, 2 * HALF_HOUR, lambda at: 1 if at < HALF_HOUR else 3) == HALF_HOUR
    assert made.shortfall_ms(ALL, 2 * HALF_HOUR, lambda _at: 1) == 0


def test_seats_nobody_ever_sat_on_are_short_all_the_time() -> None:
    assert staff().shortfall_ms(("shop", "empty"), 45 * MINUTE, lambda _at: 2) == 90 * MINUTE


def test_outside_the_service_window_nothing_is_short() -> None:
    made = StaffTime(SLICES, open_first_hour, {})
    made.place("anna", "anna", GROUPS, 0)
    made.begin(0)
    made.tell("anna", 50 * MINUTE, READY)
    assert made.shortfall_ms(ALL, 90 * MINUTE, lambda _at: 1) == 50 * MINUTE


def test_finishing_a_conversation_on_a_break_is_work_and_going_offline_is_not() -> None:
    assert told_state(Presence.ON_BREAK, Activity.SERVING) == SERVING
    assert told_state(Presence.ON_BREAK, Activity.IDLE) == AWAY
    assert told_state(Presence.READY, Activity.RESERVED) == READY
    assert told_state(Presence.READY, Activity.WRAP_UP) == SERVING
    assert told_state(Presence.OFFLINE, Activity.SERVING) == AWAY


def test_days_long_past_are_folded_into_the_state_before() -> None:
    day = AccountDay()
    for number in range(9):
        day.tell(number * 24 * 60 * MINUTE, READY)
    assert (len(day.told), day.before) == (3, READY)


TOLD = st.lists(
    st.tuples(st.sampled_from(["anna", "anna-2", "bo"]), st.integers(0, 150), st.sampled_from([AWAY, READY, SERVING])),
    unique_by=lambda one: (one[0], one[1]),
    max_size=14,
)


@given(told=TOLD, seed=st.integers(), start=st.sampled_from([0, 40]))
def test_in_any_order_it_is_what_a_look_at_every_minute_counts(
    told: list[tuple[str, int, int]], seed: int, start: int
) -> None:
    days: dict[str, AccountDay] = {}
    made = staff(days)
    made.begin(start * MINUTE)
    shuffled = list(told)
    Random(seed).shuffle(shuffled)
    for account, minute, state in shuffled:
        made.tell(account, minute * MINUTE, state)
    again = staff(days)
    again.begin(start * MINUTE)
    for people in (made, again):
        times = people.times(ALL)
        sums = [0, 0] if times is None else [times.ready.total_ms(180 * MINUTE), times.serving.total_ms(180 * MINUTE)]
        assert sums == [minutes_of(told, start, least) * MINUTE for least in (READY, SERVING)]


def minutes_of(told: list[tuple[str, int, int]], start: int, least: int) -> int:
    """Person-minutes at or above a state, by looking at every minute."""
    count = 0
    for minute in range(start, 180):
        in_order = sorted(told, key=lambda one: one[1])
        states = {account: state for account, at, state in in_order if at <= minute}
        anna = max(states.get("anna", AWAY), states.get("anna-2", AWAY))
        count += (anna >= least) + (states.get("bo", AWAY) >= least)
    return count
