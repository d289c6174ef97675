"""The machine's own battery as Linux shows it in /sys/class/power_supply; several are taken as one.

What says that its `scope` is a Device feeds something beside the machine: a wireless mouse, a headset, a pen.

Format: sysfs-class-power of Linux; content in uWh or uAh, what is drawn in uW or uA, time in seconds.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

BATTERIES: Final = frozenset({"Battery", "UPS"})
UNITS: Final = (("energy", "power"), ("charge", "current"))
"""Names of content and of what is drawn of it. A battery has one pair, or neither."""
WITH_MAINS: Final = frozenset({"Charging", "Full", "Not charging"})
WITHOUT_MAINS: Final = "Discharging"
SECONDS_AN_HOUR: Final = 3600
WHOLE: Final = 100
UNKNOWN: Final = -1


class MachineBattery(NamedTuple):
    """See agent_probe.platform.Battery."""

    percent: float | None
    secsleft: int
    power_plugged: bool | None


class _Content(NamedTuple):
    unit: str
    now: int
    full: int
    drawn: int


def read_battery(folder: Path) -> MachineBattery | None:
    """What `folder` shows; None without a battery of the machine's own. Raises OSError, and ValueError of nonsense."""
    own = [supply for supply in sorted(folder.iterdir()) if _said(supply, "scope") != "Device"]
    batteries = [supply for supply in own if _said(supply, "type") in BATTERIES and _said(supply, "present") != "0"]
    if not batteries:
        return None
    has_mains = _has_mains(own, batteries)
    contents = list(_contents(batteries))
    return MachineBattery(
        _percent(batteries, contents),
        UNKNOWN if has_mains else _seconds_left(batteries, contents),
        has_mains,
    )


def _said(supply: Path, name: str) -> str:
    """What a file says; "" where it does not exist, or its driver cannot tell now."""
    try:
        return (supply / name).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _has_mains(own: Sequence[Path], batteries: Sequence[Path]) -> bool | None:
    """What a mains adapter says, else what the batteries do."""
    online = {_said(supply, "online") for supply in own if _said(supply, "type") == "Mains"} - {""}
    if online:
        return "1" in online
    statuses = {_said(battery, "status") for battery in batteries}
    if WITHOUT_MAINS in statuses:
        return False
    return True if statuses & WITH_MAINS else None


def _contents(batteries: Sequence[Path]) -> Iterator[_Content]:
    for battery in batteries:
        for content, drawn in UNITS:
            now, full = _said(battery, f"{content}_now"), _said(battery, f"{content}_full")
            if now and full:
                yield _Content(content, int(now), int(full), abs(int(_said(battery, f"{drawn}_now") or 0)))
                break


def _percent(batteries: Sequence[Path], contents: Sequence[_Content]) -> float | None:
    """Of what all can hold together, where they tell it in one unit; else the mean of what each says."""
    full = sum(each.full for each in contents)
    if len(contents) == len(batteries) and len({each.unit for each in contents}) == 1 and full > 0:
        return min(WHOLE * sum(each.now for each in contents) / full, WHOLE)
    told = [int(capacity) for battery in batteries if (capacity := _said(battery, "capacity"))]
    return sum(told) / len(told) if told else None


def _seconds_left(batteries: Sequence[Path], contents: Sequence[_Content]) -> int:
    drawn = sum(each.drawn for each in contents)
    if drawn and len({each.unit for each in contents}) == 1:
        return SECONDS_AN_HOUR * sum(each.now for each in contents) // drawn
    told = [int(time) for battery in batteries if (time := _said(battery, "time_to_empty_now"))]
    return max(told, default=UNKNOWN)
