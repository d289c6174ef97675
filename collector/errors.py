"""Errors of the collector, by what the one who called should do.

* CollectorError
  * Busy: nothing was stored. Come back after `retry_after_ms`.
  * IdentityEnded: the certificate that was shown holds no longer. Whoever showed it has to enrol anew.
  * ForeignSource: the credential does not speak for that source. The sender's configuration is wrong.
  * IntakeStopped: the intake is ending. Whether the frame was stored is not known: resend, a repeat costs nothing.
"""


class CollectorError(Exception):
    """Base of everything the collector raises."""


class Busy(CollectorError):
    """The queue is full. Nothing of the frame was stored."""

    def __init__(self, retry_after_ms: int) -> None:
        super().__init__(f"the queue is full; come back in {retry_after_ms} ms")
        self.retry_after_ms = retry_after_ms


class IdentityEnded(CollectorError):
    """A certificate of our authority that was revoked, has ended, or was not handed out to a probe."""


class ForeignSource(CollectorError):
    """A source that is not registered, or that this credential may not speak for."""

    def __init__(self, source: str) -> None:
        super().__init__(f"this credential does not speak for {source!r}")
        self.source = source


class IntakeStopped(CollectorError):
    """No acknowledgement will come."""
