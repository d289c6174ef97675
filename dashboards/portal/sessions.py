"""Who is signed in, and who may try: both in memory, so that a restart signs everybody out."""

import hashlib
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from dashboards.portal.accounts import Account, AccountError, Accounts


class PortalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, from defaults.toml, section portal."""

    session_idle_ms: int
    session_age_ms: int
    sessions_max: int
    sign_in_window_ms: int
    sign_in_failures_max: int
    address_failures_max: int
    form_bytes_max: int
    figures_kept_ms: int
    answers_kept_max: int
    span_default_ms: int
    span_max_ms: int
    listed_max: int
    year_default_ms: int
    year_max_ms: int
    year_kept_ms: int
    page_waits_ms: int
    questions_max: int


class Session(msgspec.Struct):
    """One browser that signed in. csrf: what its forms carry. seen_at, started_at: ms."""

    account: str
    revision: int
    csrf: str
    started_at: int
    seen_at: int


class Sessions:
    """Tokens of browsers, held by their hash. clock_ms: time that nobody sets back."""

    def __init__(self, accounts: Accounts, settings: PortalSettings, clock_ms: Callable[[], int]) -> None:
        self._accounts: Final = accounts
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms
        self._held: Final[dict[str, Session]] = {}

    def start(self, account: Account) -> str:
        """A new session's token. The one that was idle longest makes room when there are too many."""
        if len(self._held) >= self._settings.sessions_max:
            del self._held[min(self._held, key=lambda key: self._held[key].seen_at)]
        token, now = secrets.token_urlsafe(), self._clock_ms()
        self._held[_digest(token)] = Session(account.name, account.revision, secrets.token_urlsafe(), now, now)
        return token

    def of(self, token: str) -> tuple[Session, Account] | None:
        """The session of a token and whose it is, None where it has ended: by time, or with its account."""
        found = self._lasting(_digest(token))
        if found is not None:
            found[0].seen_at = self._clock_ms()
        return found

    def lasts(self, token: str) -> bool:
        """Whether it has not ended. A screen that asks keeps no session from being idle.

        While the accounts cannot be read nobody may go on looking, and no other screen is to suffer for it.
        """
        try:
            return self._lasting(_digest(token)) is not None
        except (AccountError, OSError):
            return False

    def _lasting(self, key: str) -> tuple[Session, Account] | None:
        now, session = self._clock_ms(), self._held.get(key)
        if session is None:
            return None
        account = self._accounts.active(session.account)
        is_old = now - session.started_at >= self._settings.session_age_ms
        is_idle = now - session.seen_at >= self._settings.session_idle_ms
        if account is None or account.revision != session.revision or is_old or is_idle:
            del self._held[key]
            return None
        return session, account

    def end(self, token: str) -> None:
        """Sign out."""
        self._held.pop(_digest(token), None)


class Attempts:
    """Failed sign-ins of late, by account and by address; too many of them and nobody is let in for a while."""

    def __init__(self, settings: PortalSettings, clock_ms: Callable[[], int]) -> None:
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms
        self._failed: Final[dict[tuple[str, str], deque[int]]] = {}

    def allowed(self, name: str, address: str) -> bool:
        """Whether this account may be tried from this address now."""
        settings = self._settings
        return (
            self._lately(("account", name)) < settings.sign_in_failures_max
            and self._lately(("address", address)) < settings.address_failures_max
        )

    def failed(self, name: str, address: str) -> None:
        """Count a failure."""
        now, settings = self._clock_ms(), self._settings
        for key, most in (
            (("account", name), settings.sign_in_failures_max),
            (("address", address), settings.address_failures_max),
        ):
            self._failed.setdefault(key, deque(maxlen=most)).append(now)
        if len(self._failed) > settings.sessions_max:
            for key in [key for key in self._failed if not self._lately(key)]:
                del self._failed[key]

    def _lately(self, key: tuple[str, str]) -> int:
        since = self._clock_ms() - self._settings.sign_in_window_ms
        return sum(at > since for at in self._failed.get(key, ()))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
