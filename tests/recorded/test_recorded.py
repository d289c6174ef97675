"""Every released semantics still says, byte for byte, what it said when it was recorded."""

import shutil
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from ledger.fsck import check
from ledger.reader import LedgerReader
from sla_engine._core.definition import Definition
from sla_engine.definition_text import CASES
from sla_engine.replay import entered_rules
from tests.builders import PRESET, rules
from tests.recorded.make import FACTS, LEDGER, ROOT, facts_of, folder_of, line_of, main, record, released
from wire.verdict import Outcome, SessionFact, Verdict, Why

NEVER_SAID = {Why.RUNNING_IN: "a contract's running-in time has no target; its facts are judged as any other"}


@pytest.fixture(params=released())
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy: reading a ledger leaves files beside it."""
    return Path(shutil.copytree(folder_of(request.param), tmp_path / "recording"))


def test_replaying_the_recorded_ledger_says_the_recorded_facts(recording: Path) -> None:
    """A field that facts did not have when they were recorded is left out; every other byte counts."""
    recorded = (recording / FACTS).read_bytes().splitlines()
    said = list(facts_of(recording / LEDGER))
    assert len(said) == len(recorded)
    for fact, line in zip(said, recorded, strict=True):
        now = msgspec.json.decode(line_of(fact))
        assert msgspec.json.encode({field: now[field] for field in msgspec.json.decode(line)}) == line


def test_the_recorded_ledger_is_the_one_that_was_recorded(recording: Path) -> None:
    reader = LedgerReader.open(recording / LEDGER)
    size, root = (recording / ROOT).read_text(encoding="utf-8").split()
    assert (reader.size(), reader.root(reader.size()).hex()) == (int(size), root)
    reader.close()
    assert check(recording / LEDGER).problems == []


def test_the_recording_covers_every_answer_to_every_edge_case_and_every_reason(recording: Path) -> None:
    reader = LedgerReader.open(recording / LEDGER)
    definitions, _ = entered_rules(reader)
    reader.close()
    missing = [
        f"{key} = {value}"
        for key in Definition.__struct_fields__
        if key in CASES and key != "redefinition" and isinstance(answer := getattr(PRESET, key), StrEnum)
        for value in type(answer)
        if not any(getattr(definition, key) is value for definition in definitions)
    ]
    assert missing == []
    sessions = [fact for fact in facts_of(recording / LEDGER) if isinstance(fact, SessionFact)]
    assert {fact.why for fact in sessions} == set(Why) - NEVER_SAID.keys()
    assert ({fact.outcome for fact in sessions}, {fact.verdict for fact in sessions}) == (set(Outcome), set(Verdict))


def test_a_recording_is_never_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main() == 1
    assert f"it is semantics {released()[-1] + 1}" in capsys.readouterr().err
    record(tmp_path / "made", rules())
    with pytest.raises(FileExistsError):
        record(tmp_path / "made", rules())


def test_the_same_events_are_recorded_as_the_same_ledger(tmp_path: Path) -> None:
    for name in ("one/made", "two/made"):
        record(tmp_path / name, rules())
    roots = [(tmp_path / name / "made" / ROOT).read_text(encoding="utf-8") for name in ("one", "two")]
    assert roots[0] == roots[1]
