"""The seeded world: everything random in it comes from one number, and the same number gives the same trace."""

import asyncio
import gc
import hashlib
from collections.abc import Callable
from random import Random
from typing import Any, Final, NamedTuple

from ledger.errors import LedgerFenced
from tests.sim.broker import BROKER, Broker
from tests.sim.chat import ChatBridge
from tests.sim.clocks import HUB_STEP_MS, WallClock
from tests.sim.collector import CollectorNode
from tests.sim.disk import DiskFaults
from tests.sim.engine import EngineNode
from tests.sim.far_engine import FarEngine
from tests.sim.faults import Faults
from tests.sim.forger import Forger
from tests.sim.loop import SimLoop, pause
from tests.sim.marks import Marks
from tests.sim.network import WIRE, Network
from tests.sim.node import Node
from tests.sim.oracle import Violation
from tests.sim.outbox_port import installed
from tests.sim.probe import ProbeNode
from tests.sim.record import Record
from tests.sim.redis_port import REDIS, RedisServer

RAGE_S: Final = 32.0
DRAIN_S: Final = 240.0
CHECK_EVERY_S: Final = 1.0


class Outcome(NamedTuple):
    """How one seed went. trace: hash over every event in order."""

    seed: int
    violations: tuple[Violation, ...]
    trace: str
    events: int
    entries: int
    facts: int
    marks: Marks


class World:
    """One run. `tamper` is a mutant's chance to put a fault into the parts before anything starts."""

    def __init__(self, seed: int, tamper: Callable[["World"], None] | None = None) -> None:
        self.rng = Random(seed)
        self.marks = Marks()
        self.loop = SimLoop()
        self.loop.start_delay = lambda: self.rng.expovariate(2000)
        self.disk_faults = DiskFaults(
            Random(self.rng.random()),
        )
        self.network = Network(Random(self.rng.random()), self.loop, self.marks)
        self.broker = Broker(Random(self.rng.random()), self.loop, self.network, self.marks)
        self.faults = Faults(self, Random(self.rng.random()))
        self.violations: list[Violation] = []
        self.events = 0
        self._trace = hashlib.sha256()
        self.hub_clock = WallClock(lambda: self.now, HUB_STEP_MS)
        self.record = Record(self)
        self.collectors = [CollectorNode(self, name, self.record) for name in ("hub/collector", "hub/standby")]
        self.collector = self.collectors[0]
        self.redis = RedisServer(Random(self.rng.random()), self.loop, self.network, self.marks)
        self.redis.on_break = lambda what: self.fail("I7", what)
        self.engine = EngineNode(self, self.record)
        self.far_engine = FarEngine(self, self.record)
        self.engines = [self.engine, self.far_engine]
        self.probes = [
            ProbeNode(self, "site-1/seat-1", "operator"),
            ProbeNode(self, "site-1/gateway", "operator"),
            ProbeNode(self, "site-2/pbx", "acme"),
        ]
        self.chat = ChatBridge(self, "acme/chat", "acme")
        self.forger = Forger(self)
        self.nodes: list[Node] = [*self.collectors, *self.engines, self.chat, *self.probes]
        for mate in (*self.collectors, self.engine):
            mate.machine_mates = [*self.collectors, self.engine]
            mate.clock = self.hub_clock
        for node in (self.chat, *self.probes):
            node.clock.step(self.rng)
        self.links = [(probe.name, BROKER) for probe in self.probes]
        self.links += [(BROKER, self.collector.name), (self.chat.name, self.collector.name)]
        self.links += [(self.collector.name, self.engine.name)]
        self.links += [(self.collector.name, REDIS), (self.far_engine.name, REDIS)]
        if tamper is not None:
            tamper(self)

    @property
    def now(self) -> float:
        """Seconds of virtual time."""
        return self.loop.time()

    def random_bytes(self, count: int) -> bytes:
        """What os.urandom is elsewhere."""
        return self.rng.randbytes(count)

    @staticmethod
    def sha256(data: bytes) -> bytes:
        """Digest."""
        return hashlib.sha256(data).digest()

    async def sleep(self, seconds: float) -> None:
        """Virtual sleep."""
        await pause(seconds)

    def later(self, delay: float, action: Callable[..., Any], *args: Any) -> None:
        """A timer of the world, which survives every process."""
        self.loop.call_later(delay, action, *args, context=WIRE)

    def trace(self, *what: object) -> None:
        """One line of the run's history."""
        self.events += 1
        self._trace.update(repr((round(self.now, 6), *what)).encode())

    def fail(self, invariant: str, message: str) -> None:
        """An invariant does not hold."""
        self.violations.append(Violation(invariant, message))

    def fail_over(self, seconds: float) -> None:
        """The collector stands still and is thought dead: another one takes its ledgers over. Then it comes back."""
        old = self.collector
        (new,) = (node for node in self.collectors if node is not old)
        if not old.up or new.up:
            return
        self.marks.hit("collector.usurped")
        old.pause(seconds)
        self.collector = new
        new.start()

    def address(self) -> CollectorNode:
        """Where a sender believes the HTTP door to be: now and then still at the collector that was replaced."""
        others = [node for node in self.collectors if node.up and node is not self.collector]
        return others[0] if others and self.rng.random() < 0.3 else self.collector

    def process_ended(self, node: Node, error: BaseException) -> None:
        """A process ended by itself: right after a failed fsync, a bug otherwise."""
        self.trace("ended", node.name, type(error).__name__)
        if node.may_end_with(error):
            fenced = isinstance(error, LedgerFenced)
            self.marks.hit("process.ended_fenced" if fenced else "process.ended_after_fsync_error")
        else:
            self.fail("crash", f"{node.name} ended with {error!r}")
        node.crash(power=False)

    def all_violations(self) -> list[Violation]:
        """Found so far, anywhere."""
        found = list(self.violations)
        for oracle in self.record.oracles.values():
            found.extend(oracle.violations)
        return found

    def outcome(self, seed: int) -> Outcome:
        """What came of it."""
        for line in self.loop.unhandled:
            self.fail("crash", line)
        entries = sum(len(oracle.entries) for oracle in self.record.oracles.values())
        return Outcome(
            seed,
            tuple(self.all_violations()),
            self._trace.hexdigest()[:16],
            self.events,
            entries,
            self.engine.fact_count(),
            self.marks,
        )

    async def scenario(self) -> None:
        """Start, rage, heal, drain, judge."""
        for node in self.nodes:
            node.start()
        await self.faults.rage(RAGE_S)
        self.heal()
        deadline = self.now + DRAIN_S
        while not self.drained():
            if self.all_violations():
                return
            if self.now > deadline:
                self.fail("liveness", self.what_is_left())
                return
            await self.sleep(CHECK_EVERY_S)
        self.judge()

    def heal(self) -> None:
        """No more faults and no more work; every process is up."""
        self.trace("heal")
        self.faults.active = False
        self.network.calm()
        self.broker.calm()
        self.redis.restart()
        self.disk_faults.calm()
        if not self.broker.up:
            self.broker.restart()
        for node in self.nodes:
            node.start()

    def drained(self) -> bool:
        """Whether everything that was promised has been acknowledged, and folded, by the one collector in charge."""
        sources: list[ProbeNode | ChatBridge] = [*self.probes, self.chat]
        return (
            all(node.up == self.belongs_up(node) for node in self.nodes)
            and all(s.empty() for s in sources)
            and self.forger.empty()
            and all(engine.caught_up() for engine in self.engines)
        )

    def what_is_left(self) -> str:
        """For the report of a world that never drains."""
        sources: list[ProbeNode | ChatBridge] = [*self.probes, self.chat]
        left = [source.left() for source in sources if not source.empty()]
        left += self.forger.left()
        left += [engine.left() for engine in self.engines if not engine.caught_up()]
        astray = [node for node in self.nodes if node.up != self.belongs_up(node)]
        left += [f"{node.name} is {'up' if node.up else 'down'}" for node in astray]
        return f"after {DRAIN_S:.0f} s without faults: {'; '.join(left)}"

    def belongs_up(self, node: Node) -> bool:
        """Whether it is meant to run: of the collectors, the one in charge."""
        return node is self.collector or node not in self.collectors

    def judge_stream(self) -> None:
        """I7: what the stream holds is the end of the ledger, each entry once."""
        for name, stream in self.redis.streams.items():
            there = [(entry.index, entry.leaf) for entry in stream.entries()]
            ledger = [(entry.index, entry.leaf) for entry in self.engine.ledger.read(0, self.engine.ledger.size())]
            if there != ledger[len(ledger) - len(there) :]:
                self.fail("I7", f"{name} is not the end of the ledger")

    def judge(self) -> None:
        """The checks at the end."""
        for oracle in self.record.oracles.values():
            oracle.settle()
        self.forger.judge()
        for engine in self.engines:
            engine.judge()
        self.judge_stream()


def run(seed: int, tamper: Callable[[World], None] | None = None) -> Outcome:
    """One seed from start to verdict."""
    world = World(seed, tamper)
    asyncio.set_event_loop(world.loop)
    gc.disable()  # nothing of a dead process may run at a moment the seed does not decide
    try:
        with installed():
            world.loop.run_until_complete(world.scenario())
        return world.outcome(seed)
    finally:
        world.loop.abandon()
        asyncio.set_event_loop(None)
        gc.enable()
