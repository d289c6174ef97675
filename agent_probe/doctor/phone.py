"""Phone lines as the probe's own sensor sees them: one OPTIONS each. Nobody is registered for that."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.doctor.findings import Because, Finding, Subject, problem, skipped, well
from agent_probe.doctor.site import sampled
from agent_probe.lines import Lines
from agent_probe.platform import Platform
from agent_probe.sensors.base import Sensor
from agent_probe.sensors.config import SIP_PORTS, PhoneLineConfig
from agent_probe.sensors.phone_line.trunk import REFUSES_CALLS
from agent_probe.sensors.registry import Host, build
from agent_probe.sensors.seat.sensor import Load
from wire.phone import PhoneLineReading

US_PER_MS: Final = 1000
TROUBLES: Final[Mapping[str, Because]] = {
    "name": Because.PHONE_NAME,
    "certificate": Because.PHONE_CERTIFICATE,
    "tls": Because.PHONE_TLS,
    "refused": Because.PHONE_REFUSED,
    "timeout": Because.PHONE_SILENT,
    "protocol": Because.PHONE_NOT_SIP,
    "closed": Because.PHONE_CLOSED,
}
"""By the sensor's word for it; any other is PHONE_UNREACHABLE."""


async def look_at_phone_lines(config: ProbeConfig, settings: ProbeSettings, platform: Platform) -> list[Finding]:
    """One finding for each: does its name resolve, does it prove who it is, does it answer, does it take calls."""
    asked = [replace(line, register=None) for line in config.phone_line]
    host = Host(lambda: Load(0, 0), Lines(platform.monotonic_ms), platform.monotonic_ms)
    sensors = {each.name: each for each in build(replace(config, phone_line=asked), settings, host)}
    found = [await _phone_line(line, sensors[f"phone_line/{line.name}"], platform) for line in asked]
    return found or [skipped(Subject.PHONE_LINE, "", Because.NOTHING_SET)]


async def _phone_line(line: PhoneLineConfig, sensor: Sensor, platform: Platform) -> Finding:
    bodies = [reading.body() for reading in await sampled(sensor, platform)]
    said = next(body for body in bodies if isinstance(body, PhoneLineReading))
    where = f"{line.host}:{line.port or SIP_PORTS[line.transport]}/{line.transport}"
    if said.last_code is None:
        because = TROUBLES.get(said.error, Because.PHONE_UNREACHABLE)
        return problem(Subject.PHONE_LINE, line.name, because, where=where, host=line.host)
    if said.last_code in REFUSES_CALLS:
        return problem(Subject.PHONE_LINE, line.name, Because.PHONE_REJECTS, where=where, code=str(said.last_code))
    return well(Subject.PHONE_LINE, line.name, f"{where}, SIP {said.last_code}, {(said.rtt_us or 0) // US_PER_MS} ms")
