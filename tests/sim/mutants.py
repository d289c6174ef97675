"""Broken variants of the parts, each of which the world must catch. A mutant wraps a port; the product is untouched."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from ledger.entry import NewEntry
from tests.sim.http_port import OK, Answer, Request
from tests.sim.ledger_port import Committed, SimLedger, SimWriter, Stream
from tests.sim.mutants_engine import ENGINE_MUTANTS
from tests.sim.record import Submit
from tests.sim.world import World
from wire.frame import Ack, Frame, Lane

Tamper = Callable[[World], None]
NO_LEDGER: Final = bytes(16)


def _frames_in(world: World, change: Callable[[Frame], Frame]) -> None:
    """Let the collector see other frames than were sent."""

    async def changed(frame: Frame, submit: Submit) -> Ack:
        if frame.lane is not Lane.BACKLOG:
            return await submit(frame)
        return msgspec.structs.replace(await submit(change(frame)), epoch=frame.epoch)

    world.record.around_submit = changed


def _frames_out(world: World, change: Callable[[Frame], Frame]) -> None:
    """Let the probes send other frames than their outbox says."""
    for probe in world.probes:
        probe.outgoing = change


# --------------------------------------------------------------------------------------------------- the collector


def ack_before_fsync(world: World) -> None:
    """The commit is answered as soon as it is written, while its fsync still runs."""
    for disk in world.record.disks:
        disk.patient = False


def ledger_without_fsync(world: World) -> None:
    """synchronous=OFF."""
    for disk in world.record.disks:
        disk.honest = False


def fsync_error_ignored(world: World) -> None:
    """A failed fsync is retried, and "succeeds"."""
    world.disk_faults.error = 0.01
    for disk in world.record.disks:
        flush = disk.flush

        def again(flush: Callable[[], None] = flush) -> None:
            try:
                flush()
            except OSError:
                flush()

        disk.flush = again  # type: ignore[method-assign]  # a mutant


def max_not_contiguous_ack(world: World) -> None:
    """The highest sequence seen is acknowledged, whatever is missing below it."""

    async def highest(frame: Frame, submit: Submit) -> Ack:
        ack = await submit(frame)
        through = max([ack.acknowledged_through, *(item.sequence for item in frame.items)])
        return msgspec.structs.replace(ack, acknowledged_through=through, wanted=[])

    world.record.around_submit = highest


def no_dedupe(world: World) -> None:
    """Nobody looks whether a key is taken, not even the index."""

    class Forgetful(SimWriter):
        def body_of(self, source: str, epoch: bytes, sequence: int) -> tuple[int, int, bytes | None] | None:
            return None

        def commit(
            self, entries: Sequence[NewEntry], *, received_at: int, marks: Mapping[Stream, int] | None = None
        ) -> Committed:
            self._index.clear()
            return super().commit(entries, received_at=received_at, marks=marks)

    world.record.make_writer = Forgetful


def dedupe_without_epoch(world: World) -> None:
    """Sequences are taken for one stream per source."""
    _frames_in(world, lambda frame: msgspec.structs.replace(frame, epoch=bytes(16), prev_epoch=None))


def repeat_without_body_check(world: World) -> None:
    """A taken key is a repeat, whatever the second body says."""

    def unknown_only(frame: Frame) -> Frame:
        known = world.record.oracle_of(frame.source).by_key
        items = [item for item in frame.items if (frame.source, frame.epoch, item.sequence) not in known]
        return msgspec.structs.replace(frame, items=items)

    _frames_in(world, unknown_only)


def gap_not_declared(world: World) -> None:
    """The mark passes a hole that no entry names."""

    class Silent(SimWriter):
        def commit(
            self, entries: Sequence[NewEntry], *, received_at: int, marks: Mapping[Stream, int] | None = None
        ) -> Committed:
            spoken = [entry for entry in entries if entry.source != "~gap"]
            return super().commit(spoken, received_at=received_at, marks=marks)

    world.record.make_writer = Silent


def marks_not_committed(world: World) -> None:
    """The marks of sources live in memory only."""

    class Amnesiac(SimWriter):
        def __init__(self, ledger: SimLedger) -> None:
            super().__init__(ledger)
            self._marks = {stream: mark for stream, mark in self._marks.items() if stream[0].startswith("~")}

    world.record.make_writer = Amnesiac


def restored_ledger_ignored(world: World) -> None:
    """What a source says it no longer holds is not believed: after a restore the mark waits for ever."""
    _frames_in(world, lambda frame: msgspec.structs.replace(frame, base=0))


def restart_not_said(world: World) -> None:
    """Acknowledgements do not say that the hub was started anew: nobody names what a restore took and was finished."""

    async def silent(frame: Frame, submit: Submit) -> Ack:
        return msgspec.structs.replace(await submit(frame), started_at=0)

    world.record.around_submit = silent


def http_200_before_commit(world: World) -> None:
    """The door answers when it has decoded the body."""
    commits: set[asyncio.Task[Ack]] = set()

    async def hasty(frame: Frame, submit: Submit) -> Ack:
        if frame.lane is not Lane.BY_EVENT_ID:
            return await submit(frame)
        commits.add(world.loop.create_task(submit(frame), name="hasty"))
        return Ack(NO_LEDGER, frame.epoch, 0, 0)

    world.record.around_submit = hasty


def rejected_without_a_word(world: World) -> None:
    """Acknowledgements do not name what went to quarantine."""

    async def silent(frame: Frame, submit: Submit) -> Ack:
        return msgspec.structs.replace(await submit(frame), rejected=[])

    world.record.around_submit = silent


def clock_not_clamped(world: World) -> None:
    """received_at is whatever the hub's clock shows."""

    class AsShown(SimWriter):
        def commit(
            self, entries: Sequence[NewEntry], *, received_at: int, marks: Mapping[Stream, int] | None = None
        ) -> Committed:
            self.last_received_at = 0
            return super().commit(entries, received_at=received_at, marks=marks)

    world.record.make_writer = AsShown


def fence_ignored(world: World) -> None:
    """A writer that was thought dead goes on where it was, whoever writes now."""

    class Zombie(SimWriter):
        def require_newest(self) -> None:
            """Whoever opened the ledger last, this writer writes."""

    world.record.make_writer = Zombie


# ----------------------------------------------------------------------------------------------------- the sources


def outbox_without_fsync(world: World) -> None:
    """put() returns before the row is safe."""
    for probe in world.probes:
        probe.disk.honest = False


def fire_and_forget(world: World) -> None:
    """What was published is taken for delivered."""
    for probe in world.probes:

        def sent(frame: Frame, probe: Any = probe) -> Frame:
            if frame.items:
                through = frame.items[-1].sequence
                probe.outbox.acknowledge(Ack(NO_LEDGER, frame.epoch, through, 0), probe.now_ms())
            return frame

        probe.outgoing = sent


def overflow_drops_silently(world: World) -> None:
    """Rows dropped for room are not declared."""
    _frames_out(world, lambda frame: msgspec.structs.replace(frame, gone=[], base=0))


def epoch_reused(world: World) -> None:
    """A restart goes on in the same epoch, counting from 1 again."""
    for probe in world.probes:
        probe.draw_epoch = partial(bytes, world.sha256(probe.name.encode())[:16])


def chat_forgets_unanswered(world: World) -> None:
    """The bridge lets go of events when the answer does not come: at most once, as the older platforms send."""
    post = world.chat._post

    async def forgetful(request: Request) -> Answer:
        found = await post(request)
        return Answer(OK) if request.said else found

    world.chat._post = forgetful  # type: ignore[method-assign]  # a mutant


MUTANTS: Final[Mapping[str, Tamper]] = {
    mutant.__name__: mutant
    for mutant in (
        ack_before_fsync,
        ledger_without_fsync,
        fsync_error_ignored,
        max_not_contiguous_ack,
        no_dedupe,
        dedupe_without_epoch,
        repeat_without_body_check,
        gap_not_declared,
        marks_not_committed,
        restored_ledger_ignored,
        restart_not_said,
        http_200_before_commit,
        rejected_without_a_word,
        fence_ignored,
        clock_not_clamped,
        outbox_without_fsync,
        fire_and_forget,
        overflow_drops_silently,
        epoch_reused,
        chat_forgets_unanswered,
        *ENGINE_MUTANTS,
    )
}
