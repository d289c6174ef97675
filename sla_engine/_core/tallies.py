"""Tallies by window and group: the running interval and business day, kept only as long as a board can show them."""

from typing import Final

from sla_engine._core.contributions import Contribution, FigureRule
from sla_engine._core.figures import Tally
from sla_engine._core.groups import Group
from sla_engine._core.windows import WindowCalendar
from wire.board import Figures

_EMPTY: Final = Tally()
_Window = dict[Group, Tally]


class TallyBook:
    """Counts of sessions by the interval and the business day of their start.

    Held are the running day and interval and the ones before: whatever is older is dropped for good when time
    passes on, and what still comes in about it is kept in facts, not here.
    """

    def __init__(self, calendar: WindowCalendar, *, keeps_intervals: bool = False) -> None:
        """keeps_intervals: those of both days are held, not only the running one and the one before."""
        self.calendar: Final = calendar
        self._keeps_intervals: Final = keeps_intervals
        self.interval_start = 0
        self.day_start = 0
        self._next_day = 0
        self._next_interval = 0
        self._oldest_interval = 0
        self._oldest_day = 0
        self._intervals: dict[int, _Window] = {}
        self._days: dict[int, _Window] = {}

    @property
    def oldest(self) -> int:
        """Sessions that started before this instant (ms) are in no window any more."""
        return min(self._oldest_day, self._oldest_interval)

    def advance(self, as_of: int) -> None:
        """Move the running windows to those of `as_of` and drop what is past keeping. Time never moves back."""
        interval_start = self.calendar.interval_start(as_of)
        if interval_start <= self.interval_start:
            return
        self.interval_start = interval_start
        self._next_interval = interval_start + self.calendar.interval_ms
        if as_of >= self._next_day:
            self.day_start = self.calendar.day_start(as_of)
            self._next_day = self.calendar.next_day_start(self.day_start)
            self._oldest_day = self.calendar.previous_day_start(self.day_start)
        before = self.calendar.interval_start(interval_start - 1)
        self._oldest_interval = self.calendar.interval_start(self._oldest_day) if self._keeps_intervals else before
        for windows, oldest in ((self._intervals, self._oldest_interval), (self._days, self._oldest_day)):
            for start in [start for start in windows if start < oldest]:
                del windows[start]

    def add(self, groups: tuple[Group, ...], started_at: int, given: Contribution) -> None:
        """Count `given` for a session that started at `started_at`."""
        for window in self._windows(started_at):
            for group in groups:
                tally = window.get(group)
                if tally is None:
                    tally = window[group] = Tally()
                tally.add(given)

    def remove(self, groups: tuple[Group, ...], started_at: int, given: Contribution) -> None:
        """Take back what `add` counted with the same arguments."""
        for window in self._windows(started_at):
            for group in groups:
                window[group].remove(given)

    def interval_figures(self, group: Group, rule: FigureRule | None) -> Figures:
        """Figures of `group` in the running interval."""
        return _figures(self._intervals.get(self.interval_start), group, rule)

    def figures_of_interval(self, start: int, group: Group, rule: FigureRule | None) -> Figures:
        """Figures of `group` in the interval that begins at `start` (ms), if it is held."""
        return _figures(self._intervals.get(start), group, rule)

    def day_figures(self, group: Group, rule: FigureRule | None) -> Figures:
        """Figures of `group` in the running business day."""
        return _figures(self._days.get(self.day_start), group, rule)

    def groups(self) -> set[Group]:
        """Every group that something counts for in the running day."""
        return {group for group, tally in self._days.get(self.day_start, {}).items() if any(tally.slots)}

    def groups_of_intervals(self) -> set[Group]:
        """Every group that something counts for in an interval that is held."""
        windows = self._intervals.values()
        return {group for window in windows for group, tally in window.items() if any(tally.slots)}

    def _windows(self, started_at: int) -> list[_Window]:
        found = []
        if started_at >= self._oldest_day:
            today = self.day_start <= started_at < self._next_day
            day = self.day_start if today else self.calendar.day_start(started_at)
            found.append(_window(self._days, day))
        if started_at >= self._oldest_interval:
            now = self.interval_start <= started_at < self._next_interval
            interval = self.interval_start if now else self.calendar.interval_start(started_at)
            found.append(_window(self._intervals, interval))
        return found


def _window(windows: dict[int, _Window], start: int) -> _Window:
    found = windows.get(start)
    if found is None:
        found = windows[start] = {}
    return found


def _figures(window: _Window | None, group: Group, rule: FigureRule | None) -> Figures:
    tally = None if window is None else window.get(group)
    return (_EMPTY if tally is None else tally).figures(rule)
