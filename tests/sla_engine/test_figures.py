"""Counts of windows, the seven service levels, and facts that are corrected in any order."""

from collections import defaultdict
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sla_engine._core.choices import ServiceLevelFormula
from sla_engine._core.contributions import OPENED, contribution
from sla_engine._core.figures import Tally, figures_of, service_level
from tests.sla_engine.facts import RULE, load, response, session
from wire.board import Mean, Ratio
from wire.verdict import Outcome, ResponseFact, SessionFact, Verdict, Why


def worked_example() -> Tally:
    """100 offered: 80 answered, 60 of them within 10 s; 20 abandoned, 6 short (<= 5 s), 10 within 10 s."""
    tally = Tally()
    for number in range(80):
        wait = 10_000 if number < 60 else 10_001
        tally.apply(session(f"a{number}", first_response_ms=wait), RULE)
    for number in range(20):
        wait = 5_000 if number < 6 else 10_000 if number < 10 else 10_001
        why = Why.LEFT_SHORT if number < 6 else Why.LEFT_UNANSWERED
        start = 1_795_300_000_000
        gone = session(f"b{number}", outcome=Outcome.ABANDONED, why=why, started_at=start, ended_at=start + wait)
        tally.apply(gone, RULE)
    return tally


@pytest.mark.parametrize(
    ("formula", "ratio", "per_mille"),
    [
        (ServiceLevelFormula.WITHIN_OF_COMPLETED, Ratio(60, 80), 750),
        (ServiceLevelFormula.WITHIN_OR_LEFT_WITHIN_OF_ALL, Ratio(70, 100), 700),
        (ServiceLevelFormula.REMOVED_WITHIN_OF_QUEUED, Ratio(70, 100), 700),
        (ServiceLevelFormula.WITHIN_OF_OFFERED, Ratio(60, 100), 600),
        (ServiceLevelFormula.WITHIN_OF_OFFERED_LESS_SHORT, Ratio(60, 94), 638),
        (ServiceLevelFormula.WITHIN_OF_ANSWERED, Ratio(60, 80), 750),
        (ServiceLevelFormula.WITHIN_OF_ANSWERED_OR_LEFT_LATE, Ratio(60, 90), 667),
    ],
)
def test_the_same_hundred_calls_read_differently_under_each_formula(
    formula: ServiceLevelFormula, ratio: Ratio, per_mille: int
) -> None:
    assert service_level(worked_example().slots, formula) == ratio
    assert (2000 * ratio.part + ratio.whole) // (2 * ratio.whole) == per_mille


def test_the_parametrised_formulas_are_all_there_are() -> None:
    assert len(ServiceLevelFormula) == 7


def test_an_hour_in_which_nobody_answers_reads_as_nothing_answered_not_as_perfection() -> None:
    tally = Tally()
    for number in range(30):
        tally.apply(session(f"c{number}", outcome=Outcome.UNANSWERED), RULE)
    assert service_level(tally.slots, ServiceLevelFormula.WITHIN_OF_OFFERED) == Ratio(0, 30)
    assert service_level(tally.slots, ServiceLevelFormula.WITHIN_OF_COMPLETED) == Ratio(0, 0)
    assert figures_of(tally.slots, RULE).attainment == Ratio(0, 30)


@pytest.mark.parametrize(
    ("formula", "ratio"),
    [
        (ServiceLevelFormula.WITHIN_OF_COMPLETED, Ratio(60, 80)),
        (ServiceLevelFormula.WITHIN_OR_LEFT_WITHIN_OF_ALL, Ratio(72, 104)),
        (ServiceLevelFormula.REMOVED_WITHIN_OF_QUEUED, Ratio(73, 107)),
        (ServiceLevelFormula.WITHIN_OF_OFFERED, Ratio(60, 107)),
        (ServiceLevelFormula.WITHIN_OF_OFFERED_LESS_SHORT, Ratio(60, 101)),
        (ServiceLevelFormula.WITHIN_OF_ANSWERED, Ratio(60, 80)),
        (ServiceLevelFormula.WITHIN_OF_ANSWERED_OR_LEFT_LATE, Ratio(60, 97)),
    ],
)
def test_who_times_out_is_removed_in_time_or_not_and_weighs_wherever_offers_are_counted(
    formula: ServiceLevelFormula, ratio: Ratio
) -> None:
    tally = worked_example()
    start = 1_795_300_000_000
    for number, wait in enumerate((9_000, 10_000, 10_001, 90_000, None)):
        ended_at = None if wait is None else start + wait
        timed_out = session(f"t{number}", outcome=Outcome.UNANSWERED, started_at=start, ended_at=ended_at)
        tally.apply(timed_out, RULE)
    for number, wait in enumerate((9_000, 90_000)):
        why = Why.WENT_ELSEWHERE
        by_key = session(f"k{number}", outcome=Outcome.UNANSWERED, why=why, started_at=start, ended_at=start + wait)
        tally.apply(by_key, RULE)
    assert service_level(tally.slots, formula) == ratio


def test_no_session_is_no_data() -> None:
    shown = Tally().figures(RULE)
    assert shown.attainment == Ratio(0, 0)
    assert shown.average_response == Mean(0, 0)
    assert shown.service_level is not None
    assert shown.service_level.ratio == Ratio(0, 0)


def test_a_session_answered_in_time_counts_once_everywhere_it_belongs() -> None:
    tally = Tally()
    tally.apply(
        session(first_response_ms=9_000, seat_response_ms=3_000, answer_wait_ms=5_500, accept_wait_ms=500), RULE
    )
    shown = tally.figures(RULE)
    assert (shown.offered, shown.answered, shown.attainment) == (1, 1, Ratio(1, 1))
    assert (shown.first_response, shown.seat_response) == (Mean(9_000, 1), Mean(3_000, 1))
    assert shown.answer_wait == Mean(5_500, 1)


def test_the_service_level_compares_the_wait_in_the_queue_and_attainment_the_first_response() -> None:
    tally = Tally()
    tally.apply(session(first_response_ms=12_000, answer_wait_ms=8_000), RULE)
    shown = tally.figures(RULE)
    assert shown.attainment == Ratio(0, 1)
    assert shown.service_level is not None
    assert shown.service_level.ratio == Ratio(1, 1)


def test_an_excluded_session_is_listed_and_never_judged() -> None:
    tally = Tally()
    tally.apply(session(outcome=Outcome.EXCLUDED), RULE)
    shown = tally.figures(RULE)
    assert (shown.offered, shown.excluded, shown.attainment) == (1, 1, Ratio(0, 0))


def test_only_answered_turns_enter_the_average_response() -> None:
    tally = Tally()
    tally.apply(response(turn=1, duration_ms=20_000), RULE)
    tally.apply(response(turn=2, duration_ms=None), RULE)
    tally.apply(load("c1", 0, 1_000, 1), RULE)
    assert tally.figures(RULE).average_response == Mean(20_000, 1)


def test_shown_figures_follow_a_change_of_rule() -> None:
    tally = worked_example()
    other = replace(RULE, definition="promise@2", formula=ServiceLevelFormula.WITHIN_OF_ANSWERED)
    assert tally.figures(RULE).service_level != tally.figures(other).service_level
    assert tally.figures(None).service_level is None


Judged = SessionFact | ResponseFact
Stories = list[list[Judged]]
INSTANT = st.integers(min_value=0, max_value=60_000)
OUTCOMES = st.sampled_from(Outcome)


@st.composite
def histories(draw: st.DrawFn) -> Stories:
    """For each of some sessions and turns, its revisions from first to last."""
    stories: Stories = []
    for number in range(draw(st.integers(min_value=0, max_value=12))):
        name = f"c{number}"
        revisions: list[Judged] = [
            session(
                name,
                revision=revision,
                outcome=draw(OUTCOMES),
                first_response_ms=draw(INSTANT),
                queue_wait_ms=draw(st.none() | INSTANT),
                answer_wait_ms=draw(st.none() | INSTANT),
                seat_response_ms=draw(st.none() | INSTANT),
                verdict=draw(st.sampled_from(Verdict)),
                why=draw(st.sampled_from(Why)),
                ended_at=1_795_300_000_000 + draw(INSTANT),
            )
            for revision in range(draw(st.integers(min_value=1, max_value=4)))
        ]
        stories.append(revisions)
        stories.append(
            [
                response(name, revision=revision, duration_ms=draw(st.none() | INSTANT))
                for revision in range(draw(st.integers(min_value=1, max_value=3)))
            ]
        )
    return stories


def direct_counts(facts: list[Judged]) -> dict[str, int]:
    """The same counts, taken from a list of final facts without any tally."""
    counted: dict[str, int] = defaultdict(int)
    for fact in facts:
        if isinstance(fact, SessionFact):
            counted[fact.outcome.value] += 1
            counted["judged"] += fact.verdict is not Verdict.EXCLUDED
            counted["met"] += fact.verdict is Verdict.MET
            if fact.outcome is Outcome.ANSWERED:
                counted["first_ms"] += fact.first_response_ms or 0
        elif fact.duration_ms is not None:
            counted["turn_ms"] += fact.duration_ms
            counted["turns"] += 1
    return counted


@given(stories=histories(), seed=st.integers())
def test_a_higher_revision_replaces_the_lower_exactly_in_any_order(stories: Stories, seed: int) -> None:
    arrivals = [fact for story in stories for fact in story]
    Random(seed).shuffle(arrivals)
    tally, held = Tally(), dict[tuple[type, str], Judged]()
    for fact in arrivals:
        key = (type(fact), fact.conversation)
        before = held.get(key)
        if before is not None and before.revision >= fact.revision:
            continue
        if before is not None:
            tally.remove(contribution(before, RULE))
        tally.apply(fact, RULE)
        held[key] = fact
    direct = Tally()
    for story in stories:
        direct.apply(story[-1], RULE)
    assert tally.slots == direct.slots
    counted, shown = direct_counts([story[-1] for story in stories]), tally.figures(RULE)
    assert shown.answered == counted["answered"]
    assert shown.attainment == Ratio(counted["met"], counted["judged"])
    assert shown.first_response.total_ms == counted["first_ms"]
    assert shown.average_response == Mean(counted["turn_ms"], counted["turns"])


@given(stories=histories(), still_open=st.integers(min_value=0, max_value=20))
def test_what_was_offered_is_answered_abandoned_unanswered_excluded_or_open(stories: Stories, still_open: int) -> None:
    tally = Tally()
    for story in stories:
        tally.apply(story[-1], RULE)
    for _ in range(still_open):
        tally.add(OPENED)
    shown = tally.figures(RULE)
    assert shown.offered == shown.answered + shown.abandoned + shown.unanswered + shown.excluded + still_open
    assert shown.offered == len(stories) // 2 + still_open


@given(stories=histories())
def test_retracting_everything_leaves_zeros(stories: Stories) -> None:
    tally = Tally()
    for story in stories:
        tally.apply(story[-1], RULE)
    for story in reversed(stories):
        tally.remove(contribution(story[-1], RULE))
    assert not any(tally.slots)
