"""`seatwatch board`: a past instant from the ledgers of a data directory."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from seatwatch.__main__ import main
from seatwatch.clock import now_ms
from sla_engine._core.definition import label_of
from sla_engine.definition_files import load_preset
from tests.builders import PRESET, Event, agent, changed, contract, customer, declared, ms, rules, signed
from tests.sla_engine.entries import Log
from tests.sla_engine.feeding import Feed
from wire.record import Feed as Told


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One client whose customer waited from 09:00:00 to 09:00:30 on 2026-11-02, Shanghai."""
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([*rules(), customer("09:00:00"), agent("09:00:30", arrives="09:05:00")])
    ledger.close()
    return tmp_path


def test_a_table_says_who_waited_then(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["board", "--at", "2026-11-02 09:00:12", "--data", str(data)]) == 0
    page = capsys.readouterr().out
    assert "2026-11-02 09:00:12+08:00" in page
    assert "presale" in page
    assert "12.000 s" in page
    assert "0.00 % (0/1)" in page


def test_json_is_the_whole_board_and_knows_later_replies_only_when_asked(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["board", "--at", "2026-11-02T01:01:00Z", "--data", str(data), "--json"]
    assert main(at) == 0
    true = json.loads(capsys.readouterr().out)
    assert true["queues"][0]["day"]["answered"] == 1
    assert main([*at, "--known-at", "2026-11-02 09:01"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["queues"][0]["day"]["answered"], shown["queues"][0]["live"]["waiting"]) == (0, 1)


def test_other_clients_are_left_out(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Feed(data / "clients" / "beta").close()
    assert main(["board", "--at", "2026-11-02 09:00:12", "--data", str(data), "--client", "beta", "--json"]) == 0
    assert [tile["client"] for tile in json.loads(capsys.readouterr().out)["clients"]] == ["beta"]


def test_senders_nobody_configured_are_named_to_whoever_may_see_everything(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = Feed(data / "operator")
    stranger = Log().stranger("site-9/gateway", ms("08:59"))
    assert stranger.body is not None
    operator.append([Event(stranger.body, stranger.source, stranger.received_at)])
    operator.close()
    asked = ["board", "--at", "2026-11-02 09:00:12", "--data", str(data)]
    assert main(asked) == 0
    assert "Not configured: site-9/gateway" in capsys.readouterr().out
    assert main([*asked, "--client", "acme"]) == 0
    assert "site-9" not in capsys.readouterr().out


def test_an_instant_still_to_come_has_no_board(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = datetime.fromtimestamp(max(now_ms(), ms("09:05:00")) // 1000 + 3600, UTC).isoformat()
    assert main(["board", "--at", later, "--data", str(data)]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"--at {later}: That instant has not come yet\n")


def test_after_its_end_the_record_says_that_nothing_more_is_on_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["board", "--data", str(data), "--json", "--at"]
    assert main([*asked, "2026-11-02 09:06:00"]) == 0  # a server with nothing to tell writes the time once a minute
    assert "The record ends" not in capsys.readouterr().err
    assert main([*asked, "2026-11-02 09:06:10"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["as_of"] == ms("09:06:10")
    assert "acme 2026-11-02 09:05:00.000" in told.err


def test_a_folder_without_a_ledger_is_no_data_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "calls.csv").touch()
    assert main(["board", "--at", "now", "--data", str(tmp_path)]) == 2
    assert "no ledger is in it" in capsys.readouterr().err


@pytest.mark.parametrize("others", [[], ["--client", "acme"]])
def test_a_client_without_a_ledger_is_named_and_no_board_is_shown(
    others: list[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["board", "--at", "2026-11-02 09:00:12", "--data", str(data), "--client", "beta", *others]
    assert main(asked) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"--client beta: no such client in {data}\n")


def test_now_is_an_instant(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = now_ms()
    assert main(["board", "--at", "now", "--data", str(data), "--json"]) == 0
    assert before <= json.loads(capsys.readouterr().out)["as_of"] <= now_ms()


def test_a_table_speaks_chinese(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["board", "--at", "2026-11-02 09:00:12", "--data", str(data), "--lang", "zh"]) == 0
    page = capsys.readouterr().out
    assert "数据时间 2026-11-02 09:00:12+08:00 (Asia/Shanghai, acme 的口径)" in page
    assert "队列 presale" in page
    for heading in ("等待", "已超时", "最长等待", "已应答"):
        assert heading in page
    assert "Waiting" not in page


def test_a_client_that_nobody_tells_of_has_no_data_and_one_told_of_daily_is_t_plus_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for client, told in (("never", []), ("daily", [declared("09:00:00", feed=Told.DAILY), customer("09:00:00")])):
        ledger = Feed(tmp_path / "clients" / client)
        ledger.append([*rules()[1:], *told])
        ledger.close()
    at = "2026-11-02 09:00:12"
    assert main(["board", "--at", at, "--known-at", at, "--data", str(tmp_path)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    (never,) = (line for line in lines if "never" in line)
    (daily, *_) = (line for line in lines if "daily" in line)
    assert ("No data" in never, "T+1" in never) == (True, False)
    assert "T+1 only" in daily


@pytest.fixture
def with_a_target(tmp_path: Path) -> Path:
    """95 % is promised, and the same customer, answered after 30 s, is counted by the rules of a platform, too."""
    ledger = Feed(tmp_path / "clients" / "acme")
    platform = load_preset("taobao-3min")
    promise = replace(contract(PRESET.name, platform.name), attainment_target_bp=9_500)
    ledger.append([*rules(PRESET, platform)[:-1], signed(promise), customer("09:00:00"), agent("09:00:30")])
    ledger.close()
    return tmp_path


@pytest.mark.parametrize(
    ("language", "target", "second", "platform", "rules_shown"),
    [
        ("en", "Contracted target", "Platform", "(unofficial)", "Limit 10.000 s"),
        ("zh", "合同目标", "平台口径", "(非官方)", "时限 10.000 秒"),
    ],
)
def test_a_table_shows_what_is_promised_and_the_figures_by_the_platforms_rules(
    with_a_target: Path,
    language: str,
    target: str,
    second: str,
    platform: str,
    rules_shown: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["board", "--at", "2026-11-02 09:01", "--data", str(with_a_target), "--lang", language]) == 0
    page = capsys.readouterr().out
    (by_contract,) = (line for line in page.splitlines() if "presale" in line)
    by_platform, *_ = (line for line in page.splitlines() if second in line)
    assert ("0.00 % (0/1)" in by_contract, "95.00 %" in by_contract) == (True, True)
    assert ("100.00 % (1/1)" in by_platform, "95.00 %" in by_platform) == (True, False)
    assert [word in page for word in (target, platform, "taobao-3min")] == [True] * 3
    assert f"{label_of(PRESET)}  {rules_shown}" in page


def test_no_column_is_cut_off_where_there_is_no_terminal(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["board", "--at", "2026-11-02 09:00:12", "--data", str(data)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("│", "┃", "┡"))]
    assert lines
    assert all(line.endswith(("│", "┃", "┩")) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "noon"], "noon"),
        (["--at", "2026-11-02 09:00", "--zone", "Asia/Shanghia"], "Asia/Shanghia"),
        (["--at", "2026-11-02 09:00+08:00", "--zone", "Asia/Shanghia"], "Asia/Shanghia"),
        (["--at", "2026-11-02 09:00", "--known-at", "later"], "later"),
    ],
)
def test_what_cannot_be_read_is_named(
    data: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["board", "--data", str(data), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_zone_is_that_of_the_definition_and_the_answer_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "bank")
    ledger.append([*rules(changed(time_zone="Asia/Jerusalem")), customer("09:00:00")])
    ledger.close()
    assert main(["board", "--at", "2026-11-02 03:00:12", "--data", str(tmp_path)]) == 0
    page = capsys.readouterr().out
    assert "2026-11-02 03:00:12+02:00 (Asia/Jerusalem, the definition of bank)" in page
    assert "12.000 s" in page
    assert main(["board", "--at", "2026-11-02 09:00:12", "--zone", "Asia/Shanghai", "--data", str(tmp_path)]) == 0
    assert "2026-11-02 09:00:12+08:00 (Asia/Shanghai, --zone)" in capsys.readouterr().out


def test_clients_in_several_zones_want_one_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Feed(data / "clients" / "bank")
    ledger.append(rules(changed(time_zone="Asia/Jerusalem")))
    ledger.close()
    assert main(["board", "--at", "2026-11-02 09:00:12", "--data", str(data)]) == 2
    assert "Asia/Shanghai of acme; Asia/Jerusalem of bank" in capsys.readouterr().err
    assert main(["board", "--at", "2026-11-02 09:00:12", "--data", str(data), "--client", "acme"]) == 0
    assert "Asia/Shanghai, the definition of acme" in capsys.readouterr().out
    assert main(["board", "--at", "2026-11-02T09:00:12+08:00", "--data", str(data)]) == 0
    assert "2026-11-02 01:00:12+00:00 (UTC, clients are in different ones" in capsys.readouterr().out


def test_where_nobody_has_a_definition_the_zone_is_the_default_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Feed(tmp_path / "operator").close()
    assert main(["board", "--at", "1999-08-10 09:00", "--data", str(tmp_path), "--json"]) == 0
    assert "time zone Asia/Shanghai: the default" in capsys.readouterr().err


def test_clients_are_shown_by_the_names_of_their_contracts_and_queues_by_those_of_the_configuration(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(data / "clients" / "acme")
    ledger.append([signed(msgspec.structs.replace(contract(PRESET.name), title="Acme"))])
    ledger.close()
    at = ["board", "--at", "2026-11-02 09:00:12", "--json"]
    assert main([*at, "--data", str(data)]) == 0
    board = json.loads(capsys.readouterr().out)
    assert [tile["name"] for tile in (*board["clients"], *board["queues"])] == ["Acme", "presale"]
    config = data / "seatwatch.toml"
    config.write_text(
        '[server]\ndata = "."\n[[client]]\nid = "acme"\nname = "Acme Ltd"\n'
        '[[client.queue]]\nid = "presale"\nname = "Before the sale"\n'
    )
    assert main([*at, "--config", str(config)]) == 0
    board = json.loads(capsys.readouterr().out)
    assert [tile["name"] for tile in (*board["clients"], *board["queues"])] == ["Acme Ltd", "Before the sale"]
    assert [tile["id"] for tile in board["queues"]] == ["presale"]
    config.write_text(config.read_text(encoding="utf-8") + 'name_en = "Pre-sale"\n', encoding="utf-8")
    assert main([*at, "--config", str(config)]) == 0
    (queue,) = json.loads(capsys.readouterr().out)["queues"]
    assert (queue["name"], queue["name_en"]) == ("Before the sale", "Pre-sale")
    for language, name in (("en", "Pre-sale"), ("zh", "Before the sale")):
        assert main([*at[:-1], "--config", str(config), "--lang", language]) == 0
        assert name in capsys.readouterr().out


def test_a_configuration_that_cannot_be_used_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seatwatch.toml").write_text("[server]\nprot = 1\n")
    assert main(["board", "--at", "now", "--config", str(tmp_path / "seatwatch.toml")]) == 2
    assert "server.prot" in capsys.readouterr().err


def test_a_missing_data_directory_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["board", "--at", "2026-11-02 09:00", "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
