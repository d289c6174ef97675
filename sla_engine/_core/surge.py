"""Many warnings in one team at once, as one thing: how many conversations are between warning and due, since when."""

from typing import Final

import msgspec

from wire.board import Surge
from wire.ids import UNASSIGNED
from wire.verdict import Announcement, Notice


class _Warned(msgspec.Struct, gc=False):
    team: str
    at: int
    due_at: int


class Surges:
    """The warned conversations of one client, from announcements: of a past instant there are none."""

    def __init__(self, conversations: int, within_ms: int) -> None:
        """A surge: so many conversations of one team, warned within so long."""
        self._conversations: Final = conversations
        self._within_ms: Final = within_ms
        self._warned: dict[str, _Warned] = {}
        self._since: dict[str, int] = {}

    def announce(self, announcement: Announcement) -> None:
        """Take a warning; what is overdue is warned of no more."""
        if announcement.notice is Notice.WARNING:
            team = announcement.team or UNASSIGNED
            self._warned.setdefault(announcement.conversation, _Warned(team, announcement.at, announcement.due_at))

    def answer(self, conversation: str) -> None:
        """Nothing is owed on a conversation any more."""
        self._warned.pop(conversation, None)

    def advance(self, as_of: int) -> dict[str, Surge]:
        """The surges of `as_of` (ms) by team. One goes on from its first warning until too few are left."""
        oldest = as_of - self._within_ms
        teams: dict[str, list[int]] = {}
        for conversation, warned in list(self._warned.items()):
            if warned.due_at < as_of or warned.at < oldest:
                del self._warned[conversation]
            else:
                teams.setdefault(warned.team, []).append(warned.at)
        surging = {team: ats for team, ats in teams.items() if len(ats) >= self._conversations}
        self._since = {team: min(self._since.get(team, ats[0]), *ats) for team, ats in surging.items()}
        return {team: Surge(len(ats), self._since[team]) for team, ats in surging.items()}
