"""Facts are a function of the entries alone."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla_engine._core.engine import StepResult, live, new_shard, open_conversations, restore, snapshot, step, watermark
from tests.builders import Event, clock, entries, works
from tests.sla_engine.strategies import drawn, floors, transcripts
from tests.sla_engine.test_engine_against_oracle import ledger
from wire.errors import ContractViolation
from wire.recorded import Recorded
from wire.verdict import Fact

_encode = msgspec.msgpack.Encoder().encode


def recorded(events: list[Event]) -> list[Recorded]:
    return entries([*works("anna", "wang", "red", "seat-1", "site-1"), *ledger(events)])


ledgers = st.one_of(transcripts.map(recorded), floors)
"""Legal and illegal transcripts under three fixed definitions, and floors under random ones."""


def one_by_one(ledger_entries: list[Recorded]) -> list[Fact]:
    shard = new_shard()
    return [fact for entry in ledger_entries for fact in step(shard, [entry], entry.received_at).facts]


def as_set(facts: list[Fact]) -> set[bytes]:
    encoded = [_encode(fact) for fact in facts]
    assert len(set(encoded)) == len(encoded), "a fact is said twice"
    return set(encoded)


def cut(ledger_entries: list[Recorded], cuts: list[int]) -> list[list[Recorded]]:
    places = sorted({place % (len(ledger_entries) + 1) for place in cuts} | {0, len(ledger_entries)})
    return [ledger_entries[start:end] for start, end in pairwise(places)]


@settings(max_examples=60)
@given(ledgers, st.lists(st.integers(0, 500)), st.lists(st.integers(0, 2**42), min_size=1))
def test_neither_batches_nor_any_clock_changes_a_fact(
    ledger_entries: list[Recorded], cuts: list[int], nows: list[int]
) -> None:
    shard = new_shard()
    facts: list[Fact] = []
    for number, batch in enumerate(cut(ledger_entries, cuts)):
        facts += step(shard, batch, nows[number % len(nows)]).facts
        facts += step(shard, [], nows[-number % len(nows)]).facts
    assert facts == one_by_one(ledger_entries)


def test_a_hole_in_the_feed_is_a_crash_and_a_repetition_is_not() -> None:
    ledger_entries = entries([clock(f"09:00:0{number}") for number in range(7)])
    shard = new_shard()
    step(shard, ledger_entries[:2], 0)
    step(shard, ledger_entries[:3], 0)
    assert shard.next_index == 3
    for hole in (ledger_entries[4:], [ledger_entries[3], *ledger_entries[5:]]):
        with pytest.raises(ContractViolation, match="left entries out"):
            step(shard, hole, 0)


@settings(max_examples=60)
@given(ledgers, st.sampled_from((2, 8)))
def test_one_two_and_eight_shards_say_the_same_facts(ledger_entries: list[Recorded], of: int) -> None:
    shards = [new_shard(number, of) for number in range(of)]
    facts = [fact for shard in shards for fact in step(shard, ledger_entries, 0).facts]
    assert as_set(facts) == as_set(one_by_one(ledger_entries))
    assert {watermark(shard) for shard in shards} == {watermark(shards[0])}
    seen = [key for shard in shards for key in open_conversations(shard)]
    whole = new_shard()
    step(whole, ledger_entries, 0)
    assert sorted(seen) == sorted(open_conversations(whole))


@settings(max_examples=60)
@given(ledgers, st.lists(st.integers(0, 500), max_size=5), st.integers(0, 7))
@example(recorded(drawn(32, 38)), [33], 0)
def test_a_restart_at_any_point_changes_nothing_that_is_said(
    ledger_entries: list[Recorded], cuts: list[int], again: int
) -> None:
    straight, stopped = new_shard(), new_shard()
    position = 0
    for batch in cut(ledger_entries, cuts):
        now = batch[-1].received_at
        stopped = restore(snapshot(stopped))
        start = max(0, position - again)  # a feed may hand out entries again that were folded before
        expected = step(straight, batch, now)
        got = step(stopped, ledger_entries[start : position + len(batch)], now)
        assert got.facts == expected.facts
        assert sorted(map(_encode, got.announcements)) == sorted(map(_encode, expected.announcements))
        assert got.next_wake_at == expected.next_wake_at
        assert set(got.touched) == set(expected.touched)
        position += len(batch)
    for key in open_conversations(straight):
        assert live(stopped, key) == live(straight, key)
    assert snapshot(stopped) == snapshot(straight)


@settings(max_examples=40)
@given(ledgers, st.integers(0, 500))
def test_a_full_replay_ends_where_the_first_run_ended(ledger_entries: list[Recorded], place: int) -> None:
    first, replay = new_shard(), new_shard()
    place %= len(ledger_entries) + 1
    before = step(first, ledger_entries[:place], 0)
    after = step(first, ledger_entries[place:], 0)
    again: StepResult = step(replay, ledger_entries, 0)
    assert again.facts == before.facts + after.facts
    assert snapshot(replay) == snapshot(first)


@settings(max_examples=60)
@given(ledgers)
def test_an_announcement_is_made_once_and_only_while_a_reply_is_owed(ledger_entries: list[Recorded]) -> None:
    shard = new_shard()
    said = []
    for entry in ledger_entries:
        result = step(shard, [entry], entry.received_at)
        for notice in result.announcements:
            held = live(shard, notice.conversation)
            assert held is not None
            assert (notice.definition, notice.due_at) in held.dues
            assert notice.at <= entry.received_at
        said += [(n.conversation, n.definition, n.session, n.due_at, n.notice) for n in result.announcements]
    assert len(said) == len(set(said))
