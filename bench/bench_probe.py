"""Memory and CPU of a running gateway probe, beside two well-kept agents in C's and Go's leagues in the same run.

    python -m bench.bench_probe [SECONDS]

The probe watches two lines that answer, a UPS over NUT and a SIP trunk, keeps its outbox on disk and speaks MQTT over
TLS; from compiled bytecode, as installed and as its unit starts it. Beside it Debian's prometheus-node-exporter,
scraped every 5 s, and zabbix-agent2, asked every 5 s. Everything stands in a network namespace made for it.

PSS counts a page that n processes share as one n-th, so that it falls with every other process that happens to run
Python. `PSS` is therefore counted among the processes of this run, whatever else runs here: this bench, which is one
other program in the same Python, the agents and the servers. `PSS alone` is what it would be on a machine that runs
nothing of the kind: every page counts whole, but for the unchanged ones of the C library, which every process of a
Linux shares.
"""

import asyncio
import socket
import struct
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import trustme

from bench.installed_probe import running_probe
from bench.own_network import LINE_ADDRESSES, go_on_inside
from bench.page_frames import shares
from bench.table import Figure, print_figures
from tests.agent_probe.fake_collector import FakeCollector, running_collector
from tests.agent_probe.sip_replay import PhoneSystem, answering
from tests.servers import LOOPBACK, ONLINE_UPS, Server, free_port, program, run_mosquitto, run_ups_server, running
from tests.waiting import wait_until
from wire.uplink import LineReading, LineState

RSS_LIMIT_MB: Final = 35.0
PSS_LIMIT_MB: Final = 22.0
CPU_LIMIT_PERCENT: Final = 0.5
SETTLE_S: Final = 10.0
DEFAULT_S: Final = 60.0
ASKED_EVERY_S: Final = 5.0
MB: Final = 1_000_000
ZABBIX_PORTS: Final = range(20_000, 32_767)
"""It takes no others, and the system hands out none of them."""
C_LIBRARY: Final = ("ld-linux", "libc.so", "libm.so", "libpthread.so")
OK: Final = "SIP/2.0 200 OK\nVia: x\nFrom: x\nCall-ID: x\nCSeq: x\nContent-Length: 0"
PROBE: Final = """site = "bench"
probe = "gw1"
role = "gateway"
data_dir = "{home}/box"
[broker]
host = "127.0.0.1"
port = {broker_port}
[broker.tls]
ca_file = "{home}/ca.pem"
[[line]]
name = "one"
carrier = "one"
interface = "lo"
source_address = "{addresses[0]}"
gateway = "198.51.100.1"
targets = ["198.51.100.11", "198.51.100.12"]
[[line]]
name = "two"
carrier = "two"
interface = "lo"
source_address = "{addresses[1]}"
gateway = "198.51.100.1"
targets = ["198.51.100.11", "198.51.100.12"]
[[ups]]
name = "ups1"
port = {nut_port}
[[phone_line]]
name = "trunk"
host = "127.0.0.1"
port = {sip_port}
"""


class Footprint(NamedTuple):
    """Megabytes; percent of one core; voluntary wake-ups a second.

    pss: among the processes of this run or, where the system does not tell, as the kernel says.
    alone: where nobody else maps its files.
    """

    rss: float
    pss: float
    alone: float
    cpu: float
    wakeups: float


class Meter:
    """Looks at a process and its children, now and at the end."""

    def __init__(self, pid: int) -> None:
        main = psutil.Process(pid)
        self._processes = [main, *main.children(recursive=True)]
        self.pids = [process.pid for process in self._processes]
        self._before = self._used()

    def footprint(self, seconds: float) -> Footprint:
        """Memory now, and what was used since this meter was made, `seconds` ago."""
        memory = [process.memory_full_info() for process in self._processes]
        used_s, woken = (after - before for after, before in zip(self._used(), self._before, strict=True))
        return Footprint(
            sum(each.rss for each in memory) / MB,
            sum(each.pss for each in memory) / MB,
            sum(pss_alone(each) for each in self._processes) / MB,
            100 * used_s / seconds,
            woken / seconds,
        )

    def _used(self) -> tuple[float, int]:
        times = [process.cpu_times() for process in self._processes]
        threads = [Path(f"/proc/{p.pid}/task/{t.id}/status") for p in self._processes for t in p.threads()]
        return sum(each.user + each.system for each in times), sum(_voluntary(status) for status in threads)


def pss_alone(process: psutil.Process) -> int:
    """Bytes of all its pages, but for what it left unchanged of the C library."""
    mappings = process.memory_maps()
    shared = [mapping for mapping in mappings if Path(mapping.path).name.startswith(C_LIBRARY)]
    return sum(each.rss for each in mappings) - sum(each.shared_clean + each.private_clean for each in shared)


def _voluntary(status: Path) -> int:
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


@contextmanager
def node_exporter(home: Path) -> Iterator[tuple[Server, Callable[[], object]]]:
    port = free_port()
    server = Server(
        [program("prometheus-node-exporter"), f"--web.listen-address={LOOPBACK}:{port}"],
        port=port,
        directory=home,
        ready=_accepts,
    )

    def scrape() -> object:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
            return len(answer.read())

    with running(server):
        yield server, scrape


@contextmanager
def zabbix_agent(home: Path) -> Iterator[tuple[Server, Callable[[], object]]]:
    port = next(port for port in ZABBIX_PORTS if not _accepts(port))
    configuration = home / "zabbix.conf"
    lines = [f"Server={LOOPBACK}", f"ListenIP={LOOPBACK}", f"ListenPort={port}", "LogType=console", "Hostname=bench"]
    lines += [f"PluginSocket={home / 'zabbix.socket'}", f"ControlSocket={home / 'zabbix.control'}"]
    configuration.write_text("\n".join(lines) + "\n", encoding="ascii")
    command = [program("zabbix_agent2"), "-f", "-c", str(configuration)]
    server = Server(command, port=port, directory=home, ready=_accepts)

    def check() -> object:
        return [_ask_zabbix(port, key) for key in ("system.cpu.load", "vm.memory.size", "net.if.in[lo]")]

    with running(server):
        yield server, check


def _ask_zabbix(port: int, key: str) -> bytes:
    with socket.create_connection((LOOPBACK, port), timeout=5) as connection:
        connection.sendall(b"ZBXD\x01" + struct.pack("<Q", len(key)) + key.encode())
        return connection.recv(4096)


def _accepts(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((LOOPBACK, port)) == 0


def write_config(
    home: Path, broker_port: int, nut_port: int, sip_port: int, addresses: Sequence[str] = LINE_ADDRESSES
) -> Path:
    config = home / "probe.toml"
    ports = {"broker_port": broker_port, "nut_port": nut_port, "sip_port": sip_port}
    config.write_text(PROBE.format(home=home, addresses=addresses, **ports))
    return config


async def measure(seconds: float, home: Path) -> tuple[dict[str, Footprint], int]:
    """The footprint of each by its name, and how many frames of the probe arrived."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(home / "ca.pem"))
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(home / "broker.pem"))
    tls_port = free_port()
    listener = [f"listener {tls_port} {LOOPBACK}", f"certfile {home / 'broker.pem'}", f"keyfile {home / 'broker.pem'}"]
    with ExitStack() as stack:
        broker = stack.enter_context(run_mosquitto(home, lines=listener))
        ups = stack.enter_context(run_ups_server(home, {"ups1": ONLINE_UPS}))
        exporter, scrape = stack.enter_context(node_exporter(home))
        agent, check = stack.enter_context(zabbix_agent(home))
        async with (
            answering(PhoneSystem([("OPTIONS", OK)])) as sip_port,
            running_collector(broker.host, broker.port) as collector,
            running_probe(home, write_config(home, tls_port, ups.port, sip_port)) as pid,
        ):
            await wait_until(lambda: set(lines_up(collector)) == {"one", "two"}, 60, what="both lines to be up")
            await asked(SETTLE_S, (scrape, check))
            pids = {"probe": pid, "prometheus-node-exporter": exporter.pid, "zabbix-agent2": agent.pid}
            meters = {name: Meter(pid) for name, pid in pids.items()}
            await asked(seconds, (scrape, check))
            footprints = {name: meter.footprint(seconds) for name, meter in meters.items()}
            await wait_until(lambda: set(lines_up(collector)) == {"one", "two"}, 1, what="both lines to be up still")
            return {name: among(found, meters[name].pids) for name, found in footprints.items()}, len(collector.frames)


def lines_up(collector: FakeCollector) -> Iterator[str]:
    """Lines whose newest reading says that they are up: of one that is down nothing is asked, which costs nothing."""
    newest = {body.line: body for _, body in collector.log if isinstance(body, LineReading)}
    return (name for name, body in newest.items() if body.state is LineState.UP)


def among(found: Footprint, pids: Sequence[int]) -> Footprint:
    """As found of `pids`, with their PSS among the processes of this run, where the system lets us know."""
    bench = psutil.Process()
    whole = shares([bench.pid, *(child.pid for child in bench.children(recursive=True))])
    return found._replace(pss=sum(whole[pid] for pid in pids) / MB) if whole else found


async def asked(seconds: float, questions: Sequence[Callable[[], object]]) -> None:
    """Ask the agents their questions every so often, for so long."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while (left := ends - loop.time()) > 0:
        for question in questions:
            await asyncio.to_thread(question)
        await asyncio.sleep(min(ASKED_EVERY_S, left))


async def main(seconds: float) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        footprints, frames = await measure(seconds, Path(folder))
    print(
        f"gateway probe: two lines, a UPS over NUT, a SIP trunk, MQTT over TLS; {seconds:g} s, {frames} frames received"
    )
    print(f"{'':28}{'RSS, MB':>10}{'PSS':>10}{'PSS alone':>11}{'CPU, %':>10}{'wake-ups/s':>12}")
    for name, seen in footprints.items():
        print(f"{name:28}{seen.rss:>10.1f}{seen.pss:>10.1f}{seen.alone:>11.1f}{seen.cpu:>10.2f}{seen.wakeups:>12.1f}")
    ours = footprints.pop("probe")
    for name, theirs in footprints.items():
        ratios = [mine / other if other else float("nan") for mine, other in zip(ours, theirs, strict=True)]
        print(
            f"{'probe / ' + name:32}"
            + "".join(f"{ratio:>{width}.2f}" for ratio, width in zip(ratios, (6, 10, 11, 10, 12), strict=True))
        )
    holds = print_figures(
        [
            Figure("RSS, MB", ours.rss, RSS_LIMIT_MB),
            Figure("PSS among the processes of this run, MB", ours.pss, PSS_LIMIT_MB),
            Figure("PSS were nothing else here to run Python, MB", ours.alone),
            Figure("CPU of one core, %", ours.cpu, CPU_LIMIT_PERCENT),
        ]
    )
    return holds and frames > 0


if __name__ == "__main__":
    go_on_inside("bench.bench_probe", sys.argv[1:])
    kept = asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_S))
    sys.exit(0 if kept else 1)
