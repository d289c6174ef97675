"""Whether the collector that feeds the streams is heard, and up to when what was received is all there was.

What is compared are instants of this machine: a pulse counts at the moment in which a newer one than before was found,
whatever the collector's clock says. Another clock, and a Redis that came back with an old pulse, prove nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from sla_engine.runners.redis_streams import end_if_cancelled
from wire.errors import DecodeError
from wire.stream import Pulse, decode_pulse
from wire.topics import PULSES_KEY

log = structlog.get_logger()


class Followed(Protocol):
    """The stream of a ledger that is being received."""

    @property
    def ledger_id(self) -> bytes:
        """Whose it is."""
        ...

    @property
    def received(self) -> int:
        """Entries received, counted from the ledger's start."""
        ...


class Instant(NamedTuple):
    """One moment by this machine's two clocks, ms: the one that may be set, and the one that may stand still."""

    clock_ms: int
    elapsed_ms: int


class _Awaited(NamedTuple):
    """A pulse that counts, as of `asked`, once `size` entries are received."""

    size: int
    asked: Instant


class Hearing:
    """Of all streams that one engine follows. look_s: how often it asks for pulses."""

    def __init__(
        self,
        redis: Redis,
        feeds: Mapping[str, Followed],
        *,
        look_s: float,
        clock_ms: Callable[[], int],
        elapsed_ms: Callable[[], int],
    ) -> None:
        self._redis: Final = redis
        self._feeds: Final = feeds
        self._look_s: Final = look_s
        self._clock_ms: Final = clock_ms
        self._elapsed_ms: Final = elapsed_ms
        self._told_at: dict[str, int] = {}
        self._awaited: dict[str, _Awaited] = {}
        self._complete: dict[str, Instant] = {}

    async def run(self) -> None:
        """Ask until cancelled. While Redis does not answer nothing is heard; who reads the streams says so."""
        while True:
            end_if_cancelled()
            asked = self.now()
            try:
                found: Any = await self._redis.hgetall(PULSES_KEY)
                self.take({client.decode(): decode_pulse(data) for client, data in found.items()}, asked)
            except (RedisError, DecodeError) as error:
                log.debug("engine.no_pulse", error=type(error).__name__)
            end_if_cancelled()
            await asyncio.sleep(self._look_s)

    def now(self) -> Instant:
        """This moment."""
        return Instant(self._clock_ms(), self._elapsed_ms())

    def take(self, pulses: Mapping[str, Pulse], asked: Instant) -> None:
        """What was found, having asked at `asked`. The first pulse of a ledger may be old, as one that goes back."""
        for client, feed in self._feeds.items():
            pulse = pulses.get(client)
            if pulse is None or pulse.ledger_id != feed.ledger_id:
                continue
            before = self._told_at.get(client)
            self._told_at[client] = pulse.told_at
            if before is not None and pulse.told_at > before:
                self._awaited.setdefault(client, _Awaited(pulse.size, asked))
        self._settle()

    def age_ms(self) -> int | None:
        """For how long no more is known to be complete, of the ledger heard of least lately; None = since ever."""
        self._settle()
        if not self._feeds.keys() <= self._complete.keys():
            return None
        now = self.now()
        ages = (
            max(now.clock_ms - heard.clock_ms, now.elapsed_ms - heard.elapsed_ms) for heard in self._complete.values()
        )
        return max(0, *ages)

    def told_at(self) -> int | None:
        """By the collector's clock (ms), when it last told of every ledger; None where some pulse was never found."""
        return min(self._told_at.values()) if self._feeds.keys() <= self._told_at.keys() else None

    def _settle(self) -> None:
        for client, awaited in list(self._awaited.items()):
            if self._feeds[client].received >= awaited.size:
                self._complete[client] = awaited.asked
                del self._awaited[client]
