"""One shard's state, and how an entry about a conversation finds its place in it."""

import hashlib
import heapq
from collections import Counter
from typing import Final

from sla_engine._core.context import Context, Deadlines, is_scheduled, schedule_owed
from sla_engine._core.conversation import CLOSED, JUDGED, TURN_SAID, UNKNOWN, Conversation, Phase, Signal
from sla_engine._core.fold import fold, tells_first_queue
from sla_engine._core.forgetting import Forgetting
from sla_engine._core.history import LOG_BYTES, Names, insert_late, pack_event, trim
from sla_engine._core.limits import NOT_YET
from sla_engine._core.obligation import judge_past
from sla_engine._core.online import Online, OnlineState
from sla_engine._core.roster import Roster, RosterState
from sla_engine._core.rules import Rules, RulesState
from sla_engine._core.skew import NO_DOMAIN, Skew, SkewState
from sla_engine._core.watermark import LIVE, Watermark
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Closed,
    CustomerLeft,
    CustomerTurn,
    Offered,
    Presence,
    PresenceChanged,
    Queued,
    Transferred,
)
from wire.errors import require
from wire.recorded import Recorded

Told = Offered | Queued | Assigned | Accepted | CustomerTurn | AgentTurn | Transferred | CustomerLeft | Closed
"""What a source tells of a conversation."""

TOO_LATE: Final = "too_late"
LATE: Final = "late"
FORGOTTEN_OPEN: Final = "forgotten_open"
DEFINITION_REFUSED: Final = "definition_refused"
CONTRACT_REFUSED: Final = "contract_refused"
UNREADABLE: Final = "unreadable"
ILLEGAL: Final = "illegal"
NO_QUEUE: Final = "no_queue"

_LEFT: Final = int(Signal.LEFT)
"""From here on, signals end a contact."""

_SAID: Final = JUDGED | TURN_SAID


class Shard:
    """The state of one shard. To callers it is opaque: they hold it and pass it back.

    next_index: entries before it are folded already and are skipped when they come again.
    anomalies: reason -> count of entries that did not do what they said, by the order of their arrival.
    """

    __slots__ = (
        "anomalies",
        "context",
        "conversations",
        "deadlines",
        "forgetting",
        "names",
        "next_index",
        "of",
        "online",
        "roster",
        "rules",
        "shard",
        "skew",
        "touched",
        "watermark",
    )

    def __init__(self, shard: int, of: int) -> None:
        require(0 <= shard < of, "a shard is one of its number")
        self.shard = shard
        self.of = of
        self.next_index = 0
        self.watermark = Watermark()
        self.rules = Rules(RulesState())
        self.roster = Roster(RosterState())
        self.online = Online(OnlineState())
        self.skew = Skew(SkewState())
        self.names = Names([""])
        self.conversations: dict[str, Conversation] = {}
        self.forgetting = Forgetting()
        self.deadlines = Deadlines()
        self.anomalies: Counter[str] = Counter()
        self.context = Context(self.rules, self.roster, self.online, self.skew, self.deadlines)
        self.touched: dict[str, None] = {}


def shard_of(shard_key: str, of: int) -> int:
    """The first 8 bytes of SHA-256, modulo the number of shards."""
    return int.from_bytes(hashlib.sha256(shard_key.encode()).digest()[:8], "big") % of


def take(
    shard: Shard, entry: Recorded, body: Told, signal: int, detail: int, account: str, queue: str, customer: str = ""
) -> None:
    """Fold one event of a conversation, at its place in time."""
    at = body.occurred_at
    source = entry.source
    held = shard.watermark.sources.get(source)
    feed = hear(shard, source, at) if held is None or held.feed != LIVE else LIVE
    domain = shard.skew.hear(entry, at, body.clock) if feed == LIVE and shard.rules.any_estimates else NO_DOMAIN
    if queue and source not in shard.online.state.queues.get(queue, ()):
        shard.online.fed(queue, source)
    key = body.conversation
    if shard.of > 1 and shard_of(body.shard_key or key, shard.of) != shard.shard:
        return
    names = shard.names
    account_number = (names.numbers.get(account) or names.add(account)) if account else 0
    queue_number = (names.numbers.get(queue) or names.add(queue)) if queue else 0
    resolution_ms = body.resolution_ms
    context = shard.context
    conversation = shard.conversations.get(key)
    if conversation is None:
        if at < shard.watermark.merged[feed] - shard.rules.grace_ms and shard.rules.grace_ms:
            shard.anomalies[TOO_LATE] += 1
            return
        tells_queue = source in shard.online.state.tell_queue
        conversation = Conversation(key, entry.index, feed, customer=customer, tells_queue=tells_queue)
        shard.conversations[key] = conversation
        shard.forgetting.note(feed, at, key)
    elif feed > conversation.feed:
        conversation.feed = feed
        schedule_owed(context, conversation)
    phase = conversation.phase
    rules_known = shard.rules.known
    record = pack_event(at, signal, detail, account_number, queue_number, resolution_ms, domain, rules_known)
    if (
        at < conversation.last_at
        or (customer and not conversation.customer)
        or (queue and not conversation.queue and tells_first_queue(conversation, signal))
        or (at < shard.watermark.merged[LIVE] and _is_said(conversation))  # said before a slower source joined, too
    ):
        _correct(shard, conversation, record, at, customer)
    else:
        conversation.last_at = at
        conversation.log = log = conversation.log + record
        known = names.known
        context.resolution_ms = resolution_ms
        context.domain = domain
        context.rules_known = rules_known
        if not fold(context, conversation, at, signal, detail, known[account_number], known[queue_number]):
            shard.anomalies[f"{ILLEGAL}.{Phase(phase).name.lower()}.{Signal(signal).name.lower()}"] += 1
        if len(log) > LOG_BYTES:
            trim(context, names, conversation)
            _count_unqueued(shard, conversation)
    if signal >= _LEFT and phase < CLOSED <= shard.conversations[key].phase:
        _count_unqueued(shard, shard.conversations[key])
    shard.touched[key] = None
    heap = shard.deadlines.judge[conversation.feed]
    if heap and heap[0][0] < shard.watermark.merged[conversation.feed]:
        judge_due(shard, conversation.feed)


def tell_presence(shard: Shard, entry: Recorded, body: PresenceChanged) -> None:
    """Note who is there, for every shard alike. What is older than the grace is let go."""
    hear(shard, entry.source, body.occurred_at)
    grace_ms = shard.rules.grace_ms
    keep_from = min(shard.watermark.merged) - grace_ms if grace_ms else NOT_YET
    ready = body.presence is Presence.READY
    shard.online.tell(entry.source, body.account, body.occurred_at, ready=ready, keep_from=keep_from)


def _correct(shard: Shard, conversation: Conversation, record: bytes, at: int, customer: str) -> None:
    """An event came in after later ones or after what was said of its time, or says whose all that is."""
    mark = shard.watermark.merged[conversation.feed]
    is_late = at < conversation.last_at
    customer = conversation.customer or customer
    corrected = insert_late(shard.context, shard.names, conversation, record, mark, customer)
    if corrected is None:
        shard.anomalies[TOO_LATE] += 1
        return
    if is_late:
        shard.anomalies[LATE] += 1
    shard.conversations[conversation.key] = corrected


def _count_unqueued(shard: Shard, conversation: Conversation) -> None:
    """It ended, or was told too much of to be folded anew, and no queue was ever named: no contract covers it."""
    if not conversation.queue:
        shard.anomalies[NO_QUEUE] += 1


def _is_said(conversation: Conversation) -> bool:
    """Whether something was said because the record was complete, which an event from before that may change."""
    return any(track.flags & _SAID for track in conversation.tracks)


def hear(shard: Shard, source: str, at: int) -> int:
    """Note that `source` told something of `at`; returns how soon it tells, as an index of watermark.FEEDS."""
    held = shard.watermark.heard(source, at, shard.rules.allowance_ms)
    if held.feed != LIVE:
        mark_moved(shard)
    return held.feed


def mark_moved(shard: Shard) -> None:
    """The watermark may have moved: judge what fell due, let go of what is past its grace."""
    for feed in range(len(shard.deadlines.judge)):
        judge_due(shard, feed)
    for conversation in shard.forgetting.sweep(shard.conversations, shard.watermark.merged, shard.rules.grace_ms):
        shard.touched[conversation.key] = None
        if conversation.phase < CLOSED:
            shard.anomalies[FORGOTTEN_OPEN] += 1
            if conversation.phase != UNKNOWN:
                _count_unqueued(shard, conversation)


def judge_due(shard: Shard, feed: int) -> None:
    """Judge what is still owed and whose due instant the watermark of `feed` has passed."""
    heap = shard.deadlines.judge[feed]
    mark = shard.watermark.merged[feed]
    while heap and heap[0][0] < mark:
        due_at, key = heapq.heappop(heap)
        conversation = shard.conversations.get(key)
        if conversation is None or conversation.feed != feed:
            continue
        # what lapsed would bring the conversation forward, and a restored shard knows nothing of it
        if is_scheduled(shard.context, conversation, due_at) and judge_past(shard.context, conversation, mark):
            shard.touched[key] = None
