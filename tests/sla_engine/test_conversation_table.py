import pytest

from sla_engine._core.conversation import NEXT, SIGNAL_BITS, TABLE, Phase, Signal
from sla_engine._core.engine import anomalies
from tests.builders import Event, agent, assigned, closed, customer, left, offered, transcript


def test_every_phase_has_a_row() -> None:
    assert set(NEXT) == set(Phase)


def test_every_phase_can_be_reached_and_every_signal_is_legal_somewhere() -> None:
    assert {after for row in NEXT.values() for after in row.values()} == set(Phase) - {Phase.UNKNOWN}
    assert {signal for row in NEXT.values() for signal in row} == set(Signal)


def test_the_flat_table_says_what_the_table_says() -> None:
    for phase in Phase:
        for signal in Signal:
            assert TABLE[phase << SIGNAL_BITS | signal] == NEXT[phase].get(signal, -1)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([assigned("09:00")], "illegal.unknown.assigned"),
        ([agent("09:00")], "illegal.unknown.person_turn"),
        ([closed("09:00")], "illegal.unknown.closed"),
        ([offered("09:00"), closed("09:01"), closed("09:02")], "illegal.closed.closed"),
        ([offered("09:00"), left("09:01"), assigned("09:02")], "illegal.left.assigned"),
    ],
)
def test_a_missing_pair_is_counted_with_its_reason_and_moves_nothing(events: list[Event], reason: str) -> None:
    assert anomalies(transcript(*events, settled=False).shard) == {reason: 1}


def test_what_comes_before_the_beginning_counts_once_the_beginning_is_known() -> None:
    play = transcript(assigned("09:00:01"), agent("09:00:03"), customer("09:00:00", arrives="09:00:05"))
    assert play.session().first_response_ms == 3_000
    assert play.session().seat_response_ms == 2_000
    assert play.load() == [("09:00:01.000", "anna", 1)]


def test_a_reply_after_the_end_answers_nothing() -> None:
    play = transcript(customer("09:00:00"), closed("09:00:05"), agent("09:00:06"))
    assert play.session().why == "closed_unanswered"
    assert anomalies(play.shard) == {}
