"""Looking at a shard between steps: nothing here changes it."""

from collections.abc import Iterator, Mapping
from typing import Final

from sla_engine._core.choices import Redefinition
from sla_engine._core.contract import Contract
from sla_engine._core.conversation import (
    AWAITS_CLOCK,
    CLOSED,
    OUTBOUND,
    OUTSIDE_ANSWERED,
    OUTSIDE_WAITING,
    OUTSIDE_WINDOW,
    OWED,
    UNKNOWN,
    Conversation,
    Track,
)
from sla_engine._core.definition import Definition, label_of
from sla_engine._core.limits import NOT_YET
from sla_engine._core.result import LiveConversation
from sla_engine._core.shard import Shard
from sla_engine._core.watermark import FEEDS
from wire.record import Feed
from wire.verdict import Place

_EXCLUDED: Final = (OUTSIDE_WINDOW, OUTSIDE_WAITING, OUTSIDE_ANSWERED, OUTBOUND)

__all__ = [
    "anomalies",
    "contracts_of",
    "definitions_of",
    "earlier_versions",
    "label_of",
    "live",
    "open_conversations",
    "place_of",
    "watermark",
]


def live(shard: Shard, conversation_id: str) -> LiveConversation | None:
    """One conversation as it stands; None when this shard never heard of it or has let it go."""
    conversation = shard.conversations.get(conversation_id)
    if conversation is None:
        return None
    is_open = UNKNOWN < conversation.phase < CLOSED
    place = shard.roster.place(conversation.account, conversation.last_at)
    if not conversation.tracks:
        return LiveConversation(
            conversation_id,
            conversation.life,
            conversation.queue,
            conversation.account,
            place,
            None,
            None,
            is_open,
            conversation.last_at,
        )
    rules = shard.rules.rules
    tracks = conversation.tracks
    primary = tracks[0]
    dues = tuple((rules[t.slot].label, t.due_at) for t in tracks if is_open and t.state == OWED and t.slot >= 0)
    return LiveConversation(
        conversation=conversation_id,
        session=primary.session,
        queue=conversation.queue,
        account=conversation.account,
        place=place,
        waiting_since=_waiting_since(primary, conversation.last_at) if is_open else None,
        due_at=primary.due_at if is_open and primary.state == OWED and primary.slot >= 0 else None,
        open=is_open,
        last_at=conversation.last_at,
        definition=rules[primary.slot].label if primary.slot >= 0 else "",
        dues=dues,
        excluded=primary.state in _EXCLUDED,
    )


def open_conversations(shard: Shard) -> Iterator[str]:
    """Ids of this shard's conversations that have begun and not ended."""
    return (key for key, held in shard.conversations.items() if _is_open(held))


def watermark(shard: Shard, feed: Feed = Feed.DAILY) -> int | None:
    """Up to which instant (ms) the record is complete, by the sources that tell as soon as `feed` or sooner.

    None before any mark. Without an argument: by all of them. What depends on live sources alone asks for Feed.LIVE.
    """
    mark = shard.watermark.merged[FEEDS.index(feed)]
    return None if mark == NOT_YET else mark


def place_of(shard: Shard, account: str, at: int) -> Place:
    """Where `account` worked at `at` (ms), by the roster as entered so far."""
    return shard.roster.place(account, at)


def definitions_of(shard: Shard, queue: str, at: int) -> tuple[Definition, ...]:
    """Definitions in force for a session that starts on `queue` at `at` (ms), the primary one first."""
    return tuple(shard.rules.rules[slot].definition for slot in shard.rules.slots(queue, at))


def earlier_versions(shard: Shard, definition: Definition) -> tuple[Definition, ...]:
    """Versions of `definition` before it that some sessions keep though it is in force at their start, the last first.

    Those are sessions that began before its entry (E18). A version that restates leaves none to the versions before it.
    """
    entered = [rule.definition for rule in reversed(shard.rules.rules) if rule.definition.name == definition.name]
    # of two of one version the one entered last comes first, as it is the one in force
    entered.sort(key=lambda each: (each.effective_from, each.version), reverse=True)
    found = []
    at_work = definition
    for each in entered[entered.index(definition) + 1 :]:
        if at_work.redefinition is Redefinition.RESTATES:
            break
        found.append(each)
        at_work = each
    return tuple(found)


def former_primary(shard: Shard, queue: str, at: int, session: int) -> Definition | None:
    """The primary definition of a session that opened at `at`, where the one of today does not judge it; else None.

    So it is where a contract entered since, with an earlier date, names another one first: the session keeps the rules
    it opened under (E18). One that restates counts it itself.
    """
    rules = shard.rules
    known = rules.known_to(session, at)
    if known == rules.known:
        return None
    judged, today = rules.slots(queue, at, known), rules.slots(queue, at)
    if not judged or not today:
        return None
    definitions = [rules.rules[slot].definition for slot in (*judged, today[0])]
    primary = definitions.pop()
    is_judged = any(definition.name == primary.name for definition in definitions)
    return None if is_judged or primary.redefinition is Redefinition.RESTATES else definitions[0]


def contracts_of(shard: Shard, queue: str, at: int) -> tuple[Contract, ...]:
    """Contracts in force for `queue` at `at` (ms)."""
    return shard.rules.contracts(queue, at)


def warnings_of(shard: Shard, queue: str, at: int) -> tuple[int, ...]:
    """When a session that starts on `queue` at `at` (ms) is warned: ms after its clock starts, ascending."""
    return shard.rules.warnings(queue, at, shard.rules.known)


def anomalies(shard: Shard) -> Mapping[str, int]:
    """Reason -> count of what did not do what it said.

    `illegal.<phase>.<signal>`, `late`, `too_late`, `no_queue`, `forgotten_open`, `definition_refused.<key>`,
    `contract_refused.<key>`, `unreadable`. Counted on arrival; a later correction takes nothing back.
    """
    return dict(shard.anomalies)


def _is_open(conversation: Conversation) -> bool:
    return UNKNOWN < conversation.phase < CLOSED


def _waiting_since(track: Track, now: int) -> int | None:
    """A clock that starts at the next opening has not started: until then, whoever waits does so since the session."""
    if track.state == OWED:
        return track.clock_at if NOT_YET < track.clock_at <= now else track.started_at
    if track.state == AWAITS_CLOCK:
        return track.started_at
    return None if track.turn_at == NOT_YET else track.turn_at
