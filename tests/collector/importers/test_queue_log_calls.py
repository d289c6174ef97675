"""Calls of a queue_log: every event of the log with the places of its parameters, transfers, restarts."""

from pathlib import Path

import msgspec
import pytest

from collector.importers._core.queue_log import FORMAT, SECOND_MS
from collector.importers.queue_log import QueueLogReading
from tests.collector.importers.files import SETTINGS
from tests.collector.importers.queue_logs import BEGAN, HEADER, in_words, line, reading_of, told, words_of
from wire.conversation import Channel, Direction, Offered, SourceNote
from wire.frame import GoneRange
from wire.record import GapReason

ENTERS = line(0, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "13800000000", "1")
CONNECTS = line(7, "c-1", "q-1", "a-1", "CONNECT", 7, "chan-2", 4)
BEGINNING = ["+0 offered c-1 q-1", "+0 queued c-1 q-1"]
ANSWER = ["+3 assigned c-1 a-1", "+7 accepted c-1 a-1", "+7 answered c-1 a-1"]


@pytest.mark.parametrize(("event", "by"), [("COMPLETEAGENT", "agent"), ("COMPLETECALLER", "customer")])
def test_an_answered_call_waits_rings_and_ends_by_whom_it_says(event: str, by: str, tmp_path: Path) -> None:
    completes = line(67, "c-1", "q-1", "a-1", event, 7, 60, 1)
    assert words_of(tmp_path, ENTERS, CONNECTS, completes) == [*BEGINNING, *ANSWER, f"+67 closed c-1 {by}"]


@pytest.mark.parametrize(
    ("agent", "event", "params", "reason"),
    [
        ("NONE", "ABANDON", (1, 1, 5), "hung_up"),
        ("a-1", "ABANDON", (1, 1, 5), "hung_up"),
        ("NONE", "EXITWITHTIMEOUT", (1, 1, 5), "timed_out"),
        ("NONE", "EXITEMPTY", (1, 1, 5), "nobody_online"),
        ("NONE", "EXITWITHKEY", ("#", 1, 1, 5), "pressed_key"),
        ("NONE", "WITHDRAW", (1, 1, 5, "moved to a call back"), "withdrawn"),
        ("NONE", "LEAVEEMPTY", (), "nobody_online"),
    ],
)
def test_a_call_that_leaves_says_why(
    agent: str, event: str, params: tuple[object, ...], reason: str, tmp_path: Path
) -> None:
    reading = reading_of(tmp_path, ENTERS + line(5, "c-1", "q-1", agent, event, *params))
    assert in_words(told(reading)) == [*BEGINNING, f"+5 left c-1 {reason}"]
    assert reading.report.notes == {}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("FULL", "turned_away"),
        ("DIVERT_CA_RATIO", "turned_away"),
        ("DIVERT_HOLDTIME", "turned_away"),
        ("CLOSED", "queue_closed"),
        ("JOINEMPTY", "nobody_online"),
    ],
)
def test_a_call_that_never_entered_was_offered_all_the_same(event: str, reason: str, tmp_path: Path) -> None:
    assert words_of(tmp_path, line(3, "c-1", "q-1", "NONE", event)) == [
        "+3 offered c-1 q-1",
        "+3 queued c-1 q-1",
        f"+3 left c-1 {reason}",
    ]


def test_incompatible_ends_close_a_call_nobody_answered(tmp_path: Path) -> None:
    assert words_of(tmp_path, ENTERS, line(4, "c-1", "q-1", "a-1", "SYSCOMPAT")) == [
        *BEGINNING,
        "+4 closed c-1 system",
    ]


def test_a_call_is_voice_inbound_and_as_coarse_as_its_file(tmp_path: Path) -> None:
    offered = told(reading_of(tmp_path, ENTERS))[0]
    assert isinstance(offered, Offered)
    assert (offered.channel, offered.direction) == (Channel.VOICE, Direction.INBOUND)
    assert (offered.resolution_ms, offered.clock, offered.synced) == (SECOND_MS, FORMAT, False)
    assert (offered.shard_key, offered.customer) == ("c-1", "")


def test_no_number_of_a_customer_is_kept(tmp_path: Path) -> None:
    number = "13800000000"
    rows = [
        line(0, "c-1", "q-1", "NONE", "DID", number),
        line(0, "c-1", "q-1", "NONE", "ENTERQUEUE", number, number, 1, number),
        line(7, "c-1", "q-1", "a-1", "CONNECT", 7, "chan-2", 4),
        line(9, "c-1", "q-1", "a-1", "BLINDTRANSFER", number, "from-queue", 7, 2, 1),
        line(9, "c-2", "q-1", "NONE", "ENTERQUEUE", "", number, 1),
        line(12, "c-2", "q-1", "NONE", "WITHDRAW", 1, 1, 3, number),
        line(12, "c-2", "q-1", "NONE", "CALLBACK_ASKED", number),
        line(13, "c-3", "q-1", "a-1", "OUTCALL", "ANSWER", 3, number),
        line(14, "NONE", "NONE", "a-1", "AGENTCALLBACKLOGIN", f"{number}@default"),
    ]
    reading = reading_of(tmp_path, "".join(rows))
    assert all(number.encode() not in event.body for event in reading.in_file_order())
    assert reading.report.outcomes["rejected"] == 0


def test_an_agent_who_is_reached_by_a_number_is_told_by_it_with_its_middle_taken_out(tmp_path: Path) -> None:
    """Nothing is lost of the call, as it would be if the door refused who answered it."""
    rows = [line(7, "c-1", "q-1", "Local/13800138000@from-queue/n", "CONNECT", 7, "chan-2", 4)]
    assert words_of(tmp_path, ENTERS, *rows)[-1] == "+7 answered c-1 Local/138xxxx8000@from-queue/n"


# -------------------------------------------------------------------------------------------------------- phones ring


def test_a_phone_that_rings_in_vain_is_a_leg_of_milliseconds(tmp_path: Path) -> None:
    rings = line(3, "c-1", "q-1", "a-9", "RINGNOANSWER", 2500)
    assert words_of(tmp_path, ENTERS, rings, CONNECTS) == [
        *BEGINNING,
        "+0.500 assigned c-1 a-9",
        "+3 queued c-1 q-1",
        *ANSWER,
    ]


def test_of_phones_that_ring_together_the_one_that_is_answered_counts(tmp_path: Path) -> None:
    rings = line(6, "c-1", "q-1", "a-9", "RINGNOANSWER", 6000)
    reading = reading_of(tmp_path, ENTERS + rings + CONNECTS)
    bodies = told(reading)
    assert in_words([body for body in bodies if not isinstance(body, SourceNote)]) == [*BEGINNING, *ANSWER]
    (note,) = [body for body in bodies if isinstance(body, SourceNote)]
    assert (note.event, note.account) == ("RINGNOANSWER", "a-9")
    assert reading.report.notes == {"rang_while_another_answered": 1}


def test_rings_of_a_call_that_gives_up_follow_each_other(tmp_path: Path) -> None:
    rows = [
        line(15, "c-1", "q-1", "a-8", "RINGNOANSWER", 15000),
        line(31, "c-1", "q-1", "a-9", "RINGNOANSWER", 15000),
        line(40, "c-1", "q-1", "NONE", "ABANDON", 1, 1, 40),
    ]
    assert words_of(tmp_path, ENTERS, *rows) == [
        *BEGINNING,
        "+0 assigned c-1 a-8",
        "+15 queued c-1 q-1",
        "+16 assigned c-1 a-9",
        "+31 queued c-1 q-1",
        "+40 left c-1 hung_up",
    ]


def test_an_agent_who_drops_the_caller_before_the_answer_had_it_in_hands(tmp_path: Path) -> None:
    rows = [line(5, "c-1", "q-1", "a-9", "AGENTDUMP"), line(9, "c-1", "q-1", "NONE", "ABANDON", 1, 1, 9)]
    assert words_of(tmp_path, ENTERS, *rows) == [
        *BEGINNING,
        "+5 assigned c-1 a-9",
        "+5 queued c-1 q-1",
        "+9 left c-1 hung_up",
    ]


def test_a_ring_that_was_cancelled_is_kept_as_a_note(tmp_path: Path) -> None:
    bodies = told(reading_of(tmp_path, ENTERS + line(5, "c-1", "q-1", "a-9", "RINGCANCELED", 3000) + CONNECTS))
    assert in_words([body for body in bodies if not isinstance(body, SourceNote)]) == [*BEGINNING, *ANSWER]
    assert [body.event for body in bodies if isinstance(body, SourceNote)] == ["RINGCANCELED"]


# --------------------------------------------------------------------------------------------------------- odd clocks


def test_the_length_the_exchange_measured_wins_over_a_time_that_contradicts_it(tmp_path: Path) -> None:
    rows = [line(-3600 + 7, "c-1", "q-1", "a-1", "CONNECT", 7, "chan-2", 4)]
    reading = reading_of(tmp_path, ENTERS + "".join(rows))
    assert in_words(told(reading)) == [*BEGINNING, *ANSWER]
    assert reading.report.notes == {"duration_contradicts_times": 1}


@pytest.mark.parametrize("wait", ["-5", "999999999999999999999", "soon"])
def test_a_duration_that_cannot_be_is_noted_and_the_row_is_taken_without_it(tmp_path: Path, wait: str) -> None:
    reading = reading_of(tmp_path, ENTERS + line(7, "c-1", "q-1", "a-1", "CONNECT", wait, "chan-2", 4))
    assert in_words(told(reading)) == [*BEGINNING, *ANSWER]
    assert reading.report.notes == {"duration_that_cannot_be": 1}


def test_a_telephone_number_within_the_name_of_an_event_is_masked(tmp_path: Path) -> None:
    rows = [
        line(0, "c-1", "q-1", "a-1", event) for event in ("FOO13800138000", "FOO-8613800138000", "FOO1234567890123")
    ]
    reading = reading_of(tmp_path, "".join(rows))
    events = [body.event for body in told(reading) if isinstance(body, SourceNote)]
    assert events == ["FOO138XXXX8000", "FOO-861XXXX8000", "FOO1234567890123"]
    assert "FOO138XXXX8000" in reading.report.outcomes


def test_a_second_lost_to_rounding_is_no_contradiction(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, ENTERS + line(8, "c-1", "q-1", "NONE", "ABANDON", 1, 1, 7))
    assert in_words(told(reading))[-1] == "+7 left c-1 hung_up"
    assert reading.report.notes == {}


def test_rows_keep_their_order_when_the_clock_steps_back_and_no_length_is_told(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, ENTERS + line(-30, "c-1", "q-1", "NONE", "ABANDON", 1, 1, -30))
    assert in_words(told(reading)) == [*BEGINNING, "+0 left c-1 hung_up"]
    assert reading.report.notes == {"clock_stepped_back_within_call": 1, "duration_that_cannot_be": 1}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (line(30, "c-1", "q-1", "a-1", "CONNECT", 7, "x", 4), ["+23 offered c-1 q-1", "+30 answered c-1 a-1"]),
        (line(30, "c-1", "q-1", "NONE", "ABANDON", 1, 1, 9), ["+21 offered c-1 q-1", "+30 left c-1 hung_up"]),
        (
            line(90, "c-1", "q-1", "a-1", "COMPLETECALLER", 7, 60, 1),
            ["+23 offered c-1 q-1", "+30 answered c-1 a-1", "+90 closed c-1 customer"],
        ),
    ],
)
def test_a_call_that_entered_before_the_file_is_reckoned_back(row: str, words: list[str], tmp_path: Path) -> None:
    reading = reading_of(tmp_path, row)
    found = in_words(told(reading))
    assert [word for word in found if word.split()[1] in {"offered", "answered", "left", "closed"}] == words
    assert reading.report.notes == {"entry_reckoned_from_the_wait": 1}


# ----------------------------------------------------------------------------------------------------------- restarts


def test_a_restart_ends_what_was_open_where_the_log_broke_off_and_declares_the_gap(tmp_path: Path) -> None:
    rows = [
        line(20, "c-2", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
        line(300, "NONE", "NONE", "NONE", "QUEUESTART"),
        line(310, "c-3", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    ]
    bodies = told(reading_of(tmp_path, ENTERS + CONNECTS + "".join(rows)))
    assert in_words([body for body in bodies if not isinstance(body, SourceNote)])[5:] == [
        "+20 closed c-1 system",
        "+20 offered c-2 q-1",
        "+20 queued c-2 q-1",
        "+20 closed c-2 system",
        "+310 offered c-3 q-1",
        "+310 queued c-3 q-1",
    ]
    (hole,) = [body for body in bodies if isinstance(body, GoneRange)]
    assert hole == GoneRange(
        10, 10, "nothing_told", 0, GapReason.SOURCE_RESTARTED, (BEGAN + 20) * 1000, (BEGAN + 300) * 1000
    )


def test_a_restart_as_the_first_row_leaves_nothing_open(tmp_path: Path) -> None:
    bodies = told(reading_of(tmp_path, line(0, "NONE", "NONE", "NONE", "QUEUESTART")))
    assert [type(body) for body in bodies] == [SourceNote]


def test_a_reload_ends_no_call(tmp_path: Path) -> None:
    rows = [line(20, "NONE", "NONE", "NONE", "CONFIGRELOAD"), line(67, "c-1", "q-1", "a-1", "COMPLETEAGENT", 7, 60, 1)]
    bodies = told(reading_of(tmp_path, ENTERS + CONNECTS + "".join(rows)))
    assert in_words(bodies)[5:] == ["+20 SourceNote", "+67 closed c-1 agent"]


# ------------------------------------------------------------------------------------------------- calls without an end

LATE = 12 * 3600 + 1
NEXT_DAY = line(LATE, "NONE", "q-1", "a-9", "PAUSE", "") + line(LATE, "c-9", "q-1", "NONE", "ENTERQUEUE", "", "", 1)
"""Two rows: one alone may have a wrong time."""


def test_a_call_whose_end_was_never_told_ends_where_it_was_last_heard_of(tmp_path: Path) -> None:
    waits = line(1, "c-2", "q-1", "NONE", "ENTERQUEUE", "", "", 2)
    later = line(LATE + 1, "c-9", "q-1", "NONE", "PAUSED") + line(LATE + 1, "c-9", "q-1", "NONE", "PAUSED")
    reading = reading_of(tmp_path, ENTERS + waits + CONNECTS + NEXT_DAY + later)
    words = [word for word in in_words(told(reading)) if "c-" in word]
    assert words[7:] == [
        "+7 closed c-1 system",
        f"+{LATE} offered c-9 q-1",
        f"+{LATE} queued c-9 q-1",
        "+1 closed c-2 system",
    ]
    assert reading.report.notes == {"end_never_told": 2, "unknown_event": 2}
    assert reading.report.noted["end_never_told"] == [5, 7]
    assert (reading.report.undecided, reading.report.unfinished) == (0, 1)


def test_one_row_with_a_wrong_time_gives_up_no_call(tmp_path: Path) -> None:
    wrong = line(10**9, "NONE", "q-1", "a-9", "PAUSE", "")
    ends = line(67, "c-1", "q-1", "a-1", "COMPLETEAGENT", 7, 60, 1)
    reading = reading_of(tmp_path, ENTERS + CONNECTS + wrong + ends)
    assert in_words(told(reading))[-1] == "+67 closed c-1 agent"
    assert reading.report.notes == {}


def test_twelve_hours_are_not_too_long(tmp_path: Path) -> None:
    ends = line(12 * 3600, "c-1", "q-1", "a-1", "COMPLETEAGENT", 7, 12 * 3600 - 7, 1)
    assert words_of(tmp_path, ENTERS, CONNECTS, ends)[-1] == f"+{12 * 3600} closed c-1 agent"


def test_what_comes_of_a_call_that_was_given_up_is_kept_as_a_note(tmp_path: Path) -> None:
    ends = line(13 * 3600, "c-1", "q-1", "a-1", "COMPLETEAGENT", 7, 13 * 3600 - 7, 1)
    enters = line(13 * 3600, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1)
    reading = reading_of(tmp_path, ENTERS + CONNECTS + NEXT_DAY + ends + enters)
    bodies = told(reading)
    words = [word for word in in_words(bodies) if "c-1" in word]
    assert words[5:] == ["+7 closed c-1 system", f"+{13 * 3600} offered c-1 q-1", f"+{13 * 3600} queued c-1 q-1"]
    assert [body.event for body in bodies if isinstance(body, SourceNote)] == ["COMPLETEAGENT"]
    assert reading.report.notes == {"end_never_told": 1, "told_after_its_end_was_given_up": 1}


def test_a_log_that_never_says_how_its_calls_end_is_not_remembered_whole(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SETTINGS, ids_remembered=2)
    rows = [line(second, f"c-{second}", "q-1", "NONE", "ENTERQUEUE", "", "", 1) for second in range(5)]
    (tmp_path / "log").write_text("".join(rows), encoding="utf-8")
    reading = QueueLogReading([tmp_path / "log"], "acme", None, settings)
    words = in_words(told(reading))
    assert [word for word in words if "closed" in word] == [f"+{n} closed c-{n} system" for n in range(3)]
    assert reading.report.notes == {"end_never_told": 3}


# -------------------------------------------------------------------------------------------------------------- others


def test_a_call_that_went_out_has_no_first_response(tmp_path: Path) -> None:
    bodies = told(reading_of(tmp_path, line(60, "c-1", "q-1", "a-1", "OUTCALL", "ANSWER", 45, "extra")))
    taken = ["+15 accepted c-1 a-1", "+15 answered c-1 a-1"]
    assert in_words(bodies) == ["+15 offered c-1 q-1", *taken, "+60 closed c-1 system"]
    assert isinstance(bodies[0], Offered)
    assert bodies[0].direction is Direction.OUTBOUND


@pytest.mark.parametrize("params", [("NOANSWER", 0), ("BUSY", ""), ("CANCEL",), ()])
def test_a_customer_we_rang_in_vain_was_in_nobodys_hands(params: tuple[object, ...], tmp_path: Path) -> None:
    bodies = told(reading_of(tmp_path, line(60, "c-1", "q-1", "a-1", "OUTCALL", *params)))
    assert in_words(bodies) == ["+60 offered c-1 q-1", "+60 closed c-1 system"]


def test_events_nobody_here_knows_are_kept_and_counted_by_name(tmp_path: Path) -> None:
    rows = [
        line(0, "c-1", "q-1", "a-1", "CALLBACK_ASKED", "13800000000"),
        line(1, "c-1", "q-1", "a-1", "PENALTY", 3),
        line(1, "NONE", "q-1", "a-1", "RINGINUSE", 1),
        line(2, "c-1", "q-1", "a-1", "survey.Result", 5),
    ]
    reading = reading_of(tmp_path, "".join(rows))
    notes = [body for body in told(reading) if isinstance(body, SourceNote)]
    assert [(note.event, note.conversation, note.queue, note.account) for note in notes] == [
        ("CALLBACK_ASKED", "c-1", "q-1", "a-1"),
        ("PENALTY", "c-1", "q-1", "a-1"),
        ("RINGINUSE", "", "q-1", "a-1"),
        ("survey.Result", "c-1", "q-1", "a-1"),
    ]
    counted = {"CALLBACK_ASKED": 1, "PENALTY": 1, "RINGINUSE": 1, "survey.Result": 1}
    assert reading.report.outcomes == {"rejected": 0, **counted}
    assert reading.report.notes == {"unknown_event": 2}


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (line(0, "NONE", "q-1", "NONE", "ENTERQUEUE"), "names_no_call", "callid"),
        (line(0, "c-1", "NONE", "NONE", "ENTERQUEUE"), "names_no_queue", "queue"),
        (line(0, "c-1", "q-1", "NONE", "PAUSE"), "names_nobody", "agent"),
        (line(0, "c-1", "q-1", "NONE", "13800000000"), "not_an_event", "event"),
        ("1800000000|c-1|q-1|NONE\n", "cells_missing", ""),
        ("noon|c-1|q-1|NONE|ENTERQUEUE\n", "not_a_time", "time"),
        ("999999999999|c-1|q-1|NONE|ENTERQUEUE\n", "time_out_of_range", "time"),
    ],
)
def test_a_row_that_cannot_be_taken_is_counted_with_its_reason(
    row: str, reason: str, column: str, tmp_path: Path
) -> None:
    reading = reading_of(tmp_path, ENTERS + row)
    list(reading.in_file_order())
    assert reading.report.reasons == {reason: 1}
    assert [(each.row, each.column) for each in reading.report.rejected] == [(2, column)]
    assert reading.report.rows == sum(reading.report.outcomes.values()) == 2


def test_the_table_form_keeps_its_fractions_of_a_second(tmp_path: Path) -> None:
    rows = [
        "2026-01-05 10:00:00.250000,c-1,q-1,NONE,ENTERQUEUE,,,1,,\n",
        "2026-01-05 10:00:07.750000,c-1,q-1,a-1,CONNECT,7,chan-2,4,,\n",
    ]
    bodies = told(reading_of(tmp_path, HEADER + "".join(rows), zone="Asia/Shanghai"))
    offered, answered = bodies[0], bodies[-1]
    assert not isinstance(offered, GoneRange)
    assert not isinstance(answered, GoneRange)
    assert (offered.resolution_ms, answered.occurred_at - offered.occurred_at) == (1, 7500)
