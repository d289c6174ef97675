"""Finished epochs, told again to a hub that was started anew: what it opened may be an older copy of its ledger."""

from collections.abc import Sequence

from agent_probe._core.epochs import FinishedEpoch
from wire.frame import Ack


class Retelling:
    """Remembers the newest finished epochs and which start of the hub is known to have them.

    Each is told by an empty frame whose `base` is behind its last number: the hub declares what it lacks of it, and
    stores nothing if it lacks nothing. One such frame is out at a time; times in ms.
    """

    def __init__(self, finished: Sequence[FinishedEpoch], told_at: int, *, finished_max: int, resend_ms: int) -> None:
        """told_at: as kept, the start of the hub that has been told of all of `finished`."""
        self._finished = list(finished)[-finished_max:]
        self._finished_max = finished_max
        self._resend_ms = resend_ms
        self._hub = told_at
        self._owed: list[FinishedEpoch] = []
        self._sent_at: int | None = None

    @property
    def finished(self) -> list[FinishedEpoch]:
        """What is remembered, oldest first."""
        return list(self._finished)

    @property
    def told_at(self) -> int:
        """The start of the hub that has everything remembered, 0 if none is known to."""
        return 0 if self._owed else self._hub

    @property
    def done(self) -> bool:
        """Whether nothing is left to be told."""
        return not self._owed

    @property
    def in_flight(self) -> int:
        """Frames out and not confirmed: 1 or 0."""
        return int(bool(self._owed) and self._sent_at is not None)

    def finish(self, epoch: bytes, last: int) -> None:
        """The hub we hear is past all of `epoch`."""
        self._finished = [*self._finished, FinishedEpoch(epoch, last)][-self._finished_max :]

    def heard(self, ack: Ack, current: FinishedEpoch) -> bool:
        """Take in who answers and what it has; whether the ack is about something remembered.

        current: the epoch in force as far as it was acknowledged; it may say nothing for long, so it is told as well.
        """
        if ack.started_at not in (0, self._hub):
            self._hub = ack.started_at
            self._owed = [*self._finished, *([current] if current.last else [])]
            self._sent_at = None
        waiting = [told for told in self._owed if told.epoch != ack.epoch or told.last > ack.acknowledged_through]
        if len(waiting) < len(self._owed):
            self._owed = waiting
            self._sent_at = None
        return any(told.epoch == ack.epoch for told in self._finished)

    def reconnected(self) -> None:
        """What was sent on the old connection may not have arrived."""
        self._sent_at = None

    def next(self, now: int) -> FinishedEpoch | None:
        """What to tell now, from here on in flight."""
        due = self.next_due(now)
        if due is None or due > now:
            return None
        if self._sent_at is not None:  # unanswered: the others must not wait for this one
            self._owed.append(self._owed.pop(0))
        self._sent_at = now
        return self._owed[0]

    def next_due(self, now: int) -> int | None:
        """When `next` has something, None if nothing is owed."""
        if not self._owed:
            return None
        return now if self._sent_at is None else self._sent_at + self._resend_ms
