"""The whole examination, in the order in which a connection needs things."""

from collections.abc import Callable
from typing import NamedTuple

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.doctor.clock import look_at_clock
from agent_probe.doctor.door import KnownDoor, look_at_door
from agent_probe.doctor.endpoints import Waits, endpoints, look_at
from agent_probe.doctor.findings import Finding, Subject, skipped
from agent_probe.doctor.hub_visit import visit_hub
from agent_probe.doctor.identity import look_at_identity
from agent_probe.doctor.lines import look_at_lines
from agent_probe.doctor.phone import look_at_phone_lines
from agent_probe.doctor.site import look_at_disk, look_at_ups
from agent_probe.doctor.witness import look_at_witness
from agent_probe.platform import Platform


class DoctorSettings(NamedTuple):
    """Times in ms. clock_limit_ms: how wrong the clock may be. listen_ms: see `Waits`."""

    clock_limit_ms: int
    listen_ms: int


async def examine(
    config: ProbeConfig,
    settings: ProbeSettings,
    doctor: DoctorSettings,
    platform: Platform,
    *,
    door: KnownDoor | None = None,
    now_ms: Callable[[], int] | None = None,
) -> list[Finding]:
    """Every finding. door: where this machine is or will be enrolled.

    now_ms: the clock that is compared with the hub's, the platform's own if left out.
    """
    clock = now_ms or platform.wall_ms
    waits = Waits(settings.uplink.connect_ms, doctor.listen_ms)
    is_enrolled = door is None or bool(door.authority)
    found = [] if door is None else await look_at_door(door, waits)
    for endpoint in endpoints(config):
        seen = await look_at(endpoint, waits) if is_enrolled else await look_at(endpoint._replace(tls=None), waits)
        found += seen if is_enrolled else [*seen[:-1], skipped(Subject.TLS, endpoint.about)]
    found += await look_at_clock(
        config.network, clock, wait_ms=settings.uplink.connect_ms, limit_ms=doctor.clock_limit_ms
    )
    spare = door.as_hub if door is not None and door.authority else None
    found += await visit_hub(config, settings, clock, doctor.clock_limit_ms, spare)
    found += look_at_identity(config, clock()) if is_enrolled else []
    lines = await look_at_lines(config, settings, platform)
    found += [*lines, *await look_at_witness(config, settings, platform, lines)]
    found += await look_at_phone_lines(config, settings, platform)
    found += await look_at_ups(config, settings, platform)
    return [*found, look_at_disk(config, settings, platform)]
