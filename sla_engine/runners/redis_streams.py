"""A ledger followed through its Redis stream, for an engine in a process or on a machine of its own.

It looks like a ledger that says when it grew, so the same runner follows either. What was read is kept in memory until
it is folded, up to a bound. Redis may be killed, emptied or replaced: the feeder makes the stream the ledger again, and
this side waits for the entry it needs next.
"""

import asyncio
from collections import deque
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ledger.entry import StoredEntry
from sla_engine.runners.tail import FeedEnded
from wire.errors import DecodeError
from wire.stream import Announced, StreamEntry, chunk_id, decode_announced, decode_fields, size_after
from wire.topics import LEDGERS_KEY, stream_name

log = structlog.get_logger()


class FeedGap(FeedEnded):
    """The stream begins after the entry that is needed: it was trimmed. Whoever follows must read the ledger itself."""

    def __init__(self, stream: str, wanted: int, first: int) -> None:
        super().__init__(
            f"{stream} begins at entry {first}, entry {wanted} is needed; "
            "start the engine once beside the ledger, or raise collector.feed_chunks_max"
        )


class FeedDiverged(FeedEnded):
    """The stream goes on from another past than was read: the ledger was restored. A new start notices, and replays."""

    def __init__(self, stream: str, index: int) -> None:
        super().__init__(f"{stream}: entry {index} is not the one read before; the ledger was restored, start again")


async def announced_ledgers(redis: Redis) -> dict[str, Announced]:
    """Client (or "operator") -> its ledger, as the feeders announce them; empty before any feeder ran.

    DecodeError where somebody else wrote there.
    """
    found: Any = await redis.hgetall(LEDGERS_KEY)
    return {client.decode(): decode_announced(data) for client, data in found.items()}


async def known_size(redis: Redis, announced: Announced) -> int:
    """How many entries that ledger has at least, whatever has become of its stream since."""
    newest: Any = await redis.xrevrange(stream_name(announced.ledger_id), count=1)
    return max(announced.size, size_after(newest[0][0]) if newest else 0)


def end_if_cancelled() -> None:
    """Take up a cancellation that was lost: redis-py sends by asyncio.wait_for, which may swallow it on 3.11."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class RedisFeed:
    """The feed of one ledger. `run` reads ahead, from the entry that was last asked for; `reader` hands out.

    known: how many entries there were at the start; until they are received, a read may come back with less than there
    is. entries_max: how many may wait to be folded. block_ms: how long one read waits for news.
    retry_s: pause after Redis did not answer.
    """

    def __init__(
        self,
        redis: Redis,
        ledger_id: bytes,
        known: int,
        *,
        entries_max: int,
        block_ms: int,
        retry_s: float,
    ) -> None:
        self.ledger_id: bytes = ledger_id
        self._redis: Final = redis
        self._stream: Final = stream_name(ledger_id)
        self._known = known
        self._entries_max: Final = entries_max
        self._block_ms: Final = block_ms
        self._retry_s: Final = retry_s
        self._received = -1
        self._last_leaf: bytes | None = None
        self._waiting: deque[StoredEntry] = deque()
        self._grown = asyncio.Event()
        self._room = asyncio.Event()
        self._asked = asyncio.Event()

    @property
    def size(self) -> int:
        """Entries known of, counted from the ledger's start."""
        return max(self._known, self._received)

    @property
    def received(self) -> int:
        """Entries received of the stream, counted from the ledger's start; below zero before anything was asked for."""
        return self._received

    @property
    def reader(self) -> "RedisFeed":
        """It reads itself."""
        return self

    def read(self, first: int, limit: int) -> list[StoredEntry]:
        """Entries from `first` on, at most `limit`. What lies before the one before `first` is let go of.

        Asked for what it has let go of, it begins anew there.
        """
        self._go_to(first)
        while self._waiting and self._waiting[0].index < first - 1:
            self._waiting.popleft()
        self._room.set()
        skipped = 1 if self._waiting and self._waiting[0].index < first else 0
        return [self._waiting[place] for place in range(skipped, min(skipped + limit, len(self._waiting)))]

    async def changed(self, since: int) -> int:
        """Wait until more than the first `since` entries were received, and say how many."""
        self._go_to(since)
        while self._received <= since:
            await self._grown.wait()
        return self._received

    def _go_to(self, first: int) -> None:
        """Begin at `first`, unless what is held or received next reaches back to it."""
        oldest = self._waiting[0].index if self._waiting else self._received
        if 0 <= oldest <= first:
            return
        # what was there once still counts as there: whoever goes back would else believe to have caught up half-way
        self._known = self.size
        self._waiting.clear()
        self._received = first
        self._last_leaf = None
        self._room.set()
        self._asked.set()

    async def run(self) -> None:
        """Read ahead until cancelled. Raises FeedGap, FeedDiverged."""
        await self._asked.wait()
        while True:
            end_if_cancelled()
            try:
                await self._read_some()
            except RedisError as error:
                log.warning("engine.redis_unavailable", stream=self._stream, error=type(error).__name__)
                end_if_cancelled()
                await asyncio.sleep(self._retry_s)
            except DecodeError as error:  # the feeder finds that as well, and makes the stream anew
                log.warning("engine.stream_foreign", stream=self._stream, error=error.detail)
                end_if_cancelled()
                await asyncio.sleep(self._retry_s)

    async def _read_some(self) -> None:
        while len(self._waiting) >= self._entries_max:
            self._room.clear()
            await self._room.wait()
        asked = self._received
        # Batch: chunks of one read.
        found: Any = await self._redis.xread({self._stream: chunk_id(asked)}, count=10, block=self._block_ms)
        if not found:
            await self._look()
        if self._received != asked:  # sent elsewhere meanwhile
            return
        for _, chunks in found or ():
            for _, fields in chunks:
                self._take(*decode_fields(fields))
        if found:
            self._grown.set()
            self._grown = asyncio.Event()

    async def _look(self) -> None:
        """Nothing came: perhaps because the ledger is shorter by now than what was read of it."""
        for announced in (await announced_ledgers(self._redis)).values():
            if announced.ledger_id == self.ledger_id and await known_size(self._redis, announced) < self._received:
                raise FeedDiverged(self._stream, self._received - 1)

    def _take(self, chunk: list[StreamEntry], before: bytes) -> None:
        """Keep what is new of a chunk: after a rebuild, chunks may be cut elsewhere than before.

        before: leaf of the entry before the chunk.
        """
        for entry in chunk:
            if entry.index > self._received:
                raise FeedGap(self._stream, self._received, entry.index)
            if entry.index == self._received:
                if self._last_leaf is not None and before != self._last_leaf:
                    raise FeedDiverged(self._stream, self._received - 1)
                self._waiting.append(
                    StoredEntry(
                        entry.index,
                        entry.received_at,
                        entry.source,
                        entry.epoch,
                        entry.sequence,
                        entry.kind,
                        entry.kind_version,
                        salt=None,
                        body=entry.body,
                        leaf=entry.leaf,
                    )
                )
                self._received += 1
                self._last_leaf = entry.leaf
            before = entry.leaf
