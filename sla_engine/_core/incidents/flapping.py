"""What comes and goes: from the third time it went away within ten minutes it is one trouble, there or not."""

from collections.abc import Mapping
from typing import Final

from sla_engine._core.incidents.model import Finding, Moved, PhoneLine, Site, SiteLimits
from sla_engine._core.incidents.slots import UPSES, new_finding
from wire.incident import Cause
from wire.phone import Registration, TrunkState

_UNREACHED: Final = frozenset({TrunkState.UNREACHABLE, TrunkState.UNAVAILABLE})
_NOT_REGISTERED: Final = frozenset(
    {Registration.REJECTED_PERMANENT, Registration.REJECTED_TEMPORARY, Registration.TIMEOUT, Registration.EXPIRED}
)


def restless(site: Site, limits: SiteLimits, now: int, kind: str) -> dict[str, list[Moved]]:
    """By name, what of a kind (LINE_, PHONE_, UPS_: its mains) went away so often, and when it did."""
    site.went_down = [each for each in site.went_down if now - each.at < limits.flapping_ms]
    losses: dict[str, list[Moved]] = {}
    for each in site.went_down:
        if each.of.startswith(kind):
            losses.setdefault(each.of.removeprefix(kind), []).append(each)
    return {name: each for name, each in losses.items() if len(each) >= limits.flapping_failovers}


def mains_flapping(slot: str, losses: Mapping[str, list[Moved]]) -> Finding:
    """The mains of these UPSes come and go."""
    first = min((each[0] for each in losses.values()), key=lambda loss: loss.at)
    words = {"subject": min(losses) if len(losses) == 1 else "", UPSES: " ".join(sorted(losses))}
    return new_finding(slot, Cause.SITE_POWER, "mains_flapping", first.at, first.index, **words)


def is_lost(phone: PhoneLine) -> bool:
    """Whether nobody can call over it."""
    return phone.state in _UNREACHED or phone.registration in _NOT_REGISTERED
