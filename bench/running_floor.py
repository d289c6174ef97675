"""The floor that a running server is measured under: ten sources over the real HTTP door, from a process of their own.

Every conversation waits for its first reply, so each holds one live deadline, until it is answered or falls due. Ages
are spread evenly over the limit, so that deadlines go by at the pace at which new ones come: about 170 warnings and as
many overdue notices a second with 100,000 of them live.
"""

import asyncio
import os
import random
from collections.abc import Iterator, Sequence
from multiprocessing.synchronize import Event
from typing import Any, Final

import aiohttp
import msgspec

from seatwatch.clock import now_ms
from wire.body import Body
from wire.codec import KIND_OF, decode_ack, encode_body, encode_frame
from wire.conversation import Activity, AgentTurn, Assigned, Closed, CustomerTurn, Offered, Presence, PresenceChanged
from wire.frame import Frame, Item, Lane
from wire.limits import FRAME_VERSION

SOURCES: Final = 10
QUEUES: Final = 20
PEOPLE: Final = 400
FRAMES_PER_S: Final = 10
"""Of each source: half of what the door lets one credential send."""
LIMIT_MS: Final = 600_000
WARNING_MS: Final = 300_000
"""Of the first response in this bench: long, so that 100,000 deadlines stay live without 10,000 events a second."""
FIRST_FRAME_ITEMS: Final = 400
ASSIGNED_SHARE: Final = 0.5
TICK: Final = ("offer", "assign", "offer", "turn", "reply", "offer", "assign", "reply", "offer", "close")
"""What happens in ten events: four deadlines come, two are met, and about as many as are left fall due meanwhile."""


class Teller:
    """One platform connector's conversations, and what happens in them."""

    def __init__(self, name: str, seed: int) -> None:
        self._name = name
        self._random = random.Random(seed)
        self._waiting: list[str] = []
        self._answered: list[str] = []
        self._told = 0

    def beginning(self, now: int, conversations: int) -> list[Body]:
        """People who are ready, and conversations that began within the last limit, the oldest first."""
        bodies: list[Body] = []
        if self._name.endswith("-0"):
            bodies += [
                PresenceChanged(*head(now - LIMIT_MS, ""), f"account-{n}", Presence.READY, Activity.IDLE)
                for n in range(PEOPLE)
            ]
        for number in range(conversations):
            at = now - LIMIT_MS + (number + 1) * LIMIT_MS // conversations
            bodies.append(self._offer(at))
            if self._random.random() < ASSIGNED_SHARE:
                bodies.append(self._assign(at, self._waiting[-1]))
        return bodies

    def events(self, now: int, count: int) -> Iterator[Body]:
        """`count` events that happen now."""
        for _ in range(count):
            yield self._event(TICK[self._told % len(TICK)], now)
            self._told += 1

    def _event(self, what: str, now: int) -> Body:
        match what:
            case "assign" if self._waiting:
                return self._assign(now, self._random.choice(self._waiting))
            case "turn" if self._waiting:
                key = self._random.choice(self._waiting)
                return CustomerTurn(*head(now, key), key)
            case "reply" if self._waiting:
                key = self._taken(self._waiting)
                self._answered.append(key)
                return AgentTurn(*head(now, key), key, self._account())
            case "close" if self._answered:
                key = self._taken(self._answered)
                return Closed(*head(now, key), key)
            case _:
                return self._offer(now)

    def _offer(self, at: int) -> Offered:
        key = f"{self._name}-{len(self._waiting):06d}-{self._random.getrandbits(32):08x}"
        self._waiting.append(key)
        return Offered(*head(at, key), key, f"queue-{self._random.randrange(QUEUES)}")

    def _assign(self, at: int, key: str) -> Assigned:
        return Assigned(*head(at, key), key, self._account())

    def _account(self) -> str:
        return f"account-{self._random.randrange(PEOPLE)}"

    def _taken(self, keys: list[str]) -> str:
        """One of them at random, taken out."""
        place = self._random.randrange(len(keys))
        keys[place], keys[-1] = keys[-1], keys[place]
        return keys.pop()


class Sender:
    """One source at the door: numbers what is told, sends a frame, and takes 200 for nothing but "durable"."""

    def __init__(self, http: aiohttp.ClientSession, url: str, source: str) -> None:
        self._http = http
        self._url = url
        self._source = source
        self._epoch = os.urandom(16)
        self.sent = 0
        self.acknowledged = 0
        self.refused = 0

    async def send(self, bodies: Sequence[Body]) -> None:
        """Send them until they are durable."""
        items = []
        for body in bodies:
            self.sent += 1
            items.append(Item(self.sent, *KIND_OF[type(body)], msgspec.Raw(encode_body(body))))
        first = items[0].sequence
        frame = encode_frame(Frame(FRAME_VERSION, self._source, self._epoch, Lane.BACKLOG, first, [], items))
        headers = {"Authorization": f"Bearer {token_of(self._source)}", "Content-Type": "application/msgpack"}
        while True:
            async with self._http.post(f"{self._url}/v1/events", data=frame, headers=headers) as answer:
                said = await answer.read()
                if answer.status == 200:
                    self.acknowledged = decode_ack(said).acknowledged_through
                    return
                self.refused += 1
                await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))


def token_of(source: str) -> str:
    """The bearer token of a source in this bench."""
    return f"token-of-{source}"


def source_names() -> list[str]:
    """The ten sources."""
    return [f"chat-{number}" for number in range(SOURCES)]


def stay_aside() -> None:
    """Keep to the last core, so that the server has the others."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})


def talk(url: str, conversations: int, rate: Any, began: Event, stop: Event, results: Any) -> None:  # noqa: ANN401 - shared memory has no public types
    """The process: make `conversations` wait, then tell `rate.value` events a second until `stop`.

    results: gets (sent, acknowledged, refused) at the end.
    """
    stay_aside()
    results.put(asyncio.run(_talk(url, conversations, rate, began, stop)))


async def _talk(url: str, conversations: int, rate: Any, began: Event, stop: Event) -> tuple[int, int, int]:  # noqa: ANN401 - see above
    async with aiohttp.ClientSession() as http:
        senders = [Sender(http, url, name) for name in source_names()]
        tellers = [Teller(name, number) for number, name in enumerate(source_names())]
        pairs = list(zip(tellers, senders, strict=True))
        async with asyncio.TaskGroup() as tasks:
            for teller, sender in pairs:
                bodies = teller.beginning(now_ms(), conversations // SOURCES)
                tasks.create_task(_begin(sender, bodies), name="begin")
        began.set()
        async with asyncio.TaskGroup() as tasks:
            for number, (teller, sender) in enumerate(pairs):
                tasks.create_task(_go_on(teller, sender, number / SOURCES, rate, stop), name="go on")
        return (
            sum(sender.sent for sender in senders),
            sum(sender.acknowledged for sender in senders),
            sum(sender.refused for sender in senders),
        )


async def _begin(sender: Sender, bodies: list[Body]) -> None:
    for first in range(0, len(bodies), FIRST_FRAME_ITEMS):
        await sender.send(bodies[first : first + FIRST_FRAME_ITEMS])


async def _go_on(teller: Teller, sender: Sender, phase: float, rate: Any, stop: Event) -> None:  # noqa: ANN401 - see above
    """Send a frame every tenth of a second, the sources one after another; what a late frame missed goes with it."""
    loop = asyncio.get_running_loop()
    due_at = loop.time() + phase / FRAMES_PER_S
    owed = 0.0
    while not stop.is_set():
        await asyncio.sleep(max(0.0, due_at - loop.time()))
        due_at += 1 / FRAMES_PER_S
        owed += rate.value / SOURCES / FRAMES_PER_S
        count = int(owed)
        owed -= count
        if count:
            await sender.send(list(teller.events(now_ms(), count)))


def head(at: int, key: str) -> tuple[int, int, str, None, bool, str]:
    """What every body begins with."""
    return (at, 1, "chat", None, True, key)
