from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from collector.importers._core.order import Numbered
from collector.importers._core.plan import Outcome
from collector.importers.mapping import Mapping
from collector.importers.reading import MappedReading
from tests.collector.importers.files import CALLS, HEADER, a_day, call, mapping_of, reading_of
from wire.body import Body
from wire.codec import decode_body
from wire.conversation import AgentTurn, Assigned, Closed, CustomerLeft, LeftReason, Offered, Queued
from wire.kinds import Kind

BERLIN = 'zone = "Asia/Shanghai" => zone = "Europe/Berlin"'


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def told(reading: MappedReading) -> list[Body]:
    bodies = [
        decode_body(each.kind, each.kind_version, each.body)
        for each in reading.in_file_order()
        if each.kind != Kind.QUARANTINED
    ]
    return [body for body in bodies if body is not None]


def only_row(tmp_path: Path, row: str, mapping: Mapping | None = None) -> MappedReading:
    reading = reading_of(tmp_path / "calls.csv", HEADER + row, mapping)
    list(reading.in_file_order())
    assert reading.report.rows == 1
    return reading


def reason_of(reading: MappedReading) -> tuple[str, str]:
    (rejected,) = reading.report.rejected
    assert reading.report.outcomes[Outcome.REJECTED] == 1
    return rejected.reason, rejected.column


# ------------------------------------------------------------------------------------------------------ what rows tell


def test_an_answered_call_is_offered_assigned_answered_and_closed(tmp_path: Path) -> None:
    offered, assigned, answer, closed = told(reading_of(tmp_path / "calls.csv", HEADER + call()))
    assert isinstance(offered, Offered)
    assert isinstance(assigned, Assigned)
    assert isinstance(answer, AgentTurn)
    assert isinstance(closed, Closed)
    assert (offered.conversation, offered.queue, offered.occurred_at) == ("c-1", "presale", at("2026-11-02 10:00:00"))
    assert answer.occurred_at - offered.occurred_at == 7000
    assert assigned.account == answer.account == "a-1"
    assert closed.occurred_at == at("2026-11-02 10:03:00")


def test_every_event_carries_resolution_clock_and_shard_key(tmp_path: Path) -> None:
    for body in told(reading_of(tmp_path / "calls.csv", HEADER + call())):
        head = (body.resolution_ms, body.clock, body.monotonic_ms, body.synced, body.shard_key)
        assert head == (1000, "test-calls", None, False, "c-1")


def test_an_abandoned_call_is_offered_and_left_for_the_reason_its_rule_says(tmp_path: Path) -> None:
    mapping = mapping_of(a='is = "abandoned" => is = "abandoned"\nleft = "timed_out"')
    offered, left = told(reading_of(tmp_path / "calls.csv", HEADER + call(agent=""), mapping))
    assert isinstance(left, CustomerLeft)
    assert left.reason is LeftReason.TIMED_OUT
    assert left.occurred_at - offered.occurred_at == 7000


def test_a_row_that_never_queued_is_counted_and_tells_nothing(tmp_path: Path) -> None:
    reading = only_row(tmp_path, call(entered="", left="", wait=""))
    assert reading.report.outcomes[Outcome.NEVER_QUEUED] == 1
    assert told(reading) == []


def test_with_a_time_before_the_queue_the_call_is_offered_then_and_queued_later(tmp_path: Path) -> None:
    text = CALLS.replace('queue_entry = "entered"', 'offered = "entered"\nqueue_entry = "left"\n').replace(
        'queue_exit = "left"\nwait = "wait"', 'queue_exit = "ended"'
    )
    offered, queued, *_ = told(reading_of(tmp_path / "calls.csv", HEADER + call(), mapping_of(text)))
    assert isinstance(queued, Queued)
    assert queued.occurred_at - offered.occurred_at == 7000


def test_the_start_of_service_can_be_the_answer(tmp_path: Path) -> None:
    mapping = mapping_of(
        a='channel = "voice" => answer_at = "service_start"', b='service_end = "ended" => service_start = "ended"'
    )
    bodies = told(reading_of(tmp_path / "calls.csv", HEADER + call(), mapping))
    assert [type(body) for body in bodies] == [Offered, Assigned, AgentTurn, Closed]
    assert bodies[1].occurred_at == at("2026-11-02 10:00:07")
    assert bodies[2].occurred_at == at("2026-11-02 10:03:00")


@pytest.mark.parametrize(("ended", "is_taken"), [("2026-11-02 09:59:58", True), ("2026-11-02 09:59:57", False)])
def test_an_answer_by_the_start_of_service_cannot_come_before_the_entry(
    ended: str, is_taken: bool, tmp_path: Path
) -> None:
    """Two clocks that are a second apart each make no contradiction."""
    mapping = mapping_of(
        a='channel = "voice" => answer_at = "service_start"', b='service_end = "ended" => service_start = "ended"'
    )
    reading = only_row(tmp_path, call(ended=ended), mapping)
    rejected = [(row.reason, row.column) for row in reading.report.rejected]
    assert rejected == ([] if is_taken else [("leaves_before_it_enters", "ended")])


def test_a_wait_alone_says_when_the_caller_was_put_through(tmp_path: Path) -> None:
    offered, _, answer, _ = told(
        reading_of(tmp_path / "calls.csv", HEADER + call(), mapping_of(a='queue_exit = "left"\n => '))
    )
    assert answer.occurred_at - offered.occurred_at == 7000


def test_a_chat_that_states_how_long_it_waited_in_vain_ended_then_and_not_when_it_was_closed(tmp_path: Path) -> None:
    mapping = mapping_of(a='channel = "voice" => answer_at = "service_start"', b="queue_exit => service_start")
    offered, left = told(reading_of(tmp_path / "calls.csv", HEADER + call(agent=""), mapping))
    assert isinstance(left, CustomerLeft)
    assert left.occurred_at - offered.occurred_at == 7000


def test_without_an_end_the_call_is_closed_when_answered_and_that_is_noted(tmp_path: Path) -> None:
    reading = only_row(tmp_path, call(ended=""))
    *_, answer, closed = told(reading)
    assert closed.occurred_at == answer.occurred_at
    assert reading.report.noted == {"service_end_missing": [2]}


def test_an_end_before_the_answer_moves_to_it_and_is_noted(tmp_path: Path) -> None:
    reading = only_row(tmp_path, call(ended="2026-11-02 10:00:01"))
    *_, answer, closed = told(reading)
    assert closed.occurred_at == answer.occurred_at
    assert reading.report.noted == {"service_ends_before_answer": [2]}


def test_values_are_translated_and_absent_columns_say_nothing(tmp_path: Path) -> None:
    text = CALLS + '\n[values.agent]\nNOBODY = ""\n\n[[absent]]\ncolumns = ["ended"]\nwhen = { ended = "00:00:00" }\n'
    reading = reading_of(tmp_path / "calls.csv", HEADER + call(agent="NOBODY", ended="00:00:00"), mapping_of(text))
    assert [type(body) for body in told(reading)] == [Offered, CustomerLeft]


def test_notes_of_the_mapping_are_counted_by_row(tmp_path: Path) -> None:
    text = CALLS + '\n[[note]]\nname = "slow"\nwhen = { wait = { not = ["1", "2"] } }\n'
    reading = reading_of(
        tmp_path / "calls.csv", HEADER + call(1) + call(2, left="2026-11-02 10:00:02", wait="2"), mapping_of(text)
    )
    told(reading)
    assert reading.report.noted == {"slow": [2]}


# --------------------------------------------------------------------------------------------------------- rejection


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (call(result="test"), "test_call", ""),
        (call(entered="noon"), "not_a_time", "entered"),
        (call(left="2026-11-02 10:00:09"), "wait_contradicts_times", "wait"),
        (call(wait="8"), "wait_contradicts_times", "wait"),
        (call(wait="soon"), "not_a_duration", "wait"),
        (call(queue="售前"), "not_an_id", "queue"),
        (call(queue="~clock"), "not_an_id", "queue"),
        (call(queue=""), "nothing_there", "queue"),
        (call(agent="小美"), "not_an_id", "agent"),
        (call(agent="acme:13800138000"), "telephone_number", "agent"),
        (call(left="2026-11-02 09:59:00", wait=""), "leaves_before_it_enters", "left"),
        ("c-1,presale,a-1\n", "cells_missing", ""),
        (call().rstrip("\n") + ",more\n", "cells_missing", ""),
        (call(entered="1960-01-01 00:00:00"), "time_out_of_range", "entered"),
        (call(entered="10:00:00"), "nothing_there", "entered"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why_and_where(tmp_path: Path, row: str, reason: str, column: str) -> None:
    reading = only_row(tmp_path, row)
    assert reason_of(reading) == (reason, column)


def test_a_row_no_rule_fits_is_rejected(tmp_path: Path) -> None:
    mapping = mapping_of(a='when = { agent = "" } => when = { agent = "", result = "lost" }')
    assert reason_of(only_row(tmp_path, call(agent=""), mapping)) == ("no_rule_fits", "")


def test_what_is_kept_of_a_rejected_row_is_its_place_and_nothing_it_said(tmp_path: Path) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + call(queue="13800138000 张三"))
    (event,) = reading.in_file_order()
    assert event.kind == Kind.QUARANTINED
    assert b"138" not in event.body
    assert "张三".encode() not in event.body
    assert b"not_an_id" in event.body


def test_an_id_listed_twice_is_taken_once(tmp_path: Path) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + call(1) + call(2) + call(1))
    list(reading.in_file_order())
    assert reading.report.outcomes[Outcome.ANSWERED] == 2
    assert reason_of(reading) == ("id_repeated", "id")


def test_a_rejected_row_does_not_use_up_its_id(tmp_path: Path) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + call(1, entered="noon") + call(1))
    list(reading.in_file_order())
    assert reading.report.outcomes[Outcome.ANSWERED] == 1


def test_empty_rows_are_no_rows_and_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + "\n" + call(1) + ",,,,,,,\n" + call(2, entered="noon"))
    list(reading.in_file_order())
    assert reading.report.rows == 2
    assert [rejected.row for rejected in reading.report.rejected] == [5]


# ------------------------------------------------------------------------------------------------------ clock changes


def test_a_time_the_clocks_skipped_is_rejected(tmp_path: Path) -> None:
    row = call(entered="2026-03-29 02:30:00", left="2026-03-29 03:00:07", wait="")
    assert reason_of(only_row(tmp_path, row, mapping_of(a=BERLIN))) == ("time_skipped_by_clock_change", "entered")


def test_a_time_the_clocks_showed_twice_is_rejected_unless_the_mapping_decides(tmp_path: Path) -> None:
    row = call(entered="2026-10-25 02:30:00", left="2026-10-25 02:30:07", wait="", ended="2026-10-25 03:30:00")
    assert reason_of(only_row(tmp_path, row, mapping_of(a=BERLIN))) == ("time_twice_at_clock_change", "entered")


@pytest.mark.parametrize(("choice", "offset"), [("earlier", "+02:00"), ("later", "+01:00")])
def test_the_mapping_decides_which_of_two_instants_and_the_row_is_noted(
    tmp_path: Path, choice: str, offset: str
) -> None:
    row = call(entered="2026-10-25 02:30:00", left="2026-10-25 02:30:07", ended="2026-10-25 03:30:00")
    reading = only_row(
        tmp_path, row, mapping_of(a=BERLIN, b=f'resolution_s = 1 => resolution_s = 1\nambiguous = "{choice}"')
    )
    offered, _, answer, _ = told(reading)
    assert offered.occurred_at == round(datetime.fromisoformat(f"2026-10-25T02:30:00{offset}").timestamp() * 1000)
    assert answer.occurred_at - offered.occurred_at == 7000
    assert reading.report.noted == {"time_twice_at_clock_change": [2]}


def test_the_wait_decides_between_two_instants_without_being_asked(tmp_path: Path) -> None:
    #  01:59:50 ── 20 s ── 02:00:10 (the first of two)  ·  02:59:50 (the second of two) ── 20 s ── 03:00:10
    before = call(entered="2026-10-25 01:59:50", left="2026-10-25 02:00:10", wait="20", ended="2026-10-25 03:30:00")
    after = call(2, entered="2026-10-25 02:59:50", left="2026-10-25 03:00:10", wait="20", ended="2026-10-25 03:30:00")
    reading = reading_of(tmp_path / "calls.csv", HEADER + before + after, mapping_of(a=BERLIN))
    bodies = told(reading)
    assert reading.report.outcomes[Outcome.ANSWERED] == 2
    assert {bodies[2].occurred_at - bodies[0].occurred_at, bodies[6].occurred_at - bodies[4].occurred_at} == {20_000}


def test_times_without_a_date_go_past_midnight_with_their_call(tmp_path: Path) -> None:
    text = CALLS.replace("resolution_s = 1", 'resolution_s = 1\ndate = "day"\ndate_of = "entered"')
    header = "day," + HEADER
    row = "2026-11-02," + call(entered="23:59:50", left="0:00:10", wait="20", ended="0:05:00")
    offered, _, answer, closed = told(reading_of(tmp_path / "calls.csv", header + row, mapping_of(text)))
    assert offered.occurred_at == at("2026-11-02 23:59:50")
    assert answer.occurred_at == at("2026-11-03 00:00:10")
    assert closed.occurred_at == at("2026-11-03 00:05:00")


# --------------------------------------------------------------------------------------------------------- full size


def test_a_full_day_is_counted_row_by_row_and_comes_out_in_order_of_time(tmp_path: Path) -> None:
    content, counts = a_day(seed=7, rows=2500)
    reading = reading_of(tmp_path / "calls.csv", content)
    events = list(reading.in_time_order())
    assert reading.report.outcomes == counts
    assert reading.report.rows == 2500
    known = [event for event in events if event.kind != Kind.QUARANTINED]
    assert known == sorted(known, key=lambda event: (event.occurred_at, event.sequence))
    assert sorted(event.sequence for event in events) == list(range(1, reading.report.events + 1))
    assert len(events) == 4 * counts["answered"] + 2 * counts["abandoned"] + counts["rejected"]


def test_a_longer_file_keeps_every_number_of_the_shorter_one(tmp_path: Path) -> None:
    content, _ = a_day(seed=8, rows=300)
    lines = content.splitlines(keepends=True)
    whole = {event.sequence: event for event in reading_of(tmp_path / "calls.csv", content).in_time_order()}
    for rows in (1, 50, 299):
        part: list[Numbered] = list(reading_of(tmp_path / "calls.csv", "".join(lines[: rows + 1])).in_time_order())
        assert part
        assert all(whole[event.sequence] == event for event in part)


def test_the_heap_holds_back_no_more_than_it_may(tmp_path: Path) -> None:
    content, _ = a_day(seed=9, rows=500)
    settings = reading_of(tmp_path / "calls.csv", content)._settings
    narrow = msgspec.structs.replace(settings, events_sorted=20)
    events = list(reading_of(tmp_path / "calls.csv", content, settings=narrow).in_time_order())
    assert sorted(event.sequence for event in events) == list(range(1, len(events) + 1))
