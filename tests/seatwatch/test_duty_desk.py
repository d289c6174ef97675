"""Messages that are sent by themselves: when, once, and after restarts."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from structlog.testing import capture_logs

from dashboards.alerting._core.duty_facts import DutyFacts
from dashboards.alerting._core.message import Message
from seatwatch.__main__ import main
from seatwatch.config import Config, SiteSection
from seatwatch.duty.messages import KINDS
from seatwatch.duty.schedule import Due, ScheduleSettings, next_due
from seatwatch.duty.times import duty_times, next_opening
from seatwatch.message_section import MessageSection, message_problems
from seatwatch.on_call_config import AlertingSection, ChannelSection
from seatwatch.server.duty_desk import FILE, DutyDesk, NotMadeError
from seatwatch.settings import load_defaults
from sla_engine._core.definition import Definition, ServiceWindow
from sla_engine.definition_files import load_preset
from tests.builders import DAY as DATE
from tests.builders import PRESET, changed, clock, ms, rules
from tests.seatwatch.portal.worlds import client_of

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CHECK = MessageSection(kind="pre-opening", site="north", channels=["floor", "boss"])
DAILY = MessageSection(kind="daily", site="north", channels=["floor"])
SHIFTS = MessageSection(kind="handover", site="north", channels=["floor"], times=["16:00", "08:00", "00:30"])
SCHEDULE = load_defaults().fill(ScheduleSettings, "paging", prefix="message_")


class Killed(BaseException):
    """The process ends here."""


class World:
    """A desk that can be ended and started again, a clock, and channels that may refuse."""

    def __init__(self, data: Path, *messages: MessageSection) -> None:
        self.now = ms("06:00")
        self.sent: list[tuple[str, str]] = []
        self.refusing: set[str] = set()
        self.killed_at: set[str] = set()
        self.killed_after: set[str] = set()
        self.is_broken = False
        self._data = data
        site = SiteSection(id="north", name="North")
        alerting = AlertingSection(public_url="https://hub.example.com")
        channels = [
            ChannelSection(id="floor", kind="webhook", language="en", fallback="spare"),
            ChannelSection(id="boss", kind="webhook"),
            ChannelSection(id="spare", kind="webhook"),
        ]
        self._config = Config(site=[site], message=list(messages), alerting=alerting, channel=channels)
        self.start()

    def start(self) -> None:
        defaults = load_defaults()
        self._desk = DutyDesk(
            self._config,
            self._data,
            defaults=defaults,
            send=self._send,
            facts=self._facts,
            clock_ms=lambda: self.now,
        )

    async def look(self, at: int) -> list[tuple[str, str]]:
        """What went out at that instant: channel, and title with its first line."""
        self.now, self.sent = at, []
        async with aiohttp.ClientSession() as session:
            await self._desk.look(session)
        return self.sent

    async def _facts(self, message: MessageSection, due: Due) -> DutyFacts:
        if self.is_broken:
            raise NotMadeError("disk")
        since = due.at - DAY if due.since is None else due.since
        return DutyFacts(kind=KINDS[message.kind], id="north", name="", at=due.at, since=since)

    async def _send(self, session: aiohttp.ClientSession, name: str, message: Message) -> str:
        if name in self.killed_at:
            raise Killed
        if name in self.refusing:
            return "refused"
        self.sent.append((name, f"{message.title} | {message.lines[0]} | {message.link}"))
        if name in self.killed_after:
            raise Killed
        return ""


def test_each_kind_is_due_by_the_hours_of_the_contract(tmp_path: Path) -> None:
    assert next_due(CHECK, tmp_path, ms("06:00"), SCHEDULE) == Due(ms("07:30"), ms("07:30"), None)
    assert next_due(CHECK, tmp_path, ms("07:30"), SCHEDULE) == Due(ms("07:30") + DAY, ms("07:30") + DAY, None)
    assert next_due(DAILY, tmp_path, ms("04:14"), SCHEDULE) == Due(ms("04:15"), ms("04:00"), None)
    assert next_due(DAILY, tmp_path, ms("04:15"), SCHEDULE) == Due(ms("04:15") + DAY, ms("04:00") + DAY, None)
    assert next_due(SHIFTS, tmp_path, ms("09:00"), SCHEDULE) == Due(ms("16:00"), ms("16:00"), ms("08:00"))
    assert next_due(SHIFTS, tmp_path, ms("16:00"), SCHEDULE) == Due(ms("00:30") + DAY, ms("00:30") + DAY, ms("16:00"))


@pytest.mark.parametrize("before", [PRESET, load_preset("jd-30s-24h")], ids=["opens-later", "never-closes"])
def test_on_the_first_day_of_other_hours_the_check_comes_before_the_new_opening(
    tmp_path: Path, before: Definition
) -> None:
    early = changed(
        replace(before, version=before.version + 1, effective_from=ms("+2 00:00")),
        service_windows=(ServiceWindow(7 * 60, 22 * 60),),
    )
    client_of(tmp_path, "acme", [*rules(replace(before, effective_from=0), early), clock("09:00")])
    check = MessageSection(kind="pre-opening", client="acme", channels=["floor"])
    first = next_due(check, tmp_path, ms("+1 09:00"), SCHEDULE)
    assert first == Due(ms("+2 06:30"), ms("+2 06:30"), None)
    assert next_opening(tmp_path, "acme", "", ms("+2 06:30")) == ms("+2 07:00")


def test_a_site_is_checked_before_the_hours_that_its_roster_gives_it(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "site,service_hours,effective_from\n"
        "north,06:00-02:00,2020-01-01\n"
        f"north,10:00-22:00,{(DATE + timedelta(days=1)).date()}\n"
        "south,00:00-24:00,2020-01-01\n",
        encoding="utf-8",
    )
    data = tmp_path / "data"
    assert main(["roster", "import", str(roster), "--data", str(data), "--time-zone", "Asia/Shanghai"]) == 0
    assert next_due(CHECK, data, ms("05:00"), SCHEDULE) == Due(ms("05:30"), ms("05:30"), None)
    assert next_due(CHECK, data, ms("05:30"), SCHEDULE) == Due(ms("+1 09:30"), ms("+1 09:30"), None)
    never_closed = MessageSection(kind="pre-opening", site="south", channels=["floor"])
    assert next_due(never_closed, data, ms("05:00"), SCHEDULE) is None


def test_a_site_in_another_zone_is_checked_before_it_opens_by_its_own_clock(tmp_path: Path) -> None:
    roster, data = tmp_path / "roster.csv", tmp_path / "data"
    text = "site,service_hours,time_zone,effective_from\nnorth,08:00-20:00,Asia/Tokyo,2020-01-01\n"
    roster.write_text(text, encoding="utf-8")
    assert main(["roster", "import", str(roster), "--data", str(data), "--time-zone", "Asia/Shanghai"]) == 0
    assert next_due(CHECK, data, ms("05:00"), SCHEDULE) == Due(ms("06:30"), ms("06:30"), None), "07:30 in Tokyo"
    assert duty_times(data, "", "north", ms("05:00")).zone == "Asia/Tokyo"


def test_a_site_that_serves_past_midnight_is_checked_once_a_day_for_all_since_it_closed(tmp_path: Path) -> None:
    roster, data = tmp_path / "roster.csv", tmp_path / "data"
    roster.write_text("site,service_hours,effective_from\nnorth,20:00-04:00,2020-01-01\n", encoding="utf-8")
    assert main(["roster", "import", str(roster), "--data", str(data), "--time-zone", "Asia/Shanghai"]) == 0
    check = next_due(CHECK, data, ms("02:00"), SCHEDULE)
    assert check == Due(ms("19:30"), ms("19:30"), None), "not at midnight, and not while it serves"
    assert duty_times(data, "", "north", ms("19:30")).last_closing(ms("19:30")) == ms("04:00")


async def test_a_message_goes_out_once_to_every_channel_in_its_language(tmp_path: Path) -> None:
    world = World(tmp_path, CHECK)
    assert await world.look(ms("06:00")) == []
    assert await world.look(ms("07:29")) == []
    floor, boss = await world.look(ms("07:30"))
    assert (floor[0], boss[0]) == ("floor", "boss")
    assert floor[1].startswith("[Pre-opening check] North 11-02 07:30 ")
    assert floor[1].endswith("https://hub.example.com/?at=2026-11-02T07:30:00%2B08:00")
    assert not boss[1].startswith("[Pre-opening")
    assert await world.look(ms("07:31")) == []
    world.start()
    assert await world.look(ms("07:32")) == []
    assert [name for name, _ in await world.look(ms("07:30") + DAY)] == ["floor", "boss"]


async def test_a_server_that_was_down_at_the_time_sends_it_late_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, CHECK)
    await world.look(ms("06:00"))
    world.start()
    (_, floor), _ = await world.look(ms("08:10"))
    assert "07:30" in floor
    assert "sent 40 min late" in floor


async def test_what_is_too_late_is_not_sent_and_the_next_one_says_how_many(tmp_path: Path) -> None:
    world = World(tmp_path, CHECK)
    await world.look(ms("06:00"))
    world.start()
    assert await world.look(ms("13:00") + DAY) == []
    world.start()
    (_, floor), _ = await world.look(ms("07:30") + 2 * DAY)
    assert "2 earlier ones were not sent" in floor
    (_, floor), _ = await world.look(ms("07:30") + 3 * DAY)
    assert "earlier" not in floor


async def test_a_channel_that_refuses_is_tried_again_and_the_other_hears_nothing_twice(tmp_path: Path) -> None:
    world = World(tmp_path, CHECK)
    await world.look(ms("06:00"))
    world.refusing = {"floor"}
    assert [name for name, _ in await world.look(ms("07:30"))] == ["boss"]
    world.start()
    assert await world.look(ms("07:31")) == []
    world.refusing = set()
    assert [name for name, _ in await world.look(ms("07:32"))] == ["floor"]
    assert await world.look(ms("07:33")) == []


async def test_a_channel_that_keeps_refusing_gives_way_to_its_fallback(tmp_path: Path) -> None:
    world = World(tmp_path, CHECK)
    await world.look(ms("06:00"))
    world.refusing = {"floor"}
    assert [name for name, _ in await world.look(ms("07:30"))] == ["boss"]
    assert [name for name, _ in await world.look(ms("07:36"))] == ["spare"]
    assert await world.look(ms("07:37")) == []


async def test_a_process_killed_while_it_sends_does_not_send_that_again(tmp_path: Path) -> None:
    world = World(tmp_path, CHECK)
    await world.look(ms("06:00"))
    world.killed_at = {"floor"}
    with pytest.raises(Killed):
        await world.look(ms("07:30"))
    world.killed_at = set()
    world.start()
    assert [name for name, _ in await world.look(ms("07:31"))] == ["boss"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 7, 60, 5 * 60, 23 * 60]),
        *[st.sampled_from(["takes", "takes", "refuses", "dies before", "dies after"])] * 2,
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
async def test_however_it_is_killed_each_message_is_sent_at_most_once_and_none_is_lost_without_a_word(
    steps: list[tuple[int, str, str]],
) -> None:
    """Days of looks; after every one the process may have died before or after a channel took the message."""
    with TemporaryDirectory() as directory, capture_logs() as logs:
        world = World(Path(directory), CHECK)
        await world.look(ms("06:00"))
        sent: Counter[tuple[str, str]] = Counter()
        for minutes, floor, boss in steps:
            does = {"floor": floor, "boss": boss, "spare": "refuses"}
            world.refusing = {name for name, act in does.items() if act == "refuses"}
            world.killed_at = {name for name, act in does.items() if act == "dies before"}
            world.killed_after = {name for name, act in does.items() if act == "dies after"}
            with suppress(Killed):
                await world.look(world.now + minutes * MINUTE)
            sent.update((name, shown.rpartition("?at=")[2]) for name, shown in world.sent)
            world.start()
        end = world.now
    assert max(sent.values(), default=1) == 1
    fates = [entry for entry in logs if entry["event"] in {"message.sent", "message.skipped", "message.interrupted"}]
    told = {(entry["due_at"], name) for entry in fates for name in entry.get("channels", [entry.get("channel")])}
    days = (end - ms("06:00")) // DAY + 1
    gone = [due for day in range(days) if (due := ms("07:30") + day * DAY) < end - 5 * HOUR]
    quiet = [due for due in gone for name in ("floor", "boss") if (due, name) not in told]
    # the newest one may not have been looked at since it was too late
    assert [due for due in quiet if due != gone[-1]] == []


async def test_a_record_that_cannot_be_read_is_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path, CHECK, SHIFTS)
    await world.look(ms("06:00"))
    world.is_broken = True
    assert await world.look(ms("07:30")) == []
    world.is_broken = False
    assert len(await world.look(ms("07:31"))) == 2


async def test_nothing_of_before_a_message_was_configured_is_owed(tmp_path: Path) -> None:
    world = World(tmp_path, DAILY)
    assert await world.look(ms("12:00")) == []
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    world.start()
    assert await world.look(ms("12:01")) == []
    assert len(await world.look(ms("04:15") + DAY)) == 1


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"site": ""}, "client"),
        ({"site": "nowhere"}, "site"),
        ({"client": "nobody"}, "client"),
        ({"channels": []}, "channels"),
        ({"channels": ["nothing"]}, "channels"),
        ({"times": ["08:00"]}, "times"),
        ({"kind": "handover"}, "times"),
        ({"kind": "handover", "times": ["8"]}, "times"),
    ],
)
def test_what_is_wrong_with_a_section_is_said_by_its_key(fields: dict[str, Any], key: str) -> None:
    section = MessageSection(**{"kind": "daily", "site": "north", "channels": ["floor"], **fields})
    assert [found[0] for found in message_problems([section], [], ["north"], ["floor"])] == [f"message[0].{key}"]


def test_the_same_message_twice_is_refused() -> None:
    found = list(message_problems([DAILY, DAILY], [], ["north"], ["floor"]))
    assert [key for key, _, _ in found] == ["message[0].kind", "message[1].kind"]


AROUND_THE_CLOCK = """
[[site]]
id = "north"

[[site]]
id = "south"

[[client]]
id = "acme"
definition = "always.toml"

[[client.queue]]
id = "chat"

[[channel]]
id = "floor"
kind = "webhook"
url_file = "floor.url"
""" + "".join(
    f'[[message]]\nkind = "pre-opening"\n{whose}\nchannels = ["floor"]\n'
    for whose in ('site = "north"', 'site = "south"', 'client = "acme"')
)


@pytest.mark.parametrize(("language", "says"), [("en", "has no opening"), ("zh", "没有开班时刻")])
def test_check_config_names_each_check_before_an_opening_that_never_comes(
    language: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster, file = tmp_path / "roster.csv", tmp_path / "seatwatch.toml"
    roster.write_text("site,service_hours,effective_from\nsouth,00:00-24:00,2020-01-01\n", encoding="utf-8")
    file.write_text(AROUND_THE_CLOCK, encoding="utf-8")
    (tmp_path / "floor.url").write_text("http://127.0.0.1:9/floor", encoding="utf-8")
    (tmp_path / "floor.url").chmod(0o600)
    always = (files("sla_engine") / "presets" / "contract-10s.toml").read_text(encoding="utf-8")
    (tmp_path / "always.toml").write_text(always.replace('"08:00-24:00"', '"00:00-24:00"'), encoding="utf-8")
    assert main(["roster", "import", str(roster), "--data", str(tmp_path / "data"), "--time-zone", "UTC"]) == 0
    capsys.readouterr()
    assert main(["check-config", str(file), "--lang", language]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if says in line]
    assert [next(key for key in ("[0]", "[1]", "[2]") if key in line) for line in told] == ["[1]", "[2]"]
    assert "south" in told[0]
    assert "acme" in told[1]
    assert all("handover" in line for line in told)


async def test_a_check_that_never_falls_due_is_said_in_the_log_once(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("site,service_hours,effective_from\nnorth,00:00-24:00,2020-01-01\n", encoding="utf-8")
    imported = ["roster", "import", str(roster), "--data", str(tmp_path), "--time-zone", "Asia/Shanghai"]
    assert await asyncio.to_thread(main, imported) == 0
    world = World(tmp_path, CHECK)
    with capture_logs() as logged:
        assert await world.look(ms("07:00")) == []
        assert await world.look(ms("+1 07:00")) == []
    said = [line["message"] for line in logged if line["event"] == "message.never_due"]
    assert said == [CHECK.key]
