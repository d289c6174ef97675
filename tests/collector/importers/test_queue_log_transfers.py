"""Transferred calls of a queue_log: several ids, one conversation."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.importers.queue_log import QueueLogReading
from tests.builders import Event, transcript
from tests.collector.importers.files import SETTINGS
from tests.collector.importers.queue_logs import BEGAN, in_words, line, reading_of, told, words_of
from tests.talking import talks
from wire.body import Body
from wire.frame import GoneRange
from wire.verdict import LegFact

ENTERS = line(0, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "13800000000", "1")
CONNECTS = line(7, "c-1", "q-1", "a-1", "CONNECT", 7, "chan-2", 4)
BEGINNING = ["+0 offered c-1 q-1", "+0 queued c-1 q-1"]
ANSWER = ["+3 assigned c-1 a-1", "+7 accepted c-1 a-1", "+7 answered c-1 a-1"]


@pytest.mark.parametrize(
    ("event", "params"),
    [
        ("BLINDTRANSFER", ("8001", "from-internal", 7, 20, 1)),
        ("TRANSFER", ("8001", "from-internal", 7, 20, 1)),
        ("ATTENDEDTRANSFER", ("BRIDGE", "8c1", 7, 20, 1)),
        ("ATTENDEDTRANSFER", ("APP", "Queue", 7, 20, 1)),
        ("ATTENDEDTRANSFER", ("LINK", "chan-1", "chan-2", 7, 20, 1)),
        ("ATTENDEDTRANSFER", ("LINK", "chan-1", "chan-2", 7, 20)),
    ],
)
def test_a_transfer_ends_the_leg_after_the_talk_it_states(
    event: str, params: tuple[object, ...], tmp_path: Path
) -> None:
    """The row is written late: what it states of the talk decides."""
    transfer = line(90, "c-1", "q-1", "a-1", event, *params)
    assert words_of(tmp_path, ENTERS, CONNECTS, transfer) == [
        *BEGINNING,
        *ANSWER,
        "+27 transferred c-1",
        "+27 closed c-1 agent",
    ]


def test_after_a_blind_transfer_into_a_queue_the_same_call_waits_there(tmp_path: Path) -> None:
    rows = [
        line(27, "c-1", "q-1", "a-1", "BLINDTRANSFER", "8001", "queues", 7, 20, 1),
        line(28, "c-1", "q-2", "NONE", "ENTERQUEUE", "", "", 1),
        line(31, "c-1", "q-2", "a-2", "CONNECT", 3, "chan-3", 3),
        line(41, "c-1", "q-2", "a-2", "COMPLETECALLER", 3, 10, 1),
    ]
    assert words_of(tmp_path, ENTERS, CONNECTS, *rows)[5:] == [
        "+27 transferred c-1",
        "+27 closed c-1 agent",
        "+28 offered c-1 q-2",
        "+28 queued c-1 q-2",
        "+28 assigned c-1 a-2",
        "+31 accepted c-1 a-2",
        "+31 answered c-1 a-2",
        "+41 closed c-1 customer",
    ]


ASKS = line(20, "c-2", "q-2", "NONE", "ENTERQUEUE", "", "7009", 1)
"""The agent calls another queue before handing over: a call of its own to the log."""
TAKEN_OVER = [
    "+22 transferred c-1",
    "+22 closed c-1 agent",
    "+22 offered c-1 q-2",
    "+22 queued c-1 q-2",
    "+23 assigned c-1 a-2",
    "+27 accepted c-1 a-2",
    "+27 answered c-1 a-2",
    "+90 closed c-1 agent",
]
"""One conversation of two legs, none of the agent's own."""


def legs_of(bodies: Sequence[Body | GoneRange], call: str = "c-1") -> list[tuple[str, int, int]]:
    """Who had the call in hands, from and until which second after BEGAN, as the engine folds it."""
    play = transcript(*(Event(body, "import/acme", body.occurred_at) for body in bodies if isinstance(body, Body)))
    last = {fact.leg: fact for fact in play.facts if isinstance(fact, LegFact) and fact.conversation == call}
    standing = [fact for _, fact in sorted(last.items()) if not fact.void]
    return [(fact.place.account, fact.started_at // 1000 - BEGAN, fact.ended_at // 1000 - BEGAN) for fact in standing]


def talks_of(bodies: Sequence[Body | GoneRange]) -> list[tuple[str, str, int]]:
    """Who talked, on which queue, for how many seconds."""
    told_bodies = sorted((body for body in bodies if isinstance(body, Body)), key=lambda body: body.occurred_at)
    return [
        (talk.account, talk.queue, (talk.end_ms - talk.start_ms) // 1000)
        for talk in talks(told_bodies)
        if talk.end_ms is not None
    ]


def test_an_attended_transfer_logged_under_the_asking_call_is_joined(tmp_path: Path) -> None:
    rows = [
        ASKS,
        line(22, "c-2", "q-1", "a-1", "ATTENDEDTRANSFER", "APP", "Queue", 7, 15, 1),
        line(27, "c-1", "q-2", "a-2", "CONNECT", 7, "chan-9", 4),
        line(90, "c-1", "q-2", "a-2", "COMPLETEAGENT", 7, 63, 1),
    ]
    reading = reading_of(tmp_path, ENTERS + CONNECTS + "".join(rows))
    assert in_words(told(reading))[5:] == TAKEN_OVER
    assert reading.report.notes == {"joined_after_transfer": 1}
    assert reading.report.noted == {"joined_after_transfer": [4]}


def test_an_attended_transfer_logged_under_the_original_call_is_joined_by_the_wait(tmp_path: Path) -> None:
    rows = [
        ASKS,
        line(21, "c-3", "q-2", "NONE", "ENTERQUEUE", "", "", 2),  # somebody else, a little later
        line(22, "c-1", "q-1", "a-1", "ATTENDEDTRANSFER", "BRIDGE", "b-1", 7, 15, 1),
        line(27, "c-1", "q-2", "a-2", "CONNECT", 7, "chan-9", 4),
        line(90, "c-1", "q-2", "a-2", "COMPLETEAGENT", 7, 63, 1),
    ]
    bodies = told(reading_of(tmp_path, ENTERS + CONNECTS + "".join(rows)))
    words = in_words(bodies)
    assert [word for word in words[5:] if "c-1" in word] == TAKEN_OVER
    assert not [word for word in words if "c-2" in word]
    assert legs_of(bodies) == [("a-1", 3, 22), ("a-2", 23, 90)]
    assert talks_of(bodies) == [("a-1", "q-1", 15), ("a-2", "q-2", 63)]


def test_a_log_rotated_between_such_a_transfer_and_the_answer_is_read_on_alone(tmp_path: Path) -> None:
    transfer = line(22, "c-1", "q-1", "a-1", "ATTENDEDTRANSFER", "BRIDGE", "b-1", 7, 15, 1)
    rest = [
        line(27, "c-1", "q-2", "a-2", "CONNECT", 7, "chan-9", 4),
        line(90, "c-1", "q-2", "a-2", "COMPLETEAGENT", 7, 63, 1),
    ]
    both = reading_of(tmp_path, ENTERS + CONNECTS + ASKS + transfer, "".join(rest))
    assert in_words(told(both))[5:] == TAKEN_OVER
    alone = QueueLogReading([tmp_path / "log1"], "acme", None, SETTINGS, both.parts)
    assert in_words(told(alone)) == TAKEN_OVER[2:]


def test_a_transfer_that_was_never_logged_is_joined_and_said(tmp_path: Path) -> None:
    rows = [
        ASKS,
        line(27, "c-1", "q-2", "a-2", "CONNECT", 7, "chan-9", 4),
        line(90, "c-1", "q-2", "a-2", "COMPLETEAGENT", 7, 63, 1),
    ]
    reading = reading_of(tmp_path, ENTERS + CONNECTS + "".join(rows))
    words = in_words(told(reading))
    assert words[5:9] == ["+20 transferred c-1", "+20 closed c-1 agent", "+20 offered c-1 q-2", "+20 queued c-1 q-2"]
    assert reading.report.notes["joined_though_no_transfer_was_told"] == 1


ANSWERS = line(24, "c-2", "q-2", "a-2", "CONNECT", 4, "chan-9", 4)
"""The colleague answers the agent, who tells about the customer and hands over at +30."""
HANDS_OVER = line(30, "c-1", "q-1", "a-1", "ATTENDEDTRANSFER", "BRIDGE", "b-1", 7, 23, 1)
COLLEAGUES_END = line(30, "c-2", "q-2", "a-2", "ATTENDEDTRANSFER", "BRIDGE", "b-1", 4, 6, 1)
"""What the exchange writes at the same moment for the other talk that went into that bridge."""
HANDED_OVER = ["+30 transferred c-1", "+30 closed c-1 agent"]
IN_THE_COLLEAGUES_HANDS = [
    "+30 offered c-1 q-2",
    "+30 queued c-1 q-2",
    "+30 assigned c-1 a-2",
    "+30 accepted c-1 a-2",
    "+30 answered c-1 a-2",
]
SOMEBODY_ELSE = [
    line(-9, "c-0", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
    line(-5, "c-0", "q-1", "a-9", "CONNECT", 4, "chan-0", 4),
]
"""Talks all the while, so that nothing that enters is told before its end."""


def test_a_transfer_after_the_colleague_answered_is_joined_by_the_id_it_ends_under(tmp_path: Path) -> None:
    ends = line(90, "c-1", "q-2", "a-2", "COMPLETECALLER", 4, 66, 1)
    reading = reading_of(tmp_path, ENTERS + CONNECTS + ASKS + ANSWERS + HANDS_OVER + ends)
    bodies = told(reading)
    assert in_words(bodies)[5:] == [*HANDED_OVER, *IN_THE_COLLEAGUES_HANDS, "+90 closed c-1 customer"]
    assert legs_of(bodies) == [("a-1", 3, 30), ("a-2", 30, 90)]
    assert reading.report.notes == {"joined_after_transfer": 1}


@pytest.mark.parametrize("before", [[], SOMEBODY_ELSE], ids=["alone", "on a busy floor"])
@pytest.mark.parametrize("turned", [False, True], ids=["customer's row first", "colleague's row first"])
def test_two_talks_that_go_into_one_bridge_are_one_call_that_ends_where_the_log_leaves_it(
    before: list[str], turned: bool, tmp_path: Path
) -> None:
    both = [COLLEAGUES_END, HANDS_OVER] if turned else [HANDS_OVER, COLLEAGUES_END]
    reading = reading_of(tmp_path, "".join([*before, ENTERS, CONNECTS, ASKS, ANSWERS, *both]))
    words = [word for word in in_words(told(reading)) if "c-0" not in word]
    expected = [*BEGINNING, *ANSWER, *HANDED_OVER, *IN_THE_COLLEAGUES_HANDS, "+30 closed c-1 system"]
    assert words == expected
    assert reading.report.notes == {"joined_after_transfer": 1, "end_never_told": 1}


def test_a_call_that_leaves_the_queues_with_a_transfer_is_told_when_no_second_talk_shows(tmp_path: Path) -> None:
    rows = [*SOMEBODY_ELSE, ENTERS, CONNECTS, HANDS_OVER]
    pending = reading_of(tmp_path, "".join(rows))
    assert not [word for word in in_words(told(pending)) if "c-1" in word]
    assert (pending.report.undecided, pending.report.unfinished) == (1, 1)
    later = line(32, "NONE", "q-1", "a-1", "PAUSE", "")
    words = in_words(told(reading_of(tmp_path, "".join([*rows, later]))))
    assert [word for word in words if "c-1" in word] == [*BEGINNING, *ANSWER, *HANDED_OVER]


@pytest.mark.parametrize(
    ("ends", "by"),
    [
        (line(90, "c-2", "q-2", "a-2", "COMPLETECALLER", 4, 66, 1), "customer"),
        (line(90, "c-1", "q-2", "a-2", "COMPLETEAGENT", 4, 66, 1), "agent"),
        (COLLEAGUES_END, "system"),
    ],
)
def test_a_question_from_the_agents_own_extension_is_joined_whatever_it_ends_under(
    ends: str, by: str, tmp_path: Path
) -> None:
    """Where the log names interfaces: the colleague's queue was called from 7009, and PJSIP/7009 has the customer."""
    connects = line(7, "c-1", "q-1", "PJSIP/7009", "CONNECT", 7, "chan-2", 4)
    hands_over = HANDS_OVER.replace("a-1", "PJSIP/7009")
    words = words_of(tmp_path, ENTERS, connects, ASKS, ANSWERS, hands_over, ends)
    closed = f"+{30 if by == 'system' else 90} closed c-1 {by}"
    assert words[5:] == [*HANDED_OVER, *IN_THE_COLLEAGUES_HANDS, closed]


def test_without_any_sign_of_whom_the_colleague_talks_to_the_question_stays_a_call(tmp_path: Path) -> None:
    """Joining on a guess would make a customer's own call vanish on a busy floor."""
    ends = line(90, "c-2", "q-2", "a-2", "COMPLETECALLER", 4, 66, 1)
    words = words_of(tmp_path, ENTERS, CONNECTS, ASKS, ANSWERS, HANDS_OVER, ends)
    assert words[5:7] == HANDED_OVER
    assert (words[7], words[-1]) == ("+20 offered c-2 q-2", "+90 closed c-2 customer")


def test_a_question_that_was_answered_and_leads_to_nothing_is_a_call_of_its_own(tmp_path: Path) -> None:
    rows = [
        line(30, "c-2", "q-2", "a-2", "COMPLETECALLER", 4, 6, 1),
        line(67, "c-1", "q-1", "a-1", "COMPLETEAGENT", 7, 60),
    ]
    assert words_of(tmp_path, ENTERS, CONNECTS, ASKS, ANSWERS, *rows)[5:] == [
        "+20 offered c-2 q-2",
        "+20 queued c-2 q-2",
        "+20 assigned c-2 a-2",
        "+24 accepted c-2 a-2",
        "+24 answered c-2 a-2",
        "+30 closed c-2 customer",
        "+67 closed c-1 agent",
    ]


def test_a_handed_over_call_that_no_row_tells_of_is_joined_after_its_end(tmp_path: Path) -> None:
    rows = [
        line(30, "c-1", "q-1", "a-1", "COMPLETEAGENT", 7, 23, 1),  # the exchange saw a hang-up, not a transfer
        line(90, "c-1", "q-2", "a-2", "COMPLETECALLER", 4, 66, 1),
    ]
    words = words_of(tmp_path, ENTERS, CONNECTS, ASKS, ANSWERS, *rows)
    assert words[5:] == ["+30 closed c-1 agent", *IN_THE_COLLEAGUES_HANDS, "+90 closed c-1 customer"]


def test_a_log_rotated_in_the_middle_of_a_question_is_read_on_alone(tmp_path: Path) -> None:
    first = "".join([*SOMEBODY_ELSE, ENTERS, CONNECTS, ASKS, ANSWERS, COLLEAGUES_END])
    rest = HANDS_OVER + line(99, "c-0", "q-1", "a-9", "COMPLETEAGENT", 4, 104, 1)
    both = reading_of(tmp_path, first, rest)
    whole = in_words(told(both))
    alone = QueueLogReading([tmp_path / "log1"], "acme", None, SETTINGS, both.parts)
    assert in_words(told(alone)) == whole[both.parts[0].after :]
    assert "+30 closed c-1 system" in whole


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_on_a_busy_floor_without_transfers_every_call_is_told_whole_and_once(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = Random(seed)
    rows: list[tuple[int, str]] = []
    expected: dict[str, list[str]] = {}
    free_from = dict.fromkeys(("a-1", "a-2", "a-3"), 0)
    for number in range(12):
        call, queue, account = f"c-{number}", rng.choice(("q-1", "q-2")), rng.choice(tuple(free_from))
        enters = rng.randrange(200)
        connects = max(enters, free_from[account]) + rng.randrange(9)
        ends = free_from[account] = connects + 1 + rng.randrange(60)
        wait, talk = connects - enters, ends - connects
        rows += [
            (enters, line(enters, call, queue, "NONE", "ENTERQUEUE", "", "", 1)),
            (connects, line(connects, call, queue, account, "CONNECT", wait, "chan", 0)),
            (ends, line(ends, call, queue, account, "COMPLETEAGENT", wait, talk, 1)),
        ]
        expected[call] = [f"+{enters} offered {call} {queue}", f"+{enters} queued {call} {queue}"]
        expected[call] += [f"+{connects} {what} {call} {account}" for what in ("assigned", "accepted", "answered")]
        expected[call] += [f"+{ends} closed {call} agent"]
    rows.sort(key=lambda row: row[0])  # stable: of one second in the order of the call's life
    reading = reading_of(tmp_path_factory.mktemp("busy"), "".join(text for _, text in rows))
    words = in_words(told(reading))
    assert {call: [word for word in words if call in word.split()] for call in expected} == expected
    assert (reading.report.undecided, reading.report.unfinished, reading.report.notes) == (0, 0, {})


def test_an_agents_question_that_leads_to_nothing_is_a_call_of_its_own(tmp_path: Path) -> None:
    rows = [ASKS, line(25, "c-2", "q-2", "NONE", "ABANDON", 1, 1, 5)]
    assert words_of(tmp_path, ENTERS, CONNECTS, *rows)[5:] == [
        "+20 offered c-2 q-2",
        "+20 queued c-2 q-2",
        "+25 left c-2 hung_up",
    ]


def test_a_call_that_may_be_a_question_is_told_when_the_log_goes_on(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, ENTERS + CONNECTS + ASKS)
    assert in_words(told(reading)) == [*BEGINNING, *ANSWER]
    assert reading.report.undecided == 1
