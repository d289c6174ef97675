"""What a ledger says beside its conversations: who was there, whose clock is off, who works where."""

from collections.abc import Sequence

from tests.oracle.reading import Step, Told, is_told
from wire.conversation import Presence, PresenceChanged, Queued
from wire.ids import UNASSIGNED
from wire.organisation import Relation, RosterLink
from wire.record import Feed, SourceDeclared
from wire.recorded import Recorded
from wire.verdict import Place


class Surroundings:
    """Answers about the whole ledger. Every question looks through all of it."""

    def __init__(self, entries: Sequence[Recorded]) -> None:
        self._entries = entries
        bodies = [entry.body for entry in entries]
        self._links = [body for body in bodies if isinstance(body, RosterLink)]
        self._presence = [entry for entry in entries if isinstance(entry.body, PresenceChanged)]
        self._delayed = {
            body.about_source
            for body in bodies
            if isinstance(body, SourceDeclared) and body.carries == "conversations" and body.feed is not Feed.LIVE
        }
        self._offsets: dict[tuple[str, str], int] = {}

    def place(self, account: str, at: int) -> Place:
        """The place of an account; the last link entered of those that began last holds."""
        if not account:
            return Place(*[UNASSIGNED] * 6)
        person = self._target(Relation.PERSON_OF_ACCOUNT, account, at)
        seat = self._target(Relation.SEAT_OF_PERSON, person, at)
        return Place(
            account,
            person,
            self._target(Relation.TEAM_OF_PERSON, person, at),
            seat,
            self._target(Relation.SITE_OF_SEAT, seat, at),
            self._target(Relation.SHIFT_OF_PERSON, person, at),
        )

    def nobody_ready(self, queue: str, at: int) -> bool:
        """E13: some account of the queue's sources is known by its presence, and none of them is ready."""
        sources = {
            entry.source
            for entry in self._entries
            if isinstance(entry.body, Told) and getattr(entry.body, "queue", "") == queue
        }
        last: dict[tuple[str, str], tuple[int, int, Presence]] = {}
        for entry in self._presence:
            body = entry.body
            if isinstance(body, PresenceChanged) and entry.source in sources and body.occurred_at <= at:
                who = (entry.source, body.account)
                when = (body.occurred_at, entry.index, body.presence)
                last[who] = max(last.get(who, when), when, key=lambda one: one[:2])
        return bool(last) and all(presence is not Presence.READY for _, _, presence in last.values())

    def tells_queue(self, heard: Recorded) -> bool:
        """E1: whether the source of this entry had told of the queue of people, for anything at all, before it."""
        return any(
            isinstance(entry.body, Queued) and entry.source == heard.source
            for entry in self._entries
            if entry.index < heard.index
        )

    def offset(self, source: str, clock: str) -> int | None:
        """E17: the least delay seen between a live source's clock and the collector's; None where nobody knows."""
        if source in self._delayed:
            return None
        if (source, clock) not in self._offsets:
            self._offsets[source, clock] = min(
                entry.received_at - entry.body.occurred_at
                for entry in self._entries
                if entry.source == source and isinstance(entry.body, Told) and entry.body.clock == clock
            )
        return self._offsets[source, clock]

    def apart_by(self, start: Step, end: Step, said_at: int) -> int:
        """E17: how far a time between two events may be off, by what was known with entry `said_at`.

        The larger of both clocks' mean delay above their least one; nothing for one clock, or where nobody knows.
        """
        clocks = {(step.source, step.body.clock) for step in (start, end)}
        if len(clocks) == 1 or any(source in self._delayed for source, _ in clocks):
            return 0
        return max(self._spread(*clock, said_at) for clock in clocks)

    def _spread(self, source: str, clock: str, said_at: int) -> int:
        delays = [
            entry.received_at - entry.body.occurred_at
            for entry in self._entries
            if entry.index <= said_at and entry.source == source and is_told(entry.body) and entry.body.clock == clock
        ]
        return sum(delays) // len(delays) - min(delays)

    def _target(self, relation: Relation, subject: str, at: int) -> str:
        links = [link for link in self._links if (link.relation, link.subject) == (relation, subject)]
        begun = [link for link in links if link.effective_from <= at]
        if not begun:
            return UNASSIGNED
        newest = max(link.effective_from for link in begun)
        link = [link for link in begun if link.effective_from == newest][-1]
        return link.target if link.effective_until is None or at < link.effective_until else UNASSIGNED
