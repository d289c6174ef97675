"""Who was ready when: told as it happened or late, kept as long as somebody may ask."""

from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.limits import NOT_YET
from sla_engine._core.online import Online, OnlineState

Told = list[tuple[str, str, int, bool]]
told_at_random = st.lists(
    st.tuples(st.sampled_from("st"), st.sampled_from("abc"), st.integers(0, 30), st.booleans()), max_size=40
)


def online(told: Told, keep_ms: int | None = None) -> Online:
    found = Online(OnlineState())
    for source in "st":
        found.fed("presale", source)
    for source, account, at, ready in told:
        keep_from = NOT_YET if keep_ms is None else at - keep_ms
        found.tell(source, account, at, ready=ready, keep_from=keep_from)
    return found


def nobody(told: Told, at: int) -> bool:
    last = {}
    for source, account, since, ready in told:
        if since <= at:
            last[source, account] = ready
    return bool(last) and not any(last.values())


def in_order(told: Told) -> Told:
    return sorted(told, key=lambda one: one[2])


@given(told_at_random)
def test_nobody_is_there_when_somebody_is_known_and_none_was_ready(told: Told) -> None:
    told = in_order(told)
    found = online(told)
    assert [found.nobody("presale", at) for at in range(32)] == [nobody(told, at) for at in range(32)]


@given(told_at_random)
def test_a_restart_knows_what_was_known(told: Told) -> None:
    found = online(told)
    again = Online(msgspec.msgpack.decode(msgspec.msgpack.encode(found.state), type=OnlineState))
    assert [again.nobody("presale", at) for at in range(32)] == [found.nobody("presale", at) for at in range(32)]


def test_a_change_that_comes_in_late_holds_until_the_next_one() -> None:
    found = online([("s", "a", 5, False), ("s", "a", 20, False), ("s", "a", 30, True), ("s", "a", 10, True)])
    assert [found.nobody("presale", at) for at in (9, 10, 29, 30)] == [True, False, False, False]
    again = online([("s", "a", 10, True), ("s", "a", 20, False), ("s", "a", 5, False), ("s", "a", 15, False)])
    assert [again.nobody("presale", at) for at in (4, 5, 10, 14, 15)] == [False, True, False, False, True]


def test_sources_of_other_queues_say_nothing_and_the_unknown_count_as_there() -> None:
    found = online([("s", "a", 5, False)])
    assert not found.nobody("presale", 4), "nothing is known of anybody yet"
    assert found.nobody("presale", 5)
    assert not found.nobody("aftersale", 5)


def test_what_is_past_its_time_is_let_go_and_how_things_stood_then_is_kept() -> None:
    rng = Random(1)
    told = [("s", rng.choice("abc"), at, rng.random() < 0.3) for at in range(400)]
    found = online(told)
    kept = online(told, keep_ms=100)
    begins = kept.state.begins["s"]
    assert 200 < begins <= 300
    assert min(change.at for changes in kept.state.accounts["s"].values() for change in changes) == begins
    later = range(begins, 400)
    assert [kept.nobody("presale", at) for at in later] == [found.nobody("presale", at) for at in later]
