"""The last word on every fact is the same however few of them are held in memory."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine.facts_store import instant_of, key_of
from sla_engine.replay import last_facts, replay
from sla_engine.reports._core.composing import session_of
from sla_engine.reports.last_words import LastWords
from tests.sla_engine.strategies import DrawnLedger, floors
from wire.verdict import Fact


def words(facts: list[Fact], since: int, held: int) -> list[Fact]:
    last = LastWords(lambda fact: instant_of(fact) >= since, held)
    last.take(facts)
    found = list(last.in_order())
    assert found == list(last.in_order()), "read twice"
    last.close()
    return found


@settings(max_examples=40)
@given(floors, st.integers(1, 40), st.integers(0, 9))
def test_the_last_words_put_down_in_runs_are_those_kept_in_memory(floor: DrawnLedger, held: int, tenths: int) -> None:
    facts = list(replay([floor]))
    instants = sorted(map(instant_of, facts)) or [0]
    since = instants[len(instants) * tenths // 10]
    expected = last_facts(facts, lambda fact: instant_of(fact) >= since)
    found = words(facts, since, held)
    assert {key_of(fact): fact for fact in found} == expected
    assert [session_of(fact) for fact in found] == sorted(map(session_of, expected.values()))
    assert found == sorted(found, key=session_of)
    assert len(found) == len(expected)


def test_a_fold_of_few_facts_touches_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert words([], 0, 1) == []
    assert not os.path.lexists(tmp_path / "missing")
