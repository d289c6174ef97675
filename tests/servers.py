"""Real servers for tests, each on a free loopback port with its files in a temporary folder, stopped by process id.

As a fixture (`mosquitto`, `redis_server`, `ups_server`, `prometheus`) or, where a test wants its own configuration or
several at once, as a context manager (`run_mosquitto` and so on).
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.waiting import wait_until_blocking

LOOPBACK: Final = "127.0.0.1"
NUT_PROGRAMS: Final = Path(
    "/lib/nut"
)  # Debian wraps /usr/sbin/upsd in a check of /etc; the programs themselves are here
START_S: Final = 15.0
STOP_S: Final = 5.0
# Linux ends the server with the tests even when those are killed -9; elsewhere one may have to stop it by hand then.
DIES_WITH_THE_TESTS: Final = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    """The full path of an installed program. Fails the test, naming the remedy, if it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.fail(f"{name} is not installed; run: make system", pytrace=False)
    return found


class Server:
    """One server process that can be killed, paused and started again on the same port and files."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        directory: Path,
        ready: Callable[[int], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command = list(command)
        self.host = LOOPBACK
        self.port = port
        self.directory = directory
        self.log = directory / f"{Path(command[0]).name}-{port}.log"
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Start it and return when it answers. Raises AssertionError with the end of its log if it does not."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*DIES_WITH_THE_TESTS, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=self._environment,
                process_group=0,
            )
        wait_until_blocking(self._answers_or_ended, START_S, what=f"{self.command[0]} on port {self.port} to answer")
        if self._process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            message = f"{self.command[0]} ended with {self._process.returncode}:\n{tail}"
            raise AssertionError(message)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that is not enough and for children it left. Nothing where it is stopped."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def kill(self) -> None:
        """kill -9, as a crash would."""
        self._running().kill()
        self._running().wait()
        self._process = None

    def pause(self) -> None:
        """Freeze it: it holds its connections and answers nothing."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, f"{self.command[0]} is not running"
        return self._process

    def _answers_or_ended(self) -> bool:
        return self._running().poll() is not None or self._ready(self.port)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Start `server`, and stop it whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def ask(port: int, question: bytes, timeout_s: float = 2.0) -> bytes:
    """One line asked, the first bytes answered; empty if nobody listens."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s) as connection:
            connection.sendall(question)
            return connection.recv(4096)
    except OSError:
        return b""


def _accepts(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((LOOPBACK, port)) == 0


# --- Mosquitto


@contextmanager
def run_mosquitto(directory: Path, *, lines: Sequence[str] = (), port: int | None = None) -> Iterator[Server]:
    """A broker that lets anyone in. `lines` are appended to its configuration."""
    chosen = port or free_port()
    configuration = directory / f"mosquitto-{chosen}.conf"
    settings = [f"listener {chosen} {LOOPBACK}", "allow_anonymous true", f"user {getpass.getuser()}", *lines]
    configuration.write_text("\n".join(settings) + "\n")
    command = [program("mosquitto"), "-c", str(configuration)]
    with running(Server(command, port=chosen, directory=directory, ready=_accepts)) as server:
        yield server


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Server]:
    """A Mosquitto of one's own, without persistence."""
    with run_mosquitto(tmp_path) as server:
        yield server


# --- Redis


def _redis_answers(port: int) -> bool:
    return ask(port, b"PING\r\n").startswith(b"+PONG")


@contextmanager
def run_redis(
    directory: Path, *, options: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[Server]:
    """A Redis without persistence unless `options` (its own configuration names) say otherwise."""
    chosen = port or free_port()
    settings = {"bind": LOOPBACK, "port": str(chosen), "dir": str(directory), "save": "", **(options or {})}
    arguments = [word for name, value in settings.items() for word in (f"--{name}", value)]
    command = [program("redis-server"), *arguments]
    with running(Server(command, port=chosen, directory=directory, ready=_redis_answers)) as server:
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    """An empty Redis of one's own."""
    with run_redis(tmp_path) as server:
        yield server


# --- NUT

ONLINE_UPS: Final = {
    "device.mfr": "Seatwatch tests",
    "ups.status": "OL CHRG",
    "battery.charge": "100",
    "battery.runtime": "1800",
    "input.voltage": "230.0",
}


class UpsServer:
    """upsd with one dummy-ups driver per UPS; variables are set as an operator's tool would set them."""

    USER: Final = "admin"
    PASSWORD: Final = "loopback-only"

    def __init__(self, server: Server, drivers: Mapping[str, Server]) -> None:
        self.server = server
        self.drivers = dict(drivers)
        self.host = server.host
        self.port = server.port

    def get(self, ups: str, variable: str) -> str:
        """The value of a variable, or the server's ERR line."""
        answer = self._talk(f"GET VAR {ups} {variable}")[-1]
        return answer.split('"')[1] if answer.startswith("VAR ") else answer

    def set(self, ups: str, variable: str, value: str) -> None:
        """Set a variable; the driver publishes it within about a second. Returns when upsd shows it."""
        answers = self._talk(
            f"USERNAME {self.USER}", f"PASSWORD {self.PASSWORD}", f'SET VAR {ups} {variable} "{value}"'
        )
        assert answers[-1].startswith("OK"), answers
        wait_until_blocking(lambda: self.get(ups, variable) == value, what=f"{ups} to show {variable} = {value}")

    def _talk(self, *lines: str) -> list[str]:
        with socket.create_connection((self.host, self.port), timeout=START_S) as connection:
            stream = connection.makefile("rw", encoding="utf-8", newline="\n")
            answers = []
            for line in lines:
                stream.write(f"{line}\n")
                stream.flush()
                answers.append(stream.readline().rstrip("\n"))
            stream.close()
            return answers


def _write_nut_configuration(directory: Path, port: int, devices: Mapping[str, Mapping[str, str] | Path]) -> None:
    ups_conf = ["maxretry = 1", "pollinterval = 1"]
    for name, device in devices.items():
        dump = directory / f"{name}.dev"
        if isinstance(device, Path):
            shutil.copyfile(device, dump)
        else:
            dump.write_text("".join(f"{variable}: {value}\n" for variable, value in device.items()))
        ups_conf += [f"[{name}]", "  driver = dummy-ups", f"  port = {dump}", "  mode = dummy-once"]
    users = [f"[{UpsServer.USER}]", f"  password = {UpsServer.PASSWORD}", "  actions = SET", "  instcmds = ALL"]
    for name, lines in {
        "ups.conf": ups_conf,
        "upsd.conf": [f"LISTEN {LOOPBACK} {port}", "MAXAGE 5"],
        "upsd.users": users,
    }.items():
        (directory / name).write_text("\n".join(lines) + "\n")
        (directory / name).chmod(0o640)


def _driver_ready(driver_socket: Path, _port: int) -> bool:
    return driver_socket.exists()


def _speaks_nut(port: int) -> bool:
    return ask(port, b"VER\n").startswith(b"Network UPS Tools")


def _has_status(server: UpsServer, ups: str) -> bool:
    status = server.get(ups, "ups.status")
    return bool(status) and not status.startswith(("WAIT", "ERR"))


@contextmanager
def run_ups_server(directory: Path, devices: Mapping[str, Mapping[str, str] | Path]) -> Iterator[UpsServer]:
    """upsd serving `devices`: name -> variables, or the path of a recorded .dev dump."""
    port = free_port()
    files = directory / f"nut-{port}"
    files.mkdir(mode=0o750)
    _write_nut_configuration(files, port, devices)
    environment = {"NUT_CONFPATH": str(files), "NUT_STATEPATH": str(files), "NUT_ALTPIDPATH": str(files)}
    stay_ourselves = ["-F", "-u", getpass.getuser()]

    with ExitStack() as stack:
        drivers = {}
        for name in devices:
            command = [program(str(NUT_PROGRAMS / "dummy-ups")), "-a", name, *stay_ourselves]
            ready = partial(_driver_ready, files / f"dummy-ups-{name}")
            driver = Server(command, port=port, directory=files, ready=ready, environment=environment)
            drivers[name] = stack.enter_context(running(driver))
        command = [program(str(NUT_PROGRAMS / "upsd")), *stay_ourselves]
        upsd = Server(command, port=port, directory=files, ready=_speaks_nut, environment=environment)
        ups = UpsServer(stack.enter_context(running(upsd)), drivers)
        for name in devices:
            wait_until_blocking(partial(_has_status, ups, name), START_S, what=f"{name} to have a status")
        yield ups


@pytest.fixture
def ups_server(tmp_path: Path) -> Iterator[UpsServer]:
    """upsd with one UPS named `ups1`, online and charging."""
    with run_ups_server(tmp_path, {"ups1": ONLINE_UPS}) as server:
        yield server


# --- Prometheus


def _prometheus_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def run_prometheus(
    directory: Path, *, targets: Mapping[str, str], rule_files: Sequence[Path] = (), interval_s: int = 1
) -> Iterator[Server]:
    """Prometheus scraping `targets` (job -> host:port) every `interval_s` seconds."""
    port = free_port()
    jobs = "".join(
        f"  - job_name: {job}\n    static_configs: [{{targets: ['{address}']}}]\n" for job, address in targets.items()
    )
    rules = "".join(f"  - {path}\n" for path in rule_files)
    configuration = directory / f"prometheus-{port}.yml"
    configuration.write_text(
        f"global: {{scrape_interval: {interval_s}s, evaluation_interval: {interval_s}s}}\n"
        + (f"rule_files:\n{rules}" if rules else "")
        + (f"scrape_configs:\n{jobs}" if jobs else "")
    )
    command = [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--web.listen-address={LOOPBACK}:{port}",
        f"--storage.tsdb.path={directory / f'prometheus-{port}'}",
    ]
    with running(Server(command, port=port, directory=directory, ready=_prometheus_ready)) as server:
        yield server


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Server]:
    """A Prometheus that scrapes nothing; use run_prometheus to give it targets."""
    with run_prometheus(tmp_path, targets={}) as server:
        yield server
