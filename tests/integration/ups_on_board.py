"""A real UPS server, a real broker, a real probe and a real server: what the board shows when mains is lost."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.integration.running import board, get, seatwatch, server
from tests.servers import run_mosquitto, run_ups_server
from tests.waiting import wait_until_blocking

CONFIGURATION = """
[server]
port = 0
[mqtt]
host = "127.0.0.1"
port = {port}
[[site]]
id = "site1"
"""
PROBE = """
site = "site1"
probe = "gateway"
role = "gateway"
data_dir = "{directory}"
[broker]
host = "127.0.0.1"
port = {broker}
[[ups]]
name = "rack1"
port = {port}
ups = "ups1"
"""


def seconds_until_the_board_shows_battery(directory: Path, device: Mapping[str, str] | Path) -> float:
    """From upsd showing OB DISCHRG to the board and /metrics showing it, with `device` as the UPS."""
    with run_mosquitto(directory) as broker, run_ups_server(directory, {"ups1": device}) as ups:
        probe = directory / "probe.toml"
        probe.write_text(PROBE.format(directory=directory / "probe", broker=broker.port, port=ups.port))
        with (
            server(directory, CONFIGURATION.format(port=broker.port)) as (_, runtime),
            seatwatch(["probe", "--config", str(probe)], directory / "probe.log") as running,
        ):

            def site() -> dict[str, Any]:
                assert running.process.poll() is None, running.said()
                found: dict[str, Any] = board(runtime.url)["sites"].get("site1", {})
                return found

            wait_until_blocking(lambda: site().get("power") is not None, 20, what="the UPS to be on the board")
            assert site()["power"] != "battery"
            ups.set("ups1", "ups.status", "OB DISCHRG")
            shown_at = time.monotonic()
            wait_until_blocking(lambda: site()["power"] == "battery", 10, what="the board to show battery")
            assert site()["state"] == "on_battery"
            wait_until_blocking(lambda: _metric(runtime.url), 10, what="/metrics to show battery")
            return time.monotonic() - shown_at


def _metric(url: str) -> bool:
    return b'seatwatch_ups_on_battery{site="site1"} 1' in get(f"{url}/metrics")
