"""What the fold of one entry may look at and write to."""

import heapq

from sla_engine._core.conversation import JUDGED, ONE_WARNING, OWED, SAID_OVERDUE, TURN_SAID, Conversation, Track
from sla_engine._core.limits import NOT_YET
from sla_engine._core.online import Online
from sla_engine._core.roster import Roster
from sla_engine._core.rules import Rules
from sla_engine._core.skew import NO_DOMAIN, Skew
from sla_engine._core.watermark import FEEDS
from wire.verdict import Fact


class Deadlines:
    """Instants at which something may have to be said, earliest first.

    Entries are never taken out when they lapse: whoever pops one looks whether it still holds.

    judge[feed]: (due instant, conversation), waiting for the watermark of that feed; one for all definitions with that
    instant. announce: (instant, conversation), waiting for the clock of the caller.
    """

    __slots__ = ("announce", "judge")

    def __init__(self) -> None:
        self.judge: list[list[tuple[int, str]]] = [[] for _ in FEEDS]
        self.announce: list[tuple[int, str]] = []


class Context:
    """One shard's fold, as its transition functions see it.

    index: the entry being folded. resolution_ms, domain: of the event being folded; rules_known: how many rules count
    for a session that it opens. facts: where facts go. deadlines: None while events are folded anew, which schedules
    nothing.
    """

    __slots__ = (
        "deadlines",
        "domain",
        "facts",
        "index",
        "online",
        "resolution_ms",
        "roster",
        "rules",
        "rules_known",
        "skew",
    )

    def __init__(self, rules: Rules, roster: Roster, online: Online, skew: Skew, deadlines: Deadlines | None) -> None:
        self.rules = rules
        self.roster = roster
        self.online = online
        self.skew = skew
        self.deadlines = deadlines
        self.facts: list[Fact] = []
        self.index = NOT_YET
        self.resolution_ms = 0
        self.domain = NO_DOMAIN
        self.rules_known = 0

    def aside(self) -> "Context":
        """The same knowledge, with facts of its own, for folding events anew."""
        aside = Context(self.rules, self.roster, self.online, self.skew, None)
        aside.index = self.index
        return aside


def schedule(context: Context, conversation: Conversation, track: Track) -> None:
    """Note when a first response that is owed falls due: for the watermark, and for the clock if it is announced."""
    if context.deadlines is not None:
        schedule_judgement(context, conversation, track)
        if conversation.tracks[0] is track:
            _schedule_notice(context, conversation, track)


def schedule_judgement(context: Context, conversation: Conversation, track: Track) -> None:
    """Let the watermark look at a due instant, unless it will because of another definition."""
    deadlines = context.deadlines
    if deadlines is None:
        return
    due_at = track.due_at
    for other in conversation.tracks:
        if other is track:
            break
        if other.due_at == due_at and other.state == OWED and other.slot >= 0 and not other.flags & JUDGED:
            track.due_at = other.due_at  # one number in memory for both
            return
    heapq.heappush(deadlines.judge[conversation.feed], (due_at, conversation.key))


def schedule_closing(context: Context, conversation: Conversation, track: Track) -> None:
    """Let the watermark look at an open turn where the window closes on it (E8)."""
    if context.deadlines is not None:
        closing = context.rules.rules[track.slot].clock.closing(track.turn_at)
        if closing is not None:
            heapq.heappush(context.deadlines.judge[conversation.feed], (closing, conversation.key))


def schedule_owed(context: Context, conversation: Conversation) -> None:
    """Schedule whatever is owed in `conversation`, after its tracks or its feed were replaced."""
    if context.deadlines is None:
        return
    for track in conversation.tracks:
        if track.state == OWED and track.slot >= 0:
            if not track.flags & JUDGED:
                schedule_judgement(context, conversation, track)
            if conversation.tracks[0] is track and not track.flags & SAID_OVERDUE:
                _schedule_notice(context, conversation, track)
        if track.turn_at != NOT_YET and track.slot >= 0 and not track.flags & TURN_SAID:
            schedule_closing(context, conversation, track)


def is_scheduled(context: Context, conversation: Conversation, at: int) -> bool:
    """Whether something still has to be said once the record is complete past `at`: else what was scheduled lapsed."""
    for track in conversation.tracks:
        if track.slot < 0:
            continue
        if track.state == OWED and track.due_at == at and not track.flags & JUDGED:
            return True
        may_close = context.rules.any_cuts and track.turn_at != NOT_YET and not track.flags & TURN_SAID
        if may_close and context.rules.rules[track.slot].clock.closing(track.turn_at) == at:
            return True
    return False


def next_notice_at(context: Context, conversation: Conversation, track: Track) -> int:
    """When there is something to announce next, of a primary track that is owed and not said to be overdue."""
    warnings = context.rules.warnings(track.queue, track.started_at, conversation.rules_known)
    said = track.flags // ONE_WARNING
    if said < len(warnings):
        at = context.rules.rules[track.slot].clock.after(track.clock_at, warnings[said])
        if at < track.due_at:
            return at
    return track.due_at


def _schedule_notice(context: Context, conversation: Conversation, track: Track) -> None:
    if context.deadlines is not None:
        heapq.heappush(context.deadlines.announce, (next_notice_at(context, conversation, track), conversation.key))
