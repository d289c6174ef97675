"""A version that comes in changes nothing of sessions that opened before it, whatever is told of them later (E18)."""

from random import Random
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sla_engine._core.definition import Definition, label_of
from sla_engine._core.engine import new_shard, restore, snapshot, step
from tests.builders import (
    PRESET,
    agent,
    assigned,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    entries,
    ms,
    offered,
    published,
    signed,
    transcript,
)
from tests.oracle.comparing import Judged, differences_in, last_facts
from tests.oracle.drawing import Floor, roster
from tests.oracle.reading import Told
from tests.sla_engine.strategies import drawn_definitions
from wire.organisation import DefinitionPublished
from wire.recorded import Recorded
from wire.verdict import Fact, Notice, SessionFact

STRICT = changed(version=2, first_response_limit_ms=5_000, warning_after_ms=3_000)


class Changed(NamedTuple):
    """A floor with a second version entered in its midst."""

    versions: list[Definition]
    ledger: list[Recorded]

    @property
    def place(self) -> int:
        """Where the version stands in the ledger."""
        bodies = [entry.body for entry in self.ledger]
        return max(number for number, body in enumerate(bodies) if isinstance(body, DefinitionPublished))

    def without_it(self) -> list[Recorded]:
        return [replace(entry, body=None) if entry.index == self.place else entry for entry in self.ledger]


def changed_floor(seed: int) -> Changed:
    """Both versions hold since ever. Limits of the fold and clocks are the ledger's, so they are common to both."""
    rng = Random(seed)
    season, (first, other) = drawn_definitions(seed)
    same = {name: getattr(first, name) for name in ("name", "clock_domains", "lateness_allowance_ms", "grace_ms")}
    second = replace(other, version=2, **same)
    events = Floor(seed, rng.sample(season.starts(), k=min(2, len(season.starts())))).ledger(rng.choice((1, 2, 3)))
    came = sorted(event.received_at for event in events if isinstance(event.body, Told))
    before = [declared(0), published(first), signed(contract(first.name)), *roster()]
    return Changed([first, second], entries([*before, *events, published(second, arrives=rng.choice(came))]))


changed_floors = st.integers(0, 2**32).map(changed_floor)


def facts_of(ledger: list[Recorded]) -> list[Fact]:
    return step(new_shard(), ledger, 0).facts


def last_told_before(floor: Changed) -> dict[str, int]:
    """Conversation -> the latest event time that was known of it when the version came in."""
    found: dict[str, int] = {}
    for entry in floor.ledger[: floor.place]:
        if isinstance(entry.body, Told):
            key = entry.body.conversation
            found[key] = max(found.get(key, 0), entry.body.occurred_at)
    return found


def opened_before(facts: list[Fact], floor: Changed) -> set[Judged]:
    """What is said in the end of sessions that started before something that was known when the version came in."""
    until = last_told_before(floor)
    return {
        replace(fact, revision=0, entry_index=0)
        for fact in last_facts(facts)
        if _started_at(fact) < until.get(fact.conversation, 0)
    }


def _started_at(fact: Judged) -> int:
    return fact.started_at if isinstance(fact, SessionFact) else fact.session_started_at


@settings(max_examples=150)
@given(changed_floors)
def test_a_version_changes_nothing_of_sessions_that_opened_before_it(floor: Changed) -> None:
    assert opened_before(facts_of(floor.ledger), floor) == opened_before(facts_of(floor.without_it()), floor)


@settings(max_examples=100)
@given(changed_floors)
@example(changed_floor(2066))
@example(changed_floor(5262))
@example(changed_floor(7927))
@example(changed_floor(1044923))
def test_the_oracle_finds_the_same_version_for_every_session(floor: Changed) -> None:
    assert differences_in(floor.ledger, floor.versions) == []


@settings(max_examples=60)
@given(changed_floors, st.integers(0, 500))
def test_a_restart_and_two_shards_say_the_same_of_it(floor: Changed, place: int) -> None:
    straight = new_shard()
    expected = step(straight, floor.ledger, 0).facts
    place %= len(floor.ledger)
    stopped = new_shard()
    before = step(stopped, floor.ledger[:place], 0).facts
    stopped = restore(snapshot(stopped))
    after = step(stopped, floor.ledger[place:], 0).facts
    assert sorted(map(repr, before + after)) == sorted(map(repr, expected))
    assert snapshot(stopped) == snapshot(straight)
    halves = [step(new_shard(number, 2), floor.ledger, 0).facts for number in range(2)]
    assert sorted(map(repr, halves[0] + halves[1])) == sorted(map(repr, expected))


def test_a_late_assignment_is_said_under_the_version_the_session_opened_under() -> None:
    play = transcript(
        customer("09:00:00"),
        agent("09:00:08", "anna"),
        published(STRICT, arrives="09:01:00"),
        assigned("09:00:03", "anna", arrives="09:02:00"),
    )
    said = [(fact.definition, fact.revision, str(fact.verdict)) for fact in play.said()]
    assert said == [(label_of(PRESET), 0, "met"), (label_of(PRESET), 1, "met")]


def test_a_session_between_two_that_were_known_keeps_to_the_rules_of_its_neighbours() -> None:
    play = transcript(
        customer("09:00:00"),
        agent("09:00:02", "anna"),
        closed("09:00:30"),
        customer("10:00:00"),
        agent("10:00:08", "anna"),
        closed("10:00:30"),
        published(STRICT, arrives="10:01:00"),
        customer("09:30:00", arrives="10:02:00"),
        agent("09:30:08", "anna", arrives="10:02:00"),
        closed("09:30:30", arrives="10:02:00"),
        customer("11:00:00"),
        agent("11:00:08", "anna"),
    )
    found = {fact.started_at: (fact.definition, str(fact.verdict)) for fact in play.sessions()}
    old, new = (label_of(PRESET), "met"), (label_of(STRICT), "breached")
    expected = {"09:00:00": old, "09:30:00": old, "10:00:00": old, "11:00:00": new}
    assert found == {ms(at): what for at, what in expected.items()}


def test_a_queue_that_becomes_known_later_is_judged_by_what_was_entered_when_the_session_opened() -> None:
    events = [customer("09:00:00", queue=""), offered("09:00:05"), agent("09:00:08", "anna")]
    play = transcript(*events, published(STRICT, arrives="09:00:03"))
    assert [(fact.definition, str(fact.verdict)) for fact in play.sessions()] == [(label_of(PRESET), "met")]


def test_a_contract_that_comes_in_judges_no_session_that_was_open_before_it() -> None:
    whole = [declared(0), published()]
    events = [customer("09:00:00"), signed(arrives="09:00:01"), agent("09:00:08", "anna")]
    late = assigned("09:00:02", "anna", arrives="09:05:00")
    assert transcript(*events, late, given=whole).said() == []


def test_what_is_announced_of_an_open_session_follows_the_version_it_opened_under() -> None:
    ticks = [clock(f"09:00:{second:02}") for second in range(1, 20)]
    play = transcript(customer("09:00:00"), published(STRICT, arrives="09:00:01.500"), *ticks)
    said = [(notice.notice, notice.at, notice.definition) for notice in play.announcements]
    assert said == [
        (Notice.WARNING, ms("09:00:06"), label_of(PRESET)),
        (Notice.OVERDUE, ms("09:00:10"), label_of(PRESET)),
    ]
