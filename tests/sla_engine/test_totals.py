"""Counters of a queue never fall, count each session once, and know answers that came late."""

from sla_engine._core.totals import QueueTotals
from tests.sla_engine.facts import session
from wire.board import RESPONSE_EDGES_MS, Totals
from wire.verdict import Outcome, SessionFact, Verdict, Why

TEN_SECONDS = RESPONSE_EDGES_MS.index(10_000)


def totals_after(*said: tuple[SessionFact, SessionFact | None]) -> Totals:
    totals = QueueTotals({})
    for fact, before in said:
        totals.add_session(fact, before, is_short=False)
    found = totals.of_queue(said[0][0].queue)
    assert found is not None
    return found


def answered(after_ms: int, revision: int = 0) -> SessionFact:
    verdict, why = (Verdict.MET, Why.ANSWERED_IN_TIME) if after_ms <= 10_000 else (Verdict.BREACHED, Why.ANSWERED_LATE)
    return session(outcome=Outcome.ANSWERED, verdict=verdict, why=why, first_response_ms=after_ms, revision=revision)


def unanswered() -> SessionFact:
    return session(
        outcome=Outcome.UNANSWERED,
        verdict=Verdict.BREACHED,
        why=Why.NOT_ANSWERED_WHEN_DUE,
        first_response_ms=None,
    )


def test_ten_seconds_are_in_the_bucket_of_ten_seconds_and_one_more_millisecond_is_not() -> None:
    counts = totals_after((answered(10_000), None)).first_response.counts
    assert counts[TEN_SECONDS] == 1
    assert totals_after((answered(10_001), None)).first_response.counts[TEN_SECONDS + 1] == 1


def test_an_answer_after_the_miss_was_judged_is_one_miss_and_one_late_answer() -> None:
    miss, late = unanswered(), answered(25_000, revision=1)
    totals = totals_after((miss, None), (late, miss))
    assert (totals.offered, totals.judged, totals.met) == (1, 1, 0)
    assert (totals.unanswered, totals.answered) == (1, 1)
    assert totals.first_response.total_ms == 25_000


def test_the_same_outcome_said_again_adds_nothing() -> None:
    first = answered(3_000)
    assert totals_after((first, None), (answered(4_000, revision=1), first)) == totals_after((first, None))


def test_nothing_was_said_of_a_queue_without_sessions() -> None:
    assert QueueTotals({}).of_queue("presale") is None
