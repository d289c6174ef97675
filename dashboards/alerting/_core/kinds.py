"""What an incident may be of, and which kinds explain which: one table for the pager, the rules and Alertmanager.

A cause *explains* its symptoms: while it is open at a site, they page nobody. Causes explain whole layers (power
explains silent seats); within a layer the graver finding explains the lesser one.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from wire.errors import require


class Layer(StrEnum):
    """Where in a site's house of cards it happened. `health` says something of the equipment, and explains nothing."""

    MONITORING = "monitoring"
    POWER = "power"
    UPLINK = "uplink"
    SITE = "site"
    LINE = "line"
    PHONE = "phone"
    HEALTH = "health"
    GROUP = "group"
    SEAT = "seat"
    PLATFORM = "platform"
    FEED = "feed"
    OTHER = "other"


LAYER_OF: Final[Mapping[str, Layer]] = {
    "hub_deaf": Layer.MONITORING,
    "battery_low": Layer.POWER,
    "site_power_lost": Layer.POWER,
    "mains_lost": Layer.POWER,
    "mains_flapping": Layer.POWER,
    "ups_off": Layer.POWER,
    "lines_down": Layer.UPLINK,
    "site_isolated": Layer.UPLINK,
    "site_silent": Layer.SITE,
    "flapping": Layer.LINE,
    "line_down": Layer.LINE,
    "line_degraded": Layer.LINE,
    "phone_line_flapping": Layer.PHONE,
    "phone_line_down": Layer.PHONE,
    "phone_line_degraded": Layer.PHONE,
    "ups_comms_lost": Layer.HEALTH,
    "ups_bypass": Layer.HEALTH,
    "battery_worn": Layer.HEALTH,
    "monitoring": Layer.HEALTH,
    "broker_lost": Layer.HEALTH,
    "hub_clock_wrong": Layer.HEALTH,
    "clock_wrong": Layer.HEALTH,
    "seats_lost": Layer.GROUP,
    "seat_down": Layer.SEAT,
    "platform_down": Layer.PLATFORM,
    "account_offline": Layer.PLATFORM,
    "feed_silent": Layer.FEED,
}
"""Every `what`, causes first: the order in which rules are evaluated."""

_BELOW_UPLINK: Final = (Layer.LINE, Layer.PHONE, Layer.HEALTH, Layer.GROUP, Layer.SEAT, Layer.PLATFORM)
EXPLAINS: Final[Mapping[Layer, tuple[Layer, ...]]] = {
    Layer.MONITORING: (Layer.SITE, Layer.UPLINK, *_BELOW_UPLINK, Layer.FEED),
    Layer.POWER: (Layer.SITE, Layer.UPLINK, *_BELOW_UPLINK),
    Layer.UPLINK: (Layer.SITE, *_BELOW_UPLINK),
    Layer.SITE: _BELOW_UPLINK,
    Layer.GROUP: (Layer.SEAT,),
}
"""Monitoring explains at every site, the others at their own."""

WORSE_THAN: Final[Mapping[str, tuple[str, ...]]] = {
    "battery_low": ("mains_lost", "mains_flapping", "site_power_lost"),
    "site_power_lost": ("mains_lost", "mains_flapping"),
    "flapping": ("line_down", "line_degraded"),
    "line_down": ("line_degraded",),
    "phone_line_flapping": ("phone_line_down", "phone_line_degraded"),
    "phone_line_down": ("phone_line_degraded",),
    "platform_down": ("account_offline",),
}
"""Within a layer, of the same subject or where either names none: who was called for a battery running out needs no
second call when the site goes dark."""

WITHOUT_SUBJECT: Final = frozenset({"seat_down", "account_offline"})
"""Of these a site has one alert, however many: nobody is paged seat by seat, and no seat or account becomes a label."""

SITE_WIDE: Final = frozenset({Layer.MONITORING, Layer.POWER, Layer.UPLINK, Layer.SITE})
"""Of these a site has one page at a time, whichever UPS or line told of it first."""

PAGES_WHEN_PLANNED: Final = frozenset({"battery_low"})
"""Of what is planned itself nothing else pages. What is not planned pages beside it as ever."""


# Bound: nine on a duty list, called five times each, and once more after an absence of the server.
CALLS_MAX: Final = 54
"""Values of the label `tier`."""
HUB: Final = "hub"
"""The site of alerts about Seatwatch itself."""
HUB_DOWN: Final = "hub_down"
"""Said by Prometheus alone: who shows the runbooks is what is down."""
ALWAYS_FIRES: Final = "watchdog"
"""Said by Prometheus alone, so that its absence is noticed."""
IDENTITY_TWICE: Final = "identity_twice"
"""Said by Prometheus, which knows no names of identities."""


def layer_of(what: str) -> Layer:
    """Its layer; `other` for a word from a newer version."""
    return LAYER_OF.get(what, Layer.OTHER)


def alert_name(what: str) -> str:
    """The alert of a `what`: mains_lost -> MainsLost."""
    return "".join(part.capitalize() for part in what.split("_"))


def subject_label(what: str, subject: str) -> str:
    """The subject as far as an alert may name it."""
    return "" if what in WITHOUT_SUBJECT else subject


def explains(cause: str, symptom: str) -> bool:
    """Whether `cause` accounts for `symptom` at the same site, whatever their subjects."""
    return layer_of(symptom) in EXPLAINS.get(layer_of(cause), ()) or symptom in WORSE_THAN.get(cause, ())


def may_explain(what: str) -> bool:
    """Whether it accounts for anything at all. Hundreds of seats that are down do not, and need not be asked."""
    layer = layer_of(what)
    return layer in EXPLAINS or layer in SITE_WIDE or what in WORSE_THAN


require(
    all(layer_of(cause) is layer_of(symptom) for cause, lesser in WORSE_THAN.items() for symptom in lesser),
    "what is worse than another is of its layer; across layers EXPLAINS decides",
)
require(all(layer not in below for layer, below in EXPLAINS.items()), "no layer explains itself")
