"""How one definition counts time: hours, due instants and elapsed time (E7-E9, E16). Instants and durations in ms."""

from sla_engine._core.calendar import Calendar
from sla_engine._core.choices import Boundary, OutOfHours, WindowCloses
from sla_engine._core.definition import Definition


class Clock:
    """Built once per definition.

    plain: time runs on, under one limit, so that a due instant is the start plus the limit. open_from, open_until: the
    run of open hours looked at last, a memory only.
    """

    __slots__ = (
        "at_midnight",
        "at_opening",
        "below",
        "calendar",
        "cuts",
        "limit_ms",
        "open_from",
        "open_until",
        "pauses",
        "plain",
        "special_limits",
    )

    def __init__(self, definition: Definition) -> None:
        self.calendar = Calendar(definition)
        self.limit_ms = definition.first_response_limit_ms
        self.special_limits = any(day.first_response_limit_ms is not None for day in definition.special_days)
        self.pauses = definition.window_closes is WindowCloses.PAUSES
        self.at_midnight = definition.window_closes is WindowCloses.IS_CUT_AT_MIDNIGHT
        self.cuts = self.at_midnight or definition.window_closes is WindowCloses.IS_CUT
        self.at_opening = definition.out_of_hours is OutOfHours.STARTS_AT_OPENING
        self.below = definition.boundary is Boundary.BELOW
        self.plain = not (self.pauses or self.cuts or self.special_limits)
        self.open_from = self.open_until = 0

    def is_open(self, at: int) -> bool:
        """Whether a service window is open at `at`."""
        if self.open_from <= at < self.open_until:
            return True
        if not self.calendar.is_open(at):
            return False
        until = self.calendar.closes_at(at)
        self.open_from = min(at, self.open_from) if until == self.open_until else at
        self.open_until = until
        return True

    def opening(self, at: int) -> int | None:
        """`at` inside the windows, else the next opening; None where there is none any more."""
        return at if self.is_open(at) else self.calendar.next_open(at)

    def closing(self, at: int) -> int | None:
        """Where what starts at `at` is cut, None where it is not."""
        if not self.cuts or not self.is_open(at):
            return None
        return self.calendar.day_ends_at(at) if self.at_midnight else self.open_until

    def limit(self, at: int) -> int:
        """The first-response limit of a clock that starts at `at`: the special day's own, or the usual one."""
        return self.calendar.limit_of(at) if self.special_limits else self.limit_ms

    def after(self, at: int, duration_ms: int) -> int:
        """The instant at which `duration_ms` have passed on a clock that starts at `at`."""
        return self.calendar.add_open(at, duration_ms) if self.pauses else at + duration_ms

    def due_at(self, at: int) -> int:
        """When the first response is due on a clock that starts at `at`."""
        due_at = self.after(at, self.limit(at))
        closing = self.closing(at)
        return due_at if closing is None else min(due_at, closing)

    def elapsed(self, start: int, end: int) -> int:
        """What a clock that starts at `start` shows at `end`; 0 before it starts."""
        if end <= start:
            return 0
        return self.calendar.open_ms(start, end) if self.pauses else end - start

    def in_time(self, elapsed_ms: int, limit_ms: int) -> bool:
        """Whether that long is in time (E16)."""
        return elapsed_ms < limit_ms if self.below else elapsed_ms <= limit_ms
