"""Quality checks and the sessions they are about, in whatever order they are told."""

from pathlib import Path
from random import Random
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.contributions import SLOTS, Contribution
from sla_engine._core.figures import figures_of
from sla_engine._core.quality import ChecksState, QualityChecks
from sla_engine.reports._core.buckets import By
from tests.builders import Event, agent, assigned, clock, closed, customer, ms, rules
from tests.sla_engine.facts import leg, session
from tests.sla_engine.folding import Folding
from tests.sla_engine.reports.reporting import filled, made
from tests.sla_engine.test_client import ledger
from wire.board import Ratio
from wire.conversation import QualityScored
from wire.verdict import LegFact, Outcome, SessionFact


def scored(at: int, conversation: str = "c1", *, passed: bool = True, fatal: bool = False) -> QualityScored:
    return QualityScored(at, 1, "quality", None, True, conversation, conversation, passed, "qc:1", fatal, "frame-7")


class Table:
    """Slots by place, and the checks that fill them."""

    def __init__(self) -> None:
        self.slots: dict[str, list[int]] = {}
        self.checks = QualityChecks[str](ChecksState(), self.add, self.remove)

    def add(self, where: str, started_at: int, given: Contribution, sign: int = 1) -> None:
        slots = self.slots.setdefault(where, [0] * SLOTS)
        for slot, amount in given.amounts:
            slots[slot] += sign * amount

    def remove(self, where: str, started_at: int, given: Contribution) -> None:
        self.add(where, started_at, given, -1)

    def rates(self, where: str = "red") -> tuple[Ratio, Ratio, int]:
        detail = figures_of(self.slots.get(where, [0] * SLOTS), None).detail
        return detail.quality_checked, detail.quality_passed, detail.quality_fatal


def told(number: int, start: int, *, outcome: Outcome = Outcome.ANSWERED) -> tuple[SessionFact, LegFact]:
    return (
        session(session=number, started_at=start, outcome=outcome),
        leg(session=number, session_started_at=start),
    )


def test_nothing_answered_is_no_rate() -> None:
    table = Table()
    table.checks.check(scored(50))
    assert table.rates() == (Ratio(0, 0), Ratio(0, 0), 0)


def test_an_answered_session_is_checkable_when_it_has_ended() -> None:
    table = Table()
    table.checks.check(scored(50, "other"))
    fact, closing = told(1, 10)
    table.checks.count(fact, "red", add=True)
    assert table.rates()[0] == Ratio(0, 0)
    table.checks.count(closing, "red", add=True)
    assert table.rates()[0] == Ratio(0, 1)


def test_a_check_of_the_very_instant_a_session_began_is_about_it() -> None:
    table = Table()
    for fact in told(1, 10):
        table.checks.count(fact, "red", add=True)
    table.checks.check(scored(10))
    assert table.rates()[0] == Ratio(1, 1)


def test_before_anybody_told_of_a_check_there_is_no_data() -> None:
    table = Table()
    for fact in (*told(1, 10), *told(2, 100)):
        table.checks.count(fact, "red", add=True)
    assert table.rates()[0] == Ratio(0, 0)
    table.checks.check(scored(5, "other"))
    assert table.rates()[0] == Ratio(0, 2)


def test_a_check_is_about_the_session_that_began_last_before_it_and_the_latest_check_counts() -> None:
    table = Table()
    for fact in (*told(1, 10), *told(2, 100)):
        table.checks.count(fact, "red", add=True)
    table.checks.check(scored(50))
    assert table.rates() == (Ratio(1, 2), Ratio(1, 1), 0)
    table.checks.check(scored(70, passed=False, fatal=True))
    table.checks.check(scored(60))
    assert table.rates() == (Ratio(1, 2), Ratio(0, 1), 1)
    table.checks.check(scored(5))
    assert table.rates()[0] == Ratio(1, 2)


def test_a_correction_takes_back_exactly_what_was_counted() -> None:
    table = Table()
    fact, closing = told(1, 10)
    table.checks.check(scored(50))
    for said in (fact, closing):
        table.checks.count(said, "red", add=True)
    table.checks.count(fact, "red", add=False)
    table.checks.count(fact, "blue", add=True)
    assert (table.rates()[0], table.rates("blue")[0]) == (Ratio(0, 0), Ratio(1, 1))
    table.checks.count(closing, "red", add=False)
    assert table.rates("blue")[0] == Ratio(0, 0)


def test_what_is_long_past_is_let_go_of() -> None:
    table = Table()
    for fact in (*told(1, 10), *told(2, 100)):
        table.checks.count(fact, "red", add=True)
    table.checks.check(scored(50))
    table.checks.check(scored(150))
    table.checks.forget(100)
    assert [check.at for check in table.checks.state.by_conversation["c1"]] == [150]
    table.checks.forget(200)
    assert table.checks.state.by_conversation == {}


class Story(NamedTuple):
    start: int
    answered: bool
    ends: bool


STORIES = st.lists(st.builds(Story, st.integers(0, 100), st.booleans(), st.booleans()), max_size=4)
CHECKS = st.lists(
    st.tuples(st.integers(0, 120), st.booleans(), st.booleans()), unique_by=lambda one: one[0], max_size=5
)


@given(stories=STORIES, checks=CHECKS, seed=st.integers())
def test_in_any_order_it_is_what_a_look_at_everything_counts(
    stories: list[Story], checks: list[tuple[int, bool, bool]], seed: int
) -> None:
    table = Table()
    steps: list[SessionFact | LegFact | QualityScored] = [scored(at, passed=p, fatal=f) for at, p, f in checks]
    for number, story in enumerate(stories):
        outcome = Outcome.ANSWERED if story.answered else Outcome.UNANSWERED
        fact, closing = told(number, story.start, outcome=outcome)
        steps += [fact, closing] if story.ends else [fact]
    Random(seed).shuffle(steps)
    for step in steps:
        if isinstance(step, QualityScored):
            table.checks.check(step)
        else:
            table.checks.count(step, "red", add=True)
    ended = [(story.start, n) for n, story in enumerate(stories) if story.answered and story.ends]
    checkable = ended if checks else []
    about: dict[tuple[int, int], tuple[int, bool, bool]] = {}
    for check in sorted(checks):
        begun = [each for each in checkable if each[0] <= check[0]]
        if begun:
            about[max(begun)] = check
    checked, passed, fatal = table.rates()
    assert checked.whole == len(checkable)
    assert checked.part == passed.whole == len(about)
    assert passed.part == sum(p for _, p, _ in about.values())
    assert fatal == sum(f for _, _, f in about.values())


def quality(at: str, conversation: str = "c1", *, passed: bool = True) -> Event:
    return Event(scored(ms(at), conversation, passed=passed), "quality", ms(at))


def conversation(minute: int, name: str) -> list[Event]:
    start = f"09:{minute:02}"
    return [
        customer(f"{start}:00", name),
        assigned(f"{start}:01", c=name),
        agent(f"{start}:05", c=name),
        closed(f"{start}:40", name),
    ]


def test_the_board_shows_the_rate_of_the_day_per_queue_team_and_client_and_no_verdict_moves() -> None:
    talks = [event for number in range(4) for event in conversation(number, f"c{number}")]
    unended = [customer("09:20:00", "c9"), agent("09:20:05", c="c9")]
    plain, checked = Folding(), Folding()
    plain.fold_all(ledger([*talks, *unended]))
    entries = ledger([*talks, *unended, quality("09:30", "c0"), quality("09:31", "c1", passed=False)])
    checked.fold_all(entries, cuts=range(0, len(entries), 7))
    before, after = plain.part(), checked.part()
    for tile in (after.client, after.queues[0], next(team for team in after.teams if team.id == "red")):
        assert tile.day.detail.quality_checked == Ratio(2, 4)
        assert tile.day.detail.quality_passed == Ratio(1, 2)
    assert before.client.day.detail.quality_checked == Ratio(0, 0)
    assert after.client.day.attainment == before.client.day.attainment


def test_in_a_report_a_check_counts_in_the_row_of_the_session_it_is_about(tmp_path: Path) -> None:
    def talk(start: str, name: str) -> list[Event]:
        return [customer(start, name), assigned(start, c=name), agent(start, c=name), closed(start, name)]

    talks = [*talk("09:00", "c1"), *talk("09:10", "c2"), *talk("10:00", "c3"), *talk("12:00", "c1")]
    checks = [quality("11:00", "c1", passed=False), quality("+1 09:00", "c3")]
    ledger = filled(tmp_path / "acme", [*rules(), *talks, *checks, clock("+1 10:00")])
    found = made(ledger, By.HOUR, "09:00", "13:00")
    shown = [row.figures.detail for row in (*found.rows, found.total)]
    assert [(each.quality_checked, each.quality_passed) for each in shown] == [
        (Ratio(1, 2), Ratio(0, 1)),
        (Ratio(1, 1), Ratio(1, 1)),
        (Ratio(0, 0), Ratio(0, 0)),
        (Ratio(0, 1), Ratio(0, 0)),
        (Ratio(2, 4), Ratio(1, 2)),
    ]
    unchecked = made(filled(tmp_path / "beta", [*rules(), *talks]), By.HOUR, "09:00", "13:00")
    assert unchecked.total.figures.detail.quality_checked == Ratio(0, 0)
