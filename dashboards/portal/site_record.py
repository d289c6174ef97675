"""What the pages about sites show, as plain values, and whom the portal asks for them.

What one account sees of a site is what is true for everybody there (power, lines, phone lines, its gateway), and of
seats and incidents only those of the clients it may see.
"""

from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import msgspec

from wire.scope import Scope

One = TypeVar("One")


class Range(StrEnum):
    """How much of a site's past a page shows."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Look(StrEnum):
    """How a stretch of a lane looks. plain: nothing to judge. off: on purpose. none: no data, which is never good."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"
    NONE = "none"


class SiteAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A question. scope: of who asks. site: "" = the first one seen.

    until: 2026-11-01T12:00 by the page's clock, "" = now.
    """

    client: str
    language: str
    scope: Scope
    site: str = ""
    range: Range = Range.DAY
    until: str = ""


class Stretch(msgspec.Struct, frozen=True):
    """One state of a lane within [since, until), ms. word: the state. said: the same with its times."""

    since: int
    until: int
    look: Look
    word: str
    said: str


class LanePicture(msgspec.Struct, frozen=True):
    """One lane. level: 0 to 100 at instants (ms), a break where it is None; only of battery and seats."""

    title: str
    stretches: tuple[Stretch, ...]
    level: tuple[tuple[int, int | None], ...] = ()


class Mark(msgspec.Struct, frozen=True):
    """An incident on the time axis. until: its end, or that of the axis. board_at: ISO instant of its start.

    headline: what and where. said: the same with when and how long.
    """

    incident: str
    since: int
    until: int
    headline: str
    said: str
    lasted: str
    is_planned: bool
    board_at: str


class DischargePicture(msgspec.Struct, frozen=True):
    """One time on battery. charges: (ms, percent) as measured. empty_at: the projected end, None = cannot be told.

    ends_at: end of the time axis. until: None while it lasts. is_over: the mains are known to be back at `until`; else
    nothing was read from then on. said: in words; axis: labelled instants.
    """

    title: str
    since: int
    until: int | None
    ends_at: int
    charges: tuple[tuple[int, int], ...]
    empty_at: int | None
    said: str
    axis: tuple[tuple[int, str], ...]
    is_over: bool


class Spell(msgspec.Struct, frozen=True):
    """One time in which something was not as it should be, ready to show."""

    word: str
    since: str
    until: str
    lasted: str


class Repeated(msgspec.Struct, Generic[One], frozen=True):
    """What came so many times, ready to show. state: "" of incidents, whose title says it. every: the newest first."""

    title: str
    state: str
    times: int
    together: str
    longest: str
    every: tuple[One, ...]


class SitePage(msgspec.Struct, frozen=True, kw_only=True):
    """A site within [since, until), ms. sites: those that may be chosen.

    events: incidents of one kind together. spells: what was not as it should be, of one kind together; of
    `spells_found` times the newest `spells_listed` are told one by one. ends: `until` as it would be asked
    for, "" = now. earlier, later: likewise of the ranges around it; later is "now" where it reaches so far, "" at now.
    board_at: ISO instant of the end.
    """

    site: str
    name: str
    sites: tuple[tuple[str, str], ...]
    range: Range
    since: int
    until: int
    ends: str
    until_local: str
    earlier: str
    later: str
    head: tuple[str, ...]
    axis: tuple[tuple[int, str], ...]
    lanes: tuple[LanePicture, ...]
    incidents: tuple[Mark, ...]
    discharges: tuple[DischargePicture, ...]
    events: tuple[Repeated[Mark], ...]
    spells: tuple[Repeated[Spell], ...]
    spells_found: int
    spells_listed: int
    board_at: str


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. rows: its timeline: instant, the ledger entry where that may be seen, sentence.

    until: end of a range of the site's page that shows it. days: business days, first and last, whose sessions may have
    been missed for it. note: why the timeline is not all of it, "" = it is.
    """

    incident: str
    title: str
    site: str
    until: str
    board_at: str
    days: tuple[str, str]
    lines: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


class NotSeenError(Exception):
    """There is none of that name, or who asks may not see it: nobody is told which."""


class SiteRecord(Protocol):
    """Whoever reads the past of sites. Raises AskedWronglyError, NothingSaidError, NotSeenError."""

    def site(self, asked: SiteAsked) -> SitePage:
        """A site over time."""
        ...

    def site_file(self, asked: SiteAsked, form: str) -> bytes:
        """The same lanes as `csv` or `json`."""
        ...

    def incident(self, asked: SiteAsked, incident: str) -> IncidentPage:
        """What became of an incident, and what it rests on."""
        ...
