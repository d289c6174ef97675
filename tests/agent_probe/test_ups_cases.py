"""Sessions recorded from a real upsd, replayed one status a second: what the probe makes of each."""

import json
from pathlib import Path

import pytest

from agent_probe.errors import ProbeUnavailable
from agent_probe.sensors import ups
from agent_probe.sensors.base import Stamp
from tests.agent_probe.nut_replay import Screen, recorded, sensor_before
from wire.facility import Comms, Power, UpsReading

CASES = sorted((Path(ups.__file__).parent / "cases").iterdir())


def at(second: int) -> Stamp:
    return Stamp(1_800_000_000_000 + second * 1000, second * 1000, True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_recorded_session_gives_what_its_case_expects(case: Path) -> None:
    screen = Screen(b"")
    seen = []
    async with sensor_before(screen) as sensor:
        for second, (asked, said) in enumerate(recorded(case / "session.txt")):
            screen.status, screen.variables = said.status, said.variables
            (reading,) = await sensor.sample(at(second))
            body = reading.body()
            assert isinstance(body, UpsReading)
            seen.append(
                {
                    "asked": asked,
                    "power": body.power.value,
                    "comms": body.comms.value,
                    "status": body.status,
                    "charge_percent": body.charge_percent,
                    "input_mv": body.input_mv,
                    "urgent": reading.urgent,
                }
            )
    assert seen == json.loads((case / "expected.json").read_text(encoding="utf-8"))


async def test_an_upsd_that_goes_away_or_talks_nonsense_is_unavailable() -> None:
    screen = Screen(b"x" * 9_000)
    async with sensor_before(screen) as sensor:
        with pytest.raises(ProbeUnavailable, match="unreachable"):
            await sensor.sample(at(0))
        (reading,) = sensor.unavailable(at(1), "unreachable")
        body = reading.body()
        assert isinstance(body, UpsReading)
        assert (body.power, body.comms, body.charge_percent) == (Power.UNKNOWN, Comms.UNREACHABLE, None)
