"""What goes wrong, and when: a random schedule, plus kills at the worst instants."""

from random import Random
from typing import TYPE_CHECKING, Final

from tests.sim.broker import BROKER
from tests.sim.loop import INCARNATION, ProcessDied

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.world import World

ODDS: Final = {
    "crash.after_ack": 0.03,
    "crash.before_fsync": 0.01,
    "crash.between_commit_and_ack": 0.02,
    "crash.between_ledger_and_engine": 0.02,
    "crash.between_facts_and_state": 0.02,
    "crash.during_overflow": 0.1,
    "crash.after_promise": 0.01,
}
"""Chance of a kill each time the world passes one of its worst instants."""


class Faults:
    """Schedules trouble until `stop`."""

    def __init__(self, world: "World", rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.active = True

    def worst_instant(self, point: str, node: "Node") -> None:
        """The process has just reached `point`: perhaps kill it now or a moment later, perhaps with its machine."""
        if not self.active or not node.up or self.rng.random() >= ODDS[point]:
            return
        delay = self.rng.choice((0.0, 0.0, 0.001, 0.01, 0.1))
        power = self.rng.random() < 0.6
        incarnation = node.incarnation

        def strike() -> None:
            if node.incarnation is incarnation and node.up:
                self.world.marks.hit(point)
                node.crash(power=power)

        if delay == 0.0:
            strike()
            if INCARNATION.get() is incarnation:
                raise ProcessDied(node.name)
            return
        self.world.later(delay, strike)

    async def rage(self, seconds: float) -> None:
        """One fault after the other for this long."""
        world = self.world
        ends = world.now + seconds
        trouble = (
            (self.crash_any, 8),
            (self.cut_a_link, 3),
            (self.swizzle, 1),
            (self.crash_broker, 2),
            (self.lose_outbox, 1),
            (self.back_up_ledger, 3),
            (self.restore_ledger, 2),
            (self.forge, 2),
            (self.usurp, 2),
            (self.step_clock, 4),
            (self.hurt_redis, 4),
        )
        actions = [action for action, weight in trouble for _ in range(weight)]
        while world.now < ends:
            await world.sleep(self.rng.expovariate(1 / 2.5))
            if world.now < ends:
                self.rng.choice(actions)()

    def crash_any(self) -> None:
        node = self.rng.choice(self.world.nodes)
        node.crash(power=self.rng.random() < 0.5)

    def cut_a_link(self) -> None:
        one, other = self.rng.choice(self.world.links)
        self.world.network.cut(one, other)
        self.world.later(self.rng.uniform(0.5, 10.0), self.world.network.mend, one, other)

    def swizzle(self) -> None:
        """Stop the links one by one, heal them in another order."""
        links = list(self.world.links)
        self.rng.shuffle(links)
        for step, link in enumerate(links):
            self.world.later(0.3 * step, self.world.network.cut, *link)
        self.rng.shuffle(links)
        for step, link in enumerate(links):
            self.world.later(0.3 * (len(links) + step) + 1.0, self.world.network.mend, *link)

    def crash_broker(self) -> None:
        broker = self.world.broker
        if broker.up:
            self.world.trace("crash", BROKER)
            broker.crash()
            self.world.later(self.rng.uniform(0.1, 5.0), broker.restart)

    def lose_outbox(self) -> None:
        self.rng.choice(self.world.probes).lose_outbox()

    def back_up_ledger(self) -> None:
        self.world.record.back_up()

    def restore_ledger(self) -> None:
        self.world.record.restore()

    def step_clock(self) -> None:
        """Somebody sets a clock, or it is set by itself: the hub's, or that of a source."""
        world = self.world
        clock = self.rng.choice([world.hub_clock, *(node.clock for node in (world.chat, *world.probes))])
        stepped = clock.step(self.rng)
        place = "hub" if clock is world.hub_clock else "source"
        world.marks.hit(f"clock.{place}_{'back' if stepped < 0 else 'forth'}")
        world.trace("clock", place, stepped)

    def hurt_redis(self) -> None:
        """Save it, flush it, or kill it; it comes back with the last save."""
        redis = self.world.redis
        what = self.rng.choice((redis.save, redis.save, redis.flush, redis.kill))
        self.world.trace("redis", what.__name__)
        if redis.up:
            what()
        if not redis.up:
            self.world.later(self.rng.uniform(0.1, 5.0), redis.restart)

    def usurp(self) -> None:
        self.world.fail_over(self.rng.uniform(0.3, 9.0))

    def forge(self) -> None:
        self.world.forger.strike()
