"""A cloned PC or a tampering hand: other bodies under keys that are taken. Both must be kept, and be told apart."""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tests.sim.broker import Session
from tests.sim.oracle import Key, LedgerOracle
from tests.sim.workload import said
from wire.codec import encode_frame
from wire.facility import Heartbeat, Role
from wire.frame import Frame, Item, Lane
from wire.limits import FRAME_VERSION
from wire.topics import backlog_topic

if TYPE_CHECKING:
    from tests.sim.world import World


class Forgery(NamedTuple):
    """A body that its source never said, under a key of that source."""

    oracle: LedgerOracle
    key: Key
    body: bytes
    frame: bytes


class Forger:
    """Sends each forgery again until the world has healed."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.forgeries: list[Forgery] = []

    def strike(self) -> None:
        """Contradict something a probe has said."""
        world = self.world
        probe = world.rng.choice(world.probes)
        oracle = probe.oracle
        keys = [key for key in oracle.promised if key.source == probe.name and key in oracle.by_key]
        if not keys:
            return
        key = world.rng.choice(keys[-20:])
        at = probe.clock.now_ms()
        lie = Heartbeat(at, 1, "forged", None, True, "", "site-9", f"forged-{len(self.forgeries)}", Role.SEAT, 1, 1)
        kind, version, body = said(lie)
        item = Item(key.sequence, kind, version, msgspec.Raw(body))
        frame = Frame(FRAME_VERSION, key.source, key.epoch, Lane.BACKLOG, 0, [], [item])
        world.marks.hit("probe.cloned")
        oracle.attempt(key, body)
        self.forgeries.append(Forgery(oracle, key, body, encode_frame(frame)))
        self._send(len(self.forgeries) - 1)

    def _send(self, number: int) -> None:
        """Now, and again until the world has healed and the collector has it for good."""
        world = self.world
        forgery = self.forgeries[number]
        session = Session(forgery.key.source, lambda _topic, _payload: None)
        world.broker.publish(session, backlog_topic(forgery.key.source), forgery.frame)
        if world.faults.active or not self._kept(forgery):
            world.later(world.rng.uniform(1.0, 4.0), self._send, number)

    def empty(self) -> bool:
        """Every forgery is in the ledger, as itself or as a contradiction."""
        return all(self._kept(forgery) for forgery in self.forgeries)

    def left(self) -> list[str]:
        """What is not kept yet."""
        return [f"a forgery of {forgery.key} is not kept" for forgery in self.forgeries if not self._kept(forgery)]

    def judge(self) -> None:
        """What was contradicted is kept beside what contradicts it."""
        for forgery in self.forgeries:
            if not self._kept(forgery):
                forgery.oracle.fail("I1", f"a contradiction of {forgery.key} was swallowed")

    def _kept(self, forgery: Forgery) -> bool:
        return forgery.oracle.keeps(forgery.key, forgery.body)
