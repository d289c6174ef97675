"""Which readings are worth saying: changes at once, and otherwise one every so often."""

from collections.abc import Hashable
from typing import NamedTuple

from agent_probe._core.storage import DropClass


class Rhythm(NamedTuple):
    """How often an unchanged reading is said: on the snapshot lane, and into the outbox as class `periodic`."""

    live_ms: int
    record_ms: int
    periodic: DropClass


class Say(NamedTuple):
    """What to do with a reading: put it in the outbox as this class (None: do not), show it on the snapshot lane."""

    record: DropClass | None
    show: bool


class Gate:
    """Remembers what was said about each thing. Times in ms, monotonic."""

    def __init__(self) -> None:
        self._state: dict[str, Hashable] = {}
        self._recorded_at: dict[str, int] = {}
        self._shown_at: dict[str, int] = {}

    def judge(self, about: str, state: Hashable, rhythm: Rhythm, now: int, *, sparing_ms: int = 0) -> Say:
        """What to do with a reading of `state`; `state` holds what counts as a change, and nothing else.

        sparing_ms: while room is short, an unchanged reading is recorded no more often than this.
        """
        changed = about not in self._state or self._state[about] != state
        record_due = changed or now - self._recorded_at[about] >= max(rhythm.record_ms, sparing_ms)
        show = record_due or now - self._shown_at[about] >= rhythm.live_ms
        self._state[about] = state
        if record_due:
            self._recorded_at[about] = now
        if show:
            self._shown_at[about] = now
        if not record_due:
            return Say(None, show)
        return Say(DropClass.CHANGE if changed else rhythm.periodic, show)
