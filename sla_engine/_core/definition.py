"""A definition: the rules of one set of figures, as data.

Versioned, effective-dated, entered into the ledger, named by hash.

* DefinitionError: the author's fault. Names the key, the value, what is implemented and the fix.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from sla_engine._core.choices import (
    IMPLEMENTED,
    AnsweredOutOfHours,
    Boundary,
    ClockDomains,
    ClockStart,
    Credit,
    LeftBeforeTarget,
    NeverAnswered,
    NobodyOnline,
    OnTransfer,
    Outbound,
    OutOfHours,
    Percentile,
    Period,
    Redefinition,
    RepeatedTurns,
    ServiceLevelFormula,
    TurnEnds,
    Unit,
    WindowCloses,
)
from wire.conversation import Author, Form
from wire.ids import NAME_PATTERN
from wire.limits import BODY_BYTES_MAX, DURATION_MAX_MS, INSTANT_MAX_MS, NAME_CHARS_MAX, WORD_CHARS_MAX

_Name = Annotated[str, Meta(pattern=NAME_PATTERN, max_length=NAME_CHARS_MAX)]
_Zone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_/+-]*$(?!\n)", max_length=NAME_CHARS_MAX)]
"""Etc/GMT+5 is one; no other name has a plus."""
_Word = Annotated[str, Meta(max_length=WORD_CHARS_MAX)]
_Positive = Annotated[int, Meta(ge=1, le=DURATION_MAX_MS)]
_Duration = Annotated[int, Meta(ge=0, le=DURATION_MAX_MS)]
_Instant = Annotated[int, Meta(ge=0, le=INSTANT_MAX_MS)]
_Minute = Annotated[int, Meta(ge=0, le=2 * 24 * 60)]  # Format: minutes since midnight, of the next day as well.

MINUTES_PER_DAY: Final = 24 * 60
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LEAP_YEAR: Final = 2000  # Format: a year that has every day; what MessagePack puts around a document.
_COUNTING: Final = (form for form in Form if form not in {Form.EDIT, Form.RECALL, Form.CLOSING})
_FORMS: Final = f"a list with at least one, in brackets, each one of: {', '.join(_COUNTING)}"
_Problem = tuple[str, object, str, str]
"""Key, value, what is wrong with it, what to write instead."""
DOCUMENT_HEAD_ROOM: Final = 512  # Format: MessagePack, as bodies travel.
"""What the rest of a DefinitionPublished body may take beside the document."""


class DefinitionError(ValueError):
    """A definition or contract cannot be used: `key` and `value` say where, `fix` what to write instead.

    faults: everything that was found wrong, this first.
    """

    def __init__(self, key: str, value: object, problem: str, fix: str) -> None:
        super().__init__(f"{key} = {value!s}: {problem}; {fix}")
        self.key = key
        self.value = value
        self.problem = problem
        self.fix = fix
        self.faults: tuple[DefinitionError, ...] = (self,)


def refuse(faults: Sequence[DefinitionError]) -> None:
    """Raise the first of them, if any; it carries them all."""
    if faults:
        faults[0].faults = tuple(faults)
        raise faults[0]


class ServiceWindow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Minutes of the local day, half-open. Closing after 24:00 (up to 48:00) runs into the next day."""

    opens_minute: _Minute
    closes_minute: _Minute


class WeekdayWindows(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Windows of one day of the week, 0 = Monday, instead of the usual ones."""

    weekday: Annotated[int, Meta(ge=0, le=6)]  # Format: days of a week, of which Monday is the first.
    windows: tuple[ServiceWindow, ...]


class YearlyDay(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A local date of every year (MM-DD) with windows of its own: a holiday, mostly with none at all."""

    month_day: Annotated[str, Meta(pattern=r"^\d{2}-\d{2}$")]
    windows: tuple[ServiceWindow, ...]


class SpecialDay(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A local date (YYYY-MM-DD) with windows of its own: a promotion day, a holiday (none at all).

    first_response_limit_ms: of sessions that start within these windows, None = as on any day.
    """

    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    windows: tuple[ServiceWindow, ...]
    first_response_limit_ms: _Positive | None = None


class ZoneOffset(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """From this instant on, local time is UTC + offset_s.

    The table travels in the definition: its author's time zone database is part of the rules, so a later database
    never changes a past verdict.
    """

    from_ms: int
    offset_s: Annotated[int, Meta(ge=-86_400, le=86_400)]  # Bound: no zone is a day off.


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every parameter is stated, so that a definition says all it means.

    One that came after the first release has a default: what was so before it, left out of the document, so that
    older documents stay readable and keep their hash.

    name, version: a higher version replaces a lower one from its own effective_from on. title, source, source_date,
    official: where the rules come from, shown wherever they are. semantics: the code's reading of these words
    (docs/reference/architecture.md).
    """

    name: _Name
    version: Annotated[int, Meta(ge=1, le=1_000_000)]  # Bound: nobody writes as many versions.
    semantics: Annotated[int, Meta(ge=1, le=1_000_000)]
    title: _Word
    source: _Word
    source_date: _Word
    official: bool
    effective_from: _Instant
    """E18: sessions that start at or after this instant."""
    redefinition: Redefinition
    """E18: what a new version does to sessions that began before it."""

    time_zone: _Zone
    """IANA name; days and windows are cut in it."""
    zone_offsets: tuple[ZoneOffset, ...]
    service_windows: tuple[ServiceWindow, ...]
    """Of every local day that nothing below says otherwise of."""
    weekday_windows: tuple[WeekdayWindows, ...] = ()
    yearly_days: tuple[YearlyDay, ...] = ()
    """Before weekdays."""
    special_days: tuple[SpecialDay, ...]
    """Before yearly days and weekdays."""
    business_day_starts_minute: Annotated[int, Meta(ge=0, lt=MINUTES_PER_DAY)]
    period: Period

    unit: Unit
    clock_start: ClockStart
    """E1: where the customer's clock starts.

    The seat's clock, from the assignment of the answering leg, is always computed beside it.
    """
    valid_reply: Annotated[tuple[Author, ...], Meta(min_length=1)]
    """E2: whose turn answers."""
    credit: Credit
    """E3: who is credited with a reply."""
    on_transfer: OnTransfer
    """E4: what a transfer does to the clock."""
    repeated_turns: RepeatedTurns
    """E5: which of several messages starts the turn."""
    gap_to_new_session_ms: _Duration
    """E6: a contact that comes back sooner than this after its end continues its session."""
    out_of_hours: OutOfHours
    """E7: a session that starts outside the window."""
    window_closes: WindowCloses
    """E8: the window closes before the reply."""
    answered_out_of_hours: AnsweredOutOfHours
    """E9: started inside the window, answered outside it."""
    never_answered: NeverAnswered
    """E10: what a session without a reply is."""
    unanswered_cap_ms: _Duration | None
    """E10: with `capped`, what an unanswered one counts in a mean and the most that any one counts; None otherwise."""
    left_before_target: LeftBeforeTarget
    """E11: the customer leaves before the target."""
    short_abandon_ms: _Duration
    """E11: left within this is set apart: neither met nor missed, its own count. 0 = no such thing."""
    turn_ends: TurnEnds
    """E12: when an unanswered turn stops."""
    nobody_online: NobodyOnline
    """E13: nobody could have answered."""
    inbound_forms: Annotated[tuple[Form, ...], Meta(min_length=1, description=_FORMS)]
    """E14: what of a customer's doing starts a turn. Edits and recalls never do."""
    outbound: Outbound
    """E15: we wrote or called first."""
    boundary: Boundary
    """E16: whether a reply exactly at the limit is in time. The resolution of the source travels with each value."""
    clock_domains: ClockDomains
    """E17: how times of two clock domains are compared."""

    first_response_limit_ms: _Positive
    warning_after_ms: _Positive
    """The warning instant, counted from the start of the session."""
    next_response_limit_ms: _Positive | None
    average_good_ms: _Positive
    average_limit_ms: _Positive
    service_level_formula: ServiceLevelFormula
    service_level_threshold_ms: _Positive
    percentile: Percentile

    lateness_allowance_ms: _Duration
    """How far the watermark of a live source stays behind the clock."""
    announce_within_ms: _Positive
    """An announcement owed longer ago than this is history and is not made."""
    grace_ms: _Positive
    """How long an ended conversation is kept open to correction."""


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(Definition)


def canonical(definition: Definition) -> bytes:
    """The one encoding of a definition: MessagePack, fields in the order of the class, values as stated."""
    return _encoder.encode(definition)


def definition_hash(document: bytes) -> str:
    """SHA-256 of a canonical document, in hex: what is printed beside numbers."""
    return hashlib.sha256(document).hexdigest()


def label_of(definition: Definition) -> str:
    """What facts carry: name, version and the first twelve digits of the hash."""
    # Format: of a label on the record.
    return f"{definition.name}@{definition.version}#{definition_hash(canonical(definition))[:12]}"


def is_short_wait(waited_ms: int, short_abandon_ms: int) -> bool:
    """Whether who left after that long left so soon that it is set apart (E11)."""
    return waited_ms <= short_abandon_ms != 0


def decode_definition(document: bytes) -> Definition:
    """A definition from its document, checked.

    DefinitionError when it is malformed or asks for what is not implemented.
    """
    try:
        definition = _decoder.decode(document)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DefinitionError("document", "MessagePack", str(error), "publish it again from its file") from None
    check(definition)
    return definition


def check(definition: Definition) -> None:
    """Refuse what has faults. Raises DefinitionError, the first one found; it carries them all."""
    refuse(list(faults(definition)))


def faults(definition: Definition) -> Iterator[DefinitionError]:
    """By name what this build does not compute, and what contradicts itself."""
    for key, values in IMPLEMENTED.items():
        value = getattr(definition, key)
        if value not in values:
            allowed = ", ".join("nothing (leave it out)" if v is None else str(v) for v in values)
            yield DefinitionError(key, value, "not implemented yet", f"implemented: {allowed}")
    for key, value, problem, fix in _contradictions(definition):
        yield DefinitionError(key, value, problem, fix)


def _contradictions(d: Definition) -> Iterator[_Problem]:
    """Keys and values as a file has them: durations in seconds, times of day as HH:MM."""
    yield from _bad_limits(d)
    yield from _bad_choices(d)
    offsets = [offset.from_ms for offset in d.zone_offsets]
    if not offsets or any(a >= b for a, b in pairwise(offsets)):
        yield "zone_offsets", len(offsets), "must be in order of time and not empty", "load it from its file"
    yield from _bad_days(d)
    size = len(canonical(d)) + DOCUMENT_HEAD_ROOM
    if size > BODY_BYTES_MAX:
        yield (
            "special_days",
            len(d.special_days),
            f"the document takes {size} bytes of {BODY_BYTES_MAX}",
            "publish a version per season",
        )


def _bad_limits(d: Definition) -> Iterator[_Problem]:
    warning = seconds(d.warning_after_ms)
    if d.warning_after_ms >= d.first_response_limit_ms:
        limit = seconds(d.first_response_limit_ms)
        yield (
            "warning_after_s",
            warning,
            "a warning after the limit warns of nothing",
            f"write less than first_response_limit_s ({limit})",
        )
    for day in d.special_days:
        if day.first_response_limit_ms is not None and d.warning_after_ms >= day.first_response_limit_ms:
            yield (
                f"special_days.{day.date}.first_response_limit_s",
                seconds(day.first_response_limit_ms),
                "not above warning_after_s, so a warning warns of nothing",
                f"write more than {warning}, or warn sooner",
            )
    if d.average_good_ms > d.average_limit_ms:
        limit = seconds(d.average_limit_ms)
        yield "average_good_s", seconds(d.average_good_ms), "above average_limit_s", f"write at most {limit}"
    capped = d.never_answered is NeverAnswered.CAPPED
    if capped and not d.unanswered_cap_ms:
        yield "unanswered_cap_s", "nothing", "never_answered = capped needs a cap", "state what one counts, such as 600"
    if not capped and d.unanswered_cap_ms is not None:
        yield (
            "unanswered_cap_s",
            seconds(d.unanswered_cap_ms),
            f"caps nothing with never_answered = {d.never_answered}",
            'leave it out, or write never_answered = "capped"',
        )


def _bad_choices(d: Definition) -> Iterator[_Problem]:
    for form in (Form.EDIT, Form.RECALL):
        if form in d.inbound_forms:
            yield "inbound_forms", form, "never moves a clock", f"leave {form} out"
    if Form.CLOSING in d.inbound_forms:
        yield "inbound_forms", Form.CLOSING, "counts where text does", "leave closing out; turn_ends says more of it"
    for key, values in (("inbound_forms", d.inbound_forms), ("valid_reply", d.valid_reply)):
        if len(set(values)) != len(values):
            yield key, ", ".join(values), "states one of them twice", "state each once"
    if d.window_closes is WindowCloses.IS_CUT and d.answered_out_of_hours is AnsweredOutOfHours.ZERO:
        yield (
            "answered_out_of_hours",
            d.answered_out_of_hours,
            "with window_closes = is_cut no reply after the closing counts at all",
            "write full_time, or let the window run on",
        )


def _bad_days(d: Definition) -> Iterator[_Problem]:
    stated = [("service_windows", d.service_windows)]
    stated += [(f"weekday_windows.{WEEKDAYS[day.weekday]}", day.windows) for day in d.weekday_windows]
    stated += [(f"yearly_days.{day.month_day}", day.windows) for day in d.yearly_days]
    stated += [(f"special_days.{day.date}", day.windows) for day in d.special_days]
    for key, windows in stated:
        yield from _bad_windows(key, windows)
    if not any(windows for _, windows in stated):
        yield "service_windows", "[]", "no day has a window, so nothing would be judged", 'write ["00:00-24:00"]'
    for key, names in (
        ("weekday_windows", [WEEKDAYS[day.weekday] for day in d.weekday_windows]),
        ("yearly_days", [day.month_day for day in d.yearly_days]),
        ("special_days", [day.date for day in d.special_days]),
    ):
        if len(set(names)) != len(names):
            yield key, ", ".join(names), "a day is stated twice", "put all its windows into one entry"
    for day in d.yearly_days:
        if not is_date(f"{LEAP_YEAR}-{day.month_day}"):
            yield f"yearly_days.{day.month_day}", day.month_day, "in no year", "write a month and a day, such as 02-29"
    for special in d.special_days:
        if not is_date(special.date):
            yield f"special_days.{special.date}", special.date, "no date", "write a date, such as 2026-11-11"


def _bad_windows(key: str, windows: tuple[ServiceWindow, ...]) -> Iterator[_Problem]:
    for window in windows:
        opens, closes = window.opens_minute, window.closes_minute
        if opens >= MINUTES_PER_DAY or not 0 < closes - opens <= MINUTES_PER_DAY:
            shown = f"{time_of_day(opens)}-{time_of_day(closes)}"
            yield key, shown, "opens within the day, closes later, spans at most a day", "write it as 08:00-24:00"


def is_date(text: str) -> bool:
    """Whether there is such a day; `text` has the form YYYY-MM-DD."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def seconds(ms: int) -> str:
    """A duration as a file has it: 10, 2.5."""
    whole, rest = divmod(ms, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)


def time_of_day(minute: int) -> str:
    """A minute of a local day as a file has it: 08:00, and 26:00 for two in the morning after."""
    return f"{minute // 60:02}:{minute % 60:02}"
