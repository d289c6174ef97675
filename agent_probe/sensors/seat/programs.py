"""Which programs run, by the name of their file alone: no window, no command line, no user, no path is ever read."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from agent_probe.sensors.aside import Aside

# Format: TASK_COMM_LEN of Linux less its end.
LINUX_NAME_SIZE: Final = 15
"""Linux keeps no more of a program's name than this."""


class Programs:
    """The list of running programs, read in a thread and at most every `max_age_ms` for all who ask."""

    def __init__(self, read: Callable[[], AbstractSet[str]], *, max_age_ms: int) -> None:
        self._listed = Aside(read)
        self._max_age_ms = max_age_ms
        self._names: AbstractSet[str] = frozenset()
        self._read_at: int | None = None

    async def is_any_running(self, names: Iterable[str], now: int) -> bool:
        """Whether one of `names` runs, whatever its case. now: monotonic ms."""
        if self._read_at is None or now - self._read_at >= self._max_age_ms:
            self._names = {name.lower() for name in await self._listed.ask()}
            self._read_at = now
        return any(name.lower() in self._names or _as_linux_keeps_it(name) in self._names for name in names)


def _as_linux_keeps_it(name: str) -> str:
    return name.lower().encode()[:LINUX_NAME_SIZE].decode("utf-8", "ignore")
