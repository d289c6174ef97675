"""What a client's engine keeps for its next start carries versions, and another version's is never taken for whole.

Fields have defaults: an older file would be read as if what it lacks had never happened. So after a change of a shape
the version goes up by one, and the pin here with it; `shape_of` prints what to write.
"""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from sla_engine._core.parts import MARKS
from sla_engine._core.remembered import REMEMBERED, Remembered, Told
from sla_engine._core.snapshot import SNAPSHOT_VERSION, Snapshot
from sla_engine.facts_store import SCHEMA_VERSION, STATE_FILE
from sla_engine.runners.restating import Restated
from tests.shapes import shape_of
from tests.sla_engine.feeding import Feed
from tests.sla_engine.test_local_runner import BEFORE, Hub, facts_in, running, shown, story
from wire.verdict import Fact


def test_a_change_of_the_first_stage_is_a_snapshot_version_of_its_own() -> None:
    assert (SNAPSHOT_VERSION, shape_of(Snapshot)) == (7, "64f9f7de71b4")


def test_a_change_of_facts_or_of_what_is_remembered_beside_them_is_a_schema_version_of_its_own() -> None:
    assert (SCHEMA_VERSION, shape_of(Remembered, Restated, Fact)) == (4, "d54f9b7712b7")


@pytest.mark.parametrize("kept_by", ["another schema", "another first stage"])
async def test_what_an_older_build_kept_is_dropped_and_the_ledger_folded_again(tmp_path: Path, kept_by: str) -> None:
    hub = Hub("09:01")
    feed = Feed(tmp_path / "ledger")
    feed.append([*BEFORE, *story(10)])
    async with running(tmp_path, feed, hub) as runner:
        part = shown(runner)
    facts = facts_in(tmp_path)
    with sqlite3.connect(tmp_path / "facts" / STATE_FILE) as state:
        (marks,) = state.execute("SELECT content FROM sections WHERE name = ?", (MARKS,)).fetchone()
        older = {**msgspec.msgpack.decode(marks), "version": SNAPSHOT_VERSION - 1}
        nothing = msgspec.msgpack.encode(Told())  # whoever takes it up has lost what its queues counted
        state.execute("UPDATE sections SET content = ? WHERE name = ?", (nothing, REMEMBERED))
        if kept_by == "another schema":
            state.execute("UPDATE origin SET schema = ?", (SCHEMA_VERSION - 1,))
        else:
            state.execute("UPDATE sections SET content = ? WHERE name = ?", (msgspec.msgpack.encode(older), MARKS))
    state.close()
    async with running(tmp_path, feed, hub) as runner:
        assert shown(runner) == part
    assert facts_in(tmp_path) == facts
    feed.close()
