"""The hub's enrolment door: where a machine gets its identity and renews it, and whose clock the hub's is."""

import asyncio
from typing import Final, NamedTuple

from agent_probe.config import HubConfig, ProbeConfig, TlsConfig
from agent_probe.doctor.endpoints import Endpoint, Waits, look_at
from agent_probe.doctor.findings import Because, Finding, Subject, problem, skipped, well
from agent_probe.enrolment.client import Door, EnrolmentRefused, Hub
from agent_probe.enrolment.identity import AUTHORITY_FILE, identity_folder, read_identity
from agent_probe.errors import ProbeConfigError, ProbeUnavailable
from agent_probe.platform import Platform

MS_PER_S: Final = 1000


class KnownDoor(NamedTuple):
    """authority: the file that says whom to trust, "" before this machine is enrolled. pin: "" = none was given."""

    url: str
    authority: str
    pin: str

    @property
    def as_hub(self) -> HubConfig:
        """To be asked for the time like a hub, by an enrolled machine."""
        return HubConfig(self.url, proxy="direct", tls=TlsConfig(self.authority))


def known_door(config: ProbeConfig, platform: Platform) -> KnownDoor | None:
    """The door this machine was enrolled at, or is to be; None where it takes its identity from files."""
    folder = identity_folder(config, platform)
    about, given = read_identity(folder), config.enrolment
    if about is not None:
        return KnownDoor(about.hub, str(folder / AUTHORITY_FILE), "")
    return KnownDoor(given.hub, "", given.pin) if given is not None and given.hub else None


async def look_at_door(door: KnownDoor, waits: Waits) -> list[Finding]:
    """Name, port and TLS; of a machine that is not enrolled, whether the authority there is the one it was told of."""
    try:
        hub = Hub.at(door.url)
    except ProbeConfigError as error:
        return [problem(Subject.IDENTITY, "enrolment.hub", Because.IDENTITY_UNREADABLE, error=str(error))]
    endpoint = Endpoint(hub.host, hub.port, TlsConfig(door.authority) if door.authority else None)
    found = await look_at(endpoint, waits)
    if door.authority:
        return found
    name, port, _ = found
    tls = await _pinned(hub, door.pin, waits) if port.because is Because.SEEN else skipped(Subject.TLS, endpoint.about)
    return [name, port, tls, problem(Subject.IDENTITY, "", Because.IDENTITY_MISSING)]


async def _pinned(hub: Hub, pin: str, waits: Waits) -> Finding:
    about = f"{hub.host}:{hub.port}"
    if not pin:
        return skipped(Subject.TLS, about, Because.NOTHING_SET)
    try:
        await asyncio.to_thread(Door(hub, waits.connect_ms / MS_PER_S).authority, pin)
    except ProbeConfigError:
        return problem(Subject.TLS, about, Because.TLS_PIN)
    except (ProbeUnavailable, EnrolmentRefused) as error:
        return problem(Subject.TLS, about, Because.TLS_OTHER, error=str(error))
    # Layout: so much of a fingerprint is compared by eye.
    return well(Subject.TLS, about, f"{pin[:12]}")
