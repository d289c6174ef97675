"""The probe of a configuration, which asks the hub over each line every second: `python -m ... probe.toml`."""

import asyncio
import signal
import sys
from pathlib import Path

from agent_probe import app
from agent_probe.config import load_config
from agent_probe.logs import log_to_stderr
from seatwatch.probe.settings import probe_settings
from seatwatch.settings import load_defaults

OFTEN_MS = 1_000


async def run(file: Path) -> None:
    settings = probe_settings(load_defaults())
    witness = settings.lines.witness._replace(interval_ms=OFTEN_MS)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    lines = settings.lines._replace(witness=witness, witness_soon_ms=OFTEN_MS)
    await app.run(load_config(file), settings._replace(lines=lines), stop)


if __name__ == "__main__":
    log_to_stderr()
    asyncio.run(run(Path(sys.argv[1])))
