"""Senders that nobody configured: told once, kept once on the record, and not acknowledged, so that they keep all.

A probe whose site or seat is missing in the configuration, or is spelt in another way there, must not talk to nobody
for a week. What it measures is not stored under its name: whoever reaches the broker could fill the record with it.
"""

from collections.abc import Callable, Iterable

import structlog

from collector._core import derived
from collector.errors import Busy, IntakeStopped
from collector.told import Append
from wire.frame import Frame
from wire.ids import OPERATOR

log = structlog.get_logger()


class Strangers:
    """Those heard since the process started. names_max: how many are remembered; those beyond are only refused.

    first_heard: by name, hub's ms. turned_away: those that hold a certificate; their broker lets them say nothing.
    """

    def __init__(self, append: Append, clock_ms: Callable[[], int], names_max: int) -> None:
        self.first_heard: dict[str, int] = {}
        self.turned_away: set[str] = set()
        self._append = append
        self._clock_ms = clock_ms
        self._names_max = names_max

    def names(self) -> list[str]:
        """All of them."""
        return sorted({*self.first_heard, *self.turned_away})

    def hold_certificates(self, sources: Iterable[str]) -> None:
        """These hold one now, and nobody registered them."""
        held = sorted(sources)[: self._names_max]
        for source in held:
            self._tell(source)
        self.turned_away = {*held}

    async def heard(self, frame: Frame) -> None:
        """A frame came from a source nobody registered. Its first item is kept, in the operator's ledger."""
        if frame.source in self.first_heard or len(self.first_heard) >= self._names_max:
            return
        now = self._clock_ms()
        self._tell(frame.source)
        self.first_heard[frame.source] = now
        if not frame.items:
            return
        try:
            await self._append(OPERATOR, [derived.stranger(frame, frame.items[0], now)])
        except (Busy, IntakeStopped):
            del self.first_heard[frame.source]  # it sends again, and is kept then

    def _tell(self, source: str) -> None:
        if source not in self.names():
            log.warning("source.unknown", source=source, site=source.partition("/")[0])
