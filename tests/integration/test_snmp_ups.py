"""A UPS card over SNMP, played by snmpsim: what it says is read, and its silence is not taken for mains."""

import asyncio
import getpass
import grp
import os
from pathlib import Path

import msgspec
import pytest

from agent_probe.lines import Lines
from agent_probe.sensors.base import Sensor, Stamp
from agent_probe.sensors.config import UpsConfig
from agent_probe.sensors.registry import SENSORS, Host
from agent_probe.sensors.seat import Load
from tests.agent_probe.living_probe import SETTINGS, gateway
from tests.servers import LOOPBACK, Server, free_port, program, running
from wire.facility import Comms, Power, SelfTest, UpsReading

MAINS, BATTERY = 3, 5
NORMAL, LOW = 2, 3
CARD = """1.3.6.1.2.1.33.1.2.1.0|2|{battery}
1.3.6.1.2.1.33.1.2.3.0|2|7
1.3.6.1.2.1.33.1.2.4.0|2|41
1.3.6.1.2.1.33.1.3.3.1.3.1|2|231
1.3.6.1.2.1.33.1.4.1.0|2|{source}
1.3.6.1.2.1.33.1.4.4.1.5.1|2|17
1.3.6.1.2.1.33.1.7.3.0|2|3
"""


def write_card(directory: Path, source: int, battery: int, *, seconds: int) -> None:
    """`seconds` sets the file's time, by which the simulator sees that it was changed."""
    file = directory / "card.snmprec"
    file.write_text(CARD.format(source=source, battery=battery), encoding="ascii")
    os.utime(file, (1_800_000_000 + seconds, 1_800_000_000 + seconds))


def simulator(directory: Path) -> Server:
    port = free_port()
    ourselves = [f"--process-user={getpass.getuser()}", f"--process-group={grp.getgrgid(os.getgid()).gr_name}"]
    folders = [f"--data-dir={directory}", f"--cache-dir={directory / 'cache'}"]
    command = [program("snmpsimd"), *folders, "--v2c-arch", f"--agent-udpv4-endpoint={LOOPBACK}:{port}", *ourselves]
    return Server(command, port=port, directory=directory, ready=listens)


def listens(port: int) -> bool:
    return f" 0100007F:{port:04X} " in Path("/proc/net/udp").read_text(encoding="ascii")


async def said(sensor: Sensor, second: int) -> UpsReading:
    (reading,) = await sensor.sample(Stamp(1_800_000_000_000 + second * 1000, second * 1000, True))
    body = reading.body()
    assert isinstance(body, UpsReading)
    return body


async def test_a_card_is_read_from_mains_to_low_battery_and_its_silence_is_said(tmp_path: Path) -> None:
    write_card(tmp_path, MAINS, NORMAL, seconds=0)
    with running(simulator(tmp_path)) as server:
        card = UpsConfig(name="card", host=LOOPBACK, port=server.port, via="snmp", community="card")
        (sensor,) = SENSORS["ups"](
            msgspec.structs.replace(gateway(tmp_path, 1883), ups=[card]),
            SETTINGS,
            Host(lambda: Load(0, 0), Lines(lambda: 0), lambda: 0),
        )
        await sensor.open()
        first = await said(sensor, 0)
        assert (first.power, first.comms, first.status, first.charge_percent) == (Power.MAINS, Comms.OK, "OL", 41)
        assert (first.runtime_ms, first.input_mv, first.load_percent) == (420_000, 231_000, 17)
        assert (first.self_test, first.self_test_said) == (SelfTest.FAILED, "Done and error")
        write_card(tmp_path, BATTERY, LOW, seconds=10)
        assert (await said(sensor, 1)).power is Power.CRITICAL
        server.pause()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SETTINGS.ups.schedule.deadline_ms / 1000):
                await said(sensor, 2)
        (reading,) = sensor.unavailable(Stamp(0, 3_000, True), "timeout")
        body = reading.body()
        assert isinstance(body, UpsReading)
        assert (body.power, body.comms, body.charge_percent) == (Power.CRITICAL, Comms.UNREACHABLE, None)
        await sensor.close()
