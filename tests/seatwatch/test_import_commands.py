"""The commands that write into ledgers, from the command line to what a reader finds there."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector._core.roster import Link, changes, entries
from collector.ledgers import ledger_directory
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from ledger.segment import LedgerSettings
from ledger.writer import LedgerWriter
from seatwatch.cli import run
from seatwatch.clock import now_ms
from seatwatch.settings import load_defaults
from tests.collector.importers.files import CALLS, HEADER, a_day, call
from tests.full_disk import full_disk
from tests.seatwatch.serving import a_server
from tests.tidy.source import ROOT
from wire.organisation import ContractSigned, DefinitionPublished, Relation, RosterLink
from wire.record import Feed, Quarantined, SourceDeclared
from wire.recorded import Recorded

ROSTER = ROOT / "examples" / "roster" / "roster.csv"


def records(data: Path, client: str = "acme") -> list[Recorded]:
    reader = LedgerReader.open(ledger_directory(data, client))
    try:
        return [recorded(entry) for entry in reader.read(0, reader.size())]
    finally:
        reader.close()


@pytest.fixture
def calls(tmp_path: Path) -> list[str]:
    """The arguments of an import of three rows, one of them wrong."""
    (tmp_path / "mapping.toml").write_text(CALLS, encoding="utf-8")
    (tmp_path / "calls.csv").write_text(
        HEADER + call(1) + call(2, agent="") + call(3, entered="noon"), encoding="utf-8"
    )
    mapping = str(tmp_path / "mapping.toml")
    return [
        "import",
        str(tmp_path / "calls.csv"),
        "--mapping",
        mapping,
        "--client",
        "acme",
        "--data",
        str(tmp_path / "data"),
    ]


def test_an_import_says_what_every_row_was(calls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*calls, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["outcomes"] == {"answered": 1, "abandoned": 1, "never_queued": 0, "rejected": 1}
    assert report["rejected"] == [{"row": 4, "reason": "not_a_time", "column": "entered"}]
    assert (report["events"], report["stored_before"], report["stored"], report["complete"]) == (7, 0, 7, True)


def test_for_a_person_it_is_a_table_and_the_rejected_rows(calls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(calls) == 0
    shown = capsys.readouterr().out
    assert "row 4: not a time in 'entered'" in shown
    assert "7 events: 7 new, 0 stored before." in shown
    assert run(calls) == 0
    assert "7 events: 0 new, 7 stored before." in capsys.readouterr().out


def test_the_summary_speaks_chinese_and_keeps_the_names_of_reasons(
    calls: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*calls, "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "各行归类",
        "被拒行的原因",
        "第 4 行：not a time（列 'entered'）",
        "7 个事件：新增 7 个，此前已有 0 个。",
    ):
        assert words in shown
    assert "rejected" in shown
    assert "stored before" not in shown


def test_a_second_import_leaves_the_ledger_as_it_is(calls: list[str], tmp_path: Path) -> None:
    assert run(calls) == 0
    before = records(tmp_path / "data")
    assert run(calls) == 0
    assert records(tmp_path / "data") == before


def test_a_file_in_no_order_enters_the_ledger_in_order_of_time(calls: list[str], tmp_path: Path) -> None:
    content, counts = a_day(seed=11, rows=3000)
    (tmp_path / "calls.csv").write_text(content, encoding="utf-8")
    assert run(calls) == 0
    told = [r.body for r in records(tmp_path / "data") if r.source == "import/acme"]
    times = [body.occurred_at for body in told if body is not None and not isinstance(body, Quarantined)]
    assert len(times) == 4 * counts["answered"] + 2 * counts["abandoned"]
    assert times == sorted(times)


def test_a_check_stores_nothing(calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*calls, "--check"]) == 0
    assert "nothing was stored" in capsys.readouterr().out
    assert not (tmp_path / "data").exists()


def test_a_ledger_without_rules_gets_the_mappings_and_keeps_them(calls: list[str], tmp_path: Path) -> None:
    assert run(calls) == 0
    rules = [r.body for r in records(tmp_path / "data") if isinstance(r.body, DefinitionPublished | ContractSigned)]
    assert [type(body) for body in rules] == [DefinitionPublished, ContractSigned]
    assert run(calls) == 0
    assert len([r for r in records(tmp_path / "data") if r.source == "~rules"]) == 2


def test_a_definition_that_was_asked_for_is_entered_beside_the_first(calls: list[str], tmp_path: Path) -> None:
    assert run(calls) == 0
    definition = str(ROOT / "examples" / "bank_calls" / "definition.toml")
    assert run([*calls, "--definition", definition]) == 0
    bodies = [r.body for r in records(tmp_path / "data")]
    assert [body.name for body in bodies if isinstance(body, DefinitionPublished)] == ["contract-10s", "bank-10s"]


def test_an_import_is_daily_unless_it_says_otherwise(calls: list[str], tmp_path: Path) -> None:
    assert run(calls) == 0
    assert run([*calls, "--source", "import/live", "--feed", "live"]) == 0
    declared = [r.body for r in records(tmp_path / "data") if isinstance(r.body, SourceDeclared)]
    assert [(body.about_source, body.feed) for body in declared] == [
        ("import/acme", Feed.DAILY),
        ("import/live", Feed.LIVE),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--client", "a/b"], "no slash"),
        (["--client", "acme", "--speed", "inf"], "--speed"),
        (["--client", "operator"], "the operator's ledger is no client's"),
        (["--client", "~clock"], "'~clock' is no name"),
        (["--client", "acme", "--feed", "hourly"], "use live, delayed or daily"),
        (["--client", "acme", "--definition", "no-such"], "name a preset"),
    ],
)
def test_options_that_cannot_be_used_are_said(
    calls: list[str], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*calls, *arguments]) in {1, 2}
    assert said in capsys.readouterr().err


def test_a_mapping_that_does_not_fit_is_said_by_key(
    calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "calls.csv").write_text("id,queue\n", encoding="utf-8")
    assert run(calls) == 2
    assert "roles.account: the file has no column 'agent'" in capsys.readouterr().err


def test_changed_rows_end_with_1_and_say_so(
    calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [call(number) for number in range(80)]
    (tmp_path / "calls.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    assert run(calls) == 0
    rows[70] = call(70, agent="a-2")
    (tmp_path / "calls.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    capsys.readouterr()
    assert run(calls) == 1
    assert "row 72: equivocation" in capsys.readouterr().out


def test_rows_of_which_the_ledger_takes_nothing_stand_apart_once_each(
    calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [call(number) for number in range(80)]
    (tmp_path / "calls.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    assert run(calls) == 0
    rows[70] = call("another")
    (tmp_path / "calls.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    capsys.readouterr()
    assert run([*calls, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    told = {"answered": 79, "abandoned": 0, "never_queued": 0, "rejected": 0, "refused_by_the_ledger": 1}
    assert (report["rows"], report["outcomes"]) == (80, told)
    assert (report["refused"], [row["row"] for row in report["refused_rows"]]) == ({"equivocation": 4}, [72])


def test_a_row_whose_answer_lies_in_the_future_leaves_nobody_waiting(
    calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = call(1) + call(2, left="", wait="99999999999")
    (tmp_path / "calls.csv").write_text(HEADER + rows + call(3, agent=""), encoding="utf-8")
    for _ in range(2):
        assert run([*calls, "--json"]) in {0, 1}
        report = json.loads(capsys.readouterr().out)
        told = {"answered": 1, "abandoned": 1, "never_queued": 0, "rejected": 1}
        assert ({name: report["outcomes"][name] for name in told}, report["refused"]) == (told, {})
        assert report["reasons"] == {"occurred_in_future": 1}


# ------------------------------------------------------------------------------------------- while a server holds it


def test_an_import_goes_through_the_door_of_the_server_that_holds_the_ledgers(
    calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    with a_server(data):
        assert run([*calls, "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["stored"], report["complete"]) == (7, True)
    assert len([r for r in records(data) if r.source == "import/acme"]) == 7
    assert run([*calls, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stored_before"] == 7


def test_a_wrong_token_is_said_with_its_cure(
    calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.token").write_text("wrong", encoding="utf-8")
    with a_server(tmp_path / "data"):
        assert run([*calls, "--token-file", str(tmp_path / "wrong.token")]) == 1
    assert "--token-file" in capsys.readouterr().err


def test_a_roster_goes_through_the_door_of_the_server_that_holds_the_ledgers(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with a_server(data):
        assert run(["roster", "import", str(ROSTER), "--data", str(data)]) == 0
    assert len([r for r in records(data, "operator") if isinstance(r.body, RosterLink)]) == 36
    assert len([r for r in records(data) if isinstance(r.body, RosterLink)]) == 33


# ------------------------------------------------------------------------------------------------------------- roster


def test_a_roster_is_written_into_the_operators_and_the_clients_ledger_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["roster", "import", str(ROSTER), "--data", str(tmp_path)]
    assert run(arguments) == 0
    assert "operator: 36 links written" in capsys.readouterr().out
    before = records(tmp_path), records(tmp_path, "operator")
    assert run(arguments) == 0
    assert "0 added, 0 changed" in capsys.readouterr().out
    assert (records(tmp_path), records(tmp_path, "operator")) == before


def test_a_roster_can_go_back_to_what_it_was(tmp_path: Path) -> None:
    changed = tmp_path / "changed.csv"
    changed.write_text(ROSTER.read_text(encoding="utf-8").replace("team-red", "team-green"), encoding="utf-8")
    for file in (ROSTER, changed, ROSTER):
        assert run(["roster", "import", str(file), "--data", str(tmp_path)]) == 0
    teams = [r.body.target for r in records(tmp_path) if isinstance(r.body, RosterLink) and r.body.subject == "P1001"]
    assert [team for team in teams if team.startswith("team")] == ["team-red", "team-green", "team-red"]


def test_a_check_of_a_roster_changes_nothing_and_tells_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.csv"
    text = ROSTER.read_text(encoding="utf-8").replace("16:00-24:00", "15:00-24:00").replace(",chengdu,", ",成都,", 1)
    bad.write_text(text, encoding="utf-8")
    assert run(["roster", "import", str(bad), "--data", str(tmp_path / "data"), "--check"]) == 1
    said = capsys.readouterr()
    assert "row 12: seat A-01: P1001 and P1002 at the same hours" in said.err
    assert "row 8: site: not a code" in said.err
    assert "+ P1001 -> team-red (team of person) from 2026-11-01" in said.out
    assert not (tmp_path / "data").exists()


def test_a_client_that_gets_a_ledger_where_others_have_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, slip = tmp_path / "data", tmp_path / "slip.csv"
    slip.write_text("client,contracted_seats,effective_from\nacmee,5,2026-11-01\n", encoding="utf-8")
    assert run(["roster", "import", str(ROSTER), "--data", str(data)]) == 0
    assert "no ledger" not in capsys.readouterr().err, "the first import makes them all"
    assert run(["roster", "import", str(slip), "--data", str(data), "--check"]) == 0
    said = capsys.readouterr().err
    assert "row 2: acmee has no ledger here and gets one, for good; there are: acme" in said
    assert not (data / "clients" / "acmee").exists()


@pytest.fixture
def slip(tmp_path: Path) -> list[str]:
    """The arguments of an import whose third row has a letter too many, where a configuration names two clients."""
    rows = "shop-1,acme,\nshop-2,ACMEE,\n,globex,4\n,umbrella,4\n"
    text = "shop,client,contracted_seats,effective_from\n" + rows.replace("\n", ",2026-11-01\n")
    (tmp_path / "slip.csv").write_text(text, encoding="utf-8")
    config = '[server]\ndata = "record"\n[[client]]\nid = "acme"\n[[client]]\nid = "globex"\n'
    (tmp_path / "seatwatch.toml").write_text(config, encoding="utf-8")
    return ["roster", "import", str(tmp_path / "slip.csv"), "--config", str(tmp_path / "seatwatch.toml")]


def test_a_client_whom_the_configuration_does_not_name_is_refused_with_the_one_that_was_meant(
    slip: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(slip) == 1
    said = capsys.readouterr().err
    config = tmp_path / "seatwatch.toml"
    assert f"row 3: {config} names no client ACMEE; did you mean acme? If it is new, add --new-client ACMEE" in said
    assert f"row 5: {config} names no client umbrella, only: acme, globex; if it is new" in said
    assert len(said.splitlines()) == 2
    assert run([*slip, "--lang", "zh", "--check"]) == 1
    assert f"{config} 里没有客户 ACMEE；是否想写 acme？" in capsys.readouterr().err
    assert not (tmp_path / "record").exists()


def test_a_client_that_is_said_to_be_new_gets_its_ledger_in_the_configurations_data(
    slip: list[str], tmp_path: Path
) -> None:
    assert run([*slip, "--new-client", "ACMEE"]) == 1, "the other one is not said to be new"
    assert run([*slip, "--new-client", "ACMEE", "--new-client", "umbrella"]) == 0
    there = sorted(each.name for each in (tmp_path / "record" / "clients").iterdir())
    assert there == ["ACMEE", "acme", "globex", "umbrella"]


def test_a_configuration_without_clients_takes_any_and_a_wrong_one_is_said(
    slip: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seatwatch.toml").write_text('[server]\ndata = "record"\n', encoding="utf-8")
    assert run([*slip, "--check"]) == 0
    (tmp_path / "seatwatch.toml").write_text('[[client]]\nname = "nobody"\n', encoding="utf-8")
    assert run([*slip, "--check"]) == 2
    assert "seatwatch.toml: client[0].id: is needed and not there" in capsys.readouterr().err


def test_with_a_wrong_row_nothing_is_written(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(ROSTER.read_text(encoding="utf-8").replace("2026-12-01", "soon"), encoding="utf-8")
    assert run(["roster", "import", str(bad), "--data", str(tmp_path / "data")]) == 1
    assert not (tmp_path / "data").exists()


def test_what_a_file_does_not_mention_stays_in_force_and_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past = ROSTER.read_text(encoding="utf-8").replace("2026-", "2025-")
    (tmp_path / "all.csv").write_text(past, encoding="utf-8")
    (tmp_path / "part.csv").write_text(
        "".join(line for line in past.splitlines(True) if "P1003" not in line), encoding="utf-8"
    )
    assert run(["roster", "import", str(tmp_path / "all.csv"), "--data", str(tmp_path / "data")]) == 0
    capsys.readouterr()
    assert run(["roster", "import", str(tmp_path / "part.csv"), "--data", str(tmp_path / "data"), "--check"]) == 0
    assert (
        "= P1003 -> A-02 (seat of person) from 2025-11-01: not in this file, stays in force" in capsys.readouterr().out
    )


def test_a_time_zone_that_is_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["roster", "import", str(ROSTER), "--data", str(tmp_path), "--time-zone", "Mars"]) == 2
    assert "no IANA time zone" in capsys.readouterr().err


def test_a_link_that_an_earlier_release_let_in_too_long_stops_neither_an_import_nor_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    too_long = Link(Relation.SITE_OF_LINE, "s1/l1", "s1", 0, None, (("egress", "203.0.113.0/29 " * 20),))
    (entry,) = entries({}, changes({}, [too_long]), 0)
    (fits,) = entries({}, changes({}, [too_long._replace(attributes=(("egress", "203.0.113.0/29"),))]), 0)
    writer = LedgerWriter.open(
        ledger_directory(tmp_path, "operator"), settings=load_defaults().fill(LedgerSettings, "ledger"), clock_ms=now_ms
    )
    writer.commit([replace(entry, epoch=fits.epoch, sequence=2), fits], received_at=now_ms(), marks={})
    writer.close()
    assert run(["roster", "import", str(ROSTER), "--data", str(tmp_path)]) == 0
    assert "36 links written" in capsys.readouterr().out
    with a_server(tmp_path):
        assert run(["roster", "import", str(ROSTER), "--data", str(tmp_path)]) == 0
    assert [each.malformed for each in records(tmp_path, "operator")].count(True) == 1


def test_a_roster_on_a_full_disk_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["roster", "import", "--data", str(tmp_path / "data")]
    first = tmp_path / "first.csv"
    first.write_text("line,site,effective_from\nl1,s1,2026-11-01\n", encoding="utf-8")
    assert run([*arguments, str(first)]) == 0
    capsys.readouterr()
    with full_disk():
        assert run([*arguments, str(ROSTER)]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
