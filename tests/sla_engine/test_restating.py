"""A version that restates (E18): past sessions count under it from its date on, what was said before stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sla_engine._core.choices import ClockStart, Redefinition
from sla_engine._core.definition import Definition, label_of
from sla_engine.replay import ledger_batches
from sla_engine.reports.stored import stored_facts
from sla_engine.runners.restating import Restating
from tests.builders import (
    HOUR_MS,
    PRESET,
    Event,
    agent,
    changed,
    clock,
    closed,
    contract,
    customer,
    ms,
    published,
    rules,
    signed,
)
from tests.sla_engine.feeding import Feed
from tests.sla_engine.folding import Folding
from tests.sla_engine.test_local_runner import SETTINGS, Hub, facts_in, folded, running, shown
from tests.waiting import wait_until
from wire.board import Ratio
from wire.verdict import ResponseFact, SessionFact, Verdict

DAY_MS = 24 * HOUR_MS
OLD = changed(name="jd-30s", first_response_limit_ms=30_000, service_windows=((0, 24 * 60),))
"""The rule of the first fourteen days: around the clock."""
NEW = changed(
    name="jd-30s",
    version=2,
    first_response_limit_ms=30_000,
    effective_from=ms("+14 00:00:00"),
    redefinition=Redefinition.RESTATES,
)
"""Of the sixteen days after: from eight to midnight."""
STRICT = changed(version=2, first_response_limit_ms=5_000, warning_after_ms=3_000, redefinition=Redefinition.RESTATES)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path / "ledger")
    yield made
    made.close()


def under(facts: Path, definition: Definition) -> list[SessionFact]:
    found = [
        fact for fact in facts_in(facts) if isinstance(fact, SessionFact) and fact.definition == label_of(definition)
    ]
    return sorted(found, key=lambda fact: fact.started_at)


def attainment(facts: list[SessionFact]) -> tuple[int, int]:
    judged = [fact for fact in facts if fact.verdict is not Verdict.EXCLUDED]
    return sum(fact.verdict is Verdict.MET for fact in judged), len(judged)


def month() -> list[Event]:
    """Thirty days, each with one session at night answered after a minute and one at noon answered after 20 s."""
    events: list[Event] = []
    for day in range(30):
        for at, waits_ms, what in (("03:00:00", 60_000, "night"), ("12:00:00", 20_000, "noon")):
            c, start = f"{what}{day:02}", ms(f"+{day} {at}")
            events += [customer(start, c), agent(start + waits_ms, "anna", c), closed(start + waits_ms + 1_000, c)]
    return events


async def test_the_mixed_month_counts_by_the_rule_of_each_day_once_the_new_one_restates(
    tmp_path: Path, feed: Feed
) -> None:
    feed.append([*rules(OLD), *month()])
    hub = Hub("+30 00:00:00")
    async with running(tmp_path, feed, hub) as runner:
        await folded(runner, feed)
    before = under(tmp_path, OLD)
    assert attainment(before) == (30, 60)
    feed.append([published(NEW, arrives="+30 00:00:00"), clock("+30 00:00:01")])
    async with running(tmp_path, feed, hub) as runner:
        await folded(runner, feed)
        await wait_until(lambda: not runner.restating, what="the month to be restated")
    assert under(tmp_path, OLD) == before
    restated = under(tmp_path, NEW)
    assert attainment(restated) == (16, 16)
    assert [fact.started_at for fact in restated] == [fact.started_at for fact in before[28:]]
    mixed = [*[fact for fact in before if fact.started_at < NEW.effective_from], *restated]
    assert attainment(mixed) == (30, 44)


async def test_a_stop_in_between_has_it_done_again(tmp_path: Path, feed: Feed) -> None:
    feed.append([*rules(OLD), *month(), published(NEW, arrives="+30 00:00:00"), clock("+30 00:00:01")])
    hub = Hub("+30 00:00:02")
    async with running(tmp_path, feed, hub, replace(SETTINGS, batch_entries=1)) as runner:
        await wait_until(lambda: runner.restating, what="the restating to begin")
    assert len(under(tmp_path, NEW)) < 16
    async with running(tmp_path, feed, hub) as runner:
        await wait_until(lambda: not runner.restating, what="the month to be restated")
    once = facts_in(tmp_path)
    assert attainment(under(tmp_path, NEW)) == (16, 16)
    async with running(tmp_path, feed, hub) as runner:
        await wait_until(lambda: not runner.restating, what="nothing to be left")
    assert facts_in(tmp_path) == once


async def test_tiles_show_the_version_in_force_by_start(tmp_path: Path, feed: Feed) -> None:
    feed.append([*rules(), customer("09:00:00"), agent("09:00:08"), closed("09:00:09")])
    hub = Hub("09:01:00")
    async with running(tmp_path, feed, hub) as runner:
        await folded(runner, feed)
        assert shown(runner).client.day.attainment == Ratio(1, 1)
        feed.append([published(STRICT, arrives="09:02:00")])
        await wait_until(lambda: shown(runner).client.day.attainment == Ratio(0, 1), what="the tile to be restated")


async def test_a_session_open_at_the_entry_is_restated_when_it_can_no_longer_change(tmp_path: Path, feed: Feed) -> None:
    feed.append([*rules(), customer("09:00:00", "open"), published(STRICT, arrives="09:00:04")])
    feed.append([agent("09:00:08", "anna", "open", arrives="09:00:09"), clock("09:30:00")])
    hub = Hub("09:30:00")
    async with running(tmp_path, feed, hub) as runner:
        await folded(runner, feed)
        await wait_until(lambda: not runner.restating, what="the first pass")
        feed.append([clock("+1 10:00:00")])
        hub.now = ms("+1 10:00:00")
        await folded(runner, feed)
        await wait_until(lambda: not runner.restating, what="the second pass")
    (restated,) = under(tmp_path, STRICT)
    assert (restated.conversation, restated.verdict) == ("open", Verdict.BREACHED)
    assert [fact.verdict for fact in under(tmp_path, PRESET)] == [Verdict.MET]


async def test_sessions_that_open_after_the_entry_are_said_once_by_the_live_fold(tmp_path: Path, feed: Feed) -> None:
    feed.append([*rules(), customer("09:00:00", "before"), published(STRICT, arrives="09:00:30")])
    feed.append([customer("09:01:00", "after"), agent("09:01:04", c="after"), clock("+2 10:00:00")])
    hub = Hub("+2 10:00:00")
    async with running(tmp_path, feed, hub) as runner:
        await folded(runner, feed)
        await wait_until(lambda: not runner.restating, what="everything to be settled")
    assert [(fact.conversation, fact.revision) for fact in under(tmp_path, STRICT)] == [("before", 0), ("after", 0)]
    turns = [fact for fact in facts_in(tmp_path) if isinstance(fact, ResponseFact) and fact.conversation == "after"]
    assert [(turn.definition, turn.revision) for turn in turns] == [(label_of(STRICT), 0)]


def restated(feed: Feed) -> Restating:
    """What is left to restate after the whole ledger was folded, all passes done that can be."""
    folding = Folding()
    found = Restating(feed, 2)
    told = [entry for batch in ledger_batches(feed.reader) for entry in batch]
    folding.fold_all(told)
    found.observe(told)
    found.look(folding.shards[0])
    while found.outstanding:
        found.advance()
    return found


def test_a_version_entered_before_everything_it_judges_is_settled_at_once(feed: Feed) -> None:
    feed.append([*rules(), published(STRICT, arrives="08:00:00"), customer("09:00:00"), agent("09:00:04")])
    found = restated(feed)
    assert found.take_finished()
    assert b"\xc3" in found.section()
    again = Restating(feed, 2)
    again.restore(found.section())
    again.look(Folding().shards[0])
    assert not again.outstanding


def test_a_version_of_the_future_or_one_that_does_not_restate_needs_nothing(feed: Feed) -> None:
    future = changed(version=3, effective_from=ms("+1 00:00:00"), redefinition=Redefinition.RESTATES)
    plain = changed(version=2, first_response_limit_ms=20_000)
    feed.append([*rules(), published(plain, arrives="08:00:00"), published(future, arrives="08:00:00"), signed()])
    assert not restated(feed).take_finished()


async def test_a_version_with_nothing_left_to_restate_is_done_without_another_entry(tmp_path: Path, feed: Feed) -> None:
    told = [customer("09:00"), agent("09:00:08"), closed("09:10")]
    later = signed(contract(PRESET.name, "strict", since="00:00"), arrives="12:00")
    strict = changed(STRICT, name="strict", version=1, clock_start=ClockStart.ASSIGNED)
    feed.append([*rules(), published(strict), *told, later, clock("+3 12:00")])
    facts = tmp_path / "facts"
    async with running(tmp_path, feed, Hub("+3 12:00")) as runner:
        await folded(runner, feed)
        await wait_until(lambda: is_whole(facts, feed), what="facts that are whole")
    assert [fact.verdict for fact in under(tmp_path, PRESET)] == [Verdict.MET]


def is_whole(facts: Path, feed: Feed) -> bool:
    found = stored_facts(facts, feed.ledger_id)
    if found is not None:
        found.close()
    return found is not None
