"""Linux, and other systems of its family with what they have in common. POSIX-only names are looked up when used."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent_probe.platform import Battery

NS_PER_MS: Final = 1_000_000
STOP_SIGNALS: Final = ("SIGTERM", "SIGINT")
# Format: adjtimex(2), mallopt(3).
TIMEX_ROOM: Final = 512
"""More than `struct timex` takes anywhere; the kernel fills what it knows."""
TIME_ERROR: Final = 5
"""adjtimex(2): the clock is not synchronised."""


# Format: mallopt(3) of glibc.
ARENA_MAX_1: Final = (-8, 1)
"""mallopt(3): M_ARENA_MAX, one."""
SIGNALS_READ: Final = 64
"""Numbers of signals, one byte each, at a time."""
ROUTES: Final = Path("net/route")
# Format: RTF_GATEWAY of linux/route.h.
HAS_GATEWAY: Final = 2


def _stop_signals() -> frozenset[int]:
    return frozenset(getattr(signal, name) for name in STOP_SIGNALS)


def _wake_only(_number: int, _frame: object) -> None:
    """A handler, without which the signal would end us; its number comes through the wake-up socket."""


class Linux:
    """See agent_probe.platform.Platform. processes, supplies: where the kernel shows what runs, and on what."""

    def __init__(self, processes: Path = Path("/proc"), supplies: Path = Path("/sys/class/power_supply")) -> None:
        self._processes = processes
        self._supplies = supplies

    @cached_property
    def _library(self) -> Any:  # noqa: ANN401 - functions by their names
        """The C library. Each further object for it would leave a class of its own to the collector of garbage."""
        import ctypes  # noqa: PLC0415 - a quarter of a megabyte that Windows half and tests need not load

        return ctypes.CDLL(None)

    @cached_property
    def _read_clock(self) -> Callable[[], int]:
        """What adjtimex answers to a question that changes nothing. Made once: it is asked at every sample."""
        import ctypes  # noqa: PLC0415 - as above

        adjtimex = getattr(self._library, "adjtimex", None)
        return partial(adjtimex, ctypes.create_string_buffer(TIMEX_ROOM)) if adjtimex else lambda: TIME_ERROR

    def monotonic_ms(self) -> int:
        """CLOCK_BOOTTIME, which goes on while the machine sleeps."""
        boot_time = getattr(time, "CLOCK_BOOTTIME", None)
        if boot_time is None:
            return time.monotonic_ns() // NS_PER_MS
        return time.clock_gettime_ns(boot_time) // NS_PER_MS

    def awake_ms(self) -> int:
        """CLOCK_MONOTONIC, which stands still while the machine sleeps."""
        return time.monotonic_ns() // NS_PER_MS

    def wall_ms(self) -> int:
        """The system's real-time clock."""
        return time.time_ns() // NS_PER_MS  # noqa: TID251 - this is the clock that others are given

    def clock_synced(self) -> bool:
        """What the kernel's clock discipline says (adjtimex)."""
        return 0 <= self._read_clock() < TIME_ERROR

    def default_data_dir(self) -> Path:
        """What systemd assigned, else the user's state folder."""
        assigned = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
        if assigned:
            return Path(assigned)
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(state) / "seatwatch-probe"

    def machine_id(self) -> str:
        """machine-id(5), which an installed system draws once."""
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()

    def sync_directory(self, directory: Path) -> None:
        """A rename is on disk once its folder is."""
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def program_names(self) -> frozenset[str]:
        """What the kernel keeps of each name: 15 characters. A process that ends meanwhile is passed over."""
        found = set()
        for process in self._processes.iterdir():
            if process.name.isdigit():
                try:
                    found.add((process / "comm").read_text(encoding="utf-8", errors="replace").strip())
                except OSError:
                    continue
        return frozenset(found)

    def default_gateway(self) -> str | None:
        """The gateway of the default route with the lowest metric, as the kernel's table says."""
        try:
            rows = [line.split() for line in (self._processes / ROUTES).read_text(encoding="ascii").splitlines()[1:]]
        except OSError:
            return None
        # Format: /proc/net/route has interface, destination, gateway, flags, ..., metric, mask.
        routes = [
            row for row in rows if len(row) > 7 and row[1] == row[7] == "00000000" and int(row[3], 16) & HAS_GATEWAY
        ]
        if not routes:
            return None
        gateway = min(routes, key=lambda row: int(row[6]))[2]
        return ".".join(str(octet) for octet in reversed(bytes.fromhex(gateway)))

    def battery(self) -> "Battery | None":
        """Not by psutil, which takes the first battery by name: on a desktop that is the wireless mouse's."""
        from agent_probe.platform.power_supply import read_battery  # noqa: PLC0415 - only for probes that look at one

        return read_battery(self._supplies)

    def spare_memory(self) -> None:
        """One heap for all threads instead of one each, and what starting up left unused goes back to the system."""
        for name, arguments in (("mallopt", ARENA_MAX_1), ("malloc_trim", (0,))):
            if hasattr(self._library, name):  # other C libraries than GNU's have no such knobs
                getattr(self._library, name)(*arguments)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """The system's usual loop."""
        return asyncio.new_event_loop()

    def service_control(self) -> None:
        """None: systemd starts and ends us by signals."""

    def on_stop(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Callable[[], None]:
        """SIGTERM from the service manager, SIGINT from a terminal."""
        # The loop's own add_signal_handler does the same, and looks into inspect: a megabyte to hold.
        readable, written = socket.socketpair()
        readable.settimeout(0)
        written.settimeout(0)
        handlers = {number: signal.signal(number, _wake_only) for number in _stop_signals()}
        before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)

        def told() -> None:
            if not _stop_signals().isdisjoint(readable.recv(SIGNALS_READ)):
                stop()

        def undo() -> None:
            loop.remove_reader(readable)
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            readable.close()
            written.close()

        loop.add_reader(readable, told)
        return undo


PLATFORM: Final = Linux()
