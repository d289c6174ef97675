"""A ledger on disk, followed: facts written, tiles shown, announcements made, and all of it again after a restart."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from sla_engine._core.choices import Redefinition
from sla_engine._core.definition import Definition
from sla_engine._core.tiles import ClientPart
from sla_engine.facts_store import Commit, FactsStore
from sla_engine.runners.local import DIVERGED, LocalRunner, RunnerSettings
from tests.builders import (
    Event,
    agent,
    assigned,
    changed,
    clock,
    closed,
    contract,
    customer,
    entries,
    left,
    ms,
    published,
    rules,
    signed,
    works,
)
from tests.sla_engine.facts import written_facts
from tests.sla_engine.feeding import Feed
from tests.sla_engine.folding import CALENDAR, TILES, Folding
from tests.waiting import wait_until
from wire.board import Ratio
from wire.verdict import Announcement, Fact, Notice, SessionFact

SETTINGS = RunnerSettings(batch_entries=50, commit_interval_ms=20, commit_facts=500, calendar=CALENDAR, tiles=TILES)


class Hub:
    """The hub's clock, set by hand; and everything that was announced."""

    def __init__(self, now: str | int) -> None:
        self.now = ms(now)
        self.announced: list[Announcement] = []

    def clock_ms(self) -> int:
        return self.now


@asynccontextmanager
async def running(
    directory: Path, feed: Feed, hub: Hub, settings: RunnerSettings = SETTINGS
) -> AsyncIterator[LocalRunner]:
    """A runner that has caught up; when the block ends it is cancelled and its store closed."""
    store = FactsStore.open(
        directory / "facts", ledger_id=feed.ledger_id, ledger_size=feed.size, period_of=CALENDAR.month_of
    )
    runner = LocalRunner("acme", feed, store, clock_ms=hub.clock_ms, settings=settings, announced=hub.announced.extend)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(runner.run(), name="runner")
        async with asyncio.timeout(20):
            await runner.caught_up.wait()
        yield runner
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    store.close()


async def folded(runner: LocalRunner, feed: Feed) -> None:
    await wait_until(lambda: runner.next_index == feed.size, what="the ledger to be folded")


def shown(runner: LocalRunner) -> ClientPart:
    part = runner.board_part()
    assert part is not None
    return part


def facts_in(directory: Path) -> list[Fact]:
    return sorted(written_facts(directory / "facts"), key=repr)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path / "ledger")
    yield made
    made.close()


def story(conversations: int, start: str = "09:00:00") -> list[Event]:
    """Conversations one after another: most answered in time, some late, some left; the last ones still open."""
    events: list[Event] = []
    for number in range(conversations):
        c, at = f"c{number}", ms(start) + number * 700
        events.append(customer(at, c))
        if number % 5 == 4:
            events.append(left(at + 6_000, c))
        elif number < conversations - 3:
            events.append(assigned(at + 900, "anna" if number % 2 else "ben", c))
            events.append(agent(at + (12_000 if number % 7 == 3 else 3_000), "anna" if number % 2 else "ben", c))
            events.append(closed(at + 20_000, c))
    last = max(event.received_at for event in events)
    return [*events, *(clock(at) for at in range(ms(start), last, 5_000))]


BEFORE = [*rules(), *works("anna", "anna", "red", "a1", "north"), *works("ben", "ben", "blue", "b1", "south")]


async def test_what_comes_in_is_on_the_tiles_and_in_the_facts(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:00:00")
    events = story(40)
    async with running(tmp_path, feed, hub) as runner:
        feed.append(BEFORE)
        for start in range(0, len(events), 9):
            feed.append(events[start : start + 9])
            await folded(runner, feed)
        hub.now = ms("09:05")
        part = shown(runner)
    ordered = [*BEFORE, *(e for n in range(0, len(events), 9) for e in sorted(events[n : n + 9], key=lambda e: e[2]))]
    folding = Folding()
    for number, event in enumerate(ordered):
        folding.fold(entries([event], first=number), hub.now)
    assert part == folding.part()
    assert facts_in(tmp_path) == sorted(folding.facts.values(), key=repr)


async def test_what_is_told_late_is_counted_once_although_one_step_judges_it_twice(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:05:00")
    told = [customer("09:00:00", "c"), agent("09:00:05", "anna", "c"), closed("09:00:06", "c")]
    async with running(tmp_path, feed, hub) as runner:
        feed.append([*BEFORE, clock("09:05:00")])
        await folded(runner, feed)
        feed.append([event._replace(received_at=ms("09:05:00")) for event in told])
        await folded(runner, feed)
        day = shown(runner).client.day
    assert (day.offered, day.answered, day.unanswered) == (1, 1, 0)
    assert max(fact.revision for fact in facts_in(tmp_path) if isinstance(fact, SessionFact)) > 0


async def test_a_restart_goes_on_from_the_offset_and_shows_the_same_tiles(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:01")
    feed.append([*BEFORE, *story(30)])
    async with running(tmp_path, feed, hub) as runner:
        before = shown(runner)
        load = {a: (x.now, x.peak, x.load_ms) for a, x in runner._state.concurrency.loads.items() if x.load_ms}
    async with running(tmp_path, feed, hub) as runner:
        assert runner._committed_index == feed.size
        assert shown(runner) == before
        assert load == {a: (x.now, x.peak, x.load_ms) for a, x in runner._state.concurrency.loads.items() if x.load_ms}
        feed.append([agent("09:00:25", "anna", "c29"), clock("09:00:26")])
        await folded(runner, feed)
        after = shown(runner)
    assert after.client.day.answered == before.client.day.answered + 1
    assert after.client.day.offered == before.client.day.offered


async def test_tiles_are_made_from_facts_that_are_written_even_while_a_commit_is_under_way(
    tmp_path: Path, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub("09:01")
    feed.append([*BEFORE, *story(30)])
    direct = Folding()
    direct.fold_all(entries([*BEFORE, *story(30)]))
    commit, slow = FactsStore.commit, threading.Event()

    def dawdle(store: FactsStore, what: Commit) -> None:
        slow.wait(timeout=0.2)
        commit(store, what)

    monkeypatch.setattr(FactsStore, "commit", dawdle)
    eager = msgspec.structs.replace(SETTINGS, commit_facts=1, batch_entries=10_000)
    async with running(tmp_path, feed, hub, eager) as runner:
        assert shown(runner).client.day == direct.part().client.day


async def test_what_comes_in_while_the_first_tiles_are_made_puts_no_conversation_into_the_hours_before_it(
    tmp_path: Path, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub("09:05")
    told = [*BEFORE, customer("09:00:00", "c"), assigned("09:00:10", "anna", "c"), clock("09:04:00")]
    later = [clock("09:05:00")]
    feed.append(told)
    commit, loop, came = FactsStore.commit, asyncio.get_running_loop(), threading.Event()

    def more_comes() -> None:
        feed.append(later)
        came.set()

    def dawdle(store: FactsStore, what: Commit) -> None:
        if not came.is_set():
            loop.call_soon_threadsafe(more_comes)
            assert came.wait(timeout=10)
        commit(store, what)

    monkeypatch.setattr(FactsStore, "commit", dawdle)
    async with running(tmp_path, feed, hub) as runner:
        await folded(runner, feed)
        load = shown(runner).client.load
    assert load is not None
    held_ms = ms("09:04:00") - ms("09:00:10")  # up to the watermark, which the lag of feeds keeps behind
    assert load.mean == Ratio(held_ms, held_ms)


async def test_a_commit_that_has_not_begun_when_the_runner_is_cancelled_is_written_all_the_same(
    tmp_path: Path, feed: Feed
) -> None:
    hub, released = Hub("09:01"), threading.Event()
    feed.append(BEFORE)
    async with running(tmp_path, feed, hub, msgspec.structs.replace(SETTINGS, commit_facts=1)) as runner:
        runner._thread.submit(released.wait)
        feed.append(story(10))
        await wait_until(lambda: bool(runner._committing) and not runner._pending, what="a commit behind another job")
        threading.Timer(0.05, released.set).start()
    direct = Folding()
    direct.fold_all(entries([*BEFORE, *story(10)]))
    assert facts_in(tmp_path) == sorted(direct.facts.values(), key=repr)


async def test_a_runner_without_its_state_replays_to_the_same_facts(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:01")
    feed.append([*BEFORE, *story(30)])
    async with running(tmp_path, feed, hub) as runner:
        part = shown(runner)
    facts = facts_in(tmp_path)
    (tmp_path / "facts" / "state.sqlite").write_bytes(b"not a database at all" * 300)
    async with running(tmp_path, feed, hub) as runner:
        assert shown(runner) == part
    assert facts_in(tmp_path) == facts


@pytest.mark.parametrize("cut_short", [False, True], ids=["state and facts", "facts ahead of an older state"])
async def test_facts_of_a_past_that_was_restored_away_are_gone_though_the_ledger_grew_again(
    tmp_path: Path, *, cut_short: bool
) -> None:
    hub = Hub("09:20")
    feed = Feed(tmp_path / "ledger")
    feed.append([*BEFORE, *story(10)])
    async with running(tmp_path, feed, hub):
        pass
    feed.close()
    shutil.copytree(tmp_path / "ledger", tmp_path / "backup")
    shutil.copy(tmp_path / "facts" / "state.sqlite", tmp_path / "state")
    feed = Feed(tmp_path / "ledger")
    feed.append([customer("09:10", "gone"), agent("09:10:05", "anna", "gone"), closed("09:10:09", "gone")])
    async with running(tmp_path, feed, hub):
        pass
    feed.close()
    assert "gone" in {fact.conversation for fact in facts_in(tmp_path)}
    shutil.rmtree(tmp_path / "ledger")
    (tmp_path / "backup").rename(tmp_path / "ledger")
    if cut_short:
        (tmp_path / "state").replace(tmp_path / "facts" / "state.sqlite")
    feed = Feed(tmp_path / "ledger")
    feed.append([clock(ms("09:10") + number) for number in range(20)])
    async with running(tmp_path, feed, hub) as runner:
        assert runner._store.discarded == DIVERGED
    async with running(tmp_path / "fresh", feed, hub):
        pass
    feed.close()
    assert facts_in(tmp_path) == facts_in(tmp_path / "fresh")


async def test_a_miss_that_was_committed_and_is_corrected_later_is_replaced(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:00:30")
    feed.append([*BEFORE, customer("09:00:00"), clock("09:00:20")])
    async with running(tmp_path, feed, hub) as runner:
        assert shown(runner).client.day.attainment == Ratio(0, 1)
    async with running(tmp_path, feed, hub) as runner:
        feed.append([agent("09:00:04", arrives="09:00:25")])
        await folded(runner, feed)
        assert shown(runner).client.day.attainment == Ratio(1, 1)
        assert shown(runner).client.day.offered == 1


async def test_warnings_and_overdue_are_announced_by_the_clock_without_any_entry(tmp_path: Path, feed: Feed) -> None:
    loop = asyncio.get_running_loop()
    hub = Hub("09:00:00")
    started, base = loop.time(), hub.now
    hub.clock_ms = lambda: base + round((loop.time() - started) * 1000)  # type: ignore[method-assign]  # a clock that moves
    quick = changed(first_response_limit_ms=120, warning_after_ms=60)
    async with running(tmp_path, feed, hub) as runner:
        feed.append(rules(quick))
        # far enough ahead that even a slow disk has it folded before the warning is due
        feed.append([customer(hub.clock_ms() + 500)])
        await wait_until(lambda: len(hub.announced) == 2, what="a warning and an overdue")
        assert [said.notice for said in hub.announced] == [Notice.WARNING, Notice.OVERDUE]
        waiting = shown(runner).client.live
        assert waiting is not None
        assert waiting.overdue == 1


async def test_what_came_due_while_nobody_ran_is_announced_only_if_it_is_still_owed(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:00:15")
    answered = [customer("09:00:00", "c1"), agent("09:00:12", "anna", "c1")]
    feed.append([*BEFORE, *answered, customer("09:00:02", "c2"), customer("08:00:00", "c3")])
    async with running(tmp_path, feed, hub):
        pass
    assert [(said.conversation, said.notice) for said in hub.announced] == [("c2", Notice.OVERDUE)]
    hub.announced.clear()
    async with running(tmp_path, feed, hub):
        pass
    assert hub.announced == []


async def test_a_definition_signed_while_running_changes_the_windows_of_the_tiles(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:01")
    feed.append([customer("09:00:00"), agent("09:00:02"), clock("09:00:10")])
    berlin = changed(time_zone="Europe/Berlin", business_day_starts_minute=0, zone_offsets=((0, 3_600),))
    async with running(tmp_path, feed, hub) as runner:
        assert shown(runner).day_start == ms("04:00")
        assert shown(runner).client.day.offered == 0
        feed.append([published(berlin, arrives="09:00:20"), signed(contract(berlin.name), arrives="09:00:20")])
        feed.append([customer("09:00:30", "c2"), agent("09:00:31", c="c2")])
        await folded(runner, feed)
        await wait_until(lambda: shown(runner).day_start == ms("07:00"), what="the day of Berlin")
        # two in the morning there, outside the window
        assert (shown(runner).client.day.offered, shown(runner).client.day.excluded) == (1, 1)


@pytest.mark.parametrize("redefinition", [Redefinition.NEW_SESSIONS_ONLY, Redefinition.RESTATES])
@pytest.mark.parametrize("numbered", [changed(version=2, effective_from=ms("00:00")), changed()])
async def test_a_version_entered_at_noon_takes_no_morning_off_the_tiles(
    numbered: Definition, redefinition: Redefinition, tmp_path: Path, feed: Feed
) -> None:
    hub = Hub("12:05")
    second = changed(numbered, first_response_limit_ms=20_000, redefinition=redefinition)
    feed.append([*rules(), *(each for c in ("c1", "c2") for each in (customer("09:00", c), agent("09:00:15", c=c)))])
    async with running(tmp_path, feed, hub) as runner:
        feed.append([published(second, arrives="12:00:00")])
        feed.append([customer("12:01", "c3"), agent("12:01:15", c="c3"), clock("12:02"), closed("12:03", "c1")])
        await folded(runner, feed)
        met = 3 if redefinition is Redefinition.RESTATES else 1
        await wait_until(lambda: shown(runner).client.day.attainment == Ratio(met, 3), what="the whole day on the tile")
        part = shown(runner)
    assert (part.client.day.offered, part.client.day.answered, part.client.day.first_response.count) == (3, 3, 3)
    async with running(tmp_path, feed, hub) as runner:
        assert shown(runner) == part


async def test_other_work_gets_its_turn_while_a_long_ledger_is_caught_up_with(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:30")
    feed.append([*BEFORE, *story(250)])
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(count_turns(), name="counting")
        async with running(tmp_path, feed, hub):
            counting.cancel()
    assert turns >= feed.size // SETTINGS.batch_entries


async def test_a_commit_that_fails_ends_the_runner(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("09:01")
    feed.append(BEFORE)

    async def lose_a_table() -> None:
        async with running(tmp_path, feed, hub):
            with sqlite3.connect(tmp_path / "facts" / "state.sqlite") as state:
                state.execute("DROP TABLE offsets")
            feed.append(story(5))
            await wait_until(lambda: False, what="the runner to end")

    with pytest.raises(BaseExceptionGroup) as ended:
        await lose_a_table()
    assert ended.group_contains(sqlite3.OperationalError)
