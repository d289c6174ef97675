"""Many warnings in one team at once, as one thing: how many conversations are between warning and due, since when."""

from collections import defaultdict
from heapq import heappop, heappush
from typing import Final, NamedTuple

from wire.ids import UNASSIGNED
from wire.surge import Surge
from wire.verdict import Announcement, Notice

_Item = tuple[int, str]
"""(instant, conversation)."""


class _Warned(NamedTuple):
    """until: the last instant (ms) at which the warning still counts."""

    team: str
    at: int
    until: int


class _Team:
    """Its warned conversations. ats: when they were warned, with items of conversations that are no longer."""

    __slots__ = ("ats", "count")

    def __init__(self) -> None:
        self.count = 0
        self.ats: list[_Item] = []


class Surges:
    """The warned conversations of one client, from announcements: of a past instant there are none.

    Costs follow what changed: 100,000 deadlines are as good as none while no board has to look at each of them.
    """

    def __init__(self, conversations: int, within_ms: int) -> None:
        """A surge: so many conversations of one team, warned within so long."""
        self._conversations: Final = conversations
        self._within_ms: Final = within_ms
        self._warned: Final[dict[str, _Warned]] = {}
        self._ends: Final[list[_Item]] = []
        self._teams: Final[defaultdict[str, _Team]] = defaultdict(_Team)
        self._since: dict[str, int] = {}

    def announce(self, announcement: Announcement) -> None:
        """Take a warning; what is overdue is warned of no more."""
        conversation = announcement.conversation
        if announcement.notice is not Notice.WARNING or conversation in self._warned:
            return
        until = min(announcement.due_at, announcement.at + self._within_ms)
        warned = self._warned[conversation] = _Warned(announcement.team or UNASSIGNED, announcement.at, until)
        heappush(self._ends, (until, conversation))
        team = self._teams[warned.team]
        team.count += 1
        heappush(team.ats, (warned.at, conversation))

    def answer(self, conversation: str) -> None:
        """Nothing is owed on a conversation any more."""
        warned = self._warned.pop(conversation, None)
        if warned is not None:
            self._teams[warned.team].count -= 1

    def advance(self, as_of: int) -> dict[str, Surge]:
        """The surges of `as_of` (ms) by team. One goes on from its first warning until too few are left."""
        while self._ends and self._ends[0][0] < as_of:
            until, conversation = heappop(self._ends)
            warned = self._warned.get(conversation)
            if warned is not None and warned.until == until:
                self.answer(conversation)
        surges = {}
        for name, team in self._teams.items():
            while team.ats and not self._is_warned(name, team.ats[0]):
                heappop(team.ats)
            if team.count >= self._conversations:
                first = team.ats[0][0]
                surges[name] = Surge(team.count, min(self._since.get(name, first), first))
        self._since = {name: surge.since for name, surge in surges.items()}
        return surges

    def _is_warned(self, team: str, item: _Item) -> bool:
        warned = self._warned.get(item[1])
        return warned is not None and warned.at == item[0] and warned.team == team
