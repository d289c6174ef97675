"""A report over a bank's real day: the identities of every row, and each formula of a service level, over the file."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from seatwatch.cli import run
from sla_engine._core.choices import ServiceLevelFormula
from tests.shared_data.test_bank_calls import FILE, Call, command, read

HOUR_MS: Final = 3_600_000
SHORT_S: Final = 5
LIMIT_S: Final = 10
OTHER_RULES: Final = """
based_on = "contract-10s"
name = "formula"
title = "a formula"
source = "a test"
official = false
time_zone = "Asia/Jerusalem"
service_windows = ["00:00-24:00"]
business_day_starts = "00:00"
short_abandon_s = 5
service_level_threshold_s = 10
service_level_formula = "{formula}"
percentile = "interpolated"
"""


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    """Those that entered the queue of people."""
    with FILE.open(newline="", encoding="utf-8") as file:
        found = [read(row) for row in csv.DictReader(file)]
    return [call for call in found if call.entered is not None and call.outcome != "PHANTOM"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bank")
    assert run(command(directory)) == 0
    return directory


def report(data: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    capsys.readouterr()
    day = ["--client", "bank", "--from", "1999-08-10", "--to", "1999-08-11"]
    assert run(["report", *day, "--data", str(data), "--format", "json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def ratio(of: dict[str, int]) -> tuple[int, int]:
    return of["part"], of["whole"]


def check_row(row: dict[str, Any], calls: list[Call]) -> None:
    """One row of the report against the file's rows that belong to it."""
    figures = row["figures"]
    answered = [call for call in calls if call.outcome == "AGENT"]
    gone = [call for call in calls if call.outcome != "AGENT"]
    in_time = [call for call in answered if call.wait_s <= LIMIT_S]
    assert figures["offered"] == len(calls)
    assert figures["answered"] == len(answered)
    assert figures["abandoned"] == len(gone)
    assert figures["unanswered"] == figures["excluded"] == 0
    assert figures["offered"] == figures["answered"] + figures["abandoned"]
    assert ratio(figures["attainment"]) == (len(in_time), len(calls))
    waited = {"total_ms": sum(call.wait_s for call in answered) * 1000, "count": len(answered)}
    assert figures["first_response"] == figures["answer_wait"] == waited
    ordered = sorted(call.wait_s * 1000 for call in answered)
    for percent in (50, 90, 95):
        owed = ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
        assert row["first_responses"][f"p{percent}"] == owed


def test_every_hour_and_the_day_are_the_rows_of_the_file(
    data: Path, calls: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(data, capsys, "--by", "hour")
    assert len(found["rows"]) == 24
    for row in found["rows"]:
        check_row(
            row, [call for call in calls if call.entered is not None and row["since"] <= call.entered < row["until"]]
        )
    check_row(found["total"], calls)
    assert found["total"]["figures"]["offered"] == len(calls) == 2011


def test_every_queue_is_the_rows_of_its_type(data: Path, calls: list[Call], capsys: pytest.CaptureFixture[str]) -> None:
    for queue in sorted({call.queue for call in calls}):
        found = report(data, capsys, "--by", "day", "--queue", queue)
        check_row(found["total"], [call for call in calls if call.queue == queue])


Counted = Callable[[int, int, int, int, int], tuple[int, int]]
"""(answered in time, answered, left, left in time, left short) -> (part, whole)."""
FORMULAS: Final[dict[str, Counted]] = {
    "within_of_completed": lambda w, a, _left, _soon, _short: (w, a),
    "within_or_left_within_of_all": lambda w, a, left, soon, _short: (w + soon, a + left),
    "removed_within_of_queued": lambda w, a, left, soon, _short: (w + soon, a + left),
    "within_of_offered": lambda w, a, left, _soon, _short: (w, a + left),
    "within_of_offered_less_short": lambda w, a, left, _soon, short: (w, a + left - short),
    "within_of_answered": lambda w, a, _left, _soon, _short: (w, a),
    "within_of_answered_or_left_late": lambda w, a, left, soon, _short: (w, a + left - soon),
}


@pytest.mark.parametrize("formula", list(ServiceLevelFormula))
def test_the_service_level_is_what_each_formula_gives_over_the_file(
    data: Path, calls: list[Call], tmp_path: Path, capsys: pytest.CaptureFixture[str], formula: str
) -> None:
    rules = tmp_path / "formula.toml"
    rules.write_text(OTHER_RULES.format(formula=formula), encoding="utf-8")
    found = report(data, capsys, "--by", "hour", "--definition", str(rules))
    for row in (*found["rows"], found["total"]):
        mine = [call for call in calls if call.entered is not None and row["since"] <= call.entered < row["until"]]
        answered = [call.wait_s for call in mine if call.outcome == "AGENT"]
        left = [call.wait_s for call in mine if call.outcome != "AGENT"]
        counts = (
            sum(wait <= LIMIT_S for wait in answered),
            len(answered),
            len(left),
            sum(wait <= LIMIT_S for wait in left),
            sum(wait <= SHORT_S for wait in left),
        )
        level = row["figures"]["service_level"]
        assert (level["formula"], level["threshold_ms"]) == (formula, LIMIT_S * 1000)
        assert ratio(level["ratio"]) == FORMULAS[formula](*counts)
