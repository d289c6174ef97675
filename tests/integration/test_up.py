"""`seatwatch up` as a person runs it: where it is, what it refuses, and how it ends."""

import asyncio
import http.client
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiomqtt
import pytest
import trustme

from collector.ledgers import ledger_directory
from ledger.fsck import check
from ledger.reader import LedgerReader
from ledger.segment import segment_path
from seatwatch.clock import now_ms
from seatwatch.runtime_file import Runtime, read_runtime
from seatwatch.server.process import EXIT_COMMIT_FAILED
from tests.collector.store import frame, item
from tests.integration.running import START_S, Running, board, configuration, get, redis_at, seatwatch, server, site_of
from tests.servers import Server, ask, free_port, run_mosquitto
from tests.waiting import wait_until, wait_until_blocking
from wire.codec import decode_ack, encode_frame
from wire.facility import Heartbeat, Role
from wire.ids import OPERATOR
from wire.topics import ack_topic, backlog_topic

CONFIGURATION = configuration(site_of(seats=1))
CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02up"
"""MQTT 3.1.1, from a client called "up"."""
CONNACK = b"\x20"


class Served(NamedTuple):
    """A server for the tests that leave it as it is."""

    directory: Path
    running: Running
    runtime: Runtime


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("served")
    with server(directory, CONFIGURATION) as (running, runtime):
        yield Served(directory, running, runtime)


def test_it_serves_board_metrics_and_health(served: Served) -> None:
    runtime = served.runtime
    shown = board(runtime.url)
    assert [tile["id"] for tile in shown["clients"].values()] == ["acme"]
    assert [(tile["id"], tile["live"]) for tile in shown["queues"].values()] == [("acme-presale", None)]
    site = shown["sites"]["site1"]
    assert (site["state"], site["reason"], site["probes_known"]) == ("unknown", "never_heard", 2)
    metrics = get(f"{runtime.url}/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
    assert metrics.endswith(b"# EOF\n")
    assert b"seatwatch_ledger_entries" in metrics
    assert b'"ok":true' in get(f"{runtime.url}/healthz")


def test_it_stops_within_two_seconds_with_screens_connected(tmp_path: Path) -> None:
    with server(tmp_path, CONFIGURATION) as (running, runtime):
        address = urlsplit(runtime.url)
        screens = []
        for _ in range(20):
            screen = http.client.HTTPConnection(address.hostname or "", address.port)
            screen.request("GET", "/events")
            assert screen.getresponse().readline() == b"retry: 1000\n"
            screens.append(screen)
        asked = time.monotonic()
        assert running.stop() == 0
        took_s = time.monotonic() - asked
        for screen in screens:
            screen.close()
    assert took_s < 2.0


async def test_what_the_doors_refuse_is_on_the_metrics(served: Served) -> None:
    _, running, runtime = served
    async with aiomqtt.Client("127.0.0.1", runtime.mqtt_port, protocol=aiomqtt.ProtocolVersion.V311) as client:
        await client.publish(backlog_topic("site1/seat-01"), b"no frame", qos=1)
    request = urllib.request.Request(f"{runtime.url}/v1/events", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError):
        await asyncio.to_thread(urllib.request.urlopen, request)

    async def refused() -> bool:
        page = (await asyncio.to_thread(get, f"{runtime.url}/metrics")).decode()
        wanted = ('refusal="not_a_frame"} 1', 'refusal="unauthorised"} 1')
        return all(f"seatwatch_frames_refused_total{{{each}" in page for each in wanted)

    await wait_until(refused, what="the refusals to be counted")
    request.add_header("Content-Encoding", "gzip")  # and the body is none
    with pytest.raises(OSError):
        await asyncio.to_thread(urllib.request.urlopen, request)
    await wait_until(lambda: "http.bad_request" in running.said(), what="the broken body to be told")
    assert "Traceback" not in running.said()


@pytest.mark.alone
def test_an_engine_that_waits_for_redis_still_ends_when_told_to(tmp_path: Path) -> None:
    config = tmp_path / "seatwatch.toml"
    config.write_text(CONFIGURATION + redis_at(free_port()), encoding="utf-8")
    command = ["up", "--config", str(config), "--data", str(tmp_path / "data"), "--only", "engine"]
    with seatwatch(command, tmp_path / "log") as running:
        wait_until_blocking(lambda: "engine.redis_unavailable" in running.said(), START_S, what="it to ask Redis")
        asked = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - asked < 2.0


def test_an_engine_of_its_own_says_how_long_each_ledger_is_and_how_far_it_lags(
    tmp_path: Path, redis_server: Server
) -> None:
    written = CONFIGURATION + redis_at(redis_server.port)
    config = tmp_path / "collector.toml"
    config.write_text(written, encoding="utf-8")
    collector = ["up", "--config", str(config), "--data", str(tmp_path / "record"), "--only", "collector"]
    with (
        seatwatch(collector, tmp_path / "collector.log"),
        server(tmp_path, written, "--only", "engine") as (_, runtime),
    ):

        def said() -> tuple[dict[str, int], dict[str, int]]:
            page = get(f"{runtime.url}/metrics").decode()
            return by_ledger(page, "seatwatch_ledger_entries"), by_ledger(page, "seatwatch_engine_lag_entries")

        def settled() -> dict[str, int] | None:
            lengths, lags = said()
            return lengths if lengths == entries_on_disk(tmp_path / "record") and lags == {"acme": 0} else None

        lengths = wait_until_blocking(settled, START_S, what="it to know both ledgers, and to have folded the client's")
        assert lengths is not None
        assert min(lengths.values()) >= 1  # the clock entry of the start
        assert [tile["id"] for tile in board(runtime.url)["clients"].values()] == ["acme"]


def by_ledger(page: str, name: str) -> dict[str, int]:
    """The values of a gauge on a page of metrics."""
    return {ledger: int(float(value)) for ledger, value in re.findall(rf'{name}{{ledger="(\w+)"}} (\S+)', page)}


def entries_on_disk(data: Path) -> dict[str, int]:
    """How many entries each ledger of the test's one client holds."""
    found = {}
    for client in ("acme", OPERATOR):
        reader = LedgerReader.open(ledger_directory(data, client))
        found[client] = reader.size()
        reader.close()
    return found


@pytest.mark.parametrize("key", ["server.port", "mqtt.port"])
def test_a_port_that_is_written_and_busy_ends_the_start_and_is_named(tmp_path: Path, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        of_server = configuration(site_of(seats=1), port=port)
        text = of_server if key == "server.port" else f"{CONFIGURATION}[mqtt]\nport = {port}\n"
        (tmp_path / "seatwatch.toml").write_text(text, encoding="utf-8")
        command = ["up", "--config", str(tmp_path / "seatwatch.toml"), "--data", str(tmp_path / "data")]
        with seatwatch(command, tmp_path / "log") as running:
            assert running.process.wait(30) == 1
    assert f"{key}: port {port} is busy; free it" in running.said()
    assert read_runtime(tmp_path / "data") is None


async def test_a_broker_that_speaks_tls_only_is_reached_when_the_configuration_says_so(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "broker.pem"))
    port = free_port()
    listener = [f"listener {port} 127.0.0.1", f"certfile {tmp_path / 'broker.pem'}", f"keyfile {tmp_path / 'key.pem'}"]
    mqtt = f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\ntls = true\nca_file = "ca.pem"\n'
    with run_mosquitto(tmp_path, lines=listener), server(tmp_path, CONFIGURATION + mqtt) as (_, runtime):
        tls = aiomqtt.TLSParameters(ca_certs=str(tmp_path / "ca.pem"))
        async with aiomqtt.Client("127.0.0.1", port, tls_params=tls) as client:

            async def heard() -> int:
                await client.publish(backlog_topic("site1/seat-01"), b"no frame", qos=1)
                page = (await asyncio.to_thread(get, f"{runtime.url}/metrics")).decode()
                found = re.search(r'seatwatch_frames_refused_total{refusal="not_a_frame"} (\d+)', page)
                return int(found[1]) if found else 0

            assert await wait_until(heard, START_S, what="the server to hear what comes through its broker") >= 1
        assert not ask(port, CONNECT, START_S).startswith(CONNACK), "the broker took a client without TLS"
    with run_mosquitto(tmp_path) as plain:
        assert ask(plain.port, CONNECT, START_S).startswith(CONNACK), "as one does that wants none"


def test_the_embedded_broker_is_where_probes_look_for_it_after_a_restart_too(tmp_path: Path) -> None:
    port = free_port()
    written = f"{CONFIGURATION}[mqtt]\nport = {port}\n"
    for _ in range(2):
        with server(tmp_path, written) as (_, runtime):
            assert runtime.mqtt_port == port


def test_a_wrong_configuration_is_refused_with_every_key(tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text('[server]\nlisten = "0.0.0.0"\n[[source]]\nid = "chat"\nclient = "nobody"\n', encoding="utf-8")
    command = ["up", "--config", str(config), "--data", str(tmp_path / "data")]
    with seatwatch(command, tmp_path / "log") as running:
        assert running.process.wait(30) == 2
    assert "server.listen" in running.said()
    assert "source[0].client" in running.said()


def test_a_second_server_over_the_same_record_is_refused(served: Served) -> None:
    directory = served.directory
    command = ["up", "--config", str(directory / "seatwatch.toml"), "--data", str(directory / "data")]
    with seatwatch(command, directory / "second.log") as second:
        assert second.process.wait(30) == 1
    assert "the record cannot be opened" in second.said()


async def test_a_ledger_file_removed_under_it_ends_it_before_it_acknowledges(tmp_path: Path) -> None:
    seat = "site1/seat-01"
    acks: list[int] = []
    with server(tmp_path, CONFIGURATION) as (running, runtime):
        async with aiomqtt.Client("127.0.0.1", runtime.mqtt_port, protocol=aiomqtt.ProtocolVersion.V311) as client:

            async def listen() -> None:
                async for message in client.messages:
                    ack = decode_ack(bytes(message.payload))
                    acks.append(ack.acknowledged_through)

            await client.subscribe(ack_topic(seat))
            listening = asyncio.get_running_loop().create_task(listen(), name="acks")
            await client.publish(backlog_topic(seat), encode_frame(frame(item(1, beat()), source=seat)))
            await wait_until(lambda: acks == [1], START_S, what="the first acknowledgement")
            segment_path(ledger_directory(tmp_path / "data", OPERATOR), 1).unlink()
            await client.publish(backlog_topic(seat), encode_frame(frame(item(2, beat()), source=seat)))
            await wait_until(lambda: running.process.poll() is not None, START_S, what="the server to end")
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    assert running.process.returncode == EXIT_COMMIT_FAILED
    assert acks == [1]
    assert "00000001.sqlite was removed while it was written to" in running.said()


def beat() -> Heartbeat:
    """A seat's, as of now: what is to come is not admitted."""
    return Heartbeat(now_ms(), 1, "seat", 5, True, "", "site1", "seat-01", Role.SEAT, 10_000, 60_000)


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        before = board(runtime.url)["record"]["entries"]
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        # rules and declarations are there already: only time may have been added
        wait_until_blocking(lambda: board(runtime.url)["record"]["entries"] >= before, what="the record to be read")
        assert board(runtime.url)["record"]["entries"] <= before + 4


def test_what_it_recorded_is_signed_and_checks_out(tmp_path: Path) -> None:
    with server(tmp_path, CONFIGURATION):
        pass
    ledger = tmp_path / "data" / "clients" / "acme"
    vkeys = (ledger / "checkpoints" / "vkey").read_text(encoding="utf-8").split()
    assert vkeys[0].startswith("seatwatch/")
    report = check(ledger, vkeys, problems_max=10)
    assert report.is_sound
    assert report.checkpoints >= 1
    assert (ledger / "checkpoints" / f"{report.size:020d}.note").exists()
    assert (tmp_path / "data" / "keys" / "checkpoints.key").stat().st_mode & 0o077 == 0


def test_a_server_whose_broker_is_away_says_that_it_is_not_ready(tmp_path: Path) -> None:
    config = tmp_path / "seatwatch.toml"
    config.write_text(f'{CONFIGURATION}\n[mqtt]\nhost = "127.0.0.1"\nport = {free_port()}\n', encoding="utf-8")
    command = ["up", "--config", str(config), "--data", str(tmp_path / "data")]
    with seatwatch(command, tmp_path / "log"):
        runtime = wait_until_blocking(lambda: read_runtime(tmp_path / "data"), START_S, what="it to run")
        assert runtime is not None
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{runtime.url}/readyz")
        assert refused.value.code == 503
        assert b"MQTT broker cannot be reached" in refused.value.read()
