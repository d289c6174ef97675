"""Contracts and versions that begin, end and replace each other while sessions go on (E18), on odd floors."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla_engine._core.engine import new_shard, restore, snapshot, step
from sla_engine.facts_store import key_of, revision_of
from tests.builders import (
    Event,
    Play,
    agent,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    ms,
    published,
    signed,
    transcript,
    transferred,
)
from tests.oracle.campaign import changing_trial
from tests.oracle.comparing import differences, recorded
from wire.verdict import LegFact

SLOW = changed(name="slow", gap_to_new_session_ms=600_000)
QUICK = changed(name="quick", gap_to_new_session_ms=60_000)


@pytest.mark.parametrize("first_seed", range(1, 81, 40))
def test_engine_and_oracle_read_the_same_however_the_rules_change(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 40):
        trial = changing_trial(seed)
        assert differences(trial.events, trial.definitions, trial.given) == [], seed


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 500))
@example(4858, 200)
def test_two_shards_and_a_restart_say_the_same_and_nothing_twice(seed: int, place: int) -> None:
    trial = changing_trial(seed)
    ledger = recorded(trial.events, trial.definitions, trial.given)
    straight = step(new_shard(), ledger, 0).facts
    said = [(key_of(fact), revision_of(fact)) for fact in straight]
    assert len(set(said)) == len(said)
    place %= len(ledger)
    stopped = new_shard()
    before = step(stopped, ledger[:place], 0).facts
    stopped = restore(snapshot(stopped))
    assert before + step(stopped, ledger[place:], 0).facts == straight
    halves = [step(new_shard(number, 2), ledger, 0).facts for number in range(2)]
    assert sorted(map(repr, halves[0] + halves[1])) == sorted(map(repr, straight))


def played(*signatures: Event, events: list[Event]) -> Play:
    given = [declared(0), published(SLOW), published(QUICK), *signatures]
    return transcript(*events, clock("10:00"), given=given)


def sessions(play: Play) -> list[tuple[str, int]]:
    return sorted((fact.definition.partition("@")[0], fact.started_at) for fact in play.sessions())


def visit(opens: str, answered: str, ends: str, queue: str = "presale") -> list[Event]:
    return [customer(opens, queue=queue), agent(answered), closed(ends)]


BOTH = [
    signed(contract("slow", until="09:02", name="old")),
    signed(contract("slow", "quick", since="09:02", name="new")),
]


@pytest.mark.parametrize(
    ("returns", "judging"),
    [("09:01:59", ["slow"]), ("09:02:00.000", ["slow"]), ("09:02:01.000", ["quick", "slow"])],
    ids=["before it is in force", "within its own gap", "after its own gap"],
)
def test_a_definition_joins_a_session_that_goes_on_once_its_own_gap_is_over(returns: str, judging: list[str]) -> None:
    events = [*visit("09:00:00", "09:00:05", "09:01:00.500"), customer(returns), agent("09:02:09"), closed("09:03")]
    starts = {"slow": ms("09:00:00"), "quick": ms(returns)}
    assert sessions(played(*BOTH, events=events)) == [(name, starts[name]) for name in judging]


def test_a_queue_with_rules_of_its_own_judges_no_return_within_its_gap() -> None:
    own = [
        signed(contract("slow", queues=["presale"], name="a")),
        signed(contract("quick", queues=["aftersale"], name="b")),
    ]
    first = [customer("09:00:00"), agent("09:00:05"), transferred("09:00:10", queue="aftersale"), closed("09:00:30")]
    play = played(*own, events=[*first, *visit("09:01:00", "09:01:05", "09:01:10", "aftersale")])
    assert sessions(play) == [("slow", ms("09:00:00"))]
    play = played(*own, events=[*first, *visit("09:01:30", "09:01:35", "09:01:40", "aftersale")])
    assert sessions(play) == [("quick", ms("09:01:30")), ("slow", ms("09:00:00"))]


def test_legs_keep_numbers_of_their_own_when_another_definition_comes_first_and_goes_again() -> None:
    signatures = [
        signed(contract("slow", until="09:02", name="old")),
        signed(contract("quick", "slow", since="09:02", name="new", until="09:04")),
        signed(contract("slow", since="09:04", name="last")),
    ]
    events = [
        *visit("09:00:00", "09:00:05", "09:01:00"),
        *visit("09:02:30", "09:02:35", "09:03:00"),
        *visit("09:04:30", "09:04:35", "09:05:00"),
    ]
    legs = [fact for fact in played(*signatures, events=events).facts if isinstance(fact, LegFact)]
    assert [(leg.session - legs[0].session, leg.leg) for leg in legs] == [(0, 0), (1, 0), (1, 1)]
