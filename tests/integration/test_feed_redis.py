"""The Redis stream is a view of the ledger: whatever happens to it, it becomes the ledger again, with nothing twice."""

import asyncio
import io
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from collector.feed_redis import RedisFeeder
from ledger.entry import NewEntry, StoredEntry
from ledger.reader import LedgerReader
from ledger.segment import LedgerSettings
from ledger.writer import LedgerWriter
from seatwatch.server.streams import connect
from seatwatch.settings import Defaults, load_defaults
from sla_engine.runners.redis_streams import FeedDiverged, RedisFeed, announced_ledgers, known_size
from sla_engine.runners.tail import holds
from tests.relays import black_hole
from tests.servers import Server
from tests.waiting import wait_until
from wire.codec import encode_body
from wire.conversation import CustomerTurn
from wire.kinds import Kind
from wire.stream import BEFORE_FIELD, CHUNK_FIELD, Announced, StreamEntry, decode_chunk
from wire.topics import LEDGERS_KEY, stream_name

EPOCH = bytes(16)
SHIPPED = load_defaults()
SOON = Defaults(
    {
        **SHIPPED,
        "engine.stream_block": replace(SHIPPED["engine.stream_block"], value=0.4),
        "collector.feed_answer": replace(SHIPPED["collector.feed_answer"], value=0.3),
    }
)
"""As shipped, but a silent Redis is given up soon: both times together are what an answer may take."""


class Reachable(Protocol):
    """Redis itself, or what stands in front of it."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class Growing:
    """A ledger that grows on request, and the wake-up a feeder waits on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.writer = LedgerWriter.open(directory, settings=settings(), clock_ms=lambda: 1_000)
        self._grown = asyncio.Event()

    def grow(self, entries: int, *, conversation: str = "conversation") -> None:
        start = self.writer.size + 1
        body = encode_body(CustomerTurn(1_000, 1, "chat", None, True, "c", conversation))
        rows = [NewEntry("chat/acme", EPOCH, start + n, Kind.CUSTOMER_TURN, 1, body) for n in range(entries)]
        self.writer.commit(rows, received_at=1_000, marks={("chat/acme", EPOCH): start + entries - 1})
        self._grown.set()

    def restore(self, entries: int) -> None:
        """Another past of the same ledger: the first `entries` as they were, nothing after them."""
        self.writer.close()
        kept = LedgerReader.open(self.directory)
        ledger_id, salts = kept.ledger_id, b"".join(stored.salt or b"" for stored in kept.read(0, entries))
        kept.close()
        shutil.rmtree(self.directory)
        drawn = io.BytesIO(salts)
        self.writer = LedgerWriter.open(
            self.directory,
            settings=settings(),
            clock_ms=lambda: 1_000,
            ledger_id=ledger_id,
            random_bytes=lambda count: drawn.read(count) or os.urandom(count),
        )
        self.grow(entries)

    async def changed(self, size: int) -> None:
        while self.writer.size <= size:
            self._grown.clear()
            await self._grown.wait()


def settings() -> LedgerSettings:
    return load_defaults().fill(LedgerSettings, "ledger")


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Growing]:
    ledger = Growing(tmp_path / "ledger")
    ledger.grow(250)
    yield ledger
    ledger.writer.close()


@asynccontextmanager
async def feeding(growing: Growing, server: Reachable) -> AsyncIterator[tuple[RedisFeeder, Redis]]:
    async with AsyncExitStack() as stack:
        redis = connect(f"redis://{server.host}:{server.port}/0", stack, SOON)
        reader = LedgerReader.open(growing.directory)
        stack.callback(reader.close)
        feeder = RedisFeeder(redis, "acme", reader, growing.changed, chunks_max=1000, retry_s=0.05, look_s=0.05)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(feeder.run(), name="feeder")
            try:
                yield feeder, redis
            finally:
                task.cancel()


async def announced_of(redis: Redis) -> Announced | None:
    return (await announced_ledgers(redis)).get("acme")


async def indexes(redis: Redis, growing: Growing) -> list[int]:
    chunks: Any = await redis.xrange(stream_name(growing.writer.ledger_id))
    return [entry.index for _, fields in chunks for entry in decode_chunk(fields[CHUNK_FIELD])]


async def leaves(redis: Redis, growing: Growing) -> list[bytes]:
    chunks: Any = await redis.xrange(stream_name(growing.writer.ledger_id))
    return [entry.leaf for _, fields in chunks for entry in decode_chunk(fields[CHUNK_FIELD])]


def stored(growing: Growing) -> list[StoredEntry]:
    reader = LedgerReader.open(growing.directory)
    entries = reader.read(0, growing.writer.size)
    reader.close()
    return entries


async def test_the_stream_becomes_the_ledger_in_chunks_of_a_hundred(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        growing.grow(3)
        await wait_until(lambda: feeder.fed == 253, what="the new entries to be fed")
        assert await indexes(redis, growing) == list(range(253))
        assert await redis.xlen(stream_name(growing.writer.ledger_id)) == 4


async def test_a_flushed_redis_is_rebuilt_from_the_ledger(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        await redis.flushall()
        growing.grow(1)
        await wait_until(lambda: feeder.fed == 251 and feeder.rebuilds == 1, what="the stream to be rebuilt")
        assert await indexes(redis, growing) == list(range(251))


async def test_a_flushed_redis_is_rebuilt_though_nothing_new_happens(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        await redis.flushall()
        await wait_until(lambda: feeder.rebuilds == 1 and feeder.fed == 250, what="the stream to be rebuilt")
        assert await indexes(redis, growing) == list(range(250))


async def test_an_engine_knows_how_long_the_ledger_is_while_its_stream_is_being_filled_anew(
    growing: Growing, redis_server: Server
) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        await redis.flushall()
        announced = await wait_until(lambda: announced_of(redis), what="the ledger to be announced again")
        assert announced == Announced(growing.writer.ledger_id, 250)
        await redis.delete(stream_name(growing.writer.ledger_id))
        assert await known_size(redis, announced) == 250


async def test_a_ledger_that_grows_all_the_time_is_announced_again_with_the_next_chunk_though_redis_was_emptied(
    growing: Growing, redis_server: Server
) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        await redis.hdel(LEDGERS_KEY, "acme")  # emptied between the announcement and the first chunk
        growing.grow(3)
        await wait_until(lambda: feeder.fed == 253, what="the new entries to be fed")
        assert await announced_of(redis) == Announced(growing.writer.ledger_id, 253)


async def test_a_follower_that_goes_back_knows_how_far_it_has_been(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        feed = RedisFeed(redis, growing.writer.ledger_id, 100, entries_max=1000, block_ms=50, retry_s=0.05)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(feed.run(), name="follow")
            assert await holds(feed, 250, stored(growing)[249].leaf)  # where facts end that were ahead of the state
            assert feed.read(120, 10) == [], "it has to be asked for again"
            assert feed.size == 250, "who folds from entry 120 has not caught up before entry 250"
            task.cancel()


async def test_a_follower_reads_on_where_it_was_after_its_stream_was_cut_and_filled_anew(
    growing: Growing, redis_server: Server
) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        growing.grow(3)
        await wait_until(lambda: feeder.fed == 253, what="the ledger to be fed")
        feed = RedisFeed(redis, growing.writer.ledger_id, 253, entries_max=1000, block_ms=50, retry_s=0.05)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(feed.run(), name="follow")
            assert await feed.changed(251) == 253
            await redis.flushall()
            growing.grow(5)
            assert await feed.changed(257) == 258
            assert [entry.index for entry in feed.read(251, 100)] == list(range(251, 258))
            task.cancel()


async def test_a_killed_redis_costs_nothing(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        redis_server.kill()
        growing.grow(10)
        redis_server.start()
        await wait_until(lambda: feeder.fed == 260, what="the stream to be rebuilt")
        assert await indexes(redis, growing) == list(range(260))


async def test_two_feeders_write_every_entry_once(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server) as (first, redis), feeding(growing, redis_server) as (second, _):
        for _ in range(20):
            growing.grow(7)
            await asyncio.sleep(0)
        await wait_until(lambda: first.fed == second.fed == 390, what="both feeders to reach the end")
        assert await indexes(redis, growing) == list(range(390))


async def test_a_stream_ahead_of_a_restored_ledger_is_dropped(growing: Growing, redis_server: Server) -> None:
    redis = Redis(host=redis_server.host, port=redis_server.port, protocol=2)
    await redis.xadd(stream_name(growing.writer.ledger_id), {"c": b"from a later ledger"}, id="9000-0")
    await redis.aclose()
    async with feeding(growing, redis_server) as (feeder, reading):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
        assert await indexes(reading, growing) == list(range(250))


async def test_a_stream_of_another_past_is_dropped_though_the_restored_ledger_has_grown_past_it(
    growing: Growing, redis_server: Server
) -> None:
    async with feeding(growing, redis_server) as (feeder, _):
        await wait_until(lambda: feeder.fed == 250, what="the ledger to be fed")
    growing.restore(240)
    growing.grow(30, conversation="another")
    async with feeding(growing, redis_server) as (feeder, redis):
        await wait_until(lambda: feeder.fed == 270 and feeder.rebuilds == 1, what="the stream to be rebuilt")
        assert await leaves(redis, growing) == [entry.leaf for entry in stored(growing)]


@asynccontextmanager
async def following(growing: Growing, server: Reachable) -> AsyncIterator[tuple[RedisFeed, asyncio.Task[None]]]:
    async with AsyncExitStack() as stack:
        redis = connect(f"redis://{server.host}:{server.port}/0", stack, SOON)
        feed = RedisFeed(redis, growing.writer.ledger_id, 250, entries_max=1000, block_ms=50, retry_s=0.05)
        task = asyncio.get_running_loop().create_task(feed.run(), name="follow")
        try:
            yield feed, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_follower_ends_when_its_stream_goes_on_from_another_past(
    growing: Growing, redis_server: Server
) -> None:
    async with following(growing, redis_server) as (feed, task):
        async with feeding(growing, redis_server):
            assert await feed.changed(249) == 250
        growing.restore(240)
        growing.grow(60, conversation="another")
        async with feeding(growing, redis_server):
            with pytest.raises(FeedDiverged, match="entry 249 is not the one read before"):
                await task


async def test_another_past_is_seen_where_a_chunk_begins_right_after_what_was_read(
    growing: Growing, redis_server: Server
) -> None:
    async with following(growing, redis_server) as (feed, _):
        feed.read(0, 1)
        feed._take([StreamEntry(n, 1, "chat", EPOCH, n + 1, 8, 1, b"", bytes([n])) for n in range(2)], b"")
        with pytest.raises(FeedDiverged, match="entry 1 "):
            feed._take([StreamEntry(2, 1, "chat", EPOCH, 3, 8, 1, b"", b"leaf")], b"of another past")


@pytest.mark.parametrize("foreign", [{"foo": "bar"}, {CHUNK_FIELD: b"no chunk", BEFORE_FIELD: b""}])
async def test_what_somebody_else_writes_into_the_stream_ends_no_follower(
    growing: Growing, redis_server: Server, foreign: dict[Any, Any]
) -> None:
    async with feeding(growing, redis_server) as (feeder, redis), following(growing, redis_server) as (feed, _):
        assert await feed.changed(249) == 250
        with capture_logs() as logs:
            await redis.hset(LEDGERS_KEY, "somebody", b"else")
            await redis.xadd(stream_name(growing.writer.ledger_id), foreign)
            await wait_until(lambda: feeder.rebuilds == 1, what="the stream to be made anew")
            growing.grow(1)
            assert await feed.changed(250) == 251
        assert "engine.stream_foreign" in {log["event"] for log in logs}


async def test_a_follower_can_go_back_to_what_it_has_let_go_of(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server), following(growing, redis_server) as (feed, _):
        assert await feed.changed(248) == 250
        assert [entry.index for entry in feed.read(248, 9)] == [248, 249]
        feed.read(0, 9)
        assert await feed.changed(249) == 250
        assert [entry.leaf for entry in feed.read(0, 300)] == [entry.leaf for entry in stored(growing)]


async def test_connections_that_are_swallowed_are_given_up_by_both_and_made_anew(
    growing: Growing, redis_server: Server
) -> None:
    async with (
        black_hole(redis_server.port) as between,
        feeding(growing, between) as (feeder, _),
        following(growing, between) as (feed, _),
    ):
        assert await feed.changed(249) == 250
        with capture_logs() as logs:
            between.swallow()
            growing.grow(10)
            await wait_until(lambda: feed.received == 260, what="what is new to come through")
        gave_up = {(log["event"], log["error"]) for log in logs}
        assert gave_up == {("feed.redis_unavailable", "TimeoutError"), ("engine.redis_unavailable", "TimeoutError")}
        assert (feeder.fed, feeder.rebuilds) == (260, 0)


async def test_a_redis_that_stands_still_is_given_up_and_caught_up_with(growing: Growing, redis_server: Server) -> None:
    async with feeding(growing, redis_server) as (feeder, redis), following(growing, redis_server) as (feed, _):
        assert await feed.changed(249) == 250
        await wait_until(lambda: feeder.fed == 250, what="the answer to the last chunk")
        with capture_logs() as logs:
            redis_server.pause()
            growing.grow(10)
            names = {"feed.redis_unavailable", "engine.redis_unavailable"}
            await wait_until(lambda: names <= {log["event"] for log in logs}, what="both to give it up")
        assert feeder.fed == 250
        redis_server.resume()
        await wait_until(lambda: feed.received == 260, what="what is new to come through")
        assert await indexes(redis, growing) == list(range(260))


async def test_a_read_may_wait_for_news_for_longer_than_an_answer_may_take(redis_server: Server) -> None:
    async with AsyncExitStack() as stack:
        block_ms = SOON.ms("engine.stream_block")
        assert block_ms > SOON.ms("collector.feed_answer")
        redis = connect(f"redis://{redis_server.host}:{redis_server.port}/0", stack, SOON)
        assert not await redis.xread({"nothing": "0-0"}, block=block_ms), "it waits its time, and nothing came"
