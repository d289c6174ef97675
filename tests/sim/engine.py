"""The engine of the world: the real fold behind a feed that repeats and reorders, its state on disks that forget."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.entry import StoredEntry
from ledger.recorded import recorded
from sla_engine._core.engine import Shard, new_shard, restore, snapshot, step
from sla_engine.facts_store import Commit, FactKey, Saved, key_of, revision_of
from tests.sim.collector import CLIENT, CollectorNode
from tests.sim.facts_port import SimFacts
from tests.sim.node import Node
from wire.verdict import Fact

if TYPE_CHECKING:
    from tests.sim.world import World

CHUNK: Final = 24
SHARD: Final = "shard"
LAST_LEAF: Final = "last_leaf"
Facts = dict[FactKey, Fact]


def take(facts: Facts, fresh: Sequence[Fact]) -> None:
    """Keep each fact in its highest revision."""
    for fact in fresh:
        known = facts.get(key_of(fact))
        if known is None or revision_of(fact) > revision_of(known):
            facts[key_of(fact)] = fact


def canonical(facts: Facts) -> bytes:
    """One encoding of a set of facts."""
    return msgspec.msgpack.encode(sorted(facts.items()))


def essence(shard: Shard) -> bytes:
    """The state of a shard without what the clock has made it announce, which entries do not decide."""
    copy = restore(snapshot(shard))
    for conversation in copy.conversations.values():
        for track in conversation.tracks:
            track.announced = 0
    return snapshot(copy)


class EngineNode(Node):
    """Asks the feed for what follows its offset, folds, commits facts and state together."""

    kind = "engine"

    def __init__(self, world: "World", collector: CollectorNode) -> None:
        super().__init__(world, "hub/engine")
        self.facts_disk = self.new_disk("facts")
        self.state_disk = self.new_disk("state")
        self._reader = collector.reader(CLIENT)
        self._oracle = collector.oracles[CLIENT]
        self.make_store: Callable[..., SimFacts] = SimFacts
        self._shard: Shard | None = None
        self.store: SimFacts | None = None
        self._chunks: asyncio.Queue[Sequence[StoredEntry]] = asyncio.Queue(maxsize=1000)

    async def main(self) -> None:
        world = self.world
        self.store = store = self.open_store()
        saved = store.saved()
        if saved is not None and not self.fits(saved):
            world.marks.hit("engine.ledger_diverged")
            store.discard("the ledger is not the one that was folded")
            saved = None
        self._shard = shard = new_shard() if saved is None else restore(saved.sections[SHARD])
        self._check(shard, store)
        self._chunks = asyncio.Queue(maxsize=1000)
        while True:
            self._ask(shard.next_index)
            try:
                async with asyncio.timeout(0.5):
                    chunk = await self._chunks.get()
            except TimeoutError:
                continue
            if not self.follows(chunk, shard.next_index):
                continue
            world.faults.worst_instant("crash.between_ledger_and_engine", self)
            result = step(shard, [recorded(entry) for entry in chunk], world.clock_ms())
            last_leaf = self._reader.entry(shard.next_index - 1).leaf
            commit = Commit(shard.next_index, result.facts, {}, {SHARD: snapshot(shard), LAST_LEAF: last_leaf})
            await world.loop.run_in_executor(None, store.commit, commit)
            world.trace("folded", shard.next_index, len(result.facts))
            if shard.next_index > len(self._oracle.entries):
                world.fail("I5", f"offset {shard.next_index} is ahead of a ledger of {len(self._oracle.entries)}")

    def follows(self, chunk: Sequence[StoredEntry], next_index: int) -> bool:
        """Whether the chunk goes on where we are; it may begin earlier, since the feed repeats itself."""
        return bool(chunk) and chunk[0].index <= next_index <= chunk[-1].index

    def fits(self, saved: Saved) -> bool:
        """Whether the ledger still holds what was folded last: a restored older one may have grown past it again."""
        return self._reader.entry(saved.next_index - 1).leaf == saved.sections[LAST_LEAF]

    def open_store(self) -> SimFacts:
        """What the last life left, if it fits the ledger."""
        store = self.make_store(self.facts_disk, self.state_disk, self.world.rng, self.world.marks)
        store.between = lambda: self.world.faults.worst_instant("crash.between_facts_and_state", self)
        store.load(self._reader.size())
        return store

    def _ask(self, first: int) -> None:
        """The feed answers with what follows `first`; answers may be lost, repeated, late."""
        network, feed = self.world.network, self.world.collector.name

        def answer() -> None:
            chunk = self._reader.read(first, CHUNK)
            network.send(feed, self.name, lambda: self.enter(self._chunks.put_nowait, chunk))

        network.send(self.name, feed, answer)

    # judgement

    def _check(self, shard: Shard, store: SimFacts) -> None:
        """I5: what was found on disk is the fold of the ledger up to its offset."""
        self.world.marks.hit("engine.resumed" if shard.next_index else "engine.replayed")
        entries = [recorded(entry) for entry in self._reader.read(0, shard.next_index)]
        fresh = new_shard()
        facts: Facts = {}
        take(facts, step(fresh, entries, 0).facts)
        if len(entries) < shard.next_index:
            self.world.fail("I5", f"offset {shard.next_index} on disk, the ledger has {len(entries)} entries")
        elif essence(fresh) != essence(shard):
            self.world.fail("I5", f"state on disk at {shard.next_index} is not the fold of the ledger")
        elif any(store.facts.get(key) is None for key in facts):
            self.world.fail("I5", "the state on disk is ahead of its facts")

    def caught_up(self) -> bool:
        """Everything in the ledger is folded."""
        return self.up and self._shard is not None and self._shard.next_index == self._reader.size()

    def left(self) -> str:
        at = self._shard.next_index if self._shard is not None else 0
        return f"{self.name} is at {at} of {self._reader.size()}"

    def fact_count(self) -> int:
        return len(self.store.facts) if self.store is not None else 0

    def judge(self) -> None:
        """I4: any batches, any restart points, any `now` give the same facts, byte for byte; I5 at the end."""
        if self.store is None or self._shard is None:
            return
        entries = [recorded(entry) for entry in self._reader.read(0, self._reader.size())]
        whole: Facts = {}
        take(whole, step(new_shard(), entries, 0).facts)
        again = self._replay(entries)
        if canonical(again) != canonical(whole):
            self.world.fail("I4", "another split into batches and restarts gives other facts")
        if canonical(self.store.facts) != canonical(whole):
            self.world.fail("I5", f"{len(self.store.facts)} facts on disk, {len(whole)} by replay, or other ones")

    def _replay(self, entries: Sequence[object]) -> Facts:
        rng, facts, shard, at = self.world.rng, {}, new_shard(), 0
        while at < len(entries):
            size = rng.choice((1, 2, 7, 40))
            take(facts, step(shard, entries[at : at + size], self.world.clock_ms() + rng.randint(-(10**6), 10**6)).facts)
            at += size
            if rng.random() < 0.1:
                shard = restore(snapshot(shard))
        return facts
