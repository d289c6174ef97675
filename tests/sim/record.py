"""The ledgers of a hub and what is known to be true of them: they outlive every process that writes them."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from collector.feed_redis import RedisFeeder
from collector.sources import CONVERSATIONS, FACILITIES, Source
from tests.sim.disk import SimDisk
from tests.sim.ledger_port import SimLedger, SimReader, SimWriter, Transaction
from tests.sim.oracle import LedgerOracle
from wire.frame import Ack, Frame
from wire.ids import OPERATOR

if TYPE_CHECKING:
    from tests.sim.world import World

CLIENT: Final = "acme"
CLIENTS: Final = (str(OPERATOR), CLIENT)
Submit = Callable[[Frame], Coroutine[Any, Any, Ack]]


class Record:
    """One directory per client on the hub's disk, the senders registered with it, the operator's backups of it.

    make_writer, around_submit, make_feeder: how a collector opens a ledger, what stands between its doors and its
    intake, and what feeds Redis: where a mutant may put something else.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.disks: list[SimDisk] = []
        self.oracles = {client: LedgerOracle(client, world.marks) for client in CLIENTS}
        self.ledgers: dict[str, SimLedger] = {}
        for client in CLIENTS:
            disk = SimDisk(f"hub.{client}", world.loop, world.disk_faults, world.marks)
            disk.before_flush = lambda: world.faults.worst_instant("crash.before_fsync", world.collector)
            ledger = SimLedger(world.sha256(client.encode())[:16], disk)
            ledger.on_durable = self.oracles[client].durable
            self.disks.append(disk)
            self.ledgers[client] = ledger
        self.sources: dict[str, Source] = {}
        self.make_writer: Callable[[SimLedger], SimWriter] = SimWriter
        self.around_submit: Callable[[Frame, Submit], Awaitable[Ack]] = lambda frame, submit: submit(frame)
        self.make_feeder: type[RedisFeeder] = RedisFeeder
        self._backups: dict[str, list[Transaction]] = {}

    def register(self, source: str, client: str, token_hash: str | None = None) -> None:
        """Let `source` write into the ledger of `client`; over HTTP as well if it has a token."""
        carries = FACILITIES if client == OPERATOR else CONVERSATIONS
        self.sources[source] = Source(id=source, client=client, carries=carries, token_hash=token_hash)

    def oracle_of(self, source: str) -> LedgerOracle:
        """Of the ledger that `source` writes."""
        return self.oracles[self.sources[source].client]

    def open(self, client: str) -> SimWriter:
        """A collector opens a ledger for writing; what it finds there is held against what was durable."""
        writer = self.make_writer(self.ledgers[client])
        self.oracles[client].recovered(writer.seen())
        return writer

    def reader(self, client: str) -> SimReader:
        """What another process on the hub reads."""
        return SimReader(self.ledgers[client])

    def back_up(self) -> None:
        """A copy of every ledger as it is durable now."""
        self._backups = {client: ledger.copy() for client, ledger in self.ledgers.items()}

    def restore(self) -> None:
        """Stop the hub, put the last copy of one ledger in place, start again."""
        world = self._world
        client = world.rng.choice(CLIENTS)
        copy = self._backups.get(client)
        if copy is None or sum(len(record.entries) for record in copy) >= len(self.oracles[client].entries):
            return
        world.marks.hit("ledger.restored_older")
        for collector in world.collectors:
            collector.crash(power=False)
        # the engine may come back when the restored ledger has grown past its offset again
        world.engine.crash(power=False, back_after=world.rng.uniform(0.1, 15.0))
        # long enough, at times, that the ledger has outgrown what the stream was fed before
        world.redis.stay_away(world.rng.uniform(1.0, 20.0))
        size = self.ledgers[client].restore(copy)
        world.trace("restore", client, size)
        self.oracles[client].restored(size)
