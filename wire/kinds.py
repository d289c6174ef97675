"""The closed table of entry kinds: number in the header, words everywhere else. Numbers are never reused."""

from enum import IntEnum
from typing import Final

UNKNOWN_WORD: Final = 0
"""Never the number of a kind: what a sender told in words under a word that this build does not know."""


class Kind(IntEnum):
    """What an entry says. Unknown numbers are kept as they came and ignored by every fold."""

    # the record about itself
    DATA_GAP = 1
    QUARANTINED = 2
    EQUIVOCATION = 3
    CLOCK = 4
    SOURCE_SILENT = 5
    SOURCE_BACK = 6
    SOURCE_DECLARED = 7
    UNROUTED = 8
    # conversations
    OFFERED = 16
    QUEUED = 17
    ASSIGNED = 18
    ACCEPTED = 19
    CUSTOMER_TURN = 20
    AGENT_TURN = 21
    TRANSFERRED = 22
    CUSTOMER_LEFT = 23
    CLOSED = 24
    PRESENCE = 25
    SOURCE_NOTE = 26
    QUALITY_SCORED = 27
    # organisation and rules
    ROSTER_LINK = 32
    DEFINITION = 33
    CONTRACT = 34
    PLATFORM_FIGURES = 35
    # sites
    HEARTBEAT = 48
    UPS_READING = 49
    LINE_READING = 50
    PHONE_LINE_READING = 51
    SEAT_READING = 52
    PLATFORM_READING = 53
    FAILOVER = 54
    PROBE_NOTE = 55
    CONNECTION_SEEN = 56
    INCIDENT = 57
    MAINTENANCE = 58
    INCIDENT_ACKNOWLEDGED = 59
    IDENTITY = 60
    WORK_SEEN = 61
    FOLLOWED_UP = 62
    SITE_REMOVED = 63
    LINE_WITNESSED = 64
