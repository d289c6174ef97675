"""`seatwatch definition diff`: two definitions over one period, for a person and as JSON."""

import json
from pathlib import Path

import pytest

from seatwatch.__main__ import main
from tests.builders import agent, changed, clock, customer, published, rules
from tests.sla_engine.feeding import Feed

LATER = changed(version=2, first_response_limit_ms=20_000)
PERIOD = ("--from", "2026-11-02", "--to", "2026-11-03")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve sessions answered after 15 s and one after 5 s; version 2 of the definition allows 20 s."""
    ledger = Feed(tmp_path / "clients" / "acme")
    events = [*rules(), published(LATER, arrives="09:00:00")]
    for number in range(13):
        at = f"09:{number:02}:00"
        events += [customer(at, f"c{number}"), agent(at[:-2] + ("15" if number else "05"), c=f"c{number}")]
    ledger.append([*events, clock("10:00:00")])
    ledger.close()
    return tmp_path


def diff(data: Path, *arguments: str) -> int:
    return main(["definition", "diff", *arguments, "--client", "acme", "--data", str(data)])


def test_figures_stand_side_by_side_and_what_moves_is_listed_with_a_hint(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff(data, "contract-10s@1", "contract-10s@2", *PERIOD) == 0
    page = capsys.readouterr().out
    figures = ("7.69 % (1/13)", "100.00 % (13/13)", "+92.31 pp")
    for words in (*figures, "12 of 13 sessions", "Answered late -> Answered in"):
        assert words in page
    assert "2026-11-02 09:01:00.000  c1  15.000 s -> 15.000 s" in page
    assert "+2 more" in page
    hint = f"seatwatch explain c1 --client acme --definition contract-10s@2 --data {data}"
    assert hint in " ".join(page.split())


def test_a_side_by_rules_from_elsewhere_than_their_author_is_called_unofficial(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff(data, "contract-10s@1", "jd-30s", *PERIOD) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Definition: ")]
    assert [line.endswith("(unofficial)") for line in told] == [False, True]
    assert diff(data, "contract-10s@1", "jd-30s", *PERIOD, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [found[side]["official"] for side in ("before", "after")] == [True, False]


def test_percentiles_stand_beside_each_other_by_the_method_of_each_side(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "between.toml"
    file.write_text('based_on = "contract-10s"\npercentile = "interpolated"\n', encoding="utf-8")
    assert (
        diff(data, "contract-10s@1", str(file), "--from", "2026-11-02 09:00", "--to", "2026-11-02 09:02", "--json") == 0
    )
    shown = {line["name"]: line for line in json.loads(capsys.readouterr().out)["figures"]}
    p50, p90 = (shown[f"first_response_{name}"] for name in ("p50", "p90"))
    assert (p50["before"], p50["after"], p50["difference"]) == ("5.000 s", "10.000 s", 5_000)
    assert (p90["before"], p90["after"], p90["difference"]) == ("15.000 s", "14.000 s", -1_000)


def test_chinese_and_a_limit(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(data, "contract-10s@1", "contract-10s@2", *PERIOD, "--lang", "zh", "--limit", "1") == 0
    page = capsys.readouterr().out
    assert "超时应答 -> 按时应答" in page
    assert "+92.31 个百分点" in page
    assert "c2" not in page
    assert page.rstrip().endswith("--lang zh")


def test_sessions_whose_service_level_alone_moves_are_listed_with_their_part_and_whole(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "level.toml"
    file.write_text('based_on = "contract-10s"\nservice_level_threshold_s = 3\n', encoding="utf-8")
    assert diff(data, "contract-10s@1", str(file), *PERIOD) == 0
    page = capsys.readouterr().out
    assert "1 of 13 sessions" in page
    assert "Answered in time -> Answered in time (Service level): 1" in page
    assert "2026-11-02 09:00:00.000  c0  1/1 -> 0/1" in page


def test_json_lists_every_session_that_moves(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(data, "contract-10s@1", "contract-10s@2", *PERIOD, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(group["before"], group["after"], group["count"]) for group in found["groups"]] == [
        ("answered_late", "answered_in_time", 12)
    ]
    assert len(found["groups"][0]["moved"]) == 12
    figures = {line["name"]: line["difference"] for line in found["figures"]}
    assert (figures["attainment"], figures["answered"], figures["seat_response"]) == (9_231, 0, None)


def test_a_name_without_a_version_is_the_latest_and_a_file_serves_as_well(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "strict.toml"
    file.write_text('based_on = "contract-10s"\nname = "strict"\nfirst_response_limit_s = 20\n', encoding="utf-8")
    assert diff(data, "contract-10s", str(file), *PERIOD, "--queue", "presale") == 0
    assert "0 of 13 sessions" in capsys.readouterr().out


def test_the_same_dates_are_the_same_sessions_as_in_a_report(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Feed(data / "clients" / "acme")
    ledger.append([customer("03:59:59", "before"), customer("+1 03:59:59", "last"), clock("+1 12:00:00")])
    ledger.close()
    assert diff(data, "contract-10s@1", "contract-10s@2", *PERIOD, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    command = ["report", "--client", "acme", "--definition", "contract-10s@1", "--format", "json", "--data", str(data)]
    assert main([*command, *PERIOD]) == 0
    reported = json.loads(capsys.readouterr().out)
    assert found["before"]["figures"] == reported["total"]["figures"]
    asked = ("client", "since", "until", "queues")
    assert [found["question"][key] for key in asked] == [reported["head"]["question"][key] for key in asked]
    assert diff(data, "contract-10s@1", "contract-10s@2", *PERIOD, "--lang", "zh", "--queue", "presale") == 0
    page = capsys.readouterr().out
    assert "客户 acme  2026-11-02 04:00:00.000 .. 2026-11-03 04:00:00.000  Asia/Shanghai" in page
    assert "presale" in page.split("┏")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("contract-10s", "nothing", *PERIOD), "B nothing"),
        (("contract-10s@9", "contract-10s", *PERIOD), "contract-10s@2"),
        (("contract-10s", "contract-10s", "--from", "2026-11-03", "--to", "2026-11-02"), "not after"),
        (("contract-10s", "contract-10s", "--from", "soon", "--to", "2026-11-02"), "soon"),
    ],
)
def test_what_cannot_be_compared_is_named(
    data: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff(data, *arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("client", ["beta", "a/b"])
def test_a_client_without_a_ledger_is_named(data: Path, client: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["definition", "diff", "contract-10s", "contract-10s", *PERIOD, "--client", client]
    assert main([*command, "--data", str(data)]) == 2
    assert client in capsys.readouterr().err


def test_a_queue_that_is_none_is_refused_with_those_there_are(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(data, "contract-10s@1", "contract-10s@2", *PERIOD, "--queue", "no-such") == 2
    assert capsys.readouterr().err == "--queue no-such: no queue of this client; there are: presale\n"
    assert diff(data, "contract-10s@1", "contract-10s@2", *PERIOD, "--queue", "presale") == 0
