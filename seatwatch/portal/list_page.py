"""The list of sessions behind a figure, for a screen page by page and for a file whole."""

from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from dashboards.portal.record import Listed, ListPage
from seatwatch.csv_text import Cell, csv_text
from seatwatch.instants import local_time
from seatwatch.portal.choosing import Chosen
from seatwatch.portal.reading import Told
from seatwatch.printed.teller import Teller
from sla_engine._core.contributions import left_after_ms
from wire.verdict import SessionFact, Verdict

FIELDS: Final = (
    "conversation",
    "started_at_ms",
    "started_at_local",
    "queue",
    "verdict",
    "why",
    "first_response_ms",
    "due_at_ms",
    "due_at_local",
    "definition",
    "waited_ms",
    "cause",
    "met_but_for_it",
    "incident",
)
"""Of a file. waited_ms: of whom nobody answered. The last three are empty where nothing was missed."""


def list_page(told: Told, queue: str, chosen: Chosen, page: int, listed_max: int, tell: Teller) -> ListPage:
    """One page of them, in words and times of `tell`. page: from 1 on."""
    found = chosen.sessions
    pages = max(1, -(-len(found) // listed_max))
    page = min(page, pages)
    return ListPage(
        first=told.span.first.isoformat(),
        last=told.span.last.isoformat(),
        queue=queue,
        common=(*([tell.queue(queue)] if queue else ()), *chosen.common(tell)),
        found=len(found),
        page=page,
        pages=pages,
        sessions=tuple(_listed(fact, chosen, tell) for fact in found[(page - 1) * listed_max : page * listed_max]),
    )


def list_file(chosen: Chosen, form: str, zone: ZoneInfo) -> bytes:
    """All of them as `csv` or `json`, with instants and durations in ms; instants by a clock in `zone` too."""
    rows = [_cells(fact, chosen, zone) for fact in chosen.sessions]
    if form == "json":
        return msgspec.json.encode([dict(zip(FIELDS, row, strict=True)) for row in rows])
    return csv_text([list(FIELDS), *rows]).encode()


def _listed(fact: SessionFact, chosen: Chosen, tell: Teller) -> Listed:
    wait = left_after_ms(fact) if fact.first_response_ms is None else fact.first_response_ms
    trace = chosen.trace(fact)
    return Listed(
        fact.conversation,
        tell.at(fact.started_at),
        tell.queue(fact.queue),
        tell.word(fact.verdict),
        tell.word(fact.why),
        "-" if wait is None else tell.lasting(wait),
        fact.verdict is Verdict.BREACHED,
        "" if trace is None else tell.word(f"cause_{trace.cause}"),
        trace is not None and trace.but_for,
        "" if trace is None else trace.incident,
        fact.definition,
    )


def _cells(fact: SessionFact, chosen: Chosen, zone: ZoneInfo) -> list[Cell]:
    trace = chosen.trace(fact)
    return [
        fact.conversation,
        fact.started_at,
        # Format: ISO 8601 to the second.
        local_time(fact.started_at, zone)[:19],
        fact.queue,
        str(fact.verdict),
        str(fact.why),
        fact.first_response_ms,
        fact.due_at,
        # Format: ISO 8601 to the second.
        local_time(fact.due_at, zone)[:19],
        fact.definition,
        None if fact.first_response_ms is not None else left_after_ms(fact),
        None if trace is None else str(trace.cause),
        None if trace is None else int(trace.but_for),
        None if trace is None else trace.incident,
    ]
