"""The curve of a day against what boards and reports say of it: one count, shown by quarters of an hour."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from ledger.reader import LedgerReader
from sla_engine._core.choices import Unit
from sla_engine.board_at import BoardAtSettings, board, day_curve
from sla_engine.replay import entered_rules
from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.report import Question, Row
from sla_engine.reports.making import ReportSettings, report, ruling_of
from tests.builders import (
    PRESET,
    Event,
    agent,
    back,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    left,
    ms,
    published,
    rules,
    signed,
    silent,
    works,
)
from tests.dashboards import day_world
from tests.sla_engine.feeding import Feed
from tests.sla_engine.folding import CALENDAR, TILES
from tests.sla_engine.site_limits import LIMITS
from wire.board import Figures, Ratio
from wire.day_curve import Curve, DayCurve
from wire.record import Feed as FeedKind

DAY_MS = 86_400_000
QUARTER_MS = CALENDAR.interval_ms
SETTINGS = BoardAtSettings(lookback_ms=7 * DAY_MS, calendar=CALENDAR, limits=LIMITS, tiles=TILES)
UNTIL = ms("17:38:20")


def recorded(data: Path, events: list[Event], client: str = "acme") -> Path:
    ledger = Feed(data / "clients" / client)
    ledger.append(events)
    ledger.close()
    return data


def day(data: Path, until: int = UNTIL) -> DayCurve:
    return day_curve(data, until, DAY_MS, settings=SETTINGS)


def of(shown: DayCurve, queue: str = "", client: str = "acme") -> Curve:
    (found,) = (each for each in shown.curves if (each.client, each.queue) == (client, queue))
    return found


def at(shown: DayCurve, time: str) -> int:
    """The number of the quarter that begins then."""
    number, rest = divmod(ms(time) - shown.since, shown.interval_ms)
    assert rest == 0
    return number


def summed(shown: DayCurve, curve: Curve, since: int, until: int) -> tuple[int, int, int]:
    """Met, judged and offered of the quarters within."""
    within = slice((since - shown.since) // QUARTER_MS, -(-(until - shown.since) // QUARTER_MS))
    return sum(curve.met[within]), sum(curve.judged[within]), sum(each or 0 for each in curve.offered[within])


def told(figures: Figures) -> tuple[int, int, int]:
    return figures.attainment.part, figures.attainment.whole, figures.offered


def busy(unit: Unit = Unit.SESSION) -> list[Event]:
    """A floor from yesterday noon on, with replies in and out of time, customers who leave, and two who wait on."""
    random = Random(11)
    events = [*rules(changed(unit=unit)), *works("anna", "anna", "red", "a1", "north")]
    for number in range(300):
        began, name = ms("-1 12:00") + number * 360_000 + random.randrange(60_000), f"c{number}"
        events.append(customer(began, name, "presale" if number % 3 else "aftersale"))
        if number % 7 == 0:
            events.append(left(began + 30_000, name))
            continue
        reply = began + random.randrange(1_000, 16_000)
        events += [agent(reply, "anna", name), closed(reply + 60_000, name)]
    events += [customer(UNTIL - 5_000, "w1"), customer(UNTIL - 500_000, "w2")]
    return [*events, *(clock(minute) for minute in range(ms("-1 12:00"), ms("18:00"), 600_000))]


@pytest.mark.parametrize("unit", list(Unit))
def test_quarters_add_up_to_the_day_of_the_board_and_the_running_one_is_its_interval(
    tmp_path: Path, unit: Unit
) -> None:
    recorded(tmp_path, busy(unit))
    shown, then = day(tmp_path), board(tmp_path, UNTIL, settings=SETTINGS)
    for tile in (*then.clients, *then.queues):
        curve = of(shown, tile.id if tile.scope == "queue" else "")
        assert (curve.met[-1], curve.judged[-1], curve.offered[-1]) == told(tile.interval)
        met, judged, offered = summed(shown, curve, then.day_start, UNTIL)
        assert offered == tile.day.offered
        if unit is not Unit.PERSON_DAY:  # a person's day is met or not: it is no sum of quarters
            assert (met, judged) == (tile.day.attainment.part, tile.day.attainment.whole)
            assert judged > 30


def test_a_quarter_is_what_the_board_of_its_end_said_of_it(tmp_path: Path) -> None:
    recorded(tmp_path, busy())
    shown = day(tmp_path)
    for time in ("-1 18:00", "09:00", "12:45"):
        then = board(tmp_path, ms(time) + QUARTER_MS - 1, settings=SETTINGS)
        number = at(shown, time)
        for tile in (*then.clients, *then.queues):
            curve = of(shown, tile.id if tile.scope == "queue" else "")
            assert curve.offered[number] == tile.interval.offered
            assert curve.judged[number] - tile.interval.attainment.whole in {0, 1}, "who was in time to be judged later"


def hours(data: Path, queue: str) -> list[Row]:
    """What `seatwatch report --by hour` says of whole hours."""
    reader = LedgerReader.open(data / "clients" / "acme")
    try:
        question = Question(client="acme", by=By.HOUR, since=ms("09:00"), until=ms("17:00"), queues=(queue,))
        ruling = ruling_of(*entered_rules(reader), None, (queue,), question.since)
        assert ruling is not None
        settings = ReportSettings(lookback_ms=7 * DAY_MS, facts_lag_ms=0, hands_idle_ms=TILES.hands_idle_ms)
        return list(report(reader, None, question, ruling, settings, lambda _: None).rows)
    finally:
        reader.close()


@pytest.mark.parametrize("queue", ["*", "presale", "aftersale"])
def test_four_quarters_are_an_hour_of_the_report(tmp_path: Path, queue: str) -> None:
    recorded(tmp_path, busy())
    shown = day(tmp_path, ms("18:00"))
    curve = of(shown, "" if queue == "*" else queue)
    rows = hours(tmp_path, queue)
    assert len(rows) == 8
    for row in rows:
        assert summed(shown, curve, row.since, row.until) == told(row.figures)


def test_what_nobody_told_is_no_data_and_what_was_quiet_is_nothing(tmp_path: Path) -> None:
    day_world.written(tmp_path)
    shown = day(tmp_path, ms("18:00"))
    acme = of(shown)
    quiet, silence, worked = at(shown, "08:15"), at(shown, "15:15"), at(shown, "11:00")
    assert (acme.offered[quiet], acme.judged[quiet]) == (0, 0)
    assert (acme.offered[silence], acme.judged[silence], acme.covered[silence].part) == (None, 0, 0)
    assert (acme.offered[worked], acme.judged[worked], acme.met[worked]) == (30, 30, 30)
    assert acme.covered[worked] == Ratio(QUARTER_MS, QUARTER_MS)
    assert of(shown, "presale").offered[silence] is None
    before = at(shown, "-1 23:00")
    assert acme.offered[before] is None, "the record begins later"


def test_of_a_queue_that_is_told_a_day_late_only_what_was_told_is_known(tmp_path: Path) -> None:
    events = [declared("00:10", feed=FeedKind.DAILY), published(), signed()]
    recorded(tmp_path, [*events, customer("09:00:00"), agent("09:00:05"), closed("09:01:00"), clock("17:00")])
    shown = day(tmp_path)
    curve = of(shown)
    assert (curve.offered[at(shown, "09:00")], curve.judged[at(shown, "09:00")]) == (1, 1)
    assert curve.offered[at(shown, "09:15")] is None


def test_a_target_holds_from_the_quarter_in_which_it_was_promised(tmp_path: Path) -> None:
    later = replace(contract(PRESET.name, name="acme-b", since="12:00"), attainment_target_bp=9_000)
    events = [declared("00:10"), published(), signed(contract(PRESET.name, until="12:00")), signed(later)]
    recorded(tmp_path, [*events, customer("13:00:00"), agent("13:00:05"), closed("13:10:00"), clock("17:00")])
    shown = day(tmp_path)
    for curve in (of(shown), of(shown, "presale")):
        assert curve.targets == [(0, None), (at(shown, "12:00"), Ratio(9_000, 10_000))]


def test_it_tells_what_was_wrong_at_sites_as_a_whole_and_not_seat_by_seat(tmp_path: Path) -> None:
    shown = day(day_world.written(tmp_path), ms("18:00"))
    assert [(each.cause, each.word, each.started_at, each.ended_at) for each in shown.troubles] == [
        ("uplink", "incident_line_down", ms("11:50"), ms("12:50")),
        ("site_power", "incident_mains_lost", ms("12:20"), ms("12:40")),
    ]
    assert day(tmp_path, ms("+1 14:00")).troubles == [], "longer ago than the day shown"


def test_every_quarter_of_the_day_is_there_once_and_the_last_one_may_go_on(tmp_path: Path) -> None:
    shown = day(recorded(tmp_path, [*rules(), customer("17:31:00"), agent("17:31:05"), back("09:00"), silent("08:00")]))
    assert shown.since <= UNTIL - DAY_MS < shown.since + QUARTER_MS
    assert len(of(shown).met) == 97
    assert shown.since + 96 * QUARTER_MS < UNTIL < shown.since + 97 * QUARTER_MS
    assert all(len(lists) == 97 for lists in (of(shown).judged, of(shown).offered, of(shown).covered))
    assert [later - earlier for (earlier, _), (later, _) in pairwise(of(shown).targets)] == []


def test_a_data_directory_without_a_client_has_an_empty_day(tmp_path: Path) -> None:
    shown = day(tmp_path)
    assert (shown.curves, shown.troubles) == ([], [])
    assert shown.since <= UNTIL - DAY_MS
