"""The machine's own battery is read as a UPS, and no other battery that happens to be about."""

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from agent_probe.errors import ProbeUnavailable
from agent_probe.platform.linux import Linux
from agent_probe.sensors.ups.battery import BatterySource
from agent_probe.sensors.ups.battery import observed as of_battery
from tests.agent_probe.ups_bodies import Scripted, bodies
from tests.agent_probe.virtual_loop import run_virtually
from wire.facility import Comms, Power


@dataclass
class Said:
    percent: float
    secsleft: int
    power_plugged: bool | None


@pytest.mark.parametrize(
    ("said", "power", "runtime_ms", "low"),
    [
        (Said(80, psutil.POWER_TIME_UNLIMITED, True), Power.MAINS, None, False),
        (Said(80.4, 3_600, False), Power.BATTERY, 3_600_000, False),
        (Said(10, 300, False), Power.CRITICAL, 300_000, True),
        (Said(55, 4_294_967_295, False), Power.BATTERY, None, False),
        (Said(55, psutil.POWER_TIME_UNKNOWN, None), Power.UNKNOWN, None, False),
    ],
)
def test_a_battery_is_read_as_a_ups(said: Said, power: Power, runtime_ms: int | None, low: bool) -> None:
    (body,) = run_virtually(bodies(Scripted(of_battery(said, low_ratio=0.1)), 1))
    assert (body.power, body.runtime_ms, body.low_battery) == (power, runtime_ms, low)
    assert body.charge_percent == int(said.percent)


def of_this_machine(folder: Path, **supplies: dict[str, object]) -> BatterySource:
    """What the probe reads where the kernel shows these power supplies."""
    folder.mkdir(exist_ok=True)
    for name, files in supplies.items():
        (folder / name).mkdir(exist_ok=True)
        for file, value in files.items():
            (folder / name / file).write_text(f"{value}\n", encoding="utf-8")
    return BatterySource(Linux(supplies=folder).battery, low_ratio=0.1)


LAPTOP: dict[str, object] = {
    "type": "Battery",
    "energy_now": 20_000_000,
    "energy_full": 40_000_000,
    "power_now": 10_000_000,
    "status": "Discharging",
}
IN_AMPERES: dict[str, object] = {"charge_now": 3, "charge_full": 4, "current_now": -1, "status": "Discharging"}
MOUSE: dict[str, object] = {"type": "Battery", "scope": "Device", "capacity": 4, "status": "Discharging", "online": 1}


async def test_the_systems_own_files_are_read_and_a_machine_without_battery_says_so(tmp_path: Path) -> None:
    unplugged = {"type": "Mains", "online": 0}
    (body,) = await bodies(of_this_machine(tmp_path / "laptop", BAT0=LAPTOP, ADP1=unplugged), 1)
    assert (body.power, body.charge_percent, body.runtime_ms) == (Power.BATTERY, 50, 7_200_000)
    for none in (
        of_this_machine(tmp_path / "none"),
        BatterySource(Linux(supplies=tmp_path / "no").battery, low_ratio=0),
    ):
        (body,) = await bodies(none, 1)
        assert (body.comms, body.charge_percent) == (Comms.UNKNOWN_UPS, None)


async def test_the_battery_of_a_mouse_is_not_the_seats(tmp_path: Path) -> None:
    """psutil takes the first battery by name: the only one of a desktop, and the mouse's before `sbs-battery`."""
    desktop = of_this_machine(tmp_path / "desktop", hidpp_battery_0=MOUSE)
    (body,) = await bodies(desktop, 1)
    assert (body.comms, body.power, body.low_battery) == (Comms.UNKNOWN_UPS, Power.UNKNOWN, False)
    tablet = of_this_machine(tmp_path / "tablet", **{"hidpp_battery_0": MOUSE, "sbs-battery": LAPTOP})
    (body,) = await bodies(tablet, 1)
    assert (body.comms, body.power, body.charge_percent) == (Comms.OK, Power.BATTERY, 50)


async def test_two_batteries_of_one_laptop_are_one_and_an_empty_bay_is_none(tmp_path: Path) -> None:
    drained = LAPTOP | {"energy_now": 0, "power_now": 0, "status": "Not charging"}
    both = of_this_machine(tmp_path / "both", BAT0=drained, BAT1=LAPTOP)
    (body,) = await bodies(both, 1)
    assert (body.power, body.charge_percent, body.runtime_ms) == (Power.BATTERY, 25, 7_200_000)
    bay = of_this_machine(tmp_path / "bay", BAT0=LAPTOP | {"present": 1}, BAT1={"type": "Battery", "present": 0})
    (body,) = await bodies(bay, 1)
    assert body.charge_percent == 50


@pytest.mark.parametrize(
    ("files", "power", "charge", "runtime_ms", "low"),
    [
        ({"capacity": 9, "status": "Discharging"}, Power.CRITICAL, 9, None, True),
        ({"capacity": 60, "status": "Discharging", "time_to_empty_now": 900}, Power.BATTERY, 60, 900_000, False),
        (IN_AMPERES, Power.BATTERY, 75, 10_800_000, False),
        ({"energy_now": 0, "energy_full": 0, "capacity": 80, "status": "Full"}, Power.MAINS, 80, None, False),
        ({"capacity": 80, "status": "Not charging"}, Power.MAINS, 80, None, False),
        ({"capacity": 80, "status": "Unknown"}, Power.UNKNOWN, 80, None, False),
        ({"status": "Discharging"}, Power.BATTERY, None, None, False),
    ],
)
async def test_what_a_battery_does_not_tell_is_taken_from_what_it_does(
    tmp_path: Path, files: dict[str, object], power: Power, charge: int | None, runtime_ms: int | None, low: bool
) -> None:
    (body,) = await bodies(of_this_machine(tmp_path, BAT0={"type": "Battery", **files}), 1)
    found = (body.power, body.charge_percent, body.runtime_ms, body.low_battery)
    assert found == (power, charge, runtime_ms, low)


async def test_a_battery_whose_files_hang_or_hold_nonsense_keeps_nobody_else_from_measuring(tmp_path: Path) -> None:
    released, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        released.wait()

    source = BatterySource(hang, low_ratio=0.1)
    await source.open()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await source.observe(0)
    assert len(asked) == 1, "one thread hangs, however often it is asked"
    released.set()
    assert await source.observe(0) is Comms.UNKNOWN_UPS

    for number, files in enumerate(({"capacity": "full"}, {"energy_now": "?", "energy_full": "?"})):
        with pytest.raises(ProbeUnavailable, match="cannot be read"):
            await bodies(of_this_machine(tmp_path / str(number), BAT0={"type": "Battery", **files}), 1)
