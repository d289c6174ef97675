"""One timer for several who wait: whoever waits for the same instant is called in one wake-up."""

import asyncio
from collections.abc import Callable
from typing import Final

MS_PER_S: Final = 1000


class SharedTimer:
    """`now_ms`: the probe's monotonic clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._due: dict[Callable[[], None], int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._set_for: int | None = None
        self._is_calling = False

    def call_at(self, call: Callable[[], None], at: int | None) -> None:
        """Call `call` at `at`, and no more at the instant that was named before; None: not at all."""
        if at is None:
            self._due.pop(call, None)
        else:
            self._due[call] = at
        if not self._is_calling:
            self._set()

    def _set(self) -> None:
        earliest = min(self._due.values(), default=None)
        if earliest == self._set_for:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._set_for = earliest
        if earliest is not None:
            delay_s = max(0, earliest - self._now_ms()) / MS_PER_S
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._call_due)

    def _call_due(self) -> None:
        self._timer = self._set_for = None
        now = self._now_ms()
        self._is_calling = True
        try:
            for call, at in list(self._due.items()):
                if at <= now and self._due.get(call) == at:
                    del self._due[call]
                    call()
        finally:  # what one that failed left undone is due still
            self._is_calling = False
            self._set()
