"""Rows of a queue_log that nobody here wrote: through the importer and the engine to the table they must give."""

import csv
import json
import os
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from seatwatch.cli import run
from tests.hourly import AGENT_COLUMNS, EVERY_HOUR, agent_table, hours, queue_table, records

ROOT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = (ROOT / os.environ.get("SEATWATCH_SHARED_DATA", "../shared/data")).resolve()
FILE: Final = SHARED / "queue_log" / "hourly_cases.json"
CASES: Final[list[dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))["cases"] if FILE.is_file() else []
ZONES: Final = ("Asia/Shanghai", "Europe/Paris", "America/Montreal")


def test_the_cases_are_there() -> None:
    assert CASES, f"no cases in {FILE}"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_every_cell_is_as_expected(case: dict[str, Any], zone: str, tmp_path: Path) -> None:
    with (tmp_path / "queue_log.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(case["rows"])
    (tmp_path / "all-day.toml").write_text(EVERY_HOUR.format(zone=zone), encoding="utf-8")
    arguments = ["--zone", zone, "--client", "acme", "--data", str(tmp_path / "data")]
    arguments += ["--definition", str(tmp_path / "all-day.toml")]
    assert run(["import", "--format", "asterisk-queue-log", str(tmp_path / "queue_log.csv"), *arguments]) == 0

    header, *expected = case["expected"]
    labels = [row[0] for row in expected]
    assert labels[-1] == "Total"
    bounds = [[int(bound.rstrip("h")) for bound in label.split("-")] for label in labels[:-1]]
    day = case["rows"][1][0][:10]
    edges = hours(day, bounds[0][0], bounds[-1][1], ZoneInfo(zone))
    entries = records(tmp_path / "data" / "clients" / "acme")
    if {"Conversation", *AGENT_COLUMNS} & {*header}:
        account = next(row[3] for row in case["rows"][1:] if row[3] != "NONE")
        table = agent_table(entries, account, header[1:], edges)
    else:
        table = queue_table(entries, case["rows"][1][2], header[1:], edges)
    assert [[label, *cells] for label, cells in zip(labels, table, strict=True)] == expected
