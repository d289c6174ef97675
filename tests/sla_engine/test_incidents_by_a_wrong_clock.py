"""A gateway whose clock is wrong: it is believed as soon as it speaks, its times are the hub's, somebody is told."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from tests.sla_engine.entries import NOON, Log, head
from tests.sla_engine.floors import HOUR, MINUTE, NIGHT, SECOND, said_after, steps, two_lines
from wire.facility import Power, Role
from wire.frame import snapshot_epoch
from wire.incident import Cause, MaintenanceOf, Severity
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.seat import SeatReading
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


# ------------------------------------------------------------------------------------------------- somebody is told


def beating(
    log: Log, epoch: bytes, since: int, *, behind_ms: int = 0, seat: str = "", beats: int = 30
) -> list[Recorded]:
    """Five minutes of beats, each ten seconds after the other."""
    source, role = (seat, Role.SEAT) if seat else ("gate", Role.GATEWAY)
    told = [log.heartbeat(source, since + n * 10 * SECOND, role=role, seat=seat) for n in range(beats)]
    return snapshots(epoch, told, behind_ms)


@pytest.mark.parametrize(
    ("behind_ms", "offset"),
    [
        (3 * MINUTE, "-3 min"),
        (-3 * MINUTE, "+3 min"),
        (6 * SECOND, "-6 s"),
        (100 * SECOND, "-100 s"),
        (5 * HOUR, "-5 h"),
        (800 * 24 * HOUR, "-800 d"),
    ],
)
def test_a_gateway_whose_clock_is_wrong_is_one_ticket_from_a_minute_on_until_it_is_right(
    behind_ms: int, offset: str
) -> None:
    log, right_at = Log(), NIGHT + 10 * MINUTE
    said = said_after(
        *beating(log, FIRST, NIGHT, behind_ms=behind_ms),
        log.silent("gate", NIGHT + 5 * MINUTE, NIGHT + 6 * MINUTE),
        *beating(log, SECOND_RUN, right_at),
    )
    told = [each for each in said if each.what == "clock_wrong"]
    assert steps(told) == [("opened", "clock_wrong"), ("closed", "clock_wrong")]
    first, last = told
    assert (first.cause, first.severity, first.subject) == (Cause.CLOCK, Severity.TICKET, "gate")
    assert first.about == f"gate {offset}"
    assert first.occurred_at <= NIGHT + 80 * SECOND
    assert right_at <= (last.ended_at or 0) <= right_at + 2 * MINUTE


def test_a_clock_that_drifts_away_is_noticed_and_what_its_probe_tells_is_put_on_the_hubs_time() -> None:
    log, later = Log(), NOON + 10 * MINUTE
    drifting = [
        each
        for n in range(60)
        for each in snapshots(FIRST, [log.heartbeat("gate", NOON + n * 10 * SECOND)], n * SECOND)
    ]
    said = said_after(
        *drifting, *snapshots(FIRST, [log.ups("gate", later), log.ups("gate", later, Power.BATTERY)], MINUTE)
    )
    assert steps(said) == [("opened", "clock_wrong"), ("opened", "mains_lost")]
    assert later - 20 * SECOND < said[-1].started_at <= later


def test_beats_that_come_late_and_what_was_kept_for_later_are_no_wrong_clock() -> None:
    log, later = Log(), NOON + 10 * MINUTE
    held_up = [log.heartbeat("gate", NOON + n * SECOND) for n in range(60)]
    said = said_after(
        *beating(log, FIRST, NOON, beats=2),
        *snapshots(FIRST, [replace(each, received_at=NOON + 80 * SECOND) for each in held_up]),
        *beating(log, FIRST, NOON + 81 * SECOND),
        *events(FIRST, [replace(each, received_at=later + n * SECOND) for n, each in enumerate(held_up * 3)]),
        *beating(log, FIRST, later + 10 * MINUTE),
    )
    assert said == []


def test_seats_whose_clocks_are_wrong_are_one_ticket_and_none_once_they_are_switched_off() -> None:
    log = Log()
    reading = SeatReading(**head(NOON + 6 * MINUTE), site="north", seat="s2", clock_offset_ms=-40 * SECOND)
    said = said_after(
        *beating(log, FIRST, NOON),
        *beating(log, FIRST, NOON, seat="s1", behind_ms=20 * SECOND),
        *beating(log, FIRST, NOON + 6 * MINUTE, seat="s2", beats=1),
        *snapshots(FIRST, [log.entry("s2", Kind.SEAT_READING, reading)]),
        log.silent("s1", NOON + 7 * MINUTE, NIGHT),
        log.silent("s2", NOON + 7 * MINUTE, NIGHT),
        log.clock(NIGHT + SECOND),
    )
    assert steps(said) == [("opened", "clock_wrong"), ("closed", "clock_wrong")]
    assert (said[0].subject, said[0].about) == ("seats", "seats -20 s")


def test_a_gateway_that_goes_dark_with_its_clock_wrong_still_has_it_wrong() -> None:
    log = Log()
    said = said_after(
        *beating(log, FIRST, NOON, behind_ms=HOUR),
        log.silent("gate", NOON + 5 * MINUTE, NOON + 6 * MINUTE),
        *beating(log, SECOND_RUN, NOON + HOUR, behind_ms=HOUR),
    )
    assert steps(said) == [("opened", "clock_wrong"), ("opened", "site_silent"), ("closed", "site_silent")]


# -------------------------------------------------------------------------------------------------- the hub's own clock


def gateways(log: Log, since: int, off_ms: dict[str, int], beats: int = 20) -> list[Recorded]:
    """Beats of a gateway at each of these sites; minus is behind the hub's clock."""
    return [
        each
        for n in range(beats)
        for site, ms in off_ms.items()
        for each in snapshots(FIRST, [log.heartbeat(f"{site}/gate", since + n * 10 * SECOND, site)], -ms)
    ]


def test_gateways_of_several_sites_that_are_off_by_the_same_tell_that_it_is_the_hubs_clock_in_one_ticket() -> None:
    log, right_at = Log(), NOON + HOUR
    sites = ("east", "north", "west")
    said = said_after(
        *gateways(log, NOON, dict.fromkeys(sites, 0)),
        *gateways(log, NOON + 5 * MINUTE, {"east": 3 * MINUTE, "north": 3 * MINUTE + 300, "west": 3 * MINUTE - 200}),
        log.silent("west/gate", NOON + 9 * MINUTE, NOON + 10 * MINUTE),
        *gateways(log, right_at, dict.fromkeys(sites, 0)),
    )
    of_clocks = [each for each in said if each.cause is Cause.CLOCK]
    ticket = next(each for each in of_clocks if each.what == "hub_clock_wrong")
    assert (ticket.site, ticket.about, ticket.severity) == ("", "hub -3 min", Severity.TICKET)
    hour_of_trouble = [each for each in of_clocks if NOON + 7 * MINUTE < each.occurred_at < right_at]
    assert hour_of_trouble == [], "held for five minutes before anybody is told, by then it is one"
    lasting = {each.incident: each for each in of_clocks if each.occurred_at <= NOON + 7 * MINUTE}
    assert [each.what for each in lasting.values() if each.step != "closed"] == ["hub_clock_wrong"]
    assert {each.incident: each.step for each in of_clocks}[ticket.incident] == "closed"


@pytest.mark.parametrize(
    "off_ms",
    [
        {"east": 3 * MINUTE, "north": 3 * MINUTE, "west": 0, "south": 0},
        {"east": 3 * MINUTE, "north": 4 * MINUTE, "west": 5 * MINUTE},
        {"east": 3 * MINUTE},
    ],
)
def test_clocks_that_do_not_agree_and_those_of_half_the_gateways_or_of_one_site_are_their_own(
    off_ms: dict[str, int],
) -> None:
    said = said_after(*gateways(Log(), NOON, off_ms))
    wrong = sum(ms != 0 for ms in off_ms.values())
    assert [each.what for each in said if each.step == "opened"] == ["clock_wrong"] * wrong


def test_a_gateway_with_a_trouble_of_its_own_keeps_its_ticket_beside_the_hubs() -> None:
    off_ms = {"east": HOUR, "north": 3 * MINUTE, "south": 3 * MINUTE, "west": 3 * MINUTE}
    said = said_after(*gateways(Log(), NOON, off_ms))
    newest = {each.incident: each for each in said}
    assert {(each.what, each.site) for each in newest.values() if each.step != "closed"} == {
        ("hub_clock_wrong", ""),
        ("clock_wrong", "east"),
    }
