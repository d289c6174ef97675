"""What the record says about itself: gaps, quarantine, time, silence. Written by Seatwatch, never by a sender."""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from wire._fields import Count, Epoch, Instant, Name, OptionalName, Sequence, Word
from wire.body import Body
from wire.errors import Reason
from wire.limits import FRAME_BYTES_MAX, KIND_MAX

Raw = Annotated[bytes, Meta(max_length=FRAME_BYTES_MAX)]
"""A sender's body, whole. Being over the cap of a body is one reason to be here, so the frame's cap bounds it."""
KindNumber = Annotated[int, Meta(ge=0, le=KIND_MAX)]


class Feed(StrEnum):
    """How soon a source tells what happened. A queue fed daily has no live tile (T+1)."""

    LIVE = "live"
    DELAYED = "delayed"
    DAILY = "daily"


class GapReason(StrEnum):
    """Why sequences are missing for good."""

    OVERFLOW = "overflow"
    OUTBOX_LOST = "outbox_lost"
    ROW_CORRUPT = "row_corrupt"
    SOURCE_RESTARTED = "source_restarted"


class Gone(Body, frozen=True, array_like=True, gc=False):
    """A hole the source declared: sequences first..last of `about_epoch` never come; `count` held events.

    since, until: the event time (ms) in which the source told nothing, where it knows that; 0 = not said.
    """

    about_source: Name
    about_epoch: Epoch
    first: Sequence
    last: Sequence
    drop_class: Word
    count: Count
    reason: GapReason
    since: Instant = 0
    until: Instant = 0


class Quarantined(Body, frozen=True, array_like=True, gc=False):
    """An item that was not taken, under the sender's own key. `raw` is the sender's body exactly as received.

    It is empty where the item is another client's, or said who a person is.
    """

    reason: Reason
    kind: KindNumber
    kind_version: KindNumber
    raw: Raw


class Equivocation(Body, frozen=True, array_like=True, gc=False):
    """A second, different body under a key already taken. The first stays; this one is kept here."""

    about_source: Name
    about_epoch: Epoch
    about_sequence: Sequence
    kind: KindNumber
    kind_version: KindNumber
    raw: Raw


class Clock(Body, frozen=True, array_like=True, gc=False):
    """The hub's time passes: occurred_at is the instant. Lets the record, not a timer, judge what never came."""


BROKER: Final = "~broker"
"""What is silent where the hub lost its broker; no source of messages has that name."""


class SourceSilent(Body, frozen=True, array_like=True, gc=False):
    """A feed missed its heartbeats since `heard_at`, or the hub was off and did not hear them."""

    about_source: Name
    heard_at: Instant


class SourceBack(Body, frozen=True, array_like=True, gc=False):
    """A silent feed spoke again, or the hub listens again to one that promises nothing."""

    about_source: Name


class SourceDeclared(Body, frozen=True, array_like=True, gc=False):
    """A source is known from here on, how soon it tells, and whether it numbers its items.

    carries: "conversations" or "facilities". site: where the source stands, "" for a platform connector.
    """

    about_source: Name
    feed: Feed
    carries: Word
    numbered: bool = True
    site: OptionalName = ""
    heartbeat_ms: Count = 0


class SiteRemoved(Body, frozen=True, array_like=True, gc=False):
    """In the operator's ledger: a site is in the configuration no more. What it was is history from here on."""

    site: Name


class Unrouted(Body, frozen=True, array_like=True, gc=False):
    """In the operator's ledger: an event of `about_source` whose queue belongs to no contract.

    queue: "" = the source itself is nobody's: no site and no connector of that name is configured.
    """

    about_source: Name
    about_epoch: Epoch
    about_sequence: Sequence
    queue: Word
    kind: KindNumber
    kind_version: KindNumber
    raw: Raw
