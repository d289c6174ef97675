"""Every released semantics still says, byte for byte, what it said when it was recorded."""

import shutil
from enum import StrEnum
from pathlib import Path

import pytest

from ledger.fsck import check
from ledger.reader import LedgerReader
from sla_engine._core.choices import ServiceLevelFormula
from sla_engine._core.definition import Definition
from sla_engine._core.rules import SECOND_SEMANTICS
from sla_engine.definition_text import CASES
from sla_engine.replay import entered_rules
from tests.builders import PRESET, rules
from tests.recorded.make import (
    FACTS,
    LEDGER,
    RECORDINGS,
    REPORTS,
    ROOT,
    facts_of,
    folder_of,
    line_of,
    main,
    record,
    released,
)
from tests.recorded.reporting import line_of_report, reports_of, told_then
from wire.verdict import Outcome, ResponseFact, SessionFact, Verdict, Why

OF_TURNS = {
    *(Why.LEFT_SHORT, Why.LEFT_UNANSWERED, Why.LEFT_IGNORED, Why.LEFT_IN_TIME),
    *(Why.NOBODY_ONLINE, Why.NOT_SERVED),
}
NEVER_SAID = {Why.RUNNING_IN: "a contract's running-in time has no target; its facts are judged as any other"}


@pytest.fixture(params=[(semantics, name) for semantics in released() for name in RECORDINGS])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy: reading a ledger leaves files beside it."""
    return Path(shutil.copytree(folder_of(*request.param), tmp_path / "recording"))


def test_replaying_the_recorded_ledger_says_the_recorded_facts(recording: Path) -> None:
    """A field that facts did not have when they were recorded is left out; every other byte counts."""
    recorded = (recording / FACTS).read_bytes().splitlines()
    said = [line_of(fact) for fact in facts_of(recording / LEDGER)]
    assert len(said) == len(recorded)
    for now, line in zip(said, recorded, strict=True):
        assert told_then(now, line) == line


def test_reports_over_the_recorded_ledger_are_the_recorded_ones_under_every_formula(recording: Path) -> None:
    """As of facts: a figure that reports did not have then is left out."""
    recorded = (recording / REPORTS).read_bytes().splitlines()
    made = [line_of_report(asked, answer) for asked, answer in reports_of(recording / LEDGER)]
    assert len(made) == len(recorded)
    for now, line in zip(made, recorded, strict=True):
        assert told_then(now, line) == line


def test_no_two_formulas_come_to_the_same_in_a_recording_but_those_that_are_one(recording: Path) -> None:
    """Or else one could be taken for the other, and nothing here would notice."""
    levels = {asked: answer.total.figures.service_level for asked, answer in reports_of(recording / LEDGER)}
    ratios = {formula: level.ratio for formula in ServiceLevelFormula if (level := levels[formula]) is not None}
    assert len(ratios) == len(ServiceLevelFormula)
    assert ratios.pop(ServiceLevelFormula.WITHIN_OF_COMPLETED) == ratios[ServiceLevelFormula.WITHIN_OF_ANSWERED]
    assert len(set(ratios.values())) == len(ratios)


def test_the_recorded_ledger_is_the_one_that_was_recorded(recording: Path) -> None:
    reader = LedgerReader.open(recording / LEDGER)
    size, root = (recording / ROOT).read_text(encoding="utf-8").split()
    assert (reader.size(), reader.root(reader.size()).hex()) == (int(size), root)
    reader.close()
    assert check(recording / LEDGER).problems == []


@pytest.mark.parametrize("semantics", released())
def test_the_recordings_cover_every_answer_to_every_edge_case_and_every_reason(semantics: int, tmp_path: Path) -> None:
    definitions: list[Definition] = []
    sessions: list[SessionFact] = []
    turns: list[ResponseFact] = []
    for name in RECORDINGS:
        ledger = Path(shutil.copytree(folder_of(semantics, name) / LEDGER, tmp_path / name))
        reader = LedgerReader.open(ledger)
        definitions += entered_rules(reader)[0]
        reader.close()
        said = list(facts_of(ledger))
        sessions += [fact for fact in said if isinstance(fact, SessionFact)]
        turns += [fact for fact in said if isinstance(fact, ResponseFact)]
    missing = [
        f"{key} = {value}"
        for key in Definition.__struct_fields__
        if key in CASES and key != "redefinition" and isinstance(answer := getattr(PRESET, key), StrEnum)
        for value in type(answer)
        if not any(getattr(definition, key) is value for definition in definitions)
    ]
    assert missing == []
    assert {fact.why for fact in sessions} == set(Why) - NEVER_SAID.keys()
    assert ({fact.outcome for fact in sessions}, {fact.verdict for fact in sessions}) == (set(Outcome), set(Verdict))
    assert {turn.why for turn in turns} == ({None} if semantics < SECOND_SEMANTICS else {None, *OF_TURNS})
    assert {definition.semantics for definition in definitions} == {semantics}


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
