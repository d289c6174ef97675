"""Pictures by the limit in force, and on days whose clocks are set; each of them again for a phone."""

import json
import re
from datetime import datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboards.portal._core import charts
from dashboards.portal._core.svg import PHONE, SCREEN
from dashboards.portal.record import Asked, Bin, Histogram, Limited
from dashboards.portal.server import PICTURES
from dashboards.portal.which import Which
from seatwatch.portal.picture_files import picture_file
from seatwatch.portal.served import ServiceRecord
from seatwatch.server.web import words
from sla_engine._core.definition import Definition, ServiceWindow, SpecialDay
from sla_engine._core.windows import DAY_MS
from sla_engine.definition_files import zone_offsets
from tests.builders import Event, agent, changed, clock, closed, customer, ms, rules
from tests.seatwatch.portal.worlds import NOW, client_of, served
from wire.verdict import Verdict

WAYS = charts.Ways(lambda **_: "", lambda _: "", 20)


def record_of(data: Path, definition: Definition, events: list[Event]) -> ServiceRecord:
    client_of(data, "acme", [*rules(definition), *events, clock(NOW)])
    (data / "acme.key").write_bytes(b"a key of acme\n")
    return served(data)


def answered(name: str, at: int, seconds: int) -> list[Event]:
    after = at + seconds * 1_000
    return [customer(at, name), agent(after, c=name), closed(after + 1_000, name)]


def test_the_limit_drawn_is_the_one_in_force_for_each_session(tmp_path: Path) -> None:
    usual, promotion = ms("-1 09:00"), ms("09:00")
    special = SpecialDay("2026-11-02", (ServiceWindow(8 * 60, 24 * 60),), first_response_limit_ms=15_000)
    record = record_of(
        tmp_path,
        changed(special_days=(special,)),
        [
            *answered("late", usual, 12),
            *answered("in-time", promotion, 12),
            *answered("late-too", promotion + 60_000, 16),
            *answered("never", promotion + 120_000, 14),
        ],
    )
    both = Asked(client="acme", language="en", first="2026-11-01", last="2026-11-02")
    shown = record.service(both).histogram
    assert [(each.limit_ms, each.sessions) for each in shown.limits] == [(10_000, 1), (15_000, 3)]
    assert (shown.limits[0].bins[11], shown.limits[1].bins[11]) == (Bin(missed=1), Bin(met=1))
    assert shown.bins[11] == Bin(met=1, missed=1)
    for verdict, counted in ((Verdict.MET, shown.bins[11].met), (Verdict.BREACHED, shown.bins[11].missed)):
        assert record.sessions(both, Which(verdict=verdict, second=11), 1).found == counted
    drawn = charts.histogram(shown, words()["en"], WAYS, SCREEN)
    assert re.findall(r">(Limit [^<]*)<", drawn) == ["Limit 10 s: 1", "Limit 15 s: 3"]
    rows = json.loads(picture_file(record.service(both), "histogram", "json"))
    assert [(row["limit_ms"], row["met_sessions"]) for row in rows if row["from_s"] == 11] == [(10_000, 0), (15_000, 1)]
    alone = record.service(Asked(client="acme", language="en", first="2026-11-02", last="2026-11-02")).histogram
    assert re.findall(r">(Limit [^<]*)<", charts.histogram(alone, words()["en"], WAYS, SCREEN)) == ["Limit 15 s"]


@pytest.mark.parametrize(("limit_ms", "lines"), [(30_000, 1), (180_000, 0)])
def test_a_limit_at_the_end_of_the_picture_or_beyond_it_is_told(limit_ms: int, lines: int) -> None:
    bins = tuple(Bin(met=1) for _ in range(31))
    for paper in (SCREEN, PHONE):
        drawn = charts.histogram(Histogram((Limited(limit_ms, bins, 0),)), words()["en"], WAYS, paper)
        assert f">Limit {limit_ms // 1_000} s<" in drawn
        assert drawn.count('class="edge"') == lines


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])  # of 23 hours, of 25
def test_arrivals_stand_where_the_local_clock_stood_on_days_it_is_set(tmp_path: Path, day: str) -> None:
    at = int(datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 1_000
    berlin = changed(
        time_zone="Europe/Berlin", zone_offsets=zone_offsets("Europe/Berlin"), business_day_starts_minute=0
    )
    record = record_of(tmp_path, berlin, [*answered("today", at, 3), *answered("before", at - 7 * DAY_MS, 3)])
    asked = Asked(client="acme", language="en", first=day, last=day)
    shown = record.service(asked).arrivals
    nine = 9 * 12
    assert [step for step, count in enumerate(shown.counts) if count] == [nine]
    assert record.sessions(asked, Which(step=nine), 1).sessions[0].conversation == "today"
    assert [cell for cell, rate in enumerate(shown.attainment) if rate.whole] == [nine // 3]


def test_no_mark_of_a_picture_stands_beside_its_paper(tmp_path: Path) -> None:
    record = record_of(tmp_path, changed(), [*answered("quick", ms("08:00"), 3), *answered("slow", ms("23:00"), 40)])
    for first in ("2026-11-02", "2026-07-26"):
        page = record.service(Asked(client="acme", language="en", first=first, last="2026-11-02"))
        for (name, draw), paper in product(PICTURES.items(), (SCREEN, PHONE)):
            drawn = draw(getattr(page, name), words()["en"], WAYS, paper)
            assert f'viewBox="0 0 {paper.wide} ' in drawn
            for x, wide in re.findall(r'<rect [^>]*x="(\d+)" [^>]*width="(\d+)"', drawn):
                assert int(x) + int(wide) <= paper.right + 1, (name, paper)
            assert all(int(x) <= paper.wide for x in re.findall(r' x\d?="(\d+)"', drawn)), (name, paper)


def test_where_nothing_was_judged_it_is_not_said_that_nothing_was_missed(tmp_path: Path) -> None:
    record = record_of(tmp_path, changed(), answered("quick", ms("08:00"), 3))
    for day, says in (("2026-11-02", "No misses"), ("2026-10-31", "No data")):
        page = record.service(Asked(client="acme", language="en", first=day, last=day))
        assert says in charts.causes(page.causes, words()["en"], WAYS, SCREEN)
