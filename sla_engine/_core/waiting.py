"""Who waits now: for every tile the count, the oldest wait, the next due instant, how many are overdue and since when.

Costs follow what changed, never how many conversations are open: each group keeps its waits and dues in heaps whose
dead items are dropped when they surface, and one heap of all due instants counts the overdue as time passes.
"""

from collections.abc import Callable
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.groups import Group
from wire.board import Waiting

HEAP_SLACK: Final = 64
"""A heap is rebuilt when it holds more than twice its living items and this many more."""

_Item = tuple[int, str]
"""(instant, conversation)."""


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
    """The counts and heaps of one group."""

    __slots__ = ("dues", "late", "open", "overdue", "waiting", "waits")

    def __init__(self) -> None:
        self.open = 0
        self.waiting = 0
        self.overdue = 0
        self.waits: list[_Item] = []
        self.dues: list[_Item] = []
        self.late: list[_Item] = []

    def push_late(self, item: _Item, is_late: Callable[[_Item], bool]) -> None:
        """`item` is overdue from now on; `is_late` tells which items still are."""
        heappush(self.late, item)
        if len(self.late) > 2 * self.overdue + HEAP_SLACK:
            _rebuild(self.late, [each for each in self.late if is_late(each)])


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
                crowd.push_late((due_at, conversation), partial(self._is_late, group=group))
            if wait is not None:
                crowd.waiting += 1
                heappush(crowd.waits, wait)
                if len(crowd.waits) > 2 * crowd.waiting + HEAP_SLACK:
                    _rebuild(crowd.waits, [item for item in crowd.waits if self._waits(item, group)])
            if due is not None:
                heappush(crowd.dues, due)
                if len(crowd.dues) > 2 * crowd.waiting + HEAP_SLACK:
                    _rebuild(crowd.dues, [item for item in crowd.dues if self._owes(item, group)])
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
                waiter.overdue = True
                for group in waiter.groups:
                    crowd = self._crowds[group]
                    crowd.overdue += 1
                    crowd.push_late(item, partial(self._is_late, group=group))

    def waiting(self, group: Group, soon_ms: int = 0) -> Waiting:
        """The live part of a tile. soon_ms: who is due within so long counts as due soon; 0 = nobody does."""
        crowd = self._crowds.get(group)
        if crowd is None:
            return Waiting(waiting=0, overdue=0, oldest_since=None, next_due_at=None)
        while crowd.waits and not self._waits(crowd.waits[0], group):
            heappop(crowd.waits)
        while crowd.dues and not self._owes(crowd.dues[0], group):
            heappop(crowd.dues)
        while crowd.late and not self._is_late(crowd.late[0], group):
            heappop(crowd.late)
        return Waiting(
            waiting=crowd.waiting,
            overdue=crowd.overdue,
            oldest_since=crowd.waits[0][0] if crowd.waits else None,
            next_due_at=crowd.dues[0][0] if crowd.dues else None,
            open=crowd.open,
            overdue_since=crowd.late[0][0] if crowd.late else None,
            oldest_due_at=self._waiters[crowd.waits[0][1]].due_at if crowd.waits else None,
            due_soon=self._due_by(self._as_of + min(soon_ms, self._due_soon_max_ms), crowd.dues, group)
            if soon_ms
            else 0,
        )

    def _due_by(self, until: int, dues: list[_Item], group: Group) -> int:
        """How many in a heap of due instants are due by `until` (ms): a heap is looked at no deeper than that."""
        found: set[_Item] = set()
        look_at = [0]
        while look_at:
            at = look_at.pop()
            if at < len(dues) and dues[at][0] <= until:
                if self._owes(dues[at], group):
                    found.add(dues[at])
                look_at += (2 * at + 1, 2 * at + 2)
        return len(found)

    def _forget(self, waiter: _Waiter) -> None:
        waits = waiter.waiting_since is not None
        for group in waiter.groups:
            crowd = self._crowds[group]
            crowd.open -= 1
            crowd.waiting -= waits
            crowd.overdue -= waiter.overdue

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


def _rebuild(heap: list[_Item], living: list[_Item]) -> None:
    heap[:] = set(living)
    heapify(heap)
