"""An explanation says which rules shaped the turns after the first response, and never that one did what it did not."""

import pytest

from sla_engine._core.applied import Says
from sla_engine._core.choices import AnsweredOutOfHours, ClockStart, OnTransfer, OutOfHours, RepeatedTurns, WindowCloses
from sla_engine._core.definition import ServiceWindow
from sla_engine._core.reasons import reasons
from tests.builders import PRESET, Event, agent, assigned, changed, closed, customer, queued, transferred
from tests.sla_engine.test_reasons import case

ANSWERED = [customer("09:00:00"), agent("09:00:03")]
AT_NIGHT = [customer("23:59:00"), agent("23:59:03")]
CLOSED = closed("+1 00:02:00")
TWO_WINDOWS = (ServiceWindow(8 * 60, 12 * 60), ServiceWindow(14 * 60, 24 * 60))
OF_TURNS = {
    *(Says.TURNS_HANDED_ON, Says.TURNS_RESTARTED, Says.FIRST_MESSAGES_COUNT, Says.LAST_MESSAGES_COUNT),
    *(Says.TURNS_FROM_OPENING, Says.TURNS_CUT, Says.TURNS_PAUSED, Says.TURNS_OUTSIDE_ZERO),
    *(Says.TURN_ENDED_WITH_SESSION, Says.TURN_LIMIT),
}


@pytest.mark.parametrize(
    ("events", "parameters", "expected"),
    [
        (
            [*ANSWERED, customer("09:01:00"), transferred("09:01:08", account="ben"), agent("09:01:15", "ben")],
            {"on_transfer": OnTransfer.NEW_TURN_PER_ACCOUNT},
            ("E4", Says.TURNS_HANDED_ON, {"count": 1}),
        ),
        (
            [*ANSWERED, customer("09:01:00"), transferred("09:01:08", account="ben"), agent("09:01:15", "ben")],
            {"on_transfer": OnTransfer.CLOCK_RESTARTS},
            ("E4", Says.TURNS_RESTARTED, {"count": 1}),
        ),
        (
            [*ANSWERED, customer("09:01:00"), customer("09:01:08"), agent("09:01:15")],
            {},
            ("E5", Says.FIRST_MESSAGES_COUNT, {"count": 1}),
        ),
        (
            [*ANSWERED, customer("09:01:00"), customer("09:01:08"), agent("09:01:15")],
            {"repeated_turns": RepeatedTurns.LAST},
            ("E5", Says.LAST_MESSAGES_COUNT, {"count": 1}),
        ),
        (
            [*ANSWERED, customer("12:30:00"), agent("14:00:05")],
            {"out_of_hours": OutOfHours.STARTS_AT_OPENING, "service_windows": TWO_WINDOWS},
            ("E7", Says.TURNS_FROM_OPENING, {"count": 1}),
        ),
        (
            [*AT_NIGHT, customer("23:59:50"), agent("+1 00:00:03"), CLOSED],
            {"window_closes": WindowCloses.IS_CUT},
            ("E8", Says.TURNS_CUT, {"count": 1}),
        ),
        (
            [*ANSWERED, customer("11:59:50"), agent("14:00:05")],
            {"window_closes": WindowCloses.PAUSES, "service_windows": TWO_WINDOWS},
            ("E8", Says.TURNS_PAUSED, {"count": 1}),
        ),
        (
            [*AT_NIGHT, customer("23:59:50"), agent("+1 00:00:03"), CLOSED],
            {"answered_out_of_hours": AnsweredOutOfHours.ZERO},
            ("E9", Says.TURNS_OUTSIDE_ZERO, {"count": 1}),
        ),
        (
            [*ANSWERED, customer("09:01:00"), agent("09:01:15")],
            {"next_response_limit_ms": 20_000},
            ("E16", Says.TURN_LIMIT, {"limit_ms": 20_000}),
        ),
        (
            [*ANSWERED, customer("09:01:00"), closed("09:01:15")],
            {},
            ("E12", Says.TURN_ENDED_WITH_SESSION, {"count": 1}),
        ),
    ],
    ids=lambda part: part[1] if isinstance(part, tuple) else "",
)
def test_a_rule_that_shaped_a_later_turn_is_named_and_no_other(
    events: list[Event], parameters: dict[str, object], expected: tuple[str, Says, dict[str, int]]
) -> None:
    found = reasons(case(*events, definition=changed(PRESET, **parameters)))
    assert [(each.row, each.says, each.values) for each in found if each.says in OF_TURNS] == [expected]


def test_what_shaped_the_first_response_is_not_said_again_of_its_turn() -> None:
    night = [customer("23:59:55"), agent("+1 00:00:03"), CLOSED]
    handed = [customer("09:00:00"), assigned("09:00:01"), transferred("09:00:05", account="ben"), agent("09:00:13")]
    for events, parameters in (
        (night, {"window_closes": WindowCloses.IS_CUT}),
        (night, {"answered_out_of_hours": AnsweredOutOfHours.ZERO}),
        (handed, {"on_transfer": OnTransfer.CLOCK_RESTARTS}),
        (handed, {"on_transfer": OnTransfer.NEW_TURN_PER_ACCOUNT}),
        ([customer("07:00:00"), agent("08:00:03")], {"out_of_hours": OutOfHours.STARTS_AT_OPENING}),
        ([customer("09:00:00"), customer("09:00:02"), agent("09:00:03")], {}),
    ):
        found = reasons(case(*events, definition=changed(PRESET, **parameters)))
        assert [each.says for each in found if each.says in OF_TURNS] == []


@pytest.mark.parametrize(
    ("events", "parameters", "because"),
    [
        ([], {"on_transfer": OnTransfer.CLOCK_RESTARTS, "clock_start": ClockStart.ASSIGNED}, "E4"),
        ([customer("09:00:28")], {"repeated_turns": RepeatedTurns.LAST, "clock_start": ClockStart.QUEUED}, "E5"),
        ([], {"out_of_hours": OutOfHours.STARTS_AT_OPENING, "service_windows": TWO_WINDOWS[1:]}, "E7"),
    ],
)
def test_a_clock_that_another_rule_moved_is_not_said_to_have_started_by_the_first_one(
    events: list[Event], parameters: dict[str, object], because: str
) -> None:
    told = [customer("09:00:00"), queued("09:00:05"), assigned("09:00:10"), transferred("09:00:20", account="ben")]
    found = reasons(case(*told, *events, agent("14:00:30", "ben"), definition=changed(PRESET, **parameters)))
    assert [each.says for each in found if each.row == "E1"] == [Says.CLOCK_MOVED]
    assert because in {each.row for each in found}
