"""From a figure, a bar or a cell to as many sessions as it counts, and from one of them to its timeline and back."""

import csv
import html
import io
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from dashboards.portal.record import Asked, AskedWronglyError, ServicePage
from dashboards.portal.which import Which
from seatwatch.glossary import words
from seatwatch.portal.choosing import BINS, listed_figures
from seatwatch.portal.reading import Told
from seatwatch.portal.served import ServiceRecord
from seatwatch.printed.report_columns import COLUMNS
from seatwatch.settings import load_defaults
from tests.builders import clock, customer, ms
from tests.seatwatch.portal.test_portal_figures import incident
from tests.seatwatch.portal.worlds import accounts, browser, client_of, day, portal, served
from wire.board import Mean, Ratio
from wire.incident import Cause
from wire.verdict import Verdict

DAY = Asked(client="acme", language="en", first="2026-11-02", last="2026-11-02")
ADDRESS = "lang=en&from=2026-11-02&to=2026-11-02"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of five sessions, three of them missed, one while the mains were gone."""
    directory = tmp_path_factory.mktemp("drill")
    client_of(directory, "acme", [*day(), incident(ms("09:59:55"), ms("11:00:40")), clock("+1 12:00:01")])
    (directory / "acme.key").write_bytes(b"a key of acme\n")
    accounts(directory)
    return directory


@pytest.fixture(scope="module")
def record(data: Path) -> ServiceRecord:
    return served(data)


def count(record: ServiceRecord, which: Which) -> int:
    return record.sessions(DAY, which, 1).found


def test_each_bar_of_the_causes_lists_as_many_sessions_as_it_is_long(record: ServiceRecord) -> None:
    causes = record.service(DAY).causes or ()
    assert sum(each.count for each in causes) == 3
    for each in causes:
        which = Which(verdict=Verdict.BREACHED, cause=Cause(each.cause))
        listed = record.sessions(DAY, which, 1)
        assert listed.found == each.count, each.cause
        assert {row.but_for for row in listed.sessions} == {each.but_for}
        assert all(row.is_missed and row.cause and row.definition for row in listed.sessions)
        assert listed.common[0].startswith("Verdict: ")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_conversation_and_the_rules_call_queues_and_formulas_by_their_names(
    record: ServiceRecord, language: str
) -> None:
    asked = msgspec.structs.replace(DAY, language=language)
    page = record.conversation(asked, "c3")
    titles = [section.title for section in page.sections]
    (session,) = (title for title in titles if "2026-11-02 10:00:00" in title)
    assert "Before" in session
    level = words()["within_of_offered_less_short"].text("zh" if language == "zh-CN" else "en")
    assert [level in line for section in page.sections for line in section.lines].count(True) == 1
    assert "within_of" not in str(page).replace(level, ""), "an id only behind its words"
    rules = [line for section in record.rules(asked).definitions for line in section.lines]
    assert [level in line for line in rules].count(True) == 1
    assert "within_of" not in str(rules).replace(level, "")


def test_an_incident_lists_what_was_missed_for_it(record: ServiceRecord) -> None:
    by_incident = [row for row in record.sessions(DAY, Which(), 1).sessions if row.incident]
    assert count(record, Which(incident="i-1")) == len(by_incident)
    assert count(record, Which(incident="i-nobody-knows")) == 0


def test_every_cell_of_the_tables_lists_as_many_sessions_as_it_counts(record: ServiceRecord) -> None:
    told: Told = record._reading.told(DAY)
    counts = {}
    for column in COLUMNS:
        if column.key in listed_figures(told.daily):
            match column.take(told.daily.total):
                case Ratio(whole=whole) | Mean(count=whole):
                    counts[column.key] = whole
                case whole:
                    counts[column.key] = whole or 0
    assert counts["offered"] == counts["attainment"] == 5
    assert {key: count(record, Which(figure=key)) for key in counts} == counts


def test_every_mark_of_a_picture_lists_as_many_sessions_as_it_counts(record: ServiceRecord) -> None:
    page: ServicePage = record.service(DAY)
    for second, each in enumerate(page.histogram.bins):
        assert count(record, Which(verdict=Verdict.MET, second=second)) == each.met
        assert count(record, Which(verdict=Verdict.BREACHED, second=second)) == each.missed
    assert count(record, Which(verdict=Verdict.BREACHED, unreplied=True)) == page.histogram.no_reply == 2
    assert len(page.histogram.bins) == BINS
    assert count(record, Which(weekday=0, hour=9, figure="attainment")) == page.heat[0][9].whole == 2
    assert count(record, Which(weekday=1, hour=9)) == 0
    for step, arrived in enumerate(page.arrivals.counts):
        if arrived:
            assert count(record, Which(step=step)) == arrived
            quarter = step // 3
            assert count(record, Which(step=quarter * 3, steps=3)) == page.arrivals.attainment[quarter].whole


def test_a_file_holds_the_same_sessions_with_their_causes_and_waits(record: ServiceRecord) -> None:
    which = Which(verdict=Verdict.BREACHED, unreplied=True)
    rows = list(csv.DictReader(io.StringIO(record.sessions_file(DAY, which, "csv").decode())))
    told = json.loads(record.sessions_file(DAY, which, "json"))
    assert [row["conversation"] for row in rows] == [row["conversation"] for row in told] == ["c4", "c5"]
    assert told[0]["waited_ms"] == 30_000
    assert told[0]["started_at_local"] == rows[0]["started_at_local"] == "2026-11-02 11:00:00"
    assert {row["met_but_for_it"] for row in told} <= {0, 1}
    assert all(row["cause"] in set(Cause) for row in told)
    (met, *_) = json.loads(record.sessions_file(DAY, Which(verdict=Verdict.MET), "json"))
    assert (met["cause"], met["met_but_for_it"], met["waited_ms"]) == (None, None, None)


def test_more_sessions_than_a_page_holds_are_on_the_next_ones(tmp_path: Path) -> None:
    listed_max = load_defaults().int("portal.listed_max")
    more = [customer(f"13:{at // 60:02}:{at % 60:02}", f"m{at:04}") for at in range(listed_max)]
    client_of(tmp_path, "acme", [*day(), *more, clock("+1 12:00:01")])
    record = served(tmp_path)
    first, second, beyond = (record.sessions(DAY, Which(), page) for page in (1, 2, 9))
    assert (len(first.sessions), first.pages) == (listed_max, 2)
    assert beyond == second
    listed = [row.conversation for row in (*first.sessions, *second.sessions)]
    assert len(set(listed)) == first.found == len(listed)


@pytest.mark.parametrize("figure", ["average_response", "transfers", "../x"])
def test_a_figure_that_counts_no_sessions_has_no_list(record: ServiceRecord, figure: str) -> None:
    with pytest.raises(AskedWronglyError):
        record.sessions(DAY, Which(figure=figure), 1)


WRONG = ("verdict=late", "cause=ghosts", "hour=24", "weekday=7", "step=288", "second=-1", "page=0", "page=" + "9" * 99)


async def test_what_no_list_is_about_is_said_to_be_asked_wrongly(data: Path) -> None:
    async with portal(data) as app, browser(app, "client") as opened:
        for wrong in WRONG:
            assert (await opened.get(f"/portal/sessions?{ADDRESS}&{wrong}")).status == 400, wrong


async def test_the_way_down_to_a_timeline_keeps_what_was_chosen_and_leads_back(data: Path) -> None:
    async with portal(data) as app, browser(app, "client") as opened:

        async def links(path: str, wanted: str) -> list[str]:
            answer = await opened.get(path)
            assert answer.status == 200, path
            found = re.findall(r'href="([^"]+)"', await answer.text())
            return [html.unescape(each) for each in found if wanted in each]

        service = f"/portal/service?{ADDRESS}&queue=presale"
        for mark in ("cause=", "weekday=0", "second=11", "figure=attainment", "step=", "unreplied="):
            assert await links(service, mark), mark
        by_cause = (await links(service, "cause="))[0]
        (row, *_) = await links(by_cause, "/portal/conversation?")
        (back,) = [each for each in await links(row, "cause=") if each.startswith("/portal/sessions?")]
        kept = {**parse_qs(urlsplit(by_cause).query), "page": ["1"]}
        assert parse_qs(urlsplit(back).query) == kept
        (other, *_) = [each for each in await links(row, "zh-CN") if "/conversation" in each]
        assert parse_qs(urlsplit(other).query)["id"], "the other language tells the same conversation"
        nothing = await opened.get(f"/portal/sessions?{ADDRESS}&cause=surge")
        assert (nothing.status, "0 listed of 0" in await nothing.text()) == (200, True)
