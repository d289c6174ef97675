"""A platform's own figures beside ours: the same time, queue and account, under the rules it claims."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.choices import Unit
from sla_engine._core.definition import label_of
from sla_engine.reports._core.reconciliation import Amount, Line, Missing, Ours, Scope, amount, measured, unit_of
from sla_engine.reports.reconciling import Period, Reconciled, reconcile
from tests.builders import PRESET, Event, agent, changed, customer, declared, ms, published
from tests.sla_engine.facts import response, session
from tests.sla_engine.feeding import Feed
from tests.sla_engine.reports.figures_told import DAY_ENDS, DAY_STARTS, LENIENT, day, platform
from wire.platform import Measured
from wire.record import GapReason, Gone
from wire.verdict import Outcome, ResponseFact, SessionFact, Verdict

HOUR = 3_600_000
LABEL = label_of(PRESET)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "acme"


def found(folder: Path, events: Iterable[Event], start: int = DAY_STARTS, end: int = DAY_ENDS) -> Reconciled:
    ledger = Feed(folder)
    ledger.append(events)
    try:
        return reconcile(ledger.reader, Period(start, end, 24 * HOUR), 2, lambda _: None)
    finally:
        ledger.close()


def line(folder: Path, *told: Event) -> Line:
    (only,) = found(folder, [*day(), *told]).lines
    return only


def causes(shown: Line) -> dict[str, int]:
    return {cause.word: cause.sessions for cause in shown.causes}


def test_a_rate_stands_beside_ours_with_counts_difference_and_what_could_explain_it(folder: Path) -> None:
    shown = line(folder, platform(916_667, of=(11, 12), definition="contract-10s"))
    assert (shown.ours, shown.theirs) == (Amount(833_333, 10, 12), Amount(916_667, 11, 12))
    assert (shown.delta, shown.missing, shown.definition) == (-83_334, None, LABEL)
    assert causes(shown) == {"arrived_out_of_hours": 1, "left_unanswered": 1}
    assert {cause.word: cause.conversations for cause in shown.causes}["left_unanswered"] == ("gone",)


def test_the_same_figure_under_the_rules_it_claims_may_not_differ_at_all(folder: Path) -> None:
    shown = line(folder, published(LENIENT), platform(None, of=(11, 12), definition="lenient"))
    assert (shown.delta, shown.causes, shown.definition) == (0, (), label_of(LENIENT))


def test_a_figure_of_a_queue_or_an_account_is_held_against_that_alone(folder: Path) -> None:
    told = [
        platform(1_000_000, metric="queue", queue="sale"),
        platform(1_000_000, metric="account", account="anna"),
        platform(3, metric="count", measure="offered", unit="count", account="anna"),
    ]
    by_metric = {each.metric: each for each in found(folder, [*day(), *told]).lines}
    assert by_metric["queue"].ours == Amount(0, 0, 1)
    assert by_metric["account"].ours == Amount(1_000_000, 10, 10)
    assert (by_metric["count"].ours, by_metric["count"].delta) == (Amount(10, 0, 0), 7)


def test_a_mean_is_of_the_same_sessions(folder: Path) -> None:
    shown = line(folder, platform(6_000, measure="first_response", unit="ms"))
    assert (shown.ours, shown.delta) == (Amount(5_909, 65_000, 11), -91)


def test_what_the_platform_said_last_stands_and_how_often_it_changed_its_mind_is_told(folder: Path) -> None:
    told = [platform(value, arrives=f"+1 1{hour}:00") for hour, value in enumerate((900_000, 900_000, 950_000))]
    shown = line(folder, *told)
    assert (shown.theirs.value, shown.restated) == (950_000, 1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (platform(1, measure=""), Missing.NO_MEASURE),
        (platform(1, measure="of a later build"), Missing.UNKNOWN_MEASURE),
        (platform(1, unit="ms"), Missing.UNIT_DIFFERS),
        (platform(1, definition="made-up"), Missing.UNKNOWN_DEFINITION),
        (platform(1, account="nobody"), Missing.NOTHING_COUNTED),
        (platform(1, queue="sale", measure="abandonment_rate", account="anna"), Missing.NOTHING_COUNTED),
        (platform(1, arrives="+0 23:00"), None),
    ],
)
def test_what_cannot_be_computed_is_no_figure_and_says_why(given: Event, why: Missing | None, folder: Path) -> None:
    shown = line(folder, given)
    assert shown.missing == why
    assert (shown.delta is None) is (why is not None)


def test_a_period_the_record_does_not_reach_or_knows_nothing_of_has_no_figure_of_ours(folder: Path) -> None:
    later = platform(1, period=(DAY_ENDS, DAY_ENDS + 24 * HOUR), metric="later")
    before = platform(1, period=(DAY_STARTS - 24 * HOUR, DAY_STARTS), metric="before", measure="offered", unit="count")
    both = found(folder, [*day(), later, before], DAY_STARTS - 24 * HOUR, DAY_ENDS + 24 * HOUR)
    assert {each.metric: (each.missing, each.ours) for each in both.lines} == {
        "later": (Missing.RECORD_ENDS, None),
        "before": (Missing.NOTHING_RECORDED, None),
    }


def test_without_any_rules_there_is_no_definition_to_hold_it_against(folder: Path) -> None:
    (shown,) = found(folder, [declared(0), customer("09:00:00"), platform(1)]).lines
    assert shown.missing is Missing.NO_DEFINITION


def test_of_several_versions_the_one_in_force_when_the_period_starts_is_claimed(folder: Path) -> None:
    later = changed(version=2, effective_from=DAY_ENDS, first_response_limit_ms=20_000)
    shown = line(folder, published(later), platform(1, definition="contract-10s"))
    assert shown.definition == LABEL


def test_a_figure_whose_period_is_cut_by_the_time_asked_for_is_left_out_and_counted(folder: Path) -> None:
    month = platform(1, period=(DAY_STARTS - 24 * HOUR, DAY_ENDS), metric="month")
    both = found(folder, [*day(), month, platform(1)])
    assert ([each.metric for each in both.lines], both.cut_off) == (["rate"], 1)


def test_events_declared_lost_make_ours_less_sure(folder: Path) -> None:
    head = (ms("12:00"), 1, "chat", None, True, "")
    told = Gone(*head, "chat", bytes(16), 5, 9, "", 5, GapReason.OVERFLOW)
    shown = line(folder, Event(told, "~gap", ms("12:00")), platform(1))
    assert [(caveat.word, caveat.count) for caveat in shown.caveats] == [("reconcile_lost_events", 5)]


def test_an_answer_across_midnight_could_count_on_either_day(folder: Path) -> None:
    night = [customer("23:59:58", "night"), agent("+1 00:00:04", c="night")]
    today = found(folder, [*day(), *night, platform(1)]).lines[0]
    assert causes(today)["reconcile_crosses"] == 1


def test_peoples_days_are_the_platforms_day_and_nameless_ones_are_told() -> None:
    by_person = changed(unit=Unit.PERSON_DAY)
    label = label_of(by_person)
    start = DAY_STARTS
    facts: list[SessionFact | ResponseFact] = [
        response("a", definition=label, customer="p", session_started_at=start + HOUR, verdict=Verdict.BREACHED),
        response("b", definition=label, customer="p", session_started_at=start + 9 * HOUR, verdict=Verdict.MET),
        response("c", definition=label, session_started_at=start + 9 * HOUR, verdict=Verdict.MET),
        session("c", definition=label, started_at=start + 9 * HOUR),
    ]
    ours = Ours(by_person, facts)
    a_day, a_week = Scope(start, DAY_ENDS, "", ""), Scope(start, start + 7 * 24 * HOUR, "", "")
    assert amount(ours.figures(a_day), Measured.JUDGED) == Amount(2, 0, 0)
    assert amount(ours.figures(a_week), Measured.JUDGED) == Amount(3, 0, 0)
    assert ours.unnamed(a_day) == 1


@pytest.mark.parametrize("measure", Measured)
def test_every_measure_has_a_unit_and_says_nothing_of_nothing(measure: Measured) -> None:
    empty = amount(Ours(PRESET, []).figures(Scope(0, 1, "", "")), measure)
    assert measured(measure.value) is measure
    assert empty.value is (0 if unit_of(measure) == "count" else None) or empty.value == 0


STORIES = st.lists(
    st.tuples(st.integers(0, 47), st.sampled_from(["q1", "q2"]), st.sampled_from(list(Outcome)), st.booleans()),
    max_size=12,
)


@given(stories=STORIES, starts=st.integers(0, 30), hours=st.integers(1, 24), queue=st.sampled_from(["", "q1", "q3"]))
def test_figures_of_a_scope_are_what_a_look_at_every_session_counts(
    stories: list[tuple[int, str, Outcome, bool]], starts: int, hours: int, queue: str
) -> None:
    facts: list[SessionFact] = []
    for number, (hour, on, outcome, void) in enumerate(stories):
        at = DAY_STARTS + hour * HOUR
        given = session(str(number), definition=LABEL, queue=on, outcome=outcome, started_at=at, void=void)
        facts.append(given)
    scope = Scope(DAY_STARTS + starts * HOUR, DAY_STARTS + (starts + hours) * HOUR, queue, "")
    counted = [
        fact
        for fact in facts
        if scope.starts <= fact.started_at < scope.ends and queue in ("", fact.queue) and not fact.void
    ]
    figures = Ours(PRESET, facts).figures(scope)
    judged = [fact for fact in counted if fact.verdict is not Verdict.EXCLUDED]
    assert amount(figures, Measured.OFFERED).value == len(counted)
    met = sum(fact.verdict is Verdict.MET for fact in judged)
    assert (amount(figures, Measured.MET).value, amount(figures, Measured.JUDGED).value) == (met, len(judged))
    missed = amount(figures, Measured.MISSED_RATE)
    assert (missed.part, missed.whole) == (len(judged) - met, len(judged))
