"""Kill -9 of real processes at random under load, then proof from the files that nothing was lost and nothing doubled.

    python -m tests.integration.kill_rounds --rounds 50 --seed 1

Each round kills one or two of probe, broker, collector, Redis and engine, or empties Redis, at a random moment or right
after an acknowledgement; starts them again while customers go on talking; and goes on once the connectors' events of
that moment are acknowledged. Probes and engine may still be recovering when the next round begins.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
import msgspec
from redis.exceptions import RedisError

from collector.ledgers import ledger_directory
from dashboards.wallboard._core.board import to_json
from seatwatch.clock import now_ms
from seatwatch.config import read_config
from tests.integration.kill_checks import (
    Ledger,
    compare_facts,
    differences,
    first_ones,
    fsck,
    newest_heartbeat,
    replayed_board,
    size_of,
    streamed,
    unkept,
)
from tests.integration.kill_world import PROBES, ROUND_TRIP_S, World, running_world
from tests.waiting import NeverHappenedError, wait_until
from wire.ids import OPERATOR
from wire.scope import EVERYTHING
from wire.stream import Pulse, encode_pulse
from wire.topics import PULSES_KEY, stream_name

KINDS: Final = ("probe", "broker", "collector", "redis", "engine", "flush")
SECOND_VICTIM: Final = 0.4
AT_A_BAD_MOMENT: Final = 0.6
EVENTS_BEFORE: Final = 200
EVENTS_WITHOUT: Final = 120
PATIENCE_S: Final = 3.0
TRIES: Final = 8
COME_BACK_LATER: Final = ("429 ", "503 ")
OF_THE_MOMENT: Final = ("as_of", "computed_at")


@dataclass
class Report:
    """What the rounds did and what was found. `problems` is empty when everything held."""

    rounds: int
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    acknowledged: int = 0
    probe_rows: int = 0
    kept_rows: int = 0
    lost: int = 0
    duplicates: int = 0
    entries: int = 0
    facts: int = 0
    facts_duplicate: int = 0
    facts_different: int = 0
    streamed: int = 0
    discarded: int = 0
    load_s: float = 0.0
    total_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    def table(self) -> str:
        """One table for a person."""
        kills = ", ".join(f"{kind} {self.kills[kind]}" for kind in KINDS)
        rate = self.sent / self.load_s if self.load_s else 0.0
        rows = [
            ("rounds", f"{self.rounds} (seed {self.seed})"),
            ("kill -9, and Redis emptied", kills),
            ("events sent by connectors", f"{self.sent} ({rate:.0f}/s)"),
            ("events acknowledged", f"{self.acknowledged}"),
            ("probe rows durable, seen in outboxes of killed probes", f"{self.probe_rows}, {self.kept_rows}"),
            ("lost, duplicates", f"{self.lost}, {self.duplicates}"),
            ("ledger entries, of them in Redis", f"{self.entries}, {self.streamed}"),
            ("facts checked", f"{self.facts}"),
            ("facts duplicate, missing or different", f"{self.facts_duplicate}, {self.facts_different}"),
            ("times the engine started over from entry 0", f"{self.discarded}"),
            ("seconds under load, in all", f"{self.load_s:.0f}, {self.total_s:.0f}"),
            ("problems", f"{len(self.problems)}"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


async def run_rounds(rounds: int, seed: int, base: Path, *, say: Callable[[str], None] = print) -> Report:
    """Run `rounds` rounds in the empty folder `base`. Raises AssertionError when something does not come back."""
    report = Report(rounds, seed)
    began = time.monotonic()
    async with running_world(base, seed) as world:
        await world.caught_up()
        for number, kinds in enumerate(_deck(rounds, world.rng), start=1):
            report.kills.update(kinds)
            say(f"{time.monotonic() - began:6.1f} s  round {number}: {' and '.join(kinds)}")
            await _round(world, kinds)
        report.load_s = time.monotonic() - began
        world.is_quiet = True
        board = await _settle(world, report)
        await _check(world, report, board)
    report.total_s = time.monotonic() - began
    return report


def _deck(rounds: int, rng: Random) -> list[list[str]]:
    """What each round strikes: every kind in turn, in random order, and often a second one."""
    first: list[str] = []
    while len(first) < rounds:
        first += rng.sample(KINDS, len(KINDS))
    deck = []
    for kind in first[:rounds]:
        others = [other for other in KINDS if other != kind]
        deck.append([kind, rng.choice(others)] if rng.random() < SECOND_VICTIM else [kind])
    return deck


async def _round(world: World, kinds: list[str]) -> None:
    dead = [world.rng.choice(PROBES) if kind == "probe" else kind for kind in kinds if kind != "flush"]
    await _moment(world, dead)
    if "flush" in kinds:
        await _flush(world)
    for name in dead:
        world.kill(name)
    goal = world.sent + world.rng.randrange(EVENTS_WITHOUT)
    await wait_until(lambda: world.sent >= goal, what="customers to go on talking")
    world.rng.shuffle(dead)
    for name in dead:
        world.servers[name].start()
    for name in dead:
        await world.is_up(name)
    for name in ("collector", "engine", *PROBES):
        world.child(name).check_alive()
    await world.caught_up()


async def _moment(world: World, dead: list[str]) -> None:
    """After a random number of events, and often right after an acknowledgement, or after a probe kept something."""
    goal = world.sent + world.rng.randrange(EVENTS_BEFORE)
    await wait_until(lambda: world.sent >= goal, what="customers to talk")
    if world.rng.random() >= AT_A_BAD_MOMENT:
        return
    probe = next((name for name in dead if name in PROBES), None)
    with suppress(TimeoutError, NeverHappenedError):  # a probe that is finding its way back has nothing to offer
        if probe is not None and world.rng.random() < AT_A_BAD_MOMENT:
            before = world.outbox_changed(probe)
            await wait_until(lambda: world.outbox_changed(probe) != before, PATIENCE_S)
        else:
            acked = world.probe_acked if probe is not None or "broker" in dead else world.chat_acked
            acked.clear()
            async with asyncio.timeout(PATIENCE_S):
                await acked.wait()


async def _flush(world: World) -> None:
    redis = world.redis()
    try:
        await redis.flushall()
    finally:
        await redis.aclose()


# --------------------------------------------------------------------------------------------------------- the end


def _ledgers(world: World) -> dict[str, Path]:
    return {client: ledger_directory(world.data, client) for client in (OPERATOR, *world.bridges)}


async def _settle(world: World, report: Report) -> dict[str, Any]:
    """Let everything arrive, then end all processes in order. Returns the engine's last board."""
    ledgers = _ledgers(world)
    await world.caught_up()
    for probe in PROBES:
        await _settle_probe(world, report, probe)
    await _settle_feed(world, report, ledgers)
    sizes = {client: size_of(directory) for client, directory in ledgers.items()}
    total, ended_at, redis = sum(sizes.values()), now_ms(), world.redis()

    async def board_of_all() -> dict[str, Any]:
        """Live, although the collector has ended: the pulses of one that has nothing new to tell are told here."""
        world.child("engine").check_alive()
        for client, size in sizes.items():
            pulse = Pulse(_ledger_id(ledgers[client]), size, now_ms())
            await redis.hset(PULSES_KEY, mapping={client: encode_pulse(pulse)})
        board = await _board(world)
        return board if board and board["as_of"] >= ended_at and board["record"]["entries"] == total else {}

    try:
        what = f"the engine to show all {total} entries"
        board: dict[str, Any] = await wait_until(board_of_all, ROUND_TRIP_S, what=what)
    finally:
        await redis.aclose()
    _end(world, report, "engine")
    return board


async def _settle_probe(world: World, report: Report, probe: str) -> None:
    """End a probe once the ledger has all it kept; what it said last may take another start."""
    operator = ledger_directory(world.data, OPERATOR)
    source = f"{probe}/gateway"
    for _ in range(TRIES):
        since = size_of(operator)

        def is_empty(since: int = since) -> bool:
            world.child(probe).check_alive()
            beat = newest_heartbeat(operator, source, since)
            return beat is not None and beat.outbox_rows == 0

        await wait_until(is_empty, ROUND_TRIP_S, what=f"the outbox of {probe} to be empty")
        _end(world, report, probe)
        left = world.outbox(probe)
        world.kept[probe].update(left)
        if not unkept(left, source, Ledger(operator)):
            return
        await world.start(probe)
    report.problems.append(f"{probe} never got rid of its last rows")


async def _settle_feed(world: World, report: Report, ledgers: dict[str, Path]) -> None:
    """End the collector once Redis holds all entries; one that came in the very last moment takes another start."""
    redis = world.redis()

    async def behind() -> int:
        ids = {client: _ledger_id(directory) for client, directory in ledgers.items()}
        ends: list[Any] = [await redis.xrevrange(stream_name(ids[client]), count=1) for client in ledgers]
        there = sum(int(end[0][0].partition(b"-")[0]) for end in ends if end)
        return sum(size_of(directory) for directory in ledgers.values()) - there

    async def is_fed() -> bool:
        return await behind() <= 0

    try:
        for _ in range(TRIES):
            await wait_until(is_fed, ROUND_TRIP_S, what="Redis to hold every entry")
            _end(world, report, "collector")
            if await behind() <= 0:
                break
            await world.start("collector")
    finally:
        await redis.aclose()


def _end(world: World, report: Report, name: str) -> None:
    code = world.child(name).end()
    if code != 0:
        report.problems.append(f"{name} ended with {code} on SIGTERM")


async def _board(world: World) -> dict[str, Any]:
    """The engine's board as screens get it; empty while there is none."""
    runtime = world.child("engine").runtime
    if runtime is None:
        return {}
    async with aiohttp.ClientSession() as http, http.get(f"{runtime.url}/board.json") as answer:
        return dict(await answer.json()) if answer.status == 200 else {}


def _ledger_id(directory: Path) -> bytes:
    return bytes.fromhex(json.loads((directory / "ledger.json").read_text())["ledger_id"])


async def _check(world: World, report: Report, board: dict[str, Any]) -> None:
    directories = _ledgers(world)
    ledgers = {client: Ledger(directory) for client, directory in directories.items()}
    for ledger in ledgers.values():
        report.entries += len(ledger.entries)
        report.duplicates += ledger.twice()
        indexes = [entry.place for entry in ledger.entries]
        if indexes != list(range(len(indexes))):
            report.problems.append(f"{ledger.directory.name}: the indexes are not dense")
        report.problems += [*ledger.holes(), *ledger.wrong(), *fsck(ledger.directory)]
    _check_connectors(world, report, ledgers)
    _check_probes(world, report, ledgers[OPERATOR])
    for client in world.bridges:
        _check_facts(world, report, client, ledgers[client])
    await _check_streams(world, report, ledgers)
    await _check_board(world, report, board, directories)
    log = (world.base / "engine.log").read_text(errors="replace")
    report.discarded = log.count("engine.facts_discarded")
    if report.lost or report.duplicates:
        report.problems.append(f"{report.lost} lost, {report.duplicates} duplicates")


def _check_connectors(world: World, report: Report, ledgers: dict[str, Ledger]) -> None:
    for client, bridge in world.bridges.items():
        ledger = ledgers[client]
        report.sent += bridge.sent
        report.acknowledged += bridge.acknowledged
        report.lost += len(ledger.lost(bridge.source, bridge.epoch, bridge.acknowledged))
        stored = [entry.body for entry in ledger.entries if entry.source == bridge.source]
        if stored != bridge.said:
            report.problems.append(f"{client}: {len(stored)} stored events are not the {len(bridge.said)} said")
        refused = [refusal for refusal in bridge.refused if not refusal.startswith(COME_BACK_LATER)]
        report.problems += [f"{client} was refused: {refusal}" for refusal in first_ones(refused, 3)]


def _check_probes(world: World, report: Report, operator: Ledger) -> None:
    """Every acknowledgement overheard was true, and every row a dead probe's outbox held has arrived as it was."""
    shown = operator.shown_streams()
    lost: set[tuple[bytes, int]] = set()
    for (source, epoch), through in world.acks.items():
        if epoch not in shown:
            lost |= {(epoch, sequence) for sequence in operator.lost(source, epoch, through)}
        elif (source, epoch, through) not in operator.bodies:
            lost.add((epoch, through))
    for probe in PROBES:
        source = f"{probe}/gateway"
        report.kept_rows += len(world.kept[probe])
        lost |= {(row.epoch, row.sequence) for row in unkept(world.kept[probe], source, operator)}
        report.probe_rows += sum(
            len(sequences)
            for (name, epoch), sequences in operator.streams.items()
            if name == source and epoch not in shown
        )
    report.lost += len(lost)


def _check_facts(world: World, report: Report, client: str, ledger: Ledger) -> None:
    found = compare_facts(world.base / "engine" / "facts" / client, ledger)
    report.facts += found.checked
    report.facts_duplicate += found.duplicates
    report.facts_different += found.missing + found.surplus + found.different
    if found.offset != len(ledger.entries) or found.duplicates or found.missing or found.surplus or found.different:
        report.problems.append(f"{client}: {len(ledger.entries)} entries, but {found}")


async def _check_streams(world: World, report: Report, ledgers: dict[str, Ledger]) -> None:
    redis = world.redis()
    try:
        for client, ledger in ledgers.items():
            there = await streamed(redis, stream_name(_ledger_id(ledger.directory)))
            report.streamed += len(there)
            if there != ledger.entries:
                report.problems.append(f"{client}: Redis holds {len(there)} entries, not the {len(ledger.entries)}")
    except RedisError as error:
        report.problems.append(f"Redis: {error}")
    finally:
        await redis.aclose()


async def _check_board(world: World, report: Report, board: dict[str, Any], directories: dict[str, Path]) -> None:
    config = read_config(world.base / "engine.toml")
    replayed = await replayed_board(config, directories, world.base / "replayed", board["computed_at"])
    expected = msgspec.json.decode(msgspec.json.encode(to_json(replayed, EVERYTHING)))
    for shown in (board, expected):
        for name in OF_THE_MOMENT:
            del shown[name]
        for tiles in (shown["clients"], shown["queues"], shown["teams"], shown["site_figures"]):
            for tile in tiles.values():
                for growing in ("coverage", "staffing", "saturation", "occupancy"):
                    del tile[growing]  # up to each client's own instant, which may be a millisecond beside the board's
                del tile["surge"]  # of what the clock announced, which a replay does not
    report.problems += first_ones(differences("board", board, expected))


def main() -> int:
    """Run as a program: 0 when everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.kill_rounds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="leave all files in this empty folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seatwatch-kills-") as folder:
        base = options.keep or Path(folder)
        base.mkdir(exist_ok=True)
        report = asyncio.run(run_rounds(options.rounds, options.seed, base))
    print(report.table())
    for problem in first_ones(report.problems):
        print(f"PROBLEM: {problem}")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
