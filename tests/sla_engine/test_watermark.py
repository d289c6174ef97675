"""Unanswered is judged when the record is complete past the due instant.

Never by a timer, never for a dead feed's sake.
"""

from sla_engine._core.engine import watermark
from sla_engine._core.watermark import FEEDS
from tests.builders import (
    Event,
    Play,
    agent,
    back,
    clock,
    closed,
    customer,
    declared,
    ms,
    offered,
    silent,
    transcript,
)
from wire.record import Feed, SourceDeclared

ALLOWANCE = 2_000


def play(*events: Event) -> Play:
    return transcript(*events, settled=False)


def test_a_live_feed_is_complete_up_to_the_clock_less_the_allowance() -> None:
    #  09:00:00 customer ── due 09:00:10 ── 09:00:12 clock: mark is 09:00:10, not past it ── 09:00:12.001: it is
    assert play(customer("09:00:00"), clock("09:00:12")).sessions() == []
    judged = play(customer("09:00:00"), clock("09:00:12.001"))
    assert judged.session().why == "not_answered_when_due"
    assert watermark(judged.shard) == ms("09:00:12.001") - ALLOWANCE


def test_the_mark_never_moves_back() -> None:
    assert watermark(play(clock("09:10"), clock("09:05")).shard) == ms("09:10") - ALLOWANCE


def test_a_silent_feed_holds_nothing_back_unless_it_is_the_only_one() -> None:
    other = declared(0, "other")
    assert play(other, customer("09:00:00"), silent("09:00:05"), clock("09:01")).session().verdict == "breached"
    alone = play(customer("09:00:00"), silent("09:00:05"), clock("09:01"))
    assert alone.sessions() == []


def test_a_feed_that_is_back_has_one_allowance_to_hand_in_what_it_kept() -> None:
    #  silent 09:00:05 … back 09:05:00 ── clock 09:05:01: still held ── reply of 09:00:08 comes in ── clock 09:05:02: on
    held = [customer("09:00:00"), silent("09:00:05"), back("09:05:00"), clock("09:05:01.999")]
    assert play(*held).sessions() == []
    kept = play(*held, agent("09:00:08", arrives="09:05:01.999"), clock("09:05:02"))
    assert [fact.why for fact in kept.said()] == ["answered_in_time"]
    assert play(*held, clock("09:05:02")).session().why == "not_answered_when_due"


def test_a_daily_feed_is_complete_up_to_what_it_told_and_holds_only_its_own_back() -> None:
    daily = declared(0, "calls", Feed.DAILY)
    told = [offered("09:00:00", "call", voice=True, arrives="+1 06:00", source="calls")]
    live = [customer("+1 09:00:00", "chat-1")]
    before = play(daily, *told, *live, clock("+1 09:01"))
    assert before.sessions("call") == []
    assert before.session("chat-1").why == "not_answered_when_due"
    assert watermark(before.shard, Feed.LIVE) == ms("+1 09:01") - ALLOWANCE
    assert watermark(before.shard) == ms("09:00:00")
    after = play(
        daily, *told, offered("09:00:10.001", "next", voice=True, arrives="+1 06:00", source="calls"), clock("+1 09:01")
    )
    assert after.session("call").why == "not_answered_when_due"


def test_a_conversation_that_a_slower_source_also_tells_waits_for_that_source() -> None:
    slow = declared(0, "pbx", Feed.DELAYED)
    events = [customer("09:00:00"), customer("09:00:01", source="pbx"), clock("09:05")]
    assert play(slow, *events).sessions() == []
    caught_up = play(slow, *events, customer("09:06:00", "c2", arrives="09:06", source="pbx"))
    assert caught_up.session().why == "not_answered_when_due"


def test_a_source_of_facilities_holds_no_verdict_back() -> None:
    probe = Event(
        SourceDeclared(0, 1, "hub", None, True, "", "site-1/gateway", Feed.DAILY, "facilities"), "~sources", 0
    )
    judged = play(probe, customer("09:00:00"), clock("09:01"))
    assert judged.session().verdict == "breached"
    assert watermark(judged.shard) == watermark(judged.shard, Feed.LIVE)


def test_before_any_clock_there_is_no_mark() -> None:
    empty = play()
    assert [watermark(empty.shard, feed) for feed in FEEDS] == [None, None, None]


def test_a_miss_by_the_clock_is_revised_when_the_reply_comes_in() -> None:
    late = play(customer("09:00:00"), clock("09:01"), agent("09:01:30"), closed("09:02"))
    assert [(fact.revision, fact.why) for fact in late.said()] == [(0, "not_answered_when_due"), (1, "answered_late")]
