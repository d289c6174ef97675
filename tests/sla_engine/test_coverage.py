"""How much of the service window every live feed was provably there, and how far a rate may be off."""

import pytest
from msgspec.structs import replace

from sla_engine._core.coverage import Coverages, CoverageState, bounded, union
from wire.board import Coverage, Ratio, Unbounded
from wire.record import Feed, GapReason, Gone, SourceBack, SourceDeclared, SourceSilent

SOURCES = {"chat", "pbx"}


def open_ms(since: int, until: int) -> int:
    """Open from 1,000 to 9,000."""
    return max(0, min(until, 9_000) - max(since, 1_000))


def gone(at: int, count: int, source: str = "chat") -> Gone:
    return Gone(at, 1, "hub", None, True, "", source, bytes(16), 1, 9, "bulk", count, GapReason.OVERFLOW)


def went(at: int, heard_at: int, source: str = "chat") -> SourceSilent:
    return SourceSilent(at, 1, "hub", None, True, "", source, heard_at)


def came(at: int, source: str = "chat") -> SourceBack:
    return SourceBack(at, 1, "hub", None, True, "", source)


def declared(at: int, feed: Feed = Feed.LIVE) -> SourceDeclared:
    return SourceDeclared(at, 1, "hub", None, True, "", "chat", feed, "conversations")


def test_a_feed_that_never_failed_covers_all_of_the_window() -> None:
    feeds = Coverages(CoverageState())
    feeds.declare(declared(500))
    feeds.hear("chat", 2_000, proves=True)
    assert feeds.covered(SOURCES, 0, 10_000, open_ms) == Ratio(8_000, 8_000)


def test_before_the_first_sign_of_any_feed_nothing_is_covered() -> None:
    feeds = Coverages(CoverageState())
    assert feeds.covered(SOURCES, 0, 10_000, open_ms) == Ratio(0, 8_000)
    feeds.hear("chat", 4_000, proves=True)
    feeds.hear("pbx", 6_000, proves=True)
    assert feeds.covered(SOURCES, 0, 10_000, open_ms) == Ratio(5_000, 8_000)


def test_what_a_feed_tells_of_the_time_before_it_was_heard_proves_nothing_where_it_cannot_number() -> None:
    feeds = Coverages(CoverageState())
    feeds.declare(declared(6_000))
    feeds.hear("chat", 1_500, proves=False)
    assert feeds.covered(SOURCES, 0, 9_000, open_ms) == Ratio(3_000, 8_000)
    assert feeds.missing_sessions({"pbx"}, SOURCES, sessions=1, since=0) is Unbounded.NOT_NUMBERED
    assert feeds.missing_sessions({"pbx"}, {"pbx"}, sessions=1, since=0) == 0
    assert feeds.missing_sessions({"pbx"}, SOURCES, sessions=1, since=6_000) == 0


def test_a_table_of_last_month_makes_no_live_feed_of_then() -> None:
    feeds = Coverages(CoverageState())
    feeds.declare(declared(500, Feed.DAILY))
    feeds.declare(declared(6_000))
    assert feeds.covered(SOURCES, 0, 9_000, open_ms) == Ratio(3_000, 8_000)


def test_silence_counts_from_the_last_sign_of_life_until_the_next() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    feeds.silence(went(5_000, heard_at=3_000))
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(2_000, 7_000)
    feeds.back(came(6_000))
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(4_000, 7_000)


def test_two_feeds_silent_at_once_are_uncovered_once() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    for source, heard_at, until in (("chat", 2_000, 5_000), ("pbx", 4_000, 6_000)):
        feeds.silence(went(until, heard_at, source))
        feeds.back(came(until, source))
    assert feeds.covered(SOURCES, 0, 9_000, open_ms) == Ratio(4_000, 8_000)
    assert feeds.covered({"pbx"}, 0, 9_000, open_ms) == Ratio(6_000, 8_000)


def test_a_declared_loss_lasts_from_the_event_before_it_to_the_one_after() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    feeds.hear("chat", 3_000, proves=True)
    feeds.lose(gone(7_000, count=4))
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(2_000, 7_000)
    feeds.hear("chat", 2_500, proves=True)
    feeds.hear("chat", 4_000, proves=True)
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(6_000, 7_000)


def test_a_loss_told_in_thousands_of_pieces_is_one_outage_of_all_their_events() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    feeds.hear("chat", 3_000, proves=True)
    for _ in range(5_000):
        feeds.lose(gone(7_000, count=2))
    feeds.lose(gone(7_000, count=0))
    assert [outage.lost for outage in feeds.state.outages] == [10_000, 0], "one that says no number stays apart"
    kept = Coverages(feeds.state)
    kept.hear("chat", 4_000, proves=True)
    assert {outage.until for outage in kept.state.outages} == {4_000}
    assert kept.lossy == {"chat"}


def test_a_loss_whose_time_the_source_knows_is_that_time() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    feeds.hear("chat", 2_000, proves=True)
    feeds.lose(replace(gone(8_000, count=0), since=3_000, until=4_000))
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(6_000, 7_000)
    assert feeds.missing_sessions(SOURCES, SOURCES, sessions=3, since=0) is Unbounded.NOT_COUNTED


def test_a_loss_that_began_when_the_source_says_lasts_until_its_next_event() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    feeds.hear("chat", 2_000, proves=True)
    feeds.lose(replace(gone(8_000, count=4), since=3_000))
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(2_000, 7_000)
    feeds.hear("chat", 5_000, proves=True)
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(5_000, 7_000)


@pytest.mark.parametrize(("heard", "covered_ms"), [([2_000], 5_000), ([], 7_000)])
def test_a_loss_that_ended_when_the_source_says_is_over_whatever_it_tells_next(
    heard: list[int], covered_ms: int
) -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    for at in heard:
        feeds.hear("chat", at, proves=True)
    feeds.lose(replace(gone(6_000, count=4), until=4_000))
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(covered_ms, 7_000)
    feeds.hear("chat", 7_000, proves=True)
    assert feeds.covered(SOURCES, 0, 8_000, open_ms) == Ratio(covered_ms, 7_000)
    assert feeds.missing_sessions(SOURCES, SOURCES, sessions=1, since=0) == -(-4 // feeds.state.events)


def test_what_ended_before_the_day_is_forgotten_and_what_lasts_is_not() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    feeds.silence(went(2_000, 1_000))
    feeds.back(came(3_000))
    feeds.silence(went(4_000, 3_500, "pbx"))
    feeds.begin(5_000)
    assert [outage.source for outage in feeds.state.outages] == ["pbx"]
    assert feeds.covered(SOURCES, 5_000, 8_000, open_ms) == Ratio(0, 3_000)


def test_lost_events_stand_for_sessions_by_the_events_a_session_usually_has() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    for at in range(1_000, 1_012):
        feeds.hear("chat", at, proves=True)
    feeds.lose(gone(5_000, count=9))
    assert feeds.missing_sessions(SOURCES, SOURCES, sessions=3, since=0) == 3
    assert feeds.missing_sessions(SOURCES, SOURCES, sessions=0, since=0) is Unbounded.NOTHING_TOLD
    assert feeds.missing_sessions(set(), SOURCES, sessions=3, since=0) is Unbounded.NOT_NUMBERED
    assert feeds.missing_sessions(SOURCES, {"pbx"}, sessions=3, since=0) == 0


def test_nobody_can_say_what_a_feed_that_is_silent_now_would_have_told() -> None:
    feeds = Coverages(CoverageState(first_heard=0))
    feeds.silence(went(2_000, 1_000))
    assert feeds.missing_sessions(SOURCES, SOURCES, sessions=3, since=0) is Unbounded.STILL_SILENT
    feeds.back(came(3_000))
    assert feeds.missing_sessions(SOURCES, SOURCES, sessions=3, since=0) == 0


def test_a_rate_is_bounded_by_all_missing_missed_and_all_missing_met() -> None:
    assert bounded(Ratio(1, 2), Ratio(8, 10), 2) == Coverage(Ratio(1, 2), 2, Ratio(8, 12), Ratio(10, 12))
    assert bounded(Ratio(1, 2), Ratio(8, 10), Unbounded.NOT_COUNTED) == Coverage(
        Ratio(1, 2), None, None, None, Unbounded.NOT_COUNTED
    )


@pytest.mark.parametrize(
    ("spans", "apart"),
    [
        ([], []),
        ([(5, 5), (7, 6)], []),
        ([(4, 9), (1, 5), (12, 13)], [(1, 9), (12, 13)]),
        ([(1, 9), (2, 3)], [(1, 9)]),
    ],
)
def test_spans_that_overlap_are_one(spans: list[tuple[int, int]], apart: list[tuple[int, int]]) -> None:
    assert union(spans) == apart
