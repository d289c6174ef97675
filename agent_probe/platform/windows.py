"""Windows. Its names are looked up when used, so that the module can be read, imported and tested anywhere."""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent_probe.platform import Battery
    from agent_probe.platform.windows_service import Control

NS_PER_MS: Final = 1_000_000
# Format: interrupt time of Windows counts 100 ns.
INTERRUPTS_PER_MS: Final = 10_000
STOP_SIGNALS: Final = ("SIGINT", "SIGBREAK")
"""Ctrl-C, and Ctrl-Break, which service wrappers and the task scheduler send."""


class Windows:
    """See agent_probe.platform.Platform."""

    def __init__(self) -> None:
        self._tick_count: Callable[[], int] | None = None

    def monotonic_ms(self) -> int:
        """GetTickCount64, which goes on while the machine sleeps; it moves in steps of about 16 ms."""
        if self._tick_count is None:
            windll: Any = getattr(ctypes, "windll", None)
            tick_count = windll.kernel32.GetTickCount64
            tick_count.restype = ctypes.c_ulonglong
            self._tick_count = tick_count
        return int(self._tick_count())

    def awake_ms(self) -> int:
        """QueryUnbiasedInterruptTime, in steps of 100 ns, without the time asleep."""
        windll: Any = getattr(ctypes, "windll", None)
        interrupts = ctypes.c_ulonglong()
        windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(interrupts))
        return interrupts.value // INTERRUPTS_PER_MS

    def wall_ms(self) -> int:
        """The system's real-time clock."""
        return time.time_ns() // NS_PER_MS  # noqa: TID251 - this is the clock that others are given

    def clock_synced(self) -> bool:
        """Not told cheaply by Windows, so never claimed; the collector compares with its own clock anyway."""
        return False

    def default_data_dir(self) -> Path:
        """The machine's folder for programs' data, the same for whoever is logged in."""
        return Path(os.environ.get("PROGRAMDATA") or Path.home()) / "Seatwatch" / "probe"

    def machine_id(self) -> str:
        """MachineGuid, which Windows draws when it is set up; images are to be generalised (sysprep) before cloning."""
        winreg: Any = import_module("winreg")
        folder = r"SOFTWARE\Microsoft\Cryptography"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, folder) as opened:
            return str(winreg.QueryValueEx(opened, "MachineGuid")[0])

    def sync_directory(self, directory: Path) -> None:
        """Nothing to do: a folder cannot be flushed here, and NTFS journals the rename itself."""

    def program_names(self) -> frozenset[str]:
        """Names of executables, as the process list shows them."""
        import psutil  # noqa: PLC0415 - only for probes that look at programs

        try:
            return frozenset(process.info["name"] or "" for process in psutil.process_iter(["name"]))
        except psutil.Error as error:
            raise OSError(str(error)) from None

    def default_gateway(self) -> str | None:
        """Not told cheaply by Windows: name it in the configuration where it is wanted."""
        return None

    def battery(self) -> "Battery | None":
        """The system's own, or a USB UPS that it shows as one."""
        import psutil  # noqa: PLC0415 - only for probes that look at one

        return psutil.sensors_battery()

    def spare_memory(self) -> None:
        """Nothing to ask for: its allocator has one heap for all threads."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A selector loop: the usual Windows loop has no add_reader, which the MQTT client needs."""
        return asyncio.SelectorEventLoop()

    def service_control(self) -> "Control":
        """The Service Control Manager."""
        from agent_probe.platform.windows_service import ControlManager  # noqa: PLC0415 - a service alone needs it

        return ControlManager()

    def on_stop(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Callable[[], None]:
        """Ctrl-C or Ctrl-Break. This loop sees a signal when it next wakes, which is within a sample's interval."""

        def handle(_number: int, _frame: object) -> None:
            loop.call_soon_threadsafe(stop)

        before = {getattr(signal, name): None for name in STOP_SIGNALS if hasattr(signal, name)}
        handlers = {number: signal.signal(number, handle) for number in before}

        def undo() -> None:
            for number, handler in handlers.items():
                signal.signal(number, handler)

        return undo


PLATFORM: Final = Windows()
