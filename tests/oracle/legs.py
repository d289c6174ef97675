"""Stays in somebody's hands that have ended, whatever the definitions make of them."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.oracle.reading import Leg, Piece, Step, end_of_leg, is_call, is_human, queue_at, steps_of
from tests.oracle.surroundings import Surroundings
from wire.conversation import AgentTurn, CustomerTurn
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
                voice = is_call(steps_of(pieces[: pieces.index(piece)]) + piece.steps[: place + 1])
                during = [one for one in piece.steps[: place + 1] if one.at >= left.since and _has(one, left)]
                found.append(
                    LegFact(
                        conversation=conversation,
                        session=session.number,
                        leg=number,
                        revision=0,
                        queue=queue_at(pieces, during[-1] if during else step),
                        place=around.place(left.account, left.since),
                        session_started_at=session.started_at,
                        started_at=left.since,
                        accepted_at=left.accepted_at,
                        replied_at=_replied_at(during, left),
                        ended_at=step.at,
                        end=end_of_leg(step),
                        was_owed=_was_owed(piece, during, voice=voice),
                        closes=step.ends,
                        voice=voice,
                        entry_index=0,
                    )
                )
                number += 1
    return found


def _has(step: Step, leg: Leg) -> bool:
    return step.after is not None and (step.after.account, step.after.since) == (leg.account, leg.since)


def _replied_at(during: Sequence[Step], leg: Leg) -> int | None:
    for step in during:
        if is_human(step) and isinstance(step.body, AgentTurn) and step.body.account in {"", leg.account}:
            return step.at
    return None


def _was_owed(piece: Piece, during: Sequence[Step], *, voice: bool) -> bool:
    """Whether the customer waited when it came into these hands, or wrote while it was in them."""
    first = piece.steps.index(during[0])
    before = piece.steps[:first]
    if voice:
        return not any(is_human(step) for step in before)
    waited = False
    for step in before:
        if is_human(step):
            waited = False
        elif isinstance(step.body, CustomerTurn):
            waited = True
    return waited or any(isinstance(step.body, CustomerTurn) for step in during)
