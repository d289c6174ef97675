"""One client's ledger, followed in this process: entries to facts on disk, to announcements, and to tiles.

The fold runs in the event loop in small batches and yields between them; one thread beside it writes. The clock is read
before the ledger, so a board that says "as of now" has seen everything known to be durable by then.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec

from sla_engine._core.client import Change, ClientState, TileSettings, fold_client
from sla_engine._core.engine import Shard, SnapshotUnreadable, anomalies, live, new_shard, open_conversations, step
from sla_engine._core.parts import ShardParts, assemble, conversation_part
from sla_engine._core.remembered import Remembered, RememberedParts, recall
from sla_engine._core.tiles import ClientPart, client_part
from sla_engine._core.windows import WindowCalendar
from sla_engine.facts_store import Commit, FactKey, FactsStore, key_of, revision_of
from sla_engine.runners.lookup import Lookup
from sla_engine.runners.restating import RESTATED, Restating
from sla_engine.runners.tail import MS_PER_S, LedgerFeed, Tail, holds, leaf_before
from wire.errors import require
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.verdict import Announcement, Fact

_T = TypeVar("_T")

DIVERGED: Final = "the ledger no longer holds an entry that was folded last"
_RULES_CHANGE: Final = frozenset({Kind.DEFINITION, Kind.CONTRACT})


class RunnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of a runner, from `[board]` in defaults.toml.

    batch_entries: entries folded, or facts loaded, before other work gets its turn. commit_interval_ms: how often facts
    are written. commit_facts: facts after which they are written sooner. calendar: windows of a client without rules.
    """

    batch_entries: int
    commit_interval_ms: int
    commit_facts: int
    calendar: WindowCalendar
    tiles: TileSettings


class LocalRunner:
    """Follows one client's ledger until cancelled. Made and used on one event loop; `run` once.

    announced: called with what the clock made due, never for history and not before the ledger was caught up with.
    """

    def __init__(
        self,
        client: str,
        feed: LedgerFeed,
        store: FactsStore,
        *,
        clock_ms: Callable[[], int],
        settings: RunnerSettings,
        announced: Callable[[list[Announcement]], None],
    ) -> None:
        self.client: Final = client
        self.caught_up: Final = asyncio.Event()
        self._feed: Final = feed
        self._store: Final = store
        self._clock_ms: Final = clock_ms
        self._settings: Final = settings
        self._announced: Final = announced
        self._parts: Final = ShardParts()
        self._remembered_parts: Final = RememberedParts()
        self._thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"facts[{client}]")
        self._full: Final = asyncio.Event()
        self._commit_turn: Final = asyncio.Lock()
        self._pending: dict[FactKey, Fact] = {}
        self._committing: dict[FactKey, Fact] = {}
        self._touched: dict[str, bytes | None] = {}
        self._committed_index = 0
        self._committed_restated = b""
        self._shard: Shard = new_shard()
        self._lookup = Lookup(self._shard)
        self._state = self._new_state(Remembered())
        self._before_change: ClientPart | None = None
        self._tail = Tail(feed, 0, settings.batch_entries, clock_ms)
        self._restating: Final = Restating(feed, settings.batch_entries)

    @property
    def next_index(self) -> int:
        """The first entry that is not folded yet."""
        return self._shard.next_index

    @property
    def anomalies(self) -> Mapping[str, int]:
        """Reason -> count of entries that did not do what they said, since the ledger began."""
        return anomalies(self._shard)

    @property
    def restating(self) -> bool:
        """Whether past sessions are being counted anew under a version that restates."""
        return self._restating.outstanding

    def board_part(self, *, with_people: bool = False) -> ClientPart | None:
        """This client's tiles; None until the ledger has been caught up with.

        As of now, or of the instant before a change of rules whose tiles are being made anew. with_people: one of each
        person too.
        """
        if not self.caught_up.is_set():
            return None
        if self._before_change is not None:
            return self._before_change if with_people else self._before_change._replace(people=())
        if self._tail.drained:
            self._state.advance(self._clock_ms(), self._lookup.live_watermark())
        on_roster = self._lookup.on_roster() if with_people else None
        return client_part(self._state, self._lookup.promise_of, on_roster)

    async def run(self) -> None:
        """Fold, announce and commit until cancelled; what is folded by then is committed.

        Any error ends it, sqlite3.Error of a commit included: the next start goes on from the last commit.
        """
        try:
            await self._take_up()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tail.watch(), name=f"engine[{self.client}].watch")
                tasks.create_task(self._commit_often(), name=f"engine[{self.client}].commit")
                tasks.create_task(self._fold(), name=f"engine[{self.client}].fold")
        except asyncio.CancelledError:
            await self._commit()
            raise
        finally:
            self._tail.stop()
            self._thread.shutdown()

    async def _take_up(self) -> None:
        """Go on where the last commit left off, or at entry 0 where it cannot be read."""
        loop = asyncio.get_running_loop()
        shard, remembered = await loop.run_in_executor(self._thread, self._restore)
        ends = await loop.run_in_executor(self._thread, self._store.ends)
        if await self._is_diverged(ends):
            await loop.run_in_executor(self._thread, self._store.discard, DIVERGED)
            shard, remembered = new_shard(), Remembered()
            self._restating.restore(None)
        self._shard = shard
        self._committed_index = shard.next_index
        self._committed_restated = self._restating.section()
        self._lookup = Lookup(shard)
        self._state = self._new_state(remembered)
        self._tail = Tail(self._feed, shard.next_index, self._settings.batch_entries, self._clock_ms)

    async def _is_diverged(self, ends: Sequence[tuple[int, bytes]]) -> bool:
        """Whether the ledger holds something else where facts end. The lowest last: the fold goes on from there."""
        for next_index, last_leaf in sorted(ends, reverse=True):
            if not await holds(self._feed, next_index, last_leaf):
                return True
        return False

    def _restore(self) -> tuple[Shard, Remembered]:
        saved = self._store.saved()
        if saved is None:
            return new_shard(), Remembered()
        try:
            shard = assemble(saved.sections, saved.conversations)
            remembered = recall(saved.sections)
            self._restating.restore(saved.sections.get(RESTATED))
        except (SnapshotUnreadable, KeyError, msgspec.MsgspecError) as error:
            self._store.discard(f"unreadable: {error}")
            return new_shard(), Remembered()
        require(shard.next_index == saved.next_index, "state and offset are of one commit")
        return shard, remembered

    async def _fold(self) -> None:
        held = await self._catch_up()
        # what came due meanwhile and was answered since is history
        owed = [announcement for announcement in held if self._is_owed(announcement)]
        self._announce(owed)
        while True:
            now = self._clock_ms()
            batch = [] if self._tail.drained else self._tail.read()
            is_changed = any(entry.kind in _RULES_CHANGE for entry in batch)
            if is_changed:
                # counted by two rules at once, the tiles would be right by neither
                self._before_change = self.board_part(with_people=True)
            wake_at = self._step(batch, now)
            self._restate()
            is_changed |= self._restating.take_finished()
            if is_changed or self._calendar() != self._state.book.calendar:
                await self._rebuild()
            self._before_change = None
            if self._tail.drained and not self._restating.outstanding:
                await self._tail.wait(wake_at)
            else:
                await asyncio.sleep(0)

    async def _catch_up(self) -> list[Announcement]:
        """Fold what there is without the second stage, which is made from the facts at the end. Announces nothing."""
        held: list[Announcement] = []
        while not self._tail.drained:
            batch = self._tail.read()
            if not batch:
                await self._tail.arrival()
                continue
            result = step(self._shard, batch, self._clock_ms())
            self._state.observe(batch)
            self._restating.observe(batch)
            self._state.total(self._changes(result.facts))
            self._keep(result.facts, result.touched)
            held += result.announcements
            await asyncio.sleep(0)
        await self._rebuild()
        self.caught_up.set()
        return held

    def _step(self, batch: list[Recorded], now: int) -> int | None:
        result = step(self._shard, batch, now)
        self._state.observe(batch)
        self._restating.observe(batch)
        changes = self._changes(result.facts)
        self._keep(result.facts, result.touched)
        as_of = now if self._tail.drained else batch[-1].received_at
        stands = {conversation: live(self._shard, conversation) for conversation in result.touched}
        fold_client(self._state, changes, stands, self._lookup.live_watermark(), as_of)
        self._announce(result.announcements)
        return result.next_wake_at

    def _announce(self, announcements: list[Announcement]) -> None:
        for announcement in announcements:
            self._state.surges.announce(announcement)
        if announcements:
            self._announced(announcements)

    def _restate(self) -> None:
        """One batch of what a definition says of sessions before its entry. Tiles show it when all is written."""
        self._restating.look(self._shard)
        for fact in self._restating.advance():
            held = self._pending.get(key_of(fact))
            if held is None or revision_of(held) < revision_of(fact):
                self._keep([fact], [])

    def _changes(self, facts: list[Fact]) -> list[Change]:
        """Each fact beside the lower revision it replaces, which may be one the same step said."""
        changes = []
        for fact in facts:
            changes.append(Change(fact, self._replaced(fact)))
            self._pending[key_of(fact)] = fact
        return changes

    def _replaced(self, fact: Fact) -> Fact | None:
        """The lower revision that `fact` replaces, wherever it is by now."""
        if revision_of(fact) == 0:
            return None
        key = key_of(fact)
        return self._pending.get(key) or self._committing.get(key) or self._store.find(fact)

    def _keep(self, facts: list[Fact], touched: list[str]) -> None:
        """Have what a step said and touched written with the next commit."""
        for fact in facts:
            self._pending[key_of(fact)] = fact
        for conversation in touched:
            self._touched[conversation] = conversation_part(self._shard, conversation)
        if len(self._pending) >= self._settings.commit_facts:
            self._full.set()

    def _is_owed(self, announcement: Announcement) -> bool:
        stands = live(self._shard, announcement.conversation)
        return (
            stands is not None
            and stands.session == announcement.session
            and (announcement.definition, announcement.due_at) in stands.dues
        )

    async def _rebuild(self) -> None:
        """Make the second stage anew from the facts written, the shard, and what entries told."""
        # before the commit, during which more may arrive: a first state as of no instant at all has no day to count in
        as_of = self._clock_ms() if self._tail.drained else self._state.as_of
        await self._commit()
        calendar = self._calendar()
        state = self._new_state(self._state.remembered(), calendar)
        state.advance(as_of, None)
        async for conversation in self._paced(open_conversations(self._shard)):
            state.stand(conversation, live(self._shard, conversation))
        async for fact in self._paced(self._store.since(state.book.oldest)):
            state.change((Change(fact, None),))
        state.restore_loads([change async for change in self._paced(self._store.loads_since(state.book.day_start))])
        state.advance(as_of, self._lookup.live_watermark())
        self._state = state

    async def _paced(self, items: Iterable[_T]) -> AsyncIterator[_T]:
        """Each item, with a turn for other work after every batch of them."""
        for number, item in enumerate(items):
            if number % self._settings.batch_entries == 0:
                await asyncio.sleep(0)
            yield item

    def _new_state(self, remembered: Remembered, calendar: WindowCalendar | None = None) -> ClientState:
        lookup, settings = self._lookup, self._settings
        windows = settings.calendar if calendar is None else calendar
        return ClientState(self.client, windows, lookup.shown_of, lookup.place_of, settings.tiles, remembered)

    def _calendar(self) -> WindowCalendar:
        queues = self._state.feeds.queues()
        return self._lookup.calendar(queues, self._clock_ms(), self._settings.calendar)

    async def _commit_often(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._settings.commit_interval_ms / MS_PER_S):
                    await self._full.wait()
            except TimeoutError:
                pass  # the usual way: the interval is over
            self._full.clear()
            await self._commit()

    async def _commit(self) -> None:
        """Write what was folded since the last commit. When this returns, all of it is written, whoever began it."""
        async with self._commit_turn:
            await self._commit_now()

    async def _commit_now(self) -> None:
        restated = self._restating.section()
        folded = self._shard.next_index != self._committed_index or self._touched or self._pending
        if not folded and restated == self._committed_restated:
            return
        sections = self._parts.sections(self._shard)
        days = self._state.staff.changed
        sections |= self._remembered_parts.sections(self._state.remembered(), days)
        days.clear()
        sections[RESTATED] = self._committed_restated = restated
        next_index = self._shard.next_index
        facts = list(self._pending.values())
        commit = Commit(next_index, leaf_before(self._feed, next_index), facts, self._touched, sections)
        self._committing |= self._pending
        self._pending, self._touched = {}, {}
        self._committed_index = commit.next_index
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self._store.commit, commit)
        # being cancelled must not take a commit back that has not begun: the next one would pass over its facts
        await asyncio.shield(writing)
        for fact in commit.facts:
            key = key_of(fact)
            if self._committing.get(key) is fact:
                del self._committing[key]
