"""Who leads a team and looks after what somebody there owes: from the entry until the reply, or for a while."""

from typing import Final

import msgspec

from sla_engine._core.groups import CLIENT, TEAM, Group
from sla_engine._core.waiting import WaitingRoom
from wire.follow_up import FollowedUp


class FollowUp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was said, and when (ms). conversation: "" = a person who owed nothing then."""

    conversation: str
    waiting_since: int | None
    person: str
    team: str
    by: str
    at: int


class FollowUps:
    """The first follow-up of every wait, and of every person who owed nothing. said: what a snapshot keeps."""

    def __init__(self, said: dict[str, FollowUp], lasts_ms: int) -> None:
        """lasts_ms: how long one holds at most."""
        self.said: Final = said
        self._lasts_ms: Final = lasts_ms

    def take(self, body: FollowedUp) -> None:
        """Take an entry in, and let go of what is past."""
        for key, held in list(self.said.items()):
            if held.at + self._lasts_ms <= body.occurred_at:
                del self.said[key]
        # no id has a bar in it
        key = body.conversation or f"|{body.person}"
        first = self.said.get(key)
        if first is not None and first.waiting_since == body.waiting_since:
            return  # two clicked at once: it stays with whoever said so first
        self.said[key] = FollowUp(
            body.conversation, body.waiting_since, body.person, body.team, body.by, body.occurred_at
        )

    def holding(self, room: WaitingRoom, as_of: int) -> list[FollowUp]:
        """Those that hold at `as_of` (ms): a reply ends the wait, and with it what was said of it."""
        return [
            held
            for held in self.said.values()
            if as_of < held.at + self._lasts_ms and (not held.conversation or _is_owed(room, held))
        ]


def groups_of(held: FollowUp, room: WaitingRoom, client: str) -> tuple[Group, ...]:
    """The tiles that show it."""
    wait = room.wait_of(held.conversation) if held.conversation else None
    return ((TEAM, held.team), (CLIENT, client)) if wait is None else wait.groups


def _is_owed(room: WaitingRoom, held: FollowUp) -> bool:
    wait = room.wait_of(held.conversation)
    return wait is not None and wait.since == held.waiting_since
