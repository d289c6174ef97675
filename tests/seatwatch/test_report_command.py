"""`seatwatch report`: a table for a person, CSV for a spreadsheet, JSON for a program, and what it is asked wrongly."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from seatwatch.__main__ import main
from sla_engine._core.definition import canonical, definition_hash, label_of
from sla_engine.definition_files import load_preset
from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    gone,
    left,
    offered,
    presence,
    published,
    rules,
    signed,
    transferred,
    works,
)
from tests.sla_engine.feeding import Feed
from wire.ids import UNASSIGNED
from wire.record import Feed as Told

SPAN = ("--from", "2026-11-02", "--to", "2026-11-03")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One session answered in time by a team with a dangerous name, one that left, one before the day began."""
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append(
        [
            *rules(),
            *works("anna", "p-1", "=cmd|'/c calc'!A1", "a1", "north"),
            customer("03:59:00", "early"),
            customer("09:00:00", "c1"),
            assigned("09:00:02", "anna", "c1"),
            agent("09:00:08", "anna", "c1"),
            closed("09:10:00", "c1"),
            customer("10:00:00", "c2", "aftersale"),
            left("10:00:30", "c2"),
            clock("+3 12:00"),
        ]
    )
    ledger.close()
    return tmp_path


def report(data: Path, *arguments: str) -> int:
    return main(["report", "--client", "acme", "--data", str(data), *arguments])


def in_json(data: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert report(data, *SPAN, *arguments, "--format", "json") == 0
    return json.loads(capsys.readouterr().out)


def in_csv(data: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    assert report(data, *SPAN, *arguments, "--format", "csv") == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_a_table_says_whose_rules_how_much_of_the_record_and_every_count(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(data, *SPAN, "--by", "day") == 0
    page = capsys.readouterr().out
    for words in (
        "Client acme  2026-11-02 04:00:00.000 .. 2026-11-03 04:00:00.000  Asia/Shanghai",
        "Business day starts at 04:00  Contracts in force: acme-2026",
        label_of(PRESET),
        definition_hash(canonical(PRESET)),
        "Service level: taken in time / (offered - short abandons), 10.000 s",
        "Final  As of entry",
        "50.00 % (1/2)",
        "8.000 s (1)",
        "Total",
    ):
        assert words in page, words


def test_a_time_without_sessions_says_so_and_how_much_of_the_record_is_there(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = ("--from", "2026-11-03", "--to", "2026-11-04")
    assert report(data, *empty) == 0
    page = capsys.readouterr().out
    assert "No data: no session of this time is on the record." in page
    assert "Data coverage unknown" in page, "nobody promised to speak, and nobody spoke"
    assert report(data, *empty, "--lang", "zh") == 0
    assert "这段时间没有会话数据。" in capsys.readouterr().out
    assert report(data, *SPAN) == 0
    assert "No data" not in capsys.readouterr().out


@pytest.mark.parametrize("team", ["[night] a", "team [/night]", "[bold]"])
def test_the_name_of_a_team_is_shown_as_it_is_whatever_brackets_it_holds(
    team: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([*rules(), *works("anna", "p-1", team, "a1", "north")])
    ledger.append([customer("09:00:00"), agent("09:00:04"), clock("+3 12:00")])
    ledger.close()
    assert report(tmp_path, *SPAN, "--by", "team") == 0
    assert f"│ {team} " in capsys.readouterr().out


def test_a_queue_that_only_receives_calls_shows_their_legs_and_says_where_the_sessions_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    handed_on = ("taken", "hung-up")
    ledger.append([*rules(), *(offered("09:00:00", c, "sales", voice=True) for c in handed_on)])
    ledger.append([assigned("09:00:02", "anna", c) for c in handed_on])
    ledger.append([agent("09:00:04", "anna", c) for c in handed_on])
    ledger.append([transferred("09:01:00", c, queue="support") for c in handed_on])
    ledger.append([assigned("09:01:10", "ben", "taken"), agent("09:01:15", "ben", "taken")])
    ledger.append([left("09:03:00", "hung-up"), closed("09:05:15", "taken"), clock("+3 12:00")])
    ledger.close()
    assert report(tmp_path, *SPAN, "--queue", "support") == 0
    page = capsys.readouterr().out
    assert "No session began here; legs that were handed on to here: 1." in page
    assert "4 min 0.000 s (1)" in page
    assert in_json(tmp_path, capsys, "--queue", "support")["total"]["figures"]["offered"] == 0
    for threshold_s, within in (("10", 0), ("15", 1)):
        rules_of_ours = tmp_path / f"within-{threshold_s}.toml"
        stated = f'name = "ours"\neffective_from = 2020-01-01\nservice_level_threshold_s = {threshold_s}\n'
        rules_of_ours.write_text(f'based_on = "contract-10s"\n{stated}', encoding="utf-8")
        asked = in_json(tmp_path, capsys, "--queue", "support", "--definition", str(rules_of_ours))
        assert asked["total"]["handed_on"]["level"] == {"part": within, "whole": 2}
    assert in_json(tmp_path, capsys, "--queue", "support")["total"]["shown"]["handed_on_level_percent"] == "0.00"
    began = in_json(tmp_path, capsys, "--queue", "sales")["total"]["figures"]
    assert (began["offered"], began["answered"], began["abandoned"]) == (2, 2, 0)
    assert began["detail"]["transfers"] == {"part": 2, "whole": 2}


def test_a_time_of_which_only_imports_tell_says_that_its_coverage_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    imported = [declared(0, "chat", Told.DAILY), customer("09:00:00", "c1"), agent("09:00:08", "anna", "c1")]
    ledger.append([*rules(), *imported, closed("09:10:00", "c1"), clock("+3 12:00")])
    ledger.close()
    assert report(tmp_path, "--from", "2026-11-03", "--to", "2026-11-04") == 0
    assert "Data coverage unknown: no live source is known to have been there." in capsys.readouterr().out


def test_the_head_says_what_the_wait_of_the_service_level_ends_with(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(data, *SPAN) == 0
    assert "10.000 s  (wait until a person took it, not until the first reply)" in capsys.readouterr().out


def test_the_same_in_chinese(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(data, *SPAN, "--by", "team", "--lang", "zh") == 0
    page = capsys.readouterr().out
    for words in ("进线量", "合计", "已定", "班组"):
        assert words in page, words


def test_json_has_whole_numbers_beside_percentages_as_text(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = in_json(data, capsys, "--by", "hour")
    nine = next(row for row in found["rows"] if row["name"] == "2026-11-02 09:00+08:00")
    assert nine["figures"]["attainment"] == {"part": 1, "whole": 1}
    assert nine["shown"]["attainment_percent"] == "100.00"
    assert nine["shown"]["first_response_mean_ms"] == 8_000
    five = next(row for row in found["rows"] if row["name"] == "2026-11-02 05:00+08:00")
    assert five["shown"]["attainment_percent"] is None
    assert found["head"]["final"] is True
    assert found["head"]["definitions"][0]["hash"] == definition_hash(canonical(PRESET))


def test_csv_is_one_rectangle_with_empty_cells_for_no_data(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = in_csv(data, capsys, "--by", "hour")
    assert len(rows) == 24 + 1
    assert rows[-1]["row"] == "total"
    assert (rows[-1]["attainment_part"], rows[-1]["attainment_percent"]) == ("1", "50.00")
    assert (rows[0]["offered"], rows[0]["attainment_percent"], rows[0]["staffed_seats"]) == ("0", "", "")
    assert all(None not in row and None not in row.values() for row in rows)
    assert {row["state"] for row in rows} == {"final"}
    assert rows[0]["definitions"] == f"{label_of(PRESET)} {definition_hash(canonical(PRESET))}"


def test_a_name_is_never_a_formula_in_a_spreadsheet(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [row["row"] for row in in_csv(data, capsys, "--by", "team")]
    assert names == ["'=cmd|'/c calc'!A1", UNASSIGNED, "total"]


def test_an_agent_is_the_roster_s_number(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["name"] for row in in_json(data, capsys, "--by", "agent")["rows"]] == ["p-1", UNASSIGNED]


def test_a_date_is_the_start_of_the_business_day_and_by_month_of_the_contract_s_period(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_json(data, capsys, "--by", "day")["total"]["figures"]["offered"] == 2
    month = in_json(data, capsys, "--by", "month")
    assert month["total"]["figures"]["offered"] == 3, "the month is cut at midnight, before the early one"
    assert month["total"]["figures"]["excluded"] == 1


def test_another_definition_by_name_of_a_preset(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = in_json(data, capsys, "--by", "day", "--definition", "jd-30s-2021-12-22", "--queue", "presale")
    assert [used["label"].split("#")[0] for used in found["head"]["definitions"]] == ["jd-30s@2"]
    assert found["total"]["trailing"]["attainment"] == {"part": 1, "whole": 1}
    assert found["head"]["definitions"][0]["official"] is False


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "2026-11-03", "--to", "2026-11-02"), "not after --from"),
        (
            ("--from", "2020-11-02", "--to", "2026-11-02", "--by", "hour"),
            "--by hour: about 52,584 rows, more than 10,000; ask for --by day or a shorter time\n",
        ),
        (("--from", "1971-01-01", "--to", "9999-01-01", "--by", "month"), "more than 10,000; ask for a shorter time\n"),
        (("--from", "2026-11-03", "--to", "9999-12-31"), "--to 9999-12-31: before 1970 or after"),
        (("--from", "0001-01-01 12:00", "--to", "2026-11-02"), "--from 0001-01-01 12:00: before 1970 or after"),
        (("--from", "soon", "--to", "2026-11-02"), "no date and time"),
        ((*SPAN, "--definition", "no-such"), "no such definition"),
        ((*SPAN, "--queue", "no-such"), "--queue no-such: no queue of this client; there are: aftersale, presale"),
        (
            (*SPAN, "--queue", "presale", "--queue", "no-such", "--definition", "jd-30s-24h"),
            "--queue no-such: no queue",
        ),
    ],
)
def test_what_is_asked_wrongly_is_said_and_exits_with_two(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    assert report(data, *arguments) == 2
    assert says in capsys.readouterr().err


def test_a_ledger_without_rules_asks_for_a_definition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([customer("09:00:00"), agent("09:00:08"), clock("12:00")])
    ledger.close()
    assert report(tmp_path, *SPAN) == 2
    assert "--definition" in capsys.readouterr().err
    assert in_json(tmp_path, capsys, "--definition", "contract-10s")["total"]["figures"]["answered"] == 1


def test_how_many_conversations_nobody_closed_is_said_below_the_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([*rules(), customer("09:00:00"), assigned("09:00:00"), agent("09:30:00"), clock("15:00")])
    ledger.close()
    assert report(tmp_path, *SPAN) == 0
    told = "Conversations whose end no source told: 1. Concurrency counts them for 120 min 0.000 s after the last word"
    assert told in capsys.readouterr().out
    assert in_json(tmp_path, capsys)["head"]["never_ended"] == 1


@pytest.mark.parametrize(("turns", "said"), [([], 1), ([customer("09:00:00")], 0)], ids=["a table tells none", "told"])
def test_why_a_definition_of_turns_judges_nothing_is_said_where_no_turn_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], turns: list[Event], said: int
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    chat = [offered("09:00:00"), *turns, agent("09:00:08"), closed("09:10:00")]
    ledger.append([*rules(load_preset("taobao-3min")), *chat, clock("+3 12:00")])
    ledger.close()
    assert report(tmp_path, *SPAN) == 0
    page = capsys.readouterr().out
    assert page.count("No attainment and no average response: taobao-3min@1#") == said


def test_a_table_breaks_no_hour_however_much_there_is_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    chat = [customer("09:00:00"), assigned("09:00:02"), agent("09:00:08"), closed("09:10:00")]
    call = [offered("09:20:00", "c2", voice=True), transferred("09:20:05", "c2", queue="aftersale", account="ben")]
    ledger.append([*rules(), presence("08:00"), *chat, *call, closed("09:30:00", "c2"), clock("+3 12:00")])
    ledger.close()
    assert report(tmp_path, *SPAN, "--by", "hour") == 0
    page = capsys.readouterr().out
    assert page.count("│ 2026-11-02 09:00+08:00 │") == len(re.findall("^┏", page, re.MULTILINE)) == 4


def test_an_unknown_client_exits_with_two(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--client", "nobody", *SPAN, "--data", str(data)]) == 2
    assert "nobody" in capsys.readouterr().err


def test_a_restart_in_a_file_is_told_with_the_reason_that_there_are_no_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    calls = [customer("09:00:00", "c1"), closed("09:10:00", "c1"), gone("11:10", 0, since="09:10", until="11:10")]
    ledger.append([*rules(), declared(0, "chat", Told.DAILY), *calls, customer("11:20:00", "c2"), clock("+3 12:00")])
    ledger.close()
    assert report(tmp_path, *SPAN) == 0
    page = capsys.readouterr().out
    assert "Of 140 min 0.000 s of service window, 120 min 0.000 s are missing from the record." in page
    assert "Attainment has no bounds: a source does not know how much it lost, as at a restart" in page
    assert report(tmp_path, *SPAN, "--lang", "zh") == 0
    assert "达标率无上下界: 来源不知道丢了多少" in capsys.readouterr().out
    (*_, total) = in_csv(tmp_path, capsys)
    told = (total["coverage_part"], total["coverage_whole"], total["coverage_worst_whole"], total["coverage_unbounded"])
    assert told == ("1200000", "8400000", "", "loss_not_counted")
    assert in_json(tmp_path, capsys)["total"]["coverage"]["unbounded"] == "loss_not_counted"


def test_a_contract_that_begins_later_with_another_business_day_moves_no_date_of_before(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = in_json(data, capsys, "--by", "day")
    later = changed(PRESET, name="december", business_day_starts_minute=0)
    ledger = Feed(data / "clients" / "acme")
    ledger.append([published(later), signed(contract("december", since="+30 00:00", name="acme-2027"))])
    ledger.close()
    after = in_json(data, capsys, "--by", "day")
    assert (after["rows"], after["head"]["question"]) == (before["rows"], before["head"]["question"])
