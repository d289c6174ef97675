"""When each configured message is due next."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from seatwatch.duty.times import DutyTimes, duty_times, next_opening
from seatwatch.message_section import MessageSection

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_DAY: Final = timedelta(days=1)


class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`, as `message_...`: how long before an opening, and after a business day."""

    before_opening_ms: int
    after_day_ms: int


class Due(NamedTuple):
    """One message to be sent. Instants are ms. at: what it is as of. since: of a shift, None = its own rule."""

    due_at: int
    at: int
    since: int | None


def next_due(message: MessageSection, data: Path, after: int, settings: ScheduleSettings) -> Due | None:
    """The first one due after `after` (ms), by the rules in force then; None where none is. Raises LedgerCorrupt."""
    match message.kind:
        case "pre-opening":
            opening = next_opening(data, message.client, message.site, after + settings.before_opening_ms)
            if opening is None:
                return None
            due_at = opening - settings.before_opening_ms
            return Due(due_at, due_at, None)
        case "daily":
            ended = duty_times(data, message.client, message.site, after).next_day_start(after - settings.after_day_ms)
            return Due(ended + settings.after_day_ms, ended, None)
        case "handover":
            return _handover(message.times, duty_times(data, message.client, message.site, after), after)


def _handover(clock_times: list[str], times: DutyTimes, after: int) -> Due:
    zone = ZoneInfo(times.zone)
    local = (_EPOCH + after * _MS).astimezone(zone)
    changes = sorted(
        (datetime.fromisoformat(f"{(local + day * _DAY).date()}T{text}").replace(tzinfo=zone) - _EPOCH) // _MS
        for day in (-1, 0, 1)
        for text in set(clock_times)
    )
    place = next(place for place, change in enumerate(changes) if change > after)
    return Due(changes[place], changes[place], changes[place - 1])
