"""The probe on systems that lack POSIX, what it loads, how it logs, and its clocks."""

import asyncio
import json
import logging
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent_probe.logs import JsonLines
from agent_probe.platform import current
from agent_probe.platform.linux import Linux
from agent_probe.platform.windows import Windows

# Runs first in a child: takes away what Windows does not have, after the standard library has been imported.
WITHOUT_POSIX = """
import asyncio, ctypes, importlib, os, pkgutil, signal, socket, sqlite3, ssl, subprocess, sys, time
import aiomqtt, msgspec, tomllib, argparse, logging, json, zlib, random, secrets

HIDDEN = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "crypt", "spwd", "nis", "readline"}

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in HIDDEN:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hide())
for name in "SIGHUP SIGUSR1 SIGUSR2 SIGKILL SIGSTOP SIGCONT SIGQUIT SIGALRM SIGCHLD SIGPIPE".split():
    delattr(signal, name)
for name in ("pthread_sigmask", "sigwait", "setitimer"):
    delattr(signal, name)
for name in ("fork", "getuid", "geteuid", "getgid", "setsid", "uname", "sysconf", "chown"):
    delattr(os, name)
for name in ("TCP_QUICKACK", "SO_BINDTODEVICE", "TCP_USER_TIMEOUT", "AF_NETLINK", "SO_REUSEPORT"):
    if hasattr(socket, name):
        delattr(socket, name)
for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC", "clock_gettime", "clock_gettime_ns"):
    delattr(time, name)
asyncio.SelectorEventLoop.add_signal_handler = None
sys.platform = "win32"

import agent_probe
modules = [found.name for found in pkgutil.walk_packages(agent_probe.__path__, "agent_probe.")]
for name in modules:
    importlib.import_module(name)
import seatwatch.probe.command
from agent_probe.platform import current

class Kernel32:
    class GetTickCount64:
        restype = None
        def __new__(cls):
            return 123_456_789
class Windll:
    kernel32 = Kernel32
ctypes.windll = Windll
platform = current()
loop = platform.new_event_loop()
undo = platform.on_stop(loop, lambda: loop.stop())
loop.call_later(0.05, lambda: signal.raise_signal(signal.SIGINT))
loop.run_forever()
undo()
loop.close()
print(len(modules), type(platform).__name__, type(loop).__name__, platform.monotonic_ms(), platform.clock_synced())
"""

WHAT_IS_LOADED = """
import sys
{action}
print(sorted(name for name in {heavy!r} if name in sys.modules))
"""
NOT_FOR_A_GATEWAY = [
    "aiomqtt",
    "argparse",
    "paho.mqtt.client",
    "psutil",
    "agent_probe.snmp",
    "agent_probe.http_port",
    "agent_probe.sensors.seat.network",
    "zipfile",
]
HEAVY = [
    "typer",
    "rich",
    "structlog",
    "aiohttp",
    "redis",
    "jinja2",
    "click",
    "cryptography",
    "collector",
    "ledger",
    "sla_engine",
    "dashboards",
]
GATEWAY = """
site = "s"
probe = "gw"
role = "gateway"
broker = {{ host = "broker.example", tls = {{}} }}
line = [{{ name = "one", carrier = "one", interface = "lo", targets = ["127.0.0.11", "127.0.0.12"] }}]
ups = [{{ name = "ups1" }}]
phone_line = [{{ name = "trunk", host = "pbx.example", transport = "tls" }}]
data_dir = {folder!r}
"""
NEVER_FOR_A_GATEWAY = [
    *HEAVY,
    "agent_probe.doctor",
    "agent_probe.enrolment.client",
    "agent_probe.http_port",
    "agent_probe.sensors.seat.network",
    "agent_probe.snmp",
    "argparse",
    "email",
    "http.client",
    "importlib.metadata",
    "importlib.resources",
    "logging.handlers",
    "multiprocessing",
    "psutil",
    "tempfile",
    "unittest",
    "wire.decoders",
    "xml",
    "zipfile",
]


def child(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_every_module_of_the_probe_can_be_imported_and_stopped_where_there_is_no_posix() -> None:
    count, platform, loop, tick, synced = child(WITHOUT_POSIX).split()
    assert int(count) > 25
    assert (platform, tick, synced) == ("Windows", "123456789", "False")
    assert loop == "_UnixSelectorEventLoop"  # asyncio.SelectorEventLoop as this system calls it


@pytest.mark.parametrize(
    "action",
    [
        "import agent_probe.app, seatwatch.probe.command",
        (
            "from contextlib import redirect_stdout\nfrom io import StringIO\nfrom seatwatch.__main__ import main\n"
            "with redirect_stdout(StringIO()): main(['probe', '--help'])"
        ),
    ],
)
def test_the_probe_loads_nothing_of_the_server(action: str) -> None:
    assert child(WHAT_IS_LOADED.format(action=action, heavy=HEAVY)).strip() == "[]"


def test_what_only_some_probes_are_asked_for_is_not_loaded_by_the_others() -> None:
    action = (
        "import seatwatch.probe.command, seatwatch.probe.settings as c\nfrom seatwatch.settings import load_defaults\n"
    )
    action += 'c.probe_settings(load_defaults("probe"))'
    assert child(WHAT_IS_LOADED.format(action=action, heavy=NOT_FOR_A_GATEWAY)).strip() == "[]"


def test_a_gateway_with_everything_it_measures_put_together_loads_nothing_it_never_uses(tmp_path: Path) -> None:
    file = tmp_path / "probe.toml"
    file.write_text(GATEWAY.format(folder=str(tmp_path)), encoding="utf-8")
    action = "from pathlib import Path\nfrom agent_probe.platform import current\n"
    action += "from seatwatch.probe.daemon import check_daemon, ready_config\n"
    action += "from seatwatch.settings import load_defaults\n"
    action += f"config = ready_config(Path({str(file)!r}), current())\n"
    action += 'check_daemon(config, load_defaults("probe"), current())\n'
    action += "print('aiomqtt' in sys.modules, 'agent_probe.sensors.uplink.sensor' in sys.modules)"
    loaded = child(WHAT_IS_LOADED.format(action=action, heavy=NEVER_FOR_A_GATEWAY))
    assert loaded.split() == ["True", "True", "[]"]


@pytest.mark.parametrize("more", [[], ["--service"]])
def test_a_daemon_started_as_service_managers_do_loads_no_parser_of_arguments(more: list[str]) -> None:
    action = "from seatwatch.__main__ import main\n"
    action += f"print(main(['probe', '--config', 'no-such-file.toml', *{more}]))"
    assert child(WHAT_IS_LOADED.format(action=action, heavy=["argparse"])).split() == ["2", "[]"]


def test_a_probe_over_https_alone_loads_no_mqtt_client() -> None:
    action = "import agent_probe.transport, agent_probe.http_port"
    assert child(WHAT_IS_LOADED.format(action=action, heavy=["aiomqtt", "paho.mqtt.client"])).strip() == "[]"


def test_the_mqtt_client_comes_without_the_web_client_that_it_asks_for_proxies() -> None:
    action = "import agent_probe.aiomqtt_port"
    assert child(WHAT_IS_LOADED.format(action=action, heavy=["http.client", "email", "tempfile"])).strip() == "[]"


@pytest.mark.parametrize("use", ["import urllib.request", "from paho.mqtt.client import urllib"])
def test_what_is_loaded_on_first_use_is_whole_when_it_is_used(use: str) -> None:
    code = f"import sys\nfinders = list(sys.meta_path)\nimport agent_probe.aiomqtt_port\n{use}\n"
    code += "whole = urllib.request.getproxies(), urllib.request.OpenerDirector\n"
    code += "print(len(whole), 'http.client' in sys.modules, sys.meta_path == finders)"
    assert child(code).split() == ["2", "True", "True"]


def test_the_command_runs_as_a_module_and_shows_examples() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seatwatch", "probe", "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "seatwatch probe --config probe.toml" in done.stdout


def test_the_monotonic_clock_is_the_one_that_counts_sleep() -> None:
    uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    assert abs(current().monotonic_ms() / 1000 - uptime_s) < 60
    first = current().monotonic_ms()
    assert current().monotonic_ms() >= first


def test_the_wall_clock_counts_from_the_unix_epoch_and_synced_is_said_as_a_fact() -> None:
    assert current().wall_ms() > 1_700_000_000_000
    assert current().clock_synced() in {True, False}


def test_the_data_folder_is_what_the_service_manager_assigned_else_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/a:{tmp_path}/b")
    assert current().default_data_dir() == tmp_path / "a"
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert current().default_data_dir() == tmp_path / "seatwatch-probe"
    monkeypatch.setenv("PROGRAMDATA", str(tmp_path))
    assert Windows().default_data_dir() == tmp_path / "Seatwatch" / "probe"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_sets_the_stop_event_and_no_other_does(number: signal.Signals) -> None:
    stop = asyncio.Event()
    before = signal.getsignal(number)
    seen: list[int] = []
    others = signal.signal(signal.SIGUSR1, lambda told, _frame: seen.append(told))
    undo = current().on_stop(asyncio.get_running_loop(), stop.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0)
    assert (seen, stop.is_set()) == ([signal.SIGUSR1], False)
    os.kill(os.getpid(), number)
    async with asyncio.timeout(5):
        await stop.wait()
    undo()
    signal.signal(signal.SIGUSR1, others)
    assert signal.getsignal(number) is before


def test_a_log_record_is_one_line_of_json_with_its_own_fields() -> None:
    record = logging.makeLogRecord(
        {
            "name": "agent_probe.uplink",
            "levelname": "WARNING",
            "msg": "uplink.lost",
            "created": 1.5,
            "error": "a\nb",
            "path": Path("x"),
        }
    )
    line = JsonLines().format(record)
    assert "\n" not in line
    fields = json.loads(line)
    assert (fields["event"], fields["level"], fields["time_ms"]) == ("uplink.lost", "warning", 1500)
    assert (fields["error"], fields["path"]) == ("a\nb", "x")


def test_only_linux_has_to_sync_a_folder_after_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(stat.S_ISDIR(os.fstat(file).st_mode)))
    Linux().sync_directory(tmp_path)
    Windows().sync_directory(tmp_path)
    assert synced == [True]


def test_frugality_may_be_asked_for_on_either_half_and_with_another_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[int, ...]]] = []

    class Library:
        def mallopt(self, *arguments: int) -> None:
            asked.append(("mallopt", arguments))

    monkeypatch.setattr("ctypes.CDLL", lambda _: Library())
    Linux().spare_memory()
    Windows().spare_memory()
    assert asked == [("mallopt", (-8, 1))]
