"""The snapshot lane: present state, newest wins, never queued, sent before the backlog, healed by being repeated."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from wire.frame import Frame, Item, Lane
from wire.limits import FRAME_VERSION


class Snapshot(NamedTuple):
    """What holds now about one thing."""

    kind: int
    kind_version: int
    body: bytes


class SnapshotLane:
    """The newest snapshot of each thing, and which of them still have to go out. `epoch` names the present epoch."""

    def __init__(self, *, source: str, epoch: Callable[[], bytes]) -> None:
        self._source = source
        self._epoch = epoch
        self._newest: dict[str, Snapshot] = {}
        self._due: dict[str, None] = {}
        self._sequence = 0

    def update(self, about: str, snapshot: Snapshot) -> None:
        """`snapshot` is what holds about `about` from now on, and is due."""
        self._newest[about] = snapshot
        self._due[about] = None

    def repeat_all(self) -> None:
        """Everything is due: after a connection was made, when mains went, before the process ends."""
        self._due = dict.fromkeys(self._newest)

    def next_frame(self) -> Frame | None:
        """What is due, as one frame, and no longer due from here on. None if nothing is."""
        if not self._due:
            return None
        items = []
        for about in self._due:
            self._sequence += 1
            kind, kind_version, body = self._newest[about]
            items.append(Item(self._sequence, kind, kind_version, msgspec.Raw(body)))
        self._due.clear()
        return Frame(FRAME_VERSION, self._source, self._epoch(), Lane.SNAPSHOT, 0, [], items)
