import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec

from collector._core.admission import Outcome
from collector.sources import Source
from collector.timekeeper import Timekeeper, TimekeeperSettings
from tests.collector.running import CLIENT, Hub, running_hub
from tests.collector.store import NOW, frame, item
from tests.waiting import wait_until
from wire.facility import Heartbeat, Role
from wire.frame import Frame, Lane
from wire.ids import OPERATOR
from wire.record import Clock, SourceBack, SourceSilent

SETTINGS = TimekeeperSettings(clock_open_ms=1000, clock_idle_ms=60_000, silent_after=3, restore_rows=100)
GATEWAY = "site-1/gateway"
SEAT = "site-1/seat-1"
SITES = [
    Source(id=GATEWAY, carries="facilities", site="site-1", heartbeat_ms=10_000),
    Source(id=SEAT, carries="facilities", site="site-1"),
]


def keeper(hub: Hub, *, owed: bool = False, tick_ms: int = SETTINGS.clock_open_ms) -> Timekeeper:
    settings = msgspec.structs.replace(SETTINGS, clock_open_ms=tick_ms)
    return Timekeeper(hub.intake, settings, clock_ms=lambda: hub.now, owes=lambda client: owed and client == CLIENT)


def seconds(hub: Hub, client: str = CLIENT) -> list[int]:
    return [(clock.occurred_at - NOW) // 1000 for clock in hub.bodies(Clock, client)]


def silences(hub: Hub) -> list[tuple[str, str, int]]:
    return [
        (type(body).__name__, body.about_source, (body.occurred_at - NOW) // 1000)
        for record in hub.records(OPERATOR)
        if isinstance(body := record.body, SourceSilent | SourceBack)
    ]


def beat(sequence: int, source: str = GATEWAY, interval_ms: int = 10_000) -> Frame:
    body = Heartbeat(NOW, 1, source, 5, True, "", "site-1", "", Role.GATEWAY, interval_ms, 60_000)
    return frame(item(sequence, body), source=source)


async def say(hub: Hub, sent: Frame) -> None:
    await hub.intake.submit(sent, hub.principal(sent.source))


async def pass_time(hub: Hub, timekeeper: Timekeeper, seconds_passed: int) -> None:
    for _ in range(seconds_passed):
        hub.now += 1000
        await timekeeper.tick()


async def test_while_a_reply_is_owed_every_second_is_on_the_record_and_every_minute_otherwise(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        timekeeper = keeper(hub, owed=True)
        await timekeeper.tick()
        hub.now += 400
        await timekeeper.tick()
        await pass_time(hub, timekeeper, 3)
        assert seconds(hub) == [0, 1, 2, 3]
        assert seconds(hub, OPERATOR) == [0]
        await pass_time(hub, timekeeper, 60)
        assert seconds(hub, OPERATOR) == [0, 60]


async def test_a_restart_within_a_second_adds_no_second_clock_entry(tmp_path: Path) -> None:
    for _ in range(2):
        async with running_hub(tmp_path) as hub:
            timekeeper = keeper(hub)
            await timekeeper.restore()
            await timekeeper.tick()
            assert seconds(hub) == [0]


async def test_a_clock_that_steps_back_writes_nothing_until_it_has_caught_up(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        timekeeper = keeper(hub, owed=True)
        await timekeeper.tick()
        hub.now -= 5000
        await pass_time(hub, timekeeper, 6)
        assert seconds(hub) == [0, 1]


async def test_three_missed_heartbeats_are_a_silence_and_the_next_word_ends_it(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=SITES) as hub:
        timekeeper = keeper(hub)
        await say(hub, beat(1))
        await pass_time(hub, timekeeper, 29)
        assert silences(hub) == []
        await pass_time(hub, timekeeper, 5)
        assert silences(hub) == [("SourceSilent", GATEWAY, 30)]
        (silent,) = hub.bodies(SourceSilent, OPERATOR)
        assert silent.heard_at == NOW
        await say(hub, beat(2))
        await pass_time(hub, timekeeper, 31)
        assert silences(hub) == [
            ("SourceSilent", GATEWAY, 30),
            ("SourceBack", GATEWAY, 34),
            ("SourceSilent", GATEWAY, 64),
        ]


async def test_a_heartbeat_may_promise_what_the_registration_does_not(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=SITES) as hub:
        timekeeper = keeper(hub)
        await say(hub, beat(1, SEAT, interval_ms=2000))
        await say(hub, frame(item(2), source=SEAT))
        await pass_time(hub, timekeeper, 6)
        assert silences(hub) == [("SourceSilent", SEAT, 6)]


async def test_who_promised_nothing_and_who_never_spoke_is_not_silent(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=SITES) as hub:
        timekeeper = keeper(hub)
        await timekeeper.restore()
        await say(hub, frame(item(1), source=SEAT))
        await pass_time(hub, timekeeper, 100)
        assert silences(hub) == []


async def test_a_restart_neither_repeats_a_silence_nor_forgets_it(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=SITES) as hub:
        await say(hub, beat(1))
        await pass_time(hub, keeper(hub), 40)
    for _ in range(2):
        async with running_hub(tmp_path, sources=SITES) as hub:
            hub.now += 100_000
            timekeeper = keeper(hub)
            await timekeeper.restore()
            await pass_time(hub, timekeeper, 40)
            assert silences(hub) == [("SourceSilent", GATEWAY, 30)]
    async with running_hub(tmp_path, sources=SITES) as hub:
        hub.now += 200_000
        timekeeper = keeper(hub)
        await timekeeper.restore()
        await say(hub, beat(2))
        await pass_time(hub, timekeeper, 1)
        assert silences(hub)[1:] == [("SourceBack", GATEWAY, 200)]


async def test_after_a_restart_everybody_gets_time_to_come_back_before_being_called_silent(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=SITES) as hub:
        await say(hub, beat(1))
        await say(hub, beat(1, SEAT, interval_ms=5000))
    async with running_hub(tmp_path, sources=SITES) as hub:
        hub.now += 600_000
        timekeeper = keeper(hub)
        await timekeeper.restore()
        await pass_time(hub, timekeeper, 14)
        assert silences(hub) == []
        await pass_time(hub, timekeeper, 30)
        assert silences(hub) == [("SourceSilent", SEAT, 615), ("SourceSilent", GATEWAY, 630)]
        assert {silent.heard_at for silent in hub.bodies(SourceSilent, OPERATOR)} == {NOW}


async def test_a_source_last_heard_before_the_oldest_entry_looked_at_is_still_missed(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=SITES) as hub:
        await say(hub, beat(1))
        for sequence in range(1, 121):
            await say(hub, frame(item(sequence), source=SEAT))
    async with running_hub(tmp_path, sources=SITES) as hub:
        timekeeper = keeper(hub)
        await timekeeper.restore()
        await pass_time(hub, timekeeper, 30)
        assert silences(hub) == [("SourceSilent", GATEWAY, 30)]


async def test_run_restores_and_ticks_until_it_is_cancelled(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=SITES) as hub:
        await say(hub, beat(1))
    async with running_hub(tmp_path, sources=SITES) as hub:
        task = asyncio.get_running_loop().create_task(keeper(hub, tick_ms=1).run(), name="timekeeper")
        await wait_until(lambda: seconds(hub) == [0], what="the first clock entry")
        assert silences(hub) == []
        hub.now += 30_000
        await wait_until(lambda: silences(hub) != [], what="the gateway to be missed")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert silences(hub) == [("SourceSilent", GATEWAY, 30)]  # only the run before has heard it: it was restored
        assert seconds(hub) == [0]


# --------------------------------------------------------------------------------------------- while the hub was away

CHAT = "chat/acme"
BEATS = Source(id=CHAT, client=CLIENT, heartbeat_ms=10_000)
PROMISES_NOTHING = Source(id=CHAT, client=CLIENT)


def word(number: int) -> Frame:
    """An event with an id of its own: nobody can tell whether one is missing."""
    return msgspec.structs.replace(frame(item(0, event_id=f"d-{number}"), source=CHAT), lane=Lane.BY_EVENT_ID)


def sign_of_life() -> Frame:
    return msgspec.structs.replace(frame(source=CHAT), lane=Lane.BY_EVENT_ID)


def away(hub: Hub) -> list[tuple[int, int]]:
    """Silences the client's record tells, from when to when, in seconds since NOW; they come in pairs."""
    told = [r.body for r in hub.records() if isinstance(r.body, SourceSilent | SourceBack)]
    silent = [(body.heard_at - NOW) // 1000 for body in told if isinstance(body, SourceSilent)]
    back = [(body.occurred_at - NOW) // 1000 for body in told if isinstance(body, SourceBack)]
    assert [type(body) for body in told] == [SourceSilent, SourceBack] * len(back)
    return list(zip(silent, back, strict=True))


async def run_for(
    directory: Path, source: Source, since: int, said: dict[int, Frame], until: int
) -> list[tuple[int, int]]:
    """The hub runs for these seconds after NOW, and hears these frames at theirs; returns what `away` then tells."""
    async with running_hub(directory, sources=[source]) as hub:
        hub.now = NOW + since * 1000
        timekeeper = keeper(hub)
        await timekeeper.restore()
        await timekeeper.tick()
        for second in range(since, until):
            if second in said:
                await say(hub, said[second])
            await pass_time(hub, timekeeper, 1)
        assert hub.intake.stats.outcomes[Outcome.EQUIVOCATION] == 0
        assert silences(hub) == [], "an absence of the hub is nobody's trouble, and pages nobody"
        return away(hub)


async def test_the_hub_s_absence_is_a_silence_of_a_feed_that_cannot_number_from_its_last_word_to_its_next(
    tmp_path: Path,
) -> None:
    assert await run_for(tmp_path, BEATS, 0, {0: word(1), 10: sign_of_life()}, until=20) == []
    assert await run_for(tmp_path, BEATS, 80, {84: sign_of_life(), 94: word(2)}, until=100) == [(0, 84)]
    assert await run_for(tmp_path, BEATS, 110, {112: word(3)}, until=115) == [(0, 84)], "it missed no three beats"
    assert await run_for(tmp_path, BEATS, 300, {301: word(4)}, until=305) == [(0, 84), (112, 301)]


async def test_a_feed_whose_beats_leave_no_entry_was_there_as_long_as_the_hub_listened(tmp_path: Path) -> None:
    beats = {second: sign_of_life() for second in range(10, 100, 10)}
    assert await run_for(tmp_path, BEATS, 0, {0: word(1), **beats}, until=100) == []
    assert await run_for(tmp_path, BEATS, 400, {405: sign_of_life()}, until=410) == [(60, 405)]
    assert await run_for(tmp_path, BEATS, 412, {413: sign_of_life()}, until=415) == [(60, 405)]


async def test_a_feed_that_promises_nothing_is_away_while_a_clock_entry_is_missing(tmp_path: Path) -> None:
    assert await run_for(tmp_path, PROMISES_NOTHING, 0, {1: word(1)}, until=70) == []
    assert await run_for(tmp_path, PROMISES_NOTHING, 100, {}, until=110) == [], "no clock entry is missing"
    assert await run_for(tmp_path, PROMISES_NOTHING, 300, {}, until=301) == [(100, 300)]
    assert await run_for(tmp_path, PROMISES_NOTHING, 310, {}, until=311) == [(100, 300)]


async def test_a_feed_that_numbers_proves_by_its_numbers_that_nothing_is_missing(tmp_path: Path) -> None:
    first, second = (frame(item(number), source=CHAT) for number in (1, 2))
    assert await run_for(tmp_path, BEATS, 0, {0: first}, until=20) == []
    assert await run_for(tmp_path, BEATS, 500, {501: second}, until=505) == []


async def test_a_hub_that_stood_still_was_away_too(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sources=[PROMISES_NOTHING]) as hub:
        timekeeper = keeper(hub)
        await say(hub, word(1))
        await pass_time(hub, timekeeper, 5)
        hub.now += 600_000
        await pass_time(hub, timekeeper, 5)
        assert away(hub) == [(5, 606)]


async def test_a_feed_that_is_gone_after_the_hub_s_absence_is_silent_since_its_last_word(tmp_path: Path) -> None:
    assert await run_for(tmp_path, BEATS, 0, {0: word(1)}, until=20) == []
    async with running_hub(tmp_path, sources=[BEATS]) as hub:
        hub.now += 300_000
        timekeeper = keeper(hub)
        await timekeeper.restore()
        await pass_time(hub, timekeeper, 40)
        assert silences(hub) == [("SourceSilent", CHAT, 330)]
    for at in (400, 500):
        async with running_hub(tmp_path, sources=[BEATS]) as hub:
            hub.now = NOW + at * 1000
            timekeeper = keeper(hub)
            await timekeeper.restore()
            await pass_time(hub, timekeeper, 5)
            assert silences(hub) == [("SourceSilent", CHAT, 330)], "a restart is no word of it"
