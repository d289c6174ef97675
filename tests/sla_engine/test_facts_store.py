"""Facts on disk: by identity and revision, with the state that says they are there, whatever was cut short."""

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine._core.engine import SnapshotUnreadable, new_shard, open_conversations, snapshot, step
from sla_engine._core.parts import ShardParts, assemble, conversation_part
from sla_engine.facts_store import Commit, FactsStore, key_of
from tests.builders import Event, clock, declared, entries, ms, rules, works
from tests.servers import DIES_WITH_THE_TESTS
from tests.sla_engine.facts import load, response, session, written_facts
from tests.sla_engine.folding import CALENDAR
from tests.sla_engine.strategies import transcripts
from tests.waiting import wait_until
from wire.record import Feed
from wire.recorded import Recorded
from wire.verdict import Fact, SessionFact

LEDGER_ID = b"L" * 16
FIRST_OF_DECEMBER = ms("+29 04:00")
"""Start of the first business day of December 2026 in Shanghai; tests.builders.DAY is 2 November."""


def opened(directory: Path, size: int = 10**6, ledger_id: bytes = LEDGER_ID) -> FactsStore:
    return FactsStore.open(directory, ledger_id=ledger_id, ledger_size=size, period_of=CALENDAR.month_of)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FactsStore]:
    kept = opened(tmp_path)
    yield kept
    kept.close()


def written(store: FactsStore, *facts: Fact, index: int = 1, leaf: bytes = b"l") -> None:
    store.commit(Commit(index, leaf, facts, {}, {}))


def everything(directory: Path) -> list[Fact]:
    return list(written_facts(directory))


def test_a_new_store_has_nothing_saved(store: FactsStore) -> None:
    assert store.saved() is None
    assert store.discarded is None


def test_what_was_committed_comes_back(store: FactsStore) -> None:
    store.commit(Commit(7, b"l", [session()], {"c1": b"one", "c2": b"two"}, {"marks": b"m"}))
    store.commit(Commit(9, b"l", [], {"c2": None, "c1": b"ONE"}, {"rules": b"r"}))
    saved = store.saved()
    assert saved is not None
    assert (saved.next_index, saved.conversations, saved.sections) == (9, [b"ONE"], {"marks": b"m", "rules": b"r"})


def test_only_a_higher_revision_replaces_a_fact(store: FactsStore, tmp_path: Path) -> None:
    written(store, session(revision=2, first_response_ms=2))
    written(store, session(revision=1, first_response_ms=1), session(revision=2, first_response_ms=999))
    assert store.find(session()) == session(revision=2, first_response_ms=2)
    written(store, session(revision=3, first_response_ms=3))
    assert everything(tmp_path) == [session(revision=3, first_response_ms=3)]


def test_facts_of_different_identity_stay_beside_each_other(store: FactsStore, tmp_path: Path) -> None:
    facts: list[Fact] = [session(), session(definition="other@1"), session(session=2), response(), response(turn=2)]
    facts += [load("c1", 0, 1_795_300_000_000, 1), load("c1", 1, 1_795_300_000_000, -1)]
    written(store, *facts)
    assert {key_of(fact) for fact in everything(tmp_path)} == {key_of(fact) for fact in facts}
    assert len(everything(tmp_path)) == len(facts)


def test_a_session_lives_in_the_month_of_its_business_day(store: FactsStore) -> None:
    night, morning = FIRST_OF_DECEMBER - 1, FIRST_OF_DECEMBER
    written(store, session("night", started_at=night), session("morning", started_at=morning))
    written(store, response("night", session_started_at=night, started_at=morning + 9))
    assert store.periods() == ["2026-11.sqlite", "2026-12.sqlite"]
    assert [fact.conversation for fact in store.since(morning)] == ["morning"]
    assert sorted(fact.conversation for fact in store.since(night)) == ["morning", "night", "night"]


def test_a_start_that_moves_over_the_end_of_a_month_takes_its_fact_along(store: FactsStore, tmp_path: Path) -> None:
    written(store, session(started_at=FIRST_OF_DECEMBER + 500))
    moved = session(started_at=FIRST_OF_DECEMBER - 500, revision=1)
    assert store.find(moved) == session(started_at=FIRST_OF_DECEMBER + 500)
    written(store, moved)
    assert everything(tmp_path) == [moved]


def test_load_changes_are_asked_for_by_their_own_time(store: FactsStore) -> None:
    early, late = load("c1", 0, ms("08:00"), 1), load("c1", 1, ms("09:00"), -1)
    written(store, early, late, session(started_at=ms("09:00")))
    assert list(store.loads_since(ms("08:30"))) == [late]
    assert [type(fact).__name__ for fact in store.since(ms("08:30"))] == ["SessionFact"]


@pytest.mark.parametrize(
    "damage", ["other ledger", "shorter ledger", "period gone", "period older", "state gone", "noise"]
)
def test_what_does_not_fit_is_discarded_whole_and_says_why(tmp_path: Path, damage: str) -> None:
    store = opened(tmp_path)
    written(store, session(), index=10)
    store.close()
    (tmp_path / "2026-11.sqlite").rename(tmp_path / "kept")
    again = opened(tmp_path)
    assert again.discarded == "2026-11.sqlite is missing"
    written(again, session(), index=10)
    again.close()
    if damage == "period gone":
        (tmp_path / "2026-11.sqlite").unlink()
    elif damage == "period older":
        with sqlite3.connect(tmp_path / "2026-11.sqlite") as file:
            file.execute("UPDATE written SET through = 9")
    elif damage == "state gone":
        (tmp_path / "state.sqlite").unlink()
    elif damage == "noise":
        (tmp_path / "state.sqlite").write_bytes(b"no database" * 500)
    last = opened(
        tmp_path,
        size=9 if damage == "shorter ledger" else 10,
        ledger_id=b"M" * 16 if damage == "other ledger" else LEDGER_ID,
    )
    assert last.discarded is not None
    assert last.saved() is None
    assert everything(tmp_path) == []
    last.close()


def test_a_period_ahead_of_the_state_is_kept_and_made_whole_by_replaying(tmp_path: Path) -> None:
    store = opened(tmp_path)
    written(store, session(revision=0), index=5)
    store._write_period("2026-11.sqlite", [session(revision=1), session("c2")], 9, b"l")
    store.close()
    again = opened(tmp_path, size=9)
    saved = again.saved()
    assert again.discarded is None
    assert saved is not None
    assert saved.next_index == 5
    written(again, session(revision=1), session("c2"), index=9)
    assert sorted(fact.conversation for fact in everything(tmp_path)) == ["c1", "c2"]
    again.close()


def test_where_state_and_facts_end_is_told_with_the_leaves_they_ended_with(store: FactsStore) -> None:
    assert store.ends() == []
    written(store, session(), index=5, leaf=b"fifth")
    written(store, session("c2", started_at=FIRST_OF_DECEMBER), index=7, leaf=b"seventh")
    assert store.ends() == [(7, b"seventh")]
    store._write_period("2026-11.sqlite", [session("c3")], 9, b"ninth")
    assert store.ends() == [(7, b"seventh"), (9, b"ninth")]
    store.discard("a test")
    assert store.ends() == []


def test_after_a_commit_that_failed_no_other_is_taken(store: FactsStore) -> None:
    written(store, session())
    store._writer("2026-11.sqlite").execute("DROP TABLE facts")
    with pytest.raises(sqlite3.OperationalError):
        written(store, session("c2"), index=2)
    with pytest.raises(AssertionError, match="opened anew"):
        written(store, index=3)


def recorded(events: list[Event]) -> list[Recorded]:
    last = max(event.received_at for event in events)
    given = [*rules(), *works("anna", "anna", "red", "a1", "north"), declared(0, "pbx", Feed.DELAYED)]
    return entries([*given, *events, *(clock(at) for at in range(ms("08:00"), last, 7_000)), clock(last + 60_000)])


@settings(max_examples=50)
@given(events=transcripts, cuts=st.lists(st.integers(1, 200), min_size=1, max_size=6))
def test_a_shard_put_together_from_parts_goes_on_as_if_nothing_had_happened(
    events: list[Event], cuts: list[int]
) -> None:
    ledger = recorded(events)
    edges = sorted({0, len(ledger), *(min(cut, len(ledger)) for cut in cuts)})
    whole, facts = new_shard(), list[Fact]()
    shard, said = new_shard(), list[Fact]()
    kept, sections, parts = dict[str, bytes](), dict[str, bytes](), ShardParts()
    for start, end in pairwise(edges):
        batch, now = ledger[start:end], ledger[end - 1].received_at
        facts += step(whole, batch, now).facts
        result = step(shard, batch, now)
        said += result.facts
        for conversation in result.touched:
            part = conversation_part(shard, conversation)
            if part is None:
                kept.pop(conversation, None)
            else:
                kept[conversation] = part
        sections |= parts.sections(shard)
        shard = assemble(sections, list(kept.values()))
    assert said == facts
    assert sorted(open_conversations(shard)) == sorted(open_conversations(whole))


def test_parts_of_another_version_are_unreadable() -> None:
    with pytest.raises(SnapshotUnreadable):
        assemble({}, [])
    sections = ShardParts().sections(new_shard())
    assert snapshot(assemble(sections, [])) == snapshot(new_shard())
    with pytest.raises(SnapshotUnreadable):
        assemble(sections, [b"\xc1"])


WRITER = """
import sys
from pathlib import Path
from tests.sla_engine.killed_writer import write_for_ever
write_for_ever(Path(sys.argv[1]))
"""


async def kill_after(directory: Path, commits: int) -> None:
    """Let a process commit, and kill it at once when it has noted that many commits."""
    progress = directory / "progress"
    progress.unlink(missing_ok=True)
    command = [*DIES_WITH_THE_TESTS, sys.executable, "-c", WRITER, str(directory)]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await wait_until(lambda: progress.exists() and progress.stat().st_size >= commits, what="some commits")
    finally:
        process.kill()
        await process.wait()


async def test_kill_minus_nine_leaves_facts_and_offset_that_go_together(tmp_path: Path) -> None:
    committed = 0
    for commits in (3, 8, 13, 21):
        await kill_after(tmp_path, commits)
        store = opened(tmp_path)
        saved = store.saved()
        assert store.discarded is None
        assert saved is not None
        assert saved.next_index > committed
        committed = saved.next_index
        # one session per entry: every fact below the offset is there, once
        there = sorted(fact.entry_index for fact in store.since(0) if isinstance(fact, SessionFact))
        assert there[:committed] == list(range(committed))
        assert len(there) == len(set(there)) == len(everything(tmp_path))
        store.close()
