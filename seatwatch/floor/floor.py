"""The simulated floor put together: sites with lines, UPS and probes; connectors per client; people and customers."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Self

import msgspec

from agent_probe._core.outbox import Outbox
from agent_probe.app import Probe, memory_outbox
from agent_probe.config import BrokerConfig, ProbeConfig, ProbeSettings
from agent_probe.platform import current
from agent_probe.sensors.config import NetworkConfig, UpsConfig
from seatwatch.addresses import LOOPBACK
from seatwatch.floor.bridge import ChatBridge
from seatwatch.floor.line import Line
from seatwatch.floor.outcome import Sent
from seatwatch.floor.plan import FloorPlan
from seatwatch.floor.traffic import Habits, Traffic
from seatwatch.floor.upsd import Upsd
from seatwatch.runtime_file import Runtime
from wire.facility import Role
from wire.limits import EPOCH_BYTES


class FloorSettings(msgspec.Struct, frozen=True):
    """Thresholds of the simulated floor, from `[demo]` in defaults.toml, and how its people behave."""

    tick_s: float
    retry_s: float
    post_timeout_s: float
    surge_ms: int


class Floor:
    """Use as `async with`; then `run` until cancelled. Every action takes effect at once.

    server: where the server is now, None while it is down. tokens: client -> bearer token of its connector.
    """

    def __init__(
        self,
        plan: FloorPlan,
        habits: Habits,
        settings: FloorSettings,
        *,
        probe_settings: ProbeSettings,
        tokens: Mapping[str, str],
        server: Callable[[], Runtime | None],
        clock_ms: Callable[[], int],
        seed: int,
    ) -> None:
        self.plan = plan
        self._settings = settings
        self._probe_settings = probe_settings
        self._server = server
        self._clock_ms = clock_ms
        self._traffic = Traffic(plan, habits, seed=seed, start_ms=clock_ms())
        self._lines: dict[str, Line] = {}
        self._upsds: dict[str, Upsd] = {}
        self._probes: list[Probe] = []
        self._outboxes: dict[str, Outbox] = {}
        self._stop_probes = asyncio.Event()
        self._is_quiet = False
        self._stack = AsyncExitStack()
        self._bridges = {
            client: ChatBridge(
                f"chat/{client}",
                token=tokens[client],
                epoch=secrets.token_bytes(EPOCH_BYTES),
                url=self._url,
                retry_s=settings.retry_s,
                timeout_s=settings.post_timeout_s,
            )
            for client in plan.queues
        }

    async def __aenter__(self) -> Self:
        for site in self.plan.sites:
            self._lines[site] = await self._stack.enter_async_context(Line(LOOPBACK, self._port() or 0))
            self._upsds[site] = await self._stack.enter_async_context(Upsd())
            self._probes.append(self._probe(site, "gateway", Role.GATEWAY))
        self._probes += [
            self._probe(person.site, person.seat.partition("/")[2], Role.SEAT) for person in self.plan.people
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for client, bridge in self._bridges.items():
                tasks.create_task(bridge.run(), name=f"floor.bridge[{client}]")
            for number, probe in enumerate(self._probes):
                tasks.create_task(probe.run(self._stop_probes), name=f"floor.probe[{number}]")
            tasks.create_task(self._live(), name="floor.traffic")

    def _url(self) -> str | None:
        server = self._server()
        return None if server is None else server.url

    def _port(self) -> int | None:
        server = self._server()
        return None if server is None else server.mqtt_port

    def surge(self) -> None:
        """Customers arrive in a rush for a while."""
        self._traffic.surge(self._clock_ms() + self._settings.surge_ms)

    def is_cut(self, site: str) -> bool:
        """Whether a site's line is cut."""
        return self._lines[site].is_cut

    def cut_line(self, site: str) -> None:
        """Dig up a site's cable."""
        self._lines[site].cut()
        self._traffic.cut(site)

    def mend_line(self, site: str) -> None:
        """Splice it."""
        self._lines[site].mend()
        self._traffic.mend(site, self._clock_ms())

    def has_mains(self, site: str) -> bool:
        """Whether a site has mains power."""
        return self._upsds[site].has_mains

    def lose_mains(self, site: str) -> None:
        """A site runs on its UPS from now on."""
        self._upsds[site].lose_mains()

    def restore_mains(self, site: str) -> None:
        """Mains is back."""
        self._upsds[site].restore_mains()

    def fall_quiet(self) -> None:
        """Nothing new happens any more: what is under way to the server still arrives."""
        self._is_quiet = True
        for line in self._lines.values():
            line.mend()
        self._stop_probes.set()

    @property
    def is_drained(self) -> bool:
        """Whether everything sent was acknowledged."""
        return all(bridge.is_drained for bridge in self._bridges.values()) and all(
            outbox.settled for outbox in self._outboxes.values()
        )

    def streams(self) -> list[Sent]:
        """Every numbered stream, as its sender sees it."""
        streams = [
            Sent(bridge.source, bridge.epoch, bridge.sent, bridge.acknowledged) for bridge in self._bridges.values()
        ]
        for source, outbox in self._outboxes.items():
            sent = outbox.last_sequence
            streams.append(Sent(source, outbox.epoch, sent, sent - outbox.counts().rows))
        return streams

    def refusals(self) -> list[str]:
        """What the server answered when it did not take a frame, newest last."""
        return [refusal for bridge in self._bridges.values() for refusal in bridge.refused]

    def _probe(self, site: str, name: str, role: Role) -> Probe:
        ups = [UpsConfig(name="ups", port=self._upsds[site].port)] if role is Role.GATEWAY else []
        broker = BrokerConfig(host=LOOPBACK, port=self._lines[site].port, protocol="3.1.1")
        config = ProbeConfig(
            site=site,
            probe=name,
            broker=broker,
            role=role,
            seat="" if role is Role.GATEWAY else f"{site}/{name}",  # as the roster calls it
            ups=ups,
            network=NetworkConfig(measured=False),  # it is this machine's, not a seat's
        )
        platform = current()
        outbox = self._outboxes[config.source] = memory_outbox(config, self._probe_settings, platform)
        return Probe(config, self._probe_settings, outbox, clock=platform)

    async def _live(self) -> None:
        while True:
            port = self._port()
            if port is not None:
                for line in self._lines.values():
                    line.retarget(port)
            if not self._is_quiet:
                for happened in self._traffic.advance(self._clock_ms()):
                    self._bridges[happened.client].put(happened.body)
            await asyncio.sleep(self._settings.tick_s)
