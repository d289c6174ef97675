"""The identity in the probe's data folder, and a configuration that uses it.

`identity/identity.pem` holds certificate and key, `authority.pem` whom to trust, `identity.json` what they say in
words, so that the daemon need not read certificates.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from agent_probe.config import HubConfig, ProbeConfig, TlsConfig
from agent_probe.errors import ProbeConfigError
from agent_probe.hub import DIRECT, proxy_for, read_url
from agent_probe.platform import Platform
from wire.facility import Role

FOLDER: Final = "identity"
PAIR_FILE: Final = "identity.pem"
NEXT_KEY_FILE: Final = "next.key"
AUTHORITY_FILE: Final = "authority.pem"
ABOUT_FILE: Final = "identity.json"
_PRIVATE: Final = 0o600


class Identity(msgspec.Struct, frozen=True):
    """What the hub said. identity: `<site>/<probe>`; seat: "" for a gateway. hub: where to renew. Times in ms."""

    identity: str
    seat: str
    hub: str
    not_before: int
    not_after: int

    def renew_at(self, left_parts: int) -> int:
        """When only one of so many parts of its life is left, by the wall clock."""
        return self.not_after - (self.not_after - self.not_before) // left_parts


_decode: Final = msgspec.json.Decoder(Identity).decode


def identity_folder(config: ProbeConfig, platform: Platform) -> Path:
    """Where this probe's identity is or will be."""
    return (Path(config.data_dir) if config.data_dir else platform.default_data_dir()) / FOLDER


def read_identity(folder: Path) -> Identity | None:
    """The identity in `folder`; None where there is none, or a part of it is missing or unreadable."""
    try:
        about = _decode((folder / ABOUT_FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
    return about if (folder / PAIR_FILE).is_file() and (folder / AUTHORITY_FILE).is_file() else None


def write_identity(folder: Path, about: Identity, certificate: str, key: str, authority: str) -> None:
    """Keep an identity. The pair first: what is interrupted here is only renewed once more. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / PAIR_FILE, certificate + key)
    write_private(folder / AUTHORITY_FILE, authority)
    write_private(folder / ABOUT_FILE, msgspec.json.encode(about).decode())


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only. Raises OSError."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def with_identity(config: ProbeConfig, platform: Platform) -> ProbeConfig:
    """`config` as the identity in its data folder completes it: name, seat and TLS. Raises ProbeConfigError.

    A name or files that the configuration states itself stand; another name than the hub gave is refused.
    """
    folder = identity_folder(config, platform)
    about = read_identity(folder)
    if about is None:
        return _complete(config)
    site, _, probe = about.identity.partition("/")
    if site != config.site or config.probe not in {"", probe}:
        fix = f"name it as the hub did, or remove {folder} and enrol anew"
        raise ProbeConfigError("probe", f"enrolled as {about.identity}, configured as {config.source}", fix)
    broker, hub = replace(config.broker, tls=_own_tls(config.broker.tls, folder)), config.hub
    if hub is not None and _is_same_door(hub.url, about.hub):
        hub = replace(hub, tls=_own_tls(hub.tls, folder))
    return _complete(replace(config, probe=probe, seat=config.seat or about.seat, broker=broker, hub=hub))


def witness_door(config: ProbeConfig, platform: Platform) -> HubConfig | None:
    """The hub's door that is asked over each line: where we enrolled, else the configured one; None = there is none.

    Not through a proxy, whose address the hub would see.
    """
    folder = identity_folder(config, platform)
    about = read_identity(folder)
    if about is not None:
        return HubConfig(about.hub, proxy=DIRECT, tls=_own_tls(None, folder))
    hub = config.hub
    return None if hub is None or proxy_for(read_url(hub.url), hub.proxy) is not None else hub


def _own_tls(stated: TlsConfig | None, folder: Path) -> TlsConfig:
    """Our pair, to whom our authority says; what the configuration states itself stands."""
    tls, pair = stated or TlsConfig(), str(folder / PAIR_FILE)
    return tls if tls.cert_file else TlsConfig(tls.ca_file or str(folder / AUTHORITY_FILE), pair, pair)


def _is_same_door(url: str, enrolled_at: str) -> bool:
    """Whether that is the hub's own TLS, where we enrolled: a reverse proxy in front of it would not pass ours on."""
    try:
        one, other = read_url(url), read_url(enrolled_at)
    except ValueError:
        return False
    return one.is_tls and (one.host, one.port) == (other.host, other.port)


def _complete(config: ProbeConfig) -> ProbeConfig:
    """`config`, which must name probe and seat by now. Raises ProbeConfigError."""
    fix = "add it, or enrol this machine: seatwatch probe enrol --help"
    if not config.probe:
        raise ProbeConfigError("probe", "missing, and this machine is not enrolled", fix)
    if config.role is Role.SEAT and not config.seat:
        raise ProbeConfigError("seat", "missing, and this machine is not enrolled", fix)
    return config
