"""Every rule that did something to a session is named, and the clocks laid out add up to what the fact says."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatch.glossary import words
from sla_engine._core.applied import Says
from sla_engine._core.case import TOLD, Case, open_intervals
from sla_engine._core.choices import ClockDomains
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.reasons import reasons
from sla_engine.replay import last_facts, replay, under
from tests.builders import (
    HOUR_MS,
    PRESET,
    Event,
    agent,
    assigned,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    entries,
    left,
    ms,
    offered,
    transferred,
)
from tests.oracle.campaign import drawn_trial
from tests.oracle.comparing import recorded
from tests.sla_engine.strategies import NINE, drawn
from wire.conversation import Author, Form
from wire.recorded import Recorded
from wire.verdict import LegEnd, LegFact, Outcome, ResponseFact, SessionFact, Verdict, Why


def cases(events: Sequence[Event], definition: Definition = PRESET) -> list[Case]:
    """Every session that counts, under one definition, the clock having run on."""
    last = max(event.received_at for event in events)
    return cases_in(entries([declared(0), *events, clock(last + HOUR_MS)]), definition)


def cases_in(told: list[Recorded], definition: Definition) -> list[Case]:
    """Every session that counts in a ledger."""
    facts = last_facts(replay([told], under(definition))).values()
    sessions = [fact for fact in facts if isinstance(fact, SessionFact) and not fact.void]
    return [_case(fact, sessions, told, list(facts), definition) for fact in sessions]


def _case(
    fact: SessionFact, sessions: list[SessionFact], told: list[Recorded], facts: list[object], definition: Definition
) -> Case:
    about = [entry for entry in told if isinstance(entry.body, TOLD) and entry.body.conversation == fact.conversation]
    about.sort(key=lambda entry: entry.body.occurred_at if entry.body else 0)
    later = sorted(
        other.started_at
        for other in sessions
        if other.conversation == fact.conversation and other.started_at > fact.started_at
    )
    turns = [
        turn
        for turn in facts
        if isinstance(turn, ResponseFact)
        and (turn.conversation, turn.session) == (fact.conversation, fact.session)
        and not turn.void
    ]
    legs = [
        leg
        for leg in facts
        if isinstance(leg, LegFact) and (leg.conversation, leg.session) == (fact.conversation, fact.session)
    ]
    return Case(definition, fact, about, until=later[0] if later else None, turns=turns, legs=legs)


def case(*events: Event, definition: Definition = PRESET) -> Case:
    (found,) = cases(events, definition)
    return found


def said(of: Case) -> list[tuple[str, Says]]:
    return [(applied.row, applied.says) for applied in reasons(of)]


@given(st.integers(0, 2**32))
def test_the_clocks_laid_out_add_up_to_what_the_fact_says_and_every_why_has_its_word(seed: int) -> None:
    trial = drawn_trial(seed)
    told = recorded(trial.events, trial.definitions)
    for definition in trial.definitions:
        for each in cases_in(told, definition):
            assert each.fact.why in words()
            said_of = {applied.says: applied.row for applied in reasons(each)}
            assert [says for says in said_of if says not in words()] == []
            assert Says.CLOCK_MOVED not in said_of or {"E4", "E5", "E7"} & set(said_of.values())
            _adds_up(each)


def _adds_up(each: Case) -> None:
    fact = each.fact
    assert (each.reply is None) is (fact.first_response_ms is None), fact
    clock = each.customer_clock()
    total_ms = fact.waited_ms if fact.first_response_ms is None else fact.first_response_ms
    assert clock.total_ms == total_ms or fact.why in {Why.OUTBOUND, Why.ARRIVED_OUT_OF_HOURS}, fact
    if clock.total_ms is not None:
        assert sum(end - start for start, end in clock.ran) + clock.correction_ms == clock.total_ms, fact
    assert clock.correction_ms == 0 or each.definition.clock_domains is ClockDomains.ESTIMATED_OFFSET, fact
    seat = each.seat_clock()
    assert (None if seat is None else seat.total_ms) == fact.seat_response_ms


def test_every_sentence_and_every_word_of_a_verdict_is_in_the_glossary() -> None:
    names = [*Says, *Why, *Outcome, *Verdict, *LegEnd]
    assert [name for name in names if name not in words()] == []


def test_a_plain_answer_rests_on_start_reply_credit_limit_and_version() -> None:
    plain = case(customer("09:00:00"), assigned("09:00:02"), agent("09:00:08"))
    assert said(plain) == [
        ("E1", Says.CLOCK_FROM_ARRIVAL),
        ("E2", Says.ANSWERED_BY),
        ("E3", Says.CREDITED_TO_SENDER),
        ("E16", Says.IN_TIME_AT_MOST),
        ("E18", Says.VERSION_IN_FORCE),
    ]
    assert plain.customer_clock().ran == ((ms("09:00:00"), ms("09:00:08")),)
    seat = plain.seat_clock()
    assert seat is not None
    assert (seat.started_at, seat.total_ms) == (ms("09:00:02"), 6_000)


def test_what_is_no_reply_and_what_is_no_enquiry_is_counted_by_kind() -> None:
    found = reasons(
        case(
            offered("09:00:00"),
            agent("09:00:01", "", author=Author.WELCOME),
            agent("09:00:02", "", author=Author.BOT),
            customer("09:00:03", form=Form.CARD),
            agent("09:00:05"),
            definition=changed(inbound_forms=(Form.TEXT,)),
        )
    )
    values = {applied.says: applied.values for applied in found}
    assert values[Says.NOT_A_REPLY] == {"count": 2, "authors": "welcome, bot"}
    assert values[Says.OPENS_NOTHING] == {"count": 1, "forms": "card"}


def test_a_reply_that_came_in_late_is_the_one_that_answered() -> None:
    late = case(customer("09:00:00"), agent("09:00:08", arrives="09:05:00"), agent("09:01:00"))
    assert late.replied_at == ms("09:00:08")


def test_transfers_several_messages_and_returns_are_named_with_what_they_did() -> None:
    found = case(
        customer("09:00:00"),
        assigned("09:00:01"),
        customer("09:00:02"),
        transferred("09:00:03", account="ben"),
        agent("09:00:09", "ben"),
        closed("09:01:00"),
        customer("09:02:00"),
        agent("09:02:05", "ben"),
        closed("09:03:00"),
    )
    assert {
        ("E4", Says.TRANSFER_CLOCK_WENT_ON),
        ("E5", Says.FIRST_MESSAGE_COUNTS),
        ("E6", Says.CAME_BACK_SAME_SESSION),
    } <= set(said(found))


def test_a_return_after_the_gap_belongs_to_the_session_it_begins() -> None:
    first, second = cases([customer("09:00:00"), agent("09:00:05"), closed("09:01:00"), customer("09:30:00")])
    assert Says.CAME_BACK_NEW_SESSION not in {says for _, says in said(first)}
    assert ("E6", Says.CAME_BACK_NEW_SESSION) in said(second)


@pytest.mark.parametrize(
    ("events", "why", "row", "says"),
    [
        ([customer("07:00:00")], Why.ARRIVED_OUT_OF_HOURS, "E7", Says.OUTSIDE_NOT_JUDGED),
        ([customer("09:00:00")], Why.NOT_ANSWERED_WHEN_DUE, "E10", Says.UNANSWERED_IS_MISS),
        ([customer("09:00:00"), closed("09:00:05")], Why.CLOSED_UNANSWERED, "E12", Says.TURN_ENDED_WITH_SESSION),
        ([customer("09:00:00"), left("09:00:02")], Why.LEFT_SHORT, "E11", Says.LEFT_TOO_SOON_TO_COUNT),
        ([customer("09:00:00"), left("09:00:08")], Why.LEFT_UNANSWERED, "E11", Says.LEFT_AND_COUNTS),
        ([offered("09:00:00", outbound=True)], Why.OUTBOUND, "E15", Says.OUTBOUND_NOT_JUDGED),
        (
            [customer("23:59:58"), agent("+1 00:00:10")],
            Why.ANSWERED_LATE,
            "E8",
            Says.CLOSED_CLOCK_RAN_ON,
        ),
        ([customer("09:00:00", resolution=1_000), agent("09:00:05")], Why.ANSWERED_IN_TIME, "E16", Says.TOLD_COARSELY),
    ],
)
def test_what_decided_is_named(events: list[Event], why: Why, row: str, says: Says) -> None:
    found = case(*events)
    assert found.fact.why is why
    assert (row, says) in said(found)


def test_open_time_is_laid_out_window_by_window() -> None:
    calendar = Case(PRESET, case(customer("09:00:00"), agent("09:00:01")).fact, []).calendar
    found = list(open_intervals(calendar, ms("23:00:00"), ms("+1 09:00:00")))
    assert found == [(ms("23:00:00"), ms("+1 00:00:00")), (ms("+1 08:00:00"), ms("+1 09:00:00"))]


def test_rules_are_said_for_a_contract_that_names_several_definitions() -> None:
    second = changed(name="second", first_response_limit_ms=5_000, warning_after_ms=3_000)
    told = [customer("09:00:00"), agent("09:00:08")]
    assert contract(PRESET.name, second.name).definitions == ("contract-10s", "second")
    assert [case(*told, definition=each).fact.verdict for each in (PRESET, second)] == [Verdict.MET, Verdict.BREACHED]
    assert case(*told, definition=second).fact.definition == label_of(second)


def test_drawn_transcripts_reach_answers_misses_and_exclusions() -> None:
    rng = Random(7)
    found = [each.fact.outcome for _ in range(40) for each in cases(drawn(rng.randrange(2**32), 40))]
    assert set(found) == set(Outcome)
    assert ms("08:00:00") > NINE
