"""Who said what, who had it in hands: the events of one conversation, laid out."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeGuard

from wire.body import Body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Author,
    Channel,
    Closed,
    CustomerLeft,
    CustomerTurn,
    Form,
    NamedCustomerTurn,
    Offered,
    Queued,
    Transferred,
)
from wire.recorded import Recorded
from wire.verdict import LegEnd

Told = Offered | Queued | Assigned | Accepted | CustomerTurn | AgentTurn | Transferred | CustomerLeft | Closed
Opens = Offered | Queued | CustomerTurn
Ends = CustomerLeft | Closed
NOBODY = ""


class Leg(NamedTuple):
    """A stay in somebody's hands that began at `since`."""

    account: str
    since: int
    assigned_at: int | None
    accepted_at: int | None


class Step(NamedTuple):
    """One event, with who had the conversation in hands before and after it. An end takes it out of all hands.

    entry: its index.
    """

    at: int
    entry: int
    body: Told
    source: str
    before: Leg | None
    after: Leg | None

    @property
    def ends(self) -> bool:
        return isinstance(self.body, Ends)


Contact = list[Step]
"""From what opens a conversation to what ends it, if anything does."""


class Piece(NamedTuple):
    """A contact and what was written between its end and the next one."""

    steps: Contact
    afterwards: list[Step]


def is_told(body: Body | None) -> TypeGuard[Told]:
    """Whether it is about a conversation and more than a change to what was told of it."""
    return isinstance(body, Told) and not (isinstance(body, CustomerTurn) and body.form in {Form.EDIT, Form.RECALL})


def told_of(entries: Iterable[Recorded]) -> dict[str, list[Recorded]]:
    """Conversation -> its entries in order of event time; of two with one time, the earlier entered first.

    Edits and recalls are nothing: what they change was told at its own time (E14).
    """
    found: dict[str, list[Recorded]] = {}
    for entry in entries:
        body = entry.body
        if is_told(body):
            found.setdefault(body.conversation, []).append(entry)
    for told in found.values():
        told.sort(key=lambda entry: (_body(entry).occurred_at, entry.index))
    return found


def pieces_of(told: Sequence[Recorded]) -> list[Piece]:
    """What stands before the first opening is nothing."""
    found: list[Piece] = []
    leg: Leg | None = None
    running = False
    for entry in told:
        body = _body(entry)
        if not running and isinstance(body, Opens):
            found.append(Piece([], []))
            running = True
            leg = None
        if running:
            before, leg = leg, _leg_after(leg, body)
            found[-1].steps.append(Step(body.occurred_at, entry.index, body, entry.source, before, leg))
            running = not isinstance(body, Ends)
        elif found:
            found[-1].afterwards.append(Step(body.occurred_at, entry.index, body, entry.source, None, None))
    return found


def steps_of(session: Iterable[Piece]) -> list[Step]:
    return [step for piece in session for step in piece.steps]


def queue_at(pieces: Sequence[Piece], last: Step, queue: str) -> str:
    """The queue it is on after `last`: the latest one named so far. What a customer writes names one only to open.

    queue: the first one that is ever named; until then it is on that.
    """
    for piece in pieces:
        for step in piece.steps:
            if step is piece.steps[0] or not isinstance(step.body, CustomerTurn):
                queue = getattr(step.body, "queue", "") or queue
            if step is last:
                return queue
        if last in piece.afterwards:
            return queue
    return queue


def first_queue(pieces: Iterable[Piece]) -> str:
    """The first queue that is ever named, "" = none: no contract covers such a conversation."""
    return next((queue for step in steps_of(pieces) if (queue := getattr(step.body, "queue", ""))), "")


def is_human(step: Step) -> bool:
    return isinstance(step.body, AgentTurn) and step.body.author is Author.HUMAN


def is_call(steps: Iterable[Step]) -> bool:
    """Whether anything so far said that it is a call."""
    bodies = (step.body for step in steps)
    return any(isinstance(body, Offered) and body.channel is Channel.VOICE for body in bodies)


def customer_of(pieces: Iterable[Piece]) -> str:
    """The customer's pseudonym, whenever it was told."""
    bodies = (step.body for step in steps_of(pieces))
    named = (body.customer for body in bodies if isinstance(body, Offered | NamedCustomerTurn))
    return next(filter(None, named), "")


def end_of_leg(step: Step) -> LegEnd:
    """How a leg that this step ended is said to have ended."""
    if isinstance(step.body, CustomerLeft):
        return LegEnd.LEFT
    if isinstance(step.body, Closed):
        return LegEnd.CLOSED
    return LegEnd.REQUEUED if step.after is None else LegEnd.HANDED_OVER


def _leg_after(leg: Leg | None, body: Told) -> Leg | None:
    held = leg.account if leg else NOBODY
    taker = held
    if isinstance(body, Ends | Queued) or (isinstance(body, Transferred) and not body.account):
        return None
    if isinstance(body, Assigned | Accepted | Transferred) or (
        isinstance(body, AgentTurn) and body.author is Author.HUMAN and not held
    ):
        taker = body.account
    if not taker:
        return None
    at = body.occurred_at
    now = leg if leg is not None and taker == held else Leg(taker, at, None, None)
    if isinstance(body, Assigned | Transferred) and now.assigned_at is None:
        now = now._replace(assigned_at=at)
    if isinstance(body, Accepted) and now.accepted_at is None:
        now = now._replace(accepted_at=at)
    return now


def _body(entry: Recorded) -> Told:
    body: Body | None = entry.body
    if not isinstance(body, Told):
        raise TypeError(body)
    return body
