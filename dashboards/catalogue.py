"""Every metric Seatwatch exposes, and no other: name, type, labels, unit, meaning.

Units are base units (seconds, bytes, ratio), names start with `seatwatch_`. No label ever names a person, a
conversation, a seat or an account: the values of the labels in ID_LABELS are ids from the configuration or of what
pages somebody, those in NAME_LABELS their names, those of every other label come from a closed list.
dashboards/measures.py is the rest of the catalogue: what the figures behind them mean.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dashboards.alerting._core.kinds import CALLS_MAX, LAYER_OF, Layer
from wire.conversation import Activity, Presence
from wire.enrolment import Access, Refusal
from wire.errors import Reason, require
from wire.identity import IdentityStep
from wire.incident import Severity
from wire.verdict import Notice

PREFIX: Final = "seatwatch_"
OTHER: Final = "other"
"""The label value that stands for everything beyond the series cap, and for words no closed list knows."""


class Type(StrEnum):
    """OpenMetrics types we use."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family. `name` has no `_total`, `_bucket` and so on; `labels` lists all of them but a histogram's `le`."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""


CATALOGUE: Final[dict[str, Metric]] = {}
"""Every metric by its name, in the order of exposition."""

SITE_STATES: Final = (
    "ok",
    "degraded",
    "redundancy_lost",
    "on_battery",
    "power_lost",
    "isolated",
    "silent",
    "unknown",
    OTHER,
)
OUTCOMES: Final = ("answered", "abandoned", "short_abandoned", "unanswered", "excluded")
WINDOWS: Final = ("interval", "day")
SCOPES: Final = ("queue", "team", "site", "ledger", "incident")

REFUSALS: Final = ("busy", "discarded", "too_often", "unauthorised")
"""Why a door turned away what may have been a good frame."""

ANOMALIES: Final = (
    *("late", "too_late", "illegal", "no_queue", "forgotten_open"),
    *("definition_refused", "contract_refused", "unreadable", OTHER),
)
"""What entries may do instead of what they say: docs/reference/definitions.md, what is counted as odd."""

LABEL_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "window": WINDOWS,
    "outcome": OUTCOMES,
    "state": SITE_STATES,
    "presence": (*Presence, OTHER),
    "activity": (*Activity, OTHER),
    "reason": (*Reason, OTHER),
    "refusal": (*Reason, *REFUSALS, OTHER),
    "scope": SCOPES,
    "notice": tuple(Notice),
    "anomaly": ANOMALIES,
    "what": (*LAYER_OF, OTHER),
    "severity": tuple(Severity),
    "layer": tuple(Layer),
    "tier": tuple(str(call) for call in range(1, CALLS_MAX + 1)),
    "result": ("sent", "failed"),
    "step": tuple(IdentityStep),
    "error": tuple(Refusal),
    "access": tuple(Access),
}
"""The closed lists. Labels not listed here are ids from the configuration, their names, and `version`."""

ID_LABELS: Final = ("client", "queue", "team", "site", "definition", "ledger", "subject", "channel", "incident")
NAME_LABELS: Final = ("client_name", "queue_name", "team_name", "site_name", "name_zh", "name_en")
"""What people call an id: only on the `_info` of its kind, so that a new name breaks no other series."""
_CLIENT: Final = ("client",)
_QUEUE: Final = ("client", "queue")
_TEAM: Final = ("client", "team")
_INCIDENT: Final = ("site", "subject", "what", "severity", "layer")


def _metric(name: str, type_: Type, help_: str, labels: tuple[str, ...] = (), unit: str = "") -> Metric:
    """Enter one metric. Crashes on a name that is taken, unprefixed or without its unit."""
    metric = Metric(PREFIX + name, type_, help_, labels, unit)
    require(metric.name not in CATALOGUE, f"{metric.name} is in the catalogue twice")
    require(not unit or name.endswith(f"_{unit}"), f"{metric.name} does not end in its unit {unit}")
    require(help_.endswith("."), f"{metric.name}: the meaning is a sentence")
    unknown = set(labels) - {*ID_LABELS, *NAME_LABELS, *LABEL_VALUES, "version"}
    require(not unknown, f"{metric.name} has labels nobody closed: {sorted(unknown)}")
    CATALOGUE[metric.name] = metric
    return metric


# --- what people call them
_CALLED: Final = "What people call it: by `name_zh`, by `name_en`, and on boards by both in one."
CLIENT_NAMES = _metric("client", Type.INFO, _CALLED, ("client", "client_name", *NAME_LABELS[-2:]))
QUEUE_NAMES = _metric("queue", Type.INFO, _CALLED, (*_QUEUE, "client_name", "queue_name", *NAME_LABELS[-2:]))
TEAM_NAMES = _metric("team", Type.INFO, _CALLED, (*_TEAM, "client_name", "team_name", *NAME_LABELS[-2:]))
SITE_NAMES = _metric("site", Type.INFO, _CALLED, ("site", "site_name", *NAME_LABELS[-2:]))

# --- queues, now
WAITING = _metric(
    "waiting_conversations", Type.GAUGE, "Conversations in which a customer is owed a human reply right now.", _QUEUE
)
OVERDUE = _metric(
    "overdue_conversations", Type.GAUGE, "Of those waiting, how many longer than the promise allows.", _QUEUE
)
OPEN = _metric("open_conversations", Type.GAUGE, "Conversations that have begun and are not resolved.", _QUEUE)
OLDEST_WAIT = _metric(
    "oldest_wait_seconds",
    Type.GAUGE,
    "How long the customer who has waited longest has been waiting; 0 when nobody waits.",
    _QUEUE,
    "seconds",
)
FEED_STALE = _metric("feed_stale", Type.GAUGE, "1 while every feed of the queue is silent, else 0.", _QUEUE)

# --- queues, by window
OFFERED = _metric("window_offered", Type.GAUGE, "Sessions offered in the running window.", (*_QUEUE, "window"))
SESSIONS = _metric(
    "window_sessions",
    Type.GAUGE,
    "Sessions of the running window by how the wait for a first response ended.",
    (*_QUEUE, "window", "outcome"),
)
JUDGED = _metric(
    "window_judged", Type.GAUGE, "First responses judged in the running window: met and missed.", (*_QUEUE, "window")
)
MET = _metric("window_met", Type.GAUGE, "Of those judged, how many within the limit.", (*_QUEUE, "window"))
AVERAGE_RESPONSE = _metric(
    "window_average_response_seconds",
    Type.GAUGE,
    "Mean time from a customer turn to the reply that answers it; absent while there is none.",
    (*_QUEUE, "window"),
    "seconds",
)
RESPONSES = _metric(
    "window_responses", Type.GAUGE, "Answered turns behind the average response of the window.", (*_QUEUE, "window")
)
NEAR_LIMIT = _metric(
    "window_near_limit",
    Type.GAUGE,
    "Of those judged, how many lie so near their limit that the resolution of the source's clock could have "
    "tipped them.",
    (*_QUEUE, "window"),
)
NOBODY_ONLINE = _metric(
    "window_nobody_online",
    Type.GAUGE,
    "Sessions of the running window that began while nobody was ready.",
    (*_QUEUE, "window"),
)
NOT_SERVED = _metric(
    "window_not_served",
    Type.GAUGE,
    "Sessions of the running window that a platform would call not served.",
    (*_QUEUE, "window"),
)
SECOND_JUDGED = _metric(
    "window_second_judged",
    Type.GAUGE,
    "Judged in the running window under another definition of the contract, in that definition's unit.",
    (*_QUEUE, "definition", "window"),
)
SECOND_MET = _metric(
    "window_second_met",
    Type.GAUGE,
    "Of those judged under that definition, how many within its limit.",
    (*_QUEUE, "definition", "window"),
)
SATURATION = _metric(
    "saturation_ratio",
    Type.GAUGE,
    "Conversations in the hands of people who are ready, of those they are meant to hold; absent while "
    "nobody is ready.",
    _QUEUE,
    "ratio",
)

# --- queues, since the ledger began
OFFERED_TOTAL = _metric("offered_sessions", Type.COUNTER, "Sessions offered since the ledger began.", _QUEUE)
SESSIONS_TOTAL = _metric("sessions", Type.COUNTER, "Sessions since the ledger began, by outcome.", (*_QUEUE, "outcome"))
JUDGED_TOTAL = _metric("judged", Type.COUNTER, "First responses judged since the ledger began.", _QUEUE)
MET_TOTAL = _metric("met", Type.COUNTER, "First responses within the limit since the ledger began.", _QUEUE)
FIRST_RESPONSE = _metric(
    "first_response_seconds",
    Type.HISTOGRAM,
    "First response by the customer's clock; the edges are what contracts judge by.",
    _QUEUE,
    "seconds",
)
RESPONSE = _metric(
    "response_seconds", Type.SUMMARY, "Turn-based response time since the ledger began.", _QUEUE, "seconds"
)
AGENTS = _metric(
    "agents", Type.GAUGE, "People on the queue by presence and activity.", (*_QUEUE, "presence", "activity")
)

# --- teams
TEAM_JUDGED = _metric("team_judged", Type.GAUGE, "First responses of the team judged today.", _TEAM)
TEAM_MET = _metric("team_met", Type.GAUGE, "Of those judged, how many within the limit.", _TEAM)
TEAM_AVERAGE_RESPONSE = _metric(
    "team_average_response_seconds",
    Type.GAUGE,
    "Turn-based average response of the team today; absent while there is none.",
    _TEAM,
    "seconds",
)
TEAM_AGENTS = _metric(
    "team_agents", Type.GAUGE, "People of the team by presence and activity.", (*_TEAM, "presence", "activity")
)
TEAM_SATURATION = _metric(
    "team_saturation_ratio",
    Type.GAUGE,
    "Conversations in the hands of the team's ready people, of those they are meant to hold; absent without any.",
    _TEAM,
    "ratio",
)
TEAM_OCCUPANCY = _metric(
    "team_occupancy_ratio",
    Type.GAUGE,
    "Time the team's people served, of the time they were ready or serving today; absent while there is none.",
    _TEAM,
    "ratio",
)
TEAM_SURGE = _metric(
    "team_surge_conversations",
    Type.GAUGE,
    "Conversations of the team between warning and due while there is a surge, else 0.",
    _TEAM,
)

# --- clients
STAFFED = _metric(
    "staffed_seats",
    Type.GAUGE,
    "People ready or serving, weighted by time over the running half hour; absent where no presence is told.",
    _CLIENT,
)
CONTRACTED = _metric(
    "contracted_seats", Type.GAUGE, "Seats the client pays for; absent where the roster states none.", _CLIENT
)
SHORTFALL = _metric(
    "seat_shortfall_seconds",
    Type.GAUGE,
    "Seat-seconds of today's service window in which fewer people were there than are paid for; absent without either.",
    _CLIENT,
    "seconds",
)
COVERAGE = _metric(
    "coverage_ratio",
    Type.GAUGE,
    "Share of today's service window in which every live feed was provably there; absent before it opens.",
    _CLIENT,
    "ratio",
)

# --- sites
SITE_STATE = _metric(
    "site_state",
    Type.GAUGE,
    "1 for the state the site is in, 0 for the others; of `other`, how many sites are in it.",
    ("site", "state"),
)
SITE_STATE_SINCE = _metric(
    "site_state_since_timestamp_seconds", Type.GAUGE, "When the site entered that state.", ("site",), "seconds"
)
SITE_LAST_HEARD = _metric(
    "site_last_heard_timestamp_seconds",
    Type.GAUGE,
    "When anything was last heard from the site; absent if never.",
    ("site",),
    "seconds",
)
PROBES_REPORTING = _metric("probes_reporting", Type.GAUGE, "Probes of the site that report in time.", ("site",))
PROBES_KNOWN = _metric("probes_known", Type.GAUGE, "Probes of the site that are known.", ("site",))
SEATS_PRESENT = _metric("seats_present", Type.GAUGE, "Seats of the site that report; absent without any.", ("site",))
SEATS_EXPECTED = _metric("seats_expected", Type.GAUGE, "Seats that are to be there by shift or habit.", ("site",))
UPS_ON_BATTERY = _metric(
    "ups_on_battery", Type.GAUGE, "1 while a UPS carries the site, else 0; absent without a UPS.", ("site",)
)
UPS_COMMS_OK = _metric(
    "ups_comms_ok", Type.GAUGE, "1 while what the UPS says can be trusted, else 0; absent without a UPS.", ("site",)
)
UPS_CHARGE = _metric(
    "ups_charge_ratio", Type.GAUGE, "Battery charge, 0 to 1; absent where unknown.", ("site",), "ratio"
)
UPS_RUNTIME = _metric(
    "ups_runtime_seconds", Type.GAUGE, "Runtime left as the UPS claims; absent where unknown.", ("site",), "seconds"
)

# --- incidents, and how they reach people
INCIDENT_OPEN = _metric("incident_open", Type.GAUGE, "Open incidents, paged or not.", _INCIDENT)
INCIDENT_PAGING = _metric(
    "incident_paging",
    Type.GAUGE,
    "1 while it is to page that tier of the duty list, 0 for some minutes after; what the shipped rules alert on.",
    ("incident", *_INCIDENT, "tier"),
)
ALERT_PUSHES = _metric("alert_pushes", Type.COUNTER, "Pushes of alerts to an Alertmanager.", ("result",))
NOTIFICATIONS = _metric(
    "notifications", Type.COUNTER, "Messages to people, by channel: taken by it, or not.", ("channel", "result")
)

# --- intake
FRAMES = _metric("frames", Type.COUNTER, "Frames received, whatever became of them.")
FRAMES_REFUSED = _metric(
    "frames_refused", Type.COUNTER, "Frames and requests of which nothing was stored, by reason.", ("refusal",)
)
FRAME_BYTES = _metric("frame_bytes", Type.COUNTER, "Bytes of the frames received.", unit="bytes")
ACCEPTED = _metric("accepted", Type.COUNTER, "Items made durable for the first time.")
REPEATS = _metric("repeats", Type.COUNTER, "Items that were already durable, byte for byte.")
QUARANTINED = _metric("quarantined", Type.COUNTER, "Items not taken, kept aside, by reason.", ("reason",))
EQUIVOCATIONS = _metric("equivocations", Type.COUNTER, "Items whose key was taken by a different body.")
GAPS = _metric("gaps", Type.COUNTER, "Holes that a source declared.")
UNROUTED = _metric("unrouted", Type.COUNTER, "Items whose queue belongs to no contract.")
UNKNOWN_SOURCES = _metric(
    "unknown_sources", Type.GAUGE, "Senders of no configured site or connector, heard since the start or enrolled."
)
COMMIT = _metric("commit_seconds", Type.HISTOGRAM, "Time of one group commit, fsync included.", unit="seconds")
WAITING_ROWS = _metric(
    "intake_waiting_rows", Type.GAUGE, "Items that wait for a commit: how far the intake is behind the disk."
)
AHEAD = _metric(
    "record_ahead_seconds",
    Type.GAUGE,
    "How far time on the record is ahead of the hub's clock; 0 unless that was set back.",
    unit="seconds",
)
LEDGER_ENTRIES = _metric("ledger_entries", Type.GAUGE, "Entries in the ledger.", ("ledger",))
ENGINE_LAG = _metric(
    "engine_lag_entries", Type.GAUGE, "Entries in the ledger that the engine has not folded yet.", ("ledger",)
)
ENGINE_ANOMALIES = _metric(
    "engine_anomalies",
    Type.COUNTER,
    "Entries that did not do what they said since the ledger began, and conversations that named no queue or no end.",
    ("ledger", "anomaly"),
)
LATENESS = _metric(
    "announcement_lateness_seconds",
    Type.HISTOGRAM,
    "How late a warning or overdue notice was said after the instant it was owed; so also where a source tells late.",
    ("notice",),
    "seconds",
)

# --- who may speak
IDENTITY_STEPS = _metric("identity_steps", Type.COUNTER, "Steps of identities since the store began.", ("step",))
ENROLMENT_REFUSED = _metric("enrolment_refused", Type.COUNTER, "Requests for an identity refused.", ("error",))
BROKER_DENIED = _metric("broker_denied", Type.COUNTER, "What the broker denied, as its log tells.", ("access",))

# --- the board and its screens
BOARD_AGE = _metric("board_age_seconds", Type.GAUGE, "How old the board is.", unit="seconds")
BOARD_AS_OF = _metric("board_as_of_timestamp_seconds", Type.GAUGE, "Up to when the board is true.", unit="seconds")
SCREENS = _metric("screens_connected", Type.GAUGE, "Screens that hold an event stream.")
SCREENS_REFUSED = _metric("screens_refused", Type.COUNTER, "Screens turned away because too many were connected.")
SCREEN_FRAMES = _metric("screen_frames", Type.COUNTER, "Boards sent to screens, whole or as a difference.")
SCREEN_FRAMES_DROPPED = _metric(
    "screen_frames_dropped", Type.COUNTER, "Boards a slow screen never got because a newer one replaced them."
)

# --- the scrape itself
IDS_CAPPED = _metric(
    "metrics_ids_capped", Type.GAUGE, "Ids summed up under `other` because of the series cap.", ("scope",)
)
SCRAPE_SECONDS = _metric(
    "scrape_duration_seconds", Type.GAUGE, "How long the scrape before this one took to render.", unit="seconds"
)
BUILD = _metric("build", Type.INFO, "The running version.", ("version",))


def exposed_name(metric: Metric) -> str:
    """The name a query uses: with `_total` or `_info` where the type adds it."""
    return metric.name + {Type.COUNTER: "_total", Type.INFO: "_info"}.get(metric.type, "")
