"""The part of the server's configuration that says who may speak and how the broker is reached."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from agent_probe.host_names import is_host
from collector.enrolment._core.broker import AUTHORITY_FILE
from seatwatch.sections import FileName
from wire.ids import is_name

DEBIAN_PLUGIN: Final = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"
REST: Final = "rest"
"""The ring of every probe that no other ring names."""
HIGHEST_PORT: Final = 65_535  # Format: of TCP.
Port = Annotated[int, Meta(ge=0, le=HIGHEST_PORT)]
BrokerPort = Annotated[int, Meta(ge=1, le=HIGHEST_PORT)]
"""Written into the broker's file: it cannot be one that the system finds."""


class EnrolmentSection(msgspec.Struct, frozen=True, kw_only=True):
    """The enrolment door, and the broker whose access rules are written.

    hosts: names and addresses by which machines reach door and broker; they go into both servers' certificates. port:
    of the door. broker_dir: where the broker's files are written, "" = nowhere. broker_pid_file: of the broker that is
    told to read them again, "" = nobody. broker_log: where the broker writes what it denies, to be counted; best in
    memory (/run), since it is cut short again and again. broker_plugin: Mosquitto's dynamic security plugin.
    """

    hosts: list[str]
    listen: str = "0.0.0.0"  # noqa: S104 - machines of other sites come in here; it hands out nothing without a code
    # Format: the port of our own that a configuration leaves out.
    port: Port = 8743
    broker_dir: FileName = ""
    broker_listen: str = "0.0.0.0"  # noqa: S104 - likewise; it takes nobody without a certificate
    # Format: IANA, the port of MQTT over TLS.
    broker_port: BrokerPort = 8883
    broker_pid_file: FileName = ""
    broker_log: FileName = ""
    broker_plugin: FileName = DEBIAN_PLUGIN


class RingSection(msgspec.Struct, frozen=True, kw_only=True):
    """A ring of a rollout: probes by id, `*` stands for anything. The first ring that names a probe has it."""

    id: str
    probes: list[str]


def ring_of(rings: list[RingSection], identity: str) -> str:
    """The ring of a probe."""
    for ring in rings:
        if any(fnmatchcase(identity, pattern) for pattern in ring.probes):
            return ring.id
    return REST


def _spelled(host: str) -> str:
    """A host's name as the net writes it."""
    return host.encode("idna").decode("ascii")


def is_written_by_us(section: EnrolmentSection, base: Path, ca_file: Path) -> bool:
    """Whether `roster apply` makes this file: before the first start it is not there yet."""
    return bool(section.broker_dir) and ca_file.resolve() == (base / section.broker_dir / AUTHORITY_FILE).resolve()


def enrolment_problems(
    section: EnrolmentSection | None, rings: list[RingSection], base: Path
) -> Iterator[tuple[str, str, str]]:
    """Key, problem and fix of everything that is wrong."""
    for number, ring in enumerate(rings):
        if not is_name(ring.id) or ring.id == REST:
            fix = f"use letters, digits and . _ -; {REST!r} is every probe that no ring names"
            yield f"ring[{number}].id", f"{ring.id!r} is no name for a ring", fix
    if section is None:
        return
    if not section.hosts or not all(section.hosts):
        yield "enrolment.hosts", "is empty", 'name this hub as machines reach it: hosts = ["hub.example.com"]'
    for host in filter(None, section.hosts):
        if not is_host(host):
            fix = "write a name or an address alone: no https:// before it, and its port under a key of its own"
            yield "enrolment.hosts", f"{host!r} is no host", fix
        elif not host.isascii():
            yield "enrolment.hosts", f"{host!r} cannot stand in a certificate", f"write it as {_spelled(host)}"
    for key, address in (("enrolment.listen", section.listen), ("enrolment.broker_listen", section.broker_listen)):
        try:
            ip_address(address)
        except ValueError:
            fix = 'write one of this machine, such as "127.0.0.1", or "0.0.0.0" for all of them'
            yield key, f"{address!r} is no address", fix
    if section.broker_dir and not (base / section.broker_dir).is_dir():
        yield "enrolment.broker_dir", f"no folder {section.broker_dir}", "make it, writable for hub and broker"
    if section.broker_dir and not Path(section.broker_plugin).is_file():
        fix = "install Mosquitto, or name its mosquitto_dynamic_security.so"
        yield "enrolment.broker_plugin", f"no file {section.broker_plugin}", fix
