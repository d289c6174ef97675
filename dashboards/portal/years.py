"""The page of a year: a client who settles one reads its months, then their days.

What it shows is made beside this process, one year at a time: a large client's takes a core for long.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from aiohttp import web

from dashboards.portal._core import charts
from dashboards.portal._core.svg import on_every_screen
from dashboards.portal.addresses import incident_link, links
from dashboards.portal.asking import asked
from dashboards.portal.doors import EVERYBODY, ROOT, Door, Visit
from dashboards.portal.record import YearRecord


class Years:
    """The page and its files. draw, send: make a page of a template, and a file."""

    def __init__(
        self,
        record: YearRecord,
        words: Mapping[str, Mapping[str, str]],
        draw: Callable[..., web.Response],
        send: Callable[[Visit, str, str, bytes], web.Response],
    ) -> None:
        self._record: Final = record
        self._words: Final = words
        self._draw: Final = draw
        self._send: Final = send
        self._one_by_one: Final = asyncio.Semaphore(1)

    def doors(self) -> tuple[Door, ...]:
        """Both."""
        return (
            Door("GET", f"{ROOT}/year", EVERYBODY, self._year),
            Door("GET", f"{ROOT}/year.{{form:csv|json}}", EVERYBODY, self._file),
        )

    async def _year(self, visit: Visit) -> web.StreamResponse:
        async with self._one_by_one:
            page = await self._record.year(asked(visit))
        words = self._words[visit.language]
        ways = charts.Ways(partial(links(visit), "sessions"), incident_link(visit), page.few_judged)
        picture = on_every_screen(charts.year, page.days, words, ways)
        return self._draw("year.html", visit, page=page, picture=picture, rate=charts.rate_text)

    async def _file(self, visit: Visit) -> web.StreamResponse:
        form, rows = visit.request.match_info["form"], visit.request.query.get("rows", "")
        async with self._one_by_one:
            body = await self._record.year_file(asked(visit), rows, form)
        return self._send(visit, f"year-{rows}", form, body)
