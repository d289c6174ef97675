"""One UPS: what its source says, debounced, and how long its battery will last."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_probe._core.gate import Rhythm
from agent_probe.sensors.base import Reading, Schedule, Stamp
from agent_probe.sensors.ups.debounce import ON_BATTERY, Believed, Debounce, DebounceRules
from agent_probe.sensors.ups.runtime import WHOLE, RuntimeEstimate, SlopeRules
from agent_probe.sensors.ups.self_test import SelfTestSaid, self_test
from agent_probe.sensors.ups.sources import Observed, UpsSource
from agent_probe.sensors.ups.status import WORTH_A_LAST_WORD, tokens
from wire.facility import Comms, UpsReading
from wire.limits import DURATION_MAX_MS, SEQUENCE_MAX, WORD_CHARS_MAX


class UpsSettings(NamedTuple):
    """list_ms: how old the variables of upsd beside the status may get.

    resend_ms: after which SNMP is asked again. low_ratio: charge of the machine's own battery that counts as low.
    """

    schedule: Schedule
    rhythm: Rhythm
    debounce: DebounceRules
    slope: SlopeRules
    list_ms: int
    resend_ms: int
    low_ratio: float


class _Read(NamedTuple):
    """What is judged of the variables. They come every `list_ms`, the status many times between."""

    variables: Mapping[str, str]
    has_mains: bool | None
    runtime_ms: int | None
    charge: int | None
    tested: SelfTestSaid


class UpsSensor:
    """Samples one UPS from its source. name: ours, in messages."""

    def __init__(self, name: str, source: UpsSource, settings: UpsSettings, *, site: str, clock_domain: str) -> None:
        self.name = f"ups/{name}"
        self.schedule = settings.schedule
        self._ups = name
        self._source = source
        self._settings = settings
        self._site = site
        self._clock_domain = clock_domain
        self._debounce = Debounce(settings.debounce)
        self._estimate = RuntimeEstimate(settings.slope)
        self._status = ""
        self._read = _read({})

    async def open(self) -> None:
        """Reach the source."""
        await self._source.open()

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """What the UPS says now."""
        found = await self._source.observe(now.monotonic)
        if isinstance(found, Observed):
            return [self._observed(found, now)]
        return [self._lost(found, now)]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - whatever the cause
        """No answer from the source."""
        return [self._lost(Comms.UNREACHABLE, now)]

    async def close(self) -> None:
        """Let go of the source."""
        await self._source.close()

    def _observed(self, found: Observed, now: Stamp) -> Reading:
        self._status, variables = found
        if variables is not self._read.variables:
            self._read = _read(variables)
        read = self._read
        believed = self._debounce.observe(self._status, now.monotonic, has_mains=read.has_mains)
        estimated = self._estimate.observe(read.charge, now.monotonic, on_battery=believed.power in ON_BATTERY)
        if read.runtime_ms is None and estimated is not None:
            return self._reading(believed, read, min(estimated, DURATION_MAX_MS), now, is_estimate=True)
        return self._reading(believed, read, read.runtime_ms, now)

    def _lost(self, comms: Comms, now: Stamp) -> Reading:
        return self._reading(self._debounce.lost(comms, now.monotonic), _read({}), None, now)

    def _reading(
        self, believed: Believed, read: _Read, runtime_ms: int | None, now: Stamp, *, is_estimate: bool = False
    ) -> Reading:
        status, variables, tested = self._status, read.variables, read.tested

        def body() -> UpsReading:
            return UpsReading(
                **now.head(self._clock_domain),
                site=self._site,
                ups=self._ups,
                power=believed.power,
                comms=believed.comms,
                status=status[:WORD_CHARS_MAX],
                low_battery=believed.low_battery,
                replace_battery=believed.replace_battery,
                # Format: a percentage has no more.
                charge_percent=whole(variables, "battery.charge", most=100),
                runtime_ms=runtime_ms,
                load_percent=whole(variables, "ups.load"),
                input_mv=whole(variables, "input.voltage", thousandths=True),
                since_ms=min(believed.since_ms, DURATION_MAX_MS),
                runtime_is_estimate=is_estimate,
                self_test=tested.result,
                self_test_said=tested.text,
                self_test_date=tested.date,
            )

        is_forced = "FSD" in tokens(status)  # seconds before the host goes down: a last word even if it was critical
        state = (
            believed.power,
            believed.comms,
            believed.low_battery,
            believed.replace_battery,
            is_forced,
            tested.result,
        )
        is_urgent = believed.power in WORTH_A_LAST_WORD or believed.low_battery
        return Reading(self.name, state, self._settings.rhythm, body, is_urgent)


def _read(variables: Mapping[str, str]) -> _Read:
    return _Read(
        variables,
        has_mains(variables),
        whole(variables, "battery.runtime", thousandths=True, most=DURATION_MAX_MS),
        whole(variables, "battery.charge", thousandths=True, most=WHOLE),
        self_test(variables),
    )


def whole(
    variables: Mapping[str, str], name: str, *, thousandths: bool = False, most: int = SEQUENCE_MAX
) -> int | None:
    """A variable as a whole number, or of its thousandths; None if absent, no number, negative or above `most`."""
    try:
        value = float(variables[name])
        number = round(value * 1000 if thousandths else value)
    except (KeyError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= most else None


def has_mains(variables: Mapping[str, str]) -> bool | None:
    """Whether the input voltage reaches the unit's own transfer point. None if the unit does not say both."""
    voltage = whole(variables, "input.voltage", thousandths=True)
    transfer = whole(variables, "input.transfer.low", thousandths=True)
    return None if voltage is None or transfer is None else voltage >= transfer
