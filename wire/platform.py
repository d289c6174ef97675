"""What a platform says about itself: figures of a period, to hold beside ours. No fold and no board reads them."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from wire._fields import Count, Instant, OptionalName, Word
from wire.body import Body
from wire.limits import SEQUENCE_MAX

Signed = Annotated[int, Meta(ge=-SEQUENCE_MAX, le=SEQUENCE_MAX)]


class Measured(StrEnum):
    """Which of our figures a platform's own one is held against (docs/reference/metrics.md).

    Shares: attainment to transfer_rate. Durations: first_response to resolution. Counts: offered to met; judged and met
    are sessions, turns or people's days, as the definition counts.
    """

    ATTAINMENT = "attainment"
    MISSED_RATE = "missed_rate"
    SERVICE_LEVEL = "service_level"
    ABANDONMENT_RATE = "abandonment_rate"
    TRANSFER_RATE = "transfer_rate"
    FIRST_RESPONSE = "first_response"
    SEAT_RESPONSE = "seat_response"
    AVERAGE_RESPONSE = "average_response"
    ANSWER_WAIT = "answer_wait"
    VOICE_HANDLE_TIME = "voice_handle_time"
    CHAT_HANDLE_TIME = "chat_handle_time"
    RESOLUTION = "resolution"
    OFFERED = "offered"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    UNANSWERED = "unanswered"
    EXCLUDED = "excluded"
    JUDGED = "judged"
    MET = "met"


class PlatformFigure(Body, frozen=True, array_like=True, gc=False):
    """One figure that a platform published about [period_starts, period_ends), instants in ms. occurred_at: its end.

    metric: as the platform calls it. unit: of `value`: "ms", "count" or "ppm" (a share, millionths; no float crosses).
    part, whole: what a share is of, where the platform says it; whole 0 = it does not, or there was nothing.
    queue, account: what it is about, "" = the whole client. definition: the rules the platform claims to count by.
    measure: which of ours it is held against, a `Measured` of the sender's build; "" = nobody said.
    A platform that restates a figure says it again: the entry told last is the one it stands by.
    """

    period_starts: Instant
    period_ends: Instant
    metric: Word
    unit: Word
    value: Signed | None
    part: Count = 0
    whole: Count = 0
    queue: OptionalName = ""
    account: OptionalName = ""
    definition: OptionalName = ""
    measure: Word = ""
