"""The ground the simulated world stands on: its loop, its disks, its broker."""

import asyncio
import contextvars
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from agent_probe.mqtt import MqttPort
from agent_probe.outbox import EpochNote
from agent_probe.storage_sqlite import SqliteStorage
from ledger.writer import LedgerWriter
from sla_engine.facts_store import FactsStore
from tests.sim.disk import DiskFaults, SimDisk
from tests.sim.facts_port import SimFacts
from tests.sim.ledger_port import SimWriter
from tests.sim.loop import INCARNATION, Incarnation, ProcessDied, SimLoop, pause
from tests.sim.marks import Marks
from tests.sim.mqtt_port import SimPort
from tests.sim.outbox_port import SimNote, SimStorage


class Calm(DiskFaults):
    def __init__(self) -> None:
        super().__init__(Random(0))
        self.calm()


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    made = SimLoop()
    yield made
    made.abandon()


def in_process(loop: SimLoop, incarnation: Incarnation, coro: Any) -> None:
    context = contextvars.Context()
    context.run(INCARNATION.set, incarnation)
    loop.create_task(coro, context=context)


def test_virtual_time_jumps_to_the_next_timer(loop: SimLoop) -> None:
    async def wait() -> float:
        await pause(3600)
        return loop.time()

    assert loop.run_until_complete(wait()) == pytest.approx(3600)


def test_a_killed_process_runs_no_further_step_not_even_its_cleanup(loop: SimLoop) -> None:
    life, said = Incarnation("probe", 1), []

    async def process() -> None:
        try:
            await pause(1)
            said.append("woke up")
        finally:
            said.append("cleaned up")

    async def world() -> list[str]:
        in_process(loop, life, process())
        await pause(0.5)
        life.alive = False
        await pause(10)
        return list(said)

    assert loop.run_until_complete(world()) == []


def test_a_paused_process_does_nothing_and_then_all_it_missed_in_order(loop: SimLoop) -> None:
    life, said = Incarnation("collector", 1), []

    async def process() -> None:
        for _ in range(3):
            await pause(1)
            said.append(round(loop.time()))

    async def world() -> None:
        in_process(loop, life, process())
        await pause(1.25)
        life.paused = True
        await pause(10)
        assert said == [1]
        loop.resume(life)
        await pause(10)

    loop.run_until_complete(world())
    assert said == [1, 11, 12], "the timer that came due meanwhile fires on resuming, the next one counts from there"


def test_jobs_of_one_executor_run_one_after_the_other(loop: SimLoop) -> None:
    order: list[int] = []
    delays = iter((0.5, 0.0, 0.0))
    loop.start_delay = lambda: next(delays)

    async def world() -> None:
        await asyncio.gather(*(loop.run_in_executor("thread", order.append, n) for n in range(3)))

    loop.run_until_complete(world())
    assert order == [0, 1, 2]


def test_a_power_cut_forgets_only_what_was_not_synced(loop: SimLoop) -> None:
    for seed in range(50):
        disk = SimDisk("file", loop, DiskFaults(Random(seed)), Marks())
        disk._faults.calm()
        disk.append("safe")
        disk.flush()
        disk.append("perhaps")
        disk.append("perhaps not")
        disk.power_cut()
        assert disk.recover() in (["safe"], ["safe", "perhaps"], ["safe", "perhaps", "perhaps not"])


def test_a_kill_forgets_nothing_that_reached_the_kernel(loop: SimLoop) -> None:
    disk = SimDisk("file", loop, Calm(), Marks())
    disk.append("written")
    assert disk.recover() == ["written"]


def test_what_a_failed_fsync_left_unsynced_is_never_durable_however_often_it_is_repeated(loop: SimLoop) -> None:
    disk = SimDisk("file", loop, DiskFaults(Random(0)), Marks())
    disk._faults.error = 1.0
    disk.append("lost")
    with pytest.raises(OSError, match="fsync"):
        disk.flush()
    disk._faults.error = 0.0
    disk.flush()
    assert disk.synced == 0
    disk.power_cut()
    assert disk.recover() == []


def test_a_dead_process_writes_nothing(loop: SimLoop) -> None:
    disk, life = SimDisk("file", loop, Calm(), Marks()), Incarnation("probe", 1)
    life.alive = False
    context = contextvars.Context()
    context.run(INCARNATION.set, life)
    with pytest.raises(ProcessDied):
        context.run(disk.append, "row")
    assert disk.records == []


def methods(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}


@pytest.mark.parametrize(
    ("real", "simulated", "not_needed"),
    [
        (LedgerWriter, SimWriter, {"open", "checkpoint"}),
        (FactsStore, SimFacts, {"open", "periods"}),
        (SqliteStorage, SimStorage, set()),
        (EpochNote, SimNote, set()),
        (MqttPort, SimPort, set()),
    ],
)
def test_a_port_of_the_world_offers_what_the_real_part_does(real: type, simulated: type, not_needed: set[str]) -> None:
    assert methods(real) - not_needed <= methods(simulated)
