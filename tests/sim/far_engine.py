"""An engine on a machine of its own: the real follower behind Redis, the same runner, the same facts to be reached."""

import asyncio
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError

from sla_engine.runners.redis_streams import FeedDiverged, FeedGap, RedisFeed, announced_ledgers, known_size
from tests.sim.engine import EngineNode
from tests.sim.record import CLIENT, Record
from tests.sim.redis_port import SimRedis

if TYPE_CHECKING:
    from tests.sim.world import World

ENTRIES_MAX: Final = 30
BLOCK_MS: Final = 800
RETRY_S: Final = 0.3
BESIDE_S: Final = 2.0


class StoodBeside(Exception):
    """It has caught up beside the ledger."""


class FarEngine(EngineNode):
    """Where the stream was trimmed before it had read it, it is started once beside the ledger, as the error says."""

    kind = "far_engine"

    def __init__(self, world: "World", record: Record) -> None:
        super().__init__(world, record, "far/engine")
        self.make_feed: type[RedisFeed] = RedisFeed
        self._is_beside = False

    def may_end_with(self, error: BaseException) -> bool:
        if isinstance(error, FeedGap):
            self.world.marks.hit("far_engine.gap")
            self._is_beside = True
            return True
        if isinstance(error, FeedDiverged):
            self.world.marks.hit("far_engine.diverged")
            return True
        return isinstance(error, StoodBeside) or super().may_end_with(error)

    async def main(self) -> None:
        if self._is_beside:
            async with asyncio.TaskGroup() as group:
                group.create_task(super().main(), name="far_engine.beside")
                group.create_task(self._go_back(), name="far_engine.go_back")
            return
        redis = SimRedis(self, self.world.redis)
        known = await self._known(redis)
        self.store = store = self._open_store(known)
        feed = self.make_feed(
            redis,  # type: ignore[arg-type]  # a port
            self.ledger.ledger_id,
            known,
            entries_max=ENTRIES_MAX,
            block_ms=BLOCK_MS,
            retry_s=RETRY_S,
        )
        self.runner = runner = self.new_runner(feed, store)
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.run(), name="far_engine.feed")
            group.create_task(runner.run(), name="far_engine.run")
            group.create_task(self.watch(runner), name="far_engine.watch")

    async def _known(self, redis: SimRedis) -> int:
        """How long the ledger is, once its feeder has said so."""
        while True:
            try:
                announced = (await announced_ledgers(redis)).get(CLIENT)  # type: ignore[arg-type]  # a port
                if announced is not None:
                    return await known_size(redis, announced)  # type: ignore[arg-type]  # a port
            except RedisError:
                pass  # asked again
            await self.world.sleep(RETRY_S)

    async def _go_back(self) -> None:
        await self.world.sleep(BESIDE_S)
        while self.runner is None or not self.caught_up():
            await self.world.sleep(RETRY_S)
        self._is_beside = False
        raise StoodBeside
