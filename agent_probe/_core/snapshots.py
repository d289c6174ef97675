"""The snapshot lane: present state, newest wins, never queued, sent before the backlog, healed by being repeated."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from agent_probe._core.sender import ITEM_COST
from wire.frame import Frame, Item, Lane
from wire.limits import BODY_BYTES_MAX, FRAME_BYTES_MAX, FRAME_ITEMS_MAX, FRAME_VERSION


class Snapshot(NamedTuple):
    """What holds now about one thing."""

    kind: int
    kind_version: int
    body: bytes


class SnapshotLane:
    """The newest snapshot of each thing, and which of them still have to go out. `epoch` names the present epoch.

    frame_bytes: what is due and takes more goes as several frames.
    """

    def __init__(
        self, *, source: str, epoch: Callable[[], bytes], frame_bytes: int = FRAME_BYTES_MAX - BODY_BYTES_MAX
    ) -> None:
        self._source = source
        self._frame_bytes = frame_bytes
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
        """What is due, as far as a frame takes it, and no longer due from here on. None if nothing is."""
        if not self._due:
            return None
        items: list[Item] = []
        room = self._frame_bytes
        for about in [*self._due]:
            kind, kind_version, body = self._newest[about]
            room -= len(body) + ITEM_COST
            if items and (room < 0 or len(items) == FRAME_ITEMS_MAX):
                break
            del self._due[about]
            self._sequence += 1
            items.append(Item(self._sequence, kind, kind_version, msgspec.Raw(body)))
        return Frame(FRAME_VERSION, self._source, self._epoch(), Lane.SNAPSHOT, 0, [], items)
