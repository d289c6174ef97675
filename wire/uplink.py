"""A site's broadband lines as its gateway probe sees them, and as the hub sees the connections that come over them."""

from enum import StrEnum

from wire._fields import Count, DurationMs, Instant, Name, OptionalName, Word
from wire.body import Body


class LineState(StrEnum):
    """What holds of one line. `suspect` is looked into at once; only `down` and `degraded` are findings."""

    UNKNOWN = "unknown"
    UP = "up"
    DEGRADED = "degraded"
    SUSPECT = "suspect"
    DOWN = "down"
    DISABLED = "disabled"


class LineReason(StrEnum):
    """Why a line is in its state."""

    OK = "ok"
    NOT_MEASURED = "not_measured"
    NO_LINK = "no_link"
    NO_ADDRESS = "no_address"
    NO_GATEWAY = "no_gateway"
    NO_INTERNET = "no_internet"
    LOSS = "loss"
    LATENCY = "latency"
    SWITCHED_OFF = "switched_off"


class FailoverOf(StrEnum):
    """What moved from one line to the other: the site's default route, or the probe's own connection."""

    ROUTE = "route"
    MQTT = "mqtt"


class LineReading(Body, frozen=True, array_like=True, gc=False):
    """What a probe knows of one line. Absent values are None, never 0 and never False.

    carrier: the company that sells it, as people say it. since_ms: how long `state` has held when this was sampled.
    first_bad_at: when the trouble that led to a state worse than up began, by the first probe that failed.
    rtt_us, rtt_sd_us: microseconds over the window. loss_permille: of the window. targets_failed of targets: in the
    last round. source_address, interface: what the measurements are bound to.
    """

    site: Name
    line: Name
    carrier: Word
    state: LineState
    reason: LineReason
    is_default_route: bool | None = None
    carries_mqtt: bool | None = None
    has_link: bool | None = None
    has_address: bool | None = None
    gateway_reachable: bool | None = None
    internet_reachable: bool | None = None
    rtt_us: Count | None = None
    rtt_sd_us: Count | None = None
    loss_permille: Count | None = None
    targets: Count = 0
    targets_failed: Count = 0
    source_address: Word = ""
    interface: Word = ""
    first_bad_at: Instant | None = None
    since_ms: DurationMs = 0


class Failover(Body, frozen=True, array_like=True, gc=False):
    """Traffic moved to another line: of what, why, and for how long nothing got through.

    from_line, to_line: "" where it was on none. duration_ms: from the first sign of trouble on `from_line`.
    """

    site: Name
    of: FailoverOf
    from_line: OptionalName
    to_line: OptionalName
    cause: LineReason
    duration_ms: DurationMs


class ConnectionSeen(Body, frozen=True, array_like=True, gc=False):
    """By the hub: a source's connection began or ended, or comes from another address than before.

    egress: the address it comes from. line: whose range in the roster that is, "" where none is.
    """

    about_source: Name
    is_open: bool
    egress: Word
    line: OptionalName = ""


class LineWitnessed(Body, frozen=True, array_like=True, gc=False):
    """By the hub: over the line that a source named, its request came from this address.

    egress: as the hub's socket saw it. Whose range it is, is told by the roster.
    """

    about_source: Name
    line: Name
    egress: Word
