"""Linux, and other systems of its family with what they have in common. POSIX-only names are looked up when used."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

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
ROUTES: Final = Path("net/route")
# Format: RTF_GATEWAY of linux/route.h.
HAS_GATEWAY: Final = 2


class Linux:
    """See agent_probe.platform.Platform. processes: where the kernel shows what runs."""

    def __init__(self, processes: Path = Path("/proc")) -> None:
        self._processes = processes

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
        import ctypes  # noqa: PLC0415 - a quarter of a megabyte that Windows half and tests need not load

        adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
        if adjtimex is None:
            return False
        state = int(adjtimex(ctypes.create_string_buffer(TIMEX_ROOM)))
        return 0 <= state < TIME_ERROR

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

    def spare_memory(self) -> None:
        """One heap for all threads instead of one each, and what starting up left unused goes back to the system."""
        import ctypes  # noqa: PLC0415 - as above

        library = ctypes.CDLL(None)
        for name, arguments in (("mallopt", ARENA_MAX_1), ("malloc_trim", (0,))):
            if hasattr(library, name):  # other C libraries than GNU's have no such knobs
                getattr(library, name)(*arguments)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """The system's usual loop."""
        return asyncio.new_event_loop()

    def service_control(self) -> None:
        """None: systemd starts and ends us by signals."""

    def on_stop(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Callable[[], None]:
        """SIGTERM from the service manager, SIGINT from a terminal."""
        numbers = [getattr(signal, name) for name in STOP_SIGNALS]
        for number in numbers:
            loop.add_signal_handler(number, stop)

        def undo() -> None:
            for number in numbers:
                loop.remove_signal_handler(number)

        return undo


PLATFORM: Final = Linux()
