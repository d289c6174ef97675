"""The portal's answers are made beside the server: once for all who wait, of one client, true as long as kept."""

import asyncio
import errno
import os
import resource
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from dashboards.portal.accounts import FILE
from dashboards.portal.record import Asked, AskedWronglyError, NothingSaidError, StillReadingError
from dashboards.portal.sessions import PortalSettings
from dashboards.portal.which import Which
from seatwatch.glossary import words
from seatwatch.own_process import OverdueError, OwnProcessError
from seatwatch.portal.kept_file import KeptFile
from seatwatch.portal.picture_files import picture_file
from seatwatch.portal.record import PortalRecord
from seatwatch.portal_told import Answer, Question, answer, room
from seatwatch.server.web import install_portal
from seatwatch.settings import load_defaults
from sla_engine.replay import replay
from sla_engine.reports.making import reports
from sla_engine.reports.stored import stored_facts
from tests.builders import clock, customer, ms
from tests.seatwatch.portal.sites import incident
from tests.seatwatch.portal.worlds import NOW, ReadHere, accounts, browser, client_of, config, day, served
from tests.sla_engine.feeding import Feed
from tests.sla_engine.test_local_runner import Hub, folded, running
from tests.waiting import wait_until

DAY = Asked(client="acme", language="en", first="2026-11-02", last="2026-11-02")
WEEK = msgspec.structs.replace(DAY, first="2026-10-27")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    client_of(tmp_path, "acme", [*day(), incident()])
    client_of(tmp_path, "beta", [*day("foreign-")])
    (tmp_path / "acme.key").write_bytes(b"a key of acme\n")
    return tmp_path


class Slow(ReadHere):
    """Answers when it is let; counts how often it was asked, and who about."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.asked: list[Question] = []
        self.fails: list[Exception] = []

    async def printed(self, module: str, *arguments: str, told: bytes = b"", files: Sequence[int] = ()) -> bytes:
        self.asked.append(msgspec.msgpack.decode(told, type=Question))
        KeptFile(files[0]).passed(30, 120)
        await self.let.wait()
        if self.fails:
            raise self.fails.pop()
        return await super().printed(module, *arguments, told=told, files=files)


@asynccontextmanager
async def asking(
    data: Path, process: object = None, clock_ms: Callable[[], int] = lambda: ms(NOW), **settings: int
) -> AsyncIterator[PortalRecord]:
    """The portal's record with its answers running. process: None = real ones."""
    record = PortalRecord(config(), data, data, defaults=load_defaults(), clock_ms=clock_ms)
    changed = msgspec.structs.replace(record.answers._settings, **{"page_waits_ms": 60_000, **settings})
    object.__setattr__(record.answers, "_settings", changed)
    if process is not None:
        object.__setattr__(record.answers, "_process", process)
    async with asyncio.TaskGroup() as tasks:
        answering = tasks.create_task(record.answers.run(), name="answers")
        yield record
        answering.cancel()


async def test_a_process_of_its_own_answers_as_the_record_says(data: Path) -> None:
    here = served(data)
    async with asking(data) as record:
        page = await record.service(WEEK)
        assert page == here.service(WEEK)
        for form in ("csv", "json"):
            assert await record.service_file(WEEK, form) == here.service_file(WEEK, form)
            assert await record.picture_file(WEEK, "days", form) == picture_file(page, "days", form)
            assert await record.sessions_file(WEEK, Which(), form) == here.sessions_file(WEEK, Which(), form)
        assert await record.sessions(WEEK, Which(), 1) == here.sessions(WEEK, Which(), 1)
        assert await record.conversation(WEEK, "c3") == here.conversation(WEEK, "c3")
        with pytest.raises(AskedWronglyError) as wrong:
            await record.service(msgspec.structs.replace(WEEK, first="2020-01-01"))
        assert wrong.value.filled == {"days": 100}
        with pytest.raises(NothingSaidError, match="portal_unreadable"):
            await record.service(msgspec.structs.replace(WEEK, client="nobody"))
        with pytest.raises(AskedWronglyError):
            await record.picture_file(WEEK, "../accounts", "csv")


async def test_two_who_look_at_the_same_share_one_reading_with_its_files(data: Path) -> None:
    slow = Slow()
    slow.let.set()
    async with asking(data, slow) as record:
        pages = await asyncio.gather(record.service(DAY), record.service(DAY), record.service_file(DAY, "csv"))
        assert pages[0] == pages[1]
        await record.picture_file(DAY, "heat", "json")
        assert [question.what for question in slow.asked] == ["served"]


async def test_what_the_first_page_leads_to_by_its_dates_is_of_the_same_reading(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, readings = Slow(), list[int]()
    slow.let.set()

    def counted(*given: Any) -> Any:
        readings.append(1)
        return reports(*given)

    monkeypatch.setattr("seatwatch.portal.reading.reports", counted)
    async with asking(data, slow) as record:
        page = await record.service(msgspec.structs.replace(WEEK, first="", last=""))
        dated = msgspec.structs.replace(WEEK, first=page.first, last=page.last)
        assert await record.service(dated) == page
        await record.service_file(dated, "csv")
        assert [question.what for question in slow.asked] == ["served"]
        assert await record.sessions(dated, Which(), 1) == served(data).sessions(dated, Which(), 1)
        foreign = msgspec.structs.replace(dated, client="beta")
        assert await record.service_file(foreign, "csv") == served(data).service_file(foreign, "csv")
    assert len(readings) == 2 + 2, "of each client one, and what they are compared with"


async def test_a_list_is_no_older_than_the_page_that_leads_to_it(data: Path) -> None:
    slow, now = Slow(), ms(NOW)
    slow.let.set()
    async with asking(data, slow, lambda: now) as record:
        asked = msgspec.structs.replace(WEEK, first="", last="")
        page = await record.service(asked)
        dated = msgspec.structs.replace(WEEK, first=page.first, last=page.last)
        for _ in range(2):
            await record.service(asked)
            now += 59_000
            await record.sessions(dated, Which(), 1)
            now += 1_000
        await record.service_file(dated, "csv")
    assert [question.what for question in slow.asked] == ["served", "sessions", "served", "sessions", "served"]


async def test_of_another_client_no_word_goes_to_whoever_answers(data: Path) -> None:
    slow = Slow()
    slow.let.set()
    async with asking(data, slow) as record:
        await record.service(DAY)
        foreign = await record.service(msgspec.structs.replace(DAY, client="beta"))
    (own, theirs) = slow.asked
    assert b"beta" not in msgspec.msgpack.encode(own)
    assert b"acme" not in msgspec.msgpack.encode(msgspec.structs.replace(theirs, base="", data=""))
    assert foreign == served(data).service(msgspec.structs.replace(DAY, client="beta"))


async def test_a_page_that_takes_long_says_how_far_it_is_and_then_comes_by_itself(data: Path) -> None:
    accounts(data)
    slow, app, path = Slow(), web.Application(), "/portal/service?lang=en&from=2026-11-02&to=2026-11-02"
    async with asking(data, slow, page_waits_ms=0) as record:
        install_portal(app, record, data, defaults=load_defaults(), elapsed_ms=lambda: 0)
        async with browser(app, "client") as opened:
            assert (await opened.get(path)).status == 202
            await wait_until(lambda: bool(slow.asked), what="the reading to begin")
            waiting = await opened.get(path)
            assert (waiting.status, waiting.headers["Refresh"]) == (202, "1")
            assert "30 of 120 entries read (25 %" in await waiting.text()
            assert '<progress max="100" value="25" ' in await waiting.text()
            slow.let.set()
            await record.service_file(DAY, "csv")
            page = await opened.get(path)
            assert (page.status, "40.00 % (2/5)" in await page.text()) == (200, True)
    assert len(slow.asked) == 1


@pytest.mark.parametrize("path", ["conversation?lang=zh&id=c3", "rules?lang=zh"])
async def test_a_page_that_waits_for_others_says_so_and_is_read_anew_once_it_was_quick(data: Path, path: str) -> None:
    accounts(data)
    slow, app = Slow(), web.Application()
    async with asking(data, slow, page_waits_ms=0) as record:
        install_portal(app, record, data, defaults=load_defaults(), elapsed_ms=lambda: 0)
        async with browser(app, "client") as opened:
            waiting = await opened.get(f"/portal/{path}")
            assert (waiting.status, words()["portal_reading"].zh in await waiting.text()) == (202, True)
            slow.let.set()
            await record.service_file(DAY, "csv")
            assert (await opened.get(f"/portal/{path}")).status == 200
    slow.asked.clear()
    async with asking(data, slow) as record:
        for _ in range(2):
            await record.rules(DAY)
    assert len(slow.asked) == 2


async def test_what_failed_is_told_once_and_then_tried_again(data: Path) -> None:
    slow = Slow()
    slow.let.set()
    slow.fails = [BlockingIOError("no more processes"), OwnProcessError("exit code 1"), OverdueError("took longer")]
    async with asking(data, slow) as record:
        for says in ("portal_page_too_much", "portal_unreadable", "portal_unreadable"):
            with pytest.raises(NothingSaidError) as nothing:
                await record.service(DAY)
            assert nothing.value.says == says
        assert (await record.service(DAY)).attainment.whole == 5


async def test_a_disk_that_is_full_holds_up_no_page(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    def counted(*given: Any, **more: Any) -> Any:
        read.append(given)
        return reports(*given, **more)

    read: list[object] = []
    async with asking(data, ReadHere()) as record:
        with monkeypatch.context() as patched:
            patched.setattr("os.pwrite", full)
            patched.setattr("seatwatch.portal.reading.reports", counted)
            page = await record.service(DAY)
        assert (page.attainment.whole, len(read)) == (5, 1), "its files are of the same reading"
        assert (await record.sessions(DAY, Which(), 1)).found == 5
        with monkeypatch.context() as patched:
            patched.setattr("seatwatch.portal.answers.TemporaryFile", full)
            with pytest.raises(NothingSaidError, match="portal_unreadable"):
                await record.service(WEEK)
        assert (await record.service(WEEK)).attainment.whole == 5


async def test_a_reader_ended_while_it_kept_what_it_read_leaves_nothing_that_the_next_one_trips_over(
    data: Path,
) -> None:
    class Ended(ReadHere):
        times = 0

        async def printed(self, module: str, *arguments: str, told: bytes = b"", files: Sequence[int] = ()) -> bytes:
            said = await super().printed(module, *arguments, told=told, files=files)
            self.times += 1
            if self.times == 1:
                os.ftruncate(files[0], os.fstat(files[0]).st_size - 40)
                raise OverdueError("took longer")
            return said

    async with asking(data, Ended()) as record:
        with pytest.raises(NothingSaidError, match="portal_page_too_much"):
            await record.service(DAY)
        assert (await record.service(DAY)).attainment.whole == 5


async def test_who_asks_for_much_holds_up_no_other_client(data: Path) -> None:
    slow = Slow()
    async with asking(data, slow, page_waits_ms=0) as record:
        for first in ("2026-10-28", "2026-10-29", "2026-10-30", "2026-10-31"):
            with pytest.raises(StillReadingError):
                await record.service(msgspec.structs.replace(DAY, first=first))
        await wait_until(lambda: bool(slow.asked), what="the first one to begin")
        foreign = msgspec.structs.replace(DAY, client="beta")
        with pytest.raises(StillReadingError) as still:
            await record.service(foreign)
        assert (still.value.entries, still.value.of) == (0, 0), "of another client's reading it is told nothing"
        slow.let.set()
        await record.service_file(foreign, "csv")
        assert [question.asked.client for question in slow.asked][:2] == ["acme", "beta"]


async def test_who_is_locked_out_while_an_answer_is_made_gets_none_of_it(data: Path) -> None:
    accounts(data)
    slow, app, path = Slow(), web.Application(), "/portal/service.csv?lang=en&from=2026-11-02&to=2026-11-02"
    async with asking(data, slow) as record, asyncio.TaskGroup() as tasks:
        install_portal(app, record, data, defaults=load_defaults(), elapsed_ms=lambda: 0)
        async with browser(app, "client") as opened:
            asked = tasks.create_task(opened.get(path, allow_redirects=False), name="file")
            await wait_until(lambda: bool(slow.asked), what="the reading to begin")
            (data / FILE).write_text("[]")
            slow.let.set()
            answered = await asked
            assert (answered.status, b"2026-11-02" in await answered.read()) == (303, False)
            assert answered.headers["Location"].startswith("/portal/sign-in?")


async def test_more_questions_than_may_wait_are_refused_in_words_and_a_stop_leaves_nobody_waiting(data: Path) -> None:
    slow = Slow()
    async with asking(data, slow, page_waits_ms=0) as record:
        most = load_defaults().int("portal.questions_max")
        days = [f"2026-10-{number:02}" for number in range(1, 32)] + ["2026-11-01", "2026-11-02"]
        for first in days[:most]:
            with pytest.raises(StillReadingError):
                await record.service(msgspec.structs.replace(DAY, first=first))
            await wait_until(lambda: bool(slow.asked), what="the first one to begin")
        with pytest.raises(NothingSaidError, match="portal_busy"):
            await record.service(msgspec.structs.replace(DAY, first="2026-09-30"))
        waiting = asyncio.gather(record.service_file(DAY, "csv"), return_exceptions=True)
        await asyncio.to_thread(lambda: None)
    (ended,) = await waiting
    assert isinstance(ended, NothingSaidError)


async def test_a_later_entry_is_seen_after_a_moment_and_without_one_nothing_is_read_again(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, read = ms(NOW), 0
    made = reports

    def counted(*given: Any, **more: Any) -> Any:
        nonlocal read
        read += 1
        return made(*given, **more)

    monkeypatch.setattr("seatwatch.portal.reading.reports", counted)
    moment = load_defaults().fill(PortalSettings, "portal").figures_kept_ms
    async with asking(data, ReadHere(), lambda: now) as record:
        page = await record.service(DAY)
        now += moment
        assert (await record.service(DAY), read) == (page, 1), "the record has not grown"
        assert (await record.sessions(DAY, Which(), 1)).found == page.attainment.whole
        client_of(data, "acme", [customer("13:00:00", "c9"), clock("+1 12:00:02")])
        assert await record.service(DAY) == page, "a page, its files and its lists show the same"
        now += moment
        assert (await record.service(DAY)).attainment.whole == page.attainment.whole + 1
        assert (await record.sessions(DAY, Which(), 1)).found == page.attainment.whole + 1
        assert read == 2


def test_a_service_page_folds_its_record_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folds = 0

    def counted(*given: Any) -> Any:
        nonlocal folds
        folds += 1
        return replay(*given)

    monkeypatch.setattr("sla_engine.reports.making.replay", counted)
    monkeypatch.delattr("sla_engine.causes.Replay")
    assert served(data).service(WEEK).attainment.whole == 5
    assert folds == 1


async def test_a_page_is_the_same_from_an_engines_facts_as_from_the_ledger(data: Path, tmp_path: Path) -> None:
    folded_page, folded_list = served(data).service(WEEK), served(data).sessions(WEEK, Which(), 1)
    feed = Feed(data / "clients" / "acme")
    async with running(tmp_path / "engine", feed, Hub(NOW)) as runner:
        await folded(runner, feed)
        facts = tmp_path / "engine" / "facts"

        def reaches() -> bool:
            found = stored_facts(facts, feed.ledger_id)
            if found is None:
                return False
            found.close()
            return found.next_index == feed.size

        await wait_until(reaches, what="the facts to be written")
    (data / "facts").mkdir()
    facts.rename(data / "facts" / "acme")
    feed.close()
    assert served(data).service(WEEK) == folded_page
    assert served(data).sessions(WEEK, Which(), 1) == folded_list


def test_a_reading_that_needs_more_memory_than_it_may_is_said_to_be_too_much(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("seatwatch.portal.reading.reports", no_room)
    record = PortalRecord(config(), data, data, defaults=load_defaults(), clock_ms=lambda: ms(NOW))
    question = record._question("served", DAY)
    assert answer(question, None, load_defaults()) == Answer(says="portal_page_too_much")


@pytest.mark.parametrize(("hard", "has"), [(resource.RLIM_INFINITY, 2_000), (3_000, 2_000), (1_500, 1_500)])
def test_a_reader_asks_for_no_more_room_than_the_server_was_given(hard: int, has: int) -> None:
    assert room(2_000, hard) == has
