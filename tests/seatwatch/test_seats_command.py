"""`seatwatch seats`: the table of the operator, for a person, a spreadsheet and a program."""

import csv
import io
import json
from pathlib import Path

import pytest

from seatwatch.__main__ import main
from tests.sla_engine.feeding import Feed
from tests.sla_engine.reports.test_dedicated import data as data  # noqa: PLC0414 - a fixture

PERIOD = ("--from", "2026-11-02 00:00", "--to", "2026-11-03 00:00")


def run(data: Path, *arguments: str) -> int:
    return main(["seats", "--data", str(data), *(arguments or PERIOD)])


def test_the_table_has_every_client_its_shops_and_a_total(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data) == 0
    page = capsys.readouterr().out
    for words in ("acme", "beta", "flagship", "0.25", "2.00", "28.00", "25.00 %"):
        assert words in page
    assert run(data, *PERIOD, "--client", "acme", "--lang", "zh") == 0
    page = capsys.readouterr().out
    assert "在岗席位" in page
    assert "beta" not in page
    assert "未约定" in page
    assert "没有合同坐席数" in page
    assert "acme / flagship" in page


def test_a_configuration_gives_names_to_clients_and_shops_of_a_table_and_says_where_the_record_is(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = '[[client]]\nid = "acme"\nname = "Acme Outdoor"\n[[client.shop]]\nid = "flagship"\nname = "官方旗舰店"\n'
    file = data.parent / "seatwatch.toml"
    file.write_text(f'[server]\ndata = "{data.name}"\n{named}')
    assert main(["seats", "--config", str(file), *PERIOD]) == 0
    page = capsys.readouterr().out
    assert "Acme Outdoor / 官方旗舰店" in page
    assert "flagship" not in page
    assert "beta" in page


def test_csv_and_json_carry_the_same_whole_numbers(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, *PERIOD, "--client", "acme", "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    (total,) = [row for row in rows if (row["row"], row["shop"]) == ("total", "")]
    assert (total["staffed_ms"], total["shortfall_seat_hours"], total["also_serving_percent"]) == (
        "14400000",
        "28.00",
        "25.00",
    )
    assert run(data, *PERIOD, "--client", "acme", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"][-1]["shop"] == "flagship"
    assert found["zones"] == {"acme": "Asia/Shanghai"}


def test_a_date_is_the_start_of_the_clients_business_day(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "--from", "2026-11-02", "--to", "2026-11-03", "--client", "acme", "--format", "json") == 0
    (day, *_) = json.loads(capsys.readouterr().out)["rows"]
    assert day["name"] == "2026-11-02"
    assert (day["until"] - day["since"], day["since"] % 86_400_000) == (86_400_000, 20 * 3_600_000)


def test_a_client_without_a_contract_is_named_below_the_table(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Feed(data / "clients" / "gamma").close()
    assert run(data) == 0
    assert "gamma: no contract" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-11-03", "--to", "2026-11-02"), "not after"),
        ((*PERIOD, "--client", "nobody"), "nobody"),
        ((*PERIOD, "--client", "../acme"), "no such client"),
    ],
)
def test_what_is_asked_wrongly_is_named(
    arguments: tuple[str, ...], said: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_clients_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 2
    assert "no ledger is in it" in capsys.readouterr().err
