"""What the page of a year shows, as plain values: months as they are settled, and their days."""

from typing import Protocol

import msgspec

from dashboards.portal.record import Asked
from wire.board import Ratio


class YearDay(msgspec.Struct, frozen=True):
    """One business day. attainment, covered: whole 0 = no data. incidents: how many touched it."""

    name: str
    attainment: Ratio
    covered: Ratio
    incidents: int


class Month(msgspec.Struct, frozen=True):
    """One month, as 2026-11, its cells ready to show. first, last: those of its business days that are shown."""

    name: str
    first: str
    last: str
    cells: tuple[str, ...]


class YearPage(msgspec.Struct, frozen=True, kw_only=True):
    """How a client was served over some months. header, total: of their table, without the name of a month.

    few_judged: fewer judged ones than this say little about a rate.
    """

    first: str
    last: str
    queue: str
    queues: tuple[tuple[str, str], ...]
    head: tuple[str, ...]
    is_final: bool
    attainment: Ratio
    few_judged: int
    header: tuple[str, ...]
    months: tuple[Month, ...]
    total: tuple[str, ...]
    days: tuple[YearDay, ...]


class YearRecord(Protocol):
    """Whoever reads a year, beside the process that serves. Raises AskedWronglyError, NothingSaidError."""

    async def year(self, asked: Asked) -> YearPage:
        """The months of the days asked for; without any, the last twelve up to today."""
        ...

    async def year_file(self, asked: Asked, rows: str, form: str) -> bytes:
        """The figures by "month", as they are settled, or by "day", as `csv` or `json`."""
        ...
