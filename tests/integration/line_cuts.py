"""Lines cut at random under a real probe, Mosquitto and server; then proof from the ledger: nothing lost or doubled.

    python -m tests.integration.line_cuts --cuts 100 --seed 1

Ten UPSs of the site change their state with every answer, so that every answer is a row. Each cut takes one line, or
now and then both: by pulling the cable at the provider's end or by losing everything beyond it, for a random while.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

from collector.ledgers import ledger_directory
from tests.integration.kill_checks import Entry, Ledger, newest_heartbeat
from tests.integration.lines_world import NAMES, now_ms, probe_behind
from tests.integration.running import server
from tests.netns import HUB, TwoLines, inside, two_lines
from tests.servers import LOOPBACK, free_port, run_mosquitto
from tests.waiting import wait_until
from wire.codec import decode_body
from wire.facility import Comms, Power, UpsReading
from wire.ids import OPERATOR
from wire.uplink import Failover, FailoverOf

SOURCE = "sz1/gateway"
UPSES = tuple(f"ups{n}" for n in range(10))
BOTH_LINES_SHARE = 0.15
HEARTBEAT_PAUSE_MS = 1_500
BACK_WITHIN_MS = 3_000
CONFIGURATION = """
[server]
port = 0
[mqtt]
host = "{host}"
port = {port}
[[client]]
id = "acme"
[[client.queue]]
id = "acme-presale"
[[site]]
id = "sz1"
seats = 1
"""


class RestlessUpsd:
    """An upsd whose UPSs go on battery and back with every answer. `answers`: how many each has given."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.is_calm = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            command, _, ups, *_ = line.decode().split()
            if command == "GET":
                self.answers[ups] += not self.is_calm
                status = "OB" if self.answers[ups] % 2 else "OL"
                writer.write(f'VAR {ups} ups.status "{status}"\n'.encode())
            else:
                writer.write(f"BEGIN LIST VAR {ups}\nEND LIST VAR {ups}\n".encode())
        writer.close()


@dataclass
class Report:
    """What was done and found.

    moves_ms: how long nothing got through, as each move says. silences_ms: and as the hub saw it, of 1.5 s and more.
    cut_at, mended_at: by line, monotonic ms. resumed_ms: of each move, since its line was dead and the other one there.
    """

    cuts: int
    seed: int
    kinds: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    answers: int = 0
    readings: int = 0
    lost: int = 0
    duplicates: int = 0
    moves_ms: list[int] = field(default_factory=list)
    cut_at: tuple[list[int], list[int]] = field(default_factory=lambda: ([0], [0]))
    mended_at: tuple[list[int], list[int]] = field(default_factory=lambda: ([0], [0]))
    resumed_ms: list[int] = field(default_factory=list)
    silences_ms: list[int] = field(default_factory=list)
    seconds: int = 0
    problems: list[str] = field(default_factory=list)

    def table(self) -> str:
        moves, silences = sorted(self.moves_ms) or [0], sorted(self.silences_ms) or [0]
        resumed = sorted(self.resumed_ms) or [0]
        late = sum(each > BACK_WITHIN_MS for each in resumed)
        rows = [
            ("cuts", f"{self.cuts} (seed {self.seed}): " + ", ".join(f"{n} {k}" for k, n in self.kinds.items())),
            ("rows of the probe in the ledger", f"{self.rows}"),
            ("states told by the UPSs, and recorded", f"{self.answers}, {self.readings}"),
            ("lost, duplicates", f"{self.lost}, {self.duplicates}"),
            ("moves to the other line", f"{len(self.moves_ms)}"),
            ("how long they took, ms: median, longest", f"{moves[len(moves) // 2]}, {moves[-1]}"),
            ("since the other line was there, likewise", f"{resumed[len(resumed) // 2]}, {resumed[-1]}"),
            (f"of those over {BACK_WITHIN_MS} ms", f"{late}"),
            ("silences heard by the hub", f"{len(self.silences_ms)}"),
            ("how long they were, ms: median, longest", f"{silences[len(silences) // 2]}, {silences[-1]}"),
            ("seconds in all", f"{self.seconds}"),
            ("problems", f"{len(self.problems)}"),
        ]
        return "\n".join(f"{name:<42}{value}" for name, value in rows)


async def run_cuts(cuts: int, seed: int, base: Path) -> Report:
    """Cut `cuts` times in the empty folder `base`."""
    report, rng = Report(cuts, seed), Random(seed)
    began = now_ms()
    with two_lines() as lines, inside(lines.net):
        port = free_port()
        with run_mosquitto(base, lines=[f"listener {port} {HUB}"]) as broker:
            configuration = CONFIGURATION.format(host=LOOPBACK, port=broker.port)
            async with restless_upsd(lines) as (upsd, nut_port):
                with server(base, configuration) as (_, _runtime):
                    operator = ledger_directory(base / "data", OPERATOR)
                    upses = "".join(f'[[ups]]\nname = "{name}"\nport = {nut_port}\n' for name in UPSES)
                    with probe_behind(lines, base, port, upses) as (process, log):
                        await wait_until(partial(_is_heard, operator, 0), 30, what="the probe to be heard")
                        for _ in range(cuts):
                            await _cut(lines, rng, report)
                        upsd.is_calm = True
                        await _settle(operator, process)
                    report.answers = upsd.answers.total()
                _check(Ledger(operator), log, report)
    report.seconds = (now_ms() - began) // 1000
    return report


@asynccontextmanager
async def restless_upsd(lines: TwoLines) -> AsyncIterator[tuple[RestlessUpsd, int]]:
    upsd = RestlessUpsd()
    with inside(lines.site):
        listening = socket.create_server((LOOPBACK, 0))
    running = await asyncio.start_server(upsd.serve, sock=listening)
    try:
        yield upsd, listening.getsockname()[1]
    finally:
        running.close()


async def _cut(lines: TwoLines, rng: Random, report: Report) -> None:
    which = [0, 1] if rng.random() < BOTH_LINES_SHARE else [rng.randrange(2)]
    pulled = rng.random() < 0.5
    kind = ("cable" if pulled else "beyond") + (" of both" if len(which) > 1 else "")
    report.kinds[kind] += 1
    await _passes(rng.randint(300, 3_000))
    for n in which:
        report.cut_at[n].append(now_ms())
        (lines.unplug if pulled else lines.cut)(n)
    await _passes(rng.randint(300, 5_000))
    for n in which:
        report.mended_at[n].append(now_ms())
        (lines.plug if pulled else lines.mend)(n)
        if pulled:
            lines.route(n)


async def _passes(time_ms: int) -> None:
    until = now_ms() + time_ms
    await wait_until(lambda: now_ms() >= until, 10, what="time to pass")


def _is_heard(operator: Path, since: int) -> bool:
    return any(operator.glob("????????.sqlite")) and newest_heartbeat(operator, SOURCE, since) is not None


async def _settle(operator: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the hub has everything, then let the probe say its last words."""
    calm_at = now_ms()

    def is_settled() -> bool:
        beat = newest_heartbeat(operator, SOURCE, 0)
        return beat is not None and (beat.monotonic_ms or 0) > calm_at + 3_000 and beat.outbox_rows == 0

    await wait_until(is_settled, 60, what="the probe's outbox to be empty")
    process.terminate()
    await wait_until(lambda: process.poll() is not None, 10, what="the probe to end")


def _check(ledger: Ledger, log: Path, report: Report) -> None:
    shown = ledger.shown_streams()
    kept = [e for e in ledger.entries if e.source == SOURCE and e.epoch not in shown]
    stopped = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    report.rows = len(kept)
    for (source, epoch), sequences in ledger.streams.items():
        if source == SOURCE and epoch not in shown:
            report.lost += max(sequences) - len(sequences)
    report.lost += stopped["outbox"]["rows"]
    report.duplicates = ledger.twice()
    bodies = [decode_body(e.kind, e.kind_version, e.body) for e in sorted(kept, key=_by_sequence)]
    moves = [b for b in bodies if isinstance(b, Failover) and b.of is FailoverOf.MQTT]
    report.moves_ms = [move.duration_ms for move in moves]
    report.resumed_ms = [_resumed_ms(move, report) for move in moves]
    heard = [entry.received_at for entry in ledger.entries if entry.source == SOURCE]
    pauses = (after - before for before, after in pairwise(heard))
    report.silences_ms = [pause for pause in pauses if pause >= HEARTBEAT_PAUSE_MS]
    for name in UPSES:
        told = [b.power for b in bodies if isinstance(b, UpsReading) and b.ups == name and b.comms is Comms.OK]
        states = [power for n, power in enumerate(told) if n == 0 or power is not told[n - 1]]
        report.readings += len(states)
        if states and states[0] is not Power.BATTERY:
            report.problems.append(f"{name} begins with {states[0].value}")
    if report.readings != report.answers:
        report.problems.append(f"the UPSs told {report.answers} states, the ledger has {report.readings}")
    if report.lost or report.duplicates:
        report.problems.append(f"{report.lost} lost, {report.duplicates} twice")
    report.problems += ledger.wrong()


def _resumed_ms(move: Failover, report: Report) -> int:
    """How long a move took of the time in which it could be made."""
    at = move.monotonic_ms or 0
    dead_since = max(cut for cut in report.cut_at[NAMES.index(move.from_line)] if cut <= at)
    there_since = max(mended for mended in report.mended_at[NAMES.index(move.to_line)] if mended <= at)
    return at - max(dead_since, there_since)


def _by_sequence(entry: Entry) -> int:
    return entry.sequence


def main() -> int:
    parser = argparse.ArgumentParser(description="Cut the lines of a site at random and check the record.")
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        report = asyncio.run(run_cuts(options.cuts, options.seed, Path(base)))
    print(report.table())
    for problem in report.problems:
        print(problem, file=sys.stderr)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
