"""A probe whose firewall lets only HTTPS out, before the real door: proxies, refusals, a busy hub, a hub killed -9."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from agent_probe._core.storage import DropClass
from agent_probe.app import Probe
from agent_probe.config import HubConfig, TlsConfig, Transport
from agent_probe.platform import current
from collector.intake_http import HttpDoor, HttpSettings
from collector.ledgers import ledger_directory
from collector.sources import Source, token_hash
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from tests.agent_probe.fake_collector import running_collector
from tests.agent_probe.living_probe import QUICK_RECONNECT, gateway, living
from tests.collector.running import SETTINGS, Hub, running_hub
from tests.collector.store import frame, item
from tests.integration.running import board, configuration, server
from tests.relays import Authority, connect_proxy, tls_in_front
from tests.servers import free_port, run_mosquitto
from tests.waiting import wait_until
from wire.codec import KIND_OF, encode_body
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading
from wire.ids import OPERATOR

TOKEN = "site-token"
GATEWAY = Source(id="sz1/gw1", client=OPERATOR, carries="facilities", site="sz1", token_hash=token_hash(TOKEN))
HTTP = HttpSettings(requests_per_s=1000, requests_burst=1000, body_timeout_ms=5000, retry_after_ms=1000)
IMPATIENT = QUICK_RECONNECT._replace(http=QUICK_RECONNECT.http._replace(slowly_ms=100, mqtt_retry_ms=200))


@asynccontextmanager
async def door(hub: Hub, port: int = 0) -> AsyncIterator[int]:
    hub.now = current().wall_ms()
    app = web.Application()
    app.add_routes(HttpDoor(hub.intake, hub.sources, HTTP).routes())
    async with TestServer(app, port=port or None) as serving:
        assert serving.port is not None
        yield serving.port


def over_https(directory: Path, url: str, token: str = TOKEN, mqtt_port: int = 0, **hub: Any) -> Any:
    token_file = directory / "token"
    token_file.write_text(f"{token}\n", encoding="ascii")
    transport = Transport.AUTO if mqtt_port else Transport.HTTPS
    there = HubConfig(url, token_file=str(token_file), **hub)
    return gateway(directory / "box", mqtt_port or 1, transport=transport, hub=there)


def beat() -> Heartbeat:
    now = current().wall_ms()
    return Heartbeat(now, 1, "sz1/gw2", None, True, "", "sz1", "", Role.GATEWAY, 2_000, 0)


def put_reading(probe: Probe, number: int) -> None:
    """A change as a sensor would say it, recognised by its `since_ms`."""
    now = current()
    body = UpsReading(
        now.wall_ms(), 1, "sz1/gw1", now.monotonic_ms(), True, "", "sz1", "ups1", Power.MAINS, Comms.OK, since_ms=number
    )
    kind, kind_version = KIND_OF[UpsReading]
    probe.outbox.put(kind, kind_version, encode_body(body), DropClass.CHANGE, now=now.monotonic_ms())
    probe.uplink.wake()


async def test_both_lanes_reach_the_ledger_through_a_proxy_and_tls(tmp_path: Path) -> None:
    authority, asked = Authority(tmp_path), list[str]()
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        async with tls_in_front(port, authority.serving()) as tls_port, connect_proxy(asked) as proxy_port:
            proxy, tls = f"http://me:secret@127.0.0.1:{proxy_port}", TlsConfig(str(authority.file))
            config = over_https(tmp_path, f"https://127.0.0.1:{tls_port}", proxy=proxy, tls=tls)
            async with living(config) as probe:
                await wait_until(lambda: probe.outbox.counts().rows == 0, what="the first beat to be acknowledged")
                await wait_until(lambda: probe.uplink.figures.snapshot_frames > 1, what="a second live beat")
                assert probe.uplink.figures.failures == 0
        assert len(hub.bodies(Heartbeat, OPERATOR)) >= 2
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{tls_port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in asked[0]
    assert len(asked) == 1, "one connection serves every frame"


async def test_a_proxy_that_refuses_and_a_certificate_of_strangers_are_said_and_lose_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        async with tls_in_front(port, authority.serving()) as tls_port, connect_proxy([], refuse=True) as proxy_port:
            url = f"https://127.0.0.1:{tls_port}"
            for options, problem in (
                ({"proxy": f"http://127.0.0.1:{proxy_port}"}, "answers 407"),
                ({"tls": TlsConfig(str(stranger.file))}, "CERTIFICATE_VERIFY_FAILED"),
            ):
                caplog.clear()
                async with living(over_https(tmp_path, url, **options)) as probe:
                    failed = partial(getattr, probe.uplink.figures, "failures")
                    await wait_until(failed, what=f"the failure {problem}")
                    assert probe.outbox.counts().rows > 0
                assert problem in str([vars(record).get("error", "") for record in caplog.records])
        assert hub.records(OPERATOR) == []


async def test_a_wrong_token_stores_nothing_and_the_right_one_is_taken_from_its_file_without_a_restart(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        async with living(over_https(tmp_path, f"http://127.0.0.1:{port}", "wrong"), IMPATIENT) as probe:
            await wait_until(lambda: probe.uplink.figures.failures >= 2, what="two refusals")
            assert hub.records(OPERATOR) == []
            (tmp_path / "token").write_text(TOKEN, encoding="ascii")
            await wait_until(lambda: probe.outbox.counts().rows == 0, what="the record to be taken")
        assert hub.bodies(Heartbeat, OPERATOR)


async def test_a_busy_hub_is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    other = Source(id="sz1/gw2", client=OPERATOR, carries="facilities", site="sz1")
    narrow = replace(SETTINGS, waiting_frames_max=1, retry_after_ms=1000)
    async with running_hub(tmp_path / "hub", sources=[GATEWAY, other], settings=narrow) as hub, door(hub) as port:
        hub.gate.open.clear()
        async with asyncio.TaskGroup() as tasks:
            for number in (1, 2):  # one is being committed, the other waits, and there is no room for a third
                sent = frame(item(number, beat()), source=other.id)
                tasks.create_task(hub.intake.submit(sent, hub.principal(other.id)), name="fill")
                await wait_until(hub.gate.waiting.is_set, what="a commit to be under way")
            async with living(over_https(tmp_path, f"http://127.0.0.1:{port}"), QUICK_RECONNECT) as probe:
                await wait_until(lambda: probe.uplink.figures.failures == 1, what="the hub to say that it is busy")
                refused_at = time.monotonic()
                hub.gate.open.set()
                await wait_until(lambda: probe.outbox.counts().rows == 0, what="the record to be taken")
                assert time.monotonic() - refused_at >= 1.0
                assert hub.intake.stats.busy == 1


async def test_auto_uses_https_while_the_broker_is_away_and_then_mqtt(tmp_path: Path) -> None:
    mqtt_port = free_port()
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        config = over_https(tmp_path, f"http://127.0.0.1:{port}", mqtt_port=mqtt_port)
        async with living(config, IMPATIENT) as probe:
            await wait_until(lambda: hub.bodies(Heartbeat, OPERATOR), what="a beat over HTTPS")
            with run_mosquitto(tmp_path, port=mqtt_port) as broker:
                async with running_collector(broker.host, broker.port) as collector:
                    await wait_until(lambda: collector.frames, what="a frame over MQTT")
                    before = len(hub.records(OPERATOR))
                    put_reading(probe, 1)
                    await wait_until(collector.newest, what="the next change over MQTT")
                    assert len(hub.records(OPERATOR)) == before


SITE = '[[site]]\nid = "sz1"\ntoken_file = "site.token"\n'


async def test_a_hub_killed_again_and_again_has_every_change_once(tmp_path: Path) -> None:
    port, put = free_port(), 0
    (tmp_path / "site.token").write_text(TOKEN, encoding="ascii")
    (tmp_path / "site.token").chmod(0o600)
    config = over_https(tmp_path, f"http://127.0.0.1:{port}", mqtt_port=free_port())
    config = replace(config, probe="gateway")
    async with living(config) as probe:
        for life in range(1, 4):
            with server(tmp_path, configuration(SITE, port=port)) as (running, _):
                acks = probe.uplink.figures.acks
                while probe.uplink.figures.acks < acks + 5 * life:
                    put_reading(probe, put := put + 1)
                    await wait_until(partial(_moved, probe, probe.uplink.figures.backlog_frames), 20, what="a frame")
                for _ in range(10):  # some are on their way when it dies
                    put_reading(probe, put := put + 1)
                    await asyncio.sleep(0)
                running.process.kill()
                running.process.wait()
        with server(tmp_path, configuration(SITE, port=port)) as (_, runtime):
            await wait_until(lambda: probe.outbox.counts().rows == 0, 20, what="everything to be acknowledged")
            assert board(runtime.url)["sites"]["sz1"]["probes_reporting"] == 1
    reader = LedgerReader.open(ledger_directory(tmp_path / "data", OPERATOR), lock_wait_ms=1000)
    try:
        bodies = [recorded(stored).body for stored in reader.read(0, reader.size())]
    finally:
        reader.close()
    assert [body.since_ms for body in bodies if isinstance(body, UpsReading)] == list(range(1, put + 1))


def _moved(probe: Probe, frames: int) -> bool:
    return probe.uplink.figures.backlog_frames > frames
