"""The engine of the world: the real runner behind a feed that is late, its files on disks that forget."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.entry import StoredEntry
from ledger.recorded import recorded
from sla_engine._core.client import TileSettings
from sla_engine._core.conversation import SAID_OVERDUE
from sla_engine._core.engine import Shard, new_shard, restore, snapshot, step
from sla_engine._core.parts import assemble
from sla_engine._core.windows import WindowCalendar
from sla_engine.facts_store import FactKey, key_of, revision_of
from sla_engine.runners.local import DIVERGED, LocalRunner, RunnerSettings
from sla_engine.runners.tail import EntryReader, LedgerFeed
from sla_engine.zones import zone_table
from tests.sim.facts_port import SimFacts
from tests.sim.node import Node
from tests.sim.record import CLIENT, Record
from tests.sim.verdicts import differing
from wire.recorded import Recorded
from wire.verdict import Announcement, Fact

if TYPE_CHECKING:
    from tests.sim.world import World

MINUTE_MS: Final = 60_000
SETTINGS: Final = RunnerSettings(
    batch_entries=16,
    commit_interval_ms=700,
    commit_facts=12,
    calendar=WindowCalendar(zone_table("Asia/Shanghai"), 15 * MINUTE_MS, 4 * 60 * MINUTE_MS),
    tiles=TileSettings(
        hands_limit=10,
        hands_idle_ms=120 * MINUTE_MS,
        surge_conversations=3,
        surge_within_ms=MINUTE_MS,
        follow_up_lasts_ms=5 * MINUTE_MS,
        due_soon_max_ms=MINUTE_MS,
    ),
)
POLL_S: Final = 0.4
SPLITS: Final = (1, 2, 7, 40)
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
    """The state of a shard without what entries do not decide: what was announced, and the order of what may be
    forgotten."""
    copy = restore(snapshot(shard))
    for conversation in copy.conversations.values():
        for track in conversation.tracks:
            track.flags %= SAID_OVERDUE  # above the bits of what was judged and answered
    whole = msgspec.msgpack.decode(snapshot(copy), type=dict[str, Any], strict=False)
    whole["conversations"].sort()
    whole["forgetting"] = sorted(
        key for hours in whole["forgetting"]["hours"] for keys in hours.values() for key in keys
    )
    return msgspec.msgpack.encode(whole)


class Feed:
    """A ledger as another process hears of it: asked over a network for its size, read from its files."""

    def __init__(self, engine: "EngineNode", reader: EntryReader, ledger_id: bytes) -> None:
        self.ledger_id = ledger_id
        self.size = 0
        self.reader = reader
        self._engine = engine
        self._grown = asyncio.Event()

    async def changed(self, since: int) -> int:
        """Wait until there are more than `since` entries."""
        while self.size <= since:
            await self._grown.wait()
        return self.size

    def grew(self, size: int) -> None:
        """The ledger has said how long it is, perhaps a while ago."""
        if size > self.size:
            self.size = size
            self._grown.set()
            self._grown = asyncio.Event()

    async def poll(self) -> None:
        """Ask, for ever."""
        while True:
            self._engine.ask(self)
            await self._engine.world.sleep(POLL_S)


class EngineNode(Node):
    """One process on the hub, apart from the collector: crashes of either leave the other running."""

    kind = "engine"

    def __init__(self, world: "World", record: Record, name: str = "hub/engine") -> None:
        super().__init__(world, name)
        self.facts_disk = self.new_disk("facts")
        self.state_disk = self.new_disk("state")
        self.reader: EntryReader = record.reader(CLIENT)
        self.make_store: Callable[..., SimFacts] = SimFacts
        self.make_runner: type[LocalRunner] = LocalRunner
        self.store: SimFacts | None = None
        self.ledger = record.reader(CLIENT)
        self._oracle = record.oracles[CLIENT]
        self.runner: LocalRunner | None = None

    def on_death(self) -> None:
        self.runner = None

    async def main(self) -> None:
        self.store = store = self._open_store(self.ledger.size())
        feed = Feed(self, self.reader, self.ledger.ledger_id)
        feed.size = self.ledger.size()
        self.runner = self.new_runner(feed, store)
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.poll(), name="engine.poll")
            group.create_task(self.runner.run(), name="engine.run")
            group.create_task(self.watch(self.runner), name="engine.watch")

    def new_runner(self, feed: LedgerFeed, store: SimFacts) -> LocalRunner:
        """The real one."""
        return self.make_runner(
            CLIENT,
            feed,
            store,  # type: ignore[arg-type]  # the same port, over simulated disks
            clock_ms=self.clock.now_ms,
            settings=SETTINGS,
            announced=self._announced,
        )

    def _open_store(self, ledger_size: int) -> SimFacts:
        """What the last life left, if it fits a ledger of that size."""
        store = self.make_store(self.facts_disk, self.state_disk, self.world.rng, self.world.marks)
        store.before = lambda: self.world.faults.worst_instant("crash.between_ledger_and_engine", self)
        store.between = lambda: self.world.faults.worst_instant("crash.between_facts_and_state", self)
        store.after = self._committed
        store.load(ledger_size)
        return store

    def _committed(self, next_index: int) -> None:
        self.world.trace("folded", self.name, next_index)
        if self.kind == "engine" and next_index > len(self._oracle.entries):
            self.world.fail("I5", f"offset {next_index} is ahead of a ledger of {len(self._oracle.entries)}")

    async def watch(self, runner: LocalRunner) -> None:
        """Once it has caught up, what it holds must be the fold of the ledger."""
        await runner.caught_up.wait()
        store = self.store
        if store is None:
            return
        self.world.marks.hit("engine.replayed" if store.resumed_at is None else "engine.resumed")
        if store.discarded == DIVERGED:
            self.world.marks.hit("engine.ledger_diverged")
        if self.kind == "engine":  # another machine may not have heard yet that the ledger was restored
            self._check(runner._shard)

    def _check(self, shard: Shard) -> None:
        """I5: the state is the fold of ledger[0:offset]."""
        entries = self._entries(shard.next_index)
        fresh = new_shard()
        step(fresh, entries, 0)
        if len(entries) < shard.next_index:
            self.world.fail("I5", f"folded {shard.next_index} entries of a ledger that has {len(entries)}")
        elif essence(fresh) != essence(shard):
            self.world.fail("I5", f"the state at {shard.next_index} is not the fold of the ledger")

    def _announced(self, announcements: list[Announcement]) -> None:
        for announcement in announcements:
            self.world.marks.hit(f"engine.announced_{announcement.notice}")

    def ask(self, feed: Feed) -> None:
        """How long is the ledger? Question and answer may be lost, repeated, late."""
        network, hub = self.world.network, self.world.collector.name

        def answer() -> None:
            size = self.ledger.size()
            network.send(hub, self.name, lambda: self.enter(feed.grew, size))

        network.send(self.name, hub, answer)

    # judgement

    def caught_up(self) -> bool:
        """Everything in the ledger is folded, and written."""
        size = self.ledger.size()
        runner, store = self.runner, self.store
        return runner is not None and store is not None and runner.next_index == store.next_index == size

    def left(self) -> str:
        """Where it stands."""
        at = (self.runner.next_index if self.runner else "?", self.store.next_index if self.store else "?")
        return f"{self.name} has folded {at[0]} and written {at[1]} of {self.ledger.size()}"

    def fact_count(self) -> int:
        """Facts on disk."""
        return len(self.store.facts) if self.store is not None else 0

    def judge(self) -> None:
        """At the end. I4: any batches, any restart points, any `now` give the same facts, byte for byte. I5: they are
        on disk. I6: they are right.
        """
        entries = self._entries(self.ledger.size())
        whole: Facts = {}
        take(whole, step(new_shard(), entries, 0).facts)
        if canonical(self._replay(entries)) != canonical(whole):
            self.world.fail("I4", "another split into batches and restarts gives other facts")
        if differing(self._oracle.entries, entries):
            self.world.fail("I6", "the engine judges sessions otherwise than a plain reader of the record")
        store = self._open_store(len(entries))
        if canonical(store.facts) != canonical(whole):
            self.world.fail("I5", f"{len(store.facts)} facts on disk, {len(whole)} by replay, or other ones")
        saved = store.saved()
        if saved is None:
            self.world.fail("I5", "no state on disk")
        else:
            self._check(assemble(saved.sections, saved.conversations))

    def _entries(self, count: int) -> list[Recorded]:
        stored: list[StoredEntry] = self.ledger.read(0, count)
        return [recorded(entry) for entry in stored]

    def _replay(self, entries: Sequence[Recorded]) -> Facts:
        rng, shard, at = self.world.rng, new_shard(), 0
        facts: Facts = {}
        while at < len(entries):
            size, now = rng.choice(SPLITS), self.clock.now_ms() + rng.randint(-MINUTE_MS, MINUTE_MS)
            take(facts, step(shard, entries[at : at + size], now).facts)
            at += size
            if rng.random() < 0.1:
                shard = restore(snapshot(shard))
        return facts
