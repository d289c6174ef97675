"""Who waits now, checked against a plain list of conversations."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.groups import Group
from sla_engine._core.waiting import WaitingRoom
from wire.board import Waiting

QUEUE: Group = ("queue", "q")
TEAM: Group = ("team", "red")
Stand = tuple[tuple[Group, ...], int | None, int | None]


SOON = 12


def direct(stands: dict[str, Stand], group: Group, as_of: int, soon: int = SOON) -> Waiting:
    """The same numbers by looking at every conversation."""
    here = [(since, due, name) for name, (groups, since, due) in stands.items() if group in groups]
    waiters = [(since, name, due) for since, due, name in here if since is not None]
    waits = [since for since, _, _ in here if since is not None]
    dues = [due for since, due, _ in here if since is not None and due is not None]
    return Waiting(
        waiting=len(waits),
        overdue=sum(due < as_of for due in dues),
        oldest_since=min(waits, default=None),
        next_due_at=min((due for due in dues if due >= as_of), default=None),
        open=len(here),
        overdue_since=min((due for due in dues if due < as_of), default=None),
        oldest_due_at=min(waiters, key=lambda waiter: waiter[:2])[2] if waiters else None,
        due_soon=sum(as_of <= due <= as_of + soon for due in dues) if soon else 0,
    )


def test_the_tenth_second_is_still_in_time_and_the_millisecond_after_is_overdue() -> None:
    room = WaitingRoom(10_000)
    room.put("c1", (QUEUE,), 0, 10_000)
    room.advance(10_000)
    assert room.waiting(QUEUE) == Waiting(
        waiting=1, overdue=0, oldest_since=0, next_due_at=10_000, open=1, oldest_due_at=10_000
    )
    room.advance(10_001)
    assert room.waiting(QUEUE) == Waiting(
        waiting=1, overdue=1, oldest_since=0, next_due_at=None, open=1, overdue_since=10_000, oldest_due_at=10_000
    )
    room.put("c1", (QUEUE,), None, None)
    assert room.waiting(QUEUE) == Waiting(waiting=0, overdue=0, oldest_since=None, next_due_at=None, open=1)


def test_a_long_wait_for_a_later_reply_does_not_pass_for_an_overdue_first_one() -> None:
    room = WaitingRoom(10_000)
    room.put("later", (QUEUE,), 0, None)
    room.put("first", (QUEUE,), 40_000, 50_000)
    room.advance(52_000)
    shown = room.waiting(QUEUE)
    assert (shown.oldest_since, shown.oldest_due_at) == (0, None)
    assert (shown.overdue, shown.overdue_since) == (1, 50_000)
    room.put("first", (QUEUE,), None, None)
    assert room.waiting(QUEUE).overdue_since is None


def test_who_is_overdue_on_arrival_counts_at_once() -> None:
    room = WaitingRoom(10_000)
    room.advance(50_000)
    room.put("c1", (QUEUE,), 0, 10_000)
    assert room.waiting(QUEUE).overdue == 1


def test_an_unknown_group_has_nobody_waiting() -> None:
    assert WaitingRoom(10_000).waiting(TEAM) == Waiting(waiting=0, overdue=0, oldest_since=None, next_due_at=None)


OPTIONAL = st.none() | st.integers(0, 100)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2", "c3", "c4", "c5"]),
        st.sampled_from([(QUEUE,), (QUEUE, TEAM), (TEAM,), None]),
        OPTIONAL,
        OPTIONAL,
        st.integers(0, 4),
        st.sampled_from([SOON, SOON, SOON, 3, 40, 0]),
    ),
    max_size=60,
)


@given(steps=STEPS)
def test_counts_oldest_and_next_due_equal_a_look_at_everybody(
    steps: list[tuple[str, tuple[Group, ...] | None, int | None, int | None, int, int]],
) -> None:
    room, stands, as_of = WaitingRoom(10_000), dict[str, Stand](), 0
    for conversation, groups, since, due, elapsed, soon in steps:
        as_of += elapsed
        room.advance(as_of)
        if groups is None:
            room.remove(conversation)
            stands.pop(conversation, None)
        else:
            room.put(conversation, groups, since, due)
            stands[conversation] = (groups, since, due)
        for group in (QUEUE, TEAM):
            assert room.waiting(group, soon) == direct(stands, group, as_of, soon)


def test_heaps_stay_as_small_as_the_room_over_a_long_day() -> None:
    room, random = WaitingRoom(10_000), Random(1)
    room.put("forgotten", (QUEUE,), 0, 1)
    for now in range(20_000):
        conversation = f"c{random.randrange(100)}"
        if random.random() < 0.5:
            room.put(conversation, (QUEUE,), now, now + 10)
        else:
            room.remove(conversation)
        room.advance(now)
        room.waiting(QUEUE, 5)
    crowd = room._crowds[QUEUE]
    assert len(room) <= 101
    assert max(len(crowd.waits), len(crowd.dues), len(crowd.soon), len(room._dues)) <= 2 * 101 + 64 + 1
    assert room.waiting(QUEUE).oldest_since == 0
