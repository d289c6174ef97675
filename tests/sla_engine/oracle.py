"""What a whole transcript amounts to, worked out by looking at all of it at once, as slowly and as plainly as possible.

It shares no code with the engine: no state, no watermark, no revisions. It is what the engine must agree with when
the last entry has been folded and the clock has run on.
"""

from collections.abc import Sequence
from typing import NamedTuple

from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Author,
    Closed,
    ClosedBy,
    CustomerLeft,
    CustomerTurn,
    Direction,
    LeftReason,
    Offered,
    Queued,
    Transferred,
)

SHANGHAI_MS = 8 * 3_600_000
DAY_MS = 24 * 3_600_000
Told = Offered | Queued | Assigned | Accepted | CustomerTurn | AgentTurn | Transferred | CustomerLeft | Closed


class Terms(NamedTuple):
    """The part of a definition that is varied here. The window is 08:00-24:00 in Shanghai."""

    limit: int
    short: int
    gap: int
    replies: tuple[Author, ...]


class Judged(NamedTuple):
    """One session."""

    conversation: str
    started_at: int
    queue: str
    outcome: str
    verdict: str
    why: str
    first_response_ms: int | None
    seat_response_ms: int | None
    account: str
    turns: tuple[int | None, ...]


def judge(told: Sequence[Told], terms: Terms) -> list[Judged]:
    """Every session of every conversation. `told` is in the order it came in."""
    judged = []
    for conversation in sorted({event.conversation for event in told}):
        events = sorted((e for e in told if e.conversation == conversation), key=lambda e: e.occurred_at)
        sessions: list[list[list[Told]]] = []
        for contact in contacts(events):
            last = sessions[-1][-1][-1] if sessions else None
            if last is not None and contact[0].occurred_at - last.occurred_at < terms.gap:
                sessions[-1].append(contact)
            else:
                sessions.append([contact])
        queue = ""
        for session in sessions:
            first = session[0][0]
            queue = getattr(first, "queue", "") or queue
            judged.append(_session(conversation, queue, session, terms))
            for event in (event for contact in session for event in contact):
                queue = getattr(event, "queue", "") or queue
    return judged


def contacts(events: Sequence[Told]) -> list[list[Told]]:
    """Runs of events from one that opens to one that ends. What stands between them is nothing."""
    found: list[list[Told]] = []
    running = False
    for event in events:
        if not running and isinstance(event, Offered | Queued | CustomerTurn):
            found.append([])
            running = True
        if running:
            found[-1].append(event)
            running = not isinstance(event, CustomerLeft | Closed)
    return found


def load(told: Sequence[Told]) -> dict[tuple[int, str], int]:
    """(instant, account) -> how many conversations joined, less how many left."""
    net: dict[tuple[int, str], int] = {}
    for conversation in {event.conversation for event in told}:
        events = sorted((e for e in told if e.conversation == conversation), key=lambda e: e.occurred_at)
        for contact in contacts(events):
            before = ""
            for number in range(len(contact)):
                after, _ = _leg(contact[: number + 1])
                if isinstance(contact[number], CustomerLeft | Closed):
                    after = ""
                if after != before:
                    at = contact[number].occurred_at
                    for account, change in ((before, -1), (after, 1)):
                        if account:
                            net[at, account] = net.get((at, account), 0) + change
                before = after
    return {key: change for key, change in net.items() if change}


def _session(conversation: str, queue: str, session: list[list[Told]], terms: Terms) -> Judged:
    first = session[0][0]
    started_at = first.occurred_at

    def said(
        outcome: str, verdict: str, why: str, frt: int | None = None, seat: int | None = None, account: str = ""
    ) -> Judged:
        told = () if why == "arrived_out_of_hours" else tuple(_turns(session, terms))
        return Judged(conversation, started_at, queue, outcome, verdict, why, frt, seat, account, told)

    if isinstance(first, Offered) and first.direction is Direction.OUTBOUND:
        return said("excluded", "excluded", "outbound")
    if (started_at + SHANGHAI_MS) % DAY_MS < 8 * 3_600_000:
        return said("excluded", "excluded", "arrived_out_of_hours")
    for contact in session:
        for number, event in enumerate(contact):
            if isinstance(event, AgentTurn) and event.author in terms.replies:
                took = event.occurred_at - started_at
                account, since = _leg(contact[: number + 1])
                sender = event.account or account
                seat = event.occurred_at - since if sender == account and since is not None else None
                if took <= terms.limit:
                    return said("answered", "met", "answered_in_time", took, seat, sender)
                return said("answered", "breached", "answered_late", took, seat, sender)
    last = session[-1][-1]
    took = last.occurred_at - started_at
    if isinstance(last, CustomerLeft | Closed):
        chosen = (
            last.reason in {LeftReason.HUNG_UP, LeftReason.WENT_SILENT}
            if isinstance(last, CustomerLeft)
            else last.by is ClosedBy.CUSTOMER
        )
        if not chosen:
            return said("unanswered", "breached", "closed_unanswered")
        if took < terms.short:
            return said("abandoned", "excluded", "left_short")
        return said("abandoned", "breached", "left_unanswered")
    return said("unanswered", "breached", "not_answered_when_due")


def _turns(session: list[list[Told]], terms: Terms) -> list[int | None]:
    found: list[int | None] = []
    for contact in session:
        open_since = None
        for event in contact:
            if isinstance(event, CustomerTurn) and open_since is None:
                open_since = event.occurred_at
            elif open_since is not None:
                if isinstance(event, AgentTurn) and event.author in terms.replies:
                    found.append(event.occurred_at - open_since)
                    open_since = None
                elif isinstance(event, CustomerLeft | Closed):
                    found.append(None)
    return found


def _leg(told: list[Told]) -> tuple[str, int | None]:
    """Who has it in hands after these events of a contact, and since when that person was assigned."""
    account, since = "", None
    for event in told:
        taker = account
        if isinstance(event, Queued) or (isinstance(event, Transferred) and not event.account):
            taker = ""
        elif isinstance(event, Assigned | Accepted | Transferred) or (
            isinstance(event, AgentTurn) and event.author is Author.HUMAN and not account
        ):
            taker = event.account
        if taker != account:
            account, since = taker, None
        if isinstance(event, Assigned | Transferred) and account and since is None:
            since = event.occurred_at
    return account, since
