"""What one fact counts for under each definition: units, caps, the ways to leave, the limit's edge, legs and waits."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sla_engine._core.choices import Boundary, NeverAnswered, ServiceLevelFormula, Unit
from sla_engine._core.contributions import FigureRule, contribution, figure_rule
from sla_engine._core.definition import ServiceWindow, SpecialDay
from sla_engine._core.figures import Tally, figures_of, service_level
from tests.builders import PRESET, agent, changed, clock, closed, customer, entries, rules, transferred
from tests.sla_engine.facts import RULE, leg, response, session
from tests.sla_engine.folding import Folding
from wire.board import Mean, Ratio
from wire.verdict import LegEnd, Outcome, ResponseFact, Verdict, Why

CAPPED = replace(RULE, cap_ms=600_000)
BY_TURN = replace(RULE, unit=Unit.TURN, turn_limit_ms=10_000)
BY_PERSON = replace(BY_TURN, unit=Unit.PERSON_DAY)
START = 1_795_300_000_000


def counted(*facts: object, rule: FigureRule = RULE) -> Tally:
    tally = Tally()
    for fact in facts:
        tally.apply(fact, rule)  # type: ignore[arg-type]  # facts of every kind
    return tally


def turn(number: int, duration_ms: int | None, verdict: Verdict, **given: Any) -> ResponseFact:
    return response(turn=number, duration_ms=duration_ms, verdict=verdict, **given)


def test_a_rule_takes_everything_it_says_from_the_definition() -> None:
    rule = figure_rule(PRESET, "promise@1")
    assert (rule.unit, rule.cap_ms, rule.calendar.limit_of(0), rule.turn_limit_ms) == (Unit.SESSION, None, 10_000, None)
    assert (rule.short_abandon_ms, rule.threshold_ms, rule.boundary) == (5_000, 10_000, Boundary.AT_MOST)
    capped = changed(never_answered=NeverAnswered.CAPPED, unanswered_cap_ms=600_000, unit=Unit.TURN)
    assert figure_rule(capped, "x").cap_ms == 600_000
    assert figure_rule(capped, "x").turn_limit_ms is None, "a later turn without a limit of its own has the session's"


def test_attainment_counts_sessions_turns_or_peoples_days_as_the_definition_says() -> None:
    facts = [
        session("c1"),
        turn(0, 4_000, Verdict.MET, customer="li"),
        turn(1, 12_000, Verdict.BREACHED, customer="li"),
        turn(2, 5_000, Verdict.MET, customer="li"),
    ]
    assert counted(*facts).figures(RULE).attainment == Ratio(1, 1)
    assert counted(*facts, rule=BY_TURN).figures(BY_TURN).attainment == Ratio(2, 3)
    assert counted(*facts, rule=BY_PERSON).figures(BY_PERSON).attainment == Ratio(0, 1)


def test_a_turn_its_customer_left_counts_as_its_verdict_says_and_one_left_out_weighs_in_no_mean() -> None:
    by_turn = replace(BY_TURN, cap_ms=600_000)
    facts = [
        turn(0, 4_000, Verdict.MET),
        turn(1, None, Verdict.MET, why=Why.LEFT_IN_TIME),
        turn(2, None, Verdict.EXCLUDED, why=Why.LEFT_SHORT),
    ]
    figures = counted(*facts, rule=by_turn).figures(by_turn)
    assert figures.attainment == Ratio(2, 2)
    assert figures.average_response == Mean(604_000, 2)
    assert figures.detail.unanswered_turns == 2


def test_one_late_turn_spoils_the_persons_day_however_many_conversations_it_had() -> None:
    tally = counted(
        turn(0, 4_000, Verdict.MET, customer="li", conversation="c1"),
        turn(0, 11_000, Verdict.BREACHED, customer="li", conversation="c2"),
        turn(0, 4_000, Verdict.MET, customer="wang", conversation="c3"),
        rule=BY_PERSON,
    )
    assert tally.figures(BY_PERSON).attainment == Ratio(1, 2)


def test_a_customer_nobody_named_is_one_person_per_conversation() -> None:
    tally = counted(
        turn(0, 4_000, Verdict.MET, conversation="c1"),
        turn(0, 11_000, Verdict.BREACHED, conversation="c2"),
        rule=BY_PERSON,
    )
    assert tally.figures(BY_PERSON).attainment == Ratio(1, 2)


def test_a_turn_that_is_not_judged_is_in_no_persons_day() -> None:
    tally = counted(turn(0, 4_000, Verdict.EXCLUDED, customer="li"), rule=BY_PERSON)
    assert tally.figures(BY_PERSON).attainment == Ratio(0, 0)


@given(
    revisions=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.sampled_from([None, *Verdict])), max_size=30
    )
)
def test_peoples_days_follow_every_correction_exactly(revisions: list[tuple[str, int, Verdict | None]]) -> None:
    tally, held = Tally(), dict[tuple[str, int], ResponseFact]()
    for person, number, verdict in revisions:
        fact = response(turn=number, verdict=verdict, customer=person, void=verdict is None)
        before = held.get((person, number))
        if before is not None:
            tally.remove(contribution(before, BY_PERSON))
        tally.apply(fact, BY_PERSON)
        held[person, number] = fact
    days: dict[str, list[Verdict]] = defaultdict(list)
    for (person, _), fact in held.items():
        if fact.verdict in {Verdict.MET, Verdict.BREACHED}:
            days[person].append(fact.verdict)
    met = sum(Verdict.BREACHED not in verdicts for verdicts in days.values())
    assert tally.figures(BY_PERSON).attainment == Ratio(met, len(days))


def test_a_tile_that_mixes_units_has_no_attainment_rather_than_a_sum_of_unlike_things() -> None:
    tally = counted(session("c1"))
    assert tally.figures(None).attainment == Ratio(1, 1)
    tally.apply(turn(0, 4_000, Verdict.MET), BY_TURN)
    assert tally.figures(None).attainment == Ratio(0, 0)


def test_a_cap_bounds_every_value_of_a_mean_and_stands_in_for_what_was_never_answered() -> None:
    facts = [
        session("c1", first_response_ms=900_000),
        session("c2", outcome=Outcome.UNANSWERED),
        turn(0, 20_000, Verdict.BREACHED),
        turn(1, None, Verdict.BREACHED),
    ]
    shown = counted(*facts, rule=CAPPED).figures(CAPPED)
    assert shown.first_response == Mean(1_200_000, 2)
    assert shown.average_response == Mean(620_000, 2)
    assert shown.detail.unanswered_turns == 1
    plain = counted(*facts).figures(RULE)
    assert plain.first_response == Mean(900_000, 1)
    assert plain.average_response == Mean(20_000, 1)


def test_who_was_dropped_is_in_no_mean_and_no_rate_and_counted_by_its_reason() -> None:
    dropped = session(outcome=Outcome.UNANSWERED, verdict=Verdict.EXCLUDED, why=Why.NEVER_ANSWERED_DROPPED)
    shown = counted(dropped, rule=CAPPED).figures(CAPPED)
    assert (shown.unanswered, shown.attainment, shown.first_response) == (1, Ratio(0, 0), Mean(0, 0))
    assert shown.detail.not_judged == {"never_answered_dropped": 1}


@pytest.mark.parametrize(
    ("verdict", "why", "attained"),
    [
        (Verdict.EXCLUDED, Why.LEFT_SHORT, Ratio(0, 0)),
        (Verdict.EXCLUDED, Why.LEFT_IGNORED, Ratio(0, 0)),
        (Verdict.BREACHED, Why.LEFT_UNANSWERED, Ratio(0, 1)),
        (Verdict.MET, Why.LEFT_IN_TIME, Ratio(1, 1)),
    ],
)
def test_whichever_way_leaving_counts_a_short_abandon_is_in_its_own_count(
    verdict: Verdict, why: Why, attained: Ratio
) -> None:
    gone = session(outcome=Outcome.ABANDONED, verdict=verdict, why=why, waited_ms=3_000, ended_at=START + 3_000)
    shown = counted(gone).figures(RULE)
    assert (shown.abandoned, shown.short_abandoned, shown.attainment) == (1, 1, attained)


def test_how_long_a_customer_waited_before_leaving_is_told_by_the_definitions_clock() -> None:
    gone = session(outcome=Outcome.ABANDONED, waited_ms=2_000, ended_at=START + 60_000)
    assert counted(gone).figures(RULE).short_abandoned == 1


def test_a_session_within_the_sources_resolution_of_its_limit_is_near_it() -> None:
    near = [
        session("c1", first_response_ms=10_900, resolution_ms=1_000),
        session("c2", first_response_ms=9_001, resolution_ms=1_000),
    ]
    far = [session("c3", first_response_ms=11_000, resolution_ms=1_000), session("c4", first_response_ms=9_999)]
    assert counted(*near, *far).figures(RULE).detail.near_limit == 2


def test_a_promotion_day_has_a_limit_of_its_own_to_be_near_to() -> None:
    whole_day = (ServiceWindow(0, 1440),)
    promoted = figure_rule(changed(special_days=(SpecialDay("2026-11-22", whole_day, 15_000),)), "promise@1")
    near = [session("c1", first_response_ms=14_500, resolution_ms=1_000)]
    assert counted(*near, rule=promoted).figures(promoted).detail.near_limit == 1
    assert counted(*near).figures(RULE).detail.near_limit == 0


def test_a_later_turn_of_a_promotion_day_is_near_the_limit_of_that_day() -> None:
    special = (SpecialDay("2026-11-22", (ServiceWindow(0, 1440),), 15_000),)
    promoted = figure_rule(changed(special_days=special, unit=Unit.TURN), "promise@1")
    turns = [turn(1, 14_500, Verdict.MET, resolution_ms=1_000), turn(2, 10_400, Verdict.MET, resolution_ms=1_000)]
    assert counted(*turns, rule=promoted).figures(promoted).detail.near_limit == 1


def test_by_turn_it_is_turns_that_are_near_their_limit() -> None:
    rule = replace(BY_TURN, turn_limit_ms=30_000)
    facts = [
        session(first_response_ms=10_000, resolution_ms=1_000),
        turn(0, 10_400, Verdict.BREACHED, resolution_ms=1_000),
        turn(1, 10_400, Verdict.MET, resolution_ms=1_000),
        turn(2, 29_500, Verdict.MET, resolution_ms=1_000),
    ]
    assert counted(*facts, rule=rule).figures(rule).detail.near_limit == 2


def test_a_boundary_that_is_below_keeps_the_limit_itself_out_of_the_service_level() -> None:
    below = replace(RULE, boundary=Boundary.BELOW)
    exactly = session(first_response_ms=10_000)
    assert service_level(counted(exactly).slots, ServiceLevelFormula.WITHIN_OF_OFFERED) == Ratio(1, 1)
    assert service_level(counted(exactly, rule=below).slots, ServiceLevelFormula.WITHIN_OF_OFFERED) == Ratio(0, 1)


def test_what_kept_a_session_out_of_the_rate_is_listed_by_reason() -> None:
    reasons = [Why.ARRIVED_OUT_OF_HOURS, Why.ARRIVED_OUT_OF_HOURS, Why.OUTBOUND, Why.NOBODY_ONLINE]
    facts = [session(f"c{n}", outcome=Outcome.EXCLUDED, why=why) for n, why in enumerate(reasons)]
    assert counted(*facts).figures(RULE).detail.not_judged == {
        "arrived_out_of_hours": 2,
        "outbound": 1,
        "nobody_online": 1,
    }


def test_flags_of_a_session_are_counted_whatever_its_verdict() -> None:
    detail = (
        counted(
            session("c1", nobody_online=True, outcome=Outcome.UNANSWERED, why=Why.NOT_SERVED),
            session("c2", answered_out_of_hours=True),
        )
        .figures(RULE)
        .detail
    )
    assert (detail.nobody_online, detail.not_served, detail.answered_out_of_hours) == (1, 1, 1)


def test_the_wait_is_split_into_queue_accept_and_reply_each_over_those_that_told_it() -> None:
    told = session(
        "c1",
        queue_wait_ms=4_000,
        answer_wait_ms=6_000,
        accept_wait_ms=2_000,
        seat_response_ms=5_000,
        queued_at=START + 7_000,
    )
    silent = session("c2")
    detail = counted(told, silent).figures(RULE).detail
    assert (detail.queue_wait, detail.accept_wait, detail.reply_wait) == (
        Mean(4_000, 1),
        Mean(2_000, 1),
        Mean(3_000, 1),
    )
    assert detail.bot_time == Mean(7_000, 1)


def test_legs_tell_transfers_unanswered_legs_handle_time_and_resolution() -> None:
    legs = [
        leg("c1", leg=0, end=LegEnd.HANDED_OVER, replied_at=None, closes=False),
        leg("c1", leg=1, end=LegEnd.CLOSED),
        leg("c2", voice=True, accepted_at=START + 2_000, replied_at=START + 2_000, ended_at=START + 32_000),
        leg("c3", replied_at=None, was_owed=False, end=LegEnd.LEFT),
    ]
    detail = counted(*legs).figures(RULE).detail
    assert detail.transfers == Ratio(1, 4)
    assert detail.unanswered_legs == Ratio(1, 4)
    assert detail.voice_handle_time == Mean(30_000, 1)
    assert detail.chat_handle_time == Mean(60_000, 1)
    assert detail.resolution == Mean(61_000 + 32_000, 2)


def test_of_legs_in_which_no_reply_was_owed_nobody_can_say_how_many_were_unanswered() -> None:
    untold = leg("c1", replied_at=None, was_owed=False, end=LegEnd.LEFT)
    replied = leg("c2", was_owed=False)
    assert counted(untold, replied).figures(RULE).detail.unanswered_legs == Ratio(0, 0)
    assert counted(untold, replied, leg("c3")).figures(RULE).detail.unanswered_legs == Ratio(0, 3)


def test_a_phone_that_was_not_picked_up_is_an_unanswered_ring_and_no_transfer() -> None:
    talked = {"voice": True, "accepted_at": START + 2_000, "replied_at": START + 2_000, "ended_at": START + 32_000}
    ring = {"voice": True, "accepted_at": None, "replied_at": None, "closes": False}
    legs = [
        leg("c1", leg=0, end=LegEnd.REQUEUED, **ring),
        leg("c1", leg=1, end=LegEnd.HANDED_OVER, **ring),
        leg("c1", leg=2, end=LegEnd.HANDED_OVER, **(talked | {"closes": False})),
        leg("c1", leg=3, end=LegEnd.CLOSED, **talked),
    ]
    detail = counted(*legs).figures(RULE).detail
    assert (detail.transfers, detail.unanswered_rings, detail.unanswered_legs) == (Ratio(1, 2), 2, Ratio(2, 4))


def test_a_void_leg_counts_nowhere() -> None:
    assert not any(counted(leg(void=True)).slots)


def test_no_figure_of_nothing_is_zero_per_cent() -> None:
    shown = figures_of(Tally().slots, BY_PERSON)
    assert (shown.attainment.whole, shown.detail.transfers.whole, shown.detail.resolution.count) == (0, 0, 0)


@pytest.mark.parametrize(("unit", "attained"), [(Unit.SESSION, (1, 1)), (Unit.TURN, (2, 3)), (Unit.PERSON_DAY, (0, 1))])
def test_one_conversation_from_its_entries_to_the_tile_under_each_unit(unit: Unit, attained: tuple[int, int]) -> None:
    talk = [
        *(customer("09:00"), agent("09:00:05")),
        *(customer("09:01"), agent("09:01:30")),
        *(customer("09:02"), transferred("09:02:05", account="bo"), agent("09:02:08", "bo"), closed("09:03")),
    ]
    folding = Folding()
    folding.fold_all(entries([*rules(changed(name="by-unit", unit=unit)), *talk, clock("09:10")]))
    shown = folding.part().client.day
    assert shown.attainment == Ratio(*attained)
    assert shown.average_response == Mean(5_000 + 30_000 + 8_000, 3)
    assert (shown.detail.transfers, shown.detail.unanswered_legs) == (Ratio(1, 2), Ratio(0, 2))
    assert shown.detail.resolution == Mean(180_000, 1)
