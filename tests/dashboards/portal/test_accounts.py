"""Accounts and sessions: who is who, for how long, and how often somebody may guess."""

import stat
from pathlib import Path

import pytest

from dashboards.portal.accounts import AccountError, Accounts, Role
from dashboards.portal.sessions import Attempts, PortalSettings, Sessions
from seatwatch.settings import load_defaults
from wire.scope import Scope

PASSWORD = "three or four words"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def settings() -> PortalSettings:
    return load_defaults().fill(PortalSettings, "portal")


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    held = Accounts(tmp_path / "accounts.json")
    held.add("li.na", Role.CLIENT, PASSWORD, clients=("acme",), sites=())
    return held


def test_a_password_is_kept_as_argon2id_in_a_file_of_its_owner(accounts: Accounts, tmp_path: Path) -> None:
    text = (tmp_path / "accounts.json").read_text()
    assert "$argon2id$" in text
    assert PASSWORD not in text
    assert stat.S_IMODE((tmp_path / "accounts.json").stat().st_mode) == 0o600
    assert accounts.verified("li.na", PASSWORD) == accounts.active("li.na")
    assert accounts.verified("li.na", "another one") is None
    assert accounts.verified("nobody", PASSWORD) is None
    assert accounts.verified("nobody", "") is None


def test_what_an_account_sees_is_its_own(accounts: Accounts) -> None:
    accounts.add("boss", Role.SUPERVISOR, PASSWORD, clients=None, sites=None)
    assert accounts.all()["li.na"].scope == Scope(clients=frozenset({"acme"}), sites=frozenset())
    assert accounts.all()["boss"].scope == Scope()


def test_a_name_in_use_is_not_taken_over_and_a_disabled_one_begins_anew(accounts: Accounts, tmp_path: Path) -> None:
    with pytest.raises(AccountError, match="is there already"):
        accounts.add("li.na", Role.ADMIN, PASSWORD, clients=None, sites=None)
    sessions = Sessions(accounts, settings(), Clock())
    held = accounts.active("li.na")
    assert held is not None
    token = sessions.start(held)
    other_process = Accounts(tmp_path / "accounts.json")
    other_process.disable("li.na")
    assert sessions.of(token) is None
    assert accounts.verified("li.na", PASSWORD) is None
    token = sessions.start(held)
    other_process.add("li.na", Role.CLIENT, "a new password", clients=("acme",), sites=())
    assert sessions.of(token) is None, "a session of the old password"
    with pytest.raises(AccountError, match="no such account"):
        accounts.disable("nobody")


def test_a_damaged_file_lets_nobody_in_and_says_so(accounts: Accounts, tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text("[{]")
    with pytest.raises(AccountError, match="is damaged"):
        accounts.verified("li.na", PASSWORD)


def test_a_session_ends_idle_or_old_or_by_signing_out(accounts: Accounts) -> None:
    clock, held = Clock(), settings()
    sessions = Sessions(accounts, held, clock)
    account = accounts.all()["li.na"]
    idle, old, ended = (sessions.start(account) for _ in range(3))
    sessions.end(ended)
    assert sessions.of(ended) is None
    step = held.session_idle_ms - 1
    for _ in range(held.session_age_ms // step):
        clock.now += step
        assert sessions.of(old) is not None
    assert sessions.of(idle) is None
    clock.now += step
    assert sessions.of(old) is None


def test_too_many_sessions_cost_the_one_that_is_idle_longest(accounts: Accounts) -> None:
    clock = Clock()
    sessions = Sessions(accounts, settings(), clock)
    account = accounts.all()["li.na"]
    first = last = sessions.start(account)
    for _ in range(settings().sessions_max):
        clock.now += 1
        last = sessions.start(account)
    assert sessions.of(first) is None
    assert sessions.of(last) is not None


def test_guessing_is_held_back_by_account_and_by_address_for_a_while() -> None:
    clock, held = Clock(), settings()
    attempts = Attempts(held, clock)
    for _ in range(held.sign_in_failures_max):
        assert attempts.allowed("li.na", "10.0.0.1")
        attempts.failed("li.na", "10.0.0.1")
    assert not attempts.allowed("li.na", "10.0.0.2")
    assert attempts.allowed("boss", "10.0.0.1")
    for number in range(held.address_failures_max):
        attempts.failed(f"guess-{number}", "10.0.0.1")
    assert not attempts.allowed("boss", "10.0.0.1")
    clock.now += held.sign_in_window_ms
    assert attempts.allowed("li.na", "10.0.0.1")
