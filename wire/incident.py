"""Incidents of sites, planned work, and who took an incident on: written by the hub into the operator's ledger."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wire._fields import Count, Epoch, Instant, Name, OptionalName, Sequence, Word
from wire.body import Body
from wire.limits import ATTRIBUTES_MAX, EVIDENCE_MAX, HASH_BYTES

Leaf = Annotated[bytes, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
Leaves = Annotated[list[Leaf], Meta(max_length=EVIDENCE_MAX)]
Details = Annotated[dict[Word, Word], Meta(max_length=ATTRIBUTES_MAX)]

CHARGE: Final = "charge_percent"
"""Details: charge of the UPS it is about, when it became what it is."""
MINUTES_LEFT: Final = "minutes_left"
"""Details: whole minutes for which that UPS said it would last, then."""
MINUTES_LEFT_ESTIMATE: Final = "minutes_left_estimate"
"""Details: the same, of a UPS that does not say so itself, as its charge fell."""
ELSEWHERE: Final = "elsewhere"
"""Details: the line over which the hub sees come what the probe sends over this one."""
LINES_LOST: Final = "lines_lost"
"""Details: the broadband lines that went with the mains, as people call them, where those were all."""
SEATS_LOST: Final = "lost"
"""Details: seats of the group that fell silent together."""
SEATS_OF: Final = "of"
"""Details: seats of that group which had been there."""

SEATS_STAYED: Final = "stayed"
"""Details: seats of that group which went on reporting, by id; of very many the first."""
SITES: Final = "sites"
"""Details of what is of several sites: those that see it, by id."""
SITES_SINCE: Final = "sites_since"
"""Details: since when (ms) each of these does, in the same order."""
SITES_BEFORE: Final = "sites_before"
"""Details: those that saw it before and see it no more."""
SITES_REACHED: Final = "sites_reached"
"""Details: those whose own seats reach the platform meanwhile."""


class Cause(StrEnum):
    """What stood behind a miss or an incident. From agent_absent to none they are never incidents, only of misses.

    site_silent: nobody at the site could be reached, and whether its power or its lines failed is not known. clock: of
    a probe, which is never the cause of a miss.
    """

    SITE_POWER = "site_power"
    UPLINK = "uplink"
    PHONE_LINE = "phone_line"
    SEAT_GROUP = "seat_group"
    SEAT_DOWN = "seat_down"
    PLATFORM = "platform"
    ACCOUNT_OFFLINE = "account_offline"
    FEED_GAP = "feed_gap"
    MONITORING = "monitoring"
    AGENT_ABSENT = "agent_absent"
    SATURATION = "saturation"
    SURGE = "surge"
    NONE = "none"
    SITE_SILENT = "site_silent"
    CLOCK = "clock"


class IncidentStep(StrEnum):
    """What this revision of an incident says."""

    OPENED = "opened"
    CHANGED = "changed"
    CLOSED = "closed"


class Severity(StrEnum):
    """How it reaches people: call wakes, page is sent, ticket waits for the morning, info is only shown."""

    CALL = "call"
    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class IncidentSaid(Body, frozen=True, array_like=True, gc=False):
    """One revision of one incident; the highest revision of an id holds.

    incident: its id, computed from cause, site, subject and the instant it began. subject: the line, UPS, phone line,
    group, seat, platform or source; "" = the site. site: "" = of no one site, as a platform's. what: what happened, a
    key of the glossary without its `incident_` (mains_lost, battery_low, line_down, lines_down, flapping ...).
    is_suspected: not yet confirmed by two independent observations. is_planned: within maintenance that was declared
    before. started_at: event time; ended_at: None while it lasts. of_ledger, first_index, last_index, leaves: where the
    evidence is in the operator's ledger; leaves are of its first and its newest entries.
    """

    incident: Name
    revision: Count
    step: IncidentStep
    cause: Cause
    what: Name
    site: OptionalName
    subject: OptionalName
    severity: Severity
    is_suspected: bool
    is_planned: bool
    started_at: Instant
    ended_at: Instant | None
    of_ledger: Epoch
    first_index: Sequence
    last_index: Sequence
    leaves: Leaves = msgspec.field(default_factory=list)
    details: Details = msgspec.field(default_factory=dict)

    @property
    def word(self) -> str:
        """Key of the glossary for what happened."""
        return f"incident_{self.what}"

    @property
    def sites(self) -> frozenset[str]:
        """The sites it is about, and those that it was about; none where it is of no site by name."""
        named = (self.site, self.details.get(SITES, ""), self.details.get(SITES_BEFORE, ""))
        return frozenset(" ".join(named).split())

    @property
    def about(self) -> str:
        """What it is about as people call it: a line's carrier, else the subject; and by how much a clock is off."""
        named = self.details.get("carrier") or self.subject
        return " ".join(part for part in (named, self.details.get("offset", "")) if part)


class MaintenanceStep(StrEnum):
    """What is said of planned work."""

    PLANNED = "planned"
    STARTED = "started"
    ENDED = "ended"


class MaintenanceOf(StrEnum):
    """What is worked on."""

    SITE = "site"
    LINE = "line"
    UPS = "ups"
    FEED = "feed"


class MaintenanceSaid(Body, frozen=True, array_like=True, gc=False):
    """Planned work. occurred_at is when it was declared: work declared after it began excuses nothing.

    subject: the line, UPS or source; "" = all of the site. starts_at, ends_at: as planned, or as they came about.
    """

    maintenance: Name
    step: MaintenanceStep
    of: MaintenanceOf
    site: OptionalName
    subject: OptionalName
    starts_at: Instant
    ends_at: Instant
    reason: Word
    by: Word


class IncidentAcknowledged(Body, frozen=True, array_like=True, gc=False):
    """Somebody on duty took an incident on."""

    incident: Name
    by: Word


class WorkSeen(Body, frozen=True, array_like=True, gc=False):
    """What conversations tell of people whom probes lost: the second witness of an incident that is only suspected.

    subject: as the incident's, "" = all the site. since: what was asked about began then. usual, replies: replies of
    people there in as long before `since`, and after it. signed_out: accounts of theirs that their source says are
    signed out. is_working: whether they go on answering.
    """

    incident: Name
    site: Name
    subject: OptionalName
    since: Instant
    usual: Count
    replies: Count
    signed_out: Count
    is_working: bool
