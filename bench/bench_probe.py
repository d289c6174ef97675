"""Memory and CPU of a running gateway probe with one UPS and a broker, beside the limits it has to keep.

    python bench/bench_probe.py [SECONDS]

Starts Mosquitto, upsd with a dummy driver and a collector that acknowledges, each on a free loopback port.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.table import Figure, print_figures
from tests.agent_probe.fake_collector import running_collector
from tests.servers import ONLINE_UPS, run_mosquitto, run_ups_server

RSS_LIMIT_MB = 35.0
CPU_LIMIT_PERCENT = 0.5
SETTLE_S = 5.0
DEFAULT_S = 20.0


async def measure(seconds: float, home: Path, broker_port: int, nut_port: int) -> tuple[float, float, float, float]:
    """RSS in MB, USS in MB, CPU in percent of one core, voluntary wake-ups a second."""
    config = home / "probe.toml"
    config.write_text(
        f'site = "bench"\nprobe = "gw1"\nrole = "gateway"\ndata_dir = "{home / "box"}"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {broker_port}\n[[ups]]\nname = "ups1"\nport = {nut_port}\n'
    )
    command = [sys.executable, "-m", "seatwatch", "probe", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        await asyncio.sleep(SETTLE_S)
        probe = psutil.Process(process.pid)
        before, woken = probe.cpu_times(), probe.num_ctx_switches().voluntary
        await asyncio.sleep(seconds)
        after, memory = probe.cpu_times(), probe.memory_full_info()
        used_s = after.user + after.system - before.user - before.system
        woken = probe.num_ctx_switches().voluntary - woken
        return memory.rss / 1e6, memory.uss / 1e6, 100 * used_s / seconds, woken / seconds
    finally:
        process.terminate()
        await process.wait()


async def main(seconds: float) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with run_mosquitto(home) as broker, run_ups_server(home, {"ups1": ONLINE_UPS}) as ups:
            async with running_collector(broker.host, broker.port) as collector:
                rss, uss, cpu, wakeups = await measure(seconds, home, broker.port, ups.port)
                frames = len(collector.frames)
    print(f"gateway probe, one UPS at 1 Hz, {seconds:g} s, {frames} frames received")
    holds = print_figures(
        [
            Figure("RSS, MB", rss, RSS_LIMIT_MB),
            Figure("USS, MB", uss),
            Figure("CPU of one core, %", cpu, CPU_LIMIT_PERCENT),
            Figure("wake-ups a second", wakeups),
        ]
    )
    return holds and frames > 0


if __name__ == "__main__":
    kept = asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_S))
    sys.exit(0 if kept else 1)
