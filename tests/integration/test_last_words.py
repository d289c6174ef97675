"""What a site says last: the whole present state, before anything that waits, over a real broker and a real upsd.

Frames are taken from the broker with their instants; `pytest -s` prints how long each last word took.
"""

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiomqtt

from agent_probe._core.storage import DropClass
from agent_probe.app import Probe, memory_outbox
from agent_probe.platform import current
from agent_probe.platform.windows_service import CONTROL_PRESHUTDOWN
from seatwatch.probe.service import service_over
from tests.agent_probe.fake_collector import running_collector
from tests.agent_probe.living_probe import QUICK_RECONNECT, gateway
from tests.integration.running import seatwatch
from tests.servers import Server, UpsServer
from tests.waiting import wait_until
from wire.codec import decode_body, decode_frame, encode_body
from wire.facility import Heartbeat, Power, Role, UpsReading
from wire.frame import Frame, Lane
from wire.kinds import Kind

WAITING_ROWS = 2_000


class Heard:
    """Every frame of the probe as it left the broker, and when, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, Frame]] = []

    def since(self, instant: float) -> list[Frame]:
        return [frame for at, frame in self.frames if at >= instant]

    def first(self, lane: Lane, power: Power, status: str = "") -> float | None:
        """When a frame of `lane` first said `power`."""
        return next(
            (
                at
                for at, frame in self.frames
                if frame.lane is lane and any(b.power is power and status in b.status for b in ups_in(frame))
            ),
            None,
        )


def ups_in(frame: Frame) -> list[UpsReading]:
    bodies = [decode_body(item.kind, item.kind_version, item.body) for item in frame.items]
    return [body for body in bodies if isinstance(body, UpsReading)]


def kinds_in(frame: Frame) -> set[int]:
    return {item.kind for item in frame.items}


@asynccontextmanager
async def listening(broker: Server) -> AsyncIterator[Heard]:
    heard = Heard()

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            heard.frames.append((time.monotonic(), decode_frame(message.payload)))

    async with aiomqtt.Client(broker.host, broker.port, max_queued_incoming_messages=10_000) as client:
        await client.subscribe([("v1/sz1/gw1/up", 1), ("v1/sz1/gw1/now", 1)])
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(listen(client), name="listen")
            yield heard
            task.cancel()


@asynccontextmanager
async def loaded_probe(tmp_path: Path, broker: Server, ups: UpsServer) -> AsyncIterator[Probe]:
    """A probe that has come back with a long backlog and is sending it."""
    config, clock, stop = gateway(tmp_path, broker.port, nut_port=ups.port, ups="ups1"), current(), asyncio.Event()
    outbox = memory_outbox(config, QUICK_RECONNECT, clock)
    beat = Heartbeat(clock.wall_ms(), 1, config.source, None, True, "", "sz1", "", Role.GATEWAY, 2_000, 0)
    for _ in range(WAITING_ROWS):
        outbox.put(Kind.HEARTBEAT, 1, encode_body(beat), DropClass.HEARTBEAT, now=clock.monotonic_ms())
    probe = Probe(config, QUICK_RECONNECT, outbox, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(probe.run(stop), name="probe.run")
        try:
            yield probe
        finally:
            stop.set()


async def test_the_whole_state_overtakes_the_backlog_whenever_the_power_gets_worse(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    worse = {"OB DISCHRG": Power.BATTERY, "OB LB DISCHRG": Power.CRITICAL, "FSD OB LB": Power.CRITICAL}
    served_at = {}
    async with (
        running_collector(mosquitto.host, mosquitto.port),
        listening(mosquitto) as heard,
        loaded_probe(tmp_path, mosquitto, ups_server) as probe,
    ):
        await wait_until(partial(heard.first, Lane.SNAPSHOT, Power.MAINS), what="the probe to see the UPS")
        for status, power in worse.items():
            await asyncio.to_thread(ups_server.set, "ups1", "ups.status", status)
            served_at[status] = time.monotonic()
            await wait_until(partial(heard.first, Lane.SNAPSHOT, power, status), what=f"{status} to be said")
        assert probe.outbox.counts().rows > 0, "the backlog was still waiting"
    for status, power in worse.items():
        said_at = heard.first(Lane.SNAPSHOT, power, status)
        assert said_at is not None
        (frame,) = [frame for at, frame in heard.frames if at == said_at]
        assert kinds_in(frame) == {Kind.HEARTBEAT, Kind.UPS_READING}
        on_record = heard.first(Lane.BACKLOG, power, status)
        assert on_record is None or on_record > said_at
        took_ms = round((said_at - served_at[status]) * 1000)
        print(f"{status}: {took_ms} ms from upsd's answer to the broker's subscribers")
        assert took_ms < 2_000


async def test_sigterm_makes_the_state_of_the_ups_the_first_thing_said(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    config = written(tmp_path, mosquitto, ups_server)
    ups_server.set("ups1", "ups.status", "OB DISCHRG")
    async with running_collector(mosquitto.host, mosquitto.port), listening(mosquitto) as heard:
        with seatwatch(["probe", "--config", str(config)], tmp_path / "log") as running:
            await wait_until(partial(heard.first, Lane.BACKLOG, Power.BATTERY), what="the probe to tell")
            running.process.send_signal(signal.SIGTERM)
            asked_at = time.monotonic()
            await wait_until(lambda: running.process.poll() is not None, what="the probe to end")
            await wait_until(lambda: heard.since(asked_at), what="a last word")
            assert running.process.returncode == 0
    check_last_word(heard, asked_at, "SIGTERM")


class Manager:
    """The Service Control Manager's side of a service, as far as telling it to end."""

    def __init__(self) -> None:
        self.states: list[int] = []
        self.tell: Callable[[int], int] = lambda _: 0

    def dispatch(self, name: str, main: Callable[[], None]) -> None:
        main()

    def register(self, name: str, handler: Callable[[int], int]) -> None:
        self.tell = handler

    def report(self, state: int, *, accepts: int = 0, exit_code: int = 0, wait_hint_ms: int = 0) -> None:
        self.states.append(state)


async def test_preshutdown_makes_the_state_of_the_ups_the_first_thing_said(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    manager, config = Manager(), written(tmp_path, mosquitto, ups_server)
    ups_server.set("ups1", "ups.status", "OB DISCHRG")
    async with running_collector(mosquitto.host, mosquitto.port), listening(mosquitto) as heard:
        service = threading.Thread(target=service_over(manager, config, current()).run)
        service.start()
        await wait_until(partial(heard.first, Lane.BACKLOG, Power.BATTERY), what="the probe to tell")
        asked_at = time.monotonic()
        assert manager.tell(CONTROL_PRESHUTDOWN) == 0
        await wait_until(lambda: not service.is_alive(), what="the service to end")
        await wait_until(lambda: heard.since(asked_at), what="a last word")
    check_last_word(heard, asked_at, "PRESHUTDOWN")
    assert manager.states[-2:] == [3, 1], "it said that it was ending, and that it had"


def written(directory: Path, broker: Server, ups: UpsServer) -> Path:
    config = directory / "probe.toml"
    config.write_text(
        f'site = "sz1"\nprobe = "gw1"\nrole = "gateway"\ndata_dir = "{directory / "box"}"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {broker.port}\n[[ups]]\nname = "ups1"\nport = {ups.port}\n'
    )
    return config


def check_last_word(heard: Heard, asked_at: float, cause: str) -> None:
    said_at, first = next((at, frame) for at, frame in heard.frames if at >= asked_at)
    assert first.lane is Lane.SNAPSHOT
    assert kinds_in(first) == {Kind.HEARTBEAT, Kind.UPS_READING}
    assert [body.power for body in ups_in(first)] == [Power.BATTERY]
    took_ms = round((said_at - asked_at) * 1000)
    print(f"{cause}: {took_ms} ms to the broker's subscribers")
    assert took_ms < 500
