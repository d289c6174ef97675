"""Where findings are kept, what their details are called, and what each kind merits."""

from typing import Final

from sla_engine._core.incidents.model import Finding
from wire.incident import Cause, Severity

SEATS_SILENT: Final = "seats_silent"
"""Details: seats that went silent while the site ran on battery."""
MOVED_AT: Final = "moved_at"
"""Details: when traffic moved away from the line, ms; from then on the other one carries it."""
AT_WORK: Final = "at_work"
"""Details: people of the site answer customers though all its probes are silent."""
HEARD_ELSEWHERE: Final = "heard_elsewhere"
"""Details: several machines fell silent at once while other sites are heard, so it is not the hub that is deaf."""
TOLD_AFTERWARDS: Final = "told_afterwards"
"""Details: the site was silent, and said why only when it spoke again."""
STANDBY: Final = "standby"
"""Details: nothing went over the line when it went down."""
LINES: Final = "lines"
"""Details: the lines it is about, by name."""
UPSES: Final = "upses"
"""Details: the UPSes it is about, by name."""
LONE: Final = "lone"
"""Details: a single machine saw it."""
OFFSET: Final = "offset"
"""Details: by how much a clock is ahead (+) or behind (-)."""
SEATS: Final = "seats"
"""Subject: the seats of a site that have it, as one."""

POWER: Final = "power"
MAINS_FLAPPING: Final = "mains_flapping"
"""Mains that come and go, while they are there; without them it is `POWER`, and explains what goes with them."""
UPLINK: Final = "uplink"
SILENT: Final = "silent"
GATEWAY: Final = "gateway"
FLAPPING: Final = "flapping"
HUB: Final = "hub"
MQTT: Final = "broker"
"""The hub's broker, while somebody is heard by another way; if nobody is, it is `HUB`."""
HUB_TIME: Final = "hub_time"
"""The hub's own clock; its kind has no site and takes in clocks of every site."""
LINE_: Final = "line:"
PHONE_: Final = "phone:"
UPS_: Final = "ups:"
GROUP_: Final = "group:"
SEAT_: Final = "seat:"
ACCOUNT_: Final = "account:"
PLATFORM_: Final = "platform:"
FEED_: Final = "feed:"
CLOCK_: Final = "clock:"

MACHINES: Final = (GATEWAY, GROUP_, SEAT_)
"""Silent machines: no more than what they are, unless a greater trouble began with them."""

Explaining = tuple[Finding, set[tuple[str, str]]]
"""A trouble of no one site, and the findings of sites that it explains, by site and slot."""

BATTERY_LOW: Final = "battery_low"
CALL, PAGE, TICKET, INFO = Severity.CALL, Severity.PAGE, Severity.TICKET, Severity.INFO

SEVERITIES: Final[dict[str, tuple[Severity, Severity]]] = {
    "mains_lost": (PAGE, PAGE),
    "mains_flapping": (PAGE, PAGE),
    BATTERY_LOW: (CALL, CALL),
    "site_power_lost": (CALL, CALL),
    "site_isolated": (CALL, CALL),
    "lines_down": (CALL, CALL),
    "site_silent": (PAGE, PAGE),
    "line_down": (PAGE, TICKET),
    "line_degraded": (TICKET, INFO),
    "flapping": (PAGE, TICKET),
    "phone_line_down": (PAGE, TICKET),
    "phone_line_flapping": (PAGE, TICKET),
    "phone_line_degraded": (TICKET, INFO),
    "seats_lost": (PAGE, TICKET),
    "seat_down": (TICKET, INFO),
    "platform_down": (PAGE, TICKET),
    "account_offline": (TICKET, INFO),
    "feed_silent": (PAGE, TICKET),
    "ups_comms_lost": (TICKET, TICKET),
    "ups_bypass": (TICKET, TICKET),
    "ups_off": (PAGE, TICKET),
    "battery_worn": (TICKET, TICKET),
    "monitoring": (TICKET, TICKET),
    "clock_wrong": (TICKET, TICKET),
    "hub_clock_wrong": (TICKET, TICKET),
    "hub_deaf": (PAGE, PAGE),
    "broker_lost": (PAGE, PAGE),
}
"""What an incident merits in service hours, and outside of them. A key is a word of the glossary: incident_<key>."""
CERTAIN_SEVERITIES: Final = (CALL, CALL)
"""Of a silent site when it is silent for certain from the first: as grave as one whose lines are all down."""
LONE_SEVERITIES: Final = (TICKET, INFO)
"""Of a platform that one seat alone cannot reach: more likely the seat."""
STANDBY_SEVERITIES: Final = (TICKET, TICKET)
"""Of a line that carried nothing when it went down, or that only the hub suspects: looked at before opening."""


def new_finding(slot: str, cause: Cause, what: str, since: int, first_index: int, **more: str) -> Finding:
    subject = more.pop("subject", "")
    severity = SEVERITIES[what][0]
    return Finding(
        slot,
        cause,
        what,
        subject,
        severity,
        is_suspected=False,
        is_planned=False,
        since=since,
        first_index=first_index,
        details=more,
    )
