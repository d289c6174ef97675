"""The engine against a plain reading of the whole ledger, for transcripts in any order of arrival."""

import pytest
from hypothesis import example, given, settings

from sla_engine._core.engine import new_shard, step
from tests.builders import (
    HOUR_MS,
    PRESET,
    Event,
    agent,
    assigned,
    changed,
    clock,
    closed,
    customer,
    declared,
    entries,
    left,
    offered,
    rules,
    silent,
)
from tests.oracle.campaign import RANDOM, trials
from tests.oracle.comparing import differences, differences_in
from tests.oracle.load import load
from tests.sla_engine.strategies import NINE, drawn, transcripts
from wire.conversation import Author
from wire.record import Feed
from wire.verdict import LoadChange

LENIENT = changed(
    name="lenient",
    valid_reply=(Author.HUMAN, Author.ASSIST),
    first_response_limit_ms=4_000,
    warning_after_ms=2_000,
    short_abandon_ms=0,
    gap_to_new_session_ms=0,
)
PATIENT = changed(name="patient", gap_to_new_session_ms=20_000, first_response_limit_ms=30_000)
RULES = (PRESET, LENIENT, PATIENT)


def ledger(events: list[Event]) -> list[Event]:
    """Rules and sources before, a clock entry every three seconds, and at the end nothing left open."""
    last = max(event.received_at for event in events)
    ticking = [clock(at) for at in range(NINE, last, 3_000)][:60]
    settled = [silent(last + 1, "pbx"), clock(last + HOUR_MS)]
    return [*rules(*RULES), declared(0, "pbx", Feed.DELAYED), *events, *ticking, *settled]


@settings(max_examples=100)
@given(transcripts)
@example(
    [
        customer(NINE + 30_000, arrives=NINE + 30_000),
        agent(NINE + 41_000),
        customer(NINE + 29_000, arrives=NINE + 99_000),
    ]
)
@example(
    [
        offered(NINE + 30_000),
        left(NINE + 31_000),
        offered(NINE + 40_000),
        assigned(NINE + 41_000),
        closed(NINE + 50_000),
    ]
)
def test_the_last_word_of_the_engine_is_what_a_reader_of_the_whole_transcript_finds(events: list[Event]) -> None:
    assert differences_in(entries(ledger(events)), RULES) == []


@pytest.mark.parametrize("block", range(4))
def test_hundreds_of_wild_transcripts_read_the_same_to_both(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        assert differences_in(entries(ledger(drawn(seed, 50))), RULES) == [], seed


@pytest.mark.parametrize("first_seed", range(1, 401, 100))
def test_hundreds_of_floors_read_the_same_to_both_under_every_preset(first_seed: int) -> None:
    for trial in trials(first_seed, 100):
        assert differences(trial.events, trial.definitions) == [], trial.seed


@pytest.mark.parametrize("first_seed", range(1, 401, 100))
def test_hundreds_of_floors_read_the_same_to_both_under_random_definitions(first_seed: int) -> None:
    for trial in trials(first_seed, 100, RANDOM):
        assert differences(trial.events, trial.definitions) == [], trial.seed


@settings(max_examples=200)
@given(transcripts)
def test_the_load_of_people_adds_up_to_what_the_transcript_says(events: list[Event]) -> None:
    recorded = entries(ledger(events))
    net: dict[tuple[int, str], int] = {}
    ordinals: dict[str, int] = {}
    for fact in step(new_shard(), recorded, 0).facts:
        if isinstance(fact, LoadChange):
            assert fact.ordinal == ordinals.get(fact.conversation, 0)
            ordinals[fact.conversation] = fact.ordinal + 1
            net[fact.at, fact.account] = net.get((fact.at, fact.account), 0) + fact.change
    assert {key: change for key, change in net.items() if change} == load(recorded)
