"""What the fold of one entry may look at and write to."""

import heapq

from sla_engine._core.conversation import OWED, SAID_OVERDUE, WARNED, Conversation
from sla_engine._core.limits import NOT_YET
from sla_engine._core.roster import Roster
from sla_engine._core.rules import Rules
from sla_engine._core.watermark import FEEDS
from wire.verdict import Fact


class Deadlines:
    """Instants at which something may have to be said, earliest first.

    Entries are never taken out when they lapse: whoever pops one looks whether it still holds.

    judge[feed]: (due instant, conversation), waiting for the watermark of that feed. announce: (instant,
    conversation), waiting for the clock of the caller.
    """

    __slots__ = ("announce", "judge")

    def __init__(self) -> None:
        self.judge: list[list[tuple[int, str]]] = [[] for _ in FEEDS]
        self.announce: list[tuple[int, str]] = []


class Context:
    """One shard's fold, as its transition functions see it.

    index: the entry being folded. facts: where facts go. deadlines: None while events are folded anew, which
    schedules nothing.
    """

    __slots__ = ("deadlines", "facts", "index", "roster", "rules")

    def __init__(self, rules: Rules, roster: Roster, deadlines: Deadlines | None) -> None:
        self.rules = rules
        self.roster = roster
        self.deadlines = deadlines
        self.facts: list[Fact] = []
        self.index = NOT_YET


def schedule(context: Context, conversation: Conversation, due_at: int, next_at: int) -> None:
    """Note when a first response that is owed falls due: due_at for the watermark, next_at for the clock."""
    deadlines = context.deadlines
    if deadlines is not None:
        heapq.heappush(deadlines.judge[conversation.feed], (due_at, conversation.key))
        heapq.heappush(deadlines.announce, (next_at, conversation.key))


def schedule_judgement(context: Context, conversation: Conversation, due_at: int) -> None:
    """Let the watermark look at a due instant again."""
    if context.deadlines is not None:
        heapq.heappush(context.deadlines.judge[conversation.feed], (due_at, conversation.key))


def schedule_owed(context: Context, conversation: Conversation) -> None:
    """Schedule whatever is owed in `conversation`, after its tracks or its feed were replaced."""
    for track in conversation.tracks:
        if track.state == OWED and track.slot >= 0 and not (track.judged and track.announced & SAID_OVERDUE):
            rule = context.rules.rules[track.slot]
            next_at = track.due_at if track.announced & WARNED else track.started_at + rule.warning_ms
            schedule(context, conversation, track.due_at, next_at)
