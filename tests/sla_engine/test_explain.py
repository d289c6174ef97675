"""A conversation looked up in a real ledger: what was told, what the engine says of it, and what is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.choices import Redefinition
from sla_engine._core.definition import label_of
from sla_engine.explain import Explanation, explain
from sla_engine.replay import last_facts, replay
from tests.builders import (
    PRESET,
    agent,
    back,
    changed,
    clock,
    closed,
    customer,
    declared,
    entries,
    gone,
    ms,
    published,
    rules,
    silent,
    works,
)
from tests.sla_engine.feeding import Feed
from tests.sla_engine.strategies import CONVERSATIONS, drawn
from wire.conversation import Offered
from wire.record import Feed as Told
from wire.verdict import SessionFact, Verdict, Why

LOOKBACK_MS = 7 * 24 * 3_600_000
LENIENT = changed(name="lenient", first_response_limit_ms=60_000)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path / "ledger")
    yield made
    made.close()


def explained(ledger: Feed, conversation: str = "c1", **asked: object) -> Explanation:
    return explain(ledger.reader, conversation, lookback_ms=LOOKBACK_MS, **asked)  # type: ignore[arg-type]  # as given


def test_timeline_revisions_and_the_verdict_come_from_the_ledger(ledger: Feed) -> None:
    ledger.append(
        [
            *rules(),
            *works("anna", "anna", "red", "a1", "north"),
            customer("09:00:00"),
            customer("09:00:01", "c2"),
            agent("09:00:08", arrives="09:05:00"),
            clock("09:00:30"),
        ]
    )
    found = explained(ledger)
    assert [entry.index for entry in found.told] == [7, 10]
    (session,) = found.sessions
    assert [(said.revision, said.why) for said in session.said] == [
        (0, Why.NOT_ANSWERED_WHEN_DUE),
        (1, Why.ANSWERED_IN_TIME),
    ]
    assert (session.fact.entry_index, session.fact.place.team) == (10, "red")
    assert session.fact.definition.endswith(session.definition_sha256[:12])


def test_an_id_that_is_part_of_another_is_told_from_it(ledger: Feed) -> None:
    ledger.append([*rules(), customer("09:00:00", "c1"), customer("09:00:01", "c11")])
    assert len(explained(ledger, "c1").told) == 1
    assert len(explained(ledger, "c").told) == 0


def test_another_definition_is_asked_for_by_replaying(ledger: Feed) -> None:
    ledger.append([*rules(), customer("09:00:00"), agent("09:00:30"), clock("09:10:00")])
    assert explained(ledger).sessions[0].fact.verdict is Verdict.BREACHED
    asked = explained(ledger, asked=LENIENT).sessions[0]
    assert (asked.fact.verdict, asked.fact.definition) == (Verdict.MET, label_of(LENIENT))


def test_a_version_that_restates_explains_what_was_before_it(ledger: Feed) -> None:
    restated = changed(version=2, first_response_limit_ms=60_000, redefinition=Redefinition.RESTATES)
    ledger.append([*rules(), customer("09:00:00"), agent("09:00:30"), published(restated, arrives="12:00:00")])
    assert explained(ledger).sessions[0].fact.definition == label_of(restated)


def test_a_version_that_does_not_restate_leaves_what_was_before_it(ledger: Feed) -> None:
    later = changed(version=2, first_response_limit_ms=60_000)
    ledger.append([*rules(), customer("09:00:00"), agent("09:00:30"), published(later, arrives="12:00:00")])
    assert explained(ledger).sessions[0].fact.definition == label_of(PRESET)


def test_what_is_not_judged_yet_and_what_no_definition_covers_are_told_apart(ledger: Feed) -> None:
    ledger.append([*rules(queues=["presale"]), customer("09:00:00"), customer("09:00:00", "c2", "aftersale")])
    judged, unruled = explained(ledger, "c1"), explained(ledger, "c2")
    assert (judged.sessions, unruled.sessions) == ((), ())
    assert judged.stands is not None
    assert unruled.stands is not None
    assert (judged.stands.due_at, unruled.stands.definition) == (ms("09:00:10"), "")


def test_an_unknown_conversation_is_answered_with_what_the_record_lacks(ledger: Feed) -> None:
    ledger.append([declared(ms("08:00:00")), silent("09:00:00"), back("10:00:00"), silent("23:00:00")])
    found = explained(ledger, within=(ms("09:30:00"), ms("11:00:00")))
    assert found.told == ()
    assert [(silence.since, silence.until) for silence in found.record.silences] == [(ms("09:00:00"), ms("10:00:00"))]
    assert (found.record.entries, found.record.gaps, found.record.quarantined) == (1, 0, 0)
    whole = explained(ledger).record
    assert (whole.entries, whole.silences[-1].until) == (4, None)


def test_a_gap_declared_afterwards_is_told_of_the_hour_in_which_nothing_was_told(ledger: Feed) -> None:
    ledger.append([declared(ms("08:00:00")), gone("11:10:00", 5, "10:10:00", "11:05:00"), gone("13:20:00", 3)])

    def lost(since: str, until: str) -> tuple[int, int]:
        record = explained(ledger, within=(ms(since), ms(until))).record
        return record.gaps, record.lost

    assert lost("10:00:00", "11:00:00") == (1, 5)
    assert lost("09:00:00", "10:00:00") == lost("11:06:00", "12:00:00") == (0, 0)
    assert lost("13:00:00", "14:00:00") == (1, 3), "when it was is not known: when it was declared"


def test_progress_counts_both_readings(ledger: Feed) -> None:
    ledger.append([*rules(), customer("09:00:00")])
    seen: list[int] = []
    explained(ledger, passed=seen.append)
    assert seen == [ledger.size, 2 * ledger.size]


@given(st.integers(0, 2**32), st.integers(1, 50))
def test_the_facts_explained_are_those_of_the_whole_fold(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int
) -> None:
    told = [*rules(), declared(0, "pbx", Told.DELAYED), *drawn(seed, count)]
    ledger = Feed(tmp_path_factory.mktemp("ledger"))
    ledger.append(told)
    whole = [fact for fact in last_facts(replay([entries(told)])).values() if isinstance(fact, SessionFact)]
    for conversation in CONVERSATIONS:
        found = [session.fact for session in explained(ledger, conversation).sessions]
        assert found == sorted((f for f in whole if f.conversation == conversation), key=lambda f: f.session)
    ledger.close()


def test_other_calls_of_one_customer_do_not_mix(ledger: Feed) -> None:
    head = (ms("09:00:00"), 1, "chat", None, True, "customer-7")
    event = customer("09:00:00")
    first = event._replace(body=Offered(*head, "c1", "presale"))
    second = event._replace(body=Offered(*head, "c2", "presale"))
    ledger.append([*rules(), first, second, closed("09:00:20", "c2")])
    assert {session.fact.conversation for session in explained(ledger, "c2").sessions} == {"c2"}
