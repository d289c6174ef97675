"""A probe inside a test: real sensors and uplink, the outbox on disk, stopped whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agent_probe.app import Probe, disk_outbox
from agent_probe.config import BrokerConfig, HubConfig, ProbeConfig, Transport
from agent_probe.platform import current
from agent_probe.sensors.config import UpsConfig
from seatwatch.probe.settings import probe_settings
from seatwatch.settings import load_defaults
from wire.facility import Role

SETTINGS = probe_settings(load_defaults())
QUICK_RECONNECT = SETTINGS._replace(uplink=SETTINGS.uplink._replace(reconnect_min_ms=20, reconnect_max_ms=100))


def gateway(
    directory: Path,
    broker_port: int,
    *,
    nut_port: int = 0,
    ups: str = "",
    transport: Transport = Transport.AUTO,
    hub: HubConfig | None = None,
    **broker: Any,
) -> ProbeConfig:
    return ProbeConfig(
        site="sz1",
        probe="gw1",
        role=Role.GATEWAY,
        transport=transport,
        hub=hub,
        broker=BrokerConfig(host="127.0.0.1", port=broker_port, **broker),
        data_dir=str(directory),
        ups=[UpsConfig(name=name, port=nut_port) for name in ups.split()],
    )


@asynccontextmanager
async def living(config: ProbeConfig, settings: Any = QUICK_RECONNECT) -> AsyncIterator[Probe]:
    platform = current()
    outbox = disk_outbox(config, settings, platform)
    stop = asyncio.Event()
    try:
        probe = Probe(config, settings, outbox, clock=platform)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(probe.run(stop), name="probe.run")
            try:
                yield probe
            finally:
                stop.set()
    finally:
        outbox.close()
