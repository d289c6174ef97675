"""What is said because the caller's clock says so: a warning, then overdue. Never a fact, and never twice.

History is not announced: an announcement owed longer ago than the definition's `announce_within_ms` is dropped, so a
replayed month or a backlog that comes in late rings nowhere.
"""

import heapq
from collections.abc import Mapping

from sla_engine._core.context import Context
from sla_engine._core.conversation import OWED, SAID_OVERDUE, WARNED, Conversation, Track
from wire.verdict import Announcement, Notice

_BOTH = WARNED | SAID_OVERDUE


def announce(
    context: Context, heap: list[tuple[int, str]], conversations: Mapping[str, Conversation], now: int
) -> list[Announcement]:
    """Everything owed by `now` and not said yet, in order of the instants. At the due instant itself it is overdue."""
    said: list[Announcement] = []
    while heap and heap[0][0] <= now:
        _, key = heapq.heappop(heap)
        conversation = conversations.get(key)
        if conversation is None:
            continue
        for track in conversation.tracks:
            if track.state == OWED and track.slot >= 0 and not track.announced & SAID_OVERDUE:
                notice = _due(context, heap, conversation, track, now)
                if notice is not None:
                    said.append(notice)
    return said


def _due(
    context: Context, heap: list[tuple[int, str]], conversation: Conversation, track: Track, now: int
) -> Announcement | None:
    rule = context.rules.rules[track.slot]
    at = track.started_at + rule.warning_ms
    notice = Notice.WARNING
    if track.due_at <= now:
        at, notice = track.due_at, Notice.OVERDUE
        track.announced |= _BOTH
    elif at <= now and not track.announced & WARNED:
        track.announced |= WARNED
        heapq.heappush(heap, (track.due_at, conversation.key))
    else:
        return None
    if now - at > rule.announce_within_ms:
        return None
    team = context.roster.place(conversation.account, at).team
    return Announcement(
        notice, conversation.key, track.session, track.turn, rule.label, conversation.queue, team, at, track.due_at
    )


def next_wake_at(
    context: Context, heap: list[tuple[int, str]], conversations: Mapping[str, Conversation]
) -> int | None:
    """The earliest instant at which something still has to be said. Lapsed entries before it are dropped."""
    while heap:
        at, key = heap[0]
        conversation = conversations.get(key)
        if conversation is not None and any(_waits_for(context, track, at) for track in conversation.tracks):
            return at
        heapq.heappop(heap)
    return None


def _waits_for(context: Context, track: Track, at: int) -> bool:
    if track.state != OWED or track.slot < 0 or track.announced & SAID_OVERDUE:
        return False
    return at == track.due_at or (
        not track.announced & WARNED and at == track.started_at + context.rules.rules[track.slot].warning_ms
    )
