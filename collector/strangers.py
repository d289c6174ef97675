"""Senders that nobody configured: told once, kept once on the record, and not acknowledged, so that they keep all.

A probe whose site or seat is missing in the configuration, or is spelt in another way there, must not talk to nobody
for a week. What it measures is not stored under its name: whoever reaches the broker could fill the record with it.
"""

from collections.abc import Callable

import structlog

from collector._core import derived
from collector.errors import Busy, IntakeStopped
from collector.told import Append
from wire.frame import Frame
from wire.ids import OPERATOR

log = structlog.get_logger()


class Strangers:
    """Those heard since the process started. names_max: how many are remembered; those beyond are only refused.

    first_heard: by name, hub's ms.
    """

    def __init__(self, append: Append, clock_ms: Callable[[], int], names_max: int) -> None:
        self.first_heard: dict[str, int] = {}
        self._append = append
        self._clock_ms = clock_ms
        self._names_max = names_max

    async def heard(self, frame: Frame) -> None:
        """A frame came from a source nobody registered. Its first item is kept, in the operator's ledger."""
        if frame.source in self.first_heard or len(self.first_heard) >= self._names_max:
            return
        now = self._clock_ms()
        self.first_heard[frame.source] = now
        log.warning("source.unknown", source=frame.source, site=frame.source.partition("/")[0])
        if not frame.items:
            return
        try:
            await self._append(OPERATOR, [derived.stranger(frame, frame.items[0], now)])
        except (Busy, IntakeStopped):
            del self.first_heard[frame.source]  # it sends again, and is kept then
