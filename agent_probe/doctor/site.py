"""What stands at the site: UPS as the probe's own sensors see them, and the folder of the outbox."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.doctor.findings import Because, Finding, Subject, problem, skipped, well
from agent_probe.errors import ProbeUnavailable
from agent_probe.lines import Lines
from agent_probe.platform import Platform
from agent_probe.sensors.base import Reading, Sensor, Stamp
from agent_probe.sensors.registry import Host, build
from agent_probe.sensors.seat.sensor import Load
from wire.facility import Comms, UpsReading

MS_PER_S: Final = 1000
BYTES_PER_MB: Final = 1_000_000
UPS_TROUBLES: Final = {
    Comms.UNREACHABLE: Because.UPS_NO_UPSD,
    Comms.UNKNOWN_UPS: Because.UPS_UNKNOWN,
    Comms.STALE: Because.UPS_STALE,
    Comms.DRIVER_DEAD: Because.UPS_DRIVER,
    Comms.STARTING: Because.UPS_STALE,
}
"""As NUT has them; where a UPS is asked in another way, that way has its own words for some."""
TROUBLES_VIA: Final[Mapping[str, Mapping[Comms, Because]]] = {
    "nut": UPS_TROUBLES,
    "snmp": {**UPS_TROUBLES, Comms.UNREACHABLE: Because.UPS_NO_AGENT, Comms.UNKNOWN_UPS: Because.UPS_NO_MIB},
    "battery": {**UPS_TROUBLES, Comms.UNREACHABLE: Because.UPS_NO_BATTERY, Comms.UNKNOWN_UPS: Because.UPS_NO_BATTERY},
}


async def look_at_ups(config: ProbeConfig, settings: ProbeSettings, platform: Platform) -> list[Finding]:
    """One finding for each UPS, from one sample of the sensor that would watch it."""
    host = Host(lambda: Load(0, 0), Lines(platform.monotonic_ms), platform.monotonic_ms)
    sensors = [sensor for sensor in build(config, settings, host) if sensor.name.startswith("ups/")]
    if not sensors:
        return [skipped(Subject.UPS, "", Because.NOTHING_SET)]
    via = {f"ups/{ups.name}": ups.via for ups in config.ups}
    return [await _ups(sensor, platform, TROUBLES_VIA[via[sensor.name]]) for sensor in sensors]


async def _ups(sensor: Sensor, platform: Platform, troubles: Mapping[Comms, Because]) -> Finding:
    about = sensor.name.removeprefix("ups/")
    for reading in await sampled(sensor, platform):
        body = reading.body()
        if isinstance(body, UpsReading):
            because = troubles.get(body.comms)
            if because is not None:
                return problem(Subject.UPS, about, because)
            return well(Subject.UPS, about, f"{body.power.value} ({body.status})")
    return problem(Subject.UPS, about, troubles[Comms.UNREACHABLE])


async def sampled(sensor: Sensor, platform: Platform) -> list[Reading]:
    """What one sample of a sensor finds."""
    now = Stamp(platform.wall_ms(), platform.monotonic_ms(), platform.clock_synced())
    try:
        async with asyncio.timeout(sensor.schedule.deadline_ms / MS_PER_S):
            await sensor.open()
            return list(await sensor.sample(now))
    except (TimeoutError, ProbeUnavailable) as error:
        return list(sensor.unavailable(now, str(error)))
    finally:
        await sensor.close()


def look_at_disk(config: ProbeConfig, settings: ProbeSettings, platform: Platform) -> Finding:
    """Whether the outbox can be kept, and has room to grow to its limit."""
    directory = Path(config.data_dir) if config.data_dir else platform.default_data_dir()
    there = directory.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    about, folder = str(directory), there if there.is_dir() else there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return problem(Subject.DISK, about, Because.DISK_WRITE, folder=str(there))
    free = shutil.disk_usage(folder).free
    free_mb, wanted_mb = free // BYTES_PER_MB, settings.outbox.keep_bytes // BYTES_PER_MB
    if free_mb < wanted_mb:
        return problem(Subject.DISK, about, Because.DISK_FULL, free=str(free_mb), wanted=str(wanted_mb))
    return well(Subject.DISK, about, f"{free_mb} MB")
