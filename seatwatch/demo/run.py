"""The demo: a server child, a floor that talks to it, the script or a person's keys, and the count at the end."""

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from agent_probe.config import ProbeSettings
from collector.ledgers import ledger_directory
from seatwatch.addresses import EVERYWHERE, bind, lan_address
from seatwatch.clock import now_ms
from seatwatch.demo.child import ServerChild, ServerDidNotStart
from seatwatch.demo.files import import_roster, write_configuration
from seatwatch.demo.keys import key_presses
from seatwatch.demo.script import Action, Mishap, script, stricken
from seatwatch.demo.telling import befalls, status
from seatwatch.floor.floor import Floor, FloorSettings
from seatwatch.floor.outcome import Outcome, count_outcome
from seatwatch.floor.plan import FloorPlan, plan_floor
from seatwatch.floor.traffic import Habits
from seatwatch.printed.teller import Teller
from seatwatch.probe.settings import probe_settings
from seatwatch.settings import Defaults
from wire.ids import OPERATOR


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for. for_s: None = until Ctrl-C. listen: where the wallboard is to be reached."""

    for_s: float | None
    seed: int
    sites: int
    seats: int
    listen: str
    port: int


class CannotListen(Exception):
    """The wallboard's address is none of this machine, or may not be used."""


class Demo:
    """One demo from start to count. tell: the person's language. say: prints one line for them."""

    def __init__(self, options: DemoOptions, defaults: Defaults, *, tell: Teller, say: Callable[[str], None]) -> None:
        self._options = options
        self._defaults = defaults
        self._tell = tell
        self._say = say
        self._plan: FloorPlan = plan_floor(options.sites, options.seats, defaults.int("demo.team_size"))
        self._started_ms = now_ms()
        self._pressed: asyncio.Queue[Mishap] = asyncio.Queue(defaults.int("demo.keys_waiting"))
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End it early; everything under way is still delivered and counted."""
        self._stop.set()

    async def run(self) -> dict[str, Any]:
        """Run it. Returns what is to be said at the end, as plain values. Raises CannotListen before anything runs."""
        with tempfile.TemporaryDirectory(prefix="seatwatch-demo-") as folder:
            base = Path(folder)
            tokens, reader = write_configuration(
                base,
                self._plan,
                listen=self._options.listen,
                port=self._free_port(),
                windows=self._defaults.int("demo.windows"),
            )
            await import_roster(base / "roster.csv", base / "data")
            child = ServerChild(
                base / "seatwatch.toml",
                base / "data",
                base / "server.log",
                start_timeout_s=self._defaults.seconds("demo.start_timeout"),
                poll_s=self._defaults.seconds("demo.poll"),
            )
            await child.start()
            self._started_ms = now_ms()
            self._welcome(child, reader)
            try:
                board, floor = await self._watch(child, tokens, reader)
            finally:
                await child.stop(self._defaults.seconds("demo.stop_timeout"))
            directories = {name: ledger_directory(base / "data", name) for name in (OPERATOR, *self._plan.queues)}
            outcome = await asyncio.to_thread(count_outcome, directories, floor.streams())
            return summary(outcome, board, child.starts)

    def _free_port(self) -> int:
        """Found once, and written down: a server that is killed comes back where people look at it."""
        try:
            bound = bind(self._options.listen, self._options.port)
        except OSError as error:
            fix = "give an address of this machine, or 0.0.0.0, and a port that this user may use"
            raise CannotListen(f"{self._options.listen}:{self._options.port}: {error.strerror}; {fix}") from error
        bound.socket.close()
        if bound.replaced is not None:
            self._say(self._tell.filled("demo_port_busy", busy=bound.replaced, port=bound.port))
        return bound.port

    def _welcome(self, child: ServerChild, reader: str) -> None:
        url = child.url or ""
        plan = self._plan
        size = {"sites": len(plan.sites), "seats": self._options.seats, "clients": len(plan.queues)}
        self._say(self._tell.filled("demo_floor", **size, queues=sum(map(len, plan.queues.values()))))
        way_in = f"sign-in#token={reader}" if reader else ""
        self._say(f"  {url}/{way_in}")
        if reader:
            if self._options.listen in EVERYWHERE:
                address = lan_address() or "<this machine>"
                port = url.rpartition(":")[2]
                self._say(f"  http://{address}:{port}/{way_in}  {self._tell.word('demo_from_elsewhere')}")
            self._say(f"  {self._tell.word('demo_warning')}")

    async def _watch(self, child: ServerChild, tokens: Mapping[str, str], reader: str) -> tuple[dict[str, Any], Floor]:
        async with self._floor(child, tokens) as floor, asyncio.TaskGroup() as tasks:
            befalling = [
                tasks.create_task(self._script(child, floor), name="demo.script"),
                tasks.create_task(self._keys(child, floor), name="demo.keys"),
            ]
            background = [
                tasks.create_task(floor.run(), name="demo.floor"),
                tasks.create_task(self._keep_running(child), name="demo.server"),
                tasks.create_task(self._report(child, reader), name="demo.report"),
            ]
            with suppress(TimeoutError):
                async with asyncio.timeout(self._options.for_s):
                    await self._stop.wait()
            for task in befalling:
                task.cancel()
            self._line(self._tell.word("demo_falls_quiet"))
            floor.fall_quiet()
            await self._drained(child, floor)
            board = await _board(child, reader)
            for task in background:
                task.cancel()
        return board, floor

    def _floor(self, child: ServerChild, tokens: Mapping[str, str]) -> Floor:
        defaults = self._defaults
        arrivals = defaults.ratio("demo.arrivals") * len(self._plan.people)
        habits = defaults.fill(Habits, "demo", arrivals_per_s=arrivals)
        return Floor(
            self._plan,
            habits,
            defaults.fill(FloorSettings, "demo"),
            probe_settings=_patient(probe_settings(defaults), defaults.ms("demo.drain_timeout")),
            tokens=tokens,
            server=lambda: child.runtime,
            clock_ms=now_ms,
            seed=self._options.seed,
        )

    async def _keep_running(self, child: ServerChild) -> None:
        """Start the server again whenever it dies."""
        while True:
            code = await child.ended()
            self._line(self._tell.filled("demo_server_ended", code=code))
            before = now_ms()
            try:
                await child.start()
            except ServerDidNotStart:
                if not child.was_killed:
                    raise
                continue  # another kill -9 met it while it was starting
            after = f"{(now_ms() - before) / 1000:.1f}"
            self._line(self._tell.filled("demo_server_back", seconds=after, url=f"{child.url}/"))

    async def _script(self, child: ServerChild, floor: Floor) -> None:
        ms = self._defaults.ms
        course = script(
            self._plan.sites,
            surge_at_ms=ms("demo.surge_at"),
            cut_at_ms=ms("demo.cut_at"),
            mains_at_ms=ms("demo.mains_at"),
            mend_at_ms=ms("demo.mend_at"),
        )
        for mishap in course:
            await asyncio.sleep(max(0, self._started_ms + mishap.at_ms - now_ms()) / 1000)
            if not _is_so(mishap, floor):
                self._befall(mishap, child, floor)

    async def _keys(self, child: ServerChild, floor: Floor) -> None:
        with key_presses(lambda key: self._press(key, floor)) as there_is_a_terminal:
            if there_is_a_terminal:
                self._say(f"  {self._tell.word('demo_keys')}")
            while True:
                self._befall(await self._pressed.get(), child, floor)

    def _press(self, key: str, floor: Floor) -> None:
        cut, unplugged = stricken(self._plan.sites)
        pressed = {
            "s": Mishap(0, Action.SURGE),
            "l": Mishap(0, Action.MEND_LINE if floor.is_cut(cut) else Action.CUT_LINE, cut),
            "p": Mishap(0, Action.LOSE_MAINS if floor.has_mains(unplugged) else Action.RESTORE_MAINS, unplugged),
            "k": Mishap(0, Action.KILL_COLLECTOR),
        }
        if key == "q":
            self.stop()
        elif key in pressed and not self._pressed.full():
            self._pressed.put_nowait(pressed[key])

    def _befall(self, mishap: Mishap, child: ServerChild, floor: Floor) -> None:
        self._line(befalls(mishap, self._tell))
        match mishap.action:
            case Action.SURGE:
                floor.surge()
            case Action.CUT_LINE:
                floor.cut_line(mishap.site)
            case Action.MEND_LINE:
                floor.mend_line(mishap.site)
            case Action.LOSE_MAINS:
                floor.lose_mains(mishap.site)
            case Action.RESTORE_MAINS:
                floor.restore_mains(mishap.site)
            case Action.KILL_COLLECTOR:
                child.kill()

    async def _report(self, child: ServerChild, reader: str) -> None:
        """One line on how things stand, now and then."""
        while True:
            await asyncio.sleep(self._defaults.seconds("demo.report"))
            board = await _board(child, reader)
            if board:
                self._line(status(board, self._tell))

    async def _drained(self, child: ServerChild, floor: Floor) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._defaults.seconds("demo.drain_timeout")):
                # without a server there is no board to end with, even where nobody has anything left to tell it
                while child.url is None or not floor.is_drained:  # noqa: ASYNC110 - thirty outboxes, none of which knows an event
                    await asyncio.sleep(self._defaults.seconds("demo.poll"))
        await asyncio.sleep(self._defaults.seconds("demo.last_board"))

    def _line(self, text: str) -> None:
        self._say(f"{(now_ms() - self._started_ms) / 1000:6.1f} s  {text}")


def _is_so(mishap: Mishap, floor: Floor) -> bool:
    """Whether a person's keys brought about already what the script is about to."""
    match mishap.action:
        case Action.CUT_LINE:
            return floor.is_cut(mishap.site)
        case Action.MEND_LINE:
            return not floor.is_cut(mishap.site)
        case Action.LOSE_MAINS:
            return not floor.has_mains(mishap.site)
        case Action.RESTORE_MAINS:
            return floor.has_mains(mishap.site)
        case _:
            return False


def _patient(settings: ProbeSettings, flush_ms: int) -> ProbeSettings:
    """Probes that deliver all they have before they end: a real one keeps the rest on disk, these in memory only."""
    return settings._replace(uplink=settings.uplink._replace(flush_ms=flush_ms))


async def _board(child: ServerChild, reader: str) -> dict[str, Any]:
    """The board as screens get it; empty while the server is down."""
    if child.url is None:
        return {}
    headers = {"Authorization": f"Bearer {reader}"} if reader else {}
    try:
        async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{child.url}/board.json") as answer:
            return await answer.json() if answer.status == 200 else {}  # 503 before the first board
    except (aiohttp.ClientError, OSError, json.JSONDecodeError):
        return {}


def summary(outcome: Outcome, board: Mapping[str, Any], starts: int) -> dict[str, Any]:
    """Everything the demo says at its end: counts of events, then figures of all clients together and of each.

    A ratio or a mean stands with what it was made of, and is None where nothing counted. Without a board (empty)
    nothing is known: figures and clients are None.
    """
    if not board:
        unknown = dict.fromkeys(("attainment", "averages", "offered", "answered", "abandoned", "clients"))
        return {**msgspec.to_builtins(outcome), "server_starts": starts, **unknown}
    days = {client["id"]: client["day"] for client in board.get("clients", {}).values()}
    clients = {name: _figures([day]) for name, day in days.items()}
    return {
        **msgspec.to_builtins(outcome),
        "server_starts": starts,
        **_figures([*days.values()]),
        "clients": clients,
    }


def _figures(days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Ratios and means of sums, over the business days of one or more clients."""
    met = sum(day["attainment"]["part"] for day in days)
    judged = sum(day["attainment"]["whole"] for day in days)
    averages = {}
    for name in ("first_response", "average_response"):
        total_ms = sum(day[name]["total_ms"] for day in days)
        count = sum(day[name]["count"] for day in days)
        averages[name] = {"mean_ms": round(total_ms / count) if count else None, "total_ms": total_ms, "count": count}
    return {
        "attainment": {"ratio": met / judged if judged else None, "met": met, "judged": judged},
        "averages": averages,
        **{name: sum(day[name] for day in days) for name in ("offered", "answered", "abandoned")},
    }
