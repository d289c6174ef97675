"""A team's leader looks after what somebody there owes: written by the hub into the client's ledger."""

from wire._fields import Instant, Name, OptionalName, Word
from wire.body import Body


class FollowedUp(Body, frozen=True, array_like=True, gc=False):
    """Somebody takes care of a wait, or of a person who owes nothing just now. It moves no clock and no verdict.

    conversation: the one that had waited longest, "" = none waited. waiting_since: start of that wait, as the engine
    told it. person: staff number, or the sub-account with `~` before it where the roster maps none. by: name of the
    credential it came with.
    """

    conversation: OptionalName
    waiting_since: Instant | None
    person: Word
    team: Name
    seat: OptionalName
    by: Word
