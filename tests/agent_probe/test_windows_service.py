"""The Windows service before a stand-in for advapi32, whose answers are those of the API's documentation.

What Windows itself would do with these calls has not been seen: no Windows runs here.
"""

import ctypes
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_probe.platform import current
from agent_probe.platform.windows import Windows
from agent_probe.platform.windows_service import (
    ACCEPTS,
    CONTROL_INTERROGATE,
    CONTROL_PRESHUTDOWN,
    CONTROL_SHUTDOWN,
    CONTROL_STOP,
    ERROR_CALL_NOT_IMPLEMENTED,
    NAME,
    NO_ERROR,
    NotStartedAsService,
    Service,
    ServiceStatus,
)
from seatwatch.probe import command as probe_command
from seatwatch.probe import daemon as probe_daemon
from seatwatch.probe import service as probe_service
from seatwatch.probe.service import run_service, service_over
from tests.waiting import wait_until_blocking

STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
POWER_EVENT = 13
NOT_A_SERVICE = 1063
ACCESS_DENIED = 5


class Advapi32:
    """StartServiceCtrlDispatcherW calls ServiceMain on a thread of its own and returns once the service is STOPPED."""

    def __init__(self) -> None:
        self.refusal = 0
        self.registered = threading.Event()
        self.running = threading.Event()
        self.name = ""
        self.handler: Any = None
        self.reports: list[dict[str, int]] = []
        self.RegisterServiceCtrlHandlerExW = _Function(self._register)
        self.SetServiceStatus = _Function(self._report)
        self.StartServiceCtrlDispatcherW = _Function(self._dispatch)

    def tell(self, control: int) -> int:
        """As the manager tells the service, on the thread of the dispatcher."""
        return int(self.handler(control, 0, None, None))

    @property
    def states(self) -> list[int]:
        return [report["current_state"] for report in self.reports]

    def _dispatch(self, table: Any) -> int:
        assert (table[1].name, bool(table[1].main)) == (None, False), "an empty entry ends the table"
        if self.refusal:
            return 0
        self.name = table[0].name
        main = threading.Thread(target=table[0].main, args=(0, None))
        main.start()
        main.join(20)
        assert not main.is_alive()
        return 1

    def _register(self, name: str, handler: Any, _context: None) -> int:
        assert name == self.name
        self.handler = handler
        self.registered.set()
        return 4711

    def _report(self, handle: int, status: Any) -> int:
        assert handle == 4711
        self.reports.append({field[0]: getattr(status._obj, field[0]) for field in ServiceStatus._fields_})
        if self.states[-1] == RUNNING:
            self.running.set()
        return 1


class _Function:
    """Callable, with the attributes that ctypes functions take."""

    argtypes: Any = None
    restype: Any = None

    def __init__(self, call: Callable[..., int]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> int:
        return self._call(*arguments)


@pytest.fixture
def advapi32(monkeypatch: pytest.MonkeyPatch) -> Advapi32:
    fake = Advapi32()
    monkeypatch.setattr(ctypes, "WinDLL", lambda name, **_: {"advapi32": fake}[name], raising=False)
    monkeypatch.setattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE, raising=False)
    monkeypatch.setattr(ctypes, "get_last_error", lambda: fake.refusal, raising=False)
    return fake


class Working:
    """Work that lasts until the service is told to end."""

    def __init__(self, advapi32: Advapi32, exit_code: int = 0) -> None:
        self.told = threading.Event()
        self.exit_code = exit_code
        self.service = Service(Windows().service_control(), self, stop_hint_ms=6_000)
        self.thread = threading.Thread(target=self.service.run)
        self.thread.start()
        assert advapi32.running.wait(10)

    def __call__(self) -> int:
        undo = self.service.on_stop(self.told.set)
        assert self.told.wait(10)
        undo()
        return self.exit_code

    def end(self) -> None:
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.mark.parametrize("control", [CONTROL_STOP, CONTROL_SHUTDOWN, CONTROL_PRESHUTDOWN])
def test_it_runs_until_windows_ends_it_and_says_so_in_order(advapi32: Advapi32, control: int) -> None:
    work = Working(advapi32)
    assert advapi32.tell(CONTROL_INTERROGATE) == NO_ERROR
    assert advapi32.tell(control) == NO_ERROR
    work.end()
    assert advapi32.states == [RUNNING, RUNNING, STOP_PENDING, STOPPED]
    running, _, ending, stopped = advapi32.reports
    assert (running["controls_accepted"], running["service_type"]) == (ACCEPTS, 0x10)
    assert (ending["controls_accepted"], ending["wait_hint"]) == (0, 6_000)
    assert (stopped["win32_exit_code"], stopped["service_specific_exit_code"]) == (0, 0)


def test_it_asks_to_be_told_before_the_network_goes() -> None:
    assert ACCEPTS & 0x100, "SERVICE_ACCEPT_PRESHUTDOWN"
    assert ctypes.sizeof(ServiceStatus) == 28


def test_a_control_it_did_not_ask_for_is_not_implemented_and_ends_nothing(advapi32: Advapi32) -> None:
    work = Working(advapi32)
    assert advapi32.tell(POWER_EVENT) == ERROR_CALL_NOT_IMPLEMENTED
    assert not work.told.is_set()
    advapi32.tell(CONTROL_STOP)
    work.end()


def test_an_end_that_comes_before_the_work_listens_is_not_lost(advapi32: Advapi32) -> None:
    told = threading.Event()

    def work() -> int:
        advapi32.tell(CONTROL_PRESHUTDOWN)
        service.on_stop(told.set)
        return 0 if told.is_set() else 1

    service = Service(Windows().service_control(), work, stop_hint_ms=1)
    assert service.run() == 0


@pytest.mark.parametrize("error", [None, RuntimeError("broken")])
def test_work_that_fails_is_reported_as_a_failure_so_that_windows_starts_it_again(
    advapi32: Advapi32, error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: seen.append(unraisable.exc_value))

    def work() -> int:
        if error is not None:
            raise error
        return 3

    assert Service(Windows().service_control(), work, stop_hint_ms=1).run() == (3 if error is None else 1)
    last = advapi32.reports[-1]
    assert (last["current_state"], last["win32_exit_code"]) == (STOPPED, 1066)
    assert last["service_specific_exit_code"] == (3 if error is None else 1)
    assert seen == ([] if error is None else [error])


def test_a_person_who_starts_it_is_told_what_does_and_other_failures_name_the_call(advapi32: Advapi32) -> None:
    service = Service(Windows().service_control(), lambda: 0, stop_hint_ms=1)
    advapi32.refusal = NOT_A_SERVICE
    with pytest.raises(NotStartedAsService):
        service.run()
    advapi32.refusal = ACCESS_DENIED
    with pytest.raises(OSError, match="StartServiceCtrlDispatcherW failed with Windows error 5"):
        service.run()


def written(directory: Path, port: int = 1) -> Path:
    file = directory / "probe.toml"
    text = f'site = "sz1"\nprobe = "gw1"\nrole = "gateway"\ndata_dir = "{directory / "box"}"\n'
    file.write_text(f'{text}[broker]\nhost = "127.0.0.1"\nport = {port}\n', encoding="utf-8")
    return file


def test_the_probe_itself_starts_and_ends_as_a_service_and_logs_to_a_file(advapi32: Advapi32, tmp_path: Path) -> None:
    service = service_over(Windows().service_control(), written(tmp_path), current())
    running = threading.Thread(target=service.run)
    running.start()
    assert advapi32.running.wait(10)
    assert advapi32.tell(CONTROL_PRESHUTDOWN) == NO_ERROR
    running.join(10)
    assert not running.is_alive()
    assert (advapi32.name, advapi32.states[-1], service.exit_code) == (NAME, STOPPED, 0)
    lines = (tmp_path / "box" / "probe.log").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert (events[0], events[-1]) == ("probe.started", "probe.stopped")


def test_a_configuration_that_cannot_be_used_ends_the_service_with_2_and_stands_in_the_log(
    advapi32: Advapi32, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert service_over(Windows().service_control(), tmp_path / "none.toml", current()).run() == 2
    assert "none.toml" in (tmp_path / "state" / "probe.log").read_text(encoding="utf-8")
    assert advapi32.reports[-1]["service_specific_exit_code"] == 2


def test_a_probe_that_crashes_says_why_in_the_log_and_ends_as_failed(
    advapi32: Advapi32, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("what nobody expected")

    monkeypatch.setattr(probe_service, "run_daemon", crash)
    assert service_over(Windows().service_control(), written(tmp_path), current()).run() == 1
    assert "what nobody expected" in (tmp_path / "box" / "probe.log").read_text(encoding="utf-8")
    assert advapi32.reports[-1]["service_specific_exit_code"] == 1


ENROLMENT = '[enrolment]\nhub = "https://127.0.0.1:1"\npin = "00"\ntoken_file = ""\n'


def with_helper(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """`script` stands in for the process that gets an identity."""
    monkeypatch.setattr(probe_daemon, "helper", lambda _verb, _path: [sys.executable, "-u", "-c", script])


def test_a_machine_that_is_not_let_in_ends_as_failed_with_the_reason_in_the_log(
    advapi32: Advapi32, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_helper(monkeypatch, "print('this code was used before'); raise SystemExit(1)")
    file = written(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + ENROLMENT, encoding="utf-8")
    assert service_over(Windows().service_control(), file, current()).run() == 2
    assert "this code was used before" in (tmp_path / "box" / "probe.log").read_text(encoding="utf-8")
    assert advapi32.reports[-1]["service_specific_exit_code"] == 2


def test_a_machine_that_waits_to_be_let_in_can_be_stopped(
    advapi32: Advapi32, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_helper(monkeypatch, "import threading; print('waiting for approval'); threading.Event().wait()")
    file = written(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + ENROLMENT, encoding="utf-8")
    running = threading.Thread(target=service_over(Windows().service_control(), file, current()).run)
    running.start()
    log = tmp_path / "box" / "probe.log"
    wait_until_blocking(lambda: log.exists() and "waiting for approval" in log.read_text(encoding="utf-8"))
    assert advapi32.tell(CONTROL_STOP) == NO_ERROR
    running.join(10)
    assert not running.is_alive()
    assert advapi32.states[-1] == STOPPED


def test_elsewhere_than_on_windows_and_from_a_window_the_fix_is_named(
    advapi32: Advapi32, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe_command.run(["--config", str(written(tmp_path)), "--service"]) == 2
    assert "this is not Windows" in capsys.readouterr().err
    advapi32.refusal = NOT_A_SERVICE
    with pytest.raises(Exception, match=r"install\.ps1"):
        run_service(written(tmp_path), Windows())
