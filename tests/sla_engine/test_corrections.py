"""What comes in late is folded at its place in time; what that changes is said again, and nothing else is."""

from sla_engine._core.engine import anomalies, live, new_shard, step
from sla_engine._core.history import LOG_BYTES
from sla_engine._core.limits import EVENTS_IN_LOG
from tests.builders import (
    HOUR_MS,
    agent,
    assigned,
    clock,
    closed,
    customer,
    entries,
    last_word,
    ms,
    offered,
    rules,
    transcript,
)
from wire.verdict import LoadChange, ResponseFact, SessionFact


def test_an_event_that_changes_nothing_is_said_nowhere() -> None:
    on_time = transcript(customer("09:00:00"), agent("09:00:05"), closed("09:05"))
    late = transcript(customer("09:00:00"), agent("09:00:05"), customer("09:00:02", arrives="09:01"), closed("09:05"))
    assert len(late.facts) == len(on_time.facts)
    assert anomalies(late.shard) == {"late": 1}


def test_a_reply_that_comes_in_late_splits_a_turn() -> None:
    play = transcript(
        customer("09:00:00"),
        customer("09:01:00"),
        agent("09:01:20"),
        agent("09:00:30", account="ben", arrives="09:02"),
        closed("09:05"),
    )
    assert play.turns() == [30_000, 20_000]
    turns = [(f.turn, f.revision, f.duration_ms) for f in play.facts if isinstance(f, ResponseFact)]
    assert turns == [(0, 0, 80_000), (0, 1, 30_000), (1, 0, 20_000)]
    assert [(fact.revision, fact.first_response_ms) for fact in play.said()] == [(0, 80_000), (1, 30_000)]


def test_a_message_that_joins_two_sessions_makes_the_second_one_void() -> None:
    #  closed 09:00:30 ──── 11 min ──── customer 09:11:30 = a new session, until a message of 09:06 comes in between
    play = transcript(
        customer("09:00:00"),
        agent("09:00:05"),
        closed("09:00:30"),
        customer("09:11:30"),
        agent("09:11:35"),
        customer("09:06:00", arrives="09:12"),
        closed("09:13", arrives="09:13"),
    )
    assert [fact.first_response_ms for fact in play.sessions()] == [5_000]
    assert play.turns() == [5_000, 335_000]
    voided = [fact for fact in last_word(play.facts).values() if fact.void]
    assert [(type(fact), fact.revision) for fact in voided] == [(SessionFact, 1), (ResponseFact, 1)]


def test_a_load_change_that_did_not_happen_is_taken_back() -> None:
    play = transcript(
        offered("09:00:00"),
        assigned("09:00:01", "anna"),
        closed("09:05"),
        assigned("09:00:30", "ben", arrives="09:06"),
    )
    assert play.load() == [
        ("09:00:01.000", "anna", 1),
        ("09:00:30.000", "anna", -1),
        ("09:00:30.000", "ben", 1),
        ("09:05:00.000", "ben", -1),
    ]
    ordinals = [fact.ordinal for fact in play.facts if isinstance(fact, LoadChange)]
    assert ordinals == list(range(len(ordinals)))


def test_the_older_half_of_a_very_long_conversation_is_closed_to_correction() -> None:
    more = [customer(ms("09:01") + number * 1_000) for number in range(EVENTS_IN_LOG)]
    events = [customer("09:00:00"), agent("09:00:05"), *more]
    first = transcript(*events, settled=False)
    held = first.shard.conversations["c1"]
    assert 0 < len(held.log) <= LOG_BYTES
    old = transcript(*events, customer("09:00:01", arrives="20:00"), settled=False)
    assert anomalies(old.shard) == {"too_late": 1}
    assert old.facts == first.facts
    new = transcript(*events, agent("09:09:00.500", arrives="20:00"), settled=False)
    assert anomalies(new.shard) == {"late": 1}
    assert new.turns() == [5_000, 480_500]


def test_a_conversation_is_let_go_a_day_after_its_end_and_what_comes_then_is_too_late() -> None:
    events = [customer("09:00:00"), agent("09:00:05"), closed("09:01")]
    within = transcript(*events, clock("+1 08:59"), customer("08:59:58", arrives="+1 08:59:30"), settled=False)
    assert within.session().first_response_ms == 7_000
    after = transcript(*events, clock("+1 10:01"), customer("08:59:58", arrives="+1 10:02"), settled=False)
    assert live(after.shard, "c1") is None
    assert after.session().first_response_ms == 5_000
    assert anomalies(after.shard) == {"too_late": 1}


def test_a_conversation_that_comes_back_after_it_was_let_go_never_reuses_a_session_number() -> None:
    events = [customer("09:00:00"), agent("09:00:05"), closed("09:01"), clock("+2 08:59")]
    play = transcript(*events, customer("+2 09:00:00"), agent("+2 09:00:20"))
    numbers = [fact.session for fact in play.sessions()]
    assert len(set(numbers)) == 2
    assert [fact.first_response_ms for fact in play.sessions()] == [5_000, 20_000]


def test_a_conversation_nobody_ever_closed_is_let_go_and_counted() -> None:
    play = transcript(customer("09:00:00"), clock("+2 09:00"), settled=False)
    assert live(play.shard, "c1") is None
    assert anomalies(play.shard) == {"forgotten_open": 1}
    assert play.session().why == "not_answered_when_due"


def test_entries_that_come_again_are_skipped() -> None:
    recorded = entries([*rules(), customer("09:00:00"), agent("09:00:05")])
    shard = new_shard()
    first = step(shard, recorded, 0)
    assert len(first.facts) == 3
    assert step(shard, recorded, 0).facts == []
    assert step(shard, entries([closed("10:00")], first=len(recorded)), HOUR_MS).touched == ["c1"]
