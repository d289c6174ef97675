"""`seatwatch account`: who may sign in, and what is refused."""

from pathlib import Path

import pytest

from dashboards.portal.accounts import Accounts
from seatwatch.__main__ import main


def account(data: Path, *arguments: str) -> int:
    return main(["account", *arguments, "--data", str(data)])


def test_an_account_is_added_listed_and_disabled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = tmp_path / "password"
    secret.write_text("three or four words\r\n")
    assert account(tmp_path, "list") == 0
    adding = ("add", "li.na", "--role", "client", "--client", "acme", "--password-file", str(secret))
    assert account(tmp_path, *adding) == 0
    assert account(tmp_path, *adding) == 2
    supervisor = ("add", "li.bo", "--role", "supervisor", "--staff", "w1007", "--password-file", str(secret))
    assert account(tmp_path, *supervisor) == 0
    assert account(tmp_path, "disable", "li.na") == 0
    assert account(tmp_path, "disable", "nobody") == 2
    assert account(tmp_path, "list") == 0
    told = capsys.readouterr()
    assert "no accounts" in told.out
    assert "li.na  client  clients: acme  sites: none  disabled" in told.out
    assert "li.bo  supervisor  clients: all  sites: all  staff=w1007  active" in told.out
    assert "is there already" in told.err
    assert "no such account" in told.err
    assert Accounts(tmp_path / "accounts.json").verified("li.na", "three or four words") is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("li na", "--role", "admin"), "names are letters"),
        (("li.na", "--role", "client"), "exactly one client"),
        (("li.na", "--role", "client", "--client", "acme", "--client", "beta"), "exactly one client"),
        (("li.na", "--role", "auditor", "--staff", "w1"), "a supervisor's staff number"),
        (("li.na", "--role", "supervisor", "--staff", "w 1"), "a supervisor's staff number"),
        (("li.na", "--role", "admin", "--password-file", "none"), "cannot be read"),
        (("li.na", "--role", "admin", "--password-file", "short"), "12 characters or more"),
    ],
)
def test_an_account_that_cannot_be_is_refused_in_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short").write_text("short")
    assert account(tmp_path, "add", *arguments) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "accounts.json").exists()
