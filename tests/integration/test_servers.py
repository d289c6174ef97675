"""The server fixtures themselves: each starts, does its work, and leaves nothing behind."""

import json
import os
import urllib.parse
import urllib.request
from pathlib import Path

import aiomqtt
import pytest
import redis.asyncio

from tests.servers import (
    ONLINE_UPS,
    Server,
    UpsServer,
    ask,
    free_port,
    run_mosquitto,
    run_prometheus,
    run_redis,
    run_ups_server,
)
from tests.waiting import NeverHappenedError, wait_until, wait_until_blocking


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_message_published_to_mosquitto_reaches_a_subscriber(mosquitto: Server) -> None:
    async with aiomqtt.Client(mosquitto.host, mosquitto.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe("floor/+")
        await client.publish("floor/1", b"hello")
        message = await anext(aiter(client.messages))
    assert (str(message.topic), message.payload) == ("floor/1", b"hello")


def test_mosquitto_comes_back_on_its_port_after_kill_9_and_is_gone_afterwards(tmp_path: Path) -> None:
    with run_mosquitto(tmp_path) as server:
        first = server.pid
        server.kill()
        assert not is_alive(first)
        server.start()
        second = server.pid
        assert second != first
    assert not is_alive(second)


def test_of_a_server_that_ends_without_its_children_none_stays(tmp_path: Path) -> None:
    def listens(_port: int) -> bool:
        return (tmp_path / "child").exists() and (tmp_path / "child").read_text(encoding="ascii").endswith("\n")

    command = ["sh", "-c", "sleep 600 & echo $! > child; wait"]
    server = Server(command, port=free_port(), directory=tmp_path, ready=listens)
    server.start()
    child = Path("/proc", (tmp_path / "child").read_text(encoding="ascii").strip())
    assert child.exists()
    server.stop()
    wait_until_blocking(lambda: not child.exists() or ") Z " in (child / "stat").read_text(), 5, what="its end")


async def test_redis_keeps_a_stream_entry(redis_server: Server) -> None:
    async with redis.asyncio.Redis(host=redis_server.host, port=redis_server.port, protocol=2) as client:
        await client.xadd("feed", {"chunk": b"1"}, id="1-0")
        assert await client.xlen("feed") == 1


def test_redis_with_an_append_only_file_remembers_over_kill_9(tmp_path: Path) -> None:
    with run_redis(tmp_path, options={"appendonly": "yes", "appendfsync": "always"}) as server:
        assert ask(server.port, b"SET k 7\r\n") == b"+OK\r\n"
        server.kill()
        server.start()
        assert ask(server.port, b"GET k\r\n") == b"$1\r\n7\r\n"


def test_a_paused_server_answers_nothing_until_it_is_resumed(redis_server: Server) -> None:
    redis_server.pause()
    assert ask(redis_server.port, b"PING\r\n", timeout_s=0.2) == b""
    redis_server.resume()
    assert ask(redis_server.port, b"PING\r\n") == b"+PONG\r\n"


def test_a_ups_switched_to_battery_says_so(ups_server: UpsServer) -> None:
    assert ups_server.get("ups1", "ups.status") == "OL CHRG"
    ups_server.set("ups1", "ups.status", "OB DISCHRG")
    assert ups_server.get("ups1", "ups.status") == "OB DISCHRG"


def test_a_dead_ups_driver_is_reported_by_upsd(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.dev"
    recorded.write_text("ups.status: OL\nups.model: recorded\n")
    with run_ups_server(tmp_path, {"typed": ONLINE_UPS, "recorded": recorded}) as server:
        assert server.get("recorded", "ups.model") == "recorded"
        server.drivers["typed"].kill()
        wait_until_blocking(
            lambda: server.get("typed", "ups.status") == "ERR DRIVER-NOT-CONNECTED", what="upsd to miss the driver"
        )
        assert server.get("recorded", "ups.status") == "OL"
        pids = [server.server.pid, server.drivers["recorded"].pid]
    assert not any(is_alive(pid) for pid in pids)


def query(server: Server, expression: str) -> list[dict[str, object]]:
    address = f"http://{server.host}:{server.port}/api/v1/query?query={urllib.parse.quote(expression)}"
    with urllib.request.urlopen(address, timeout=5) as answer:
        found: list[dict[str, object]] = json.load(answer)["data"]["result"]
        return found


def test_prometheus_scrapes_what_it_was_given(prometheus: Server, tmp_path: Path) -> None:
    with run_prometheus(tmp_path, targets={"peer": f"{prometheus.host}:{prometheus.port}"}) as scraper:
        result = wait_until_blocking(lambda: query(scraper, 'up{job="peer"} == 1'), what="a first scrape")
    assert len(result) == 1


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no_such_option"), run_mosquitto(tmp_path, lines=["no_such_option 1"]):
        pass


async def test_waiting_returns_what_was_waited_for_and_names_what_never_came() -> None:
    seen = iter([0, 0, 5])
    assert await wait_until(lambda: next(seen), what="a five") == 5

    async def never() -> int:
        return 0

    with pytest.raises(NeverHappenedError, match="a miracle; last seen: 0"):
        await wait_until(never, 0.03, what="a miracle")
    with pytest.raises(NeverHappenedError, match="a port"):
        wait_until_blocking(lambda: ask(free_port(), b"?"), 0.03, what="a port")
