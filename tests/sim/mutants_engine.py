"""Broken engines and feeds: the second half of the mutants (`tests.sim.mutants`)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from collector.feed_redis import RedisFeeder
from ledger.entry import StoredEntry
from sla_engine.facts_store import Commit
from sla_engine.runners.local import LocalRunner
from sla_engine.runners.redis_streams import RedisFeed
from tests.oracle.reading import Told
from tests.sim.facts_port import SimFacts
from tests.sim.ledger_port import SimReader
from tests.sim.record import CLIENT
from tests.sim.world import World
from wire.codec import decode_body, encode_body
from wire.stream import StreamEntry, size_after


def judged_by_arrival(world: World) -> None:
    """Events are folded as if they had happened when they came in."""

    class Restamped(SimReader):
        def read(self, first: int, limit: int) -> list[StoredEntry]:
            return [_as_of_arrival(entry) for entry in super().read(first, limit)]

    world.engine.reader = world.engine.ledger = Restamped(world.record.ledgers[CLIENT])


def _as_of_arrival(entry: StoredEntry) -> StoredEntry:
    body = None if entry.body is None else decode_body(entry.kind, entry.kind_version, entry.body)
    if not isinstance(body, Told):
        return entry
    restamped = encode_body(msgspec.structs.replace(body, occurred_at=entry.received_at))
    return msgspec.structs.replace(entry, body=restamped)


def _facts(world: World, kind: type[SimFacts]) -> None:
    world.engine.make_store = kind


def offset_before_state(world: World) -> None:
    """The offset is stored first, the facts it stands for after it, and nothing compares the two."""

    class Hasty(SimFacts):
        def write(self, commit: Commit) -> None:
            self.commit_state(commit)
            self._state_disk.flush()
            self.between()
            self.commit_facts(commit)
            self._facts_disk.flush()

        def misfit(self, next_index: int, ledger_size: int) -> str | None:
            self._through = max(self._through, next_index)
            return super().misfit(next_index, ledger_size)

    _facts(world, Hasty)


def non_atomic_snapshot(world: World) -> None:
    """The state is written in two transactions: where it stands, then the conversations."""

    class InPlace(SimFacts):
        def commit_state(self, commit: Commit) -> None:
            super().commit_state(commit._replace(conversations={}))
            self.between()
            super().commit_state(commit)

    _facts(world, InPlace)


def engine_ignores_restore(world: World) -> None:
    """State that is ahead of the ledger, or of another past, is used."""

    class Trusting(SimFacts):
        def misfit(self, next_index: int, ledger_size: int) -> str | None:
            return None

        def discard(self, why: str) -> None:
            """Never."""

    _facts(world, Trusting)


def engine_trusts_offset(world: World) -> None:
    """An offset within the ledger is enough: nobody looks whether the ledger before it is still the same."""

    class Trusting(LocalRunner):
        async def _is_diverged(self, _ends: Sequence[tuple[int, bytes]]) -> bool:
            return False

    world.engine.make_runner = Trusting


def stream_takes_repeats(world: World) -> None:
    """Redis appends whatever it is given: nobody asks with what the stream ends."""
    world.redis.conditional = False


def stream_of_another_past(world: World) -> None:
    """The feeder goes on behind whatever the stream ends with."""

    class Trusting(RedisFeeder):
        async def _last_leaf(self) -> bytes:
            return self._leaf_before(size_after(await self._last_id()))

    world.record.make_feeder = Trusting


def far_engine_trusts_stream(world: World) -> None:
    """The follower reads on, whatever the stream was fed from."""

    class Trusting(RedisFeed):
        def _take(self, chunk: list[StreamEntry], before: bytes) -> None:
            self._last_leaf = None
            super()._take([msgspec.structs.replace(entry, leaf=b"") for entry in chunk], before)

        async def _look(self) -> None:
            """Never."""

    world.far_engine.make_feed = Trusting


def far_engine_begins_at_the_newest(world: World) -> None:
    """The follower's place is lost with the connection: it goes on with what comes next."""

    class Forgetful(RedisFeed):
        def _take(self, chunk: list[StreamEntry], before: bytes) -> None:
            if world.rng.random() < 0.1:
                self._received, self._last_leaf = max(self._received, chunk[-1].index), None
            super()._take(chunk, before)

    world.far_engine.make_feed = Forgetful


def feed_skips_entries(world: World) -> None:
    """Now and then the feed leaves an entry out."""
    reader = world.engine.reader

    class Lossy:
        def read(self, first: int, limit: int) -> list[StoredEntry]:
            found = reader.read(first, limit)
            return found[1:] if len(found) > 1 and world.rng.random() < 0.05 else found

    world.engine.reader = Lossy()


ENGINE_MUTANTS: Final = (
    judged_by_arrival,
    offset_before_state,
    non_atomic_snapshot,
    engine_ignores_restore,
    engine_trusts_offset,
    feed_skips_entries,
    stream_takes_repeats,
    stream_of_another_past,
    far_engine_trusts_stream,
    far_engine_begins_at_the_newest,
)
