"""A seat PC about itself, its platforms, and what a probe notices about its own machine and clock."""

from enum import StrEnum

from wire._fields import Count, DurationMs, Name, OptionalName, Word
from wire.body import Body
from wire.platform import Signed


class Noticed(StrEnum):
    """What a probe notices about the machine it runs on."""

    SUSPENDED = "suspended"
    CLOCK_STEPPED = "clock_stepped"
    SENSOR_HUNG = "sensor_hung"
    SENSOR_BACK = "sensor_back"


class SeatReading(Body, frozen=True, array_like=True, gc=False):
    """A seat PC's own network and clock. Absent values are None. clock_offset_ms: its clock minus the time server's."""

    site: Name
    seat: Name
    has_link: bool | None = None
    link_mbps: Count | None = None
    gateway_reachable: bool | None = None
    gateway_rtt_us: Count | None = None
    clock_offset_ms: Signed | None = None
    since_ms: DurationMs = 0


class PlatformReading(Body, frozen=True, array_like=True, gc=False):
    """One platform as a seat sees it: whether its client runs, whether its door answers. No window titles, no content.

    error: the class of the failure (refused, timeout, name, certificate), never an address. since_ms: how long
    `is_running` and `is_reachable` have held.
    """

    site: Name
    seat: OptionalName
    platform: Name
    is_running: bool | None = None
    is_reachable: bool | None = None
    connect_ms: DurationMs | None = None
    error: Word = ""
    since_ms: DurationMs = 0


class ProbeNote(Body, frozen=True, array_like=True, gc=False):
    """Something a probe noticed. about: the sensor, "" for the machine. duration_ms: of a suspension or a hang.

    step_ms: by how much the wall clock jumped.
    """

    site: Name
    seat: OptionalName
    noticed: Noticed
    about: Word = ""
    duration_ms: DurationMs = 0
    step_ms: Signed = 0
