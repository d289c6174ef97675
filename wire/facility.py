"""Sites as probes tell them: who is alive and what the UPS says."""

from enum import StrEnum

from wire._fields import Count, DurationMs, Name, Names, Percent, Word
from wire.body import Body


class Power(StrEnum):
    """Power state derived from a UPS's status tokens."""

    STARTING = "starting"
    CRITICAL = "critical"
    CONFLICT = "conflict"
    BATTERY = "battery"
    LOAD_OFF = "load_off"
    MAINS_DISCHARGING = "mains_discharging"
    MAINS = "mains"
    BYPASS = "bypass"
    OFF = "off"
    UNKNOWN = "unknown"


class Comms(StrEnum):
    """Whether the reading can be trusted at all: a dimension of its own, never a power state."""

    OK = "ok"
    STARTING = "starting"
    STALE = "stale"
    DRIVER_DEAD = "driver_dead"
    UNREACHABLE = "unreachable"
    UNKNOWN_UPS = "unknown_ups"


class SelfTest(StrEnum):
    """How a UPS's last test of its battery went. never: there was none yet; unknown: in words nobody knows."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    ABORTED = "aborted"
    RUNNING = "running"
    NEVER = "never"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """Where a probe sits."""

    SEAT = "seat"
    GATEWAY = "gateway"


class Heartbeat(Body, frozen=True, array_like=True, gc=False):
    """A probe is alive. `interval_ms` is its promise when the next one comes; `seat` is "" for a gateway.

    version: of the probe. errors: samples that failed or came late and items the hub did not take, since its start.
    upses, lines, phone_lines: all it is configured to measure, so that what it no longer has is forgotten; None = not
    said.
    """

    site: Name
    seat: Word
    role: Role
    interval_ms: DurationMs
    uptime_ms: DurationMs
    outbox_rows: Count = 0
    outbox_bytes: Count = 0
    version: Word = ""
    errors: Count = 0
    upses: Names | None = None
    lines: Names | None = None
    phone_lines: Names | None = None


class UpsReading(Body, frozen=True, array_like=True, gc=False):
    """What one UPS says. Absent values are None, never 0.

    status: the raw token string. runtime_ms: as the device claims, or from how fast its charge falls
    (runtime_is_estimate). input_mv: millivolts at the input.
    since_ms: how long the debounced power state has held when this was sampled.
    self_test: None where the unit tells of no tests. self_test_said, self_test_date: its own words for result and date.
    """

    site: Name
    ups: Name
    power: Power
    comms: Comms
    status: Word = ""
    low_battery: bool = False
    replace_battery: bool = False
    charge_percent: Percent | None = None
    runtime_ms: DurationMs | None = None
    load_percent: Count | None = None
    input_mv: Count | None = None
    since_ms: DurationMs = 0
    runtime_is_estimate: bool = False
    self_test: SelfTest | None = None
    self_test_said: Word = ""
    self_test_date: Word = ""
