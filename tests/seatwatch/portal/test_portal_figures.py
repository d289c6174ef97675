"""Every figure of the portal is the one `seatwatch report` and `seatwatch explain` print."""

import csv
import hmac
import html
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dashboards.portal._core import charts
from dashboards.portal._core.svg import SCREEN
from dashboards.portal.record import Asked, AskedWronglyError, NothingSaidError, ServicePage
from dashboards.portal.server import PICTURES
from dashboards.portal.which import Which
from seatwatch.__main__ import main
from seatwatch.portal.picture_files import TABLES, picture_file
from seatwatch.portal.served import ServiceRecord
from seatwatch.server.web import words
from seatwatch.settings import load_defaults
from sla_engine.definition_files import parse_definition
from tests.builders import Event, changed, clock, contract, customer, ms, published, rules, signed, silent
from tests.seatwatch.portal.worlds import NOW, Browser, accounts, browser, client_of, day, portal, served
from wire.board import Ratio
from wire.incident import Cause, IncidentSaid, IncidentStep, Severity
from wire.verdict import Verdict

DAY = Asked(client="acme", language="en", first="2026-11-02", last="2026-11-02")
SPAN = ("--client", "acme", "--from", "2026-11-02", "--to", "2026-11-03", "--by", "day")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    client_of(tmp_path, "acme", day())
    (tmp_path / "acme.key").write_bytes(b"a key of acme\n")
    return tmp_path


@pytest.fixture
def record(data: Path) -> ServiceRecord:
    return served(data)


@pytest.fixture
async def opened(data: Path) -> AsyncIterator[Browser]:
    accounts(data)
    async with portal(data) as app, browser(app, "client") as signed_in:
        yield signed_in


def printed(data: Path, capsys: pytest.CaptureFixture[str], form: str) -> str:
    assert main(["report", *SPAN, "--data", str(data), "--format", form]) == 0
    return capsys.readouterr().out


def test_a_further_definition_of_the_contract_stands_below_by_its_own_days_and_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform = parse_definition('based_on = "jd-30s-2021-12-22"\nfirst_response_limit_s = 15\nwarning_after_s = 5\n')
    agreed = [published(), published(platform), signed(contract("contract-10s", platform.name))]
    client_of(tmp_path, "acme", [*agreed, *(event for event in day() if event not in rules())])
    page = served(tmp_path).service(DAY)
    (table,) = [each for each in page.tables if "jd-30s" in each.title]
    assert table.title.startswith("Platform rules: jd-30s@2#")
    assert table.title.endswith("(unofficial)")
    span = [*SPAN, "--definition", platform.name, "--data", str(tmp_path)]
    assert main(["report", *span, "--format", "csv"]) == 0
    (row, *_) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells["Offered"] == row["offered"]
    assert cells["Attainment"] == f"{row['attainment_percent']} % ({row['attainment_part']}/{row['attainment_whole']})"
    assert page.attainment != Ratio(int(row["attainment_part"]), int(row["attainment_whole"]))


def contents(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def page(record: ServiceRecord, asked: Asked = DAY) -> ServicePage:
    return record.service(asked)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_files_are_those_of_the_report_to_the_byte(
    record: ServiceRecord, data: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    body = record.service_file(DAY, form).decode()
    assert body.replace("\r\n", "\n").strip() == printed(data, capsys, form).replace("\r\n", "\n").strip()


def test_every_figure_on_the_page_is_the_reports(
    record: ServiceRecord, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(data, capsys, "table")
    shown = page(record)
    assert shown.summary[-1] == ("Data coverage", "100.00 %")
    for table in shown.tables:
        told = [cell for cell in table.total[1:] if len(cell) < 16]  # a longer one is folded in the printed table
        assert all(cell in text for cell in told), told
    total = json.loads(printed(data, capsys, "json"))["total"]["figures"]
    assert [shown.attainment.part, shown.attainment.whole] == list(total["attainment"].values()) == [2, 5]


def test_a_contract_that_begins_later_with_another_business_day_moves_no_day_of_before(
    record: ServiceRecord, data: Path
) -> None:
    before = record.service_file(DAY, "csv").decode().splitlines()
    later = changed(name="december", business_day_starts_minute=0)
    client_of(data, "acme", [published(later), signed(contract("december", since="+30 00:00", name="acme-2027"))])
    after = served(data)
    rows = after.service_file(DAY, "csv").decode().splitlines()
    assert len(rows) == len(before)
    assert [row.split(",")[:3] for row in rows] == [row.split(",")[:3] for row in before]


def test_pictures_add_up_to_the_figures(record: ServiceRecord) -> None:
    shown = page(record)
    bins = shown.histogram.bins
    assert (sum(each.met for each in bins), [each.limit_ms for each in shown.histogram.limits]) == (2, [10_000])
    assert (bins[7].met, bins[9].met, bins[11].missed, shown.histogram.no_reply) == (1, 1, 1, 2)
    assert [each.attainment for each in shown.days] == [Ratio(2, 5)]
    assert sum(cell.whole for row in shown.heat for cell in row) == 5
    assert shown.heat[0][9] == Ratio(2, 2)
    assert sum(shown.arrivals.counts) == 5
    assert shown.arrivals.counts[60] == 1, "09:00 is five hours after 04:00"
    assert shown.arrivals.week_before is not None
    assert sum(shown.arrivals.week_before) == 1
    assert sum(cell.whole for cell in shown.arrivals.attainment) == 5


def test_every_miss_has_one_cause_and_every_incident_its_place_in_the_day(record: ServiceRecord, data: Path) -> None:
    assert sum(each.count for each in page(record).causes or ()) == 3
    lasted = ms("10:00:00"), ms("16:00:00")
    client_of(data, "beta", [*day(), incident(*lasted), clock("+1 12:00:01")])
    shown = page(record, msgspec.structs.replace(DAY, client="beta"))
    assert [(each.cause, each.but_for) for each in shown.causes or ()] != []
    (lane,) = shown.days[0].incidents
    assert (lane.start, lane.end) == (250, 500), "six to twelve hours after 04:00"
    assert "chengdu" in lane.said
    assert lane.incident == "i-1"
    ways = charts.Ways(lambda **_: "", lambda incident: f"/portal/incident?id={incident}", 20)
    drawn = charts.days(shown.days, words()["en"], ways, SCREEN)
    assert '<a href="/portal/incident?id=i-1"' in drawn
    for least, is_few in ((shown.attainment.whole, False), (shown.attainment.whole + 1, True)):
        assert ("dot few" in charts.days(shown.days, words()["en"], ways._replace(few_judged=least), SCREEN)) == is_few
    assert shown.few_judged == load_defaults().int("board.few_judged")


@pytest.mark.parametrize("queue", ["", "presale", "aftersale"])
def test_misses_by_cause_are_those_of_the_report(
    record: ServiceRecord, data: Path, capsys: pytest.CaptureFixture[str], queue: str
) -> None:
    by_cause = ["--queue", queue] if queue else []
    assert main(["report", *SPAN[:-1], "cause", *by_cause, "--data", str(data), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    shown = page(record, msgspec.structs.replace(DAY, queue=queue)).causes or ()
    assert [(row["cause"], row["misses"], row["met_but_for_it"] > 0) for row in rows] == [
        (each.cause, each.count, each.but_for) for each in shown
    ]
    assert sum(each.count for each in shown) == {"": 3, "presale": 2, "aftersale": 1}[queue]


def incident(started_at: int, ended_at: int) -> Event:
    said = IncidentSaid(
        started_at,
        1,
        "incidents",
        None,
        True,
        "",
        incident="i-1",
        revision=1,
        step=IncidentStep.CLOSED,
        cause=Cause.SITE_POWER,
        what="mains_lost",
        site="chengdu",
        subject="",
        severity=Severity.PAGE,
        is_suspected=False,
        is_planned=False,
        started_at=started_at,
        ended_at=ended_at,
        of_ledger=b"o" * 16,
        first_index=1,
        last_index=2,
    )
    return Event(said, "incidents", ended_at)


def test_the_sessions_behind_a_percentage_are_as_many_as_it_counts(record: ServiceRecord) -> None:
    missed, met = (record.sessions(DAY, Which(verdict=each), 1) for each in (Verdict.BREACHED, Verdict.MET))
    assert (missed.found, met.found) == (3, 2)
    assert [each.conversation for each in met.sessions] == ["c1", "c2"]
    assert all(each.is_missed for each in missed.sessions)
    rows = list(csv.DictReader(io.StringIO(record.sessions_file(DAY, Which(), "csv").decode())))
    assert [row["conversation"] for row in rows] == ["c1", "c2", "c3", "c4", "c5"]
    assert json.loads(record.sessions_file(DAY, Which(verdict=Verdict.MET), "json"))[0]["first_response_ms"] == 8_000


def test_what_a_picture_is_drawn_from_adds_up_in_its_file_too(record: ServiceRecord) -> None:
    def told(picture: str) -> list[dict[str, int]]:
        found: list[dict[str, int]] = json.loads(picture_file(record.service(DAY), picture, "json"))
        rows = list(csv.reader(io.StringIO(picture_file(record.service(DAY), picture, "csv").decode())))
        assert rows[0] == list(found[0]), picture
        assert len(rows) == len(found) + 1
        return found

    assert set(PICTURES) == set(TABLES)
    assert sum(row["met_sessions"] + row["missed_sessions"] for row in told("histogram")) == 5
    assert [(row["met_sessions"], row["judged_sessions"]) for row in told("days")] == [(2, 5)]
    assert sum(row["missed_sessions"] for row in told("causes")) == 3
    assert sum(row["judged_sessions"] for row in told("heat")) == 5
    arrivals = told("arrivals")
    assert sum(row["sessions_in_5_min"] for row in arrivals) == 5
    assert sum(row["judged_sessions_in_15_min"] or 0 for row in arrivals) == 5
    assert arrivals[60] == {
        "from_day": "2026-11-02",
        "to_day": "2026-11-02",
        "queue": "*",
        "at": "09:00",
        "sessions_in_5_min": 1,
        "sessions_week_before": 1,
        "met_sessions_in_15_min": 1,
        "judged_sessions_in_15_min": 1,
    }
    assert told("staffing")[0]["contracted_hundredths_of_a_seat"] is None


def test_a_file_holds_number_by_number_what_its_picture_draws(record: ServiceRecord) -> None:
    week = Asked(client="acme", language="en", first="2026-10-26", last="2026-11-02", queue="presale")
    shown, texts, ways = record.service(week), words()["en"], charts.Ways(lambda **_: "", lambda _: "", 20)

    def file(picture: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(picture_file(record.service(week), picture, "json"))
        days = ("2026-11-02",) * 2 if picture == "arrivals" else ("2026-10-26", "2026-11-02")
        assert {(row["from_day"], row["to_day"], row["queue"]) for row in found} == {(*days, "presale")}
        return found

    def drawn(picture: str) -> list[str]:
        return re.findall("<title>(.*?)</title>", picture)

    def rate(row: dict[str, Any], ending: str = "") -> str:
        judged = row[f"judged_sessions{ending}"]
        return charts.rate_text(Ratio(row[f"met_sessions{ending}"], judged)) if judged else texts["no_data"]

    bins = [row for row in file("histogram") if row["from_s"] is not None]
    assert dict.fromkeys(drawn(charts.histogram(shown.histogram, texts, ways, SCREEN))) == dict.fromkeys(
        f"{row['from_s']}-{row['to_s']} s: {texts['met']} {row['met_sessions']}, "
        f"{texts['breached']} {row['missed_sessions']}"
        for row in bins
        if row["met_sessions"] or row["missed_sessions"]
    )
    with_data = [row["hour_of_day"] for row in file("heat") if row["judged_sessions"]]
    told = range(min(with_data), max(with_data) + 1)
    assert 0 not in told, "hours at which it is closed take no room"
    assert drawn(charts.heat(shown.heat, texts, ways, SCREEN)) == [
        f"{texts['portal_weekday_' + str(row['weekday'] - 1)]} {row['hour_of_day']:02}:00: {rate(row)}"
        for row in file("heat")
        if row["hour_of_day"] in told
    ]
    steps = file("arrivals")
    assert drawn(charts.arrivals(shown.arrivals, texts, ways, SCREEN)) == [
        *(f"{row['at']}: {row['sessions_in_5_min']}" for row in steps if row["sessions_in_5_min"]),
        *(f"{row['at']}: {rate(row, '_in_15_min')}" for row in steps[::3]),
    ]


def test_a_queue_alone_shows_its_own(record: ServiceRecord) -> None:
    alone = Asked(client="acme", language="en", first="2026-11-02", last="2026-11-02", queue="aftersale")
    assert page(record, alone).attainment == Ratio(0, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "yesterday"},
        {"first": "2026-11-03", "last": "2026-11-02"},
        {"first": "2020-01-01", "last": "2026-01-01"},
        {"first": "0001-01-01", "last": "0001-01-01"},
        {"queue": "of another client"},
    ],
)
def test_what_cannot_be_asked_is_said_to_be(record: ServiceRecord, wrong: dict[str, str]) -> None:
    with pytest.raises(AskedWronglyError):
        record.service(Asked(client="acme", language="en", **wrong))


def test_without_a_contract_or_a_record_there_are_words_and_no_figures(record: ServiceRecord, data: Path) -> None:
    with pytest.raises(NothingSaidError, match="portal_unreadable"):
        record.service(Asked(client="beta", language="en"))
    client_of(data, "beta", [customer("09:00:00"), clock(NOW)])
    with pytest.raises(NothingSaidError, match="portal_no_rules"):
        record.service(Asked(client="beta", language="en"))


async def test_pages_escape_what_others_named_and_speak_both_languages(opened: Browser) -> None:
    english = await (await opened.get("/portal/service?lang=en&from=2026-11-02&to=2026-11-02")).text()
    chinese = await (await opened.get("/portal/service?lang=zh-CN&from=2026-11-02&to=2026-11-02")).text()
    assert "Acme &amp; &lt;b&gt;Sons&lt;/b&gt;" in english
    assert "<script" not in english
    assert " style=" not in english
    assert '<html lang="zh-CN">' in chinese
    assert "40.00 % (2/5)" in english
    assert "40.00 % (2/5)" in chinese
    assert english.count("<svg") == 1 + 2 * len(PICTURES), "patterns, and each for a screen and for a phone"


async def test_a_conversation_is_told_as_explain_tells_it(
    opened: Browser, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = html.unescape(await (await opened.get("/portal/conversation?lang=en&id=c1")).text())
    assert main(["explain", "c1", "--client", "acme", "--data", str(data)]) == 0
    said = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith(("Customer", "Verdict"))]
    assert len(said) == 2
    assert all(line in body for line in said), said
    assert "Cause: " in await (await opened.get("/portal/conversation?lang=en&id=c3")).text()
    unknown = await opened.get("/portal/conversation?lang=en&id=c999")
    assert (unknown.status, "Declared gaps: 0" in await unknown.text()) == (404, True)
    assert (await opened.get("/portal/conversation?lang=en&id=%20")).status == 400


async def test_rules_are_told_in_plain_words_with_every_parameter(opened: Browser) -> None:
    body = html.unescape(await (await opened.get("/portal/rules?lang=en")).text())
    for said in (
        "A first response within 10.000 s is in time; a warning from 6.000 s",
        "Service window 08:00-24:00 (Asia/Shanghai); the business day starts at 04:00",
        "No percentage is contracted",
        "in force",
        "SHA-256 ",
        "first_response_limit_s",
    ):
        assert said in body, said


async def test_a_search_finds_by_id_and_by_pseudonym_and_keeps_nothing_of_what_was_typed(
    opened: Browser, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account = "buyer-13800000000"
    digest = hmac.new(b"a key of acme", account.encode(), "sha256").hexdigest()
    client_of(data, "acme", [silent("14:00:00"), customer("15:00:00", digest[:32]), clock("+1 12:00:01")])
    token = re.search(r'name="csrf" value="([^"]+)"', await (await opened.get("/portal/search?lang=en")).text())
    assert token is not None

    async def found(typed: str, **more: str) -> str:
        form = {"csrf": token[1], "typed": typed, "from": "2026-11-02", "to": "2026-11-02", **more}
        answer = await opened.post("/portal/search?lang=en", data=form)
        assert answer.status == 200
        return html.unescape(await answer.text())

    assert "id=c3" in await found("c3")
    by_account = await found(account)
    assert f"id={digest[:32]}" in by_account
    assert account not in by_account
    nothing = await found("buyer-unknown", hour="09")
    assert "Not received" in nothing
    assert "Looked at 2026-11-02 09:00:00.000 .. 2026-11-02 10:00:00.000 (Asia/Shanghai)" in nothing
    night = await found("buyer-unknown", hour="02")
    assert "Looked at 2026-11-03 02:00:00.000 .. 2026-11-03 03:00:00.000 (Asia/Shanghai)" in night
    today = await found("buyer-unknown", **{"from": "", "to": "", "hour": "09"})
    assert "Looked at 2026-11-03 09:00:00.000 .. 2026-11-03 10:00:00.000 (Asia/Shanghai)" in today
    assert "Data coverage: 100.00 %" in nothing
    assert "Declared gaps: 0" in nothing
    assert account not in caplog.text
    stored = contents(data)
    assert account.encode() not in stored
    assert b"buyer-unknown" not in stored


def test_without_a_key_a_search_says_what_it_cannot_find(data: Path) -> None:
    client_of(data, "beta", day())
    record = served(data)
    found = record.search(Asked(client="beta", language="en"), "buyer", "")
    assert found.conversations == ()
    assert "No pseudonym key is configured: only a conversation's id can be found" in found.holds
