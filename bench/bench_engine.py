"""How fast the engine folds, beside decoding alone and beside a minimal core, and what an open conversation costs in memory.

    python bench/bench_engine.py [--conversations 20000] [--open 100000] [--seed 42]
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.engine_workload import NOON_MS, Row, conversations, decoded, preamble, row
from bench.minimal_core import MinimalCore
from sla_engine._core.engine import new_shard, snapshot, step
from wire.recorded import Recorded

BATCH = 500
LIMIT = 10_000
ROUNDS = 3


def seconds(started: int) -> float:
    return (time.process_time_ns() - started) / 1e9


def time_decode(rows: list[Row]) -> float:
    started = time.process_time_ns()
    for first in range(0, len(rows), BATCH):
        decoded(rows[first : first + BATCH], first)
    return seconds(started)


def time_minimal(entries: list[Recorded]) -> float:
    core = MinimalCore(LIMIT)
    started = time.process_time_ns()
    for first in range(0, len(entries), BATCH):
        core.step(entries[first : first + BATCH])
    return seconds(started)


def time_engine(before: list[Recorded], entries: list[Recorded]) -> float:
    shard = new_shard()
    step(shard, before, NOON_MS)
    started = time.process_time_ns()
    for first in range(0, len(entries), BATCH):
        batch = entries[first : first + BATCH]
        body = batch[-1].body
        step(shard, batch, body.occurred_at if body is not None else 0)
    return seconds(started)


def time_decode_and_engine(before: list[Recorded], rows: list[Row]) -> float:
    shard = new_shard()
    step(shard, before, NOON_MS)
    offset = len(before)
    started = time.process_time_ns()
    for first in range(0, len(rows), BATCH):
        batch = decoded(rows[first : first + BATCH], offset + first)
        body = batch[-1].body
        step(shard, batch, body.occurred_at if body is not None else 0)
    return seconds(started)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    opening = [row(body) for body in preamble()]
    rows = [row(body) for body in conversations(arguments.conversations, arguments.seed)]
    before = decoded(opening, 0)
    entries = decoded(rows, len(before))
    best = {
        "decode": min(time_decode(rows) for _ in range(ROUNDS)),
        "minimal": min(time_minimal(entries) for _ in range(ROUNDS)),
        "engine": min(time_engine(before, entries) for _ in range(ROUNDS)),
        "both": min(time_decode_and_engine(before, rows) for _ in range(ROUNDS)),
    }
    for name, took in best.items():
        print(f"{name:10} {len(rows) / took:12,.0f}/s {took / len(rows) * 1e6:8.2f} us")


if __name__ == "__main__":
    main()
