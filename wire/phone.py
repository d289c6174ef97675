"""Phone lines: SIP trunks and registrations as a gateway probe sees them."""

from enum import StrEnum

from wire._fields import Count, DurationMs, Name, OptionalName, Word
from wire.body import Body


class TrunkState(StrEnum):
    """What a trunk answers. unavailable: it answers that it takes no calls (408, 503). lagged: it answers, slowly."""

    UNKNOWN = "unknown"
    REACHABLE = "reachable"
    LAGGED = "lagged"
    UNAVAILABLE = "unavailable"
    UNREACHABLE = "unreachable"


class Registration(StrEnum):
    """What a registrar says of us."""

    UNMONITORED = "unmonitored"
    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    REJECTED_TEMPORARY = "rejected_temporary"
    REJECTED_PERMANENT = "rejected_permanent"
    TIMEOUT = "timeout"
    EXPIRED = "expired"


class PhoneLineReading(Body, frozen=True, array_like=True, gc=False):
    """What a probe knows of one phone line. Absent values are None, never 0.

    transport: udp, tcp or tls. last_code: of the newest SIP answer. retry_after_ms: as a 503 asked. expires_in_ms: of
    the registration. via_line: the broadband line it goes over. misses: in a row. since_ms: how long `state` has held.
    error: why the last request got no answer (refused, timeout, name, certificate, tls, closed, protocol, unreachable).
    """

    site: Name
    phone_line: Name
    state: TrunkState
    registration: Registration = Registration.UNMONITORED
    transport: Word = ""
    rtt_us: Count | None = None
    last_code: Count | None = None
    retry_after_ms: DurationMs | None = None
    expires_in_ms: DurationMs | None = None
    via_line: OptionalName = ""
    misses: Count = 0
    since_ms: DurationMs = 0
    error: Word = ""
