"""One row of a platform's own figures: what the platform says of which period, queue and account."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from collector.importers._core.durations import DurationReader
from collector.importers._core.plan import Condition, Outcome
from collector.importers._core.rows import Row
from collector.importers._core.text import REPLACEMENT, as_wide, plain, without_thousands
from wire.ids import is_derived, is_name
from wire.limits import INSTANT_MAX_MS
from wire.platform import PlatformFigure

_PPM: Final = 1_000_000
_PERCENT: Final = 100
_NUMBER: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,12}))?")


class Unit(StrEnum):
    """How a column writes its figure. What is kept is whole: a count, ms, or millionths."""

    COUNT = "count"
    DURATION = "duration"
    PERCENT = "percent"
    RATIO = "ratio"


KEPT: Final = {Unit.COUNT: "count", Unit.DURATION: "ms", Unit.PERCENT: "ppm", Unit.RATIO: "ppm"}


class FigureOutcome(StrEnum):
    """What a row is, beside rejected."""

    FIGURES = "figures"
    NO_FIGURES = "no_figures"


class Fault(StrEnum):
    """Why a row cannot be taken."""

    CELLS_MISSING = "cells_missing"
    NOT_TEXT = "not_text"
    NOT_A_DATE = "not_a_date"
    OUT_OF_RANGE = "time_out_of_range"
    NOT_AN_ID = "not_an_id"
    NOT_A_FIGURE = "not_a_figure"
    PART_EXCEEDS_WHOLE = "part_exceeds_whole"


class Figure(NamedTuple):
    """One figure of a row. metric: as the platform calls it. value, part, whole: places of columns, None = none."""

    metric: str
    unit: Unit
    value: int
    part: int | None
    whole: int | None
    definition: str
    measure: str
    when: tuple[Condition, ...]


class FigurePlan(NamedTuple):
    """A mapping of figures bound to the columns of one file. read: how many, from the first, up to the last named."""

    header: tuple[str, ...]
    read: int
    clock: str
    date: int
    queue: int | None
    account: int | None
    constant_queue: str
    values: Mapping[int, Mapping[str, str]]
    nothing: frozenset[str]
    figures: tuple[Figure, ...]


class _RejectedRow(Exception):
    """The row cannot be taken."""

    def __init__(self, fault: Fault, place: int | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.place = place


class FigureRows:
    """Reads the rows of one file."""

    def __init__(self, plan: FigurePlan, durations: DurationReader) -> None:
        self._plan = plan
        self._durations = durations

    def read(self, cells: Sequence[str], period: tuple[int, int] | None) -> Row:
        """What `cells` (as in the file) tell of `period`, its start and end in ms, None where the row names none.

        Never raises for what a file may hold.
        """
        try:
            return self._read(self._plainly(cells), period)
        except _RejectedRow as rejected:
            column = "" if rejected.place is None else self._plan.header[rejected.place]
            return Row(Outcome.REJECTED, (), rejected.fault, column)

    def _plainly(self, cells: Sequence[str]) -> list[str]:
        there = as_wide(cells, len(self._plan.header), self._plan.read)
        if there is None:
            raise _RejectedRow(Fault.CELLS_MISSING)
        found = []
        for place, cell in enumerate(there):
            if REPLACEMENT in cell:
                raise _RejectedRow(Fault.NOT_TEXT, place)
            text = plain(cell)
            text = "" if text.casefold() in self._plan.nothing else text
            found.append(self._plan.values.get(place, {}).get(text, text))
        return found

    def _read(self, cells: Sequence[str], period: tuple[int, int] | None) -> Row:
        plan = self._plan
        if period is None:
            raise _RejectedRow(Fault.NOT_A_DATE, plan.date)
        starts_at, ends_at = period
        if starts_at < 0 or ends_at > INSTANT_MAX_MS:
            raise _RejectedRow(Fault.OUT_OF_RANGE, plan.date)
        queue = plan.constant_queue or self._name(plan.queue, cells)
        account = self._name(plan.account, cells)
        bodies = []
        for figure in plan.figures:
            if not all((cells[place] in values) is not negated for place, values, negated in figure.when):
                continue
            value = self._value(figure, cells)
            part, whole = self._count(figure.part, cells), self._count(figure.whole, cells)
            if value is None and not whole:
                continue
            if whole and (part or 0) > whole:
                raise _RejectedRow(Fault.PART_EXCEEDS_WHOLE, figure.part)
            head = (ends_at, ends_at - starts_at, plan.clock, None, False, "")
            told = (figure.metric, KEPT[figure.unit], value, part or 0, whole or 0)
            rules = (figure.definition, figure.measure)
            bodies.append(PlatformFigure(*head, starts_at, ends_at, *told, queue, account, *rules))
        return Row(FigureOutcome.FIGURES if bodies else FigureOutcome.NO_FIGURES, tuple(bodies))

    def _name(self, place: int | None, cells: Sequence[str]) -> str:
        """The id in a column; an empty cell is about all of them."""
        if place is None or not cells[place]:
            return ""
        if not is_name(cells[place]) or is_derived(cells[place]):
            raise _RejectedRow(Fault.NOT_AN_ID, place)
        return cells[place]

    def _count(self, place: int | None, cells: Sequence[str]) -> int | None:
        return None if place is None else self._whole_number(place, without_thousands(cells[place]), 1)

    def _value(self, figure: Figure, cells: Sequence[str]) -> int | None:
        text = without_thousands(cells[figure.value])
        if figure.unit is Unit.DURATION:
            read = self._durations.read(text) if text else None
            if text and read is None:
                raise _RejectedRow(Fault.NOT_A_FIGURE, figure.value)
            return read
        if figure.unit is Unit.COUNT:
            return self._whole_number(figure.value, text, 1)
        per_unit = _PPM if figure.unit is Unit.RATIO and not text.endswith("%") else _PPM // _PERCENT
        return self._whole_number(figure.value, text.removesuffix("%").strip(), per_unit)

    def _whole_number(self, place: int, text: str, per_unit: int) -> int | None:
        """`text` times `per_unit`. What is finer is rounded; a count has to be whole."""
        if not text:
            return None
        number = _NUMBER.fullmatch(text)
        if number is None:
            raise _RejectedRow(Fault.NOT_A_FIGURE, place)
        fraction = number[2] or ""
        scale: int = 10 ** len(fraction)
        times, rest = divmod(int(number[1] + fraction) * per_unit, scale)
        if rest and per_unit == 1:
            raise _RejectedRow(Fault.NOT_A_FIGURE, place)
        return times + (2 * rest >= scale)
