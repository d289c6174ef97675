"""The engine against a plain reading of the whole ledger, for transcripts in any order of arrival."""

import pytest
from hypothesis import example, given, settings
from msgspec.structs import replace

from sla_engine._core.choices import (
    ClockStart,
    NeverAnswered,
    OnTransfer,
    OutOfHours,
    RepeatedTurns,
    TurnEnds,
    WindowCloses,
)
from sla_engine._core.engine import new_shard, step
from sla_engine.definition_files import load_preset, preset_names
from tests.builders import (
    HOUR_MS,
    PRESET,
    Event,
    agent,
    assigned,
    changed,
    clock,
    closed,
    customer,
    declared,
    entries,
    left,
    ms,
    offered,
    queued,
    rules,
    silent,
    transferred,
)
from tests.oracle.campaign import RANDOM, trials
from tests.oracle.comparing import differences, differences_in, last_facts, recorded
from tests.oracle.load import load
from tests.oracle.rules import GRACE_MS
from tests.sla_engine.strategies import NINE, drawn, transcripts
from wire.conversation import Author, Form, LeftReason
from wire.ids import UNASSIGNED
from wire.record import Feed
from wire.verdict import LoadChange, ResponseFact, SessionFact, Why

LENIENT = changed(
    name="lenient",
    valid_reply=(Author.HUMAN, Author.ASSIST),
    first_response_limit_ms=4_000,
    warning_after_ms=2_000,
    short_abandon_ms=0,
    gap_to_new_session_ms=0,
)
PATIENT = changed(name="patient", gap_to_new_session_ms=20_000, first_response_limit_ms=30_000)
RULES = (PRESET, LENIENT, PATIENT)


def ledger(events: list[Event]) -> list[Event]:
    """Rules and sources before, a clock entry every three seconds, and at the end nothing left open."""
    last = max(event.received_at for event in events)
    ticking = [clock(at) for at in range(NINE, last, 3_000)][:60]
    settled = [silent(last + 1, "pbx"), clock(last + HOUR_MS)]
    return [*rules(*RULES), declared(0, "pbx", Feed.DELAYED), *events, *ticking, *settled]


@settings(max_examples=100)
@given(transcripts)
@example(
    [
        customer(NINE + 30_000, arrives=NINE + 30_000),
        agent(NINE + 41_000),
        customer(NINE + 29_000, arrives=NINE + 99_000),
    ]
)
@example(
    [
        offered(NINE + 30_000),
        left(NINE + 31_000),
        offered(NINE + 40_000),
        assigned(NINE + 41_000),
        closed(NINE + 50_000),
    ]
)
def test_the_last_word_of_the_engine_is_what_a_reader_of_the_whole_transcript_finds(events: list[Event]) -> None:
    assert differences_in(entries(ledger(events)), RULES) == []


@pytest.mark.parametrize("block", range(4))
def test_hundreds_of_wild_transcripts_read_the_same_to_both(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        assert differences_in(entries(ledger(drawn(seed, 50))), RULES) == [], seed


@pytest.mark.parametrize("first_seed", range(1, 201, 50))
def test_hundreds_of_floors_read_the_same_to_both_under_every_preset(first_seed: int) -> None:
    for trial in trials(first_seed, 50):
        assert differences(trial.events, trial.definitions) == [], trial.seed


@pytest.mark.parametrize("first_seed", range(1, 201, 50))
def test_hundreds_of_floors_read_the_same_to_both_under_random_definitions(first_seed: int) -> None:
    for trial in trials(first_seed, 50, RANDOM):
        assert differences(trial.events, trial.definitions) == [], trial.seed


CUT = changed(clock_start=ClockStart.ASSIGNED, window_closes=WindowCloses.IS_CUT)
STORIES = {
    "a second message after closing time, of a session nobody told the assignment of": (
        CUT,
        [customer("23:59:53"), customer("+1 00:00:08"), agent("+1 00:00:20")],
    ),
    "the same, on a source that tells no queue, under the clock of the queue": (
        changed(CUT, clock_start=ClockStart.QUEUED),
        [customer("23:59:53"), customer("+1 00:00:08"), agent("+1 00:00:20")],
    ),
    "an end and a return to another queue after closing time, before anybody wrote": (
        CUT,
        [
            customer("23:59:53"),
            closed("+1 00:00:01"),
            customer("+1 00:00:03"),
            queued("+1 00:00:05", queue="aftersale"),
            agent("+1 00:00:09"),
        ],
    ),
    "the only reply comes after closing time": (CUT, [customer("23:59:53"), agent("+1 00:00:20")]),
    "an end before the clock started, a return, and another end before the opening": (
        changed(clock_start=ClockStart.ASSIGNED, out_of_hours=OutOfHours.STARTS_AT_OPENING, turn_ends=TurnEnds.NEVER),
        [
            customer("07:00:00"),
            closed("07:00:40"),
            customer("07:00:41"),
            assigned("07:00:43", "carl"),
            closed("07:01:00"),
        ],
    ),
    "somebody takes it in the millisecond in which the window closes, and what nobody answers is dropped": (
        changed(window_closes=WindowCloses.IS_CUT, never_answered=NeverAnswered.DROPPED),
        [customer("23:59:55"), assigned("+1 00:00:00", "ben")],
    ),
    "a hand-over before the opening starts the clock and is no restart": (
        changed(
            clock_start=ClockStart.ASSIGNED,
            on_transfer=OnTransfer.CLOCK_RESTARTS,
            out_of_hours=OutOfHours.STARTS_AT_OPENING,
        ),
        [customer("07:00:00", resolution=1_000), transferred("07:00:20", account="anna"), agent("07:00:36", "ben")],
    ),
    "a person wrote in a contact that ended before the session started": (
        changed(clock_start=ClockStart.ASSIGNED, inbound_forms=(Form.TEXT,)),
        [
            customer("09:00:00", form=Form.CARD),
            agent("09:00:05", "carl"),
            left("09:00:06", reason=LeftReason.NOBODY_ONLINE),
            offered("09:05:00"),
            queued("09:05:05"),
            assigned("09:05:06", "ben"),
        ],
    ),
    "the clock starts anew after an end, and nobody takes it": (
        changed(repeated_turns=RepeatedTurns.LAST),
        [
            queued("09:00:00"),
            assigned("09:00:00", "ben"),
            closed("09:00:05"),
            customer("09:05:00"),
            customer("09:05:01"),
        ],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_stories_that_were_once_read_in_two_ways_read_the_same_to_both(story: str) -> None:
    definition, events = STORIES[story]
    assert differences([*events, clock("+1 12:00:00")], [definition]) == []


def said(story: str) -> tuple[SessionFact, list[tuple[int, int | None, str]]]:
    """The session of a story, and start, duration and queue of its turns."""
    definition, events = STORIES[story]
    last = last_facts(step(new_shard(), recorded([*events, clock("+1 12:00:00")], [definition]), 0).facts)
    (session,) = (fact for fact in last if isinstance(fact, SessionFact))
    turns = [fact for fact in last if isinstance(fact, ResponseFact)]
    return session, [(turn.started_at, turn.duration_ms, turn.queue) for turn in turns]


def test_a_turn_that_waits_for_its_clock_is_one_turn_however_often_the_customer_writes() -> None:
    session, turns = said("a second message after closing time, of a session nobody told the assignment of")
    assert (session.why, session.clock_started_at) == (Why.CUT_AT_CLOSE, ms("23:59:53"))
    assert turns == [(ms("23:59:53"), None, "presale")]


def test_a_clock_that_arrival_started_for_want_of_a_queue_is_cut_at_closing_time_before_anybody_writes_again() -> None:
    session, turns = said("the same, on a source that tells no queue, under the clock of the queue")
    assert (session.why, session.clock_started_at) == (Why.CUT_AT_CLOSE, ms("23:59:53"))
    assert turns == [(ms("23:59:53"), None, "presale"), (ms("+1 00:00:08"), 12_000, "presale")]


def test_a_turn_that_waits_for_the_opening_is_unanswered_at_the_end_after_its_clock_started_not_at_the_one_before() -> (
    None
):
    session, turns = said("an end before the clock started, a return, and another end before the opening")
    assert (session.why, session.place.account) == (Why.CLOSED_UNANSWERED, "carl")
    assert turns == [(ms("08:00:00"), None, "presale")]


def test_who_takes_it_as_the_window_closes_is_not_whose_it_was() -> None:
    session, _ = said(
        "somebody takes it in the millisecond in which the window closes, and what nobody answers is dropped"
    )
    assert (session.why, session.place.account) == (Why.NEVER_ANSWERED_DROPPED, UNASSIGNED)


def test_who_had_a_contact_that_ended_before_the_session_started_does_not_start_its_clock() -> None:
    session, _ = said("a person wrote in a contact that ended before the session started")
    assert (session.started_at, session.clock_started_at) == (ms("09:05:00"), ms("09:05:06"))
    assert (session.queue_wait_ms, session.place.account) == (1_000, "ben")
    assert not session.nobody_online


def test_a_clock_that_starts_anew_after_an_end_is_nobodys_until_somebody_takes_it() -> None:
    session, _ = said("the clock starts anew after an end, and nobody takes it")
    assert (session.why, session.due_at) == (Why.NOT_ANSWERED_WHEN_DUE, ms("09:05:11"))
    assert session.place.account == UNASSIGNED


@settings(max_examples=200)
@given(transcripts)
def test_the_load_of_people_adds_up_to_what_the_transcript_says(events: list[Event]) -> None:
    told = entries(ledger(events))
    net: dict[tuple[int, str], int] = {}
    ordinals: dict[str, int] = {}
    for fact in step(new_shard(), told, 0).facts:
        if isinstance(fact, LoadChange):
            assert fact.ordinal == ordinals.get(fact.conversation, 0)
            ordinals[fact.conversation] = fact.ordinal + 1
            net[fact.at, fact.account] = net.get((fact.at, fact.account), 0) + fact.change
    assert {key: change for key, change in net.items() if change} == load(told)


def test_each_preset_can_be_compared_by_itself() -> None:
    asked = [next(trials(1, 1, name)).definitions for name in preset_names()]
    assert asked == [[replace(load_preset(name), effective_from=0, grace_ms=GRACE_MS)] for name in preset_names()]
