"""The outbox on disk: the rules of `_core.outbox` over a SQLite file, and what happens when the file is no good.

A file that cannot be trusted is set aside (renamed; the newest few are kept for a person to look at), a new epoch
begins, and the loss is declared: a note beside the file says which epochs the hub may not have, and how far they may
have got.
"""

import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from agent_probe import platform
from agent_probe._core.epochs import META_VERSION, EpochMeta, Meta, encode_meta
from agent_probe._core.outbox import Outbox, OutboxCounts, OutboxLimits
from agent_probe._core.storage import DropClass, MemoryStorage, Row, Storage, StorageCorrupt, StorageFull
from agent_probe.errors import ProbeConfigError
from agent_probe.storage_sqlite import OutboxInUse, SqliteStorage
from wire.frame import Ack, Frame
from wire.limits import COUNTED_MAX, EPOCH_BYTES

FILE: Final = "outbox.sqlite"
NOTE: Final = "outbox.epoch"
TRIAL: Final = "outbox.trial"

T = TypeVar("T")
log = logging.getLogger(__name__)


class EpochNote:
    """The newest epochs, each with the highest sequence it may have given out. Replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[tuple[bytes, int]]:
        """(epoch, highest sequence), oldest first; nothing if there is no note or it is damaged."""
        try:
            found = json.loads(self._path.read_text(encoding="ascii"))
            epochs = [(bytes.fromhex(epoch), int(last)) for epoch, last in found]
        except (OSError, ValueError, TypeError):
            return []
        return [(epoch, last) for epoch, last in epochs if len(epoch) == EPOCH_BYTES and 0 < last < COUNTED_MAX]

    def write(self, epochs: Sequence[tuple[bytes, int]]) -> None:
        """Replace it. On a full disk the old one stays; a loss right then would be declared too small."""
        draft = self._path.with_suffix(".draft")
        try:
            with draft.open("w", encoding="ascii") as file:
                file.write(json.dumps([(epoch.hex(), last) for epoch, last in epochs]))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            platform.current().sync_directory(self._path.parent)
        except OSError as error:
            log.warning("outbox.note_not_written", extra={"error": str(error)})


class NoRoomStorage(MemoryStorage):
    """Stands in while the disk has no room even for an empty file: takes nothing, so every event is declared gone."""

    def append(self, row: Row) -> None:
        """Always full."""
        raise StorageFull(f"no room for an outbox, row {row.sequence} is lost")


class DurableOutbox:
    """One probe's outbox in `directory`. `draw_epoch` gives 16 random bytes; `now` as in the core."""

    def __init__(
        self, directory: Path, limits: OutboxLimits, *, source: str, draw_epoch: Callable[[], bytes], now: int
    ) -> None:
        """Open it, setting a damaged file aside. Raises ProbeConfigError if the folder cannot be used at all."""
        self._directory = directory
        self._limits = limits
        self._source = source
        self._draw_epoch = draw_epoch
        self._note = EpochNote(directory / NOTE)
        self._reserved = 0
        self.set_aside = 0
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            writable = os.access(directory, os.W_OK)
        except OSError as error:
            raise ProbeConfigError("data_dir", str(error), "name a folder this user may create or write to") from None
        if not writable:
            raise ProbeConfigError(
                "data_dir", f"{directory} is not writable", "give this user the right to write there"
            )
        self._storage: SqliteStorage | NoRoomStorage | None = None
        self._core: Outbox
        self._open(now)

    @property
    def epoch(self) -> bytes:
        """The epoch in force: a new one after every start and whenever a file was set aside."""
        return self._core.epoch

    @property
    def is_past_half(self) -> bool:
        """Whether more than half of the room is taken."""
        return self._core.is_past_half

    @property
    def settled(self) -> bool:
        """Whether the collector is past everything put so far."""
        return self._core.settled

    def counts(self) -> OutboxCounts:
        """Figures for heartbeats and logs."""
        return self._core.counts()

    def put(self, kind: int, kind_version: int, body: bytes, drop_class: DropClass, *, now: int) -> int:
        """Keep an event; durable when this returns its sequence, 0 if there was no room (declared)."""
        if isinstance(self._storage, NoRoomStorage):
            self._open(now)
        return self._guarded(now, lambda: self._put(kind, kind_version, body, drop_class, now))

    def next_frame(self, now: int) -> Frame | None:
        """The frame to publish now, from here on in flight."""
        return self._guarded(now, lambda: self._core.next_frame(now))

    def next_due(self, now: int) -> int | None:
        """When next_frame may have something."""
        return self._core.next_due(now)

    def reconnected(self, now: int) -> None:
        """A new connection: nothing sent on the old one is trusted to have arrived."""
        self._core.reconnected(now)

    def acknowledge(self, ack: Ack, now: int) -> bool:
        """Take in what the collector says; False if it is about nothing we sent."""
        return self._guarded(now, lambda: self._core.acknowledge(ack, now))

    def close(self) -> None:
        """Let go of the file."""
        if isinstance(self._storage, SqliteStorage):
            self._storage.close()

    def _put(self, kind: int, kind_version: int, body: bytes, drop_class: DropClass, now: int) -> int:
        if self._core.last_sequence >= self._reserved:
            self._reserved = self._core.last_sequence + self._limits.reserved_rows
            self._note.write([*self._core.epochs_before, (self._core.epoch, self._reserved)])
        return self._core.put(kind, kind_version, body, drop_class, now=now)

    def _guarded(self, now: int, action: Callable[[], T]) -> T:
        """Run `action`; if the file turns out damaged, set it aside and run it on the new one."""
        try:
            return action()
        except StorageCorrupt as error:
            self.close()
            self._put_aside(str(error))
            self._open(now)
            return action()

    def _open(self, now: int) -> None:
        try:
            try:
                self._begin(now)
            except StorageCorrupt as error:
                self._put_aside(str(error))
                self._begin(now)
        except StorageFull as error:
            if not isinstance(self._storage, NoRoomStorage):
                log.warning("outbox.no_room", extra={"error": str(error)})
                self._storage = NoRoomStorage()
                self._core = self._start(self._storage, now)
        except OutboxInUse:
            fix = "stop the other probe, or give this one a data_dir of its own"
            path = self._directory / FILE
            raise ProbeConfigError("data_dir", f"{path} is in use by another process", fix) from None

    def _begin(self, now: int) -> None:
        storage = SqliteStorage(self._directory / FILE, self._limits.log_reserve_bytes)
        try:
            lost = self._note.read() if storage.meta() is None else []
            if lost:
                # A new file beside an old note: what those epochs still held is gone; their next frames will say so.
                log.error("outbox.lost", extra={"epochs": len(lost)})
                epochs = [EpochMeta(epoch, last, 0, None, None, []) for epoch, last in lost]
                storage.delete([], encode_meta(Meta(META_VERSION, epochs, None, None)))
            core = self._start(storage, now)
        except BaseException:
            storage.close()
            raise
        self._storage, self._core = storage, core

    def _start(self, storage: Storage, now: int) -> Outbox:
        self._reserved = 0
        return Outbox(storage, self._limits, source=self._source, epoch=self._draw_epoch(), now=now)

    def _put_aside(self, reason: str) -> None:
        self._try_disk()
        self.set_aside += 1
        # Layout: eight letters tell files that were set aside apart.
        mark = self._draw_epoch().hex()[-8:]
        log.error("outbox.set_aside", extra={"reason": reason, "mark": mark})
        for suffix in ("", "-wal", "-shm"):
            path = self._directory / (FILE + suffix)
            if path.exists():
                path.replace(self._directory / f"{FILE}.aside-{mark}{suffix}")
        asides = sorted(self._directory.glob(f"{FILE}.aside-????????"), key=lambda path: path.stat().st_mtime_ns)
        for old in asides[: -self._limits.asides_kept]:
            for suffix in ("", "-wal", "-shm"):
                old.with_name(old.name + suffix).unlink(missing_ok=True)

    def _try_disk(self) -> None:
        """Raise ProbeConfigError where a new file fares no better: nothing is mended by setting the old one aside.

        Service managers start us again and again: each time would cost one of the few files that are kept.
        """
        trial = self._directory / TRIAL
        try:
            SqliteStorage(trial, 0).close()
        except StorageFull:
            return  # told apart when the new one is opened
        except StorageCorrupt as error:
            problem = f"{self._directory} keeps nothing that is written there: {error}"
            fix = "look after that disk, or name a folder on another one; what the outbox holds stays where it is"
            raise ProbeConfigError("data_dir", problem, fix) from None
        finally:
            for suffix in ("", "-journal", "-wal", "-shm"):
                (self._directory / (TRIAL + suffix)).unlink(missing_ok=True)
