"""Which kinds only Seatwatch itself says, and which a source that stands in a site never does."""

from typing import Final

from wire.kinds import Kind

RESERVED_KINDS: Final = (
    frozenset(range(Kind.OFFERED))
    | frozenset(range(Kind.ROSTER_LINK, Kind.HEARTBEAT)) - {Kind.PLATFORM_FIGURES}
    | {
        Kind.CONNECTION_SEEN,
        Kind.INCIDENT,
        Kind.MAINTENANCE,
        Kind.INCIDENT_ACKNOWLEDGED,
        Kind.IDENTITY,
        Kind.WORK_SEEN,
        Kind.FOLLOWED_UP,
        Kind.SITE_REMOVED,
        Kind.LINE_WITNESSED,
    }
)
"""What the record says about itself, roster, rules, incidents, identities: Seatwatch says it, a sender never does."""
CONVERSATION_KINDS: Final = frozenset(range(Kind.OFFERED, Kind.ROSTER_LINK)) | {Kind.PLATFORM_FIGURES}
"""What a client's connector tells. A site's machines have no client: said by one, no report would ever count it."""
