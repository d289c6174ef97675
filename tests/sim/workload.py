"""What sources have to tell: conversations and site readings, every body unlike any other."""

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

import msgspec

from wire.body import Body
from wire.codec import KIND_OF, encode_body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Closed,
    CustomerLeft,
    CustomerTurn,
    LeftReason,
    Offered,
    Presence,
    PresenceChanged,
)
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading
from wire.kinds import Kind

QUEUES: Final = ("sales", "after-sales")
ACCOUNTS: Final = ("acc-1", "acc-2", "acc-3")
WAITING_MAX: Final = 6
UNQUEUED_EVERY: Final = 5
_HEAD = tuple[int, int, str, int, bool, str]


class Said(NamedTuple):
    """One event ready for an outbox."""

    kind: int
    kind_version: int
    body: bytes


def said(body: Body) -> Said:
    """A typed body as an outbox takes it."""
    kind, kind_version = KIND_OF[type(body)]
    return Said(kind, kind_version, encode_body(body))


class Conversations:
    """A platform's customers: they come, wait, are answered, leave. One event per call, no two of the same bytes."""

    def __init__(self, prefix: str, rng: Random, clock_ms: Callable[[], int]) -> None:
        self._prefix = prefix
        self._rng = rng
        self._clock_ms = clock_ms
        self._count = 0
        self._waiting: list[str] = []
        self._serving: list[str] = []
        self._queues: dict[str, str] = {}
        self._said = 0

    def next(self) -> Said:
        """The next thing that happens."""
        rng = self._rng
        choice = rng.random()
        if choice < 0.05:
            return self._presence()
        if self._serving and choice < 0.25:
            return self._serve(rng.choice(self._serving))
        if self._waiting and (choice < 0.6 or len(self._waiting) > WAITING_MAX):
            return self._answer(rng.randrange(len(self._waiting)))
        self._count += 1
        name = f"{self._prefix}-{self._count}"
        self._waiting.append(name)
        queue = self._queues[name] = rng.choice(QUEUES)
        if self._count % UNQUEUED_EVERY == 0:  # begun before its queue is known; some never name one
            if self._count % (2 * UNQUEUED_EVERY) == 0:
                self._queues[name] = ""
            return said(CustomerTurn(*self._head(name), name))
        return said(Offered(*self._head(name), name, queue))

    def _answer(self, at: int) -> Said:
        name = self._waiting.pop(at)
        if self._rng.random() < 0.2:
            return said(CustomerLeft(*self._head(name), name, self._rng.choice(list(LeftReason))))
        self._serving.append(name)
        account = self._rng.choice(ACCOUNTS)
        return said(
            self._rng.choice(
                (
                    AgentTurn(*self._head(name), name, account),
                    Assigned(*self._head(name), name, account),
                    Accepted(*self._head(name), name, account),
                )
            )
        )

    def _serve(self, name: str) -> Said:
        choice = self._rng.random()
        if choice < 0.4:
            self._serving.remove(name)
            return said(Closed(*self._head(name), name))
        if choice < 0.7:
            return said(CustomerTurn(*self._head(name), name, queue=self._queues[name]))
        return said(AgentTurn(*self._head(name), name, self._rng.choice(ACCOUNTS)))

    def _presence(self) -> Said:
        account, presence = self._rng.choice(ACCOUNTS), self._rng.choice(list(Presence))
        return said(PresenceChanged(*self._head(""), account, presence))

    def _head(self, shard_key: str) -> _HEAD:
        self._said += 1
        return self._clock_ms(), 1, self._prefix, self._said, True, shard_key


class SiteReadings:
    """What a seat or gateway probe says: heartbeats, and what the UPS does."""

    def __init__(
        self, site: str, seat: str, rng: Random, clock_ms: Callable[[], int], uptime_ms: Callable[[], int]
    ) -> None:
        self._site = site
        self._seat = seat
        self._rng = rng
        self._clock_ms = clock_ms
        self._uptime_ms = uptime_ms
        self._up = 0

    def next(self) -> Said:
        """The next reading. The lowest class (heartbeat) is the first to go when room runs out."""
        self._up = up = max(self._uptime_ms(), self._up + 1)
        head = (self._clock_ms(), 1, self._site, up, True, "")
        if self._seat or self._rng.random() < 0.6:
            role = Role.SEAT if self._seat else Role.GATEWAY
            return said(Heartbeat(*head, self._site, self._seat, role, 5_000, up))
        return said(UpsReading(*head, self._site, "ups-1", self._rng.choice(list(Power)), Comms.OK))


def poison(source: str, ordinal: int) -> Said:
    """A body of a known kind that does not decode, unlike any other."""
    return Said(Kind.HEARTBEAT, 1, msgspec.msgpack.encode([source, ordinal]))
