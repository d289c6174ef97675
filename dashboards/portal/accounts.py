"""Local accounts of the portal: one file beside the record, passwords as Argon2id only.

* AccountError: the operator's to cure; the message says how.
"""

import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from wire.scope import Scope

FILE: Final = "accounts.json"
_OWNER_ONLY: Final = 0o600


class AccountError(Exception):
    """An account cannot be made or changed, or the file is damaged."""


class Role(StrEnum):
    """What an account is for; every page says which of them may open it. None of them can change a figure."""

    SUPERVISOR = "supervisor"
    CLIENT = "client"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One person. clients, sites: what may be seen, None = all.

    staff: number under which a supervisor follows up, "" = not at all.
    password: as Argon2id writes it. revision: of the password; a session lasts as long as it.
    """

    name: str
    role: Role
    clients: tuple[str, ...] | None
    sites: tuple[str, ...] | None
    password: str
    disabled: bool = False
    revision: int = 1
    staff: str = ""

    @property
    def scope(self) -> Scope:
        """What this account may see."""
        return Scope(
            clients=None if self.clients is None else frozenset(self.clients),
            sites=None if self.sites is None else frozenset(self.sites),
        )


_decode: Final = msgspec.json.Decoder(list[Account]).decode


@cache
def _nobodys() -> str:
    """What a password is held against where there is no account, so that the answer takes as long."""
    return PasswordHasher().hash(secrets.token_urlsafe())


class Accounts:
    """The accounts in a file, as they are now: what another process writes holds from the next question on."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._hasher: Final = PasswordHasher()
        self._read_at: tuple[int, int, int] | None = None
        self._held: dict[str, Account] = {}

    def all(self) -> Mapping[str, Account]:
        """Every account by its name. Raises AccountError, OSError."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._read_at, self._held = None, {}
            return self._held
        now = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if now != self._read_at:
            try:
                found = _decode(self._path.read_bytes())
            except msgspec.MsgspecError as error:
                raise AccountError(f"{self._path}: is damaged ({error}); restore it or add the accounts anew") from None
            self._read_at, self._held = now, {account.name: account for account in found}
        return self._held

    def active(self, name: str) -> Account | None:
        """The account of that name if it may be used."""
        account = self.all().get(name)
        return None if account is None or account.disabled else account

    def verified(self, name: str, password: str) -> Account | None:
        """The account if the password is its own; as slow where there is no such account. Blocks for a moment."""
        account = self.active(name)
        try:
            self._hasher.verify(_nobodys() if account is None else account.password, password)
        except Argon2Error:
            return None
        return account

    def add(
        self,
        name: str,
        role: Role,
        password: str,
        *,
        clients: tuple[str, ...] | None,
        sites: tuple[str, ...] | None,
        staff: str = "",
    ) -> None:
        """Write a new account, or a disabled one anew. Raises AccountError where the name is in use, OSError."""
        held = self.all().get(name)
        if held is not None and not held.disabled:
            raise AccountError(f"{name}: is there already; `seatwatch account disable {name}` first")
        account = Account(
            name=name,
            role=role,
            clients=clients,
            sites=sites,
            password=self._hasher.hash(password),
            revision=1 if held is None else held.revision + 1,
            staff=staff,
        )
        self._write({**self.all(), name: account})

    def disable(self, name: str) -> None:
        """End an account and every session of it. Raises AccountError where there is none, OSError."""
        held = self.all().get(name)
        if held is None:
            raise AccountError(f"{name}: no such account; `seatwatch account list` shows them")
        self._write({**self.all(), name: msgspec.structs.replace(held, disabled=True)})

    def _write(self, accounts: Mapping[str, Account]) -> None:
        """Whole or not at all, readable by its owner only."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(list(accounts.values()))))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
