from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer

from collector.errors import Busy
from collector.importers.delivery import Delivered, Delivery, DeliverySettings, Pace
from collector.importers.doors import DoorError, HttpDoor, IntakeDoor
from collector.importers.mapping import Mapping
from collector.intake import Intake
from collector.intake_http import HttpSettings, routes
from collector.sources import Principal, Source, token_hash
from tests.collector.importers.files import HEADER, a_day, call, mapping_of, reading_of
from tests.collector.running import CLIENT, SETTINGS, Hub, running_hub
from wire.errors import Reason
from wire.frame import Ack, Frame
from wire.kinds import Kind
from wire.record import Equivocation, Feed, Quarantined, SourceDeclared
from wire.recorded import Recorded

SOURCE = f"import/{CLIENT}"
TOKEN = "import-token"
SOURCES = (Source(id=SOURCE, client=CLIENT, feed=Feed.DAILY, token_hash=token_hash(TOKEN)),)
DELIVERY = DeliverySettings(frame_span_ms=200, rejected_listed=100)
HTTP = HttpSettings(requests_per_s=1000, requests_burst=1000, body_timeout_ms=1000, retry_after_ms=2000)
LATE_IN_2026 = 1_800_000_000_000


@asynccontextmanager
async def a_hub(tmp_path: Path, *, holes_max: int = 1000) -> AsyncIterator[Hub]:
    settings = msgspec.structs.replace(SETTINGS, holes_max=holes_max)
    async with running_hub(tmp_path / "data", sources=SOURCES, settings=settings) as hub:
        hub.now = LATE_IN_2026
        yield hub


async def delivered(hub: Hub, tmp_path: Path, content: str, mapping: Mapping | None = None) -> Delivered:
    reading = reading_of(tmp_path / "calls.csv", content, mapping)
    return await Delivery(reading, IntakeDoor(hub.intake, SOURCE), SOURCE, DELIVERY).run()


def told(hub: Hub) -> list[Recorded]:
    return [record for record in hub.records() if record.source == SOURCE]


async def test_every_event_of_a_full_day_is_stored_in_order_of_time_and_the_mark_reaches_the_last(
    tmp_path: Path,
) -> None:
    content, counts = a_day(seed=1, rows=2200)
    async with a_hub(tmp_path) as hub:
        result = await delivered(hub, tmp_path, content)
        known = [record.body for record in told(hub) if record.kind != Kind.QUARANTINED]
        assert result.complete
        assert result.stored == result.events == len(told(hub))
        assert [record.body for record in told(hub) if isinstance(record.body, Quarantined)] != []
        assert len(told(hub)) - len(known) == counts["rejected"]
        times = [body.occurred_at for body in known if body is not None]
        late = sum(after < before for before, after in pairwise(times))
        assert late <= 1  # the second pass, if there were more holes than the hub lets be


async def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    content, _ = a_day(seed=2, rows=400)
    async with a_hub(tmp_path) as hub:
        first = await delivered(hub, tmp_path, content)
        size = hub.intake.ledgers[CLIENT].size
        second = await delivered(hub, tmp_path, content)
        assert hub.intake.ledgers[CLIENT].size == size
        assert (first.stored_before, second.stored_before) == (0, first.events)
        assert not second.refused


@pytest.mark.parametrize("rows", [2, 30, 300])
async def test_a_file_that_grew_continues(tmp_path: Path, rows: int) -> None:
    content, _ = a_day(seed=3, rows=400)
    lines = content.splitlines(keepends=True)
    async with a_hub(tmp_path) as hub:
        short = await delivered(hub, tmp_path, "".join(lines[: rows + 1]))
        grown = await delivered(hub, tmp_path, content)
        assert grown.epoch == short.epoch
        assert grown.stored_before == short.events
        assert grown.stored == grown.events == len(told(hub))
        assert hub.bodies(Equivocation) == []


async def test_an_import_that_broke_off_continues(tmp_path: Path) -> None:
    content, _ = a_day(seed=4, rows=900)
    async with a_hub(tmp_path) as hub:
        door = _BreaksOff(hub.intake, after=4)
        reading = reading_of(tmp_path / "calls.csv", content)
        with pytest.raises(DoorError):
            await Delivery(reading, door, SOURCE, DELIVERY).run()
        stored = len(told(hub))
        result = await delivered(hub, tmp_path, content)
        assert 0 < stored < result.events
        assert result.complete
        assert sorted(record.sequence for record in told(hub)) == list(range(1, result.events + 1))


class _BreaksOff(IntakeDoor):
    def __init__(self, intake: Intake, after: int) -> None:
        super().__init__(intake, SOURCE)
        self._left = after

    async def submit(self, frame: Frame) -> Ack:
        if frame.items:
            self._left -= 1
        if self._left < 0:
            raise DoorError("cut")
        return await super().submit(frame)


async def test_more_holes_than_the_hub_lets_be_are_filled_by_a_second_pass(tmp_path: Path) -> None:
    content, _ = a_day(seed=5, rows=600)
    async with a_hub(tmp_path, holes_max=3) as hub:
        result = await delivered(hub, tmp_path, content)
        assert result.complete
        assert sorted(record.sequence for record in told(hub)) == list(range(1, result.events + 1))


async def test_a_changed_row_contradicts_what_is_stored_and_both_are_kept(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub:
        rows = [call(number) for number in range(80)]
        await delivered(hub, tmp_path, HEADER + "".join(rows))
        rows[70] = call(70, agent="a-2")
        result = await delivered(hub, tmp_path, HEADER + "".join(rows))
        assert result.refused == {Reason.EQUIVOCATION: 2}
        assert [row.row for row in result.refused_rows] == [72]
        assert (result.rows_touched, result.rows_refused.total()) == (1, 0), "the rest of it is stored"
        assert len(hub.bodies(Equivocation)) == 2


async def test_another_name_of_the_format_makes_another_import(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub:
        await delivered(hub, tmp_path, HEADER + call())
        result = await delivered(hub, tmp_path, HEADER + call(), mapping_of(a='"test-calls" => "test-calls-2"'))
        assert (result.stored_before, result.stored) == (0, 4)


async def test_a_rejected_row_is_quarantined_as_malformed_and_not_counted_against_the_ledger(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub:
        result = await delivered(hub, tmp_path, HEADER + call(1) + call(2, entered="noon") + call(3))
        (kept,) = hub.bodies(Quarantined)
        assert kept.reason is Reason.ROW_MALFORMED
        assert msgspec.msgpack.decode(kept.raw) == {"row": 3, "reason": "not_a_time", "column": "entered"}
        assert result.complete
        assert not result.refused


async def test_a_row_from_the_future_is_refused_by_the_ledger_and_said(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub:
        row = call(1, entered="2031-01-01 00:00:00", left="2031-01-01 00:00:07", ended="2031-01-01 00:03:00")
        result = await delivered(hub, tmp_path, HEADER + row)
        assert result.complete
        assert result.refused == {Reason.OCCURRED_IN_FUTURE: 4}
        assert [refused.row for refused in result.refused_rows] == [2]
        assert (result.rows_touched, result.rows_refused) == (1, {"answered": 1})


async def test_the_source_declares_how_soon_it_tells(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub:
        await delivered(hub, tmp_path, HEADER + call())
        (declared,) = hub.bodies(SourceDeclared)
        assert (declared.about_source, declared.feed, declared.numbered) == (SOURCE, Feed.DAILY, True)


async def test_a_busy_intake_is_waited_for_as_long_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with a_hub(tmp_path) as hub:
        submit = hub.intake.submit

        async def busy_at_first(frame: Frame, principal: Principal) -> Ack:
            if not slept:
                raise Busy(1500)
            return await submit(frame, principal)

        monkeypatch.setattr(hub.intake, "submit", busy_at_first)
        reading = reading_of(tmp_path / "calls.csv", HEADER + call())
        result = await Delivery(reading, IntakeDoor(hub.intake, SOURCE, sleep=sleep), SOURCE, DELIVERY).run()
    assert result.complete
    assert slept == [1.5]


# -------------------------------------------------------------------------------------------------- through the door


@asynccontextmanager
async def a_door(hub: Hub, token: str = TOKEN) -> AsyncIterator[HttpDoor]:
    app = web.Application()
    app.add_routes(routes(hub.intake, hub.intake.sources, HTTP))
    async with TestServer(app) as server, ClientSession(timeout=ClientTimeout(total=10)) as session:
        yield HttpDoor(session, str(server.make_url("")), token, attempts_max=2, retry_ms=1)


async def test_the_http_door_stores_the_same_entries_as_the_intake_itself(tmp_path: Path) -> None:
    content, _ = a_day(seed=10, rows=300)
    async with a_hub(tmp_path / "one") as hub, a_door(hub) as door:
        reading = reading_of(tmp_path / "calls.csv", content)
        result = await Delivery(reading, door, SOURCE, DELIVERY).run()
        again = await delivered(hub, tmp_path, content)
        through_door = [(record.epoch, record.sequence, record.kind, record.body) for record in told(hub)]
    async with a_hub(tmp_path / "two") as other:
        await delivered(other, tmp_path, content)
        directly = [(record.epoch, record.sequence, record.kind, record.body) for record in told(other)]
    assert result.complete
    assert again.stored_before == result.events
    assert sorted(through_door, key=lambda entry: entry[1]) == sorted(directly, key=lambda entry: entry[1])


async def test_a_contradiction_through_the_door_is_an_answer_not_an_error(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, a_door(hub) as door:
        rows = [call(number) for number in range(80)]
        await delivered(hub, tmp_path, HEADER + "".join(rows))
        rows[70] = call(70, agent="a-2")
        reading = reading_of(tmp_path / "calls.csv", HEADER + "".join(rows))
        result = await Delivery(reading, door, SOURCE, DELIVERY).run()
        assert result.refused == {Reason.EQUIVOCATION: 2}


async def test_a_token_that_is_not_known_is_told_with_its_cure(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, a_door(hub, token="wrong") as door:
        reading = reading_of(tmp_path / "calls.csv", HEADER + call())
        with pytest.raises(DoorError, match="--token-file"):
            await Delivery(reading, door, SOURCE, DELIVERY).run()


async def test_a_token_of_another_source_is_told_with_its_cure(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, a_door(hub) as door:
        reading = reading_of(tmp_path / "calls.csv", HEADER + call())
        with pytest.raises(DoorError, match="--source"):
            await Delivery(reading, door, "shop/other", DELIVERY).run()


async def test_a_server_that_is_away_is_offered_the_frame_again_and_then_named(tmp_path: Path) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with ClientSession() as session:
        door = HttpDoor(session, "http://127.0.0.1:9", "t", attempts_max=3, retry_ms=2000, sleep=sleep)
        reading = reading_of(tmp_path / "calls.csv", HEADER + call())
        with pytest.raises(DoorError, match="cannot be reached"):
            await Delivery(reading, door, SOURCE, DELIVERY).run()
    assert slept == [2.0, 2.0, 2.0]


# ------------------------------------------------------------------------------------------------------------- pace


async def test_a_pace_of_sixty_lets_an_hour_pass_in_a_minute() -> None:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(60, monotonic_s=lambda: now[0], sleep=sleep)
    start = 1_800_000_000_000
    for minute in range(0, 61, 10):
        await pace.wait(start + minute * 60_000)
        assert now[0] == pytest.approx(minute)


async def test_a_pace_that_fell_behind_catches_up_without_waiting() -> None:
    now = [0.0]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    pace = Pace(1, monotonic_s=lambda: now[0], sleep=sleep)
    await pace.wait(0)
    now[0] = 10.0
    await pace.wait(5000)
    assert slept == []


async def test_at_a_given_speed_events_that_are_not_due_together_travel_apart(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub:
        reading = reading_of(tmp_path / "calls.csv", HEADER + call())
        frames = hub.intake.stats.frames
        await Delivery(reading, IntakeDoor(hub.intake, SOURCE), SOURCE, DELIVERY).run(speed=10_000)
        assert hub.intake.stats.frames - frames > 1
        assert len(told(hub)) == 4
