"""What a sensor is: it measures. The runner owns deadlines, jitter, back-off and what is worth saying."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol, TypedDict, runtime_checkable

from agent_probe._core.gate import Rhythm
from wire.body import Body
from wire.limits import DURATION_MAX_MS


class Head(TypedDict):
    """What every body of a probe begins with, see wire.body."""

    occurred_at: int
    resolution_ms: int
    clock: str
    monotonic_ms: int
    synced: bool
    shard_key: str


class Stamp(NamedTuple):
    """An instant by the probe's clocks, in ms. wall: since the Unix epoch. monotonic: counts suspended time too."""

    wall: int
    monotonic: int
    synced: bool

    def head(self, clock_domain: str) -> Head:
        """The head of a body about this instant: for every shard, since no conversation is meant."""
        return Head(
            occurred_at=self.wall,
            resolution_ms=1,
            clock=clock_domain,
            monotonic_ms=self.monotonic,
            synced=self.synced,
            shard_key="",
        )

    def held_ms(self, since: int) -> int:
        """How long what began at `since` (monotonic) has held, as the wire takes it.

        0 where it began later: a sample is stamped first, and what it tells may change while it is taken.
        """
        return min(max(self.monotonic - since, 0), DURATION_MAX_MS)


class Reading(NamedTuple):
    """What one sample found.

    about: the thing measured; the newest reading of a thing is its present state. state: what counts as a change, and
    nothing else. body: builds the message, called only when the reading is worth saying. urgent: everything the probe
    knows goes out again beside it, because it may be the last thing this probe says. once: something that happened and
    is over: recorded, and no part of the present state.
    """

    about: str
    state: Hashable
    rhythm: Rhythm
    body: Callable[[], Body]
    urgent: bool = False
    once: bool = False


class Schedule(NamedTuple):
    """How often a sensor is sampled, how long a sample may take, and how long to wait after failures. Times in ms."""

    interval_ms: int
    deadline_ms: int
    retry_first_ms: int
    retry_last_ms: int


class Sensor(Protocol):
    """Three phases, three meanings of failure.

    The configuration was checked before (fatal); open and sample may raise ProbeUnavailable (retried); what holds
    meanwhile is said by `unavailable`. A sensor may change its schedule between samples.
    """

    name: str
    schedule: Schedule

    async def open(self) -> None:
        """Get ready. Raises ProbeUnavailable."""

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """Measure once. Raises ProbeUnavailable; cancelled when it takes longer than the deadline."""

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:
        """What holds while open or sample fails for `cause`."""

    async def close(self) -> None:
        """Let go of everything; may be called at any time and repeatedly."""


@runtime_checkable
class TellsEarly(Protocol):
    """A sensor that may know something before its interval is over: it sets `news`, and is sampled at once."""

    news: asyncio.Event
