"""`seatwatch device`: a TV's way in and out, from the command line."""

import re
from pathlib import Path

import pytest

from collector.ledgers import ledger_directory
from dashboards.wallboard.devices import FILE, Devices
from seatwatch.__main__ import main
from wire.scope import Scope

TOKEN = re.compile(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}")


def devices(data: Path) -> Devices:
    return Devices(data, elapsed_ms=lambda: 0, look_ms=0)


def test_a_token_is_printed_once_and_opens_what_was_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scope = ["--client", "acme", "--client", "beta", "--site", "site1", "--team", "north", "--layout", "floor-2"]
    assert main(["device", "add", "east", *scope, "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    (token,) = TOKEN.findall(said)
    found = devices(tmp_path).of_token(token)
    assert found is not None
    assert found.layout == "floor-2"
    assert found.scope == Scope(
        clients=frozenset({"acme", "beta"}), sites=frozenset({"site1"}), teams=frozenset({"north"})
    )
    assert main(["device", "list", "--data", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert token not in listed
    assert "east  clients: acme, beta  sites: site1  teams: north  layout: floor-2  added " in listed
    assert "never seen" in listed


def test_a_client_without_a_record_and_an_unchecked_layout_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger_directory(tmp_path, "acme").mkdir(parents=True)
    scope = ["--client", "acme", "--client", "nobody", "--layout", "nolayout"]
    assert main(["device", "add", "east", *scope, "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert "--client nobody: " in said
    assert "--client acme" not in said
    assert "--layout nolayout: not checked" in said
    assert main(["device", "list", "--data", str(tmp_path)]) == 0
    assert "no such client yet: nobody\n" in capsys.readouterr().out


def test_a_device_is_listed_with_when_it_was_seen_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["device", "list", "--data", str(tmp_path)]) == 0
    assert "no devices" in capsys.readouterr().out
    assert main(["device", "add", "east", "--data", str(tmp_path)]) == 0
    (token,) = TOKEN.findall(capsys.readouterr().out)
    server = devices(tmp_path)
    server.saw("east", 1_795_300_000_000)
    server.write_seen()
    assert main(["device", "revoke", "east", "--data", str(tmp_path)]) == 0
    assert main(["device", "list", "--data", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert re.search(r"clients: all  sites: all  teams: all .* last seen 2026-11-2\d .* revoked ", listed)
    revoked = server.of_token(token)
    assert revoked is not None
    assert revoked.revoked_at is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "no name"], "no name: names are"),
        (["add", "tv", "--client", "a/b"], "a/b: names are"),
        (["add", "tv", "--layout", "?"], "?: names are"),
        (["add", "east"], "east: is there already"),
        (["revoke", "nosuch"], "nosuch: no such device"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["device", "add", "east", "--data", str(tmp_path)]) == 0
    assert main(["device", *arguments, "--data", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_directory_and_a_damaged_file_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["device", "add", "east", "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: no such directory" in capsys.readouterr().err
    (tmp_path / FILE).write_text("[{")
    for command in (["list"], ["add", "east"], ["revoke", "east"]):
        assert main(["device", *command, "--data", str(tmp_path)]) == 2
        assert "is damaged" in capsys.readouterr().err
