"""Points in time as files write them: with or without a date, in a zone whose clocks are set back and forth."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

Offsets = Callable[[datetime], tuple[int, ...]]
"""Local wall time, whole minutes -> offsets from UTC (ms) it can have: none in a gap, two where clocks went back."""

EPOCH_S: Final = "epoch_s"
EPOCH_MS: Final = "epoch_ms"
_DAY_MS: Final = 86_400_000
_HALF_DAY_MS: Final = _DAY_MS // 2
_SECOND_MS: Final = 1000
_MS: Final = timedelta(milliseconds=1)
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE: Final = _EPOCH.date()
# What a spreadsheet's own dates and times are written as when they are read as text.
_ISO: Final = re.compile(
    r"(?:(?P<date>\d{4}-\d{2}-\d{2})[ T])?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?"
)
_NUMBER: Final = re.compile(r"\d{1,15}")
"""An instant as a number: more digits are none, not even in ms, and Python reads no number of thousands of them."""
_HALF_DAY: Final = "%p"
_DATE_DIRECTIVES: Final = ("%Y", "%y")


class Moment(NamedTuple):
    """What a cell says. day: days since the Unix epoch, None where it names no date. ms: since local midnight.

    instant: ms since the Unix epoch, where the cell says that itself; day and ms mean nothing then.
    """

    day: int | None
    ms: int
    instant: int | None = None

    def local(self) -> int:
        """Ms on the wall since the Unix epoch's local midnight; only with a date."""
        return (self.day or 0) * _DAY_MS + self.ms


class TimeReader:
    """Reads the times of one file format. formats: of strptime, or `epoch_s`, `epoch_ms`; ISO forms are read always."""

    def __init__(
        self, formats: Sequence[str], date_formats: Sequence[str], half_days: Mapping[str, str] | None = None
    ) -> None:
        """half_days: words for what %p of a format reads as AM or PM."""
        self._half_days: Final = half_days or {}
        self._formats = tuple((form, any(part in form for part in _DATE_DIRECTIVES)) for form in formats)
        self._date_formats = tuple(date_formats)

    def read(self, text: str) -> Moment | None:
        """The moment in `text` (made plain), None when it is none."""
        iso = _ISO.fullmatch(text)
        if iso is not None:
            return _from_iso(iso)
        for form, has_date in self._formats:
            if form in {EPOCH_S, EPOCH_MS}:
                if _NUMBER.fullmatch(text):
                    return Moment(None, 0, int(text) * (_SECOND_MS if form == EPOCH_S else 1))
                continue
            moment = _from_format(self._halved(text) if _HALF_DAY in form else text, form)
            if moment is not None:
                return moment if has_date else Moment(None, moment.ms)
        return None

    def _halved(self, text: str) -> str:
        for word, half in self._half_days.items():
            text = text.replace(word, half)
        return text

    def read_date(self, text: str) -> int | None:
        """The date in `text` in days since the Unix epoch; a spreadsheet's date with a time of midnight is one too."""
        try:
            # Format: ISO 8601, YYYY-MM-DD.
            return _days(date.fromisoformat(text[:10])) if text[4:5] == "-" else self._date_by_format(text)
        except ValueError:
            return self._date_by_format(text)

    def _date_by_format(self, text: str) -> int | None:
        for form in self._date_formats:
            moment = _from_format(text, form)
            if moment is not None:
                return moment.day
        return None


def nearest(moment: Moment, anchor: Moment) -> Moment:
    """`moment` on the day that brings it closest to `anchor`: a call that begins before midnight ends after it."""
    if moment.day is not None or moment.instant is not None or anchor.day is None:
        return moment
    ahead = moment.ms - anchor.ms
    days = 1 if ahead <= -_HALF_DAY_MS else -1 if ahead > _HALF_DAY_MS else 0
    return Moment(anchor.day + days, moment.ms)


def instants(moment: Moment, offsets: Offsets) -> tuple[int, ...]:
    """The instants (ms since the Unix epoch) `moment` can mean, earliest first: none, one or two.

    On a day that no calendar has, one out of the range of instants.
    """
    if moment.instant is not None:
        return (moment.instant,)
    if moment.day is None:
        return ()
    try:
        day = _EPOCH_DATE + moment.day * _DAY
    except OverflowError:
        return (moment.local(),)
    minute = datetime.combine(day, datetime.min.time()) + (moment.ms // 60_000) * 60_000 * _MS
    return tuple(sorted(moment.local() - offset for offset in offsets(minute)))


def _from_iso(iso: re.Match[str]) -> Moment | None:
    hour, minute, second = int(iso["hour"]), int(iso["minute"]), int(iso["second"])
    # Format: HH:MM:SS of a clock.
    if hour >= 24 or minute >= 60 or second >= 60:
        return None
    # Format: of fractions, milliseconds.
    fraction = int((iso["fraction"] or "0").ljust(3, "0")[:3])
    ms = ((hour * 60 + minute) * 60 + second) * _SECOND_MS + fraction
    if iso["date"] is None:
        return Moment(None, ms)
    try:
        return Moment(_days(date.fromisoformat(iso["date"])), ms)
    except ValueError:
        return None


def _from_format(text: str, form: str) -> Moment | None:
    try:
        # Wall time without a zone: which instants it can mean is decided by `instants`.
        read = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is applied later, where gaps and overlaps are seen
    except ValueError:
        return None
    midnight = read.replace(hour=0, minute=0, second=0, microsecond=0)
    return Moment(_days(read.date()), (read - midnight) // _MS)


def _days(day: date) -> int:
    return (day - _EPOCH_DATE) // _DAY
