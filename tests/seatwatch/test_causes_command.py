"""`seatwatch causes`: misses counted by cause, one by one, and for a spreadsheet."""

import csv
import io
import json
from pathlib import Path
from random import Random

import pytest

from seatwatch.cli import run
from seatwatch.glossary import words
from tests.builders import Event
from tests.causes.floor import answers, customers, draw_trouble
from tests.causes.telling import client_entries, incidents_of
from tests.sla_engine.feeding import Feed
from wire.incident import Cause


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour in which a platform failed for a minute."""
    directory = tmp_path_factory.mktemp("causes")
    random = Random(1)
    trouble = draw_trouble(random, Cause.PLATFORM)
    told = answers(customers(random), trouble)
    feed = Feed(directory / "clients" / "acme")
    entries = client_entries(told, trouble, incidents_of(trouble))
    feed.append(Event(entry.body, entry.source, entry.received_at) for entry in entries if entry.body is not None)
    feed.close()
    return directory


def causes(data: Path, *arguments: str) -> int:
    span = ["--from", "2026-11-02", "--to", "2026-11-03"]
    return run(["causes", "--client", "acme", *span, *arguments, "--data", str(data)])


def test_misses_are_counted_by_cause_listed_and_written_for_a_spreadsheet(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert causes(data) == 0
    counted = capsys.readouterr().out
    assert "chat platform" in counted
    assert "misses in all" in counted
    assert causes(data, "--each", "--lang", "zh") == 0
    assert "聊天平台  i-" in capsys.readouterr().out
    assert causes(data, "--csv") == 0
    rows = [*csv.DictReader(io.StringIO(capsys.readouterr().out))]
    assert causes(data, "--json") == 0
    misses = json.loads(capsys.readouterr().out)
    assert [row["conversation"] for row in rows] == [miss["conversation"] for miss in misses]
    platform = [miss for miss in misses if miss["cause"] == "platform"]
    assert platform
    assert all(miss["but_for"] and miss["incident"].startswith("i-") for miss in platform)


def test_a_miss_is_explained_with_its_cause_and_the_incident_behind_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert causes(data, "--json") == 0
    miss = next(miss for miss in json.loads(capsys.readouterr().out) if miss["cause"] == "platform")
    explain = ["explain", miss["conversation"], "--client", "acme", "--data", str(data)]
    assert run(explain) == 0
    shown = capsys.readouterr().out
    assert f"Cause: chat platform, {miss['incident']}, stood in the way for " in shown
    assert "met but for it" in shown
    assert run([*explain, "--json"]) == 0
    (session,) = json.loads(capsys.readouterr().out)["sessions"]
    assert (session["cause"]["cause"], session["cause"]["but_for"]) == ("platform", True)


def by_cause(data: Path, *arguments: str) -> int:
    span = ["--from", "2026-11-02", "--to", "2026-11-03"]
    return run(["report", "--client", "acme", *span, "--by", "cause", *arguments, "--data", str(data)])


def test_a_report_by_cause_counts_misses_and_those_met_but_for_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert causes(data, "--json") == 0
    misses = json.loads(capsys.readouterr().out)
    assert by_cause(data, "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    counted = {row["cause"]: (row["misses"], row["met_but_for_it"]) for row in told["rows"]}
    assert counted == {
        cause: (len(same), sum(each["but_for"] for each in same))
        for cause in {each["cause"] for each in misses}
        for same in [[each for each in misses if each["cause"] == cause]]
    }
    assert (told["total"]["misses"], told["head"]["question"]["by"]) == (len(misses), "cause")
    assert by_cause(data, "--format", "csv") == 0
    rows = [*csv.DictReader(io.StringIO(capsys.readouterr().out))]
    assert {row["row"]: (int(row["misses"]), int(row["met_but_for_it"])) for row in rows[:-1]} == counted
    assert rows[-1]["row"] == "total"
    assert by_cause(data, "--lang", "zh") == 0
    page = capsys.readouterr().out
    assert all(word in page for word in ("聊天平台", "未达标数", "若无此原因则达标", "合计"))


def test_a_report_by_cause_is_cut_to_the_queues_asked_for(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert by_cause(data, "--format", "json") == 0
    everything = json.loads(capsys.readouterr().out)["total"]["misses"]
    assert by_cause(data, "--format", "json", "--queue", "presale") == 0
    assert json.loads(capsys.readouterr().out)["total"]["misses"] == everything > 0


@pytest.mark.parametrize("more", [("--definition", "contract-10s"), ("--known-at", "2026-11-02 12:00")])
def test_a_report_by_cause_is_of_the_contracts_definition_and_of_all_that_is_known(
    more: tuple[str, str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert by_cause(data, *more) == 2
    assert more[0] in capsys.readouterr().err


def test_every_cause_has_its_word() -> None:
    assert {f"cause_{cause}" for cause in Cause} <= set(words())
