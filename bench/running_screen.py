"""A screen and four marked queues: how long from "accepted" to the screen's bytes, one event at a time on each queue.

A marked conversation is offered on a queue nobody else speaks of; it has arrived on the screen with the bytes that
complete the event saying that one more was offered there today.
"""

import asyncio
import random
import time
from multiprocessing.synchronize import Event
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from bench.running_floor import Sender, head, stay_aside
from seatwatch.clock import now_ms
from wire.conversation import Offered

MARKS: Final = 4
PAUSE_S: Final = (0.02, 0.12)
"""Between two events on one queue: uneven, so that they meet the making of boards at any phase."""
SEEN_TIMEOUT_S: Final = 30.0

_decode: Final = msgspec.json.Decoder().decode


class Passage(NamedTuple):
    """One marked event, in seconds of the machine's monotonic clock."""

    sent_at: float
    accepted_at: float
    seen_at: float


def mark_names() -> list[str]:
    """The sources of the marked queues, which bear their names."""
    return [f"mark-{number}" for number in range(MARKS)]


class Screen:
    """Reads the event stream and remembers what every marked queue was offered today."""

    def __init__(self) -> None:
        self.offered = dict.fromkeys(mark_names(), 0)
        self.seen_at = dict.fromkeys(mark_names(), 0.0)
        self.changed = asyncio.Event()
        self.boards = 0
        self.bytes = 0

    async def watch(self, http: aiohttp.ClientSession, url: str) -> None:
        """Read for ever."""
        async with http.get(f"{url}/events", timeout=aiohttp.ClientTimeout(total=None)) as stream:
            rest = b""
            async for chunk in stream.content.iter_any():
                at = time.monotonic()
                *whole, rest = (rest + chunk).split(b"\n\n")
                self.bytes += len(chunk)
                for event in whole:
                    self._take(event, at)

    def _take(self, event: bytes, at: float) -> None:
        name, _, data = event.partition(b"\ndata: ")
        if name != b"event: delta":
            return
        self.boards += 1
        for key, change in _decode(data)["changes"].get("queues", {}).items():
            queue = key.partition("|")[2]
            if queue in self.offered and "day" in change:
                self.offered[queue] = change["day"]["offered"]
                self.seen_at[queue] = at
                self.changed.set()
                self.changed = asyncio.Event()


def look(url: str, active: Event, stop: Event, results: Any) -> None:  # noqa: ANN401 - queues have no public type
    """The process: mark events while `active`, until `stop`; puts the passages, and (boards, bytes) of the stream."""
    stay_aside()
    results.put(asyncio.run(_look(url, active, stop)))


async def _look(url: str, active: Event, stop: Event) -> tuple[list[Passage], int, int]:
    passages: list[Passage] = []
    screen = Screen()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(screen.watch(http, url), name="watch")
        async with asyncio.TaskGroup() as marks:
            for name in mark_names():
                sender = Sender(http, url, name)
                marks.create_task(_mark(screen, sender, name, active, stop, passages), name=name)
        watching.cancel()
    return passages, screen.boards, screen.bytes


async def _mark(
    screen: Screen, sender: Sender, queue: str, active: Event, stop: Event, passages: list[Passage]
) -> None:
    chance = random.Random(queue)
    while not stop.is_set():
        await asyncio.sleep(chance.uniform(*PAUSE_S))
        if not active.is_set():
            continue
        key = f"{queue}-{sender.sent}"
        sent_at = time.monotonic()
        await sender.send([Offered(*head(now_ms(), key), key, queue)])
        accepted_at = time.monotonic()
        async with asyncio.timeout(SEEN_TIMEOUT_S):
            while screen.offered[queue] < sender.sent:
                await screen.changed.wait()
        passages.append(Passage(sent_at, accepted_at, screen.seen_at[queue]))
