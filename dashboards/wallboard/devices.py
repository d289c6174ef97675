"""Devices: one token per TV, read-only, for a scope, until it is revoked. One file beside the record.

A token is short enough to be typed with a remote control: four groups of five letters and digits, of which none looks
like another, 100 random bits. Only its SHA-256 is kept. What another process writes holds within a moment.

* DeviceError: the operator's to cure; the message says how.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from wire.scope import Scope

FILE: Final = "devices.json"
SEEN_FILE: Final = "devices-seen.json"
_OWNER_ONLY: Final = 0o600
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32."""
_LOOK_ALIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
# Layout: of a code that is typed from one screen into another.
_GROUPS: Final = 4
_GROUP_CHARACTERS: Final = 5


class DeviceError(Exception):
    """A device cannot be added or revoked, or the file is damaged."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One TV. clients, sites, teams: what it may show, None = all. token: SHA-256 of it, as hex.

    layout: what it shows where its address names none. added_at, revoked_at: ms.
    """

    name: str
    clients: tuple[str, ...] | None
    sites: tuple[str, ...] | None
    teams: tuple[str, ...] | None
    token: str
    added_at: int
    layout: str = ""
    revoked_at: int | None = None

    @property
    def scope(self) -> Scope:
        """What this device may show."""
        return Scope(clients=_all_or(self.clients), sites=_all_or(self.sites), teams=_all_or(self.teams))


_decode: Final = msgspec.json.Decoder(list[Device]).decode
_decode_seen: Final = msgspec.json.Decoder(dict[str, int]).decode


class Devices:
    """The devices of a data directory.

    elapsed_ms: time that nobody sets back. look_ms: so long what was read holds without another look at the file.
    """

    def __init__(self, data: Path, *, elapsed_ms: Callable[[], int], look_ms: int) -> None:
        self._path: Final = data / FILE
        self._seen_path: Final = data / SEEN_FILE
        self._elapsed_ms: Final = elapsed_ms
        self._look_ms: Final = look_ms
        self._looked_at: int | None = None
        self._read_at: tuple[int, int, int] | None = None
        self._held: dict[str, Device] = {}
        self._by_token: dict[str, Device] = {}
        self._seen: dict[str, int] = {}
        self._seen_is_new = False

    def all(self) -> Mapping[str, Device]:
        """Every device by its name, revoked ones too. Raises DeviceError, OSError."""
        now = self._elapsed_ms()
        if self._looked_at is None or now - self._looked_at >= self._look_ms:
            self._look()
            self._looked_at = now
        return self._held

    def _look(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._read_at, self._held, self._by_token = None, {}, {}
            return
        read_at = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if read_at == self._read_at:
            return
        try:
            found = _decode(self._path.read_bytes())
        except msgspec.MsgspecError as error:
            raise DeviceError(f"{self._path}: is damaged ({error}); restore it or add the devices anew") from None
        self._read_at, self._held = read_at, {device.name: device for device in found}
        self._by_token = {device.token: device for device in found}

    def of_token(self, token: str) -> Device | None:
        """Whose token it is, revoked or not; None where it is nobody's. Raises DeviceError, OSError."""
        self.all()
        return self._by_token.get(_digest(token))

    def is_active(self, device: Device) -> bool:
        """Whether the device is still there and shows the same. Raises DeviceError, OSError."""
        return self.all().get(device.name) == device and device.revoked_at is None

    def add(
        self,
        name: str,
        *,
        clients: tuple[str, ...] | None,
        sites: tuple[str, ...] | None,
        teams: tuple[str, ...] | None,
        layout: str,
        at: int,
    ) -> str:
        """Write a new device, or a revoked one anew; its token, told this once. Raises DeviceError, OSError."""
        held = self.all().get(name)
        if held is not None and held.revoked_at is None:
            raise DeviceError(f"{name}: is there already; `seatwatch device revoke {name}` first")
        letters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP_CHARACTERS)]
        token = "-".join(
            "".join(letters[first : first + _GROUP_CHARACTERS]) for first in range(0, len(letters), _GROUP_CHARACTERS)
        )
        device = Device(
            name=name, clients=clients, sites=sites, teams=teams, token=_digest(token), added_at=at, layout=layout
        )
        self._write({**self.all(), name: device})
        return token

    def revoke(self, name: str, at: int) -> None:
        """End a device: its screen goes dark within seconds. Raises DeviceError where there is none, OSError."""
        held = self.all().get(name)
        if held is None:
            raise DeviceError(f"{name}: no such device; `seatwatch device list` shows them")
        if held.revoked_at is None:
            self._write({**self.all(), name: msgspec.structs.replace(held, revoked_at=at)})

    def saw(self, name: str, at: int) -> None:
        """A device looked at the board at `at` (ms)."""
        self._seen[name] = at
        self._seen_is_new = True

    def seen(self) -> Mapping[str, int]:
        """When (ms) each device was last seen, as far as the server wrote it down. Raises OSError."""
        try:
            return _decode_seen(self._seen_path.read_bytes())
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError:
            return {}  # only ever a help; the server writes it anew

    def write_seen(self) -> None:
        """Write down who was seen, if anybody was since the last time. Raises OSError."""
        if self._seen_is_new:
            self._seen_is_new = False
            _write(self._seen_path, msgspec.json.encode({**self.seen(), **self._seen}))

    def _write(self, devices: Mapping[str, Device]) -> None:
        _write(self._path, msgspec.json.format(msgspec.json.encode(list(devices.values()))))
        self._looked_at = None


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _digest(token: str) -> str:
    typed = token.upper().translate(_LOOK_ALIKE)
    return hashlib.sha256(typed.encode("utf-8", "surrogateescape")).hexdigest()


def _all_or(names: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
