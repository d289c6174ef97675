"""A queue that becomes known after the start: the session is judged from its start, whatever was told first."""

import pytest

from sla_engine._core.engine import anomalies, live
from sla_engine._core.limits import EVENTS_IN_LOG
from tests.builders import (
    Event,
    Play,
    agent,
    assigned,
    clock,
    closed,
    customer,
    entries,
    left,
    ms,
    offered,
    rules,
    transcript,
    transferred,
)
from tests.sla_engine.folding import Folding
from wire.verdict import LegFact


def unqueued(at: str, arrives: str | None = None) -> Event:
    """The customer writes, and the source does not know the queue yet."""
    return customer(at, queue="", arrives=arrives)


def judged(play: Play) -> list[tuple[str, int, int | None, str, str]]:
    return [(f.queue, f.revision, f.first_response_ms, f.verdict, f.why) for f in play.said()]


def test_a_queue_told_after_the_reply_lets_the_session_be_judged_from_its_start() -> None:
    play = transcript(unqueued("09:00:00"), agent("09:00:14.500"), offered("09:00:20", queue="sales"))
    assert judged(play) == [("sales", 0, 14_500, "breached", "answered_late")]
    assert play.turns() == [14_500]
    assert play.session().started_at == ms("09:00:00")
    assert anomalies(play.shard) == {}


def test_it_is_judged_as_if_the_queue_had_been_told_at_once() -> None:
    after = [agent("09:00:08"), offered("09:00:20"), customer("09:01:00"), agent("09:01:30"), closed("09:02")]
    late = transcript(unqueued("09:00:00"), *after)
    at_once = transcript(customer("09:00:00"), *after)
    assert [(fact.why, fact.first_response_ms, fact.place) for fact in late.sessions()] == [
        (fact.why, fact.first_response_ms, fact.place) for fact in at_once.sessions()
    ]
    assert late.turns() == at_once.turns()
    assert late.load() == at_once.load()


def test_a_due_instant_that_has_passed_is_said_with_the_queue() -> None:
    told = [unqueued("09:00:00"), clock("09:05"), offered("09:06", queue="sales"), clock("09:06:10")]
    play = transcript(*told, settled=False)
    assert judged(play) == [("sales", 0, None, "breached", "not_answered_when_due")]
    assert play.announcements == []


def test_what_is_still_owed_when_the_queue_is_told_is_warned_of() -> None:
    play = transcript(unqueued("09:00:00"), offered("09:00:03"), customer("09:00:07", "c2"), settled=False)
    assert [(said.conversation, said.due_at) for said in play.announcements] == [("c1", ms("09:00:10"))]


def test_a_session_that_ended_before_its_queue_was_told_is_judged_then() -> None:
    play = transcript(
        unqueued("09:00:00"), left("09:00:30"), offered("09:00:01", queue="sales", arrives="09:03"), settled=False
    )
    assert judged(play) == [("sales", 0, None, "breached", "left_unanswered")]
    assert anomalies(play.shard) == {"no_queue": 1, "late": 1}


def test_a_queue_named_only_on_return_is_that_of_the_sessions_before() -> None:
    events = [unqueued("09:00:00"), agent("09:00:12"), closed("09:01"), customer("10:00"), agent("10:00:02")]
    play = transcript(*events)
    assert [(f.queue, f.first_response_ms) for f in play.sessions()] == [("presale", 12_000), ("presale", 2_000)]


def test_visits_counted_apart_while_nothing_was_known_become_the_one_session_they_are() -> None:
    #  closed 09:01 ── 4 min ── customer 09:05: within the gap of the definition that turns out to apply
    play = transcript(
        unqueued("09:00:00"),
        assigned("09:00:01"),
        agent("09:00:05"),
        closed("09:01"),
        unqueued("09:05"),
        assigned("09:05:01"),
        closed("09:06"),
        offered("09:07", queue="sales"),
    )
    assert [fact.first_response_ms for fact in play.sessions()] == [5_000]
    last = {(f.session, f.leg): f for f in play.facts if isinstance(f, LegFact)}
    standing = [(fact.leg, fact.queue) for fact in last.values() if not fact.void]
    assert sorted(standing) == [(0, "sales"), (1, "sales")]


def test_a_conversation_that_never_names_a_queue_has_no_fact_and_is_counted_once() -> None:
    play = transcript(unqueued("09:00:00"), agent("09:00:14"), closed("09:01"), left("09:02"), clock("+2 09:00"))
    assert play.sessions() == []
    assert play.turns() == []
    assert anomalies(play.shard) == {"no_queue": 1, "illegal.closed.left": 1}


def test_one_that_never_ends_is_counted_when_it_is_let_go() -> None:
    play = transcript(unqueued("09:00:00"), clock("+2 09:00"), settled=False)
    assert live(play.shard, "c1") is None
    assert anomalies(play.shard) == {"forgotten_open": 1, "no_queue": 1}


def test_only_a_contract_that_covers_the_queue_judges_it() -> None:
    given = rules(queues=("presale",))
    events = [unqueued("09:00:00"), agent("09:00:05"), transferred("09:01", queue="elsewhere"), offered("09:02")]
    assert transcript(*events, given=given).sessions() == []


def test_a_queue_named_by_what_was_illegal_is_not_learned() -> None:
    play = transcript(offered("09:00:30", arrives="09:09"), transferred("09:00:00", queue="ghost"), closed("09:10"))
    assert play.session().queue == "presale"


@pytest.mark.parametrize("count", [EVENTS_IN_LOG // 2, EVENTS_IN_LOG + 5])
def test_a_queue_told_after_very_many_events_is_still_the_queue_from_the_start_if_they_are_held(count: int) -> None:
    more = [customer(ms("09:01") + number * 1_000, queue="") for number in range(count)]
    play = transcript(unqueued("09:00:00"), agent("09:00:05"), *more, offered("20:00"), agent("20:00:01"))
    if count < EVENTS_IN_LOG:
        assert judged(play) == [("presale", 0, 5_000, "met", "answered_in_time")]
        assert anomalies(play.shard) == {}
    else:
        assert play.sessions() == []
        assert anomalies(play.shard) == {"no_queue": 1}


def test_the_state_kept_of_a_very_long_conversation_is_that_of_its_queue() -> None:
    more = [customer(ms("09:01") + number * 1_000, queue="") for number in range(EVENTS_IN_LOG - 10)]
    later = [customer(ms("19:00") + number * 1_000) for number in range(EVENTS_IN_LOG)]
    play = transcript(unqueued("09:00:00"), *more, offered("18:00"), agent("18:00:01"), *later, closed("20:00"))
    assert [fact.why for fact in play.sessions()] == ["answered_late"]
    corrected = [*more, offered("18:00"), agent("18:00:01"), *later, agent("19:08:00.500", arrives="20:01")]
    assert [fact.why for fact in transcript(unqueued("09:00:00"), *corrected).sessions()] == ["answered_late"]


def test_who_waits_on_no_queue_yet_is_on_the_client_s_tile_and_on_no_queue_s() -> None:
    folding = Folding()
    folding.fold_all(entries([*rules(), unqueued("09:00:00"), customer("09:00:00", "c2"), clock("09:00:05")]))
    part = folding.part()
    assert part.client.live is not None
    assert part.client.live.waiting == 2
    assert [tile.id for tile in part.queues] == ["presale"]
