"""`seatwatch up` as a person runs it: where it is, what it refuses, and how it ends."""

import http.client
import re
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.integration.running import START_S, board, get, seatwatch, server
from tests.servers import free_port
from tests.waiting import wait_until_blocking

CONFIGURATION = """
[server]
port = 0
[[client]]
id = "acme"
[[client.queue]]
id = "acme-presale"
[[site]]
id = "site1"
seats = 1
"""


def test_it_serves_board_metrics_and_health(tmp_path: Path) -> None:
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        assert [tile["id"] for tile in board(runtime.url)["clients"].values()] == ["acme"]
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


def test_an_engine_that_waits_for_redis_still_ends_when_told_to(tmp_path: Path) -> None:
    config = tmp_path / "seatwatch.toml"
    config.write_text(f'{CONFIGURATION}\n[redis]\nurl = "redis://127.0.0.1:{free_port()}/0"\n', encoding="utf-8")
    command = ["up", "--config", str(config), "--data", str(tmp_path / "data"), "--only", "engine"]
    with seatwatch(command, tmp_path / "log") as running:
        wait_until_blocking(lambda: "engine.redis_unavailable" in running.said(), START_S, what="it to ask Redis")
        asked = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - asked < 2.0


def test_a_busy_port_is_replaced_and_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with server(tmp_path, CONFIGURATION.replace("port = 0", f"port = {port}")) as (running, runtime):
            assert f":{port}" not in runtime.url
            assert re.search(rf"port {port} is busy, using \d+ instead", running.said())


def test_a_wrong_configuration_is_refused_with_every_key(tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text('[server]\nlisten = "0.0.0.0"\n[[source]]\nid = "chat"\nclient = "nobody"\n', encoding="utf-8")
    command = ["up", "--config", str(config), "--data", str(tmp_path / "data")]
    with seatwatch(command, tmp_path / "log") as running:
        assert running.process.wait(30) == 2
    assert "server.listen" in running.said()
    assert "source[0].client" in running.said()


def test_a_second_server_over_the_same_record_is_refused(tmp_path: Path) -> None:
    with server(tmp_path, CONFIGURATION):
        command = ["up", "--config", str(tmp_path / "seatwatch.toml"), "--data", str(tmp_path / "data")]
        with seatwatch(command, tmp_path / "second.log") as second:
            assert second.process.wait(30) == 1
        assert "the record cannot be opened" in second.said()


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        before = board(runtime.url)["record"]["entries"]
    with server(tmp_path, CONFIGURATION) as (_, runtime):
        # rules and declarations are there already: only time may have been added
        wait_until_blocking(lambda: board(runtime.url)["record"]["entries"] >= before, what="the record to be read")
        assert board(runtime.url)["record"]["entries"] <= before + 4
