"""What each kind of entry means to the first stage. A kind that is not here means nothing to it."""

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Final

from sla_engine._core.conversation import Signal
from sla_engine._core.definition import DefinitionError
from sla_engine._core.fold import ELSEWHERE_BIT, NOBODY_BIT, OUTBOUND_BIT, OWN_CHOICE_BIT, VOICE_BIT
from sla_engine._core.rules import AUTHOR_BIT, FORM_BIT
from sla_engine._core.shard import (
    CONTRACT_REFUSED,
    DEFINITION_REFUSED,
    UNREADABLE,
    Shard,
    hear,
    mark_moved,
    take,
    tell_presence,
)
from wire.body import Body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Author,
    Channel,
    Closed,
    ClosedBy,
    CustomerLeft,
    CustomerTurn,
    Direction,
    Form,
    LeftReason,
    NamedCustomerTurn,
    Offered,
    PresenceChanged,
    Queued,
    Transferred,
)
from wire.kinds import Kind
from wire.organisation import ContractSigned, DefinitionPublished, RosterLink
from wire.record import Clock, SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded

_OFFERED: Final = int(Signal.OFFERED)
_QUEUED: Final = int(Signal.QUEUED)
_ASSIGNED: Final = int(Signal.ASSIGNED)
_ACCEPTED: Final = int(Signal.ACCEPTED)
_CUSTOMER_TURN: Final = int(Signal.CUSTOMER_TURN)
_PERSON_TURN: Final = int(Signal.PERSON_TURN)
_PROGRAM_TURN: Final = int(Signal.PROGRAM_TURN)
_TRANSFERRED: Final = int(Signal.TRANSFERRED)
_HANDED_OVER: Final = int(Signal.HANDED_OVER)
_LEFT: Final = int(Signal.LEFT)
_CLOSED: Final = int(Signal.CLOSED)

_HUMAN: Final = Author.HUMAN
_TEXT: Final = Form.TEXT
_EDITS: Final = (Form.EDIT, Form.RECALL)
_TEXT_BIT: Final = FORM_BIT[Form.TEXT]
_HUMAN_BIT: Final = AUTHOR_BIT[Author.HUMAN]
_OWN_CHOICE: Final = (LeftReason.HUNG_UP, LeftReason.WENT_SILENT)
_ELSEWHERE: Final = (LeftReason.PRESSED_KEY, LeftReason.TURNED_AWAY, LeftReason.QUEUE_CLOSED)


def _offered(shard: Shard, entry: Recorded, body: Offered) -> None:
    detail = VOICE_BIT if body.channel is Channel.VOICE else 0
    if body.direction is Direction.OUTBOUND:
        detail |= OUTBOUND_BIT
    take(shard, entry, body, _OFFERED, detail, "", body.queue, body.customer)


def _queued(shard: Shard, entry: Recorded, body: Queued) -> None:
    take(shard, entry, body, _QUEUED, 0, "", body.queue)
    shard.online.told_queue(entry.source)


def _passed_over(shard: Shard, entry: Recorded, _body: None) -> None:
    """A reader of a part of the time passes what came before without its body: it still says what its source tells."""
    if entry.malformed:
        shard.anomalies[UNREADABLE] += 1
    elif entry.kind == Kind.QUEUED:
        shard.online.told_queue(entry.source)


def _assigned(shard: Shard, entry: Recorded, body: Assigned) -> None:
    take(shard, entry, body, _ASSIGNED, 0, body.account, body.queue)


def _accepted(shard: Shard, entry: Recorded, body: Accepted) -> None:
    take(shard, entry, body, _ACCEPTED, 0, body.account, "")


def _customer_turn(shard: Shard, entry: Recorded, body: CustomerTurn, customer: str = "") -> None:
    form = body.form
    if form is _TEXT:
        take(shard, entry, body, _CUSTOMER_TURN, _TEXT_BIT, "", body.queue, customer)
    elif form in _EDITS:  # E14: an edit counts at its original time, which was told already
        hear(shard, entry.source, body.occurred_at)
    else:
        take(shard, entry, body, _CUSTOMER_TURN, FORM_BIT[form], "", body.queue, customer)


def _named_customer_turn(shard: Shard, entry: Recorded, body: NamedCustomerTurn) -> None:
    _customer_turn(shard, entry, body, body.customer)


def _agent_turn(shard: Shard, entry: Recorded, body: AgentTurn) -> None:
    if body.author is _HUMAN:
        take(shard, entry, body, _PERSON_TURN, _HUMAN_BIT, body.account, "")
    else:
        take(shard, entry, body, _PROGRAM_TURN, AUTHOR_BIT[body.author], body.account, "")


def _transferred(shard: Shard, entry: Recorded, body: Transferred) -> None:
    signal = _HANDED_OVER if body.account else _TRANSFERRED
    take(shard, entry, body, signal, 0, body.account, body.queue)


def _customer_left(shard: Shard, entry: Recorded, body: CustomerLeft) -> None:
    detail = OWN_CHOICE_BIT if body.reason in _OWN_CHOICE else 0
    if body.reason is LeftReason.NOBODY_ONLINE:
        detail |= NOBODY_BIT
    elif body.reason in _ELSEWHERE:
        detail |= ELSEWHERE_BIT
    take(shard, entry, body, _LEFT, detail, "", "")


def _closed(shard: Shard, entry: Recorded, body: Closed) -> None:
    take(shard, entry, body, _CLOSED, OWN_CHOICE_BIT if body.by is ClosedBy.CUSTOMER else 0, "", "")


def _clock(shard: Shard, _entry: Recorded, body: Clock) -> None:
    shard.watermark.clock(body.occurred_at, shard.rules.allowance_ms)
    mark_moved(shard)


def _declared(shard: Shard, _entry: Recorded, body: SourceDeclared) -> None:
    shard.watermark.declare(body.about_source, body.feed, body.carries, shard.rules.allowance_ms)
    mark_moved(shard)


def _silent(shard: Shard, _entry: Recorded, body: SourceSilent) -> None:
    shard.watermark.silence(body.about_source, shard.rules.allowance_ms)
    mark_moved(shard)


def _back(shard: Shard, _entry: Recorded, body: SourceBack) -> None:
    shard.watermark.back(body.about_source, body.occurred_at)


def _roster_link(shard: Shard, _entry: Recorded, body: RosterLink) -> None:
    shard.roster.enter(body)


def _definition(shard: Shard, entry: Recorded, body: DefinitionPublished) -> None:
    try:
        shard.rules.publish(body.document, (entry.index, entry.received_at))
    except DefinitionError as error:
        shard.anomalies[f"{DEFINITION_REFUSED}.{error.key}"] += 1


def _contract(shard: Shard, entry: Recorded, body: ContractSigned) -> None:
    try:
        shard.rules.sign(body.document, (entry.index, entry.received_at))
    except DefinitionError as error:
        shard.anomalies[f"{CONTRACT_REFUSED}.{error.key}"] += 1


Handler = Callable[[Shard, Recorded, Any], None]

HANDLERS: Final[Mapping[type[Body] | type[None], Handler]] = {
    NoneType: _passed_over,
    Offered: _offered,
    Queued: _queued,
    Assigned: _assigned,
    Accepted: _accepted,
    CustomerTurn: _customer_turn,
    NamedCustomerTurn: _named_customer_turn,
    AgentTurn: _agent_turn,
    Transferred: _transferred,
    CustomerLeft: _customer_left,
    Closed: _closed,
    PresenceChanged: tell_presence,
    Clock: _clock,
    SourceDeclared: _declared,
    SourceSilent: _silent,
    SourceBack: _back,
    RosterLink: _roster_link,
    DefinitionPublished: _definition,
    ContractSigned: _contract,
}
