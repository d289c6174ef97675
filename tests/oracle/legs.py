"""Stays in somebody's hands that have ended, whatever the definitions make of them."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.oracle.reading import Leg, Piece, Step, end_of_leg, first_queue, is_call, is_human, queue_at, steps_of
from tests.oracle.surroundings import Surroundings
from wire.conversation import AgentTurn, Channel, CustomerTurn, Offered
from wire.verdict import LegFact


class Numbered(NamedTuple):
    """A session as legs name it."""

    number: int
    pieces: Sequence[Piece]

    @property
    def started_at(self) -> int:
        return self.pieces[0].steps[0].at


def leg_facts(
    conversation: str, pieces: Sequence[Piece], sessions: Sequence[Numbered], around: Surroundings
) -> list[LegFact]:
    found = []
    for session in sessions:
        number = 0
        for piece in session.pieces:
            for place, step in enumerate(piece.steps):
                left = step.before
                if left is None or (step.after is not None and step.after.account == left.account):
                    continue
                earlier = steps_of(pieces[: pieces.index(piece)])
                first = _taken_at(piece.steps, place)
                during = piece.steps[first:place]
                found.append(
                    LegFact(
                        conversation=conversation,
                        session=session.number,
                        leg=number,
                        revision=0,
                        queue=queue_at(pieces, during[-1], first_queue(pieces)),
                        place=around.place(left.account, step.at),
                        session_started_at=session.started_at,
                        started_at=left.since,
                        accepted_at=left.accepted_at,
                        replied_at=_replied_at(during, left),
                        ended_at=step.at,
                        end=end_of_leg(step),
                        was_owed=_was_owed(piece.steps[:place], first, is_call=is_call(earlier)),
                        closes=step.ends,
                        voice=is_call([*earlier, *piece.steps[: place + 1]]),
                        entry_index=0,
                    )
                )
                number += 1
    return found


def _taken_at(steps: Sequence[Step], place: int) -> int:
    """The place of the event with which the leg began that the event at `place` ends."""
    holders = [step.before.account if step.before else "" for step in steps]
    while holders[place - 1] == holders[place]:
        place -= 1
    return place - 1


def _replied_at(during: Sequence[Step], leg: Leg) -> int | None:
    for step in during:
        if is_human(step) and isinstance(step.body, AgentTurn) and step.body.account in {"", leg.account}:
            return step.at
    return None


def _was_owed(steps: Sequence[Step], first: int, *, is_call: bool) -> bool:
    """Whether the customer waited when it came into these hands, with the event at `first`, or since then.

    Who writes waits, and who calls, from where the contact is first known to be a call.
    """
    waits = is_call
    waited = False
    for place, step in enumerate(steps):
        if place == first:
            waited = waits
        if is_human(step):
            waits = False
        elif isinstance(step.body, CustomerTurn) or (_calls(step) and not is_call):
            waits = True
            is_call = is_call or _calls(step)
        waited = waited or (place >= first and waits)
    return waited


def _calls(step: Step) -> bool:
    return isinstance(step.body, Offered) and step.body.channel is Channel.VOICE
