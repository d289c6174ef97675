"""A contract: which definitions and targets apply to which queues of a client, from when."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from sla_engine._core.calendar import Calendar
from sla_engine._core.definition import MINUTES_PER_DAY, Definition, DefinitionError, is_date, refuse, seconds
from sla_engine._core.windows import MINUTE_MS, PeriodCalendar, ZoneTable, civil_date
from wire.ids import NAME_PATTERN
from wire.limits import DURATION_MAX_MS, INSTANT_MAX_MS, NAME_CHARS_MAX, WORD_CHARS_MAX

EVERY_QUEUE: Final = "*"
BASIS_POINTS: Final = 10_000
MONTHS_PER_QUARTER: Final = 3

_Name = Annotated[str, Meta(pattern=NAME_PATTERN, max_length=NAME_CHARS_MAX)]
_QueueOrAll = Annotated[str, Meta(pattern=rf"{NAME_PATTERN}|^\*$", max_length=NAME_CHARS_MAX)]
_Instant = Annotated[int, Meta(ge=0, le=INSTANT_MAX_MS)]


class Settlement(StrEnum):
    """How often it is settled."""

    MONTH = "month"
    QUARTER = "quarter"


class SpecialTarget(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A local date (YYYY-MM-DD) with a target of its own: a promotion day. None = figures without a target."""

    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    attainment_target_bp: Annotated[int, Meta(ge=1, le=BASIS_POINTS)] | None


class QueueWarnings(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a queue is warned, ms after the clock starts, ascending: instead of its definition's one instant."""

    queue: _QueueOrAll
    after_ms: Annotated[tuple[Annotated[int, Meta(ge=1, le=DURATION_MAX_MS)], ...], Meta(min_length=1)]


class Contract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A later contract of the same name replaces this one from its own effective_from on.

    queues: ids, or "*" for every queue of the client. definitions: names, the primary one first; the version is the
    one in force when a session starts. effective_until: None = open-ended. running_in_until: before it there are
    figures but no target. attainment_target_bp: basis points (9500 = 95 %), None = the contract states no percentage.
    period_starts_minute: at which minute of the local day its periods cut, by the zone of its primary definition.
    special_targets: go before attainment_target_bp on their dates. warnings: a queue's own go before those of "*".
    """

    name: _Name
    client: _Name
    title: Annotated[str, Meta(max_length=WORD_CHARS_MAX)]
    effective_from: _Instant
    effective_until: _Instant | None
    queues: Annotated[tuple[_QueueOrAll, ...], Meta(min_length=1)]
    definitions: Annotated[tuple[_Name, ...], Meta(min_length=1)]
    settlement: Settlement
    running_in_until: _Instant | None
    attainment_target_bp: Annotated[int, Meta(ge=1, le=BASIS_POINTS)] | None
    period_starts_minute: Annotated[int, Meta(ge=0, lt=MINUTES_PER_DAY)] = 0
    special_targets: tuple[SpecialTarget, ...] = ()
    warnings: tuple[QueueWarnings, ...] = ()

    def covers(self, queue: str) -> bool:
        """Whether `queue` belongs to this contract."""
        return queue in self.queues or EVERY_QUEUE in self.queues

    def in_force(self, at: int) -> bool:
        """Whether the contract runs at `at` (ms), later versions of it apart."""
        return self.effective_from <= at and (self.effective_until is None or at < self.effective_until)

    def target_bp(self, at: int, calendar: Calendar) -> int | None:
        """The attainment target at `at` in basis points, None during the running-in time and where none is stated.

        calendar: of the primary definition; a date in `special_targets` lasts as long as its windows do.
        """
        if self.running_in_until is not None and at < self.running_in_until:
            return None
        if self.special_targets:
            year, month, day = civil_date(calendar.date_of(at))
            local_date = f"{year:04}-{month:02}-{day:02}"
            for special in self.special_targets:
                if special.date == local_date:
                    return special.attainment_target_bp
        return self.attainment_target_bp

    def periods(self, zone: ZoneTable) -> PeriodCalendar:
        """The periods it is settled in. zone: of the primary definition."""
        months = 1 if self.settlement is Settlement.MONTH else MONTHS_PER_QUARTER
        return PeriodCalendar(zone, months, self.period_starts_minute * MINUTE_MS)


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(Contract)


def canonical(contract: Contract) -> bytes:
    """The one encoding of a contract."""
    return _encoder.encode(contract)


def decode_contract(document: bytes) -> Contract:
    """A contract from its document, checked. Raises DefinitionError."""
    try:
        contract = _decoder.decode(document)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DefinitionError("document", "MessagePack", str(error), "sign it again from its file") from None
    check(contract)
    return contract


def check(contract: Contract) -> None:
    """Refuse a contract that contradicts itself. Raises DefinitionError, the first one found; it carries them all."""
    refuse(list(faults(contract)))


def faults(contract: Contract) -> Iterator[DefinitionError]:
    """Everything in which a contract contradicts itself."""
    for key, value, problem, fix in _contradictions(contract):
        yield DefinitionError(key, value, problem, fix)


def check_against(contract: Contract, primary: Definition) -> None:
    """Refuse what makes no sense under the definition the contract names first. Raises DefinitionError."""
    specials = (day.first_response_limit_ms for day in primary.special_days)
    limit_ms = min([primary.first_response_limit_ms, *(ms for ms in specials if ms is not None)])
    refuse(
        [
            DefinitionError(
                f"warnings_after_s.{warning.queue}",
                seconds(warning.after_ms[-1]),
                "a warning after the limit warns of nothing",
                f"write less than first_response_limit_s of {primary.name} ({seconds(limit_ms)})",
            )
            for warning in contract.warnings
            if warning.after_ms[-1] >= limit_ms
        ]
    )


def _contradictions(c: Contract) -> Iterator[tuple[str, object, str, str]]:
    if c.effective_until is not None and c.effective_until <= c.effective_from:
        yield "effective_until", c.effective_until, "ends before it begins", "write an instant after effective_from"
    if c.running_in_until is not None and c.running_in_until <= c.effective_from:
        yield (
            "running_in_until",
            c.running_in_until,
            "ends before the contract begins",
            "write an instant after effective_from, or leave it out",
        )
    dates = tuple(special.date for special in c.special_targets)
    warned = tuple(warning.queue for warning in c.warnings)
    for key, values in (
        ("queues", c.queues),
        ("definitions", c.definitions),
        ("special_targets", dates),
        ("warnings_after_s", warned),
    ):
        if len(set(values)) != len(values):
            yield key, ", ".join(values), "names one of them twice", "name each once"
    for text in dates:
        if not is_date(text):
            yield f"special_targets.{text}", text, "no date", "write a date, such as 2026-11-11"
    for warning in c.warnings:
        key = f"warnings_after_s.{warning.queue}"
        if not c.covers(warning.queue) and warning.queue != EVERY_QUEUE:
            yield key, warning.queue, "not a queue of this contract", f"write one of {', '.join(c.queues)}"
        if any(a >= b for a, b in pairwise(warning.after_ms)):
            shown = ", ".join(seconds(after) for after in warning.after_ms)
            yield key, shown, "not in ascending order", "write the earliest first, each once"
