"""Following one ledger: bounded reads from a place of one's own, one wait for either more entries or an instant."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from ledger.entry import StoredEntry
from ledger.recorded import recorded
from wire.recorded import Recorded

MS_PER_S: Final = 1_000


class FeedEnded(Exception):
    """A ledger cannot be followed any further from where this process stands. Only a new start may help."""


class EntryReader(Protocol):
    """Reads stored entries by index."""

    def read(self, first: int, limit: int) -> list[StoredEntry]:
        """Entries from `first` on, at most `limit`."""
        ...


class LedgerFeed(Protocol):
    """A ledger that says when it grew."""

    @property
    def ledger_id(self) -> bytes:
        """Its id."""
        ...

    @property
    def size(self) -> int:
        """Entries known to be durable."""
        ...

    @property
    def reader(self) -> EntryReader:
        """Its reader in the thread of the event loop."""
        ...

    async def changed(self, since: int) -> int:
        """Wait until more than `since` entries can be read; how many can."""
        ...


def leaf_before(feed: LedgerFeed, next_index: int) -> bytes:
    """The leaf of the last entry before `next_index`; b"" where the ledger holds none such, or there is none."""
    found = feed.reader.read(next_index - 1, 1) if next_index else []
    return found[0].leaf if found else b""


async def holds(feed: LedgerFeed, next_index: int, last_leaf: bytes) -> bool:
    """Whether the ledger, once it is as long, still holds the last entry that was folded before `next_index`.

    It does not where an older copy was put in its place, which has grown past that since.
    """
    if next_index:
        await feed.changed(next_index - 1)
    return leaf_before(feed, next_index) == last_leaf


class Tail:
    """One follower's place in a ledger."""

    def __init__(self, feed: LedgerFeed, next_index: int, batch_entries: int, clock_ms: Callable[[], int]) -> None:
        self.next_index = next_index
        self._feed: Final = feed
        self._batch_entries: Final = batch_entries
        self._clock_ms: Final = clock_ms
        self._nudge: Final = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: int | None = None

    @property
    def drained(self) -> bool:
        """Whether everything known to be durable has been read."""
        return self.next_index >= self._feed.size

    def read(self) -> list[Recorded]:
        """The next entries, at most a batch of them."""
        batch = [recorded(stored) for stored in self._feed.reader.read(self.next_index, self._batch_entries)]
        self.next_index += len(batch)
        return batch

    async def watch(self) -> None:
        """Pass the ledger's growth on to `wait`. Runs for ever, as a task."""
        seen = self.next_index
        while True:
            seen = await self._feed.changed(seen)
            self._nudge.set()

    async def wait(self, wake_at: int | None) -> None:
        """Until there may be more to read, or it is `wake_at` (hub's ms). At most one timer is armed at any time."""
        self._arm(wake_at)
        if self.drained:
            await self._nudge.wait()
        self._nudge.clear()

    async def arrival(self) -> None:
        """After an empty read of what is known to be durable: until more of it came, as from another process."""
        await self._nudge.wait()
        self._nudge.clear()

    def stop(self) -> None:
        """Disarm the timer."""
        self._arm(None)

    def _arm(self, wake_at: int | None) -> None:
        if wake_at == self._timer_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = wake_at
        if wake_at is not None:
            loop = asyncio.get_running_loop()
            delay_s = max(wake_at - self._clock_ms(), 0) / MS_PER_S
            self._timer = loop.call_at(loop.time() + delay_s, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._nudge.set()
