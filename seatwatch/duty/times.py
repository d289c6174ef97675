"""When a site or a client opens, closes and begins its day.

A client by the definition in force, a site by the hours the roster has for it; else by the default contract.
"""

from pathlib import Path
from typing import Final

from seatwatch.record_rules import definition_in_force, definitions_from
from seatwatch.site_roster import hours_from
from sla_engine._core.calendar import Calendar
from sla_engine._core.definition import Definition
from sla_engine._core.windows import DAY_MS, MINUTE_MS, calendar_of
from sla_engine.definition_files import load_preset
from wire.limits import INSTANT_MAX_MS

DEFAULT: Final = "contract-10s"
"""Of a site, and of a client whose record holds no rules yet."""


class DutyTimes:
    """Instants in ms. A service that never closes has neither openings nor closings."""

    def __init__(self, definition: Definition) -> None:
        self.zone: Final = definition.time_zone
        self._calendar: Final = Calendar(definition)
        self._days: Final = calendar_of(definition, MINUTE_MS)

    def next_opening(self, after: int) -> int | None:
        """The first instant after `after` at which a closed service opens; None where none is near."""
        at = self._calendar.closes_at(after)
        if at >= INSTANT_MAX_MS:
            return None
        opening = self._calendar.next_open(max(at, after + 1))
        # two windows that touch are one: it did not open
        return opening if opening is None or opening > after else self.next_opening(opening)

    def last_closing(self, before: int) -> int:
        """The newest closing at or before `before`; a day earlier where none lies within it."""
        opening = self._calendar.next_open(before - DAY_MS)
        found = before - DAY_MS
        while opening is not None and opening < before:
            closing = self._calendar.closes_at(opening)
            if closing > before:
                break
            found, opening = closing, self._calendar.next_open(closing)
        return found

    def day_start(self, at: int) -> int:
        """Start of the business day `at` lies in."""
        return self._days.day_start(at)

    def next_day_start(self, at: int) -> int:
        """End of the business day `at` lies in."""
        return self._days.next_day_start(self.day_start(at))


def next_opening(data: Path, client: str, site: str, after: int) -> int | None:
    """The first instant after `after` (ms) at which a client, or with "" a site, opens by the rules in force then.

    None where none is near. Raises LedgerCorrupt.
    """
    default = load_preset(DEFAULT)
    found = definitions_from(data, client, after) if client else hours_from(data, site, default, after)
    ruled = found or [(after, default)]
    ends = [*(since for since, _ in ruled[1:]), INSTANT_MAX_MS]
    for (since, definition), until in zip(ruled, ends, strict=True):
        opening = DutyTimes(definition).next_opening(max(after, since - 1))
        if opening is not None and opening < until:
            return opening
    return None


def duty_times(data: Path, client: str, site: str, at: int) -> DutyTimes:
    """Of a client as in force at `at`, or with "" of a site. Raises LedgerCorrupt."""
    default = load_preset(DEFAULT)
    found = definition_in_force(data, client, at) if client else hours_from(data, site, default, at)[0][1]
    return DutyTimes(default if found is None else found)
