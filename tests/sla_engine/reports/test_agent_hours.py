"""People's time in the buckets of a table: cut at the edges, never counted twice."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine.reports._core.agent_hours import Interval, State, agent_hours
from sla_engine.reports._core.agent_intervals import presence_intervals
from tests.talking import Talk, talks
from wire.body import Body
from wire.conversation import (
    Accepted,
    Activity,
    AgentTurn,
    Assigned,
    Author,
    Channel,
    Closed,
    Offered,
    Presence,
    PresenceChanged,
    Queued,
    Transferred,
)
from wire.errors import ContractViolation

MINUTE = 60_000
HOUR = 60 * MINUTE
EDGES = [8 * HOUR, 9 * HOUR, 10 * HOUR, 11 * HOUR]


def login(start: int, end: int | None, account: str = "a-1") -> Interval:
    return Interval(account, start, end, State.LOGGED_IN)


def hours(*intervals: Interval, until: int = EDGES[-1]) -> list[int]:
    (sums,) = agent_hours(intervals, EDGES, until).values()
    return list(sums)


def test_a_login_over_an_hour_is_split_at_the_hour() -> None:
    assert hours(login(8 * HOUR + 50 * MINUTE, 9 * HOUR + 20 * MINUTE)) == [10 * MINUTE, 20 * MINUTE, 0]


def test_a_login_that_begins_before_the_table_and_ends_after_it_fills_it() -> None:
    assert hours(login(7 * HOUR, 23 * HOUR)) == [HOUR, HOUR, HOUR]


def test_a_login_until_the_full_hour_is_none_of_the_next() -> None:
    assert hours(login(8 * HOUR, 9 * HOUR)) == [HOUR, 0, 0]


def test_a_login_without_an_end_goes_as_far_as_is_known() -> None:
    assert hours(login(9 * HOUR + 30 * MINUTE, None), until=10 * HOUR + 1) == [0, 30 * MINUTE, 1]


def test_two_logins_at_once_count_once() -> None:
    overlapping = (login(8 * HOUR, 9 * HOUR), login(8 * HOUR + 30 * MINUTE, 9 * HOUR + 15 * MINUTE))
    assert hours(*overlapping) == [HOUR, 15 * MINUTE, 0]


def test_accounts_and_states_are_kept_apart() -> None:
    found = agent_hours(
        [login(8 * HOUR, 9 * HOUR), login(8 * HOUR, 10 * HOUR, "a-2"), Interval("a-1", 0, 9 * HOUR, State.ON_BREAK)],
        EDGES,
        0,
    )
    assert found == {
        ("a-1", State.LOGGED_IN): [HOUR, 0, 0],
        ("a-1", State.ON_BREAK): [HOUR, 0, 0],
        ("a-2", State.LOGGED_IN): [HOUR, HOUR, 0],
    }


def test_who_was_never_there_is_not_in_the_table() -> None:
    assert agent_hours([login(12 * HOUR, 13 * HOUR)], EDGES, 0) == {}


def test_an_hour_that_the_clock_shows_twice_is_two_buckets() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, tzinfo=zone)
    edges = [round(first.timestamp() * 1000) + hour * HOUR for hour in range(3)]
    shown = [datetime.fromtimestamp(edge / 1000, UTC).astimezone(zone).hour for edge in edges]
    assert shown == [2, 2, 3]
    found = agent_hours([login(edges[0] + 30 * MINUTE, edges[1] + 10 * MINUTE)], edges, 0)
    assert found == {("a-1", State.LOGGED_IN): [30 * MINUTE, 10 * MINUTE]}


@pytest.mark.parametrize("edges", [[], [1], [2, 1], [1, 1]])
def test_edges_that_do_not_ascend_are_a_mistake(edges: list[int]) -> None:
    with pytest.raises(ContractViolation):
        agent_hours([], edges, 0)


@given(
    spans=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8),
    inner=st.sets(st.integers(1, 59), max_size=6),
)
def test_every_instant_within_the_edges_is_in_one_bucket(spans: list[tuple[int, int]], inner: set[int]) -> None:
    edges = [0, *sorted(inner), 60]
    found = agent_hours([login(*span) for span in spans], edges, 0)
    there = {at for start, end in spans for at in range(start, end)}
    by_hand = [sum(start <= at < end for at in there) for start, end in pairwise(edges)]
    assert list(found.get(("a-1", State.LOGGED_IN), [0] * len(by_hand))) == by_hand


# ---------------------------------------------------------------------------------------------------- from the events


def presence(at: int, presence: Presence, activity: Activity = Activity.IDLE) -> PresenceChanged:
    return PresenceChanged(at, 1, "", None, True, "", "a-1", presence, activity)


def test_presence_becomes_logins_breaks_and_wrap_ups() -> None:
    changes = [
        presence(10, Presence.READY),
        presence(20, Presence.READY, Activity.WRAP_UP),
        presence(30, Presence.ON_BREAK),
        presence(40, Presence.READY),
        presence(50, Presence.OFFLINE),
        presence(60, Presence.READY),
    ]
    assert set(presence_intervals(changes)) == {
        Interval("a-1", 20, 30, State.WRAP_UP),
        Interval("a-1", 30, 40, State.ON_BREAK),
        Interval("a-1", 10, 50, State.LOGGED_IN),
        Interval("a-1", 60, None, State.LOGGED_IN),
    }


def head(at: int) -> tuple[int, int, str, None, bool, str]:
    return at, 1, "", None, True, "c-1"


def test_each_persons_part_of_a_call_ends_with_the_transfer() -> None:
    events: list[Body] = [
        Offered(*head(0), "c-1", "q-1", Channel.VOICE),
        Assigned(*head(1), "c-1", "a-1", "q-1"),
        Queued(*head(4), "c-1", "q-1"),
        Assigned(*head(5), "c-1", "a-2", "q-1"),
        Accepted(*head(9), "c-1", "a-2"),
        AgentTurn(*head(9), "c-1", "a-2"),
        Transferred(*head(20), "c-1", "q-2"),
        Closed(*head(20), "c-1"),
        Offered(*head(20), "c-1", "q-2", Channel.VOICE),
        AgentTurn(*head(30), "c-1", "a-3"),
    ]
    found = list(talks(events))
    assert found == [Talk("a-2", "q-1", 0, 9, 20), Talk("a-3", "q-2", 20, 30, None)]
    assert found[0].interval == Interval("a-2", 9, 20, State.TALKING)


def test_a_chat_and_a_machine_do_not_talk() -> None:
    chat = [Offered(*head(0), "c-1", "q-1"), AgentTurn(*head(1), "c-1", "a-1"), Closed(*head(2), "c-1")]
    bot = [Offered(*head(0), "c-1", "q-1", Channel.VOICE), AgentTurn(*head(1), "c-1", "a-1", Author.BOT)]
    assert list(talks(chat)) == list(talks(bot)) == []
