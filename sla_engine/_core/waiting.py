"""Who waits now: for every tile the count, the oldest wait, the next due instant, how many are overdue and since when.

Costs follow what changed, never how many conversations are open: each group keeps its waits and dues in heaps whose
dead items are dropped when they surface, and one heap of all due instants counts the overdue as time passes.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.groups import Group
from wire.board import Waiting

# Batch: between two cleanings.
HEAP_SLACK: Final = 64
"""A heap is rebuilt when it holds more than twice its living items and this many more."""

_Item = tuple[int, str]
"""(instant, conversation)."""
_Lives = Callable[[_Item, Group], bool]
"""Whether an item of a group's heap still stands for what it says."""


class _Waiter(msgspec.Struct, gc=False):
    """One open conversation as counted now. It holds no cycles, and the garbage collector is spared 100,000 of them."""

    groups: tuple[Group, ...]
    waiting_since: int | None
    due_at: int | None
    overdue: bool = False


class Wait(NamedTuple):
    """The wait that is running in one conversation. due_at: of a first reply, passed or not; None of a later one."""

    since: int
    due_at: int | None
    is_overdue: bool
    groups: tuple[Group, ...]


class _Crowd:
    """The counts and heaps of one group.

    soon_until: whoever is due by then (ms) and not overdue is counted in due_soon and stands in the heap `soon`; all
    others that are due stand in `dues`.
    """

    __slots__ = ("due_soon", "dues", "late", "open", "overdue", "soon", "soon_until", "waiting", "waits")

    def __init__(self) -> None:
        self.open = 0
        self.waiting = 0
        self.overdue = 0
        self.due_soon = 0
        self.soon_until = -1
        self.waits: list[_Item] = []
        self.dues: list[_Item] = []
        self.soon: list[_Item] = []
        self.late: list[_Item] = []

    def is_soon(self, waiter: _Waiter) -> bool:
        """Whether it is counted in due_soon."""
        return waiter.due_at is not None and not waiter.overdue and waiter.due_at <= self.soon_until


class WaitingRoom:
    """All open conversations of one client. due_soon_max_ms: who is due later than that is not due soon."""

    def __init__(self, due_soon_max_ms: int) -> None:
        self._due_soon_max_ms: Final = due_soon_max_ms
        self._waiters: dict[str, _Waiter] = {}
        self._crowds: dict[Group, _Crowd] = {}
        self._dues: list[_Item] = []
        self._as_of = 0

    def __len__(self) -> int:
        return len(self._waiters)

    def groups(self) -> set[Group]:
        """Every group that has an open conversation."""
        return {group for group, crowd in self._crowds.items() if crowd.open}

    def put(self, conversation: str, groups: tuple[Group, ...], waiting_since: int | None, due_at: int | None) -> None:
        """Say how an open conversation stands. due_at only counts while somebody waits."""
        due_at = None if waiting_since is None else due_at
        waiter = self._waiters.get(conversation)
        if waiter is not None:
            same = waiter.groups == groups and waiter.waiting_since == waiting_since
            if same and waiter.due_at == due_at:
                return
            self._forget(waiter)
        waiter = self._waiters[conversation] = _Waiter(groups, waiting_since, due_at)
        waiter.overdue = due_at is not None and due_at < self._as_of
        wait: _Item | None = None if waiting_since is None else (waiting_since, conversation)
        due: _Item | None = None if due_at is None or waiter.overdue else (due_at, conversation)
        for group in groups:
            crowd = self._crowds.get(group)
            if crowd is None:
                crowd = self._crowds[group] = _Crowd()
            crowd.open += 1
            if waiter.overdue and due_at is not None:
                crowd.overdue += 1
                self._push(crowd.late, (due_at, conversation), crowd.overdue, self._is_late, group)
            if wait is not None:
                crowd.waiting += 1
                self._push(crowd.waits, wait, crowd.waiting, self._waits, group)
            if due is not None:
                is_soon = crowd.is_soon(waiter)
                crowd.due_soon += is_soon
                self._push(crowd.soon if is_soon else crowd.dues, due, crowd.waiting, self._owes, group)
        if due is not None:
            heappush(self._dues, due)
            if len(self._dues) > 2 * len(self._waiters) + HEAP_SLACK:
                _rebuild(self._dues, [item for item in self._dues if self._is_due(item)])

    def wait_of(self, conversation: str) -> Wait | None:
        """The wait of one conversation, None while nothing is owed in it."""
        waiter = self._waiters.get(conversation)
        if waiter is None or waiter.waiting_since is None:
            return None
        return Wait(waiter.waiting_since, waiter.due_at, waiter.overdue, waiter.groups)

    def remove(self, conversation: str) -> None:
        """The conversation is over."""
        waiter = self._waiters.pop(conversation, None)
        if waiter is not None:
            self._forget(waiter)

    def advance(self, as_of: int) -> None:
        """Time is `as_of` (ms): whoever was due before it and still waits is overdue. Never moves back."""
        self._as_of = max(self._as_of, as_of)
        dues = self._dues
        while dues and dues[0][0] < self._as_of:
            item = heappop(dues)
            if self._is_due(item):
                waiter = self._waiters[item[1]]
                for group in waiter.groups:
                    self._crowds[group].due_soon -= self._crowds[group].is_soon(waiter)
                waiter.overdue = True
                for group in waiter.groups:
                    crowd = self._crowds[group]
                    crowd.overdue += 1
                    self._push(crowd.late, item, crowd.overdue, self._is_late, group)

    def waiting(self, group: Group, soon_ms: int = 0) -> Waiting:
        """The live part of a tile. soon_ms: who is due within so long counts as due soon; 0 = nobody does."""
        crowd = self._crowds.get(group)
        if crowd is None:
            return Waiting(waiting=0, overdue=0, oldest_since=None, next_due_at=None)
        if soon_ms:
            self._count_soon(crowd, group, self._as_of + min(soon_ms, self._due_soon_max_ms))
        _drop_dead(crowd.waits, self._waits, group)
        _drop_dead(crowd.dues, self._owes, group)
        _drop_dead(crowd.soon, self._owes, group)
        _drop_dead(crowd.late, self._is_late, group)
        return Waiting(
            waiting=crowd.waiting,
            overdue=crowd.overdue,
            oldest_since=crowd.waits[0][0] if crowd.waits else None,
            next_due_at=min((heap[0][0] for heap in (crowd.soon, crowd.dues) if heap), default=None),
            open=crowd.open,
            overdue_since=crowd.late[0][0] if crowd.late else None,
            oldest_due_at=self._waiters[crowd.waits[0][1]].due_at if crowd.waits else None,
            due_soon=crowd.due_soon if soon_ms else 0,
        )

    def _count_soon(self, crowd: _Crowd, group: Group, until: int) -> None:
        """Count who is due by `until` (ms). Only other rules or another limit move that back; then all count anew."""
        if until < crowd.soon_until:
            _rebuild(crowd.dues, [item for item in (*crowd.dues, *crowd.soon) if self._owes(item, group)])
            crowd.soon, crowd.due_soon = [], 0
        crowd.soon_until = until
        last: _Item | None = None
        while crowd.dues and crowd.dues[0][0] <= until:
            item = heappop(crowd.dues)
            if item != last and self._owes(item, group):  # who stood there before and stands so again is there twice
                heappush(crowd.soon, item)
                crowd.due_soon += 1
            last = item

    def _forget(self, waiter: _Waiter) -> None:
        waits = waiter.waiting_since is not None
        for group in waiter.groups:
            crowd = self._crowds[group]
            crowd.open -= 1
            crowd.waiting -= waits
            crowd.overdue -= waiter.overdue
            crowd.due_soon -= crowd.is_soon(waiter)

    @staticmethod
    def _push(heap: list[_Item], item: _Item, living: int, lives: _Lives, group: Group) -> None:
        """Put `item` in, and throw the dead out once they are more than the living. living: at most so many are."""
        heappush(heap, item)
        if len(heap) > 2 * living + HEAP_SLACK:
            _rebuild(heap, [each for each in heap if lives(each, group)])

    def _waits(self, item: _Item, group: Group) -> bool:
        waiter = self._waiters.get(item[1])
        return waiter is not None and waiter.waiting_since == item[0] and group in waiter.groups

    def _owes(self, item: _Item, group: Group) -> bool:
        return self._is_due(item) and group in self._waiters[item[1]].groups

    def _is_late(self, item: _Item, group: Group) -> bool:
        waiter = self._waiters.get(item[1])
        return waiter is not None and waiter.due_at == item[0] and waiter.overdue and group in waiter.groups

    def _is_due(self, item: _Item) -> bool:
        waiter = self._waiters.get(item[1])
        return waiter is not None and waiter.due_at == item[0] and not waiter.overdue


def _drop_dead(heap: list[_Item], lives: _Lives, group: Group) -> None:
    while heap and not lives(heap[0], group):
        heappop(heap)


def _rebuild(heap: list[_Item], living: list[_Item]) -> None:
    heap[:] = set(living)
    heapify(heap)
