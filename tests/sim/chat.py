"""A chat platform's bridge: it cannot number, so every item carries an event id; it asks again until it hears 200."""

import asyncio
from typing import TYPE_CHECKING, Final

from collector.sources import token_hash
from tests.sim.http_port import DURABLE, LATER, NO_ANSWER, Answer, Request
from tests.sim.node import Node
from tests.sim.oracle import Key, LedgerOracle
from tests.sim.posts import TOKEN, Event, misfit, post
from tests.sim.workload import Conversations, Said, poison

if TYPE_CHECKING:
    from tests.sim.world import World

BATCH: Final = 8
PATIENCE_S: Final = 3.0
POISON_ODDS: Final = 0.03
MISFIT_ODDS: Final = 0.06
CONTRADICTION_ODDS: Final = 0.04


class ChatBridge(Node):
    """Platform and bridge in one: events are kept by the platform (it loses none), the bridge forgets everything."""

    kind = "chat"

    def __init__(self, world: "World", name: str, client: str) -> None:
        super().__init__(world, name)
        self.client = client
        self._talk = Conversations("chat", world.rng, self.clock.now_ms)
        self._lies = Conversations("lie", world.rng, self.clock.now_ms)
        self._held: list[Event] = []
        self._answered: list[Event] = []
        self._count = 0
        world.record.register(name, client, token_hash(TOKEN))

    @property
    def oracle(self) -> LedgerOracle:
        return self.world.record.oracles[self.client]

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
            event = Event(f"chat-{self._count}", self._next())
            self._held.append(event)
            key = self.key(event.event_id)
            self.oracle.attempt(key, event.said.body)
            self.oracle.promise(key, event.said.kind, event.said.body)

    def _next(self) -> Said:
        if self.world.rng.random() < POISON_ODDS:
            return poison(self.name, self._count)
        return self._talk.next()

    def key(self, event_id: str) -> Key:
        """The key an event id stands for, by the written contract (not by the collector's code)."""
        digest = self.world.sha256
        epoch = digest(b"event_id" + self.name.encode())[:16]
        return Key(self.name, epoch, int.from_bytes(digest(event_id.encode())[:8], "big") >> 1)

    async def _send(self) -> None:
        world = self.world
        while True:
            if world.faults.active and world.rng.random() < MISFIT_ODDS:
                await self._misbehave()
            if world.faults.active and self._answered and world.rng.random() < CONTRADICTION_ODDS:
                await self._contradict()
            if not self._held:
                await world.sleep(0.2)
                continue
            batch = self._held[:BATCH]
            if world.rng.random() < 0.2:
                world.rng.shuffle(batch)
            answer = await self._post(self._request(batch))
            if answer.status in DURABLE:
                accepted = {event.event_id for event in batch}
                self._held = [event for event in self._held if event.event_id not in accepted]
                self._answered += batch
                del self._answered[: -2 * BATCH]
            elif answer.status in LATER or answer.status == NO_ANSWER:
                await world.sleep(world.rng.uniform(0.2, 2.0) + answer.retry_after_s)
            else:
                world.fail("door", f"a well-formed request was answered with {answer.status}: {answer.body!r}")

    def _request(self, batch: list[Event]) -> Request:
        return post(self.name, batch, [self.key(event.event_id) for event in batch], self.world.rng)

    async def _misbehave(self) -> None:
        """Ask for something that is to be refused, with an event that must never be seen again."""
        wanted, request = misfit(self.name, Event("never", self._lies.next()), self.world.rng)
        answer = await self._post(request)
        if answer.status not in {wanted, NO_ANSWER, *LATER}:
            self.world.fail("door", f"a request to be refused with {wanted} was answered with {answer.status}")

    async def _contradict(self) -> None:
        """Say something else under the id of an event that was answered: 409, and both are kept."""
        told = self.world.rng.choice(self._answered)
        event = Event(told.event_id, self._lies.next())
        self.oracle.attempt(self.key(event.event_id), event.said.body)
        await self._post(self._request([event]))

    async def _post(self, request: Request) -> Answer:
        """What the door answered; NO_ANSWER when nothing came in time."""
        world = self.world
        answered: asyncio.Future[Answer] = world.loop.create_future()

        def reply(answer: Answer) -> None:
            def arrive() -> None:
                if not answered.done():
                    answered.set_result(answer)

            world.network.send(collector.name, self.name, lambda: self.enter(arrive))

        collector = world.address()
        world.network.send(self.name, collector.name, lambda: collector.enter(collector.post, request, reply))
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await answered
        except TimeoutError:
            answer = Answer(NO_ANSWER)
        world.marks.hit(f"chat.answered_{answer.status}")
        return answer
