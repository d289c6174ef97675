"""Every command that reads ledgers, told to look where there are none: one sentence, what to do, nothing made."""

import os
from pathlib import Path

import pytest

from seatwatch.cli import run

SPAN = ("--from", "2026-11-01", "--to", "2026-11-02")
ACME = ("--client", "acme")
OF_A_LEDGER = {
    "fsck": ("fsck", "{}"),
    "prove inclusion": ("prove", "inclusion", "{}", "0"),
    "prove inclusion of a size": ("prove", "inclusion", "{}", "0", "--size", "3"),
    "prove consistency": ("prove", "consistency", "{}", "5"),
}
OF_A_RECORD = {
    "report": ("report", *ACME, *SPAN, "--data", "{}"),
    "explain": ("explain", "c-1", *ACME, "--data", "{}"),
    "board": ("board", "--at", "2026-11-01 11:00", "--data", "{}"),
    "definition diff": ("definition", "diff", "a", "b", *ACME, *SPAN, "--data", "{}"),
    "causes": ("causes", *ACME, *SPAN, "--data", "{}"),
    "reconcile": ("reconcile", *ACME, *SPAN, "--data", "{}"),
    "seats": ("seats", *SPAN, "--data", "{}"),
    "incident list": ("incident", "list", "--data", "{}"),
    "maintenance list": ("maintenance", "list", "--data", "{}"),
    "backup": ("backup", "{}", "{}-copy"),
}
OF_A_FOLDER = {
    "device list": ("device", "list", "--data", "{}"),
    "device revoke": ("device", "revoke", "tv", "--data", "{}"),
    "account list": ("account", "list", "--data", "{}"),
    "account disable": ("account", "disable", "li.na", "--data", "{}"),
}
PLACES = ("missing", "empty", "a-file", "photos")
WHAT_TO_DO = ("operator and clients/<client>", "with --data", "give a data directory")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("places")
    (top / "empty").mkdir()
    (top / "a-file").write_text("a letter")
    (top / "photos").mkdir()
    (top / "photos" / "party.jpg").write_bytes(b"\xff\xd8")
    return top


def told(arguments: tuple[str, ...], directory: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and what was said of it, all of which stands on stderr."""
    code = run([argument.format(directory) for argument in arguments])
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err


@pytest.mark.parametrize("place", PLACES)
def test_a_place_without_a_ledger_is_named_with_what_to_do_and_nothing_is_made(
    places: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(places.rglob("*"))
    for name, arguments in (OF_A_LEDGER | OF_A_RECORD).items():
        code, said = told(arguments, places / place, capsys)
        assert (name, code) == (name, 2)
        assert said.startswith(f"{places / place}: "), name
        assert any(words in said for words in WHAT_TO_DO), (name, said)
        assert len(said.splitlines()) == 1, (name, said)
    assert sorted(places.rglob("*")) == before


@pytest.mark.parametrize("place", ["missing", "a-file"])
def test_what_is_no_data_directory_has_no_devices_and_no_accounts_to_list(
    places: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, arguments in OF_A_FOLDER.items():
        code, said = told(arguments, places / place, capsys)
        assert (name, code) == (name, 2)
        assert said.startswith(f"{places / place}: "), name
        assert "name the data directory of `seatwatch up` with --data" in said, name


def test_a_directory_that_is_closed_to_this_user_is_said_to_be(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    for name, arguments in (OF_A_LEDGER | OF_A_RECORD | OF_A_FOLDER).items():
        if name not in {"incident list", "maintenance list"}:  # those find no record in it
            code, said = told(arguments, places / "photos", capsys)
            assert (name, code) == (name, 2)
            assert "photos: not readable for this user; ask as the user of the server, or of a copy" in said, name


def test_a_ledger_that_is_near_is_shown_with_the_command_that_was_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clients" / "acme").mkdir(parents=True)
    (tmp_path / "clients" / "acme" / "ledger.json").write_text("{}")
    _, said = told(OF_A_LEDGER["prove consistency"], tmp_path, capsys)
    assert said.splitlines()[1] == f"  seatwatch prove consistency {tmp_path / 'clients' / 'acme'}"
    code, said = told(("report", "--client", "beta", *SPAN, "--data", "{}"), tmp_path, capsys)
    assert (code, said.endswith("there are: acme\n")) == (2, True)
