"""What is known of sites: plain values, saved and restored as MessagePack."""

from enum import StrEnum

import msgspec

from sla_engine._core.incidents.probe_time import ProbeClock, Run
from sla_engine._core.incidents.seen_from import Egress, Witnessed
from sla_engine._core.windows import DAY_MS, ZoneTable
from wire.facility import Comms, Power, Role, SelfTest
from wire.incident import Cause, IncidentSaid, MaintenanceOf, Severity
from wire.phone import Registration, TrunkState
from wire.uplink import LineReason, LineState


class SiteState(StrEnum):
    """The verdict on a site."""

    OK = "ok"
    DEGRADED = "degraded"
    REDUNDANCY_LOST = "redundancy_lost"
    ON_BATTERY = "on_battery"
    POWER_LOST = "power_lost"
    ISOLATED = "isolated"
    SILENT = "silent"
    UNKNOWN = "unknown"


class SiteReason(StrEnum):
    """Why: a key of the glossary."""

    OK = "ok"
    NEVER_HEARD = "never_heard"
    PROBE_SILENT = "probe_silent"
    PROBES_SILENT = "silent"
    SILENT_TOGETHER = "silent_together"
    SILENT_AT_WORK = "silent_at_work"
    SILENT_ON_BATTERY = "silent_on_battery"
    SILENT_LINES_DOWN = "silent_lines_down"
    MAINS_LOST = "mains_lost"
    BATTERY_LOW = "power_critical"
    BATTERY_WEAK = "battery_weak"
    BATTERY_WORN = "battery_worn"
    SELF_TEST_FAILED = "ups_self_test_failed"
    UPS_BYPASS = "power_bypass"
    UPS_OFF = "ups_off"
    UPS_STATUS_UNKNOWN = "ups_status_unknown"
    UPS_COMMS_LOST = "ups_comms_lost"
    LINES_DOWN = "incident_lines_down"
    LINE_DOWN = "incident_line_down"
    LINE_DEGRADED = "incident_line_degraded"
    FLAPPING = "incident_flapping"
    MAINS_FLAPPING = "incident_mains_flapping"
    PHONE_LINE_FLAPPING = "incident_phone_line_flapping"
    PHONE_LINE_DOWN = "incident_phone_line_down"
    SEATS_LOST = "incident_seats_lost"


class Hours(msgspec.Struct, frozen=True):
    """When the site serves, by the wall clock of `zone`: [opens_ms, closes_ms) after local midnight."""

    zone: ZoneTable
    opens_ms: int
    closes_ms: int
    day_starts_ms: int

    def local_ms(self, at: int) -> int:
        """Ms since local midnight."""
        return (at + self.zone.offset_at(at)) % DAY_MS

    def business_day(self, at: int) -> int:
        """Number of the business day."""
        return (at + self.zone.offset_at(at) - self.day_starts_ms) // DAY_MS

    def is_open(self, at: int) -> bool:
        """Whether the service window is open."""
        return within(self.local_ms(at), self.opens_ms, self.closes_ms)


def within(local_ms: int, opens_ms: int, closes_ms: int) -> bool:
    """Whether a time of day lies in a window that may cross midnight (closes_ms past a day, or before opens_ms)."""
    length_ms = (closes_ms - opens_ms) % DAY_MS or DAY_MS
    return (local_ms - opens_ms) % DAY_MS < length_ms


class SiteLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[incidents]` in defaults.toml.

    together_ms: probes of one site last heard within this of each other fell silent together. group_seats,
    group_percent, group_within_ms: so many seats, and such a share, of one row, switch, circuit or site that vanish so
    close together are one incident. settle_ms: how long a lone silence waits for others to follow. flapping_failovers
    within flapping_ms are one incident. elsewhere_ms: a connection that came over another line than its probe says for
    so long is believed to. replay_ms: a word older than the newest of its source by more than this is history.
    leaves_early_ms: before the end of a shift a seat may be switched off. recovery_ms: how long after a common trouble
    those it silenced may take to be heard again. look_every_ms: how often a site is looked at while seats of it fall
    silent one after the other. clock_seen_ms: for how long beats are watched before they tell that a clock is wrong.
    heartbeats_missed: a probe must have missed so many to fall silent with one that was noticed to be.
    heartbeats_prompt: a silence that is noticed within so many was noticed while the hub listened; later, it was the
    hub that was away. sites_agree: so many sites that see the same are independent observations.
    runs_remembered: earlier runs of a probe, and epochs that may be the next one's, that are told from a new start.
    """

    together_ms: int
    group_seats: int
    group_percent: int
    group_within_ms: int
    settle_ms: int
    flapping_failovers: int
    flapping_ms: int
    flapping_down_ms: int
    elsewhere_ms: int
    replay_ms: int
    leaves_early_ms: int
    recovery_ms: int
    look_every_ms: int
    clock_seen_ms: int
    heartbeats_missed: int
    heartbeats_prompt: int
    sites_agree: int
    runs_remembered: int
    hours: Hours


class Probe(msgspec.Struct):
    """One source at a site. heard_at: hub's ms it last spoke, None = never. silent_since: None = reporting.

    seat: "" for a gateway. interval_ms: between its heartbeats. told_at: the newest event time it spoke of, never later
    than its receipt. day: business day it was last heard in. said_silent_at, silent_index: when that was noticed, and
    by which entry. was_expected: it was to be there when it fell silent. covered_until: its silence belongs to a
    trouble of all the site, and for so long (ms) nothing else is made of it; grouped_until: likewise to its group's.
    """

    role: Role | None = None
    heard_at: int | None = None
    silent_since: int | None = None
    seat: str = ""
    interval_ms: int = 0
    told_at: int = 0
    day: int = -1
    said_silent_at: int = 0
    silent_index: int = 0
    was_expected: bool = False
    covered_until: int = 0
    grouped_until: int = 0
    run: Run = msgspec.field(default_factory=Run)
    clock: ProbeClock = msgspec.field(default_factory=ProbeClock)


class Ups(msgspec.Struct):
    """What one UPS said last, by the probe's time. `firm` is its last power state that says something by itself.

    self_test: how its last one went, as it said when last heard; self_test_date: when, in words of its own.
    began: what is wrong beside its power state, which may hold for months: since when (ms), and by which entry.
    """

    told_at: int
    power: Power
    comms: Comms
    since: int
    charge_percent: int | None
    runtime_ms: int | None
    low_battery: bool
    replace_battery: bool
    firm: Power | None
    firm_since: int
    firm_charge: int | None
    index: int = 0
    runtime_is_estimate: bool = False
    source: str = ""
    self_test: SelfTest | None = None
    self_test_date: str = ""
    began: dict[SiteReason, tuple[int, int]] = {}


class Line(msgspec.Struct):
    """One broadband line. state: the last one that is a finding or none (not `suspect`). since: of the trouble, ms.

    carried: traffic went over it when it was last up. moved_at: when it last moved away from this line. speaks_since:
    since when the probe's own connection rides on it, as the probe says. was_seen: and the hub once saw it do so.
    """

    told_at: int
    carrier: str
    state: LineState
    reason: LineReason
    since: int
    index: int
    carried: bool = False
    moved_at: int | None = None
    source: str = ""
    speaks_since: int | None = None
    was_seen: bool = False


class PhoneLine(msgspec.Struct):
    """One phone line, as last told."""

    told_at: int
    state: TrunkState
    registration: Registration
    via_line: str
    since: int
    index: int
    source: str = ""


class PlatformSeen(msgspec.Struct):
    """One platform from one seat, as last told. ran: its client was seen running there before, or is."""

    told_at: int
    source: str
    seat: str
    platform: str
    is_running: bool | None
    is_reachable: bool | None
    since: int
    index: int
    ran: bool = False


class Moved(msgspec.Struct, array_like=True):
    """Traffic moved to another line, or something went away. of: a FailoverOf, "egress" as the hub saw it, or its slot.

    carried: whether traffic went over it.
    """

    of: str
    at: int
    index: int
    carried: bool = True


class PlatformHere(msgspec.Struct, array_like=True):
    """How a platform looks from one site: seats that told of it, those it does not answer, and since when."""

    told: int
    failing: int
    since: int
    index: int


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """One trouble as it stands. slot: what it is about within its site, its identity while it lasts."""

    slot: str
    cause: Cause
    what: str
    subject: str
    severity: Severity
    is_suspected: bool
    is_planned: bool
    since: int
    first_index: int
    details: dict[str, str] = {}


class SeenAtWork(msgspec.Struct, array_like=True):
    """What conversations told of people that probes lost: whether they go on answering. at: by the hub, ms."""

    is_working: bool
    at: int


class Unexplained(msgspec.Struct):
    """A silence that no last word explained: what is sent afterwards may.

    said: the last revision of its incident once that is closed. since, until: of the silence, ms; until = 0 while it
    lasts. lines: told to have been down meanwhile. cause: as far as told.
    """

    incident: str
    since: int
    until: int = 0
    said: IncidentSaid | None = None
    lines: list[str] = []
    cause: Cause | None = None


class Site(msgspec.Struct):
    """A site's probes, power and lines, and the verdict shown last.

    seats_expected: as of `counted_minute` (minutes since the
    epoch), when `counted_present` of them reported; None = the site has none. look_again_at: when time alone may
    change what holds. looked_at: when it was judged last. clients, teams, shops: whom people here work for, in and by
    client whom they serve, while the site is not ok. went_down: which line, phone line or UPS's mains, at each loss.
    at_work: by what was asked about, "" = all the site. unexplained: its last silence of that kind.
    """

    probes: dict[str, Probe] = {}
    upses: dict[str, Ups] = {}
    lines: dict[str, Line] = {}
    phone_lines: dict[str, PhoneLine] = {}
    platforms: dict[str, PlatformSeen] = {}
    moved: list[Moved] = []
    state: SiteState = SiteState.UNKNOWN
    reason: SiteReason = SiteReason.NEVER_HEARD
    since: int = 0
    heard_at: int | None = None
    seats_expected: int | None = None
    counted_minute: int = -1
    is_planned: bool = False
    platforms_here: dict[str, PlatformHere] = {}
    findings: list[Finding] = []
    look_again_at: int | None = None
    looked_at: int = 0
    counted_present: int | None = None
    clients: list[str] = []
    teams: list[str] = []
    shops: dict[str, list[str]] = {}
    at_work: dict[str, SeenAtWork] = {}
    unexplained: Unexplained | None = None
    went_down: list[Moved] = []


class Open(msgspec.Struct):
    """An incident that lasts, as its newest revision says. site: "" = of no one site."""

    site: str
    finding: Finding
    said: IncidentSaid


class SilentFeed(msgspec.Struct):
    """A source of no site, such as a platform's connector, that is silent since it was heard last, ms."""

    since: int
    index: int


class Maintenance(msgspec.Struct):
    """Planned work. declared_at: when the hub learned of it."""

    of: MaintenanceOf
    site: str
    subject: str
    declared_at: int
    starts_at: int
    ends_at: int


class RosterLine(msgspec.Struct, frozen=True, array_like=True):
    """One link of the roster, as far as sites need it."""

    effective_from: int
    entered: int
    target: str
    effective_until: int | None
    attributes: dict[str, str]


class SiteRosterState(msgspec.Struct):
    """Relation -> subject -> links in order of effective_from; people: who ever sat on a seat; seats: of a site."""

    links: dict[str, dict[str, list[RosterLine]]] = {}
    people: dict[str, list[str]] = {}
    seats: dict[str, list[str]] = {}
    entered: int = 0


class SitesState(msgspec.Struct):
    """Every site of the operator. Plain values: it is saved and restored as MessagePack.

    open: incidents that last, by site and slot. unsaid: revisions that the ledger does not hold yet. recorded: the
    newest revision the ledger holds of an incident. feeds: silent sources of no site. strangers: senders that nobody
    had configured when they were heard. egress: by source. witnessed: by source and line.
    """

    limits: SiteLimits
    ledger_id: bytes
    sites: dict[str, Site] = {}
    site_of: dict[str, str] = {}
    roster: SiteRosterState = msgspec.field(default_factory=SiteRosterState)
    feeds: dict[str, SilentFeed] = {}
    maintenance: dict[str, Maintenance] = {}
    open: dict[str, Open] = {}
    unsaid: list[IncidentSaid] = []
    recorded: dict[str, int] = {}
    strangers: list[str] = []
    egress: dict[str, Egress] = {}
    witnessed: dict[str, dict[str, Witnessed]] = {}
    now: int = 0

    def site_with(self, source: str) -> str | None:
        """The site a source stands at; None where it stands at none, or that one was removed."""
        site_id = self.site_of.get(source)
        return site_id if site_id in self.sites else None
