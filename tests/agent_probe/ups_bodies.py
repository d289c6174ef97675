"""What a UPS sensor makes of its source, as messages."""

from agent_probe.sensors.base import Stamp
from agent_probe.sensors.ups.sensor import UpsSensor
from agent_probe.sensors.ups.sources import Observed, UpsSource
from tests.agent_probe.living_probe import SETTINGS
from wire.codec import decode_body, encode_body
from wire.facility import Comms, UpsReading
from wire.kinds import Kind


class Scripted:
    """A source that says what it was told to, in turn."""

    def __init__(self, *script: Observed | Comms) -> None:
        self.script = list(script)

    async def open(self) -> None: ...

    async def observe(self, now: int) -> Observed | Comms:
        return self.script.pop(0)

    async def close(self) -> None: ...


async def bodies(source: UpsSource, count: int, every_ms: int = 1_000) -> list[UpsReading]:
    sensor = UpsSensor("u", source, SETTINGS.ups, site="sz1", clock_domain="sz1/gw1")
    await sensor.open()
    found = []
    for turn in range(count):
        (reading,) = await sensor.sample(Stamp(1_800_000_000_000 + turn * every_ms, turn * every_ms, True))
        body = reading.body()
        assert isinstance(body, UpsReading)
        assert decode_body(Kind.UPS_READING, 1, encode_body(body)) == body
        found.append(body)
    await sensor.close()
    return found
