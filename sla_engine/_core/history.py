"""The events of one conversation in order of event time, and folding them anew when one comes in late.

A late event goes to its place in the log; the conversation is folded with and without it, and where the two differ, the
fact is said again with the next revision. Of events with one event time, the one entered first comes first.
An event that is the first to name a queue is folded in the same way, for what came before it was on that queue too.

Each event keeps how many definitions and contracts had been entered before it, and a session is judged by those that
its first event knew (E18). What comes in late, before something that was known already, knows no more than that does.
"""

from collections import Counter
from struct import Struct
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from sla_engine._core.context import Context, schedule_owed
from sla_engine._core.conversation import (
    LEGS,
    SAID_OVERDUE,
    SIGNAL_BITS,
    TABLE,
    UNKNOWN,
    WHOLE_SESSION,
    Conversation,
    Track,
    fact_key,
)
from sla_engine._core.fold import fold
from sla_engine._core.limits import EVENTS_IN_LOG, NOT_YET
from sla_engine._core.obligation import judge_as_said, judge_past
from wire.verdict import LegFact, LoadChange, ResponseFact, SessionFact

_RECORD: Final = Struct("<qBBIIIHI")
"""at, signal, detail, account, queue, resolution_ms, clock domain, rules known; names by number."""
pack_event: Final = _RECORD.pack
_SIZE: Final = _RECORD.size
LOG_BYTES: Final = EVENTS_IN_LOG * _SIZE
_AT: Final = Struct("<q")
_RULES_KNOWN: Final = -Struct("<I").size

_ANNOUNCED: Final = ~(SAID_OVERDUE - 1)
"""What a track's flags say of announcements."""

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Conversation)


class Names:
    """Strings that many conversations share, each kept once, with a number."""

    __slots__ = ("known", "numbers")

    def __init__(self, known: list[str]) -> None:
        self.known = known
        self.numbers = {name: number for number, name in enumerate(known)}

    def add(self, name: str) -> int:
        """The number of a name not known so far."""
        number = self.numbers[name] = len(self.known)
        self.known.append(name)
        return number


_Corrected = SessionFact | ResponseFact | LegFact
_Load = tuple[str, int, int]
"""account, at, change"""


class _Told(NamedTuple):
    """What a conversation amounts to: its state, its facts by identity, its load changes counted."""

    conversation: Conversation
    facts: dict[int, _Corrected]
    load: Counter[_Load]


def trim(context: Context, names: Names, conversation: Conversation) -> None:
    """Close the older half of the events to correction: the state they led to is kept instead of them."""
    half = len(conversation.log) // _SIZE // 2 * _SIZE
    log = conversation.log[:half]
    queue = first_queue(names, conversation.log)
    base = _tell(context, names, conversation, log, queue, NOT_YET, conversation.customer).conversation
    base.log = base.base = b""
    conversation.base = _encoder.encode(base)
    conversation.log = conversation.log[half:]


def insert_late(
    context: Context, names: Names, before: Conversation, record: bytes, mark: int, customer: str
) -> Conversation | None:
    """The conversation with one more event at its place in time; facts that change are said. None = too old to correct.

    mark: the watermark that judges this conversation. customer: whose it is, as known with this event.
    """
    (at,) = _AT.unpack_from(record)
    log = before.log
    place = len(log)
    while place and _AT.unpack_from(log, place - _SIZE)[0] > at:
        place -= _SIZE
    if place == 0 and before.base and at < _decoder.decode(before.base).last_at:
        return None
    if place < len(log):
        record = record[:_RULES_KNOWN] + log[place : place + _SIZE][_RULES_KNOWN:]
    longer = log[:place] + record + log[place:]
    without = _tell(context, names, before, log, first_queue(names, log), mark, before.customer, before.tracks)
    with_it = _tell(context, names, before, longer, first_queue(names, longer), mark, customer, before.tracks)
    said = _said_so_far(before, without)
    _say_changes(context, without, with_it, said)
    after = with_it.conversation
    _say_load_changes(context, before, after, without, with_it)
    _take_over_what_was_said(before, after, said)
    schedule_owed(context, after)
    return after


def first_queue(names: Names, log: bytes) -> str:
    """The first queue named in a whole log, "" = none: until then, the conversation was on no other."""
    phase = UNKNOWN
    queue: int
    for _, signal, _, _, queue, *_ in _RECORD.iter_unpack(log):
        following = TABLE[phase << SIGNAL_BITS | signal]
        if following >= 0:
            if queue:
                return names.known[queue]
            phase = following
    return ""


def _tell(
    context: Context,
    names: Names,
    like: Conversation,
    log: bytes,
    queue: str,
    mark: int,
    customer: str,
    said: tuple[Track, ...] = (),
) -> _Told:
    """Fold a log from its base, with the rules as known by each event and the roster as known by now.

    queue: where it is from its beginning on; a base knows for itself.
    said: tracks as they stand. What was said of them because the record was complete stays so: the mark that says
    this may be another, earlier one since, when a slower source has told something.
    """
    if like.base:
        conversation = _decoder.decode(like.base)
        conversation.base = like.base
        conversation.emissions = None
        for track in conversation.tracks:
            track.emitted = 0
    else:
        conversation = Conversation(like.key, like.life, like.feed, queue=queue)
    conversation.feed = like.feed
    conversation.tells_queue = like.tells_queue
    conversation.customer = customer
    conversation.log = log
    aside = context.aside()
    known = names.known
    for at, signal, detail, account, named, *of_event in _RECORD.iter_unpack(log):
        aside.resolution_ms, aside.domain, aside.rules_known = of_event
        fold(aside, conversation, at, signal, detail, known[account], known[named])
        conversation.last_at = at
    judge_past(aside, conversation, mark)
    judge_as_said(aside, conversation, said)
    slots = {rule.label: slot for slot, rule in enumerate(context.rules.rules)}
    facts: dict[int, _Corrected] = {}
    load: Counter[_Load] = Counter()
    for fact in aside.facts:
        if isinstance(fact, LoadChange):
            load[fact.account, fact.at, fact.change] += 1
        elif isinstance(fact, LegFact):
            facts[fact_key(LEGS, fact.session - like.life, fact.leg)] = fact
        else:
            turn = fact.turn if isinstance(fact, ResponseFact) else WHOLE_SESSION
            facts[fact_key(slots[fact.definition], fact.session - like.life, turn)] = fact
    return _Told(conversation, facts, load)


def _said_so_far(before: Conversation, without: _Told) -> dict[int, int]:
    """How often each fact was said: once, unless noted."""
    said = dict.fromkeys(without.facts, 1)
    said.update(before.emissions or {})
    for track in before.tracks:
        if track.emitted:
            said[_key_of(track, before)] = track.emitted
    return said


def _say_changes(context: Context, without: _Told, with_it: _Told, said: dict[int, int]) -> None:
    for key in sorted(without.facts.keys() | with_it.facts.keys()):
        old, new = without.facts.get(key), with_it.facts.get(key)
        if old is not None and new is not None and _plain(old) == _plain(new):
            continue
        revision = said.get(key, 0)
        said[key] = revision + 1
        if new is not None:
            context.facts.append(replace(new, revision=revision))
        elif old is not None:
            context.facts.append(replace(old, revision=revision, void=True))


def _plain(fact: _Corrected) -> _Corrected:
    """What two sayings of one fact are compared by."""
    return replace(fact, revision=0)


def _say_load_changes(
    context: Context, before: Conversation, after: Conversation, without: _Told, with_it: _Told
) -> None:
    """Take back the load changes that did not happen, add those that did. The ordinals go on where they were."""
    after.ordinal = before.ordinal
    session = (after.tracks or before.tracks)[0].session if after.tracks or before.tracks else before.life
    back = [(account, at, -change) for account, at, change in (without.load - with_it.load).elements()]
    for account, at, change in [*sorted(back), *sorted((with_it.load - without.load).elements())]:
        context.facts.append(LoadChange(after.key, session, after.ordinal, account, at, change))
        after.ordinal += 1


def _take_over_what_was_said(before: Conversation, after: Conversation, said: dict[int, int]) -> None:
    announced = {(track.slot, track.session, track.due_at): track.flags & _ANNOUNCED for track in before.tracks}
    open_turns = set()
    for track in after.tracks:
        track.emitted = said.pop(_key_of(track, after), 0)
        track.flags |= announced.get((track.slot, track.session, track.due_at), 0)
        if track.turn_at != NOT_YET:
            open_turns.add(fact_key(track.slot, track.session - after.life, track.turn))
    after.emissions = {key: times for key, times in said.items() if times > 1 or key in open_turns} or None


def _key_of(track: Track, conversation: Conversation) -> int:
    return fact_key(track.slot, track.session - conversation.life, WHOLE_SESSION)
