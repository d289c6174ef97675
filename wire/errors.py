"""Errors of the wire, by whose fault it is and what to do.

* WireError
  * DecodeError: the sender's fault. Quarantine or refuse, count, carry on. Has a closed `reason`.
  * EncodeError: ours. Crash.
* ContractViolation: a programmer error found by `require`; never caught, in production too.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why bytes, a frame or an item was not taken. Closed: it is a metric label and a word in the ack."""

    TOO_LARGE = "too_large"
    NOT_A_FRAME = "not_a_frame"
    UNKNOWN_FRAME_VERSION = "unknown_frame_version"
    BODY_TOO_LARGE = "body_too_large"
    BODY_MALFORMED = "body_malformed"
    SEQUENCE_REPEATED_IN_FRAME = "sequence_repeated_in_frame"
    EQUIVOCATION = "equivocation"
    UNROUTED_QUEUE = "unrouted_queue"
    FOREIGN_SOURCE = "foreign_source"
    OCCURRED_IN_FUTURE = "occurred_in_future"
    OCCURRED_LONG_AGO = "occurred_long_ago"
    ROW_MALFORMED = "row_malformed"
    SEEN_TWICE = "seen_twice"
    UNKNOWN_KIND = "unknown_kind"
    PERSONAL_DATA = "personal_data"


class WireError(Exception):
    """Base of everything the wire raises."""


class DecodeError(WireError):
    """The sender's bytes cannot be taken.

    `reason` is closed; `detail` names the field and is safe to log (it never quotes the sender's text).
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class EncodeError(WireError):
    """We built a message that the format cannot carry: a bug of ours."""


class ContractViolation(AssertionError):
    """A programmer error. Survives `python -O`, unlike assert."""


def require(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence at every call
    """Crash with `message` unless `condition` holds."""
    if not condition:
        raise ContractViolation(message)
