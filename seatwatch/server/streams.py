"""Ledgers by way of Redis, where collector and engine are processes of their own: fed by one, followed by the other."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import NamedTuple

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from collector.feed_redis import RedisFeeder, RedisPulse
from collector.ledgers import LedgerHandle
from seatwatch.clock import elapsed_ms, now_ms
from seatwatch.server.beside import Beside
from seatwatch.server.unheard import Unheard
from seatwatch.settings import Defaults
from sla_engine.runners.redis_pulse import Hearing
from sla_engine.runners.redis_streams import RedisFeed, announced_ledgers, known_size
from wire.errors import DecodeError
from wire.stream import Announced

log = structlog.get_logger()


class Streams(NamedTuple):
    """What is followed, by client or "operator", and what to show while nobody feeds it."""

    feeds: dict[str, RedisFeed]
    unheard: Unheard


def connect(url: str, stack: AsyncExitStack, defaults: Defaults) -> Redis:
    """A client of that Redis; who uses it tries again, at a pace of ours and ready to be stopped.

    A Redis that holds its connections and says nothing is given up like one that is gone. A read that waits for news is
    not cut short by that: it may wait its time, and then the answer has its own.
    """
    keep = {} if url.startswith("unix:") else {"socket_keepalive": True}
    redis = Redis.from_url(
        url,
        # Format: RESP2 of Redis.
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=defaults.seconds("collector.feed_connect"),
        socket_timeout=defaults.seconds("engine.stream_block") + defaults.seconds("collector.feed_answer"),
        **keep,
    )
    stack.push_async_callback(redis.aclose)
    return redis


async def feed(
    redis: Redis,
    ledgers: Mapping[str, LedgerHandle],
    beside: Beside,
    *,
    defaults: Defaults,
    clock_ms: Callable[[], int],
) -> None:
    """Copy every ledger into its stream, and tell that somebody does. clock_ms: time as it goes on the record."""
    for client, handle in ledgers.items():
        feeder = RedisFeeder(
            redis,
            client,
            handle.open_reader(),
            handle.changed,
            chunks_max=defaults.int("collector.feed_chunks_max"),
            retry_s=defaults.seconds("collector.feed_retry"),
            look_s=defaults.seconds("collector.feed_look"),
        )
        await beside(feeder.run(), name=f"feed[{client}]")
    pulse = RedisPulse(redis, ledgers, every_s=defaults.seconds("collector.feed_pulse"), clock_ms=clock_ms)
    await beside(pulse.run(), name="feed pulse")


async def follow(
    redis: Redis, wanted: set[str], beside: Beside, stop: asyncio.Event, *, defaults: Defaults
) -> Streams | None:
    """Follow the stream of each wanted client once its feeder has announced it; None when told to stop before."""
    retry_s = defaults.seconds("collector.feed_retry")
    ledgers: dict[str, Announced] = {}
    sizes: dict[str, int] = {}
    while not wanted <= sizes.keys():
        try:
            ledgers = await announced_ledgers(redis)
            sizes = {client: await known_size(redis, ledgers[client]) for client in wanted & ledgers.keys()}
        except (RedisError, DecodeError) as error:
            log.warning("engine.redis_unavailable", error=type(error).__name__)
        if not wanted <= sizes.keys():
            with suppress(TimeoutError):
                async with asyncio.timeout(retry_s):
                    await stop.wait()
        if stop.is_set():
            return None
    feeds = {}
    for client in wanted:
        feeds[client] = RedisFeed(
            redis,
            ledgers[client].ledger_id,
            sizes[client],
            entries_max=defaults.int("engine.stream_entries_max"),
            block_ms=defaults.ms("engine.stream_block"),
            retry_s=retry_s,
        )
        await beside(feeds[client].run(), name=f"stream[{client}]")
    look_s = defaults.seconds("engine.pulse_look")
    hearing = Hearing(redis, feeds, look_s=look_s, clock_ms=now_ms, elapsed_ms=elapsed_ms)
    await beside(hearing.run(), name="hearing")
    return Streams(feeds, Unheard(hearing, now_ms, most_ms=defaults.ms("board.stale_after")))
