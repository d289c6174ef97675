"""`seatwatch import --format asterisk-queue-log`, from the command line to what a reader and the engine find."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from collector.importers.queue_log import Part
from seatwatch.cli import run
from seatwatch.imports.parts import note_parts, read_parts
from sla_engine._core.engine import new_shard, step
from tests.collector.importers.queue_logs import HEADER
from tests.hourly import records
from wire.conversation import Offered, SourceNote
from wire.record import Gone, Quarantined
from wire.recorded import Recorded
from wire.verdict import Outcome, SessionFact

AT = 1_760_000_000  # has passed: what has not happened yet is not admitted
ROWS = [
    (0, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
    (7, "c-1", "q-1", "a-1", "CONNECT", 7, "y", 4),
    (20, "c-2", "q-2", "NONE", "ENTERQUEUE", "", "7009", 1),
    (22, "c-2", "q-1", "a-1", "ATTENDEDTRANSFER", "APP", "Queue", 7, 15, 1),
    (27, "c-1", "q-2", "a-2", "CONNECT", 7, "z", 4),
    (40, "c-3", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
    (90, "c-1", "q-2", "a-2", "COMPLETEAGENT", 7, 63, 1),
    (600, "NONE", "NONE", "NONE", "QUEUESTART"),
    (700, "c-4", "q-1", "NONE", "FULL"),
]


def log(*rows: tuple[object, ...]) -> str:
    return "".join("|".join(map(str, (AT + int(str(row[0])), *row[1:]))) + "\n" for row in rows)


def arguments(directory: Path, *files: str, client: str = "acme") -> list[str]:
    paths = [str(directory / name) for name in files]
    where = ["--client", client, "--data", str(directory / "data"), "--json"]
    return ["import", "--format", "asterisk-queue-log", *paths, *where]


def reported(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def entries(directory: Path) -> list[Recorded]:
    return records(directory / "data" / "clients" / "acme")


def imported(directory: Path) -> list[tuple[int, object]]:
    """What the import said, by number."""
    found = [(entry.sequence, entry.body) for entry in entries(directory) if entry.source == "import/acme"]
    return sorted(found, key=lambda each: each[0])


def imported_at_once(directory: Path) -> list[tuple[int, object]]:
    """What it says when the whole log is one file."""
    directory.mkdir()
    (directory / "queue_log").write_text(log(*ROWS), encoding="utf-8")
    assert run(arguments(directory, "queue_log")) == 0
    return imported(directory)


def facts(directory: Path) -> dict[tuple[str, str], SessionFact]:
    found = entries(directory)
    told = step(new_shard(), found, found[-1].received_at).facts
    return {(fact.conversation, fact.queue): fact for fact in told if isinstance(fact, SessionFact)}


ASKED_FIRST = [
    *ROWS[:3],
    (24, "c-2", "q-2", "a-2", "CONNECT", 4, "z", 4),
    (30, "c-1", "q-1", "a-1", "ATTENDEDTRANSFER", "BRIDGE", "b", 7, 23, 1),
]


@pytest.mark.parametrize(
    "ends",
    [
        (90, "c-1", "q-2", "a-2", "COMPLETECALLER", 4, 66, 1),
        (30, "c-2", "q-2", "a-2", "ATTENDEDTRANSFER", "BRIDGE", "b", 4, 6, 1),
    ],
)
def test_a_customer_handed_to_a_colleague_who_was_asked_first_is_one_call(
    ends: tuple[object, ...], tmp_path: Path
) -> None:
    (tmp_path / "queue_log").write_text(log(*ASKED_FIRST, ends), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    (fact,) = facts(tmp_path).values()
    assert (fact.conversation, fact.outcome, fact.first_response_ms) == ("c-1", Outcome.ANSWERED, 7000)


def test_every_row_is_in_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "queue_log").write_text(log(*ROWS) + "no row\n", encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    report = reported(capsys)
    assert report["rows"] == sum(report["outcomes"].values()) == 10
    assert report["outcomes"] == {
        "rejected": 1,
        "ENTERQUEUE": 3,
        "CONNECT": 2,
        "ATTENDEDTRANSFER": 1,
        "COMPLETEAGENT": 1,
        "QUEUESTART": 1,
        "FULL": 1,
    }
    assert report["reasons"] == {"cells_missing": 1}
    assert report["notes"]["joined_after_transfer"] == {"count": 1, "rows": [4]}
    assert report["complete"]


def test_a_transferred_call_is_one_conversation_answered_once(tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_text(log(*ROWS), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    found = facts(tmp_path)
    assert {key: (fact.outcome, fact.first_response_ms) for key, fact in found.items()} == {
        ("c-1", "q-1"): (Outcome.ANSWERED, 7000),
        ("c-3", "q-1"): (Outcome.UNANSWERED, None),
        ("c-4", "q-1"): (Outcome.UNANSWERED, None),
    }
    assert {fact.resolution_ms for fact in found.values()} == {1000}


def test_a_restart_is_a_gap_on_the_record_between_what_was_told_before_and_after(tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_text(log(*ROWS), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    (gap,) = [entry.body for entry in entries(tmp_path) if isinstance(entry.body, Gone)]
    assert (gap.about_source, gap.reason, gap.count) == ("import/acme", "source_restarted", 0)
    assert (gap.since, gap.until) == ((AT + 90) * 1000, (AT + 600) * 1000)


def test_importing_again_adds_nothing_and_a_log_that_grew_continues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "queue_log"
    file.write_text(log(*ROWS[:5]), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    file.write_text(log(*ROWS), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    before = entries(tmp_path)
    assert run(arguments(tmp_path, "queue_log")) == 0
    assert entries(tmp_path) == before
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["stored_before"] == last["stored"] == last["events"]
    assert not [entry for entry in before if entry.source == "~equivocation"]


def test_a_rotated_log_continues_the_one_it_was(tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_text(log(*ROWS[:6]), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    (tmp_path / "queue_log").rename(tmp_path / "queue_log.1")
    (tmp_path / "queue_log").write_text(log(*ROWS[6:]), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log", "queue_log.1")) == 0
    assert imported(tmp_path) == imported_at_once(tmp_path / "whole")


def test_the_newer_part_continues_alone_once_the_older_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queue_log.1").write_text(log(*ROWS[:4]), encoding="utf-8")
    (tmp_path / "queue_log").write_text(log(*ROWS[4:6]), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log.1", "queue_log")) == 0
    before = entries(tmp_path)
    (tmp_path / "queue_log.1").unlink()
    assert run(arguments(tmp_path, "queue_log")) == 0
    assert entries(tmp_path) == before

    (tmp_path / "queue_log").rename(tmp_path / "queue_log.1")
    with (tmp_path / "queue_log.1").open("a", encoding="utf-8") as file:
        file.write(log(ROWS[6]))
    (tmp_path / "queue_log").write_text(log(*ROWS[7:]), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log", "queue_log.1")) == 0
    (tmp_path / "queue_log.1").unlink()
    assert run(arguments(tmp_path, "queue_log")) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["complete"]
    assert imported(tmp_path) == imported_at_once(tmp_path / "whole")


@pytest.mark.parametrize("at_once", [("queue_log.1", "queue_log"), ("queue_log", "queue_log.1"), ()])
def test_parts_that_overlap_are_imported_as_the_log_that_they_are_of(
    at_once: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queue_log.1").write_text(log(*ROWS[:7]), encoding="utf-8")
    (tmp_path / "queue_log").write_text(log(*ROWS[4:]), encoding="utf-8")
    if at_once:
        assert run(arguments(tmp_path, *at_once)) == 0
    else:
        assert run(arguments(tmp_path, "queue_log.1")) == 0
        assert run(arguments(tmp_path, "queue_log")) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["outcomes"]["row_repeated"] == 3
    before = imported(tmp_path)
    for again in (("queue_log.1",), ("queue_log",), ("queue_log", "queue_log.1")):
        assert run(arguments(tmp_path, *again)) == 0
    assert imported(tmp_path) == before == imported_at_once(tmp_path / "whole")


def test_an_older_part_that_comes_later_ends_where_the_newer_one_began(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queue_log.1").write_text(log(*ROWS[:7]), encoding="utf-8")
    (tmp_path / "queue_log").write_text(log(*ROWS[5:]), encoding="utf-8")
    for part, repeated in (("queue_log", 0), ("queue_log.1", 2), ("queue_log.1", 2), ("queue_log", 0)):
        assert run(arguments(tmp_path, part)) == 0
        assert reported(capsys)["outcomes"].get("row_repeated", 0) == repeated
    offered = [body.conversation for _, body in imported(tmp_path) if isinstance(body, Offered)]
    assert sorted(offered) == ["c-1", "c-1", "c-1", "c-3", "c-4"]
    assert not [entry for entry in entries(tmp_path) if entry.source == "~equivocation"]


def test_a_newer_part_does_not_continue_what_the_ledger_does_not_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queue_log.1").write_text(log(*ROWS[:4]), encoding="utf-8")
    (tmp_path / "queue_log").write_text(log(*ROWS[4:6]), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log.1", "queue_log")) == 0
    shutil.rmtree(tmp_path / "data" / "clients")
    assert run(arguments(tmp_path, "queue_log")) == 1
    assert "name the older parts too" in capsys.readouterr().err
    assert run(arguments(tmp_path, "queue_log", "queue_log.1")) == 0


def test_of_many_logs_only_the_last_ends_are_noted_and_the_longest_of_each(tmp_path: Path) -> None:
    def end(number: int, after: int) -> Part:
        return Part(b"end of %d" % number, b"", after, b"", recent=b"r" * 8, first=b"f" * 8)

    for number in range(9):
        note_parts(
            tmp_path,
            "acme",
            b"%d" % number,
            [Part(b"%d" % number, b"", 1, b""), end(number, 5)],
            parts_max=20,
            ends_max=3,
        )
    note_parts(tmp_path, "acme", b"8", [end(8, 4)], parts_max=20, ends_max=3)
    parts = read_parts(tmp_path, "acme")
    assert [(part.stream, part.after) for part in parts if part.recent] == [(b"6", 5), (b"7", 5), (b"8", 5)]
    assert len([part for part in parts if not part.recent]) == 9


def test_notes_about_parts_that_cannot_be_read_are_no_notes(tmp_path: Path) -> None:
    (tmp_path / "data" / "imports").mkdir(parents=True)
    (tmp_path / "data" / "imports" / "acme.queue-log").write_bytes(b"\xc1")
    (tmp_path / "queue_log").write_text(log(*ROWS), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0


def test_a_row_that_cannot_be_taken_is_in_quarantine_without_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_text(log(ROWS[0]) + "13800000000|x\n", encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    (kept,) = [entry.body for entry in entries(tmp_path) if isinstance(entry.body, Quarantined)]
    assert b"cells_missing" in kept.raw
    assert b"1380000" not in kept.raw


def test_events_nobody_knows_are_on_the_record(tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_text(log((0, "c-1", "q-1", "NONE", "SURVEY", "5")), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    assert [entry.body.event for entry in entries(tmp_path) if isinstance(entry.body, SourceNote)] == ["SURVEY"]


@pytest.mark.parametrize(
    "asked",
    [
        ["report", "--from", "2025-10-09", "--to", "2025-10-10", "--by", "agent", "--queue", "售前"],
        ["report", "--from", "2025-10-09", "--to", "2025-10-10", "--by", "agent", "--format", "csv"],
        ["explain", "c-1"],
    ],
)
def test_chinese_names_of_queues_and_agents_are_read_as_names(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queue_log").write_text(log(*ROWS).replace("q-1", "售前").replace("a-1", "王 五"), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    capsys.readouterr()
    assert run([*asked, "--client", "acme", "--data", str(tmp_path / "data")]) == 0
    shown = capsys.readouterr().out
    assert "王 五" in shown
    assert ("售前" in shown) == (asked[0] == "explain")
    assert "~E" not in shown


def test_the_queue_that_receives_a_call_shows_who_took_it_and_after_how_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [
        (1000, "c-7", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
        (1004, "c-7", "q-1", "a-1", "CONNECT", 4, "y", 1),
        (1034, "c-7", "q-1", "a-1", "BLINDTRANSFER", "600", "from-queue", 4, 30, 1),
        (1034, "c-7", "q-2", "NONE", "ENTERQUEUE", "", "x", 1),
        (1049, "c-7", "q-2", "a-2", "RINGNOANSWER", 9000),
        (1054, "c-7", "q-2", "NONE", "ABANDON", 1, 1, 20),
        (1100, "c-8", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
        (1104, "c-8", "q-1", "a-1", "CONNECT", 4, "y", 1),
        (1134, "c-8", "q-1", "a-1", "BLINDTRANSFER", "600", "from-queue", 4, 30, 1),
        (1134, "c-8", "q-2", "NONE", "ENTERQUEUE", "", "x", 1),
        (1140, "c-8", "q-2", "NONE", "ABANDON", 1, 1, 6),
        (1200, "c-9", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
        (1204, "c-9", "q-1", "a-1", "CONNECT", 4, "y", 1),
        (1234, "c-9", "q-1", "a-1", "BLINDTRANSFER", "0", "outside", 4, 30, 1),
    ]
    (tmp_path / "queue_log").write_text(log(*ROWS, *more), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log")) == 0
    data = ["--client", "acme", "--data", str(tmp_path / "data")]
    span = ["--from", "2025-10-09", "--to", "2025-10-10", "--format", "json"]
    waited = {"total_ms": 5000, "count": 1}
    for queue, received in (("q-1", (0, 0, 0, {"total_ms": 0, "count": 0})), ("q-2", (3, 1, 2, waited))):
        capsys.readouterr()
        assert run(["report", *data, *span, "--queue", queue]) == 0
        found = json.loads(capsys.readouterr().out)["total"]["handed_on"]
        assert tuple(found[field] for field in ("received", "answered", "unanswered", "wait")) == received
    for conversation, told in (("c-1", "waited 5.000 s after the transfer"), ("c-8", "nobody took it")):
        capsys.readouterr()
        assert run(["explain", conversation, *data]) == 0
        shown = capsys.readouterr().out
        assert told in shown
        assert "q-2" in shown


def test_a_check_counts_and_stores_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "queue_log").write_text(log(*ROWS[:3]), encoding="utf-8")
    command = [word for word in arguments(tmp_path, "queue_log") if word != "--json"]
    assert run([*command, "--check"]) == 0
    shown = capsys.readouterr().out
    assert "ENTERQUEUE" in shown
    assert "1 calls are undecided where the file ends" in shown
    assert "1 calls have no end where the file ends" in shown
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("more", "content", "problem"),
    [
        (["--mapping", "queue_log"], log(*ROWS), "--mapping: a queue_log needs none"),
        (["--zone", "Mars/Base"], log(*ROWS), "--zone Mars/Base: no IANA time zone"),
        (["--zone", "localtime"], log(*ROWS), "--zone localtime: no IANA time zone"),
        ([], "hello\n", "is no queue_log; give the file as Asterisk writes it"),
        ([], HEADER, "is no queue_log"),
        ([], "", "holds no rows"),
    ],
)
def test_what_cannot_be_read_is_said_with_what_to_do(
    more: list[str],
    content: str,
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queue_log").write_text(content, encoding="utf-8")
    assert run([*arguments(tmp_path, "queue_log"), *more]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "--mapping: missing"),
        (["--mapping", "a.csv", "--zone", "UTC"], "--zone: the mapping says the zone"),
        (["b.csv", "--mapping", "a.csv"], "one file at a time"),
    ],
)
def test_a_mapped_import_says_which_options_it_takes(
    words: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert run(["import", "a.csv", *words, "--client", "acme"]) == 2
    assert problem in capsys.readouterr().err


def test_help_shows_how_both_forms_of_the_log_are_imported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--format asterisk-queue-log" in shown
