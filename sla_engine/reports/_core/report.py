"""What a report says: a head that tells where its figures come from, one row per bucket or group, and the total."""

import msgspec

from sla_engine._core.choices import Unit
from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.handed_on import HandedOn
from sla_engine.reports._core.percentiles import Percentiles
from sla_engine.reports._core.time_at_work import SeatTime, WorkTime
from wire.board import Coverage, Figures, Load, Mean, Ratio, ServiceLevel


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. since, until: [since, until) in ms. queues: ids, or "*". known_at: ms, None = all there is."""

    client: str
    by: By
    since: int
    until: int
    queues: tuple[str, ...]
    known_at: int | None = None


class DefinitionUsed(msgspec.Struct, frozen=True):
    """A definition that figures of this report were counted under. hash: SHA-256 of its document, hex."""

    label: str
    hash: str
    title: str
    official: bool
    unit: Unit
    percentile: str
    period: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures come from.

    contracts: names of those in force within the time. business_day_starts_minute: of the local day. entries: the
    record's length the figures are as of, received_at: when the last of them came in (ms). final: nothing older can
    come any more, and the grace of every definition has passed. never_ended: conversations whose end nobody told and
    that left the hands they were in within this time, hands_idle_ms after the last word on them.
    """

    question: Question
    definitions: tuple[DefinitionUsed, ...]
    contracts: tuple[str, ...]
    time_zone: str
    business_day_starts_minute: int
    entries: int
    received_at: int
    final: bool
    never_ended: int
    hands_idle_ms: int


class Trailing(msgspec.Struct, frozen=True):
    """The thirty business days that end with a row: what a platform shows the day after it (T-1)."""

    attainment: Ratio
    first_response: Mean
    average_response: Mean
    service_level: ServiceLevel | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket or group. since, until: ms. None = nobody can say, or it is not asked of such rows.

    first_responses, responses: percentiles of what is in the means. talking_ms: on calls, by all people together.
    handed_on: what the row received.
    """

    name: str
    since: int
    until: int
    figures: Figures
    first_responses: Percentiles
    responses: Percentiles
    load: Load | None
    talking_ms: int
    work: WorkTime | None
    seats: SeatTime | None
    handed_on: HandedOn
    coverage: Coverage | None
    trailing: Trailing | None


class Report(msgspec.Struct, frozen=True):
    """A table. total: everything that is asked for, counted by itself: never a mean of rows."""

    head: Head
    rows: tuple[Row, ...]
    total: Row
