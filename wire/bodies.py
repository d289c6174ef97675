"""Which body each kind and version has."""

from collections.abc import Mapping
from typing import Final

from wire.body import Body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Closed,
    CustomerLeft,
    CustomerTurn,
    NamedCustomerTurn,
    Offered,
    PresenceChanged,
    QualityScored,
    Queued,
    SourceNote,
    Transferred,
)
from wire.facility import Heartbeat, UpsReading
from wire.follow_up import FollowedUp
from wire.identity import IdentitySaid
from wire.incident import IncidentAcknowledged, IncidentSaid, MaintenanceSaid, WorkSeen
from wire.kinds import Kind
from wire.organisation import ContractSigned, DefinitionPublished, RosterLink
from wire.phone import PhoneLineReading
from wire.platform import PlatformFigure
from wire.record import (
    Clock,
    Equivocation,
    Gone,
    Quarantined,
    SiteRemoved,
    SourceBack,
    SourceDeclared,
    SourceSilent,
    Unrouted,
)
from wire.seat import PlatformReading, ProbeNote, SeatReading
from wire.uplink import ConnectionSeen, Failover, LineReading, LineWitnessed

BODY_TYPES: Final[Mapping[tuple[int, int], type[Body]]] = {
    (Kind.DATA_GAP, 1): Gone,
    (Kind.QUARANTINED, 1): Quarantined,
    (Kind.EQUIVOCATION, 1): Equivocation,
    (Kind.CLOCK, 1): Clock,
    (Kind.SOURCE_SILENT, 1): SourceSilent,
    (Kind.SOURCE_BACK, 1): SourceBack,
    (Kind.SOURCE_DECLARED, 1): SourceDeclared,
    (Kind.UNROUTED, 1): Unrouted,
    (Kind.OFFERED, 1): Offered,
    (Kind.QUEUED, 1): Queued,
    (Kind.ASSIGNED, 1): Assigned,
    (Kind.ACCEPTED, 1): Accepted,
    (Kind.CUSTOMER_TURN, 1): CustomerTurn,
    (Kind.CUSTOMER_TURN, 2): NamedCustomerTurn,
    (Kind.AGENT_TURN, 1): AgentTurn,
    (Kind.TRANSFERRED, 1): Transferred,
    (Kind.CUSTOMER_LEFT, 1): CustomerLeft,
    (Kind.CLOSED, 1): Closed,
    (Kind.PRESENCE, 1): PresenceChanged,
    (Kind.SOURCE_NOTE, 1): SourceNote,
    (Kind.QUALITY_SCORED, 1): QualityScored,
    (Kind.ROSTER_LINK, 1): RosterLink,
    (Kind.DEFINITION, 1): DefinitionPublished,
    (Kind.CONTRACT, 1): ContractSigned,
    (Kind.PLATFORM_FIGURES, 1): PlatformFigure,
    (Kind.HEARTBEAT, 1): Heartbeat,
    (Kind.UPS_READING, 1): UpsReading,
    (Kind.LINE_READING, 1): LineReading,
    (Kind.PHONE_LINE_READING, 1): PhoneLineReading,
    (Kind.SEAT_READING, 1): SeatReading,
    (Kind.PLATFORM_READING, 1): PlatformReading,
    (Kind.FAILOVER, 1): Failover,
    (Kind.PROBE_NOTE, 1): ProbeNote,
    (Kind.CONNECTION_SEEN, 1): ConnectionSeen,
    (Kind.INCIDENT, 1): IncidentSaid,
    (Kind.MAINTENANCE, 1): MaintenanceSaid,
    (Kind.INCIDENT_ACKNOWLEDGED, 1): IncidentAcknowledged,
    (Kind.IDENTITY, 1): IdentitySaid,
    (Kind.WORK_SEEN, 1): WorkSeen,
    (Kind.FOLLOWED_UP, 1): FollowedUp,
    (Kind.SITE_REMOVED, 1): SiteRemoved,
    (Kind.LINE_WITNESSED, 1): LineWitnessed,
}
"""Every kind and version this build can read. Old versions stay; a changed meaning is a new version."""
