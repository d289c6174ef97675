"""Hourly tables from a queue_log of our own making, through importer, ledger and engine; every cell counted by hand."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from seatwatch.cli import run
from tests.collector.importers.queue_logs import HEADER
from tests.hourly import EVERY_HOUR, agent_table, hours, queue_table, records
from wire.recorded import Recorded

ZONE = "Asia/Shanghai"
DAY = "2025-11-03"
EDGES = hours(DAY, 8, 12, ZoneInfo(ZONE))


def row(clock: str, call: str, queue: str, agent: str, event: str, *data: object) -> str:
    cells = [f"{DAY} {clock}.000000", call, queue, agent, event, *map(str, data)]
    return ",".join([*cells, *[""] * (10 - len(cells))]) + "\n"


@pytest.fixture
def imported(tmp_path: Path, request: pytest.FixtureRequest) -> list[Recorded]:
    return imported_under("", request.param, tmp_path)


def imported_under(rules: str, rows: list[str], tmp_path: Path) -> list[Recorded]:
    (tmp_path / "queue_log.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    (tmp_path / "all-day.toml").write_text(EVERY_HOUR.format(zone=ZONE) + rules, encoding="utf-8")
    arguments = ["import", "--format", "asterisk-queue-log", str(tmp_path / "queue_log.csv"), "--zone", ZONE]
    arguments += ["--client", "acme", "--data", str(tmp_path / "data")]
    assert run([*arguments, "--definition", str(tmp_path / "all-day.toml")]) == 0
    return records(tmp_path / "data" / "clients" / "acme")


QUEUE = [
    row("08:00:00", "t-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    row("08:00:20", "t-1", "q-1", "NONE", "EXITWITHTIMEOUT", 1, 1, 20),
    row("08:59:50", "a-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    row("09:00:02", "a-1", "q-1", "p-1", "CONNECT", 12, "x", 5),
    row("09:03:02", "a-1", "q-1", "p-1", "COMPLETEAGENT", 12, 180, 1),
    row("09:10:00", "e-1", "q-1", "NONE", "JOINEMPTY"),
    row("09:20:00", "e-2", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    row("09:20:09", "e-2", "q-1", "NONE", "LEAVEEMPTY"),
    row("10:00:00", "c-1", "q-1", "NONE", "CLOSED"),
    row("10:59:59", "f-1", "q-1", "NONE", "FULL"),
    row("10:30:00", "a-2", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    row("10:30:04", "a-2", "q-1", "p-1", "CONNECT", 4, "x", 2),
    row("10:31:04", "a-2", "q-1", "p-1", "COMPLETECALLER", 4, 60, 1),
]


@pytest.mark.parametrize("imported", [QUEUE], indirect=True, ids=["queue"])
def test_each_call_counts_once_in_the_hour_it_entered(imported: list[Recorded]) -> None:
    columns = (
        "Received",
        "Answered",
        "Abandoned",
        "No answer",
        "Blocked",
        "Closed",
        "Saturated",
        "Answered rate",
        "QoS",
    )
    assert queue_table(imported, "q-1", columns, EDGES) == [
        ["2", "1", "0", "1", "0", "0", "0", "50 %", "0 %"],
        ["2", "0", "0", "0", "2", "0", "0", "0 %", ""],
        ["3", "1", "0", "0", "0", "1", "1", "50 %", "100 %"],
        ["0", "0", "0", "0", "0", "0", "0", "", ""],
        ["7", "2", "0", "1", "2", "1", "1", "33 %", "50 %"],
    ]


OVERFLOW = [
    row("08:00:00", "o-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    row("08:00:30", "o-1", "q-1", "NONE", "EXITWITHTIMEOUT", 1, 1, 30),
    row("08:00:30", "o-1", "q-2", "NONE", "ENTERQUEUE", "", "", 1),
    row("08:00:35", "o-1", "q-2", "p-1", "CONNECT", 5, "x", 2),
    row("08:01:35", "o-1", "q-2", "p-1", "COMPLETECALLER", 5, 60, 1),
    row("08:01:36", "o-1", "q-3", "NONE", "ENTERQUEUE", "", "", 1),
    row("08:01:39", "o-1", "q-3", "p-2", "CONNECT", 3, "x", 2),
    row("08:01:49", "o-1", "q-3", "p-2", "COMPLETEAGENT", 3, 10, 1),
]


@pytest.mark.parametrize(
    ("rules", "received", "answered"),
    [("", ["1", "0", "0"], ["1", "0", "0"]), ("gap_to_new_session_s = 0\n", ["1", "1", "1"], ["0", "1", "1"])],
)
def test_a_call_that_goes_on_to_another_queue_counts_there_where_each_visit_is_a_session(
    rules: str, received: list[str], answered: list[str], tmp_path: Path
) -> None:
    entries = imported_under(rules, OVERFLOW, tmp_path)
    totals = [queue_table(entries, queue, ("Received", "Answered"), EDGES)[-1] for queue in ("q-1", "q-2", "q-3")]
    assert totals == [list(pair) for pair in zip(received, answered, strict=True)]


AGENT = [
    row("08:50:00", "NONE", "NONE", "Agent/001", "AGENTCALLBACKLOGIN", "1001@default"),
    row("08:55:00", "NONE", "NONE", "Agent/001", "PAUSEALL", ""),
    row("09:05:00", "NONE", "NONE", "Agent/001", "UNPAUSEALL", ""),
    row("09:30:00", "a-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    row("09:30:05", "a-1", "q-1", "Agent/001", "CONNECT", 5, "x", 3),
    row("10:00:05", "a-1", "q-1", "Agent/001", "COMPLETEAGENT", 5, 1800, 1),
    row("10:00:05", "a-1", "q-1", "Agent/001", "WRAPUPSTART", 30),
    row("10:59:50", "a-2", "q-1", "Agent/001", "WRAPUPSTART", 20),
    row("11:00:01", "NONE", "NONE", "Agent/001", "AGENTCALLBACKLOGOFF", "1001@default", 7801, "CommandLogoff"),
]


@pytest.mark.parametrize("imported", [AGENT], indirect=True, ids=["agent"])
def test_login_break_and_wrap_up_are_split_at_hours_and_a_talk_belongs_to_the_hour_of_its_call(
    imported: list[Recorded],
) -> None:
    columns = ("Login", "Pause", "Wrapup", "Answered", "Conversation")
    assert agent_table(imported, "Agent/001", columns, EDGES) == [
        ["00:10:00", "00:05:00", "00:00:00", "0", "00:00:00"],
        ["01:00:00", "00:05:00", "00:00:00", "1", "00:30:00"],
        ["01:00:00", "00:00:00", "00:00:40", "0", "00:00:00"],
        ["00:00:01", "00:00:00", "00:00:01", "0", "00:00:00"],
        ["02:10:01", "00:10:00", "00:00:41", "1", "00:30:00"],
    ]
