"""From `ups.status` to one power state: a set of tokens, in any order, unknown ones ignored.

`OL` and `OB` speak of the input line only; whether the load is fed is `OFF` and `BYPASS`.
"""

from functools import lru_cache
from typing import Final

from wire.facility import Comms, Power

WORTH_A_LAST_WORD: Final = frozenset({Power.BATTERY, Power.CRITICAL})
"""States after which this probe may not speak again."""

COMMS_OF_REFUSAL: Final = {
    "DATA-STALE": Comms.STALE,
    "DRIVER-NOT-CONNECTED": Comms.DRIVER_DEAD,
    "UNKNOWN-UPS": Comms.UNKNOWN_UPS,
}
STATUS_NOT_OFFERED: Final = "VAR-NOT-SUPPORTED"
# Batch: of statuses that are not taken apart anew; a UPS says the same for months, more than once a second.
STATUSES_REMEMBERED: Final = 16


@lru_cache(STATUSES_REMEMBERED)
def tokens(status: str) -> frozenset[str]:
    """The tokens of an `ups.status` value."""
    return frozenset(status.upper().split())


@lru_cache(STATUSES_REMEMBERED)
def power_of(status: frozenset[str]) -> Power:
    """The power state that `status` says, before any debounce. The first rule that fits, in this order.

    An OL that is also BYPASS is `bypass`: the load runs on mains with no battery behind it.
    """
    on_line, on_battery = "OL" in status, "OB" in status
    rules = (
        ("WAIT" in status, Power.STARTING),
        ("FSD" in status, Power.CRITICAL),
        (on_line and on_battery, Power.CONFLICT),
        (on_battery and "LB" in status and "CAL" not in status, Power.CRITICAL),
        (on_battery, Power.BATTERY),
        (on_line and "OFF" in status, Power.LOAD_OFF),
        (on_line and "DISCHRG" in status, Power.MAINS_DISCHARGING),
        ("BYPASS" in status, Power.BYPASS),
        (on_line, Power.MAINS),
        ("OFF" in status, Power.OFF),
        (bool(status & {"TRIM", "BOOST"}), Power.MAINS),
    )
    return next((power for applies, power in rules if applies), Power.UNKNOWN)


def comms_of_refusal(code: str) -> Comms:
    """What an ERR of upsd says about the connection to the device."""
    return COMMS_OF_REFUSAL.get(code, Comms.UNREACHABLE)
