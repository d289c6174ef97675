"""The engine against a plain reading of the whole transcript, for transcripts in any order of arrival."""

import pytest
from hypothesis import example, given, settings

from sla_engine._core.definition import label_of
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
from tests.sla_engine.judged import judged_by_engine
from tests.sla_engine.oracle import Terms, Told, judge, load
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
TERMS = {
    label_of(PRESET): Terms(10_000, 5_000, 600_000, (Author.HUMAN,)),
    label_of(LENIENT): Terms(4_000, 0, 0, (Author.HUMAN, Author.ASSIST)),
    label_of(PATIENT): Terms(30_000, 5_000, 20_000, (Author.HUMAN,)),
}


def ledger(events: list[Event]) -> list[Event]:
    """Rules and sources before, a clock entry every three seconds, and at the end nothing left open."""
    last = max(event.received_at for event in events)
    ticking = [clock(at) for at in range(NINE, last, 3_000)][:60]
    settled = [silent(last + 1, "pbx"), clock(last + HOUR_MS)]
    return [*rules(PRESET, LENIENT, PATIENT), declared(0, "pbx", Feed.DELAYED), *events, *ticking, *settled]


@settings(max_examples=200)
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
    assert_agrees(events)


@pytest.mark.parametrize("block", range(8))
def test_hundreds_of_transcripts_read_the_same_to_both(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        assert_agrees(drawn(seed, 50))


def assert_agrees(events: list[Event]) -> None:
    recorded = entries(ledger(events))
    facts = step(new_shard(), recorded, 0).facts
    told: list[Told] = [entry.body for entry in recorded if isinstance(entry.body, Told)]
    for label, terms in TERMS.items():
        expected = sorted(judge(told, terms), key=lambda one: (one.conversation, one.started_at, one.why))
        assert judged_by_engine(facts, label) == expected, label


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
    told: list[Told] = [entry.body for entry in recorded if isinstance(entry.body, Told)]
    assert {key: change for key, change in net.items() if change} == load(told)
