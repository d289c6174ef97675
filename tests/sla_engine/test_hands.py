"""What nobody tells the end of leaves the hands it is in, on the board and in reports alike."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sla_engine._core.client import ClientState
from sla_engine._core.engine import live, open_conversations
from sla_engine.reports._core.buckets import By
from tests.builders import Event, agent, assigned, clock, closed, customer, entries, ms, rules, transferred, works
from tests.sla_engine.folding import CALENDAR, TILES, Folding
from tests.sla_engine.reports.reporting import filled, made
from wire.board import Load, Ratio
from wire.conversation import Activity, Presence, PresenceChanged
from wire.verdict import LoadChange

HOUR = 3_600_000
READY = PresenceChanged(ms("08:00"), 1, "chat", None, True, "", "anna", Presence.READY, Activity.IDLE)
LOST = [
    *rules(),
    *works("anna", "anna", "red", "a1", "north"),
    Event(READY, "chat", READY.occurred_at),
    customer("09:00:00", "lost"),
    assigned("09:00:00", "anna", "lost"),
    agent("09:30:00", "anna", "lost"),
]
LONG_AFTER = [clock("10:00"), clock("11:29"), clock("11:30:02"), clock("11:31"), clock("15:00")]


def board(told: Sequence[Event], cuts: Sequence[int] | range = ()) -> Folding:
    folded = Folding()
    ledger = entries(told)
    folded.fold_all(ledger, range(len(ledger)) if cuts == () else cuts)
    return folded


def rebuilt(folded: Folding) -> Load | None:
    """The load by a second stage made anew, as after a restart."""
    state = ClientState("acme", CALENDAR, folded.lookup.shown_of, folded.lookup.place_of, TILES)
    state.advance(folded.state.as_of, None)
    for conversation in open_conversations(folded.shards[0]):
        state.stand(conversation, live(folded.shards[0], conversation))
    loads = [fact for fact in folded.facts.values() if isinstance(fact, LoadChange)]
    state.restore_loads(sorted(loads, key=lambda each: each.at))
    state.advance(folded.state.as_of, folded.state.watermark)
    return state.loads.get(state.client_group)


@pytest.mark.parametrize(
    ("then", "held_ms"),
    [
        pytest.param([], 2 * HOUR + HOUR // 2, id="nobody tells its end"),
        pytest.param([closed("14:30", "lost")], 5 * HOUR + HOUR // 2, id="its end is told after all"),
        pytest.param([customer("12:30", "lost")], 5 * HOUR + HOUR // 2, id="the customer writes once more"),
        pytest.param([transferred("12:00", "lost", account="bo")], 3 * HOUR, id="it is handed over"),
    ],
)
def test_the_board_a_board_made_anew_and_the_report_say_the_same(
    then: list[Event], held_ms: int, tmp_path: Path
) -> None:
    told = sorted([*LOST, *LONG_AFTER, *then], key=lambda event: event.received_at)
    folded = board(told)
    load = folded.part().client.load
    assert load is not None
    report = made(filled(tmp_path / "acme", told), By.AGENT, "04:00", "+1 04:00")
    of_anna = next(row.load for row in report.rows if row.name == "anna")
    assert of_anna == Load(Ratio(held_ms, held_ms), 1, 1)
    assert rebuilt(folded) == board(told, (len(told),)).part().client.load == load == report.total.load


def test_the_board_says_so_of_saturation_and_of_who_serves_as_well() -> None:
    for until, hands, activity in ((2, 1, Activity.SERVING), (len(LONG_AFTER), 0, Activity.IDLE)):
        client = board([*LOST, *LONG_AFTER[:until]]).part().client
        assert client.saturation == Ratio(hands, TILES.hands_limit)
        assert [count.activity for count in client.agents] == [activity]


def test_who_waits_in_it_waits_in_the_queue_still() -> None:
    client = board([*LOST, customer("09:45", "lost"), *LONG_AFTER]).part().client
    assert client.saturation == Ratio(0, TILES.hands_limit)
    assert client.live is not None
    assert client.live.waiting == 1


def test_a_report_says_how_many_it_took_out_of_hands(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "acme", [*LOST, *LONG_AFTER])
    assert made(ledger, By.DAY, "04:00", "+1 04:00").head.never_ended == 1
    assert made(ledger, By.HOUR, "12:00", "15:00").head.never_ended == 0
    assert made(ledger, By.HOUR, "12:00", "15:00").total.load is None
    assert made(ledger, By.DAY, "04:00", "+1 04:00", queues=("presale",)).head.never_ended == 0
