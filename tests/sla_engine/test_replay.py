"""A ledger folded once more under other rules: the same step, nothing written, sessions keep their numbers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sla_engine._core.choices import ClockStart, Redefinition
from sla_engine._core.definition import Definition, label_of
from sla_engine.replay import entered_rules, last_facts, ledger_batches, replay, restating, under
from tests.builders import (
    PRESET,
    Event,
    agent,
    changed,
    clock,
    closed,
    contract,
    customer,
    entries,
    ms,
    published,
    queued,
    rules,
    works,
)
from tests.sla_engine.feeding import Feed
from wire.conversation import Author
from wire.recorded import Recorded
from wire.verdict import Fact, LoadChange, SessionFact, Verdict, Why

LENIENT = changed(version=2, effective_from=ms("+1 00:00"), first_response_limit_ms=60_000)
HUMANS_LATE = changed(name="second", first_response_limit_ms=20_000)


def day() -> list[Event]:
    told = [*rules(), *works("anna", "anna", "red", "a1", "north")]
    for number, waits_ms in enumerate((4_000, 15_000, 90_000)):
        at = ms("09:00:00") + number * 60_000
        told += [customer(at, f"c{number}"), agent(at + waits_ms, "anna", f"c{number}")]
    return [*told, clock("09:03:00"), clock("09:30:00")]


def sessions(facts: Sequence[Fact] | Iterator[Fact]) -> dict[tuple[str, str], SessionFact]:
    said = last_facts(facts).values()
    return {(fact.conversation, fact.definition): fact for fact in said if isinstance(fact, SessionFact)}


def in_two(told: list[Recorded]) -> list[list[Recorded]]:
    return [told[:5], told[5:]]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path / "ledger")
    made.append(day())
    yield made
    made.close()


def test_replay_under_the_rules_of_the_ledger_says_what_the_live_fold_said() -> None:
    told = entries(day())
    verdicts = [fact.verdict for fact in sessions(replay([told])).values()]
    assert verdicts == [Verdict.MET, Verdict.BREACHED, Verdict.BREACHED]
    assert list(replay([told])) == list(replay(in_two(told)))


def test_other_definitions_judge_the_whole_ledger_whatever_their_dates_and_names() -> None:
    found = sessions(replay([entries(day())], under(PRESET, LENIENT)))
    by_label = {
        label: [fact.verdict for (_, of), fact in found.items() if of == label]
        for label in (label_of(PRESET), label_of(LENIENT))
    }
    assert by_label[label_of(PRESET)] == [Verdict.MET, Verdict.BREACHED, Verdict.BREACHED]
    assert by_label[label_of(LENIENT)] == [Verdict.MET, Verdict.MET, Verdict.BREACHED]
    assert len(found) == 6


def test_sessions_keep_their_numbers_and_their_deciding_entries() -> None:
    told = entries(day())
    live = {(fact.conversation, fact.session): fact.entry_index for fact in sessions(replay([told])).values()}
    other = sessions(replay([told], under(HUMANS_LATE))).values()
    assert {(fact.conversation, fact.session) for fact in other} == live.keys()
    answered = [fact for fact in other if fact.first_response_ms == 4_000]
    assert [live[fact.conversation, fact.session] for fact in answered] == [fact.entry_index for fact in answered]


def test_only_the_queues_asked_for_are_judged() -> None:
    told = [*day(), customer("09:20:00", "c9", "aftersale"), agent("09:20:05", "anna", "c9")]
    found = sessions(replay([entries(told)], under(PRESET, queues=["aftersale"])))
    assert [conversation for conversation, _ in found] == ["c9"]


def test_a_version_that_restates_judges_from_its_own_date_on_wherever_it_was_entered() -> None:
    restated = changed(version=2, effective_from=ms("09:00:30"), redefinition=Redefinition.RESTATES)
    told = entries([*day(), published(restated, arrives="+1 09:00:00")])
    found = sessions(replay([told], restating([PRESET, restated], [contract(PRESET.name)])))
    assert sorted(found) == [("c0", label_of(PRESET)), ("c1", label_of(restated)), ("c2", label_of(restated))]
    assert restating([PRESET], [contract(PRESET.name)]) is None


@pytest.mark.parametrize("more", [[], [changed(title="for the third time", first_response_limit_ms=1_000)]])
def test_of_a_number_given_twice_the_one_entered_last_restates(more: list[Definition]) -> None:
    restated = changed(first_response_limit_ms=20_000, redefinition=Redefinition.RESTATES)
    told = entries([*day(), *(published(each, arrives="+1 09:00:00") for each in (restated, *more))])
    found = sessions(replay([told], restating([PRESET, restated, *more], [contract(PRESET.name)])))
    assert sorted(found) == [(conversation, label_of(restated)) for conversation in ("c0", "c1", "c2")]


def test_the_last_word_on_each_fact_is_kept_and_load_changes_add_up() -> None:
    facts = list(replay([entries(day())]))
    last = last_facts(facts)
    assert len(last) < len(facts)  # c2 was judged unanswered before its reply came
    assert sum(isinstance(fact, LoadChange) for fact in last.values()) == 3


def test_a_session_that_a_late_event_moves_over_an_edge_keeps_no_old_revision_behind_it() -> None:
    late = [customer("08:59:50", "c0", arrives="09:20:00"), customer("09:00:30", "c1", arrives="09:20:00")]
    facts = list(replay([entries([*day(), *late])]))
    starts = [fact.started_at for fact in facts if isinstance(fact, SessionFact) and fact.conversation == "c0"]
    assert starts == [ms("09:00:00"), ms("08:59:50")]

    def kept(since: str, until: str) -> set[str]:
        def counts(fact: Fact) -> bool:
            return isinstance(fact, SessionFact) and ms(since) <= fact.started_at < ms(until)

        return {fact.conversation for fact in last_facts(facts, counts).values() if isinstance(fact, SessionFact)}

    assert kept("09:00:00", "10:00:00") == {"c1", "c2"}
    assert kept("08:00:00", "09:00:00") == {"c0"}
    assert kept("09:01:00", "09:02:00") == set()


def test_a_ledger_on_disk_is_read_in_batches_and_says_how_far(ledger: Feed) -> None:
    progress: list[int] = []
    from_disk = list(replay(ledger_batches(ledger.reader, passed=progress.append)))
    assert [fact.verdict for fact in sessions(from_disk).values()] == [Verdict.MET, Verdict.BREACHED, Verdict.BREACHED]
    assert progress == [ledger.size]


def test_what_came_in_earlier_is_passed_over_but_the_roster_stands(ledger: Feed) -> None:
    found = sessions(replay(ledger_batches(ledger.reader, earliest=ms("09:00:30"))))
    assert [(conversation, fact.place.team) for (conversation, _), fact in found.items()] == [
        ("c1", "red"),
        ("c2", "red"),
    ]


def test_what_came_in_earlier_still_says_that_its_source_tells_the_queue(ledger: Feed) -> None:
    ledger.append([queued("09:40", "before"), agent("09:40:05", c="before"), closed("09:41", "before")])
    ledger.append([customer("10:00", "robot"), agent("10:00:01", c="robot", author=Author.BOT)])
    ledger.append([closed("10:01", "robot"), clock("10:02")])
    by_queue = changed(name="by-queue", clock_start=ClockStart.QUEUED)
    for earliest in (0, ms("09:59")):
        found = sessions(replay(ledger_batches(ledger.reader, earliest=earliest), under(by_queue)))
        assert found["robot", label_of(by_queue)].why is Why.NEVER_REACHED_A_PERSON


def test_what_came_in_after_known_at_is_not_known(ledger: Feed) -> None:
    found = sessions(replay(ledger_batches(ledger.reader, known_at=ms("09:00:30"))))
    assert [conversation for conversation, _ in found] == ["c0"]


def test_the_rules_of_a_ledger_are_listed_in_order_of_entry(ledger: Feed) -> None:
    found, contracts = entered_rules(ledger.reader)
    assert (found, [each.definitions for each in contracts]) == ([PRESET], [(PRESET.name,)])
