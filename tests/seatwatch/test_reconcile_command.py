"""`seatwatch reconcile`: an imported sheet of figures beside the record, for a person, a spreadsheet and a program."""

import csv
import io
import json
from pathlib import Path

import pytest

from seatwatch.__main__ import main
from tests.sla_engine.feeding import Feed
from tests.sla_engine.reports.figures_told import day, platform

PERIOD = ("--from", "2026-11-02", "--to", "2026-11-03")
MAPPING = """
format = "t1"
[period]
column = "day"
zone = "Asia/Shanghai"
[[figure]]
metric = "=rate"
column = "rate"
unit = "percent"
part = "met"
whole = "asked"
measure = "attainment"
definition = "contract-10s"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append(day())
    ledger.close()
    return tmp_path


def imported(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "t1.csv").write_text("day,met,asked,rate\n2026-11-02,11,12,91.67%\n", encoding="utf-8")
    (data / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    command = ["import", "--format", "platform-figures", str(data / "t1.csv"), "--mapping", str(data / "mapping.toml")]
    assert main([*command, "--client", "acme", "--data", str(data)]) == 0
    capsys.readouterr()


def run(data: Path, *arguments: str) -> int:
    return main(["reconcile", "--client", "acme", "--data", str(data), *(arguments or PERIOD)])


def test_an_imported_sheet_is_shown_beside_ours_in_both_languages(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(data, capsys)
    assert run(data) == 0
    page = capsys.readouterr().out
    for words in ("91.67 % (11/12)", "83.33 % (10/12)", "-8.34 pp", "contract-10s@1", "Arrived out of hours 1"):
        assert words in page
    assert run(data, *PERIOD, "--lang", "zh") == 0
    assert "平台数据" in capsys.readouterr().out


def test_rules_from_elsewhere_than_their_author_are_called_unofficial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([*day(), platform(900_000, metric="theirs", definition="jd-30s-24h"), platform(900_000)])
    ledger.close()
    for lang, word in (("en", "(unofficial)"), ("zh", "(非官方)")):
        assert run(tmp_path, *PERIOD, "--lang", lang) == 0
        page = capsys.readouterr().out
        assert page.count(word) == 1, page
    assert run(tmp_path, *PERIOD, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["metric"]: row["official"] for row in rows} == {"theirs": "0", "rate": "1"}


def test_json_names_conversations_and_csv_is_safe_to_open(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(data, capsys)
    assert run(data, *PERIOD, "--format", "json") == 0
    (line,) = json.loads(capsys.readouterr().out)["lines"]
    assert {cause["word"]: cause["conversations"] for cause in line["causes"]}["left_unanswered"] == ["gone"]
    assert run(data, *PERIOD, "--format", "csv") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["metric"], row["theirs"], row["ours_part"]) == ("'=rate", "916700", "10")
    assert (row["period_starts"], row["difference"]) == ("2026-11-02T00:00:00+08:00", "-83367")


def test_a_figure_that_cannot_be_computed_says_why_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([*day(), platform(900_000, measure=""), platform(12, unit="count", metric="asked")])
    ledger.close()
    assert run(tmp_path) == 0
    page = capsys.readouterr().out
    assert "The mapping names no measure" in page
    assert "Another unit" in page


def test_where_nothing_was_imported_it_says_how(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data) == 0
    assert "seatwatch import --format platform-figures" in capsys.readouterr().out


def test_a_time_that_ends_before_it_begins_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "--from", "2026-11-03", "--to", "2026-11-02") == 2
    assert "not after" in capsys.readouterr().err
