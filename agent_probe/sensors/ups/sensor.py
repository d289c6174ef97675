"""One UPS: its status every interval, all its variables every so often and right after a change."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_probe._core.gate import Rhythm
from agent_probe.sensors.base import Reading, Schedule, Stamp
from agent_probe.sensors.ups.connection import NutConnection
from agent_probe.sensors.ups.debounce import Believed, Debounce, DebounceRules
from agent_probe.sensors.ups.nut import Listing, Refusal, Variable, get_variable, list_variables
from agent_probe.sensors.ups.status import (
    STATUS_NOT_OFFERED,
    WORTH_A_LAST_WORD,
    comms_of_refusal,
    tokens,
)
from wire.facility import Comms, UpsReading
from wire.limits import DURATION_MAX_MS, WORD_CHARS_MAX


class UpsAddress(NamedTuple):
    """Where a UPS is found. name: ours, in messages. ups: upsd's own name for it."""

    name: str
    host: str
    port: int
    ups: str


class UpsSettings(NamedTuple):
    """list_ms: how old the variables beside the status may get."""

    schedule: Schedule
    rhythm: Rhythm
    debounce: DebounceRules
    list_ms: int


class UpsSensor:
    """Samples one UPS of one upsd, over a connection of its own: a dead upsd costs the others nothing."""

    def __init__(self, address: UpsAddress, settings: UpsSettings, *, site: str, clock_domain: str) -> None:
        self.name = f"ups/{address.name}"
        self.schedule = settings.schedule
        self._address = address
        self._settings = settings
        self._site = site
        self._clock_domain = clock_domain
        self._connection = NutConnection(address.host, address.port)
        self._debounce = Debounce(settings.debounce)
        self._status = ""
        self._variables: Mapping[str, str] = {}
        self._listed_at: int | None = None

    async def open(self) -> None:
        """Connect to upsd."""
        await self._connection.open()

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """The status, and the variables when they are due."""
        answer = await self._connection.ask(get_variable(self._address.ups, "ups.status"))
        if isinstance(answer, Refusal) and answer.code != STATUS_NOT_OFFERED:
            return [self._lost(comms_of_refusal(answer.code), now)]
        status = answer.value if isinstance(answer, Variable) else ""
        is_old = self._listed_at is None or now.monotonic - self._listed_at >= self._settings.list_ms
        if status != self._status or is_old:
            listing = await self._connection.ask(list_variables(self._address.ups))
            if isinstance(listing, Listing):
                self._variables = listing.variables()
                self._listed_at = now.monotonic
        return [self._observed(status, now)]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - whatever the cause
        """No answer from upsd."""
        return [self._lost(Comms.UNREACHABLE, now)]

    async def close(self) -> None:
        """Drop the connection."""
        await self._connection.close()

    def _observed(self, status: str, now: Stamp) -> Reading:
        self._status = status
        return self._reading(
            self._debounce.observe(status, now.monotonic, mains_is_gone=mains_is_gone(self._variables)), now
        )

    def _lost(self, comms: Comms, now: Stamp) -> Reading:
        self._listed_at = None
        self._variables = {}  # an old charge must not look like a present one
        return self._reading(self._debounce.lost(comms, now.monotonic), now)

    def _reading(self, believed: Believed, now: Stamp) -> Reading:
        status, variables = self._status, self._variables

        def body() -> UpsReading:
            return UpsReading(
                occurred_at=now.wall,
                resolution_ms=1,
                clock=self._clock_domain,
                monotonic_ms=now.monotonic,
                synced=now.synced,
                shard_key="",
                site=self._site,
                ups=self._address.name,
                power=believed.power,
                comms=believed.comms,
                status=status[:WORD_CHARS_MAX],
                low_battery=believed.low_battery,
                replace_battery=believed.replace_battery,
                charge_percent=whole(variables, "battery.charge", most=100),
                runtime_ms=whole(variables, "battery.runtime", thousandths=True, most=DURATION_MAX_MS),
                load_percent=whole(variables, "ups.load"),
                input_mv=whole(variables, "input.voltage", thousandths=True),
                since_ms=min(believed.since_ms, DURATION_MAX_MS),
            )

        is_forced = "FSD" in tokens(status)  # seconds before the host goes down: a last word even if it was critical
        state = (believed.power, believed.comms, believed.low_battery, believed.replace_battery, is_forced)
        is_urgent = believed.power in WORTH_A_LAST_WORD or believed.low_battery
        return Reading(self.name, state, self._settings.rhythm, body, is_urgent)


def whole(variables: Mapping[str, str], name: str, *, thousandths: bool = False, most: int | None = None) -> int | None:
    """A variable as a whole number, or of its thousandths; None if absent, no number, negative or above `most`."""
    try:
        value = float(variables[name])
        number = round(value * 1000 if thousandths else value)
    except (KeyError, ValueError, OverflowError):
        return None
    return number if number >= 0 and (most is None or number <= most) else None


def mains_is_gone(variables: Mapping[str, str]) -> bool:
    """Whether the input voltage is below the unit's own transfer point. False if the unit says neither."""
    voltage = whole(variables, "input.voltage", thousandths=True)
    transfer = whole(variables, "input.transfer.low", thousandths=True)
    return voltage is not None and transfer is not None and voltage < transfer
