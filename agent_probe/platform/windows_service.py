"""A Windows service: what the Service Control Manager asks for, over its API by ctypes alone.

`Service` is the conduct, `ControlManager` the API; only the latter needs Windows. A service that accepts PRESHUTDOWN
is told before the network goes, which is what last words need; it answers STOP and SHUTDOWN the same way.

Format: winsvc.h and winerror.h of Windows.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

NAME: Final = "SeatwatchProbe"

STOPPED: Final = 1
START_PENDING: Final = 2
STOP_PENDING: Final = 3
RUNNING: Final = 4
CONTROL_STOP: Final = 1
CONTROL_INTERROGATE: Final = 4
CONTROL_SHUTDOWN: Final = 5
CONTROL_PRESHUTDOWN: Final = 15
ENDS_US: Final = frozenset({CONTROL_STOP, CONTROL_SHUTDOWN, CONTROL_PRESHUTDOWN})
ACCEPTS: Final = 0x1 | 0x4 | 0x100
"""SERVICE_ACCEPT_STOP, SHUTDOWN and PRESHUTDOWN."""
OWN_PROCESS: Final = 0x10
NO_ERROR: Final = 0
ERROR_CALL_NOT_IMPLEMENTED: Final = 120
ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: Final = 1063
ERROR_SERVICE_SPECIFIC_ERROR: Final = 1066


class NotStartedAsService(Exception):
    """A person started what only the Service Control Manager can start."""


class Control(Protocol):
    """What a service asks of the Service Control Manager."""

    def dispatch(self, name: str, main: Callable[[], None]) -> None:
        """Have `main` called on a thread of the manager's, and return when the service is stopped.

        Raises NotStartedAsService, OSError.
        """

    def register(self, name: str, handler: Callable[[int], int]) -> None:
        """Have controls brought to `handler`, which answers with an error code. Raises OSError."""

    def report(self, state: int, *, accepts: int = 0, exit_code: int = 0, wait_hint_ms: int = 0) -> None:
        """Say in which state the service is. exit_code: our own, 0 for a stop in good order."""


class Service:
    """Runs `work` as a service until it is told to end; whatever `work` subscribes by `on_stop` is told then."""

    def __init__(self, control: Control, work: Callable[[], int], *, stop_hint_ms: int) -> None:
        """work: returns the exit code. stop_hint_ms: how long an end in good order may take."""
        self._control = control
        self._work = work
        self._stop_hint_ms = stop_hint_ms
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []
        self._is_ending = False
        self._state = START_PENDING
        self.exit_code = 0

    def run(self) -> int:
        """Until stopped; the exit code. Raises NotStartedAsService, OSError."""
        self._control.dispatch(NAME, self._main)
        return self.exit_code

    def on_stop(self, stop: Callable[[], None]) -> Callable[[], None]:
        """Call `stop`, from another thread, when the service is to end; at once if it is already. Returns an undo."""
        with self._lock:
            self._stops.append(stop)
            is_late = self._is_ending
        if is_late:
            stop()
        return lambda: self._stops.remove(stop)

    def _main(self) -> None:
        self._control.register(NAME, self._handle)
        self._report(RUNNING)
        self.exit_code = 1  # unless the work comes to say something else
        try:
            self.exit_code = self._work()
        finally:
            self._report(STOPPED)

    def _handle(self, control: int) -> int:
        if control == CONTROL_INTERROGATE:
            self._report(self._state)
        elif control in ENDS_US:
            with self._lock:
                self._is_ending, stops = True, list(self._stops)
            self._report(STOP_PENDING)
            for stop in stops:
                stop()
        else:
            return ERROR_CALL_NOT_IMPLEMENTED
        return NO_ERROR

    def _report(self, state: int) -> None:
        self._state = state
        self._control.report(
            state,
            accepts=ACCEPTS if state == RUNNING else 0,
            exit_code=self.exit_code if state == STOPPED else 0,
            wait_hint_ms=self._stop_hint_ms if state == STOP_PENDING else 0,
        )


class ServiceStatus(ctypes.Structure):
    """SERVICE_STATUS of winsvc.h."""

    _fields_ = [
        ("service_type", ctypes.c_uint32),
        ("current_state", ctypes.c_uint32),
        ("controls_accepted", ctypes.c_uint32),
        ("win32_exit_code", ctypes.c_uint32),
        ("service_specific_exit_code", ctypes.c_uint32),
        ("check_point", ctypes.c_uint32),
        ("wait_hint", ctypes.c_uint32),
    ]


class ControlManager:
    """`Control` over advapi32. Its functions and calling convention are looked up when used: only Windows has them."""

    def __init__(self) -> None:
        ways: Any = ctypes
        self._advapi32 = ways.WinDLL("advapi32", use_last_error=True)
        self._last_error: Callable[[], int] = ways.get_last_error
        main_type = ways.WINFUNCTYPE(None, ctypes.c_uint32, ctypes.c_void_p)
        self._main_type = main_type
        self._handler_type = ways.WINFUNCTYPE(
            ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p
        )

        class TableEntry(ctypes.Structure):
            _fields_ = [("name", ctypes.c_wchar_p), ("main", main_type)]

        self._entry = TableEntry
        self._advapi32.RegisterServiceCtrlHandlerExW.restype = ctypes.c_void_p
        self._advapi32.RegisterServiceCtrlHandlerExW.argtypes = [ctypes.c_wchar_p, self._handler_type, ctypes.c_void_p]
        self._advapi32.SetServiceStatus.argtypes = [ctypes.c_void_p, ctypes.POINTER(ServiceStatus)]
        self._handle: int | None = None
        self._kept: list[object] = []
        """Callbacks that Windows holds: they must live as long as the service."""

    def dispatch(self, name: str, main: Callable[[], None]) -> None:
        """As the protocol says: StartServiceCtrlDispatcherW."""
        callback = self._main_type(lambda _count, _arguments: main())
        table = (self._entry * 2)()  # the second entry is empty and ends the table
        table[0].name, table[0].main = name, callback
        self._kept += [callback, table]
        if not self._advapi32.StartServiceCtrlDispatcherW(table):
            self._fail("StartServiceCtrlDispatcherW")

    def register(self, name: str, handler: Callable[[int], int]) -> None:
        """As the protocol says: RegisterServiceCtrlHandlerExW."""
        callback = self._handler_type(lambda control, _type, _data, _context: handler(control))
        self._kept.append(callback)
        self._handle = self._advapi32.RegisterServiceCtrlHandlerExW(name, callback, None)
        if not self._handle:
            self._fail("RegisterServiceCtrlHandlerExW")

    def report(self, state: int, *, accepts: int = 0, exit_code: int = 0, wait_hint_ms: int = 0) -> None:
        """As the protocol says: SetServiceStatus. A refusal changes nothing that we could do better."""
        failed = ERROR_SERVICE_SPECIFIC_ERROR if exit_code else NO_ERROR
        status = ServiceStatus(OWN_PROCESS, state, accepts, failed, exit_code, 0, wait_hint_ms)
        self._advapi32.SetServiceStatus(self._handle, ctypes.byref(status))

    def _fail(self, function: str) -> None:
        code = self._last_error()
        if code == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT:
            raise NotStartedAsService
        raise OSError(code, f"{function} failed with Windows error {code}")
