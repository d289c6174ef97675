"""What an operator writes (TOML), and the thresholds the probe is given. Every refusal names the key and the fix."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from agent_probe._core.gate import Rhythm
from agent_probe._core.machine import MachineRules
from agent_probe._core.outbox import OutboxLimits
from agent_probe.errors import ProbeConfigError, refuse_all
from agent_probe.host_names import host_faults
from agent_probe.hub import DIRECT, is_loopback, read_url
from agent_probe.line_config import LineConfig
from agent_probe.sensors.base import Schedule
from agent_probe.sensors.config import (
    NetworkConfig,
    PhoneLineConfig,
    PlatformConfig,
    UpsConfig,
    watched_faults,
    watched_files,
)
from agent_probe.sensors.phone_line.sensor import PhoneLineSettings
from agent_probe.sensors.seat.settings import PlatformSettings, SeatSettings
from agent_probe.sensors.uplink.settings import LineSettings
from agent_probe.sensors.ups.sensor import UpsSettings
from wire.facility import Role
from wire.ids import is_name
from wire.toml import read_toml

# Format: IANA, the port of MQTT; and the numbers of TCP ports.
MQTT_PORT: Final = 1883
PROTOCOLS: Final = ("5", "3.1.1")

# Format: the numbers of TCP ports.
Port = Annotated[int, Meta(ge=1, le=65535)]


class Transport(StrEnum):
    """How the probe speaks with the hub. AUTO: over MQTT where that gets through, else over HTTPS."""

    AUTO = "auto"
    MQTT = "mqtt"
    HTTPS = "https"


class TlsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files of PEM. ca_file "" trusts the system's authorities; cert_file and key_file identify the probe."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class BrokerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MQTT broker. password_file holds the password alone; protocol is "5" or "3.1.1"."""

    host: str
    port: Port = MQTT_PORT
    protocol: str = "5"
    username: str = ""
    password_file: str = ""
    bind_address: str = ""
    tls: TlsConfig | None = None


class HubConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hub's HTTPS door. token_file holds the token alone. proxy "": as the environment says; "direct": none."""

    url: str
    token_file: str = ""
    proxy: str = ""
    bind_address: str = ""
    tls: TlsConfig | None = None


class EnrolmentConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a machine without an identity gets one when it starts. pin: fingerprint of the hub's authority."""

    hub: str = ""
    pin: str = ""
    token_file: str = ""


class ProbeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One probe. The source id of its messages is `<site>/<probe>`; an enrolled one may leave probe and seat out."""

    site: str
    probe: str
    broker: BrokerConfig
    transport: Transport = Transport.AUTO
    hub: HubConfig | None = None
    role: Role = Role.SEAT
    seat: str = ""
    data_dir: str = ""
    enrolment: EnrolmentConfig | None = None
    ups: list[UpsConfig] = []
    phone_line: list[PhoneLineConfig] = []
    platform: list[PlatformConfig] = []
    network: NetworkConfig = NetworkConfig()
    line: list[LineConfig] = []

    @property
    def source(self) -> str:
        """The source id, which topic, certificate and messages must all name."""
        return f"{self.site}/{self.probe}"


class UplinkSettings(NamedTuple):
    """Times in ms. reconnect_*: a random wait between the two. flush_ms: for last words when stopping.

    unacknowledged_ms: sent bytes that long without an answer end a connection.
    """

    connect_ms: int
    publish_ms: int
    keepalive_ms: int
    reconnect_min_ms: int
    reconnect_max_ms: int
    flush_ms: int
    unacknowledged_ms: int
    acks_queued: int
    in_flight: int


class HttpSettings(NamedTuple):
    """head_bytes: the longest head of an answer. Times in ms.

    slowly_ms: between tries where the same would be refused again, and the longest that the hub may make us wait.
    mqtt_retry_ms: how often MQTT is tried while HTTPS stands in for it. mqtt_unheard: so many connections in a row on
    which nothing came back are no MQTT; mqtt_unheard_ms: how long it is left alone then.
    """

    head_bytes: int
    slowly_ms: int
    mqtt_retry_ms: int
    mqtt_unheard: int
    mqtt_unheard_ms: int


class ProbeSettings(NamedTuple):
    """Every threshold of the probe; `seatwatch` fills it from its defaults.

    programs_ms: how old a list of them may get. sparing_ms: between unchanged readings while the outbox is past half.
    threads: how many may be kept at once by what cannot be broken off, as the resolving of names.
    """

    outbox: OutboxLimits
    uplink: UplinkSettings
    http: HttpSettings
    ups: UpsSettings
    phone_line: PhoneLineSettings
    seat: SeatSettings
    platform: PlatformSettings
    programs_ms: int
    sparing_ms: int
    lines: LineSettings
    machine: MachineRules
    machine_schedule: Schedule
    seat_heartbeat: Schedule
    gateway_heartbeat: Schedule
    heartbeat_rhythm: Rhythm
    jitter_ratio: float
    shared_ms: int
    report_ms: int
    threads: int
    version: str = ""


def load_config(path: Path) -> ProbeConfig:
    """The configuration in a file. Raises ProbeConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProbeConfigError("--config", f"{path}: {error.strerror}", "name a file this user may read") from None
    except UnicodeDecodeError:
        raise ProbeConfigError("--config", f"{path} is not UTF-8", "save it as UTF-8") from None
    return parse_config(text, path.parent)


def parse_config(text: str, folder: Path | None = None) -> ProbeConfig:
    """The configuration in TOML `text`. Raises ProbeConfigError of every key that cannot be used.

    folder: where relative paths begin, None = as they are. A service is started in no folder of ours.
    """
    try:
        tables = {"probe": "", **read_toml(text)}
    except tomllib.TOMLDecodeError as error:
        raise ProbeConfigError("--config", f"not TOML: {error}", "correct that line") from None
    placed = _placed(tables, folder.absolute()) if folder else tables
    try:
        config = msgspec.convert(placed, ProbeConfig)
    except msgspec.ValidationError as error:
        refuse_all(_misfits(placed, error))
        raise
    refuse_all(_faults(config))
    return config


def _placed(tables: Mapping[str, object], folder: Path) -> dict[str, object]:
    """The tables, with every path that they name absolute."""
    return {key: _placed_value(key, value, folder) for key, value in tables.items()}


def _placed_value(key: str, value: object, folder: Path) -> object:
    match value:
        case dict():
            return _placed(value, folder)
        case list():
            return [_placed_value(key, each, folder) for each in value]
        case str() if value and (key.endswith("_file") or key == "data_dir"):
            return str(folder / value)
    return value


def _misfits(tables: Mapping[str, object], error: Exception) -> Iterator[ProbeConfigError]:
    """Everything in which the tables do not fit, at once; what the decoder said, should it know better."""
    from wire.allowed import misfits  # noqa: PLC0415 - what tells of a mistake is not held by a probe that runs

    found = [ProbeConfigError(*each) for each in sorted(misfits(ProbeConfig, tables))]
    yield from found or [ProbeConfigError("--config", str(error), "see docs/operate/probe.md for what goes there")]


def _faults(config: ProbeConfig) -> Iterator[ProbeConfigError]:
    for key, value in (("site", config.site), *([("probe", config.probe)] if config.probe else [])):
        if not is_name(value) or "/" in value or value.startswith("~"):
            fix = "use letters, digits and . _ : @ - only, starting with a letter or digit"
            yield ProbeConfigError(key, f"{value!r} cannot be a name", fix)
    yield from watched_faults(config.ups, config.phone_line, config.platform, config.line, config.network)
    if config.line and config.role is not Role.GATEWAY:
        fix = 'remove [[line]], or set role = "gateway": one machine a site measures the lines'
        yield ProbeConfigError("line", "a seat does not measure lines", fix)
    broker = config.broker
    if broker.protocol not in PROTOCOLS:
        yield ProbeConfigError(
            "broker.protocol", f"{broker.protocol!r} is unknown", f"use one of {', '.join(PROTOCOLS)}"
        )
    if not broker.host:
        yield ProbeConfigError("broker.host", "empty", "name the host of the MQTT broker")
    yield from host_faults("broker.host", broker.host)
    yield from host_faults("broker.bind_address", broker.bind_address)
    if bool(broker.username) != bool(broker.password_file):
        fix = "set both broker.username and broker.password_file, or neither"
        yield ProbeConfigError("broker.username", "a name and a password belong together", fix)
    if broker.tls is not None and bool(broker.tls.cert_file) != bool(broker.tls.key_file):
        fix = "set both broker.tls.cert_file and broker.tls.key_file, or neither"
        yield ProbeConfigError("broker.tls", "a certificate and its key belong together", fix)
    yield from _hub_faults(config)


def _hub_faults(config: ProbeConfig) -> Iterator[ProbeConfigError]:
    hub = config.hub
    if hub is None:
        if config.transport is Transport.HTTPS:
            yield ProbeConfigError("hub.url", "missing", 'name the hub: [hub] url = "https://hub.example"')
        return
    yield from host_faults("hub.bind_address", hub.bind_address)
    try:
        address = read_url(hub.url)
        yield from host_faults("hub.url", address.host)
        if not address.is_tls and not is_loopback(address.host):
            yield ProbeConfigError("hub.url", "a token would travel in the clear", "write https:// instead of http://")
    except ValueError as error:
        yield ProbeConfigError("hub.url", str(error), 'write one such as "https://hub.example"')
    try:
        if hub.proxy not in {"", DIRECT}:
            yield from host_faults("hub.proxy", read_url(hub.proxy).host)
    except ValueError as error:
        yield ProbeConfigError("hub.proxy", str(error), 'write one such as "http://proxy:3128", or "direct"')
    if hub.tls is not None and bool(hub.tls.cert_file) != bool(hub.tls.key_file):
        fix = "set both hub.tls.cert_file and hub.tls.key_file, or neither"
        yield ProbeConfigError("hub.tls", "a certificate and its key belong together", fix)


def check_files(config: ProbeConfig) -> None:
    """Whether every file the configuration names can be read. Raises ProbeConfigError of all that cannot."""
    tls = config.broker.tls or TlsConfig()
    hub = config.hub or HubConfig("")
    hub_tls = hub.tls or TlsConfig()
    files = {
        "broker.password_file": config.broker.password_file,
        "broker.tls.ca_file": tls.ca_file,
        "broker.tls.cert_file": tls.cert_file,
        "broker.tls.key_file": tls.key_file,
        **watched_files(config.phone_line, config.platform),
        "hub.token_file": hub.token_file,
        "hub.tls.ca_file": hub_tls.ca_file,
        "hub.tls.cert_file": hub_tls.cert_file,
        "hub.tls.key_file": hub_tls.key_file,
    }
    refuse_all(_unreadable((key, name) for key, name in files.items() if name))


def _unreadable(files: Iterable[tuple[str, str]]) -> Iterator[ProbeConfigError]:
    for key, name in files:
        try:
            Path(name).read_bytes()
        except OSError as error:
            yield ProbeConfigError(key, f"{name}: {error.strerror}", "name a file this user may read")
