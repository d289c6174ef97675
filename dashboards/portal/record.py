"""What the portal shows, as plain values, and whom it asks for them. Everything of one client only.

The words in it are in the language asked for. Of sites the implementation blocks and is called in threads.

* AskedWronglyError: the reader's to cure, such as a date that is none.
* StillReadingError: it takes a while; whoever asks again gets it.
* NothingSaidError: the record has no rules to count by, or cannot be read; `says` is a key of the glossary.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from dashboards.portal.site_record import SiteRecord
from dashboards.portal.which import Which
from wire.board import Ratio
from wire.scope import Scope


class AskedWronglyError(ValueError):
    """What was asked for cannot be: a date, a queue. says: why, a key of the glossary; filled: what stands in it."""

    def __init__(self, what: str, says: str = "portal_asked_wrongly", **filled: object) -> None:
        super().__init__(what)
        self.says = says
        self.filled = filled


class NothingSaidError(Exception):
    """There is nothing to show. says: why, a key of the glossary."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says = says


class StillReadingError(Exception):
    """The answer is being made. entries: so many were read, of so many (0 = nobody can say yet), since so long (ms)."""

    def __init__(self, entries: int, of: int, since_ms: int) -> None:
        super().__init__(f"{entries} of {of} entries read for {since_ms} ms")
        self.entries = entries
        self.of = of
        self.since_ms = since_ms


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question. first, last: business days as 2026-11-01, both included; "" = the last days. queue: "" = all."""

    client: str
    language: str
    first: str = ""
    last: str = ""
    queue: str = ""


class Table(msgspec.Struct, frozen=True):
    """Rows of cells under a header, ready to show; the total last.

    figures: by column, the one of whose sessions there is a list, or "".
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...]
    figures: tuple[str, ...]


class Bin(msgspec.Struct, frozen=True):
    """First responses of one second: in time, and late."""

    met: int = 0
    missed: int = 0
    unjudged: int = 0


class Limited(msgspec.Struct, frozen=True):
    """First responses under one limit by whole seconds; the last bin holds what took longer.

    no_reply: missed ones that nobody answered; they have no place among the bins.
    """

    limit_ms: int
    bins: tuple[Bin, ...]
    no_reply: int

    @property
    def sessions(self) -> int:
        """How many the limit was in force for."""
        return self.no_reply + sum(each.met + each.missed + each.unjudged for each in self.bins)


class Histogram(msgspec.Struct, frozen=True):
    """First responses by the limit in force for each: a promotion day has its own. At least one, the shortest first."""

    limits: tuple[Limited, ...]

    @property
    def bins(self) -> tuple[Bin, ...]:
        """Those of all limits together."""
        seconds = zip(*(each.bins for each in self.limits), strict=True)
        return tuple(
            Bin(*(sum(counts) for counts in zip(*((b.met, b.missed, b.unjudged) for b in second), strict=True)))
            for second in seconds
        )

    @property
    def no_reply(self) -> int:
        """Those of all limits together."""
        return sum(each.no_reply for each in self.limits)


class Lane(msgspec.Struct, frozen=True):
    """A stretch of a day that an incident took, in thousandths of that day."""

    start: int
    end: int
    said: str
    incident: str


class CauseCount(msgspec.Struct, frozen=True):
    """How many misses one cause stands behind. cause: of wire.incident.Cause. but_for: they were met but for it."""

    cause: str
    count: int
    but_for: bool


class Day(msgspec.Struct, frozen=True):
    """One business day. attainment, covered: whole 0 = no data."""

    name: str
    attainment: Ratio
    covered: Ratio
    incidents: tuple[Lane, ...] = ()


class Arrivals(msgspec.Struct, frozen=True):
    """One business day by five minutes from its start, the same day a week before, attainment by 15 minutes."""

    day: str
    starts_minute: int
    counts: tuple[int, ...]
    week_before: tuple[int, ...] | None
    attainment: tuple[Ratio, ...]


class Staffing(msgspec.Struct, frozen=True):
    """People there and seats paid for in one hour or day, in hundredths of a seat; None = nobody can say."""

    name: str
    staffed: int | None
    contracted: int | None


class ServedPage(msgspec.Struct, frozen=True, kw_only=True):
    """What pages about a client's service have in common. first, last: business days.

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


class ServicePage(ServedPage, frozen=True, kw_only=True):
    """How a client was served. heat: weekday (Monday first) x hour of the day. causes: None = nothing was judged."""

    summary: tuple[tuple[str, str], ...]
    histogram: Histogram
    days: tuple[Day, ...]
    causes: tuple[CauseCount, ...] | None
    heat: tuple[tuple[Ratio, ...], ...]
    arrivals: Arrivals
    staffing: tuple[Staffing, ...]
    tables: tuple[Table, ...]


class Listed(msgspec.Struct, frozen=True):
    """One session, in words. wait: until the reply, or until nobody waited any more.

    cause, incident: of a miss, "" where it is none. but_for: it was met but for that.
    """

    conversation: str
    started: str
    queue: str
    verdict: str
    why: str
    wait: str
    is_missed: bool
    cause: str
    but_for: bool
    incident: str
    definition: str


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions of a time, page by page from 1 on. common: what all `found` of them have in common, in words."""

    first: str
    last: str
    queue: str
    common: tuple[str, ...]
    found: int
    page: int
    pages: int
    sessions: tuple[Listed, ...]


class Section(msgspec.Struct, frozen=True):
    """A heading, lines, and a table under it (rows of cells)."""

    title: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class ConversationPage(msgspec.Struct, frozen=True):
    """One conversation: its timeline, then every session. is_known: False = the ledger holds nothing of it."""

    conversation: str
    is_known: bool
    sections: tuple[Section, ...]


class RulesPage(msgspec.Struct, frozen=True):
    """Contracts, then definitions that were entered, the one in force first; each in plain words."""

    contracts: tuple[Section, ...]
    definitions: tuple[Section, ...]


class Found(msgspec.Struct, frozen=True):
    """What a search came to: ids of conversations, and, where none, what the record holds of that time."""

    conversations: tuple[str, ...]
    holds: tuple[str, ...]


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


class YearPage(ServedPage, frozen=True, kw_only=True):
    """How a client was served over some months. header, total: of their table, without the name of a month."""

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


class Record(Protocol):
    """Whoever reads the ledgers. Raises AskedWronglyError, NothingSaidError; the pages StillReadingError."""

    @property
    def sites(self) -> SiteRecord:
        """Whoever reads the past of sites."""
        ...

    @property
    def years(self) -> YearRecord:
        """Whoever reads a year."""
        ...

    def clients(self, scope: Scope, language: str = "") -> Sequence[tuple[str, str]]:
        """(id, name) of the clients that may be seen, in order. language: of the names."""
        ...

    async def service(self, asked: Asked) -> ServicePage:
        """How a client was served."""
        ...

    async def service_file(self, asked: Asked, form: str) -> bytes:
        """The figures by day as `csv` or `json`."""
        ...

    async def picture_file(self, asked: Asked, picture: str, form: str) -> bytes:
        """What one picture of it is drawn from, as `csv` or `json`."""
        ...

    async def sessions(self, asked: Asked, which: Which, page: int) -> ListPage:
        """Sessions behind a figure. page: from 1 on; beyond the last one, the last."""
        ...

    async def sessions_file(self, asked: Asked, which: Which, form: str) -> bytes:
        """The same, all of them, as `csv` or `json`."""
        ...

    async def conversation(self, asked: Asked, conversation: str) -> ConversationPage:
        """Why a conversation counts as what it counts."""
        ...

    async def rules(self, asked: Asked) -> RulesPage:
        """What a client is served by."""
        ...

    async def search(self, asked: Asked, typed: str, hour: str) -> Found:
        """Conversations that `typed` names, within the days asked for, or within one hour ("09") of the first of them.

        What was typed is kept nowhere.
        """
        ...
