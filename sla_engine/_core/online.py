"""What sources tell: who was there (E13), how many accounts ready at any instant; whether they tell the queue (E1)."""

from bisect import bisect_left, bisect_right
from typing import Final

import msgspec

from sla_engine._core.limits import NOT_YET

# Batch: between two cleanings.
_PRUNE_FROM: Final = 64
"""Steps of a source that are worth looking through for old ones."""


class Change(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """From `at` (ms) on an account was ready, or was not."""

    at: int
    ready: bool


class OnlineState(msgspec.Struct):
    """The part a snapshot keeps.

    queues: queue -> the sources that fed it. accounts: source -> account -> its changes in order of time, alternating.
    begins: source -> the instant before which nothing is kept. told: changes taken in so far. tell_queue: sources that
    have told a `queued`.
    """

    queues: dict[str, list[str]] = {}
    accounts: dict[str, dict[str, list[Change]]] = {}
    begins: dict[str, int] = {}
    told: int = 0
    tell_queue: list[str] = []


class _Steps:
    """How many accounts were ready: counts[i] from times[i] on."""

    __slots__ = ("counts", "times")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.counts: list[int] = []

    def add(self, start: int, end: int | None, change: int) -> None:
        """`change` more are ready from `start` until `end`, None = to this day."""
        first = self._cut(start)
        last = len(self.times) if end is None else self._cut(end)
        for place in range(first, last):
            self.counts[place] += change

    def at(self, at: int) -> int | None:
        """How many at `at`, None before the first one was told."""
        place = bisect_right(self.times, at) - 1
        return None if place < 0 else self.counts[place]

    def _cut(self, at: int) -> int:
        place = bisect_left(self.times, at)
        if place == len(self.times) or self.times[place] != at:
            self.times.insert(place, at)
            self.counts.insert(place, self.counts[place - 1] if place else 0)
        return place


class Online:
    """Answers from the state."""

    def __init__(self, state: OnlineState) -> None:
        self.state = state
        self._steps: dict[str, _Steps] = {}
        for source in state.accounts:
            self._rebuild(source)

    def fed(self, queue: str, source: str) -> None:
        """`source` told something of `queue`: the people it tells of serve it."""
        sources = self.state.queues.get(queue)
        if sources is None:
            self.state.queues[queue] = [source]
        elif source not in sources:
            sources.append(source)

    def told_queue(self, source: str) -> None:
        """`source` says when something enters the queue of people."""
        if source not in self.state.tell_queue:
            self.state.tell_queue.append(source)

    def tell(self, source: str, account: str, at: int, *, ready: bool, keep_from: int) -> None:
        """Take in a presence at its place in time. What lies before `keep_from` may be let go.

        A word that says nothing new when it comes in is not kept: sources repeat themselves all day.
        """
        if at < self.state.begins.get(source, NOT_YET):
            return
        changes = self.state.accounts.setdefault(source, {}).setdefault(account, [])
        steps = self._steps.get(source)
        if steps is None:
            steps = self._steps[source] = _Steps()
        place = bisect_right(changes, at, key=_instant)
        was_ready = changes[place - 1].ready if place else False
        if place and was_ready == ready:
            return
        self.state.told += 1
        end = changes[place].at if place < len(changes) else None
        if place and changes[place - 1].at == at:  # told twice for one instant: the later word holds
            place -= 1
            del changes[place]
        if not place or changes[place - 1].ready != ready:
            changes.insert(place, Change(at, ready))
            place += 1
        if place < len(changes) and changes[place].ready == ready:
            del changes[place]
        steps.add(at, end, int(ready) - int(was_ready))
        if len(steps.times) > _PRUNE_FROM and steps.times[len(steps.times) // 2] < keep_from:
            self._prune(source, keep_from)

    def nobody(self, queue: str, at: int) -> bool:
        """Whether it is known of somebody who serves `queue`, and nobody was ready at `at`."""
        known = False
        for source in self.state.queues.get(queue, ()):
            steps = self._steps.get(source)
            ready = None if steps is None else steps.at(at)
            if ready:
                return False
            known = known or ready is not None
        return known

    def _prune(self, source: str, keep_from: int) -> None:
        """Forget what was before `keep_from`; how things stood then is kept as if told at that instant."""
        for changes in self.state.accounts[source].values():
            held = bisect_right(changes, keep_from, key=_instant) - 1
            if held >= 0:
                changes[: held + 1] = [Change(keep_from, changes[held].ready)]
        self.state.begins[source] = keep_from
        self._rebuild(source)

    def _rebuild(self, source: str) -> None:
        steps = self._steps[source] = _Steps()
        for changes in self.state.accounts[source].values():
            was_ready = False
            for change in changes:
                steps.add(change.at, None, int(change.ready) - int(was_ready))
                was_ready = change.ready


def _instant(change: Change) -> int:
    return change.at
