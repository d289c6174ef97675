"""What is said because the caller's clock says so: warnings, then overdue. Never a fact, and never twice.

Only the primary definition of a session is announced. History is not: an announcement owed longer ago than the
definition's `announce_within_ms` is dropped, so a replayed month or a backlog that comes in late rings nowhere.
"""

import heapq
from collections.abc import Mapping

from sla_engine._core.context import Context, next_notice_at
from sla_engine._core.conversation import ONE_WARNING, OWED, SAID_OVERDUE, Conversation, Track
from wire.verdict import Announcement, Notice


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
        track = _announced(conversation)
        notice = None if track is None else _due(context, heap, conversation, track, now)
        if notice is not None:
            said.append(notice)
    return said


def next_wake_at(
    context: Context, heap: list[tuple[int, str]], conversations: Mapping[str, Conversation]
) -> int | None:
    """The earliest instant at which something still has to be said. Lapsed entries before it are dropped."""
    while heap:
        at, key = heap[0]
        conversation = conversations.get(key)
        track = None if conversation is None else _announced(conversation)
        if conversation is not None and track is not None and at == next_notice_at(context, conversation, track):
            return at
        heapq.heappop(heap)
    return None


def _announced(conversation: Conversation) -> Track | None:
    """The primary definition's session, while there is something left to announce of it."""
    track = conversation.tracks[0] if conversation.tracks else None
    if track is None or track.slot < 0 or track.state != OWED or track.flags & SAID_OVERDUE:
        return None
    return track


def _due(
    context: Context, heap: list[tuple[int, str]], conversation: Conversation, track: Track, now: int
) -> Announcement | None:
    """The latest of what is owed by `now`: one that was passed over by the clock is not made up for."""
    rule = context.rules.rules[track.slot]
    at = next_notice_at(context, conversation, track)
    if at > now:
        return None
    notice = Notice.WARNING
    if track.due_at <= now:
        at, notice = track.due_at, Notice.OVERDUE
        track.flags |= SAID_OVERDUE
    else:
        following = at
        while following <= now:
            at = following
            track.flags += ONE_WARNING
            following = next_notice_at(context, conversation, track)
        heapq.heappush(heap, (following, conversation.key))
    if now - at > rule.announce_within_ms:
        return None
    team = context.roster.place(conversation.account, at).team
    return Announcement(
        notice, conversation.key, track.session, track.turn, rule.label, conversation.queue, team, at, track.due_at
    )
