"""A session that no definition judges: nothing is said of it, and the board still sees who waits.

A human reply answers, every return is a new session.
"""

from sla_engine._core.conversation import ANSWERED, LOST, OUTBOUND, OWED, Track
from sla_engine._core.limits import NOT_YET


def begin_unruled(track: Track, *, outbound: bool) -> None:
    """The session has started."""
    track.state = OUTBOUND if outbound else OWED


def customer_wrote(track: Track, at: int) -> None:
    """The customer waits."""
    if track.turn_at == NOT_YET:
        track.turn_at = at


def person_replied_to(track: Track) -> None:
    """A person of ours answered."""
    if track.state == OWED:
        track.state = ANSWERED
    track.turn_at = NOT_YET


def end_unruled(track: Track) -> None:
    """The contact ended."""
    if track.state == OWED:
        track.state = LOST
    track.turn_at = NOT_YET
