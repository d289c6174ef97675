"""Facts read beside the engine that writes them: all files of one moment, or none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from sla_engine.facts_store import Commit, FactsStore
from sla_engine.reports._core.composing import session_of
from sla_engine.reports.stored import StoredFacts, stored_facts
from sla_engine.runners.restating import RESTATED, Restated
from tests.builders import agent, customer, ms, transcript
from tests.sla_engine.folding import CALENDAR
from wire.verdict import SessionFact

LEDGER = b"l" * 16
FACTS = transcript(customer("09:00:00"), agent("09:00:08"), customer("+10 09:00:00", "c2")).facts


def commit(store: FactsStore, next_index: int, **sections: bytes) -> None:
    store.commit(Commit(next_index, b"leaf", FACTS, {}, sections))


@pytest.fixture
def store(tmp_path: Path) -> FactsStore:
    made = FactsStore.open(tmp_path, ledger_id=LEDGER, ledger_size=0, period_of=CALENDAR.month_of)
    commit(made, 7)
    return made


def look(directory: Path, ledger: bytes = LEDGER) -> StoredFacts | None:
    return stored_facts(directory, ledger)


def test_facts_of_a_time_are_read_as_of_the_last_commit(tmp_path: Path, store: FactsStore) -> None:
    found = look(tmp_path)
    assert found is not None
    with closing(found):
        commit(store, 9)  # a later commit does not change what this reader sees
        (session,) = (fact for fact in found.between(ms("00:00"), ms("+1 00:00")) if isinstance(fact, SessionFact))
        assert (session.conversation, found.next_index, found.last_leaf) == ("c1", 7, b"leaf")
    store.close()


def test_a_period_ahead_of_the_state_is_a_commit_half_done(tmp_path: Path, store: FactsStore) -> None:
    with closing(sqlite3.connect(tmp_path / "2026-11.sqlite")) as period:
        period.execute("UPDATE written SET through = 8")
        period.commit()
    assert look(tmp_path) is None
    store.close()


def test_a_period_that_lost_what_was_written_is_not_used(tmp_path: Path, store: FactsStore) -> None:
    store.close()
    for path in tmp_path.glob("2026-11.sqlite*"):
        path.unlink()
    assert look(tmp_path) is None


@pytest.mark.parametrize("settled", [False, True])
def test_facts_wait_for_a_version_that_restates_to_be_through(tmp_path: Path, store: FactsStore, settled: bool) -> None:
    version = Restated(label="v@2", name="v", effective_from=0, index=1, received_at=1, written=True, settled=settled)
    commit(store, 8, **{RESTATED: msgspec.msgpack.encode([version])})
    store.close()
    found = look(tmp_path)
    assert (found is not None) is settled
    if found is not None:
        found.close()


def test_facts_of_another_ledger_none_and_rubbish_are_no_facts(tmp_path: Path, store: FactsStore) -> None:
    store.close()
    assert look(tmp_path, b"o" * 16) is None
    assert look(tmp_path / "nowhere") is None
    for path in tmp_path.glob("state.sqlite*"):
        path.unlink()
    (tmp_path / "state.sqlite").write_bytes(b"rubbish" * 1000)
    assert look(tmp_path) is None


def test_facts_come_in_order_of_their_sessions_whatever_file_they_are_in(tmp_path: Path, store: FactsStore) -> None:
    events = [
        each
        for day in (40, 3, 35, 4)
        for each in (customer(f"+{day} 09:00", f"c{day}"), agent(f"+{day} 09:00:08", c=f"c{day}"))
    ]
    store.commit(Commit(9, b"leaf", transcript(*events).facts, {}, {}))
    store.close()
    found = look(tmp_path)
    assert found is not None
    with closing(found):
        keys = [session_of(fact) for fact in found.between(0, ms("+99 00:00"))]
    assert len(list(tmp_path.glob("20*.sqlite"))) == 2
    assert keys == sorted(keys)
    assert {key[1] for key in keys} >= {"c1", "c40", "c3", "c35", "c4"}
