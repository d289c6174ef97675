"""Legs: each stay of a conversation in one person's hands, whatever the definitions make of it (E4)."""

from sla_engine._core.context import Context
from sla_engine._core.conversation import LEG_OWED, LEGS, WAITS, Conversation, fact_key
from sla_engine._core.limits import NOT_YET
from wire.verdict import LegEnd, LegFact


def begin_leg(conversation: Conversation, at: int) -> None:
    """It came into somebody's hands."""
    conversation.leg_at = at
    conversation.replied_at = NOT_YET
    conversation.owes = WAITS | LEG_OWED if conversation.owes & WAITS else 0


def customer_waits(conversation: Conversation) -> None:
    """The customer wrote, or called."""
    conversation.owes = WAITS | LEG_OWED


def person_replied(conversation: Conversation, account: str, at: int) -> None:
    """A human of ours wrote: a leg counts as replied in by its own account only."""
    conversation.owes &= LEG_OWED
    if conversation.replied_at == NOT_YET and (not account or account == conversation.account):
        conversation.replied_at = at


def end_leg(context: Context, conversation: Conversation, at: int, how: LegEnd) -> None:
    """It leaves the hands it is in."""
    session = conversation.leg_session
    revision = 0
    emissions = conversation.emissions
    if emissions:
        key = fact_key(LEGS, session - conversation.life, conversation.leg)
        revision = emissions.get(key, 0)
        if revision:
            emissions[key] = revision + 1
    accepted_at, replied_at = conversation.accepted_at, conversation.replied_at
    context.facts.append(
        LegFact(
            conversation.key,
            session,
            conversation.leg,
            revision,
            conversation.queue,
            context.roster.place(conversation.account, at),
            conversation.begun_at,
            conversation.leg_at,
            None if accepted_at == NOT_YET else accepted_at,
            None if replied_at == NOT_YET else replied_at,
            at,
            how,
            conversation.owes & LEG_OWED != 0,
            how is LegEnd.LEFT or how is LegEnd.CLOSED,
            conversation.called_at != NOT_YET,
            context.index,
        )
    )
    conversation.leg += 1
