"""The board: everything a screen or a scrape shows, as plain values, built by the engine's second stage.

None means "no data" and is never drawn as 0 or 100 %. Every ratio carries its counts. All instants are ms since the
Unix epoch, so a screen counts seconds itself and can tell when it grew stale.
"""

from enum import StrEnum
from typing import Final

import msgspec

from wire.ids import DERIVED_PREFIX
from wire.record import Feed
from wire.surge import Surge

RESPONSE_EDGES_MS: Final = (1_000, 3_000, 6_000, 10_000, 15_000, 20_000, 30_000, 60_000, 180_000)  # Format: of a metric
"""Upper edges of `Histogram` buckets: contracts judge by 6, 10, 20 and 30 s, platforms by 180 s."""


class Ratio(msgspec.Struct, frozen=True, gc=False):
    """part / whole; whole 0 = no data."""

    part: int
    whole: int


class Mean(msgspec.Struct, frozen=True, gc=False):
    """total_ms / count; count 0 = no data."""

    total_ms: int
    count: int


class ServiceLevel(msgspec.Struct, frozen=True, gc=False):
    """A service level under one named formula (docs/reference/board.md)."""

    formula: str
    threshold_ms: int
    ratio: Ratio


class Detail(msgspec.Struct, frozen=True, gc=False):
    """What reports and scrapes show beside the figures of a window; no screen does.

    near_limit: judged ones whose source's clock could have tipped them. not_judged: sessions neither met nor missed, by
    wire.verdict.Why. queue_wait, accept_wait, reply_wait: the parts of the wait of answered ones, where told. bot_time:
    before the queue of humans. transfers: of legs that are no unanswered_rings; unanswered_legs: of all legs, rings
    included, none where in none a reply was owed. voice_handle_time has no wrap-up in it and
    chat_handle_time is not adjusted for concurrency. quality_checked: of answered sessions that ended; quality_passed,
    quality_fatal: of those checked. docs/reference/metrics.md says what each is.
    """

    near_limit: int = 0
    nobody_online: int = 0
    not_served: int = 0
    answered_out_of_hours: int = 0
    not_judged: dict[str, int] = {}
    unanswered_turns: int = 0
    queue_wait: Mean = Mean(0, 0)
    accept_wait: Mean = Mean(0, 0)
    reply_wait: Mean = Mean(0, 0)
    bot_time: Mean = Mean(0, 0)
    transfers: Ratio = Ratio(0, 0)
    unanswered_rings: int = 0
    unanswered_legs: Ratio = Ratio(0, 0)
    voice_handle_time: Mean = Mean(0, 0)
    chat_handle_time: Mean = Mean(0, 0)
    resolution: Mean = Mean(0, 0)
    quality_checked: Ratio = Ratio(0, 0)
    quality_passed: Ratio = Ratio(0, 0)
    quality_fatal: int = 0


class Figures(msgspec.Struct, frozen=True, gc=False):
    """Counts of one window (interval or business day) for one queue, team, site or client.

    attainment: met / judged, in sessions, turns or people's days as the definition counts. first_response,
    seat_response: of answered sessions, both clocks.
    average_response: turn-based (M3). answer_wait: of answered. judged = met + breached; excluded apart.
    """

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    unanswered: int = 0
    excluded: int = 0
    attainment: Ratio = Ratio(0, 0)
    first_response: Mean = Mean(0, 0)
    seat_response: Mean = Mean(0, 0)
    average_response: Mean = Mean(0, 0)
    service_level: ServiceLevel | None = None
    answer_wait: Mean = Mean(0, 0)
    detail: Detail = Detail()


class Histogram(msgspec.Struct, frozen=True, gc=False):
    """How many durations fell into each bucket: counts[i] <= RESPONSE_EDGES_MS[i], the last one beyond every edge."""

    counts: tuple[int, ...] = (0,) * (len(RESPONSE_EDGES_MS) + 1)
    total_ms: int = 0


class Totals(msgspec.Struct, frozen=True, gc=False):
    """Sums of one queue since its ledger began, for counters: first revisions only, so that none ever falls.

    For eyes and pagers; what is settled is counted from facts. judged = met + breached.
    """

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    unanswered: int = 0
    excluded: int = 0
    met: int = 0
    judged: int = 0
    first_response: Histogram = Histogram()
    response: Mean = Mean(0, 0)


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """Who waits now. None when the queue's best feed is daily (T+1: no live tile).

    next_due_at: the earliest due instant that has not passed. overdue_since: the earliest that has, of those who still
    wait. oldest_due_at: when the oldest wait falls or fell due; None where it is for a later reply, which has no limit
    of its own and counts in the average. due_soon: of those not overdue, how many have passed the definition's warning
    and are due within `board.due_soon_max`.
    """

    waiting: int
    overdue: int
    oldest_since: int | None
    next_due_at: int | None
    open: int = 0
    overdue_since: int | None = None
    oldest_due_at: int | None = None
    due_soon: int = 0


class AgentCount(msgspec.Struct, frozen=True, gc=False):
    """How many people are in this presence and activity."""

    presence: str
    activity: str
    people: int


class SecondFigure(msgspec.Struct, frozen=True, gc=False):
    """The same sessions under another definition of the contract, a platform's own rules for one.

    name: the definition's, the same through its versions. definition: its label. official: False where its rules were
    learned from elsewhere than its author. The windows count what was decided; who is still open is not in them.
    """

    name: str
    definition: str
    title: str
    official: bool
    interval: Figures
    day: Figures


class Load(msgspec.Struct, frozen=True, gc=False):
    """Conversations at once in one person's hands, while there are any, since the business day began.

    mean: conversation-ms / ms. p95: at most so many for 95 % of that time. peak: the most anybody had.
    """

    mean: Ratio
    p95: int
    peak: int


class Staffing(msgspec.Struct, frozen=True, gc=False):
    """People ready or serving beside the seats a client, or one of its shops, pays for.

    shop: "" = all of the client. half_hour_start: of the running half hour. staffed: person-ms / ms of it so far.
    contracted: seats, None where the roster states none. shortfall_ms: seat-ms of today's service window in which fewer
    people were there than are paid for, half hour by half hour; None without contracted seats.
    """

    shop: str
    half_hour_start: int
    staffed: Ratio
    contracted: int | None
    shortfall_ms: int | None


class Unbounded(StrEnum):
    """Why nobody can say how many sessions are missing, so that attainment has no bounds."""

    STILL_SILENT = "loss_still_silent"
    NOT_COUNTED = "loss_not_counted"
    NOT_NUMBERED = "loss_not_numbered"
    NOTHING_TOLD = "loss_nothing_told"
    NOT_BY_SESSION = "loss_not_by_session"


class Coverage(msgspec.Struct, frozen=True, gc=False):
    """How much of today's service window every live feed was provably there: ms covered / ms of window so far.

    missing: sessions that declared losses stand for, None where nobody can say. worst, best: the attainment if all of
    them had been missed, and met. unbounded: why these are None, itself None where they are not.
    """

    time: Ratio
    missing: int | None
    worst: Ratio | None
    best: Ratio | None
    unbounded: Unbounded | None = None


class Tile(msgspec.Struct, frozen=True, gc=False):
    """One queue, team, site or client. `live` is None for T+1 queues and wherever no feed was ever heard.

    stale_since: set while every feed of this tile is silent. unsequenced: some source cannot number its events.
    target_first_response_ms etc. are None where the contract states none. totals: queues only; no screen shows it.
    seconds: queues and clients, in the order of the contract. saturation: conversations in the hands of people who are
    ready / how many they are meant to hold. occupancy: ms serving / ms ready or serving today. load: teams, sites and
    clients. staffing, coverage: clients. surge: teams. followed: waits, or people, somebody who leads looks after.
    name_en: where English readers see another one.
    """

    scope: str
    id: str
    client: str
    name: str
    feed: Feed | None
    live: Waiting | None
    interval: Figures
    day: Figures
    agents: list[AgentCount]
    stale_since: int | None = None
    unsequenced: bool = False
    definition: str = ""
    first_response_limit_ms: int | None = None
    warning_after_ms: int | None = None
    average_good_ms: int | None = None
    average_limit_ms: int | None = None
    attainment_target: Ratio | None = None
    totals: Totals | None = None
    seconds: list[SecondFigure] = []
    saturation: Ratio | None = None
    occupancy: Ratio | None = None
    load: Load | None = None
    staffing: list[Staffing] = []
    coverage: Coverage | None = None
    surge: Surge | None = None
    followed: int = 0
    name_en: str = ""


class LineTile(msgspec.Struct, frozen=True, gc=False):
    """One broadband line or phone line of a site. name: its carrier, or its id where none is told. since: ms.

    state: a value of wire.uplink.LineState or wire.phone.TrunkState. word: key of the glossary for it.
    """

    id: str
    name: str
    state: str
    word: str
    since: int


class TroubleTile(msgspec.Struct, frozen=True, gc=False):
    """What is wrong at a site, one of a kind: a wire.incident `what`, of how many things, since when (ms)."""

    what: str
    count: int
    since: int
    is_suspected: bool
    is_planned: bool


class SiteTile(msgspec.Struct, frozen=True, gc=False):
    """One site: verdict, power, reporters. `reason` is a glossary key naming the cause; since = instant it holds from.

    state: ok, degraded, redundancy_lost, on_battery, power_lost, isolated, silent, unknown.
    power: a wire.facility.Power value or None when no UPS was ever heard. runtime_is_estimate: not claimed by the unit
    but told from how fast its charge falls. self_test: a wire.facility.SelfTest value, the worst of its UPSes, None
    when none tells of tests; self_test_ups: whose; self_test_date: in that UPS's own words. seats_present,
    seats_expected: that report,
    and that are to be there by shift or by having been there that day; None where the site has no seats. is_planned:
    some of what is wrong is work that was declared before. lines, phone_lines: by id. troubles: the gravest first.
    clients, teams, shops (by client): ids of those whom people at the site work for, by the roster; only while not ok.
    name_en, shops_en: where English readers see others.
    """

    id: str
    name: str
    state: str
    reason: str
    since: int
    power: str | None
    comms: str | None
    charge_percent: int | None
    runtime_ms: int | None
    probes_reporting: int
    probes_known: int
    last_heard_at: int | None
    runtime_is_estimate: bool = False
    seats_present: int | None = None
    seats_expected: int | None = None
    is_planned: bool = False
    lines: list[LineTile] = []
    phone_lines: list[LineTile] = []
    troubles: list[TroubleTile] = []
    clients: list[str] = []
    self_test: str | None = None
    self_test_ups: str = ""
    self_test_date: str = ""
    teams: list[str] = []
    shops: dict[str, list[str]] = {}
    name_en: str = ""
    shops_en: dict[str, list[str]] | None = None


class PersonTile(msgspec.Struct, frozen=True, gc=False):
    """One person of one client as they work now; never a name.

    id: staff number, or the sub-account with `~` before it where the roster maps none. presence, activity: values of
    wire.conversation, None = nobody told of them. since: when the presence was chosen (ms), None = not known. hands,
    limit: conversations in hands, and meant to be at most. waiting, overdue: of those, owed a reply, and past due.
    oldest_since: start of the longest wait; due_at: the earliest due instant, passed or not. overdue_today: first
    responses of the business day that were missed or are past due. stale_since: set while everybody who tells of this
    person is silent. followed_at: somebody looks after it since then. oldest: the conversation that waits longest; no
    screen shows it.
    """

    id: str
    client: str
    team: str
    seat: str
    site: str
    presence: str | None = None
    activity: str | None = None
    since: int | None = None
    hands: int = 0
    limit: int = 0
    waiting: int = 0
    overdue: int = 0
    oldest_since: int | None = None
    due_at: int | None = None
    overdue_today: int = 0
    stale_since: int | None = None
    followed_at: int | None = None
    followed_by: str = ""
    oldest: str = ""

    @property
    def key(self) -> str:
        """Tells this person from all others: an account that the roster does not map is its client's own."""
        return f"{self.client}|{self.id}" if self.id.startswith(DERIVED_PREFIX) else self.id


class SeatTile(msgspec.Struct, frozen=True, gc=False):
    """Where a seat stands, by the roster: row and column as written there, "" = not told.

    reports: whether its own probe does, None = none was ever heard.
    """

    id: str
    site: str
    row: str
    column: str
    reports: bool | None


class Board(msgspec.Struct, frozen=True, gc=False):
    """One screen's worth. as_of: hub's instant up to which entries are folded; computed_at: when this was made.

    interval_start, day_start: starts (ms) of the 15-minute interval and business day the figures are of.
    unknown_sources: senders that nobody had configured when they were heard. people, seats: only while somebody
    looks at them. record_ahead_ms: how far the record is ahead of the hub's clock where that is too far for live
    tiles, which are None then; 0 otherwise.
    """

    as_of: int
    computed_at: int
    watermark: int | None
    interval_start: int
    day_start: int
    clients: list[Tile]
    queues: list[Tile]
    teams: list[Tile]
    site_figures: list[Tile]
    sites: list[SiteTile]
    entries: int
    quarantined: int
    gaps: int
    unrouted: int
    equivocations: int
    unknown_sources: list[str] = []
    people: list[PersonTile] = []
    seats: list[SeatTile] = []
    record_ahead_ms: int = 0
