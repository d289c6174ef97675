"""A gateway whose clock is behind: it is believed as soon as it speaks, and its times are the hub's."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import HOUR, MINUTE, SECOND, said_after, steps, two_lines
from wire.facility import Power
from wire.frame import snapshot_epoch
from wire.incident import MaintenanceOf
from wire.recorded import Recorded
from wire.uplink import LineState

FIRST, SECOND_RUN, NEVER_HEARD = (bytes([number]) * 16 for number in (1, 2, 3))


def events(epoch: bytes, entries: Iterable[Recorded], behind_ms: int = 0) -> list[Recorded]:
    """As the probe stamps them in a run whose clock is behind; received when they say."""
    return [
        replace(each, epoch=epoch, body=replace(each.body, occurred_at=each.body.occurred_at - behind_ms))
        for each in entries
        if each.body is not None
    ]


def snapshots(epoch: bytes, entries: Iterable[Recorded], behind_ms: int = 0) -> list[Recorded]:
    return events(snapshot_epoch(epoch), entries, behind_ms)


def first_run(log: Log) -> list[Recorded]:
    return [
        *snapshots(FIRST, [log.heartbeat("gate", NOON), log.ups("gate", NOON), *two_lines(log)]),
        *events(FIRST, [log.heartbeat("gate", NOON + SECOND), log.ups("gate", NOON + SECOND)]),
    ]


@pytest.mark.parametrize("behind_ms", [6 * SECOND, 30 * SECOND, HOUR])
@pytest.mark.parametrize("is_silence_noticed", [True, False])
def test_a_gateway_that_boots_with_its_clock_behind_is_believed_at_once(
    behind_ms: int, is_silence_noticed: bool
) -> None:
    log, later = Log(), NOON + 10 * MINUTE
    said = said_after(
        *first_run(log),
        *([log.silent("gate", NOON + SECOND, NOON + 7 * SECOND)] if is_silence_noticed else []),
        *snapshots(SECOND_RUN, [log.ups("gate", later), log.heartbeat("gate", later)], behind_ms),
        *events(SECOND_RUN, [log.heartbeat("gate", later)], behind_ms),
        *snapshots(SECOND_RUN, [log.ups("gate", later + SECOND, Power.CRITICAL, low_battery=True)], behind_ms),
        *events(SECOND_RUN, [log.ups("gate", later + SECOND, Power.CRITICAL, low_battery=True)], behind_ms),
        *snapshots(SECOND_RUN, [log.ups("gate", later + MINUTE)], behind_ms),
    )
    assert steps(said)[-2:] == [("opened", "battery_low"), ("closed", "battery_low")]
    assert (said[-1].started_at, said[-1].ended_at) == (later + SECOND, later + MINUTE)


def test_a_backlog_of_earlier_runs_stays_history_beside_a_clock_that_is_behind() -> None:
    log, later = Log(), NOON + 10 * MINUTE
    kept = [log.ups("gate", NOON + MINUTE, Power.BATTERY, received_at=later + SECOND)]
    unheard = [log.line("gate", NOON + 2 * MINUTE, "telecom", LineState.DOWN, received_at=later + SECOND)]
    said = said_after(
        *first_run(log),
        log.silent("gate", NOON + SECOND, NOON + 7 * SECOND),
        *snapshots(SECOND_RUN, [log.heartbeat("gate", later), log.ups("gate", later)], HOUR),
        *events(FIRST, kept),
        *events(NEVER_HEARD, unheard),
        *events(SECOND_RUN, [log.heartbeat("gate", later + 2 * SECOND)], HOUR),
        *events(NEVER_HEARD, unheard),
    )
    assert [each.what for each in said if each.step == "opened"] == ["site_silent"]


def test_planned_work_is_known_as_such_by_the_times_of_the_hub() -> None:
    log, later = Log(), NOON + 10 * MINUTE
    work = {"of": MaintenanceOf.LINE, "subject": "telecom"}
    down = log.line("gate", later + MINUTE, "telecom", LineState.DOWN, first_bad_at=later + MINUTE - HOUR)
    said = said_after(
        log.maintenance(NOON, later - MINUTE, later + HOUR, **work),
        *snapshots(FIRST, two_lines(log, later), HOUR),
        *events(FIRST, [log.heartbeat("gate", later)], HOUR),
        *snapshots(FIRST, [down], HOUR),
    )
    assert [(each.what, each.is_planned, each.started_at) for each in said] == [("line_down", True, later + MINUTE)]
