"""What `semantics = 2` reads otherwise: who leaves (E11) and who was there (E13) judge turns, not sessions alone."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sla_engine._core.applied import Says
from sla_engine._core.choices import LeftBeforeTarget, NobodyOnline, TurnEnds, Unit
from sla_engine._core.definition import label_of
from sla_engine._core.engine import new_shard, step
from sla_engine._core.reasons import reasons
from tests.builders import Event, agent, changed, closed, customer, left, transcript
from tests.oracle.campaign import drawn_trial
from tests.oracle.comparing import differences, last_facts, recorded
from tests.sla_engine.test_reasons import case
from wire.conversation import ClosedBy, LeftReason
from wire.verdict import ResponseFact, SessionFact, Verdict, Why

LEAVES = changed(semantics=2, unit=Unit.TURN, nobody_online=NobodyOnline.LEAVES_METRIC)
IGNORES = changed(semantics=2, unit=Unit.TURN, left_before_target=LeftBeforeTarget.IGNORE)


def turns(facts: Iterable[object]) -> list[tuple[int, int, int | None, Verdict | None, Why | None]]:
    """Everything said of turns, in order."""
    said = [fact for fact in facts if isinstance(fact, ResponseFact)]
    return [(fact.turn, fact.revision, fact.duration_ms, fact.verdict, fact.why) for fact in said]


def told_nobody(*then: Event) -> list[Event]:
    return [customer("09:00:00"), left("09:00:30", reason=LeftReason.NOBODY_ONLINE), *then]


def test_that_nobody_was_there_is_said_of_the_turn_that_was_open_and_of_none_after_it() -> None:
    play = transcript(*told_nobody(customer("09:02:00"), agent("09:02:05"), closed("09:03")), definition=LEAVES)
    assert turns(play.facts) == [
        (0, 0, None, Verdict.EXCLUDED, Why.NOBODY_ONLINE),
        (1, 0, 5_000, Verdict.MET, None),
    ]


def test_it_stays_so_where_the_turn_stays_open_and_is_answered_after_all() -> None:
    patient = replace(LEAVES, turn_ends=TurnEnds.NEVER)
    play = transcript(*told_nobody(agent("09:02:05")), definition=patient)
    assert turns(play.facts) == [
        (0, 0, None, Verdict.EXCLUDED, Why.NOBODY_ONLINE),
        (0, 1, 125_000, Verdict.EXCLUDED, Why.NOBODY_ONLINE),
    ]


def test_who_leaves_a_later_turn_is_asked_for_that_turns_wait_and_its_own_limit() -> None:
    own_limit = replace(IGNORES, next_response_limit_ms=30_000)
    for definition, verdict in ((IGNORES, Verdict.BREACHED), (own_limit, Verdict.EXCLUDED)):
        play = transcript(
            customer("09:00:00"),
            agent("09:00:05"),
            customer("09:05:00"),
            closed("09:05:20", by=ClosedBy.CUSTOMER),
            definition=definition,
        )
        assert [said[3] for said in turns(play.facts)] == [Verdict.MET, verdict]
        assert play.session().verdict is Verdict.MET


def test_a_late_word_that_the_customer_left_takes_the_miss_back() -> None:
    play = transcript(
        customer("09:00:00"),
        closed("09:00:40"),
        left("09:00:08", reason=LeftReason.WENT_SILENT, arrives="09:01"),
        definition=IGNORES,
    )
    assert turns(play.facts) == [
        (0, 0, None, Verdict.BREACHED, None),
        (0, 1, None, Verdict.EXCLUDED, Why.LEFT_IGNORED),
    ]


def test_explain_names_the_rule_for_the_turns_it_judged() -> None:
    found = case(customer("09:00:00"), left("09:00:08"), definition=IGNORES)
    told = {applied.says: applied.values for applied in reasons(found) if applied.row == "E11"}
    assert told[Says.TURNS_LEFT] == {"count": 1}
    found = case(*told_nobody(), definition=LEAVES)
    told = {applied.says: applied.values for applied in reasons(found) if applied.row == "E13"}
    assert told[Says.TURNS_WITHOUT_ANYBODY] == {"count": 1}


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_only_reasons_of_e11_and_e13_tell_it_from_semantics_1_and_the_oracle_agrees(seed: int) -> None:
    trial = drawn_trial(seed)
    one, two = ([replace(each, semantics=number) for each in trial.definitions] for number in (1, 2))
    assert differences(trial.events, two) == []
    before, after = (step(new_shard(), recorded(trial.events, rules), 0).facts for rules in (one, two))
    labels = {label_of(each): label_of(other) for each, other in zip(two, one, strict=True)}
    ignores = {label_of(each) for each in two if each.left_before_target is LeftBeforeTarget.IGNORE}
    then = {_place(fact): fact for fact in last_facts(before) if isinstance(fact, SessionFact | ResponseFact)}
    for fact in last_facts(after):
        if isinstance(fact, SessionFact) and fact.definition not in ignores:
            was = then[_place(fact, labels)]
            assert replace(fact, definition=was.definition) == was
        elif isinstance(fact, ResponseFact):
            was = then[_place(fact, labels)]
            assert fact.why is not None or fact.verdict is was.verdict
            assert isinstance(was, ResponseFact)
            assert was.why is None


def _place(fact: SessionFact | ResponseFact, labels: dict[str, str] | None = None) -> tuple[str, int, str, int]:
    label = fact.definition if labels is None else labels[fact.definition]
    return fact.conversation, fact.session, label, fact.turn if isinstance(fact, ResponseFact) else -1
