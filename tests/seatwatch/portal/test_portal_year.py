"""A client who settles by the year reads months as they are settled, then their days."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from dashboards.portal.record import Asked, AskedWronglyError, NothingSaidError
from seatwatch.__main__ import main
from seatwatch.portal.record import PortalRecord
from seatwatch.settings import load_defaults
from tests.builders import agent, clock, closed, customer, declared, ms, rules
from tests.seatwatch.portal.sites import incident
from tests.seatwatch.portal.worlds import NOW, accounts, browser, client_of, config, portal, years_read_here

WEEKS = range(-52, 1)
YEAR = Asked(client="acme", language="en", first="2025-12-01", last="2026-11-02")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One session a week over a year, every fifth of them answered too late; the last day has an incident."""
    told = [*rules(), declared("-366 08:00"), incident()]
    for number, week in enumerate(WEEKS):
        waits = 12 if number % 5 == 0 else 4
        at, name = f"{7 * week} 10:00:", f"c{number}"
        told += [customer(f"{at}00", name), agent(f"{at}{waits:02}", "anna", name), closed(f"{at}30", name)]
    client_of(tmp_path, "acme", [*told, clock(NOW)])
    accounts(tmp_path)
    return tmp_path


@pytest.fixture
def record(data: Path) -> PortalRecord:
    return PortalRecord(config(), data, data, defaults=load_defaults(), clock_ms=lambda: ms(NOW))


@pytest.fixture
async def app(data: Path) -> AsyncIterator[web.Application]:
    async with portal(data) as application:
        yield application


async def test_a_year_is_its_months_as_they_are_settled_and_all_of_their_days(
    record: PortalRecord, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = await record.years.year(YEAR)
    assert [month.name for month in page.months] == ["2025-12", *(f"2026-{month:02}" for month in range(1, 12))]
    assert (page.months[1].first, page.months[1].last) == ("2026-01-01", "2026-01-31")
    assert (page.months[-1].first, page.months[-1].last) == ("2026-11-01", "2026-11-02")
    assert len(page.days) == 337
    assert page.days[0].name == "2025-12-01"
    judged = [day for day in page.days if day.attainment.whole]
    assert (sum(day.attainment.part for day in judged), len(judged)) == (page.attainment.part, page.attainment.whole)
    assert page.attainment.whole == 49
    assert [day.name for day in page.days if day.incidents] == ["2026-11-02"]
    option = ("--client", "acme", "--data", str(data), "--from", "2025-12-01", "--to", "2026-11-03", "--format", "csv")
    for rows in ("month", "day"):
        assert main(["report", *option, "--by", rows]) == 0
        assert (await record.years.year_file(YEAR, rows, "csv")).decode() == capsys.readouterr().out
    months = list(csv.DictReader(io.StringIO((await record.years.year_file(YEAR, "month", "csv")).decode())))
    assert len(months) == 13
    assert len(json.loads(await record.years.year_file(YEAR, "day", "json"))["rows"]) == 337


async def test_without_days_it_is_the_last_twelve_months_and_longer_ones_are_refused_in_words(
    record: PortalRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await record.years.year(Asked(client="acme", language="zh"))
    assert (page.first, page.last, len(page.months)) == ("2025-12-01", "2026-11-03", 12)
    with pytest.raises(AskedWronglyError) as wrong:
        await record.years.year(Asked(client="acme", language="en", first="2024-01-01", last="2026-11-02"))
    assert (wrong.value.says, wrong.value.filled) == ("portal_year_too_long", {"days": 400})
    years_read_here(monkeypatch)
    for first, last in (("2026-11-02", "2026-11-01"), ("0001-01-01", "0001-01-01"), ("", "0001-01-02"), ("x", "")):
        with pytest.raises(AskedWronglyError):
            await record.years.year(Asked(client="acme", language="en", first=first, last=last))
    with pytest.raises(AskedWronglyError):
        await record.years.year(Asked(client="acme", language="en", queue="nobodys"))
    with pytest.raises(AskedWronglyError):
        await record.years.year_file(YEAR, "shift", "csv")


async def test_a_year_without_rules_or_without_a_record_is_said_not_to_be(tmp_path: Path) -> None:
    record = PortalRecord(config(), tmp_path, tmp_path, defaults=load_defaults(), clock_ms=lambda: ms(NOW))
    client_of(tmp_path, "beta", [clock(NOW)])
    for client, says in (("beta", "portal_no_rules"), ("acme", "portal_unreadable")):
        with pytest.raises(NothingSaidError) as nothing:
            await record.years.year(Asked(client=client, language="en"))
        assert nothing.value.says == says


async def test_a_month_leads_to_its_days_and_a_day_to_its_sessions(app: web.Application) -> None:
    async with browser(app, "client") as opened:
        page = await (await opened.get("/portal/year?lang=en&from=2025-12-01&to=2026-11-02")).text()
        assert "/portal/service?lang=en&amp;from=2026-03-01&amp;to=2026-03-31" in page
        assert "/portal/sessions?lang=en&amp;from=2026-10-26&amp;to=2026-10-26&amp;figure=attainment" in page
        assert page.count("<svg") == 3, "patterns, and the picture for a screen and for a phone"
        assert (await opened.get("/portal/service?lang=en&from=2026-03-01&to=2026-03-31")).status == 200
        too_long = await opened.get("/portal/service?lang=en&from=2025-12-01&to=2026-11-02")
        assert (too_long.status, "longer spans are under Year" in await too_long.text()) == (400, True)
        named = await opened.get("/portal/year.csv?lang=en&rows=month&from=2025-12-01&to=2026-11-02")
        assert 'filename="year-month-acme-2025-12-01-2026-11-02.csv"' in named.headers["Content-Disposition"]
