"""A chat platform's bridge: it cannot number, so every item carries an event id; it asks again until it hears 200."""

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tests.sim.node import Node
from tests.sim.oracle import Key
from tests.sim.workload import Conversations, Said
from wire.codec import encode_frame
from wire.frame import Frame, Item, Lane
from wire.limits import FRAME_VERSION

if TYPE_CHECKING:
    from tests.sim.world import World

OK: Final = 200
NO_EPOCH: Final = bytes(16)
BATCH: Final = 8


class Event(NamedTuple):
    """What the platform holds until our door has answered."""

    event_id: str
    said: Said


class ChatBridge(Node):
    """Platform and bridge in one: events are kept by the platform (it loses none), the bridge forgets everything."""

    kind = "chat"

    def __init__(self, world: "World", name: str, client: str) -> None:
        super().__init__(world, name)
        self.client = client
        self._talk = Conversations("chat", world.rng, world.clock_ms)
        self._held: list[Event] = []
        self._count = 0
        world.collector.register(name, client)

    def empty(self) -> bool:
        """Nothing waits for an answer."""
        return not self._held

    def left(self) -> str:
        return f"{self.name} holds {len(self._held)} events"

    async def main(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._produce(), name="chat.produce")
            group.create_task(self._send(), name="chat.send")

    async def _produce(self) -> None:
        world = self.world
        while True:
            await world.sleep(world.rng.expovariate(1.5))
            if not world.faults.active:
                continue
            self._count += 1
            event = Event(f"chat-{self._count}", self._talk.next())
            self._held.append(event)
            key = self.key(event.event_id)
            oracle = self.world.collector.oracles[self.client]
            oracle.attempt(key, event.said.body)
            oracle.promise(key, event.said.kind, event.said.body)

    def key(self, event_id: str) -> Key:
        """The key an event id stands for, by the written contract (not by the collector's code)."""
        digest = self.world.sha256
        epoch = digest(b"event_id" + self.name.encode())[:16]
        return Key(self.name, epoch, int.from_bytes(digest(event_id.encode())[:8], "big") >> 1)

    async def _send(self) -> None:
        world = self.world
        while True:
            if not self._held:
                await world.sleep(0.2)
                continue
            batch = self._held[:BATCH]
            if world.rng.random() < 0.2:
                world.rng.shuffle(batch)
            items = [Item(0, e.said.kind, e.said.kind_version, msgspec.Raw(e.said.body), e.event_id) for e in batch]
            frame = Frame(FRAME_VERSION, self.name, NO_EPOCH, Lane.BY_EVENT_ID, 0, [], items)
            status = await self._post(encode_frame(frame))
            if status == OK:
                accepted = {event.event_id for event in batch}
                self._held = [event for event in self._held if event.event_id not in accepted]
            else:
                world.marks.hit(f"chat.retry_after_{status}")
                await world.sleep(world.rng.uniform(0.2, 2.0))

    async def _post(self, data: bytes) -> int:
        """The status the door answered with; 0 when no answer came in time."""
        world = self.world
        answer: asyncio.Future[int] = world.loop.create_future()

        def reply(status: int) -> None:
            def arrive() -> None:
                if not answer.done():
                    answer.set_result(status)

            world.network.send(world.collector.name, self.name, lambda: self.enter(arrive))

        collector = world.collector
        world.network.send(self.name, collector.name, lambda: collector.enter(collector.post, data, reply))
        try:
            async with asyncio.timeout(3.0):
                return await answer
        except TimeoutError:
            return 0
