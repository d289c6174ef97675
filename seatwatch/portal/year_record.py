"""A client's year for the portal: months as they are settled, their days, and what of them was kept."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from dashboards.portal.record import Asked, AskedWronglyError, Month, NothingSaidError, YearDay, YearPage
from dashboards.portal.sessions import PortalSettings
from seatwatch.own_process import OverdueError, OwnProcess, OwnProcessError
from seatwatch.portal.reading import YearTold
from seatwatch.printed.report import as_csv, as_json, heading
from seatwatch.printed.report_columns import COLUMNS
from seatwatch.printed.teller import Teller
from seatwatch.year_told import YearAnswer, YearAsked
from sla_engine.reports._core.report import Row
from wire.board import Ratio
from wire.incident import IncidentSaid

log = structlog.get_logger()
SHOWN: Final = (
    *("attainment", "offered", "abandoned", "unanswered"),
    *("first_response", "average_response", "service_level", "coverage"),
)
"""Columns of the table of months."""
# Format: of a name such as 2026-11-02.
_MONTH_CHARS: Final = 7
_decode: Final = msgspec.json.Decoder(YearAnswer).decode


class YearRecords:
    """Implements dashboards.portal.record.YearRecord over a data directory.

    queues: names of a client's queues by id. teller: words, in a zone.
    """

    def __init__(
        self,
        data: Path,
        settings: PortalSettings,
        process: OwnProcess,
        clock_ms: Callable[[], int],
        few_judged: int,
        queues: Callable[[Asked], Mapping[str, str]],
        teller: Callable[[Asked, str], Teller],
    ) -> None:
        self._data: Final = data
        self._settings: Final = settings
        self._process: Final = process
        self._clock_ms: Final = clock_ms
        self._few_judged: Final = few_judged
        self._queues: Final = queues
        self._teller: Final = teller
        self._kept: Final[dict[tuple[str, str, str, str], tuple[int, YearTold]]] = {}

    async def year(self, asked: Asked) -> YearPage:
        """The page, in words and times of the language asked for."""
        told = await self._told(asked)
        monthly = told.monthly
        tell = self._teller(asked, monthly.head.time_zone)
        columns = [column for key in SHOWN for column in COLUMNS if column.key == key]
        touched = Counter(day for each in told.incidents for day in _days_of(each, told.daily.rows))

        def cells(row: Row) -> tuple[str, ...]:
            # of coverage the share alone, so that a laptop shows the whole table; its hours are in the file
            shown = (column.shown(row, tell) for column in columns)
            return tuple(
                text.partition(" (")[0] if column.key == "coverage" else text
                for column, text in zip(columns, shown, strict=True)
            )

        return YearPage(
            first=told.first,
            last=told.last,
            queue=asked.queue,
            queues=tuple(self._queues(asked).items()),
            head=tuple(heading(monthly, tell)),
            is_final=monthly.head.final,
            attainment=monthly.total.figures.attainment,
            few_judged=self._few_judged,
            header=tuple(tell.word(column.key) for column in columns),
            months=tuple(_month(row, told, cells(row)) for row in monthly.rows),
            total=cells(monthly.total),
            days=tuple(_day(row, touched[row.name]) for row in told.daily.rows),
        )

    async def year_file(self, asked: Asked, rows: str, form: str) -> bytes:
        """What `seatwatch report --by month` or `--by day` prints."""
        if rows not in {"month", "day"}:
            raise AskedWronglyError("rows")
        told = await self._told(asked)
        shown = told.monthly if rows == "month" else told.daily
        return as_json(shown) if form == "json" else as_csv(shown).encode()

    async def _told(self, asked: Asked) -> YearTold:
        """The year asked for, as of a while ago at most. Raises AskedWronglyError, NothingSaidError."""
        if asked.queue and asked.queue not in self._queues(asked):
            raise AskedWronglyError("queue")
        now = self._clock_ms()
        key = (asked.client, asked.first, asked.last, asked.queue)
        kept = self._kept.get(key)
        if kept is not None and 0 <= now - kept[0] < self._settings.year_kept_ms:
            return kept[1]
        found = _decode(await self._printed(YearAsked(asked=asked, now=now)))
        if found.told is None:
            why = found.nothing
            if why is not None and why.is_wrong:
                raise AskedWronglyError("from, to", why.says, days=why.days)
            raise NothingSaidError("portal_unreadable" if why is None else why.says)
        self._kept.pop(key, None)
        while len(self._kept) >= self._settings.answers_kept_max:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = now, found.told
        return found.told

    async def _printed(self, question: YearAsked) -> bytes:
        """What a process of its own read. Raises NothingSaidError where it fails or takes too long."""
        arguments = str(self._data), msgspec.json.encode(question).decode()
        try:
            return await self._process.printed("seatwatch.year_told", *arguments)
        except OwnProcessError as error:
            log.warning("portal.year_failed", said=str(error))
            overdue = isinstance(error, OverdueError)
            raise NothingSaidError("portal_year_too_much" if overdue else "portal_unreadable") from None


def _month(row: Row, told: YearTold, cells: tuple[str, ...]) -> Month:
    days = [day.name for day in told.daily.rows if day.name[:_MONTH_CHARS] == row.name] or [told.first, told.last]
    return Month(row.name, days[0], days[-1], cells)


def _day(row: Row, incidents: int) -> YearDay:
    covered = Ratio(0, 0) if row.coverage is None else row.coverage.time
    return YearDay(row.name, row.figures.attainment, covered, incidents)


def _days_of(incident: IncidentSaid, days: tuple[Row, ...]) -> Iterator[str]:
    """Names of the days that an incident touched."""
    for day in days:
        if incident.started_at < day.until and (incident.ended_at is None or incident.ended_at > day.since):
            yield day.name
