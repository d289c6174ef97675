"""A real Mosquitto tells who connects and leaves, and the collector puts it on record."""

import asyncio
from contextlib import suppress
from pathlib import Path

import aiomqtt

from collector.intake_mqtt import PROTOCOLS, MqttDoor
from tests.collector.running import Hub, running_hub
from tests.integration.test_doors_mqtt import GATEWAY, door_settings
from tests.servers import run_mosquitto
from tests.waiting import wait_until
from wire.ids import OPERATOR
from wire.uplink import ConnectionSeen


def seen(hub: Hub) -> list[tuple[str, bool, str]]:
    return [(body.about_source, body.is_open, body.egress) for body in hub.bodies(ConnectionSeen, OPERATOR)]


async def test_a_probe_that_comes_and_goes_is_on_record_with_its_address(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path, lines=["log_dest topic", "log_type notice"]) as server:
        async with running_hub(tmp_path / "data") as hub:
            door = MqttDoor(hub.intake, hub.sources, door_settings(server.port, "5"))
            task = asyncio.get_running_loop().create_task(door.run(), name="door")
            await wait_until(door.connected.is_set, what="the door to connect")
            async with aiomqtt.Client("127.0.0.1", server.port, identifier=GATEWAY, protocol=PROTOCOLS["5"]):
                await wait_until(lambda: len(seen(hub)) == 1, what="the probe's connection")
            hub.now += 1
            await wait_until(lambda: len(seen(hub)) == 2, what="its end")
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert seen(hub) == [(GATEWAY, True, "127.0.0.1"), (GATEWAY, False, "127.0.0.1")]
