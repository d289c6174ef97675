"""What to believe of a UPS that flickers. Pure: time is an argument, in ms of a monotonic clock.

* OB is believed at once; so is the return of mains.
* LB and RB are believed at once on battery; on mains after they held for `flicker_ms` (some units flash them hourly).
  In a calibration (CAL) a low battery is what the unit is after, and no sign of its end; nor is the battery in use an
  outage while the input voltage says that mains is there.
* OFF is believed after `off_ms` (a self-test shows OFF before CAL). Until then the state before it stands.
* A conflict (OL and OB together) neither begins nor ends an outage: battery stays battery, anything else is shown as a
  conflict, unless the input voltage says that mains is gone.
* Without data the last power state stands, and `comms` says why it is only the last. Lost on battery for `dead_ms`, the
  battery is taken to be low.
"""

from typing import Final, NamedTuple

from agent_probe.sensors.ups.status import power_of, tokens
from wire.facility import Comms, Power

SUSPECT_OFF: Final = frozenset({Power.OFF, Power.LOAD_OFF})
ON_BATTERY: Final = frozenset({Power.BATTERY, Power.CRITICAL})


class DebounceRules(NamedTuple):
    """All in ms. gap_ms: a pause between observations after which nothing counts as having held in between."""

    flicker_ms: int
    off_ms: int
    dead_ms: int
    gap_ms: int


class Believed(NamedTuple):
    """The state to publish. since_ms: how long `power` has been believed."""

    power: Power
    comms: Comms
    low_battery: bool
    replace_battery: bool
    since_ms: int


class Debounce:
    """One UPS's memory."""

    def __init__(self, rules: DebounceRules) -> None:
        self._rules = rules
        self._power: Power | None = None
        self._since = 0
        self._low = False
        self._replace = False
        self._held_from: dict[str, int] = {}
        self._seen_at: int | None = None
        self._heard_at: int | None = None

    def observe(self, status: str, now: int, *, has_mains: bool | None = None) -> Believed:
        """Take in an `ups.status` value. has_mains: what the input voltage says of it, None where it says nothing."""
        if self._seen_at is not None and now - self._seen_at > self._rules.gap_ms:
            self._held_from.clear()
        self._seen_at = self._heard_at = now
        said = tokens(status)
        power = power_of(said)
        if power is Power.STARTING:
            self._set_power(self._power or Power.STARTING, now)
            return self._believed(Comms.STARTING, now)
        if power is Power.BATTERY and "CAL" in said and has_mains:
            power = Power.MAINS_DISCHARGING
        self._set_power(self._settle(power, now, has_mains=has_mains), now)
        on_battery = self._power in ON_BATTERY
        is_low = "LB" in said and "CAL" not in said
        self._low = self._held("LB", is_low, now, 0 if on_battery else self._rules.flicker_ms)
        self._replace = self._held("RB", "RB" in said, now, 0 if on_battery else self._rules.flicker_ms)
        return self._believed(Comms.OK, now)

    def lost(self, comms: Comms, now: int) -> Believed:
        """Take in that there is no status to be had, and why."""
        self._held_from.clear()
        if self._power is None:
            self._set_power(Power.UNKNOWN, now)
        heard_at = self._heard_at if self._heard_at is not None else now
        if self._power in ON_BATTERY and now - heard_at >= self._rules.dead_ms:
            self._low = True
        return self._believed(comms, now)

    def _settle(self, power: Power, now: int, *, has_mains: bool | None) -> Power:
        before = self._power
        if power is Power.CONFLICT:
            if has_mains is False:
                return Power.BATTERY
            return before if before is not None and before in ON_BATTERY else power
        is_off = power in SUSPECT_OFF
        if self._held("OFF", is_off, now, self._rules.off_ms) or not is_off or before in SUSPECT_OFF:
            return power
        return before or Power.STARTING

    def _held(self, what: str, present: bool, now: int, long_enough: int) -> bool:  # noqa: FBT001 - the thing said
        """Whether `what` has been present without a break for `long_enough`."""
        if not present:
            self._held_from.pop(what, None)
            return False
        return now - self._held_from.setdefault(what, now) >= long_enough

    def _set_power(self, power: Power, now: int) -> None:
        if power is not self._power:
            self._power, self._since = power, now

    def _believed(self, comms: Comms, now: int) -> Believed:
        power = self._power if self._power is not None else Power.UNKNOWN
        return Believed(power, comms, self._low, self._replace, now - self._since)
