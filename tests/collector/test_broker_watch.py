"""The hub says of itself on the record that it has no broker: once, after a while, and over restarts."""

from pathlib import Path

from collector.broker_watch import BrokerWatch, BrokerWatchSettings
from tests.collector.running import Hub, running_hub
from tests.collector.store import NOW
from wire.ids import OPERATOR
from wire.record import BROKER, SourceBack, SourceSilent

SETTINGS = BrokerWatchSettings(lost_ms=3_000, back_ms=10_000)


class Door:
    connected = True


def watch(hub: Hub, door: Door) -> BrokerWatch:
    return BrokerWatch(hub.intake, SETTINGS, is_connected=lambda: door.connected, clock_ms=lambda: hub.now)


def told(hub: Hub) -> list[tuple[str, str, int]]:
    return [
        (type(body).__name__, body.about_source, (body.occurred_at - NOW) // 1000)
        for record in hub.records(OPERATOR)
        if isinstance(body := record.body, SourceSilent | SourceBack)
    ]


async def pass_time(hub: Hub, looking: BrokerWatch, seconds: int) -> None:
    for _ in range(seconds):
        hub.now += 1000
        await looking.look()


async def test_a_broker_that_is_only_started_anew_is_not_mentioned(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        door = Door()
        looking = watch(hub, door)
        await looking.restore()
        for connected in (True, False, True, False, True):
            door.connected = connected
            await pass_time(hub, looking, 3)
        assert told(hub) == []


async def test_a_lost_broker_is_said_once_and_its_return_once_probes_had_time_to_come_back(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        door = Door()
        looking = watch(hub, door)
        await looking.restore()
        door.connected = False
        await pass_time(hub, looking, 60)
        assert told(hub) == [("SourceSilent", BROKER, 4)]
        again = watch(hub, door)
        await again.restore()
        await pass_time(hub, again, 60)
        door.connected = True
        await pass_time(hub, again, 10)
        assert len(told(hub)) == 1
        await pass_time(hub, again, 60)
        assert told(hub) == [("SourceSilent", BROKER, 4), ("SourceBack", BROKER, 131)]
        door.connected = False
        await pass_time(hub, again, 5)
        assert told(hub)[2:] == [("SourceSilent", BROKER, 194)]
