"""Names that nobody resolves hold their threads; the connection to the hub, which needs one as well, finds another."""

import asyncio
import threading
from pathlib import Path

from agent_probe.app import Probe, run
from tests.agent_probe.living_probe import SETTINGS, gateway
from tests.servers import free_port

ASKED_MEANWHILE = 420
"""What 32 trunks and 32 UPSes keep, asked again as often as they are, where each name hangs for half a minute."""
TERSE = SETTINGS._replace(uplink=SETTINGS.uplink._replace(flush_ms=10))


async def test_names_that_hang_keep_nobody_from_connecting(tmp_path: Path) -> None:
    stop, released, running = asyncio.Event(), threading.Event(), asyncio.Event()

    def is_ready(_: Probe) -> None:
        running.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(gateway(tmp_path, free_port()), TERSE, stop, ready=is_ready), name="probe")
        await running.wait()
        loop = asyncio.get_running_loop()
        hanging = [loop.run_in_executor(None, released.wait) for _ in range(ASKED_MEANWHILE)]
        try:
            async with asyncio.timeout(10):
                assert await asyncio.to_thread(threading.active_count) > ASKED_MEANWHILE
        finally:
            released.set()
            stop.set()
        await asyncio.gather(*hanging)
