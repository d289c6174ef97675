"""A probe (or a connector with an outbox): the real outbox over a simulated disk, behind the broker."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from agent_probe._core.outbox import OutboxLimits
from agent_probe._core.snapshots import Snapshot, SnapshotLane
from agent_probe._core.storage import DropClass, Row, StorageCorrupt
from agent_probe.config import UplinkSettings
from agent_probe.lines import Lines
from agent_probe.outbox import DurableOutbox
from agent_probe.uplink import Uplink
from tests.sim.mqtt_port import SimPort
from tests.sim.node import Node
from tests.sim.oracle import Key, LedgerOracle
from tests.sim.outbox_port import CORRUPT, ProbeFolder
from tests.sim.workload import Conversations, Said, SiteReadings, poison
from wire.codec import decode_frame, encode_frame
from wire.frame import Frame, Lane
from wire.kinds import Kind
from wire.topics import ack_topic

if TYPE_CHECKING:
    from tests.sim.world import World

LIMITS: Final = OutboxLimits(
    keep_ms=600_000,
    keep_bytes=5_000,
    resend_ms=5_000,
    in_flight=4,
    frame_bytes=900,
    row_interval_ms=2,
    burst_rows=32,
    expiry_check_ms=10_000,
    runs_max=8,
    finished_max=32,
    trim_parts=16,
    trim_rows=256,
    trim_rows_full=64,
    reserved_rows=64,
    asides_kept=3,
    log_reserve_bytes=1_048_576,
)
"""Small room, so that a cut of seconds overflows it."""
UPLINK: Final = UplinkSettings(
    connect_ms=2_000,
    publish_ms=2_000,
    keepalive_ms=10_000,
    reconnect_min_ms=200,
    reconnect_max_ms=2_000,
    flush_ms=1_000,
    unacknowledged_ms=2_000,
    acks_queued=20,
    in_flight=4,
)
DISK_FULL_ODDS: Final = 0.003
POISON_ODDS: Final = 0.01


class ProbeNode(Node):
    """Puts events as they happen, sends frames as the outbox says, hears acks. Its outbox may be lost or corrupted."""

    kind = "probe"

    def __init__(self, world: "World", name: str, client: str) -> None:
        super().__init__(world, name)
        self.client = client
        self.disk = self.new_disk("outbox")
        self.disk.before_flush = lambda: world.faults.worst_instant("crash.before_fsync", self)
        self.note = self.new_disk("note")
        self._folder = ProbeFolder(
            self.disk, self.note, world.rng, world.marks, lambda: DISK_FULL_ODDS if world.faults.active else 0.0
        )
        self._folder.before_append = self._about_to_append
        self.outbox: DurableOutbox | None = None
        self.draw_epoch: Callable[[], bytes] = lambda: world.random_bytes(16)
        self.outgoing: Callable[[Frame], Frame] = lambda frame: frame
        self.uplink: Uplink | None = None
        self.snapshots: SnapshotLane | None = None
        self._port = SimPort(self, world.broker, ack_topic(name), self._leaving)
        self._resends = 0
        site, _, place = name.partition("/")
        self._talk: Conversations | SiteReadings
        if client == "operator":
            seat = "" if place == "gateway" else place
            self._talk = SiteReadings(site, seat, world.rng, self.clock.now_ms, self.now_ms)
        else:
            self._talk = Conversations(place, world.rng, self.clock.now_ms)
        self._poisoned = 0
        self._said_last = False
        world.record.register(name, client)

    def may_end_with(self, error: BaseException) -> bool:
        failed_fsync = isinstance(error, StorageCorrupt) and isinstance(error.__cause__, OSError)
        return failed_fsync or super().may_end_with(error)

    @property
    def oracle(self) -> LedgerOracle:
        return self.world.record.oracles[self.client]

    def _about_to_append(self, row: Row) -> None:
        self.oracle.streams.add((self.name, row.epoch))
        self.oracle.attempt(Key(self.name, row.epoch, row.sequence), row.body)

    def now_ms(self) -> int:
        """The monotonic clock of this machine."""
        return int(self.world.now * 1000)

    def empty(self) -> bool:
        """Nothing is owed: the last word is said, and every epoch this outbox knows is acknowledged."""
        return self.outbox is not None and self._said_last and self.outbox.settled

    def left(self) -> str:
        return f"{self.name} still owes {self.outbox.counts().rows if self.outbox else '?'} rows"

    def lose_outbox(self) -> None:
        """The file is damaged, or deleted, or the whole folder is gone with the note that says what it held."""
        world = self.world
        self.crash(power=world.rng.random() < 0.5)
        how = world.rng.choice(("corrupt", "deleted", "folder_gone"))
        world.marks.hit(f"outbox.{how}")
        world.trace("outbox", self.name, how)
        if how == "corrupt":
            self.disk.replace([*self.disk.recover(), CORRUPT])
            return
        self.disk.replace([])
        if how == "folder_gone":
            self.note.replace([])
            self.oracle.outbox_lost(self.name)

    def on_death(self) -> None:
        if self._port.connection is not None:
            self._port.connection.close()

    async def main(self) -> None:
        world = self.world
        outbox = self.outbox = DurableOutbox(
            self._folder,  # type: ignore[arg-type]  # as much of a Path as it uses
            LIMITS,
            source=self.name,
            draw_epoch=self.draw_epoch,
            now=self.now_ms(),
        )
        if outbox.counts().rows:
            world.marks.hit("probe.resumed_with_rows")
        self._resends = 0
        self._port = SimPort(self, world.broker, ack_topic(self.name), self._leaving)
        self.snapshots = SnapshotLane(source=self.name, epoch=lambda: outbox.epoch)
        self.uplink = Uplink(
            self._port,
            outbox,
            self.snapshots,
            UPLINK,
            Lines(self.now_ms),
            source=self.name,
            now_ms=self.now_ms,
            rng=world.rng,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._observe(outbox), name="probe.observe")
            group.create_task(self.uplink.run(), name="probe.uplink")

    def _leaving(self, payload: bytes) -> bytes:
        """A frame on its way out, as a mutant may change it."""
        frame = self.outgoing(decode_frame(payload))
        self.world.trace("frame", self.name, frame.lane, frame.base, len(frame.items), len(frame.gone))
        resends = self.outbox.counts().resends if self.outbox is not None else 0
        if resends > self._resends:
            self.world.marks.hit("probe.resent")
        self._resends = resends
        if frame.lane is Lane.BACKLOG and not frame.items and not frame.gone:
            self.world.marks.hit("probe.told_again")
        if frame.lane is Lane.SNAPSHOT:
            self.world.marks.hit("probe.snapshot")
            epoch = self.world.sha256(b"snapshot" + frame.epoch)[:16]
            for item in frame.items:
                self.oracle.attempt(Key(self.name, epoch, item.sequence), bytes(item.body))
        return encode_frame(frame)

    async def _observe(self, outbox: DurableOutbox) -> None:
        """Events as they happen; one more after heal, so that something is said to the restored ledger."""
        world = self.world
        self._said_last = False
        while True:
            await world.sleep(world.rng.expovariate(3))
            if not world.faults.active:
                if self._said_last:
                    continue
                self._said_last = True
            for _ in range(world.rng.randint(4, 12) if world.rng.random() < 0.05 else 1):
                self._put(outbox, self._next())

    def _next(self) -> Said:
        if self.world.rng.random() < POISON_ODDS and self.world.faults.active:
            self._poisoned += 1
            self.world.marks.hit("probe.poison")
            return poison(self.name, self._poisoned)
        return self._talk.next()

    def _put(self, outbox: DurableOutbox, event: Said) -> None:
        drop_class = DropClass.HEARTBEAT if event.kind == Kind.HEARTBEAT else DropClass.CHANGE
        dropped = sum(outbox.counts().dropped.values())
        outbox.put(event.kind, event.kind_version, event.body, drop_class, now=self.now_ms())
        # taken, or declared gone: either way it has a number now, in an epoch that a damaged file may just have begun
        self.oracle.promise(Key(self.name, outbox.epoch, outbox._core.last_sequence), event.kind, event.body)
        if sum(outbox.counts().dropped.values()) > dropped:
            self.world.marks.hit("outbox.overflowed")
            self.world.faults.worst_instant("crash.during_overflow", self)
        self.world.faults.worst_instant("crash.after_promise", self)
        if event.kind == Kind.UPS_READING and self.snapshots is not None:
            self.snapshots.update("ups-1", Snapshot(*event))
        if self.uplink is not None:
            self.uplink.wake()
