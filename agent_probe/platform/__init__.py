"""All that differs between Linux and Windows: clocks, stopping, folders, the event loop. Nothing else asks which."""

import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from agent_probe.platform.windows_service import Control


class Battery(Protocol):
    """A machine's own battery, in psutil's words."""

    @property
    def percent(self) -> float | None:
        """Charge; None where it is not told."""

    @property
    def secsleft(self) -> int:
        """Seconds left; negative: unlimited or unknown."""

    @property
    def power_plugged(self) -> bool | None:
        """Whether mains is there; None where that is not known."""


class Platform(Protocol):
    """What an operating system gives the probe."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never go back and count suspended time."""

    def awake_ms(self) -> int:
        """Milliseconds that never go back and do not count suspended time."""

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, as this machine believes."""

    def clock_synced(self) -> bool:
        """Whether something keeps the wall clock right. False when it cannot be told."""

    def default_data_dir(self) -> Path:
        """Where a probe keeps its outbox unless told otherwise."""

    def machine_id(self) -> str:
        """What tells this machine from others, and stays when its disk is restored. Raises OSError without one."""

    def sync_directory(self, directory: Path) -> None:
        """Make what was renamed in `directory` survive a power cut. Raises OSError."""

    def program_names(self) -> frozenset[str]:
        """File names of the programs that run; nothing else about them is read. Raises OSError."""

    def default_gateway(self) -> str | None:
        """Where this machine sends what is not for its own network, None if there is none or it cannot be told."""

    def battery(self) -> Battery | None:
        """The machine's own battery, None if it has none. May hang; raises OSError or ValueError of one gone wrong."""

    def spare_memory(self) -> None:
        """Ask the system's allocator for frugality; call it before any thread is started."""

    def new_event_loop(self) -> AbstractEventLoop:
        """An event loop the MQTT client can work with."""

    def service_control(self) -> "Control | None":
        """What a service asks of the system that started it; None where a service is a process like any other."""

    def on_stop(self, loop: AbstractEventLoop, stop: Callable[[], None]) -> Callable[[], None]:
        """Call `stop` in `loop` when the system or a person asks us to end. Returns what undoes this."""


def current() -> Platform:
    """The half for the system we run on. Only that half is imported."""
    name = "windows" if sys.platform == "win32" else "linux"
    return cast("Platform", import_module(f"agent_probe.platform.{name}").PLATFORM)
