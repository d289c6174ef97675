"""What would move under another definition: figures of both, and the sessions that count as something else."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sla_engine._core.choices import IMPLEMENTED, NeverAnswered, ServiceLevelFormula, Unit
from sla_engine._core.definition import Definition
from sla_engine.diff import Difference, Period, Standing, difference, mean_named
from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    changed,
    clock,
    closed,
    customer,
    left,
    ms,
    offered,
    rules,
    transferred,
    works,
)
from tests.sla_engine.feeding import Feed
from wire.board import Ratio
from wire.verdict import Verdict, Why

DAY = Period(ms("00:00:00"), ms("+1 00:00:00"), 7 * 24 * 3_600_000)
LENIENT = changed(version=2, first_response_limit_ms=20_000, effective_from=ms("+9 00:00"))
NO_GAP = changed(name="no-gap", gap_to_new_session_ms=0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path / "ledger")
    yield made
    made.close()


def told() -> list[Event]:
    """Answered after 5, 15 and 25 s, left after 3 s, and one before the window; clocks in between."""
    events: list[Event] = [*rules(), *works("anna", "anna", "red", "a1", "north")]
    for number, waits_ms in enumerate((5_000, 15_000, 25_000)):
        at = ms("09:00:00") + number * 60_000
        c = f"c{number}"
        events += [customer(at, c), agent(at + waits_ms, "anna", c), closed(at + 30_000, c)]
    events += [customer("09:10:00", "short"), left("09:10:03", "short"), customer("07:00:00", "early")]
    return [*events, clock("09:01:20"), clock("10:00:00")]


def compared(ledger: Feed, before: Definition, after: Definition, queues: Sequence[str] = ("*",)) -> Difference:
    return difference(ledger.reader, before, after, DAY, queues=queues)


def test_two_versions_are_compared_over_the_whole_period_whatever_their_dates(ledger: Feed) -> None:
    ledger.append(told())
    found = compared(ledger, PRESET, LENIENT)
    assert (found.before.figures.attainment, found.after.figures.attainment) == (Ratio(1, 3), Ratio(2, 3))
    assert [(group.before, group.after, len(group.moved)) for group in found.groups] == [
        (Why.ANSWERED_LATE, Why.ANSWERED_IN_TIME, 1)
    ]
    (moved,) = found.groups[0].moved
    assert (moved.conversation, moved.started_at) == ("c1", ms("09:01:00"))
    assert (found.before.figures.offered, found.unmoved) == (5, 4)


def test_a_definition_compared_with_itself_moves_nothing(ledger: Feed) -> None:
    ledger.append(told())
    found = compared(ledger, PRESET, PRESET)
    assert (found.groups, found.unmoved) == ((), 5)
    assert found.before == found.after


def test_a_session_that_a_late_event_moves_out_of_the_period_is_not_in_it(ledger: Feed) -> None:
    ledger.append([*told(), customer("08:59:50", "c0", arrives="09:50:00")])
    hour = Period(ms("09:00:00"), ms("10:00:00"), DAY.around_ms)
    found = difference(ledger.reader, PRESET, LENIENT, hour)
    assert (found.before.figures.offered, found.after.figures.offered) == (3, 3)
    earlier = difference(ledger.reader, PRESET, LENIENT, Period(ms("08:00:00"), ms("09:00:00"), DAY.around_ms))
    assert (earlier.before.figures.offered, earlier.before.figures.attainment) == (1, Ratio(0, 1))


def test_sessions_that_only_one_side_has_stand_opposite_nothing(ledger: Feed) -> None:
    ledger.append([*told(), customer("09:05:00", "c0"), agent("09:05:04", "anna", "c0"), clock("11:00:00")])
    found = compared(ledger, PRESET, NO_GAP)
    pairs = {(group.before, group.after) for group in found.groups}
    assert ("", Why.ANSWERED_IN_TIME) in pairs
    assert found.after.figures.offered == found.before.figures.offered + 1


def test_a_session_moves_by_its_turns_alone_too(ledger: Feed) -> None:
    ledger.append([*told(), customer("09:05:00", "c0"), agent("09:05:04", "anna", "c0"), clock("11:00:00")])
    (same,) = [group for group in compared(ledger, PRESET, NO_GAP).groups if group.before == group.after]
    assert same.moved[0].before is not None
    assert same.moved[0].after is not None
    assert (len(same.moved[0].before.turns), len(same.moved[0].after.turns)) == (2, 1)


def test_only_sessions_of_the_period_and_of_the_queues_asked_for_count(ledger: Feed) -> None:
    ledger.append([*told(), customer("+1 09:00:00", "tomorrow"), offered("09:20:00", "other", "aftersale")])
    assert compared(ledger, PRESET, LENIENT).before.figures.offered == 6
    ledger.append([agent("09:20:15", "anna", "other", arrives="+1 09:00:01"), clock("+1 10:00:00")])
    (group,) = compared(ledger, PRESET, LENIENT, ["aftersale"]).groups
    assert [moved.conversation for moved in group.moved] == ["other"]


def test_a_session_that_was_handed_on_counts_for_the_queue_it_began_in_alone(ledger: Feed) -> None:
    call = [
        offered("09:00:00", "c", "sales", voice=True),
        agent("09:00:05", "anna", "c"),
        transferred("09:01:00", "c"),
        closed("09:01:00", "c"),
        offered("09:01:00", "c", "support", voice=True),
        agent("09:01:15", "ben", "c"),
        closed("09:02:00", "c"),
    ]
    ledger.append([*rules(), *call, clock("10:00:00")])
    offered_in = {
        queue: compared(ledger, PRESET, LENIENT, [queue]).before.figures.offered for queue in ("*", "sales", "support")
    }
    assert offered_in == {"*": 1, "sales": 1, "support": 0}


def test_groups_come_in_order_of_their_size(ledger: Feed) -> None:
    strict = changed(name="strict", first_response_limit_ms=4_000, warning_after_ms=2_000, short_abandon_ms=0)
    ledger.append([*told(), customer("09:30:00", "more"), agent("09:30:05", "anna", "more"), clock("11:00:00")])
    found = compared(ledger, PRESET, strict)
    assert [(group.before, group.after, len(group.moved)) for group in found.groups] == [
        (Why.ANSWERED_IN_TIME, Why.ANSWERED_LATE, 2),
        (Why.LEFT_SHORT, Why.LEFT_UNANSWERED, 1),
    ]
    assert found.groups[0].moved[0].after is not None
    assert found.groups[0].moved[0].after.verdict is Verdict.BREACHED


def test_progress_counts_the_entries_read(ledger: Feed) -> None:
    ledger.append([*told(), assigned("09:00:01", "anna", "c0"), transferred("09:00:02", "c0", account="ben")])
    read: list[int] = []
    difference(ledger.reader, PRESET, LENIENT, DAY, passed=read.append)
    assert read == [ledger.size]


def test_the_unit_of_a_definition_decides_what_attainment_counts(ledger: Feed) -> None:
    ledger.append(told())
    units = IMPLEMENTED.get("unit", tuple(Unit))
    for unit in (each for each in Unit if each in units):
        held = changed(name="by-unit", unit=unit)
        assert compared(ledger, PRESET, held).after.figures.attainment.whole > 0, unit


def test_sessions_that_move_the_service_level_alone_are_named_with_what_they_add(ledger: Feed) -> None:
    ledger.append(told())
    found = compared(ledger, PRESET, changed(name="strict-level", service_level_threshold_ms=3_000))
    levels = [side.figures.service_level for side in (found.before, found.after)]
    assert [None if level is None else level.ratio for level in levels] == [Ratio(1, 3), Ratio(0, 3)]
    assert [(group.before, group.after, group.by) for group in found.groups] == [
        (Why.ANSWERED_IN_TIME, Why.ANSWERED_IN_TIME, ("service_level",))
    ]
    (moved,) = found.groups[0].moved
    assert (moved.conversation, adds(moved.before, "service_level"), adds(moved.after, "service_level")) == (
        "c0",
        (1, 1),
        (0, 1),
    )


def test_sessions_that_another_formula_or_a_cap_counts_otherwise_move(ledger: Feed) -> None:
    ledger.append([*told(), customer("09:20:00", "gone"), left("09:20:40", "gone")])
    of_answered = changed(name="of-answered", service_level_formula=ServiceLevelFormula.WITHIN_OF_ANSWERED)
    (formula,) = compared(ledger, PRESET, of_answered).groups
    assert (formula.by, [moved.conversation for moved in formula.moved]) == (("service_level",), ["gone"])
    capped = changed(name="capped", never_answered=NeverAnswered.CAPPED, unanswered_cap_ms=20_000)
    found = compared(ledger, PRESET, capped)
    moved = [moved for group in found.groups for moved in group.moved if "first_response" in group.by]
    assert [adds(each.after, "first_response") for each in moved if each.conversation == "c2"] == [(20_000, 1)]
    for name in ("first_response", "average_response"):
        total = [
            adds(each.after, name)[0] - adds(each.before, name)[0] for group in found.groups for each in group.moved
        ]
        before, after = (mean_named(side.figures, name) for side in (found.before, found.after))
        assert sum(total) == after[0] - before[0] != 0, name


def adds(standing: Standing | None, figure: str) -> tuple[int, int]:
    assert standing is not None
    return standing.adds[figure]
