"""Imports while `seatwatch up` holds the ledgers: the same command, through the server's door."""

import json
from pathlib import Path
from typing import Any

import pytest

from seatwatch.cli import run
from tests.collector.importers.files import CALLS, HEADER, a_day
from tests.hourly import records
from tests.integration.running import board, server
from tests.tidy.source import ROOT
from tests.waiting import wait_until_blocking
from wire.platform import PlatformFigure
from wire.record import Gone

CONFIGURATION = """
[server]
port = 0
[[client]]
id = "acme"
"""
ROSTER = ROOT / "examples" / "roster" / "roster.csv"


def command(directory: Path) -> list[str]:
    paths = [str(directory / name) for name in ("calls.csv", "mapping.toml", "data")]
    return ["import", paths[0], "--mapping", paths[1], "--client", "acme", "--data", paths[2], "--json"]


def write_calls(directory: Path, rows: int) -> dict[str, int]:
    content, counts = a_day(seed=21, rows=rows)
    # the day's file is drawn for a day to come; what has not happened yet is not admitted
    (directory / "calls.csv").write_text(content.replace("2026-11-02", "2025-11-03"), encoding="utf-8")
    (directory / "mapping.toml").write_text(CALLS, encoding="utf-8")
    assert content.startswith(HEADER)
    return counts


def reported(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_a_file_is_imported_into_a_running_server_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = write_calls(tmp_path, 800)
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        assert run(command(tmp_path)) == 0
        first = reported(capsys)
        assert first["outcomes"] == counts
        assert (first["stored_before"], first["complete"]) == (0, True)
        assert run(command(tmp_path)) == 0
        assert reported(capsys)["stored_before"] == first["events"]

        queues = wait_until_blocking(lambda: board(runtime.url)["queues"], what="the imported queues on the board")
        assert {tile["id"] for tile in queues.values()} == {"presale", "aftersale"}
        assert {(tile["feed"], tile["live"]) for tile in queues.values()} == {("daily", None)}
    assert run(command(tmp_path)) == 0
    assert reported(capsys)["stored_before"] == first["events"]


def test_a_queue_log_goes_through_the_door_of_a_running_server_gaps_included(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        "1760000000|c-1|q-1|NONE|ENTERQUEUE||x|1",
        "1760000007|c-1|q-1|a-1|CONNECT|7|y|4",
        "1760000600|NONE|NONE|NONE|QUEUESTART|",
        "1760000700|c-2|q-1|NONE|ENTERQUEUE||x|1",
        "1760000720|c-2|q-1|NONE|ABANDON|1|1|20",
    ]
    (tmp_path / "queue_log").write_text("\n".join(rows) + "\n", encoding="utf-8")
    arguments = ["import", "--format", "asterisk-queue-log", str(tmp_path / "queue_log")]
    arguments += ["--client", "acme", "--data", str(tmp_path / "data"), "--json"]
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        assert run(arguments) == 0
        first = reported(capsys)
        assert (first["complete"], first["stored_before"], first["refused"]) == (True, 0, {})
        assert run(arguments) == 0
        assert reported(capsys)["stored_before"] == first["events"]
        queues = wait_until_blocking(lambda: board(runtime.url)["queues"], what="the queue of the log on the board")
        assert [tile["id"] for tile in queues.values()] == ["q-1"]
    gaps = [entry.body for entry in records(tmp_path / "data" / "clients" / "acme") if isinstance(entry.body, Gone)]
    assert [(gap.reason, gap.since, gap.until) for gap in gaps] == [
        ("source_restarted", 1_760_000_007_000, 1_760_000_600_000)
    ]


def test_a_platforms_figures_are_on_the_record_and_on_no_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = ROOT / "examples" / "platforms" / "figures"
    files = [str(sample / "figures.csv"), "--mapping", str(sample / "mapping.toml")]
    where = ["--client", "acme", "--data", str(tmp_path / "data"), "--json"]
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        before = board(runtime.url)
        assert run(["import", "--format", "platform-figures", *files, *where]) == 0
        assert reported(capsys)["outcomes"] == {"figures": 4, "no_figures": 0, "rejected": 0}
        assert run(["import", "--format", "platform-figures", *files, *where]) == 0
        report = reported(capsys)
        assert report["stored_before"] == report["events"] == 10
        assert board(runtime.url)["queues"] == before["queues"]
    kept = [
        entry for entry in records(tmp_path / "data" / "clients" / "acme") if isinstance(entry.body, PlatformFigure)
    ]
    assert {entry.source for entry in kept} == {"figures/acme"}
    assert len(kept) == 10


def test_a_roster_is_imported_into_a_running_server_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["roster", "import", str(ROSTER), "--data", str(tmp_path / "data")]
    with server(tmp_path, CONFIGURATION):
        assert run(arguments) == 0
        assert "acme: 33 links written" in capsys.readouterr().out
        assert run(arguments) == 0
        assert "0 added, 0 changed" in capsys.readouterr().out


def test_a_roster_of_a_client_the_server_does_not_know_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(tmp_path, CONFIGURATION.replace("acme", "zenith")):
        assert run(["roster", "import", str(ROSTER), "--data", str(tmp_path / "data")]) == 1
    assert "no ledger for acme" in capsys.readouterr().err
