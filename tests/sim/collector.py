"""The collector of the world: doors over the simulated network, ledgers over simulated disks."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from collector._core.admission import Rules, admit
from collector._core.sequence import view_of
from ledger.errors import LedgerFailed
from tests.sim.ledger_port import SimLedger, SimReader, SimWriter, Transaction, seen
from tests.sim.node import Node
from tests.sim.oracle import LedgerOracle
from wire.codec import decode_frame, encode_ack
from wire.frame import Ack, Frame, Lane
from wire.topics import UPLINK_FILTER, ack_topic

if TYPE_CHECKING:
    from tests.sim.broker import Session
    from tests.sim.world import World

CLIENTS: Final = ("operator", "acme")
RULES: Final = Rules(future_tolerance_ms=60_000, holes_max=64)


class CollectorNode(Node):
    kind = "collector"

    def __init__(self, world: "World") -> None:
        super().__init__(world, "hub/collector")
        self.oracles = {client: LedgerOracle(client, world.marks) for client in CLIENTS}
        self.ledgers: dict[str, SimLedger] = {}
        for client in CLIENTS:
            disk = self.new_disk(client)
            ledger = SimLedger(world.sha256(client.encode())[:16], disk)
            ledger.on_durable = self.oracles[client].durable
            self.ledgers[client] = ledger
        self.client_of: dict[str, str] = {}
        self.unnumbered: set[str] = set()
        self._backups: dict[str, list[Transaction]] = {}
        self._session: Session | None = None
        self._inbox: list[tuple[Frame, asyncio.Future[Ack]]] = []

    def may_end_with(self, error: Exception) -> bool:
        return isinstance(error, LedgerFailed) or super().may_end_with(error)

    def register(self, source: str, client: str, *, numbered: bool) -> None:
        self.client_of[source] = client
        if not numbered:
            self.unnumbered.add(source)

    def reader(self, client: str) -> SimReader:
        return SimReader(self.ledgers[client])

    def back_up(self) -> None:
        self._backups = {client: ledger.copy() for client, ledger in self.ledgers.items()}

    def restore(self) -> None:
        """The operator puts the last backup in place, after stopping the hub."""
        client = self.world.rng.choice(CLIENTS)
        if client not in self._backups:
            return
        size = sum(len(r.entries) for r in self._backups[client])
        if size >= len(self.oracles[client].entries):
            return
        self.world.marks.hit("ledger.restored_older")
        self.world.trace("restore", client, size)
        self.crash(power=False)
        self.world.engine.crash(power=False)
        self.ledgers[client].restore(self._backups[client])
        self.oracles[client].restored(size, self.unnumbered)

    def on_death(self) -> None:
        if self._session is not None:
            self.world.broker.disconnect(self._session)
            self._session = None

    def post(self, source: str, data: bytes, reply: Callable[[int], None]) -> None:
        self._spawn(self._post(decode_frame(data), reply))

    def frame_arrived(self, data: bytes) -> None:
        self._spawn(self._frame(decode_frame(data)))

    def _spawn(self, coro) -> None:
        self._group.create_task(coro)

    async def _post(self, frame, reply):
        ack = await self._submit(frame)
        keys = [self.world.chat.key(item.event_id) for item in frame.items]
        self.oracles[self.client_of[frame.source]].answered(keys)
        reply(200)
        self.world.faults.worst_instant("crash.after_ack", self)

    async def _frame(self, frame):
        ack = await self._submit(frame)
        self.world.faults.worst_instant("crash.between_commit_and_ack", self)
        self.oracles[self.client_of[frame.source]].acknowledge(frame.source, ack.epoch, ack.acknowledged_through, ack.index)
        self.world.trace("ack", frame.source, ack.acknowledged_through, ack.index)
        if self._session is not None:
            self.world.broker.publish(self._session, ack_topic(frame.source), encode_ack(ack))
        self.world.faults.worst_instant("crash.after_ack", self)

    async def _submit(self, frame):
        future = self.world.loop.create_future()
        self._inbox.append((frame, future))
        self._wake.set()
        return await future

    async def main(self) -> None:
        self._wake = asyncio.Event()
        self._inbox = []
        self.writers = {}
        for client, ledger in self.ledgers.items():
            self.writers[client] = writer = await self.world.loop.run_in_executor(None, SimWriter, ledger)
            self.oracles[client].recovered([seen(e) for e in writer._entries])
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._connection())
            self._group.create_task(self._commits())

    async def _connection(self) -> None:
        world = self.world
        while True:
            lost = asyncio.Event()
            session = world.broker.connect(self.name, frozenset({UPLINK_FILTER}), lambda _t, data: self.enter(self.frame_arrived, data))
            if session is not None:
                session.on_lost = lambda lost=lost: self.enter(lost.set)
                self._session = session
                await lost.wait()
                self._session = None
            await world.sleep(world.rng.uniform(0.2, 2.0))

    async def _commits(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._inbox = self._inbox, []
            acks = await self.world.loop.run_in_executor(None, self._commit, batch)
            for (_, future), ack in zip(batch, acks):
                future.set_result(ack)

    def _commit(self, batch):
        now = self.world.clock_ms()
        out = {c: [] for c in CLIENTS}
        pending = {c: {} for c in CLIENTS}
        marks = {c: {} for c in CLIENTS}
        views = {}
        acks = []
        for frame, _ in batch:
            client = self.client_of[frame.source]
            writer = self.writers[client]

            def stored(source, epoch, sequence, client=client, writer=writer):
                return pending[client].get((source, epoch, sequence)) or writer.body_of(source, epoch, sequence)

            from collector._core.admission import stream_epoch
            key = (frame.source, stream_epoch(frame))
            if key not in views:
                views[key] = view_of(writer.mark(*key), writer.beyond(*key) if frame.lane is Lane.BACKLOG else ())
            result = admit(frame, views[key], rules=RULES, received_at=now, stored=stored)
            views[key] = result.view
            if frame.lane is Lane.BACKLOG:
                marks[client][key] = result.view.mark
            for e in result.entries:
                pending[client][e.source, e.epoch, e.sequence] = (e.kind, e.kind_version, e.body)
            out[client].extend(result.entries)
            acks.append((client, Ack(writer.ledger_id, frame.epoch, result.view.mark, 0, result.wanted, result.rejected)))
        for client in CLIENTS:
            self.writers[client].commit(out[client], received_at=now, marks=marks[client])
        import msgspec
        return [msgspec.structs.replace(a, index=self.writers[c].size) for c, a in acks]
