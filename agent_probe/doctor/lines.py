"""The broadband lines as the probe's own sensor sees them, each asked until it is judged."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.doctor.findings import Because, Finding, Subject, problem, skipped, well
from agent_probe.errors import ProbeUnavailable
from agent_probe.line_config import LineConfig, RouterConfig
from agent_probe.lines import Lines
from agent_probe.platform import Platform
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.registry import Host, build
from agent_probe.sensors.seat.sensor import Load
from agent_probe.sensors.uplink.router import IF_OPER_STATUS, LINKS
from agent_probe.sensors.uplink.sensor import UplinkSensor
from agent_probe.snmp import SnmpAddress, SnmpClient
from wire.uplink import LineReading, LineReason, LineState

MS_PER_S: Final = 1000
US_PER_MS: Final = 1000
UNDECIDED: Final = frozenset({LineState.UNKNOWN, LineState.SUSPECT})
TROUBLES: Final = {
    LineReason.SWITCHED_OFF: Because.LINE_OFF,
    LineReason.NO_LINK: Because.LINE_NO_LINK,
    LineReason.NO_ADDRESS: Because.LINE_NO_ADDRESS,
    LineReason.NO_GATEWAY: Because.LINE_SILENT,
    LineReason.NO_INTERNET: Because.LINE_SILENT,
    LineReason.NOT_MEASURED: Because.LINE_SILENT,
}


async def look_at_lines(config: ProbeConfig, settings: ProbeSettings, platform: Platform) -> list[Finding]:
    """One finding for each line, and one for each that a router is asked about."""
    host = Host(lambda: Load(0, 0), Lines(platform.monotonic_ms), platform.monotonic_ms)
    sensor = next((each for each in build(config, settings, host) if isinstance(each, UplinkSensor)), None)
    if sensor is None:
        return [skipped(Subject.LINE, "", Because.NOTHING_SET)]
    try:
        readings = await _judged(sensor, settings.uplink.connect_ms, platform)
    except ProbeUnavailable:
        return [problem(Subject.LINE, line.name, Because.LINE_FORBIDDEN) for line in config.line]
    finally:
        await sensor.close()
    shared = _shared(config.line, readings)
    routers = [await _router(line, line.router, settings) for line in config.line if line.router is not None]
    return [*(shared.get(reading.line) or _found(reading) for reading in readings), *routers]


async def _judged(sensor: UplinkSensor, patience_ms: int, platform: Platform) -> Sequence[LineReading]:
    """The readings once every line is judged, or after `patience_ms` as they are. Raises ProbeUnavailable."""
    await sensor.open()
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_ms / MS_PER_S):
            while any(reading.state in UNDECIDED for reading in await _sampled(sensor, platform)):
                sensor.news.clear()
                await sensor.news.wait()
    return await _sampled(sensor, platform)


async def _sampled(sensor: UplinkSensor, platform: Platform) -> list[LineReading]:
    now = Stamp(platform.wall_ms(), platform.monotonic_ms(), platform.clock_synced())
    bodies = [reading.body() for reading in await sensor.sample(now)]
    return [body for body in bodies if isinstance(body, LineReading)]


def _shared(lines: Sequence[LineConfig], readings: Sequence[LineReading]) -> dict[str, Finding]:
    """Lines that leave from the same address, with no router asked about each: what is measured of one is the other."""
    told_apart = {line.name for line in lines if line.router is not None}
    first: dict[tuple[str, str], str] = {}
    found = {}
    for reading in readings:
        other = first.setdefault((reading.interface, reading.source_address), reading.line)
        if other != reading.line and reading.source_address and not {other, reading.line} <= told_apart:
            words = {"source": reading.source_address, "other": other}
            found[reading.line] = problem(Subject.LINE, reading.line, Because.LINE_SHARED, **words)
    return found


async def _router(line: LineConfig, router: RouterConfig, settings: ProbeSettings) -> Finding:
    """Whether the router behind a line says of that line's link."""
    name, where = f"{IF_OPER_STATUS}.{router.interface_index}", f"{router.host}:{router.port}"
    client = SnmpClient(
        SnmpAddress(router.host, router.port, router.community), resend_ms=settings.lines.snmp_resend_ms
    )
    try:
        async with asyncio.timeout(settings.lines.router.deadline_ms / MS_PER_S):
            await client.open()
            value = (await client.get([name])).get(name)
    except (TimeoutError, ProbeUnavailable):
        return problem(Subject.LINE, line.name, Because.ROUTER_SILENT, router=where)
    finally:
        await client.close()
    if value not in LINKS:
        index = str(router.interface_index)
        return problem(Subject.LINE, line.name, Because.ROUTER_NO_LINK, router=where, index=index)
    return well(Subject.LINE, line.name, where)


def _found(reading: LineReading) -> Finding:
    trouble = TROUBLES.get(reading.reason)
    if trouble is None:
        seen = f"{reading.source_address}, {(reading.rtt_us or 0) // US_PER_MS} ms"
        found = well(Subject.LINE, reading.line, seen)
        return found._replace(values={**found.values, "source": reading.source_address})
    source_address = reading.source_address or "-"
    return problem(Subject.LINE, reading.line, trouble, interface=reading.interface, source=source_address)
