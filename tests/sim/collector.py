"""The collector of the world: the real intake and doors, over ledgers on simulated disks."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from collector._core.admission import Outcome
from collector.errors import Busy
from collector.feed_redis import RedisFeeder
from collector.intake import Intake, IntakeSettings
from collector.intake_http import HttpDoor, HttpSettings
from collector.intake_mqtt import MqttSettings
from collector.sources import Principal, Sources
from collector.timekeeper import Timekeeper, TimekeeperSettings
from ledger.errors import LedgerFailed, LedgerFenced
from tests.sim.http_port import DURABLE, LATER, Answer, Request, answer
from tests.sim.loop import pause
from tests.sim.mqtt_port import Connection, SimClient, SimDoor
from tests.sim.node import Node
from tests.sim.record import CLIENT, CLIENTS, Record
from tests.sim.redis_port import SimRedis
from tests.sim.rules import rules
from wire.codec import decode_ack
from wire.frame import Ack, Frame
from wire.topics import parse_topic

if TYPE_CHECKING:
    from tests.sim.world import World

SETTINGS: Final = IntakeSettings(
    future_tolerance_ms=60_000,
    past_tolerance_ms=34_560_000_000,
    holes_max=16,
    waiting_rows_max=60,
    waiting_frames_max=5,
    commit_rows_max=40,
    retry_after_ms=500,
    streams_max=6,
    strangers_max=3,
)
"""Small, so that queues fill, streams are forgotten and commits split within a minute."""
MQTT: Final = MqttSettings(
    host="simulated",
    port=1883,
    keepalive_ms=10_000,
    connect_timeout_ms=2_000,
    queued_messages_max=16,
    in_flight_max=8,
    reconnect_first_ms=200,
    reconnect_longest_ms=2_000,
)
TIME: Final = TimekeeperSettings(clock_open_ms=3_000, clock_idle_ms=9_000, silent_after=2, restore_rows=40)
CHUNKS_MAX: Final = 8
"""Few, so that a stream is trimmed before an engine that was down has read it."""
HTTP: Final = HttpSettings(requests_per_s=2, requests_burst=4, body_timeout_ms=1_000, retry_after_ms=500)


class CollectorNode(Node):
    """One process on the hub; the ledgers outlive it. Only the one in charge is started again when it has ended."""

    kind = "collector"

    def __init__(self, world: "World", name: str, record: Record) -> None:
        super().__init__(world, name)
        self.record = record
        self.disks = record.disks
        self._connection: Connection | None = None
        self._group: asyncio.TaskGroup | None = None
        self._http: HttpDoor | None = None
        self.intake: Intake | None = None

    def may_end_with(self, error: BaseException) -> bool:
        if isinstance(error, LedgerFenced):  # the one in charge as well, by one that stood still while it started
            return True
        failed_fsync = isinstance(error, LedgerFailed) and isinstance(error.__cause__, OSError)
        return failed_fsync or super().may_end_with(error)

    def start(self) -> None:
        if self is self.world.collector:
            super().start()

    def on_death(self) -> None:
        self._group = self.intake = self._http = None
        if self._connection is not None:
            self._connection.close()

    async def main(self) -> None:
        world = self.world
        writers = {client: await world.loop.run_in_executor(None, self.record.open, client) for client in CLIENTS}
        self.intake = Intake(
            writers,
            Sources(self.record.sources.values()),
            settings=SETTINGS,
            clock_ms=self.clock.now_ms,
            open_reader=self.record.reader,  # type: ignore[arg-type]  # likewise a port
            die=lambda error: world.process_ended(self, error),
        )
        timekeeper = Timekeeper(self.intake, TIME, clock_ms=self.clock.now_ms, owes=lambda client: client == CLIENT)
        door = SimDoor(_Observed(self, self.intake), self.intake.sources, MQTT)  # type: ignore[arg-type]  # submits alike
        door.make_client = lambda: self._client(door)
        self._http = HttpDoor(
            _Observed(self, self.intake),  # type: ignore[arg-type]  # submits alike
            self.intake.sources,
            HTTP,
            monotonic_s=lambda: world.now,
        )
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self.intake.run(), name="collector.intake")
            self._group.create_task(door.run(), name="collector.mqtt")
            self._group.create_task(self._publish_rules(self.intake), name="collector.rules")
            self._group.create_task(timekeeper.run(), name="collector.timekeeper")
            self._group.create_task(self._feeder(self.intake).run(), name="collector.feeder")

    def _feeder(self, intake: Intake) -> RedisFeeder:
        reader = self.record.reader(CLIENT)

        async def grown(since: int) -> None:
            await intake.ledgers[CLIENT].changed(since)
            while reader.size() <= since:  # only behind a mutant that says "durable" of what is not
                await pause(0.1)

        return self.record.make_feeder(
            SimRedis(self, self.world.redis),  # type: ignore[arg-type]  # a port
            CLIENT,
            reader,  # type: ignore[arg-type]  # a port
            grown,
            chunks_max=CHUNKS_MAX,
            retry_s=0.3,
            look_s=1.0,
        )

    async def _publish_rules(self, intake: Intake) -> None:
        """Through the same door as everything, at every start: they are stored once."""
        await intake.append_derived(CLIENT, rules(CLIENT))

    def _client(self, door: SimDoor) -> SimClient:
        connection = Connection(self, self.world.broker, MQTT.queued_messages_max, door._discarded)
        self._connection = connection
        return SimClient(connection, self._acknowledging, self._acknowledged)

    def _acknowledging(self, topic: str, payload: bytes) -> None:
        self.world.faults.worst_instant("crash.between_commit_and_ack", self)
        named, ack = parse_topic(topic), decode_ack(payload)
        if named is None:
            self.world.fail("I2", f"an acknowledgement on {topic}")
            return
        source = named.source
        self.world.trace("ack", source, ack.acknowledged_through, ack.index)
        in_charge = self is self.world.collector
        oracle = self.record.oracle_of(source)
        oracle.acknowledge(source, ack.epoch, ack.acknowledged_through, ack.index, in_charge=in_charge)

    def _acknowledged(self) -> None:
        self.world.faults.worst_instant("crash.after_ack", self)

    # the doors

    def post(self, request: Request, reply: Callable[[Answer], None]) -> None:
        """POST /v1/events arrives."""
        if self._group is not None and self._http is not None:
            self._group.create_task(self._answer_post(self._http, request, reply), name="collector.post")

    async def _answer_post(self, door: HttpDoor, request: Request, reply: Callable[[Answer], None]) -> None:
        said = await answer(door, request)
        self.world.trace("answer", said.status, len(request.said))
        if said.status not in DURABLE:
            if said.status in LATER and not said.retry_after_s:
                self.world.fail("door", f"{said.status} without Retry-After")
            reply(said)
            return
        self.world.faults.worst_instant("crash.between_commit_and_ack", self)
        if not request.said:
            self.world.fail("door", f"a request to be refused was answered with {said.status}")
        for source in {key.source for key, _ in request.said}:
            self.record.oracle_of(source).answered(request.said, said.rejected())
        reply(said)
        self.world.faults.worst_instant("crash.after_ack", self)

    async def _submit(self, intake: Intake, frame: Frame, principal: Principal) -> Ack:
        """What every door asks of the intake."""
        ack = await intake.submit(frame, principal)
        if not principal.speaks_for(frame.source):
            self.world.fail("door", f"{frame.source} was spoken for by somebody else")
        if intake.stats.outcomes[Outcome.REPEAT]:
            self.world.marks.hit("collector.repeat")
        if ack.wanted:
            self.world.marks.hit("collector.wanted")
        if any(rejected.reason == "equivocation" for rejected in ack.rejected):
            self.world.marks.hit("collector.equivocation")
        return ack


class _Observed:
    """The intake as the doors see it: each frame through the node, where a mutant may stand in the way."""

    def __init__(self, node: CollectorNode, intake: Intake) -> None:
        self._node = node
        self._intake = intake
        self.stats = intake.stats
        self.connections = intake.connections

    async def submit(self, frame: Frame, principal: Principal) -> Ack:
        node, intake = self._node, self._intake
        try:
            return await node.record.around_submit(frame, lambda changed: node._submit(intake, changed, principal))
        except Busy:
            node.world.marks.hit("collector.busy")
            raise
