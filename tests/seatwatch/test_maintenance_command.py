"""Planned work from the command line into the record, beside a server and without one."""

from pathlib import Path

import msgspec
import pytest

from collector.maintenance_http import declare
from seatwatch.cli import run
from seatwatch.maintenance_job import Target, Work, word, works
from tests.builders import Event
from tests.collector.running import running_hub
from tests.seatwatch.serving import a_server
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.feeding import Feed
from tests.sla_engine.floors import two_lines
from wire.ids import OPERATOR
from wire.incident import MaintenanceOf, MaintenanceSaid, MaintenanceStep

LINE = Target(MaintenanceOf.LINE, "north", "telecom")


@pytest.fixture(autouse=True)
def _a_hub_was_here(tmp_path: Path) -> None:
    (tmp_path / OPERATOR).mkdir()


def maintenance(tmp_path: Path, *arguments: str) -> int:
    return run(["maintenance", *arguments, "--data", str(tmp_path)])


def only(tmp_path: Path) -> Work:
    (work,) = works(tmp_path)
    return work


def test_work_is_planned_listed_and_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = ["--line", "north/telecom", "--from", "2099-12-01 02:00", "--for", "2h", "--reason", "new modem"]
    assert maintenance(tmp_path, "plan", *plan, "--by", "lin") == 0
    work = only(tmp_path)
    assert (work.target, work.ends_at - work.starts_at, work.reason, work.by) == (LINE, 7_200_000, "new modem", "lin")
    assert not work.was_late
    assert maintenance(tmp_path, "list") == 0
    assert f"{work.maintenance}  2099-12-01 02:00:00 .. 2099-12-01 04:00:00  planned  line north/telecom" in (
        capsys.readouterr().out
    )
    assert maintenance(tmp_path, "end", work.maintenance) == 0
    assert only(tmp_path).ends_at < work.starts_at


def test_work_that_was_called_off_says_so_and_planned_once_more_it_is_planned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ["plan", "--line", "north/telecom", "--from", "2099-12-01 02:00", "--for", "2h", "--reason", "modem"]
    shown = "2099-12-01 02:00:00 .. 2099-12-01 04:00:00  planned  line north/telecom"
    for again in range(3):
        assert maintenance(tmp_path, *plan) == 0
        assert shown in capsys.readouterr().out
        assert len(works(tmp_path)) == again + 1
        (planned,) = (work for work in works(tmp_path) if not work.was_called_off)
        assert maintenance(tmp_path, "end", planned.maintenance) == 0
        assert f"{planned.maintenance}  2099-12-01 02:00:00  called off  line" in capsys.readouterr().out


def test_work_is_not_declared_to_a_place_without_a_record_where_it_would_excuse_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    work = ["maintenance", "start", "--site", "north", "--for", "1h", "--reason", "paint"]
    assert run(work) == 2
    assert "data: no hub's record is there" in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []
    config = tmp_path / "seatwatch.toml"
    config.write_text(f'[server]\ndata = "{tmp_path}"\n[[site]]\nid = "north"\n', encoding="utf-8")
    assert run([*work, "--config", str(config)]) == 0
    assert only(tmp_path).target.site == "north"
    assert run(["maintenance", "list", "--config", str(config)]) == 0
    assert run(["maintenance", "end", only(tmp_path).maintenance, "--config", str(config)]) == 0


def test_the_same_plan_said_twice_is_one_and_work_declared_late_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ["--site", "north", "--from", "2020-12-01 02:00", "--for", "30min", "--reason", "paint"]
    assert [maintenance(tmp_path, "plan", *plan) for _ in range(2)] == [0, 0]
    assert only(tmp_path).was_late
    assert "declared late: excuses nothing" in capsys.readouterr().out


def test_work_that_starts_now_is_not_late(tmp_path: Path) -> None:
    assert maintenance(tmp_path, "start", "--ups", "north/rack", "--for", "90min", "--reason", "battery test") == 0
    work = only(tmp_path)
    assert (work.was_late, work.ends_at - work.starts_at) == (False, 90 * 60_000)


def test_work_on_a_source_that_nobody_ever_heard_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    for ledger, source, told in (
        (tmp_path / OPERATOR, "north/gate", log.heartbeat("gate", NOON)),
        (tmp_path / "clients" / "acme", "chat", log.presence("acme:01", NOON)),
        *((tmp_path / OPERATOR, f"north/s{n}", log.heartbeat("s", NOON)) for n in range(10, 20)),
        (tmp_path / OPERATOR, "~silence", log.silent("chat", NOON, NOON + 1)),
    ):
        feed = Feed(ledger)
        feed.append([Event(told.body, source, told.received_at)] if told.body is not None else [])
        feed.close()
    for name, note in (
        ("chat", ""),
        ("north/gate", ""),
        ("chta", "nothing was told by a source chta lately, only by chat, north/gate, north/s1"),
        ("~silence", "nothing was told by a source ~silence lately"),
    ):
        assert maintenance(tmp_path, "start", "--feed", name, "--for", "2h", "--reason", "test") == 0
        said = capsys.readouterr().err
        assert (note in said and " ...; work on a name that is not there" in said) if note else said == ""


def test_work_on_a_line_or_a_ups_that_its_site_never_told_of_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    told = [*two_lines(log), log.ups("gate", NOON)]
    feed = Feed(tmp_path / "operator")
    feed.append(Event(entry.body, "north/gate", entry.received_at) for entry in told if entry.body is not None)
    feed.close()
    for option, name, note in (
        ("--line", "north/telecom", ""),
        ("--ups", "north/rack", ""),
        ("--line", "north/telekom", "north has told of no line telekom lately, only of telecom, unicom"),
        ("--ups", "south/rack", "south has told of no ups rack lately, only of none"),
    ):
        assert maintenance(tmp_path, "start", option, name, "--for", "2h", "--reason", "test") == 0
        said = capsys.readouterr().err
        assert (note in said) if note else said == ""
    assert len(works(tmp_path)) == 4, "it may be one that is put up in this work"


def test_it_goes_through_the_door_of_the_server_that_holds_the_ledgers(tmp_path: Path) -> None:
    with a_server(tmp_path):
        assert maintenance(tmp_path, "start", "--site", "north", "--for", "2h", "--reason", "paint") == 0
        assert maintenance(tmp_path, "end", only(tmp_path).maintenance) == 0
    work = only(tmp_path)
    assert not work.was_late
    assert work.ends_at - work.starts_at < 7_200_000


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["start", "--for", "2h", "--reason", "x"], "one of --site, --line, --ups, --feed"),
        (["start", "--site", "a", "--feed", "b", "--for", "2h", "--reason", "x"], "one of --site"),
        (["start", "--line", "telecom", "--for", "2h", "--reason", "x"], "write it as SITE/LINE"),
        (["start", "--site", "a", "--for", "soon", "--reason", "x"], "no length of time"),
        (["start", "--site", "a", "--for", "2h", "--reason", ""], "--reason is empty"),
        (["plan", "--site", "a", "--from", "2099-12-01 02:00", "--for", "2h", "--reason", "  "], "--reason is empty"),
        (["start", "--site", "a", "--for", "32d", "--reason", "x"], "too long, at most 31d"),
        (["start", "--site", "a", "--for", "1000000h", "--reason", "x"], "too long, at most 31d"),
        (["start", "--site", "a", "--for", "2h", "--reason", "x\ny"], "--reason has line breaks"),
        (["start", "--site", "a", "--for", "2h", "--reason", "x", "--by", "li\u202e"], "--by has line breaks"),
        (["end", "m-1"], "no such work"),
    ],
)
def test_what_is_asked_for_wrongly_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert maintenance(tmp_path, *arguments) == 2
    assert problem in capsys.readouterr().err


def test_a_site_that_the_configuration_does_not_have_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "seatwatch.toml"
    config.write_text('[[site]]\nid = "north"\nseats = 2\n', encoding="utf-8")
    more = ["--for", "2h", "--reason", "paint", "--config", str(config)]
    for target in (["--site", "nroth"], ["--line", "nroth/telecom"]):
        assert maintenance(tmp_path, "start", *target, *more) == 2
        assert f"nroth: no such site in {config}; it has north" in capsys.readouterr().err
    assert works(tmp_path) == []
    assert maintenance(tmp_path, "start", "--site", "north", *more) == 0
    assert only(tmp_path).target.site == "north"


async def test_the_hub_stamps_it_with_its_own_time(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        said = word(LINE, MaintenanceStep.PLANNED, hub.now - 1_000, hub.now + 1_000, "new modem", "lin")
        await declare(hub.intake, msgspec.structs.replace(said, occurred_at=hub.now - 5_000), hub.now)
        (stored,) = hub.bodies(MaintenanceSaid, OPERATOR)
        assert stored.occurred_at == hub.now


def test_work_that_runs_is_ended_by_what_is_worked_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, name in (("--line", "north/telecom"), ("--ups", "north/rack"), ("--line", "north/telecom")):
        assert maintenance(tmp_path, "start", option, name, "--for", "2h", "--reason", "test") == 0
    plan = ["plan", "--line", "north/telecom", "--from", "2099-12-01 02:00", "--for", "2h", "--reason", "modem"]
    assert maintenance(tmp_path, *plan) == 0
    ahead = works(tmp_path)[-1]
    capsys.readouterr()
    assert maintenance(tmp_path, "end", "--line", "north/telecom") == 0
    assert capsys.readouterr().out.count("  over  line north/telecom") == 2
    ends = {(work.target.subject, work.ends_at - work.starts_at) for work in works(tmp_path)}
    assert {("rack", 7_200_000), ("telecom", 7_200_000)} <= ends, "of the UPS, and what is planned, goes on"
    assert maintenance(tmp_path, "end", "--line", "north/telecom") == 2
    assert f"no work on line north/telecom is running; planned: {ahead.maintenance}" in capsys.readouterr().err
    assert maintenance(tmp_path, "end", "--site", "north") == 2
    assert "no work on site north is running; planned: none" in capsys.readouterr().err
    for wrong in ([], ["m-1", "--site", "north"], ["--site", "north", "--ups", "north/rack"]):
        assert maintenance(tmp_path, "end", *wrong) == 2
        assert "say what is to end: its id, or one of --site, --line, --ups, --feed" in capsys.readouterr().err


def test_words_too_long_for_the_record_are_refused_by_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = ["start", "--site", "north", "--for", "2h"]
    assert maintenance(tmp_path, *start, "--reason", "长" * 257) == 2
    assert "--reason has 257 characters, at most 256 are kept: write it shorter" in capsys.readouterr().err
    assert maintenance(tmp_path, *start, "--reason", "paint", "--by", "w" * 300) == 2
    assert "--by has 300 characters" in capsys.readouterr().err
    assert maintenance(tmp_path, *start, "--reason", "长" * 256) == 0
