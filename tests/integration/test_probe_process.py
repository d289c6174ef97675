"""The probe as a process: started as an operator starts it, stopped as a service manager stops it, and killed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.agent_probe.fake_collector import FakeCollector, running_collector
from tests.servers import DIES_WITH_THE_TESTS, Server
from tests.waiting import wait_until
from wire.frame import Lane

STOPPED_S = 5
"""TimeoutStopSec of the unit: then systemd kills."""


@contextmanager
def probe_process(home: Path, broker_port: int) -> Iterator[subprocess.Popen[bytes]]:
    home.mkdir(exist_ok=True)
    config = home / "probe.toml"
    config.write_text(
        f'site = "sz1"\nprobe = "gw1"\nrole = "gateway"\ndata_dir = "{home / "box"}"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {broker_port}\n'
    )
    command = [sys.executable, "-m", "seatwatch", "probe", "--config", str(config)]
    with (home / "log").open("ab") as log:
        process = subprocess.Popen([*DIES_WITH_THE_TESTS, *command], stderr=log, stdout=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def spoke(collector: FakeCollector, lives: int) -> bool:
    return len(collector.model.streams) >= lives


async def test_sigterm_ends_it_within_two_seconds_after_its_last_words(tmp_path: Path, mosquitto: Server) -> None:
    async with running_collector(mosquitto.host, mosquitto.port) as collector:
        with probe_process(tmp_path / "home", mosquitto.port) as process:
            await wait_until(lambda: collector.heartbeats(Lane.BACKLOG), what="the probe to speak")
            said = len(collector.heartbeats(Lane.SNAPSHOT))
            process.terminate()
            await wait_until(lambda: process.poll() is not None, 2, what="the probe to end")
            assert process.returncode == 0
            await wait_until(lambda: len(collector.heartbeats(Lane.SNAPSHOT)) > said, what="its last words")
    lines = [json.loads(line) for line in (tmp_path / "home" / "log").read_text().splitlines()]
    assert [line["event"] for line in lines][-1] == "probe.stopped"


UNKNOWN_NAME = """
import socket, sys, threading
def getaddrinfo(*_, **__):
    print("asked", flush=True)
    threading.Event().wait()
socket.getaddrinfo = getaddrinfo
from seatwatch.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.alone
def test_sigterm_ends_it_in_time_while_a_name_is_asked_for_that_nobody_knows(tmp_path: Path) -> None:
    config = tmp_path / "probe.toml"
    config.write_text(
        f'site = "s"\nprobe = "gw1"\nrole = "gateway"\ndata_dir = "{tmp_path / "box"}"\n'
        'broker = { host = "hub.example" }\n'
    )
    command = [*DIES_WITH_THE_TESTS, sys.executable, "-c", UNKNOWN_NAME, "probe", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "asked\n"
            process.terminate()
            _, errors = process.communicate(timeout=STOPPED_S)
        finally:
            process.kill()
    assert (process.returncode, json.loads(errors.splitlines()[-1])["event"]) == (0, "probe.stopped")


async def test_killed_again_and_again_it_loses_nothing_it_kept(tmp_path: Path, mosquitto: Server) -> None:
    home = tmp_path / "home"
    async with running_collector(mosquitto.host, mosquitto.port) as collector:
        for life in range(1, 4):
            with probe_process(home, mosquitto.port):
                await wait_until(partial(spoke, collector, life), what=f"life {life} to speak")
        with probe_process(home, mosquitto.port):
            await wait_until(lambda: len(collector.model.streams) >= 4, what="the last life to speak")
            chain = collector.model.prev
            await wait_until(
                lambda: all(collector.model.streams[before].mark >= last for before, last in chain.values()),
                what="every earlier life to be complete",
            )
    assert len(chain) == 3
    assert not any(stream.gone for stream in collector.model.streams.values())
