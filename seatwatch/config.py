"""The server's configuration file: what `seatwatch up` watches, for whom, and who may look.

One TOML file, checked whole before anything starts: `read_config` collects every problem, each with its key and fix.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from dashboards.wallboard._core.names import Names
from seatwatch.addresses import LOOPBACK, LOOPBACK_NAMES
from seatwatch.config_names import NamedSection, names_given
from seatwatch.enrolment_section import EnrolmentSection, Port, RingSection, enrolment_problems, is_written_by_us
from seatwatch.layouts import Known, WallboardSection, read_layouts
from seatwatch.message_section import MessageSection, message_problems
from seatwatch.on_call_config import AlertingSection, ChannelSection, DutySection, on_call_problems
from seatwatch.sections import UNREAD, FileName, read_section
from wire.ids import OPERATOR, is_client, is_derived, is_name
from wire.record import Feed
from wire.toml import read_toml
from wire.zones import zone_named

# Format: the numbers of our own ports, where a configuration leaves them out.
SERVER_PORT: Final = 8787
BROKER_PORT: Final = 1883
_NEW_TOKEN: Final = "write the token into it: `seatwatch token new FILE`"  # noqa: S105 - a piece of advice
_SERVER_NAME: Final = r"^[a-z0-9.-]+(/[a-z0-9._-]+)*$"
_SERVER_NAME_IN_WORDS: Final = 'small letters, digits, dots and hyphens, as "hub.example.com" or "example.com/hub-1"'
_REDIS_SCHEMES: Final = ("redis://", "rediss://", "unix://")


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a configuration: where, what, and what to write instead."""

    key: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}; {self.fix}"


class ConfigError(ValueError):
    """The operator's configuration cannot be used. `problems` is never empty.

    rest: what can be read of it, to look for further problems in; None where nothing can.
    """

    def __init__(self, problems: Sequence[Problem], rest: "Config | None" = None) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
        self.rest = rest


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file; an unknown key is an error, never ignored."""


class ServerSection(_Section, frozen=True, kw_only=True):
    """Where the server keeps its record and where it listens. name: signs its checkpoints; choose it once.

    port: None = SERVER_PORT, or another one if that is busy.
    """

    name: Annotated[str, Meta(pattern=_SERVER_NAME, description=_SERVER_NAME_IN_WORDS)] = "seatwatch"
    data: str = "data"
    listen: str = LOOPBACK
    port: Port | None = None


class MqttSection(_Section, frozen=True, kw_only=True):
    """The broker. Without `host` an embedded one is started on loopback (MQTT 3.1.1, for a try on one machine).

    port: the broker's, or where the embedded one listens; 0 = anywhere, None = BROKER_PORT, where the embedded one goes
    elsewhere if that is busy.
    """

    host: str | None = None
    port: Port | None = None
    username: str | None = None
    password_file: FileName | None = None
    tls: bool = False
    ca_file: FileName | None = None
    """PEM of the authority that signed the broker's certificate; None trusts the system's authorities."""


class RedisSection(_Section, frozen=True, kw_only=True):
    """Redis for boards and engines in other processes. Absent = the ledger itself is the feed."""

    url: Annotated[str, Meta(description='the address of a Redis, such as "redis://127.0.0.1:6379/0"')]


class ClientSection(NamedSection, _Section, frozen=True, kw_only=True):
    """A client: its queues and the definition its promise is judged by (a preset's name or a file).

    further_definitions: presets or files its contract names besides, for a second figure such as its platform's.
    pseudonym_key_files: the keys under which its connectors make pseudonyms, so that the portal can search by what a
    person types; without them, by the platform's conversation id only.
    """

    definition: FileName = "contract-10s"
    further_definitions: list[FileName] = []
    time_zone: str | None = None
    contract: FileName | None = None
    pseudonym_key_files: list[FileName] = []
    queue: list[NamedSection] = []
    shop: list[NamedSection] = []


class SourceSection(_Section, frozen=True, kw_only=True):
    """A connector that tells conversations of one client. It speaks with the bearer token in `token_file`.

    heartbeat_s: how often it promises to send a frame, be it one without items; after three missed it is silent. 0: it
    promises nothing, and nobody notices when it dies.
    """

    id: str
    client: str
    feed: Feed = Feed.LIVE
    token_file: FileName | None = None
    heartbeat_s: Annotated[int, Meta(ge=0, le=3600)] | None = None  # Bound: an hour without a word is no heartbeat.


class SiteSection(NamedSection, _Section, frozen=True, kw_only=True):
    """A building: its gateway probe and how many seat probes (`<site>/gateway`, `<site>/seat-01` ...).

    token_file: the bearer token with which they may speak over HTTPS; without it, over MQTT only.
    """

    token_file: FileName | None = None
    seats: Annotated[int, Meta(ge=0, le=9999)] = 0  # Bound: no building has as many.


class ReaderSection(_Section, frozen=True, kw_only=True):
    """Who may look: a token and what it shows. Leaving `clients` or `sites` out shows all of them.

    follows_up: its holder leads a team and may say that they look after somebody; recorded under `name`.
    """

    name: str
    token_file: FileName
    clients: list[str] | None = None
    sites: list[str] | None = None
    follows_up: bool = False


class Config(_Section, frozen=True, kw_only=True):
    """The whole file."""

    server: ServerSection = ServerSection()
    mqtt: MqttSection = MqttSection()
    redis: RedisSection | None = None
    client: list[ClientSection] = []
    source: list[SourceSection] = []
    site: list[SiteSection] = []
    team: list[NamedSection] = []
    reader: list[ReaderSection] = []
    alerting: AlertingSection = AlertingSection()
    duty: list[DutySection] = []
    channel: list[ChannelSection] = []
    message: list[MessageSection] = []
    enrolment: EnrolmentSection | None = None
    ring: list[RingSection] = []
    wallboard: WallboardSection = WallboardSection()

    def names(self) -> Names:
        """What people call clients, queues, shops, sites and teams, where they said so."""
        queues = {(client.id, queue.id): queue for client in self.client for queue in client.queue}
        shops = {(client.id, shop.id): shop for client in self.client for shop in client.shop}
        return names_given(self.client, queues, shops, self.site, self.team)

    def known(self) -> Known:
        """What layouts may name."""
        queues = [f"{client.id}/{queue.id}" for client in self.client for queue in client.queue]
        return Known([client.id for client in self.client], queues, [site.id for site in self.site])

    def data_dir(self, base: Path) -> Path:
        """The data directory; a relative one is taken from the configuration file's folder `base`."""
        return (base / self.server.data).resolve()


def probe_sources(site: SiteSection) -> Iterator[str]:
    """Ids of the probes a site has: one gateway, then its seats."""
    yield f"{site.id}/gateway"
    width = max(2, len(str(site.seats)))  # Layout: of seats' names, 01, 02, ...
    for seat in range(1, site.seats + 1):
        yield f"{site.id}/seat-{seat:0{width}d}"


def read_config(path: Path) -> Config:
    """The configuration in `path`. Raises ConfigError with every problem found, each naming key, problem and fix."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            [Problem(str(path), f"cannot be read ({error.strerror})", "give an existing file to --config")]
        ) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(str(path), "is not UTF-8", "save it as UTF-8")]) from None
    return parse_config(text, base=path.parent)


def parse_config(text: str, *, base: Path) -> Config:
    """As `read_config`, from TOML text; token files are looked up from `base`."""
    try:
        tables = read_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem("(file)", f"is not TOML: {error}", "correct that line")]) from None
    problems: list[Problem] = []
    config = read_section(Config, tables, "", lambda *found: problems.append(Problem(*found)))
    unread = bool(problems)
    problems += [found for found in _problems(config, base) if not (unread and UNREAD in found.problem)]
    if problems:
        raise ConfigError(problems, config)
    return config


def _problems(config: Config, base: Path) -> Iterator[Problem]:
    yield from _name_problems(config)
    yield from _reference_problems(config)
    yield from _token_problems(config, base)
    yield from _mqtt_problems(config.mqtt, config.enrolment, base)
    for found in on_call_problems(config.alerting, config.duty, config.channel, base):
        yield Problem(*found)
    known = [{each.id for each in of} for of in (config.client, config.site, config.channel)]
    yield from (Problem(*found) for found in message_problems(config.message, *known))
    yield from (Problem(*found) for found in enrolment_problems(config.enrolment, config.ring, base))
    if config.wallboard.layouts is not None:
        yield from (Problem(*found) for found in read_layouts(base / config.wallboard.layouts, config.known(), 0)[1])
    if config.redis is not None and not config.redis.url.startswith(_REDIS_SCHEMES):
        problem = f"{config.redis.url!r} is no address of a Redis"
        yield Problem("redis.url", problem, 'write one such as "redis://127.0.0.1:6379/0"')
    for number, client in enumerate(config.client):
        try:
            zone_named(client.time_zone or "UTC")
        except ZoneInfoNotFoundError:
            yield Problem(
                f"client[{number}].time_zone",
                f"{client.time_zone!r} is no IANA time zone",
                'write one such as "Asia/Shanghai"',
            )
    if not config.server.data:
        yield Problem("server.data", "is empty", 'write the folder of the record, such as "data"')
    if not _is_address(config.server.listen):
        yield Problem(
            "server.listen",
            f"{config.server.listen!r} is no address",
            'write one of this machine, such as "127.0.0.1", or "0.0.0.0" for all of them',
        )
    elif config.server.listen not in LOOPBACK_NAMES and not config.reader:
        yield Problem(
            "server.listen",
            f"{config.server.listen} is reachable from outside and nobody needs a token to read",
            'add a [[reader]] with a token_file, or listen on "127.0.0.1"',
        )


def _mqtt_problems(mqtt: MqttSection, enrolment: EnrolmentSection | None, base: Path) -> Iterator[Problem]:
    if mqtt.tls and mqtt.host is None:
        yield Problem("mqtt.tls", "the embedded broker is on loopback and speaks no TLS", "name a broker in mqtt.host")
    if mqtt.ca_file is not None and not mqtt.tls:
        yield Problem("mqtt.ca_file", "is of no use without TLS", "set mqtt.tls = true")
    if mqtt.ca_file is None or (base / mqtt.ca_file).is_file():
        return
    if enrolment is None or not is_written_by_us(enrolment, base, base / mqtt.ca_file):
        yield Problem("mqtt.ca_file", f"no file {mqtt.ca_file}", "name the PEM file of the broker's authority")


def _is_address(listen: str) -> bool:
    if listen in LOOPBACK_NAMES:
        return True
    try:
        ip_address(listen)
    except ValueError:
        return False
    return True


def _named(config: Config) -> Iterator[tuple[str, str, str]]:
    """What has to have a name of its own: among what, at which key, and the name."""
    for place, client in enumerate(config.client):
        yield "client", f"client[{place}].id", client.id
        for number, queue in enumerate(client.queue):
            yield "queue", f"client[{place}].queue[{number}].id", queue.id
        yield from (
            (f"shop of {client.id}", f"client[{place}].shop[{n}].id", shop.id) for n, shop in enumerate(client.shop)
        )
    yield from (("source", f"source[{n}].id", source.id) for n, source in enumerate(config.source))
    yield from (("site", f"site[{n}].id", site.id) for n, site in enumerate(config.site))
    yield from (("team", f"team[{n}].id", team.id) for n, team in enumerate(config.team))
    yield from (("reader", f"reader[{n}].name", reader.name) for n, reader in enumerate(config.reader))


def _name_problems(config: Config) -> Iterator[Problem]:
    first: dict[tuple[str, str], str] = {}
    for group, key, name in _named(config):
        if not is_name(name) or is_derived(name):
            fix = "use letters, digits and . _ : @ / - , at most 96 of them, a letter or a digit first"
            yield Problem(key, f"{name!r} is no name", fix)
        before = first.setdefault((group, name), key)
        if before != key:
            yield Problem(key, f"{name!r} stands at {before} too", "give each its own")
        if group == "client" and name == OPERATOR:
            yield Problem(key, f"{OPERATOR!r} is the operator's own ledger", "give the client another id")
        elif group == "client" and is_name(name) and not is_client(name):
            yield Problem(key, f"{name!r} has a slash, and names a folder of the record", "leave the slash out")
        elif group == "site" and "/" in name:
            yield Problem(key, f"{name!r} has a slash, which separates site and probe", "leave the slash out")


def _reference_problems(config: Config) -> Iterator[Problem]:
    clients = {client.id for client in config.client}
    sites = {site.id for site in config.site}
    for number, source in enumerate(config.source):
        if source.client not in clients:
            yield Problem(
                f"source[{number}].client", f"no client {source.client!r}", f"use one of {_list(clients)} or add it"
            )
    for number, reader in enumerate(config.reader):
        for kind, wanted, known in (("clients", reader.clients, clients), ("sites", reader.sites, sites)):
            for name in wanted or ():
                if name not in known:
                    yield Problem(
                        f"reader[{number}].{kind}", f"no {kind[:-1]} {name!r}", f"use one of {_list(known)} or add it"
                    )


def _token_problems(config: Config, base: Path) -> Iterator[Problem]:
    files = [(f"source[{n}].token_file", s.token_file) for n, s in enumerate(config.source) if s.token_file]
    files += [
        (f"client[{n}].pseudonym_key_files", name)
        for n, c in enumerate(config.client)
        for name in c.pseudonym_key_files
    ]
    files += [(f"site[{n}].token_file", s.token_file) for n, s in enumerate(config.site) if s.token_file]
    files += [(f"reader[{n}].token_file", r.token_file) for n, r in enumerate(config.reader)]
    if config.mqtt.password_file:
        files.append(("mqtt.password_file", config.mqtt.password_file))
    for key, name in files:
        path = base / name
        if not path.is_file():
            yield Problem(key, f"no file {name}" if name else "is empty", _NEW_TOKEN)
        elif os.name == "posix" and path.stat().st_mode & 0o077:
            yield Problem(key, f"{name} can be read by others", f"chmod 600 {name}")
        else:
            problem = _unreadable(path)
            if problem:
                yield Problem(key, f"{name} {problem}", _NEW_TOKEN)
    readers: dict[bytes, str] = {}
    for number, reader in enumerate(config.reader):
        path = base / reader.token_file
        if path.is_file() and not _unreadable(path):
            first = readers.setdefault(token_digest(path), reader.name)
            if first != reader.name:
                problem = f"{reader.token_file} holds the token of {first!r} too, and a token shows one thing only"
                yield Problem(f"reader[{number}].token_file", problem, "give each reader a token of its own")


def _unreadable(path: Path) -> str:
    """Why the file holds no token; empty when it does."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        return "is no text"
    return "" if text.strip() else "is empty"


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names - {UNREAD})) or "(none yet)"


def token_digest(path: Path) -> bytes:
    """SHA-256 of the token in a file; only the digest is kept in memory beyond start."""
    return hashlib.sha256(path.read_text(encoding="utf-8").strip().encode()).digest()
