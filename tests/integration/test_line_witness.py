"""Behind a real dual-WAN router in network namespaces: the hub sees each line's own address, by whichever it leaves.

The router is a kernel with two routing tables and address translation; the probe asks every second instead of fifty.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web
from msgspec.structs import replace

from agent_probe.platform import current
from collector.intake_http import HttpDoor
from collector.sources import Source, token_hash
from sla_engine._core.sites import fold_sites, new_sites
from tests.collector.running import Hub, running_hub
from tests.integration.lines_world import NAMES
from tests.integration.test_https import HTTP, TOKEN
from tests.netns import FAR_TARGETS, HUB, LAN_ADDRESSES, DualWanRouter, command_inside, dual_wan_router, inside
from tests.relays import Authority
from tests.servers import DIES_WITH_THE_TESTS
from tests.sla_engine.entries import Log
from tests.sla_engine.site_limits import LIMITS
from tests.waiting import wait_until
from wire.ids import OPERATOR
from wire.incident import IncidentSaid
from wire.organisation import Relation
from wire.uplink import Failover, LineReading, LineWitnessed

GATEWAY = Source(id="sz1/gateway", client=OPERATOR, carries="facilities", site="sz1", token_hash=token_hash(TOKEN))
PORT = 8743
RANGES = ("10.0.0.0/24", "10.0.1.0/24")
EGRESS = ("10.0.0.2", "10.0.1.2")


class RouterWorld:
    """A probe behind the router, the hub's door beyond it, and what the hub makes of it."""

    def __init__(self, router: DualWanRouter, hub: Hub, config: Path) -> None:
        self.router = router
        self.config = config
        self.asked: list[str] = []
        self._hub = hub
        self._state = new_sites(replace(LIMITS, elsewhere_ms=1_500))
        self._read = 0
        log = Log()
        links = zip(NAMES, RANGES, strict=True)
        fold_sites(
            self._state,
            [log.link(Relation.SITE_OF_LINE, f"sz1/{name}", "sz1", egress=egress) for name, egress in links],
        )

    def count_what_is_asked(self) -> None:
        connections = self._hub.intake.connections
        put_on_record = connections.witnessed

        async def witnessed(source: str, line: str, address: str) -> None:
            self.asked.append(line)
            await put_on_record(source, line, address)

        connections.witnessed = witnessed  # type: ignore[method-assign]  # looked at on its way

    def look(self) -> list[IncidentSaid]:
        """Every revision so far. The hub's clock goes on with each look."""
        self._hub.now = current().wall_ms()
        records = self._hub.records(OPERATOR)
        fold_sites(self._state, records[self._read :])
        self._read = len(records)
        return self._state.unsaid

    def seen(self) -> dict[str, str]:
        """The newest address of each line."""
        self._hub.now = current().wall_ms()
        return {body.line: body.egress for body in self._hub.bodies(LineWitnessed, OPERATOR)}

    def count(self, *kinds: type) -> int:
        return sum(len(self._hub.bodies(kind, OPERATOR)) for kind in kinds)

    async def until_seen(self, *addresses: str) -> None:
        wanted = dict(zip(NAMES, addresses, strict=True))
        await wait_until(lambda: self.seen() == wanted, 40, what=f"the hub to see {wanted}; it sees {self.seen()}")

    async def until_said(self, *wanted: tuple[str, str, bool]) -> list[IncidentSaid]:
        def told() -> bool:
            return [(each.step.value, each.subject, each.is_suspected) for each in self.look()] == list(wanted)

        await wait_until(told, 40, what=f"{wanted}; {self.look()}")
        return self.look()


@contextmanager
def probe_behind(router: DualWanRouter, config: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.integration.quick_witness", str(config)]
    with config.with_suffix(".log").open("ab") as output:
        process = subprocess.Popen([*DIES_WITH_THE_TESTS, *command_inside(router.lan, command)], stderr=output)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@asynccontextmanager
async def router_world(directory: Path) -> AsyncIterator[RouterWorld]:
    authority = Authority(directory)
    (directory / "token").write_text(TOKEN, encoding="ascii")
    config = directory / "probe.toml"
    config.write_text(
        f'site = "sz1"\nprobe = "gateway"\nrole = "gateway"\ntransport = "https"\ndata_dir = "{directory / "box"}"\n'
        f'[broker]\nhost = "{HUB}"\n[hub]\nurl = "https://{HUB}:{PORT}"\ntoken_file = "token"\nproxy = "direct"\n'
        f'[hub.tls]\nca_file = "{authority.file}"\n'
        + "".join(
            f'[[line]]\nname = "{name}"\ncarrier = "{name}"\ninterface = "eth0"\nsource_address = "{address}"\n'
            f"targets = {json.dumps(FAR_TARGETS)}\n"
            for name, address in zip(NAMES, LAN_ADDRESSES, strict=True)
        ),
        encoding="utf-8",
    )
    with dual_wan_router() as router:
        async with running_hub(directory / "hub", sources=[GATEWAY]) as hub:
            hub.now = current().wall_ms()
            app = web.Application()
            app.add_routes(HttpDoor(hub.intake, hub.sources, HTTP).routes())
            runner = web.AppRunner(app)
            await runner.setup()
            with inside(router.lines.net):
                await web.TCPSite(runner, HUB, PORT, ssl_context=authority.serving(HUB)).start()
            try:
                world = RouterWorld(router, hub, config)
                world.count_what_is_asked()
                yield world
            finally:
                await runner.cleanup()


async def test_a_dead_standby_that_the_router_helps_out_is_suspected_and_over_when_it_leaves_by_its_own_again(
    tmp_path: Path,
) -> None:
    async with router_world(tmp_path) as world:
        with probe_behind(world.router, world.config):
            await world.until_seen(*EGRESS)
            assert world.look() == []
            world.router.lines.cut(1)
            world.router.send(1, over=0)
            said = await world.until_said(("opened", "unicom", True))
            assert said[0].details == {"carrier": "unicom", "elsewhere": "telecom"}
            readings = [body.state.value for body in world._hub.bodies(LineReading, OPERATOR) if body.line == "unicom"]
            assert "down" not in readings, "the probe's own echoes were answered all the time"
            assert world.count(Failover) == 0
            world.router.lines.mend(1)
            world.router.send(1, over=1)
            await world.until_said(("opened", "unicom", True), ("closed", "unicom", True))


async def test_two_lines_through_one_provider_are_told_of_the_right_one_by_the_hub_and_by_the_doctor(
    tmp_path: Path,
) -> None:
    async with router_world(tmp_path) as world:
        world.router.send(1, over=0)
        with probe_behind(world.router, world.config):
            await world.until_said(("opened", "unicom", True))
            assert world.seen() == dict.fromkeys(NAMES, EGRESS[0])
        asked = [sys.executable, "-m", "seatwatch", "probe", "doctor", "--json", "--config", str(world.config)]
        done = await asyncio.to_thread(
            subprocess.run, command_inside(world.router.lan, asked), capture_output=True, text=True, check=False
        )
        said = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.stdout, done.stderr
        witnesses = [(each["about"], each["because"]) for each in said if each["subject"] == "witness"]
        assert witnesses == [("telecom", "seen"), ("unicom", "witness_shared")]
        assert done.returncode == 1


async def test_nothing_is_asked_over_a_line_that_the_probe_itself_calls_down_and_it_is_again_when_it_answers(
    tmp_path: Path,
) -> None:
    async with router_world(tmp_path) as world:
        with probe_behind(world.router, world.config):
            await world.until_seen(*EGRESS)
            world.router.lines.cut(1)
            await world.until_said(("opened", "unicom", False))
            unicom, telecom = (world.asked.count(name) for name in reversed(NAMES))
            await wait_until(
                lambda: world.asked.count("telecom") >= telecom + 3, what="the other line to be asked over"
            )
            assert world.asked.count("unicom") == unicom
            world.router.send(1, over=0)
            await world.until_said(("opened", "unicom", False), ("closed", "unicom", False), ("opened", "unicom", True))
