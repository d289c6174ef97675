"""Warning at six seconds, overdue at ten, once each, and never for what is history."""

from msgspec.structs import replace

from sla_engine._core.contract import QueueWarnings
from sla_engine._core.engine import Shard, new_shard, restore, snapshot, step
from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    changed,
    contract,
    customer,
    declared,
    entries,
    ms,
    published,
    rules,
    signed,
    works,
)
from wire.verdict import Announcement

START = ms("09:00:00")
SECOND = 1_000
OTHER = changed(name="other", first_response_limit_ms=8_000, warning_after_ms=7_000)


def shard_with(*events: Event, now: int = START) -> Shard:
    shard = new_shard()
    step(shard, entries([*works("anna", "wang", "red", "seat-1", "site-1"), *rules(), *events]), now)
    return shard


def said(shard: Shard, now: int) -> list[tuple[str, int]]:
    return [(notice.notice, (notice.at - START) // SECOND) for notice in step(shard, [], now).announcements]


def wake(shard: Shard, now: int) -> int | None:
    at = step(shard, [], now).next_wake_at
    return None if at is None else at - START


def test_a_warning_at_six_seconds_then_overdue_at_ten_once_each() -> None:
    shard = shard_with(customer("09:00:00"))
    assert said(shard, START + 5_999) == []
    assert wake(shard, START + 5_999) == 6_000
    assert said(shard, START + 6_000) == [("warning", 6)]
    assert said(shard, START + 6_001) == []
    assert wake(shard, START + 6_001) == 10_000
    assert said(shard, START + 10_000) == [("overdue", 10)]
    assert said(shard, START + 20_000) == []
    assert wake(shard, START + 20_000) is None


def test_an_announcement_says_whose_it_is() -> None:
    shard = shard_with(customer("09:00:00"), assigned("09:00:01"))
    (notice,) = step(shard, [], START + 6_000).announcements
    assert notice == Announcement(
        notice.notice, "c1", notice.session, 0, notice.definition, "presale", "red", START + 6_000, START + 10_000
    )


def test_a_reply_cancels_what_is_still_to_be_said() -> None:
    shard = shard_with(customer("09:00:00"), agent("09:00:05"))
    assert wake(shard, START) is None
    assert said(shard, START + 10_000) == []


def test_a_clock_that_jumps_says_overdue_without_a_warning_first() -> None:
    assert said(shard_with(customer("09:00:00")), START + 11_000) == [("overdue", 10)]


def test_a_clock_that_goes_back_repeats_nothing() -> None:
    shard = shard_with(customer("09:00:00"))
    assert said(shard, START + 6_500) == [("warning", 6)]
    assert said(shard, START) == []
    assert said(shard, START + 6_500) == []


def test_history_rings_nowhere() -> None:
    within = START + 10_000 + 60_000
    assert said(shard_with(customer("09:00:00")), within) == [("overdue", 10)]
    assert said(shard_with(customer("09:00:00")), within + 1) == []
    assert wake(shard_with(customer("09:00:00"), now=within + 1), within + 1) is None


def test_a_restart_neither_repeats_nor_loses_an_announcement() -> None:
    shard = shard_with(customer("09:00:00"))
    assert said(shard, START + 6_000) == [("warning", 6)]
    again = restore(snapshot(shard))
    assert wake(again, START + 6_000) == 10_000
    assert said(again, START + 6_000) == []
    assert said(again, START + 10_000) == [("overdue", 10)]
    assert said(restore(snapshot(again)), START + 10_000) == []


def heard_by_the_second(shard: Shard) -> list[tuple[int, str]]:
    return [(at, notice) for tick in range(11) for notice, at in said(shard, START + tick * SECOND)]


def test_only_the_primary_definition_is_announced() -> None:
    shard = new_shard()
    step(shard, entries([*rules(OTHER, PRESET), customer("09:00:00")]), START)
    assert heard_by_the_second(shard) == [(7, "warning"), (8, "overdue")]


def test_a_contract_states_several_instants_for_a_queue_and_others_for_every_queue() -> None:
    warnings = (QueueWarnings("*", (5_000,)), QueueWarnings("presale", (2_000, 4_000, 60_000)))
    agreed = replace(contract(PRESET.name), warnings=warnings)
    for queue, expected in (
        ("presale", [(2, "warning"), (4, "warning"), (10, "overdue")]),
        ("aftersale", [(5, "warning"), (10, "overdue")]),
    ):
        shard = new_shard()
        step(shard, entries([declared(0), published(), signed(agreed), customer("09:00:00", queue=queue)]), START)
        assert heard_by_the_second(shard) == expected


def test_a_clock_that_jumps_over_a_warning_says_the_latest_one_only() -> None:
    agreed = replace(contract(PRESET.name), warnings=(QueueWarnings("*", (2_000, 4_000)),))
    shard = new_shard()
    step(shard, entries([declared(0), published(), signed(agreed), customer("09:00:00")]), START)
    assert said(shard, START + 5_000) == [("warning", 4)]
    again = restore(snapshot(shard))
    assert wake(again, START + 5_000) == 10_000


def test_an_earlier_message_that_comes_in_late_moves_the_due_instant_forward() -> None:
    first = [*works("anna", "wang", "red", "seat-1", "site-1"), *rules(), customer("09:00:05")]
    shard = new_shard()
    step(shard, entries(first), START + 5_000)
    late = entries([customer("09:00:01", arrives="09:00:06")], first=len(first))
    assert step(shard, late, START + 6_000).next_wake_at == START + 7_000
    assert said(shard, START + 7_000) == [("warning", 7)]
    assert said(shard, START + 11_000) == [("overdue", 11)]
