"""The feed for engines and boards in other processes: ledger tail to Redis stream. Redis is transport, not the record.

The stream's last id is the only resume point. Every append is conditional on it, in one script, so a second feeder, a
FLUSHALL or a restored older Redis is noticed at the next append, or by looking while there is nothing to append. Then
the stream is rebuilt from the ledger.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from collector.cancellation import end_if_cancelled
from collector.ledgers import LedgerHandle
from ledger.reader import LedgerReader
from wire.errors import DecodeError
from wire.limits import CHUNK_ENTRIES_MAX
from wire.stream import (
    BEFORE_FIELD,
    CHUNK_FIELD,
    Announced,
    Pulse,
    StreamEntry,
    chunk_id,
    decode_chunk,
    encode_announced,
    encode_chunk,
    encode_pulse,
    size_after,
)
from wire.topics import LEDGERS_KEY, PULSES_KEY, stream_name

log = structlog.get_logger()

EMPTY: Final = "0-0"
APPEND: Final = """
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for place = 1, #info, 2 do
    if info[place] == 'last-generated-id' then last = info[place + 1] end
  end
end
if last ~= ARGV[1] then return last end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], ARGV[2], ARGV[3], ARGV[5], ARGV[6], ARGV[7])
redis.call('HSET', KEYS[2], ARGV[8], ARGV[9])
return ARGV[2]
"""
"""Append a chunk if the stream ends where the feeder believes it does; answers the id it ends with afterwards.

The same step announces the ledger: a Redis emptied at any moment never holds a stream that nobody is told of.
"""


class RedisFeeder:
    """Copies the ledger of one client into its stream for as long as `run` runs.

    chunks_max: how many chunks the stream keeps. retry_s: pause after Redis did not answer. look_s: how long it is
    trusted to be as it was left while there is nothing to append.
    changed(size): returns once the ledger has more than `size` entries.
    """

    def __init__(
        self,
        redis: Redis,
        client: str,
        reader: LedgerReader,
        changed: Callable[[int], Awaitable[object]],
        *,
        chunks_max: int,
        retry_s: float,
        look_s: float,
    ) -> None:
        self._redis = redis
        self._client = client
        self._reader = reader
        self._changed = changed
        self._chunks_max = chunks_max
        self._retry_s = retry_s
        self._look_s = look_s
        self._stream = stream_name(reader.ledger_id)
        self._append = redis.register_script(APPEND)
        self.fed = 0
        """Ledger entries up to here are in the stream."""
        self.rebuilds = 0

    async def run(self) -> None:
        """Feed until cancelled; survives Redis being away, emptied or replaced."""
        while True:
            try:
                self.fed = await self._resume_at()
                while True:
                    end_if_cancelled()
                    if not await self._feed_some():
                        await self._wait()
            except RedisError as error:
                log.warning("feed.redis_unavailable", stream=self._stream, error=type(error).__name__)
                end_if_cancelled()
                await asyncio.sleep(self._retry_s)

    async def _wait(self) -> None:
        """Until there is more to feed, or the stream turns out not to be what it was."""
        end_if_cancelled()
        try:
            async with asyncio.timeout(self._look_s):
                await self._changed(self.fed)
        except TimeoutError:
            self.fed = await self._resume_at()

    async def _feed_some(self) -> bool:
        """Append the next chunk. False when the ledger has no more."""
        entries = self._reader.read(self.fed, CHUNK_ENTRIES_MAX)
        if not entries:
            return False
        chunk = [
            StreamEntry(e.index, e.received_at, e.source, e.epoch, e.sequence, e.kind, e.kind_version, e.body, e.leaf)
            for e in entries
        ]
        new_size = entries[-1].index + 1
        believed = chunk_id(self.fed) if self.fed else EMPTY
        arguments: list[Any] = [believed, chunk_id(new_size), CHUNK_FIELD, self._chunks_max, encode_chunk(chunk)]
        arguments += [BEFORE_FIELD, self._leaf_before(self.fed), self._client, self._announcement()]
        ends_with = _text(await self._append(keys=[self._stream, LEDGERS_KEY], args=arguments))
        if ends_with == chunk_id(new_size):
            self.fed = new_size
        else:
            log.warning("feed.stream_changed", stream=self._stream, believed=believed, found=ends_with)
            self.fed = await self._resume_at()
        return True

    async def _resume_at(self) -> int:
        """Announce the ledger, and say where to go on.

        A stream that is ahead of the ledger, or ends with an entry the ledger does not hold, is dropped and rebuilt: it
        was fed from a past that a restore took back.
        """
        await self._redis.hset(LEDGERS_KEY, self._client, self._announcement())
        size = self._reader.size()
        there = size_after(await self._last_id())
        problem = ""
        if there > size:
            problem = "feed.stream_ahead_of_ledger"
        elif there and await self._last_leaf() != self._leaf_before(there):
            problem = "feed.stream_of_another_past"
        if problem:
            log.error(problem, stream=self._stream, stream_size=there, size=size)
            await self._redis.delete(self._stream)
            self.rebuilds += 1
            return 0
        if there == 0 and self.fed:
            self.rebuilds += 1
        return there

    def _announcement(self) -> bytes:
        return encode_announced(Announced(self._reader.ledger_id, self._reader.size()))

    def _leaf_before(self, index: int) -> bytes:
        """The leaf of the ledger entry before `index`; b"" before the first."""
        return self._reader.read(index - 1, 1)[0].leaf if index else b""

    async def _last_leaf(self) -> bytes:
        """The leaf of the entry the stream ends with; b"" where it says none."""
        newest: Any = await self._redis.xrevrange(self._stream, count=1)
        try:
            return decode_chunk(newest[0][1][CHUNK_FIELD])[-1].leaf
        except (LookupError, DecodeError):
            return b""

    async def _last_id(self) -> str:
        try:
            info = await self._redis.xinfo_stream(self._stream)
        except ResponseError as error:
            if "no such key" in str(error):
                return EMPTY
            raise
        return _text(info["last-generated-id"])


class RedisPulse:
    """Says of every ledger, again and again, that its collector lives and how long the ledger is by now.

    A stream that says nothing new may be one of quiet times or one that nobody feeds any more: this tells them apart.
    """

    def __init__(
        self, redis: Redis, ledgers: Mapping[str, LedgerHandle], *, every_s: float, clock_ms: Callable[[], int]
    ) -> None:
        self._redis = redis
        self._ledgers = ledgers
        self._every_s = every_s
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """Tell until cancelled. While Redis does not answer it is tried again; the feeders say so."""
        while True:
            end_if_cancelled()
            told_at = self._clock_ms()
            pulses: dict[Any, Any] = {
                client: encode_pulse(Pulse(ledger.ledger_id, ledger.size, told_at))
                for client, ledger in self._ledgers.items()
            }
            with suppress(RedisError):
                await self._redis.hset(PULSES_KEY, mapping=pulses)
            end_if_cancelled()
            await asyncio.sleep(self._every_s)


def _text(value: bytes | str) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value
