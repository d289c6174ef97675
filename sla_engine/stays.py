"""Stays in somebody's hands that no leg tells of, since nobody told that they ended."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from sla_engine._core.attribution import Held
from sla_engine.reports._core.never_ended import NeverEnded
from wire.body import Body
from wire.conversation import AgentTurn, Author, Closed, CustomerLeft
from wire.verdict import LoadChange, Place

_Hands = tuple[str, str]
"""(conversation, account)."""


class Stay(NamedTuple):
    """One stay of a conversation in one person's hands. replied_at: of this account, ms, None = it did not."""

    conversation: str
    session: int
    queue: str
    held: Held
    replied_at: int | None

    @property
    def owed_until(self) -> int:
        """Until when the person owed a reply."""
        return self.held.until if self.replied_at is None else self.replied_at


class NeverLeft:
    """Hears what is told of conversations; then makes stays of those whose end was not."""

    def __init__(self) -> None:
        self._never_ended: Final = NeverEnded()
        self._replies: Final[dict[str, list[tuple[int, str]]]] = defaultdict(list)

    def hear(self, body: Body) -> None:
        """Take what was told in, in the order of the record."""
        self._never_ended.hear(body)
        if isinstance(body, AgentTurn) and body.author is Author.HUMAN:
            self._replies[body.conversation].append((body.occurred_at, body.account))
        elif isinstance(body, CustomerLeft | Closed):
            self._replies.pop(body.conversation, None)

    def stays(
        self,
        loads: Iterable[LoadChange],
        queues: Mapping[tuple[str, int], str],
        place_of: Callable[[str, int], Place],
        idle_ms: int,
        ends_at: int,
    ) -> Iterator[Stay]:
        """Each until the end of the record (`ends_at`), or until nothing was told of it for idle_ms, as on the board.

        queues: of (conversation, session).
        """
        hands: dict[_Hands, Counter[tuple[int, int]]] = defaultdict(Counter)
        for change in loads:
            hands[change.conversation, change.account][change.at, change.session] += change.change
        held = {key: changes.total() for key, changes in hands.items()}
        gone = {(each.conversation, each.account): each.at for each in self._never_ended.leave(held, idle_ms)}
        for key, count in held.items():
            if count > 0:
                conversation, account = key
                since, session = max(at for at, change in hands[key].items() if change > 0)
                place = place_of(account, since)
                stay = Held(account, place.seat, place.site, since, min(gone.get(key, ends_at), ends_at))
                replies = (at for at, by in self._replies[conversation] if at >= since and by in {"", account})
                queue = queues.get((conversation, session), "")
                yield Stay(conversation, session, queue, stay, min(replies, default=None))
