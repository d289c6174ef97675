"""Every dump of a real UPS goes through parser and rules, and comes out as a person reading its status would say."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from agent_probe.sensors.base import Stamp
from agent_probe.sensors.ups.nut import Listing, NutParser
from agent_probe.sensors.ups.sensor import whole
from agent_probe.sensors.ups.status import power_of, tokens
from tests.agent_probe.nut_replay import Screen, sensor_before
from wire.codec import encode_body
from wire.facility import Comms, Power, UpsReading

DUMPS: Final = Path(os.environ.get("SEATWATCH_SHARED_DATA", "")) / "nut"

# Written by hand from the rules in agent_probe/sensors/ups/README.md: file (its beginning) -> power state.
EXPECTED: Final = {
    "APC__Matrix-UPS_3000__apcsmart__1.4.0": Power.MAINS,
    "APC__Matrix-UPS_3000__apcsmart__2.2.0": Power.MAINS,
    "Aviem_Systems": Power.BYPASS,  # OL BYPASS
    "Cyber_Power_Systems__BL1250U": Power.BATTERY,
    "Cyber_Power_Systems__VP1200ELCD": Power.MAINS,
    "Cyber_Power_Systems__Value_2200E-GP": Power.CRITICAL,  # FSD OL
    "Eaton__5E2200USB-LA": Power.MAINS,  # OL CAL
    "Eaton__5E650iUSB-AU": Power.MAINS,
    "Eaton__93PM": Power.MAINS,  # ALARM OL RB
    "Eaton__EPDU_MI_38U-A": Power.UNKNOWN,  # ALARM, a power strip
    "Eaton__Powerware_5115_RM_1500i": Power.MAINS,
    "Eaton__Powerware_9130__bcmxcp": Power.OFF,
    "Eaton__Powerware_9130__usbhid": Power.UNKNOWN,  # no ups.status at all
    "Grafenthal__PR-3000-HS": Power.MAINS,
    "HP__T750": Power.MAINS,
    "IPAR__Mini_Energy_ME_800": Power.MAINS,  # OL BOOST
    "IVT__Solar_Controller_Device": Power.BATTERY,
    "MGE_UPS_SYSTEMS__Ellipse_800_USBS": Power.BATTERY,
    "MGE_UPS_SYSTEMS__Evolution_850": Power.BATTERY,
    "MGE_UPS_SYSTEMS__Pulsar_1500": Power.MAINS,  # ALARM OL CHRG RB
    "MGE_UPS_SYSTEMS__Pulsar_Ellipse_Premium_800": Power.MAINS,
    "MGE_UPS_SYSTEMS__Pulsar_Evolution_2200": Power.BYPASS,  # BOOST BYPASS
    "MGE_UPS_SYSTEMS__Pulsar_Evolution_800": Power.MAINS,
    "Mini-Box.Com__OpenUPS2": Power.BATTERY,
    "NHS_Sistemas_de_Energia__Expert_C_Online_8000": Power.BATTERY,  # ALARM OB
    "Novex__NUPS-650": Power.CRITICAL,  # ALARM OL FSD
    "PiSupply__PiJuice_HAT__pijuice__2.8.0": Power.MAINS,  # HB OL
    "PiSupply__PiJuice_HAT__pijuice__2.8.3": Power.MAINS,  # LB OL CHRG
    "Raritan__PX2-1486": Power.UNKNOWN,  # an empty status
    "Sweex__INTELLIGENT_UPS_1500VA_P220": Power.BATTERY,
    "Tripp_Lite__OMNIPLUS1000LCD": Power.MAINS,
    "Tripp_Lite__SMART1000LCD": Power.MAINS,
    "Tripp_Lite__SU1500RTXLCD2U": Power.MAINS,
    "Tripp_Lite__SU6000RT4U": Power.CRITICAL,  # OB LB RB
}


# likewise: how the last self-test went, of those that tell of one
TESTED: Final = {
    "Cyber_Power_Systems__VP1200ELCD": "never",
    "Cyber_Power_Systems__Value_2200E-GP": "passed",
    "Eaton__Powerware_5115_RM_1500i": "passed",
    "Grafenthal__PR-3000-HS": "passed",
    "MGE_UPS_SYSTEMS__Evolution_850": "passed",
    "MGE_UPS_SYSTEMS__Pulsar_1500": "passed",
    "MGE_UPS_SYSTEMS__Pulsar_Evolution_800": "passed",
    "Tripp_Lite__OMNIPLUS1000LCD": "passed",
    "Tripp_Lite__SU1500RTXLCD2U": "passed",
    "Tripp_Lite__SU6000RT4U": "unknown",  # 0
}


def dumps() -> Iterator[Path]:
    found = sorted(DUMPS.glob("*.dev"))
    assert found, f"SEATWATCH_SHARED_DATA names no folder with nut/*.dev: {DUMPS}"
    yield from found


def variables(dump: Path) -> dict[str, str]:
    """`name: value` lines, without comments on lines of their own or after a value."""
    found = {}
    for line in dump.read_text(encoding="utf-8", errors="replace").splitlines():
        name, separator, value = line.partition(":")
        if separator and not line.startswith("#"):
            found[name.strip()] = value.partition("#BAD")[0].partition("#COMMENT")[0].strip()
    return found


def as_upsd_says_it(found: dict[str, str]) -> bytes:
    lines = ["BEGIN LIST VAR u"]
    for name, value in found.items():
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'VAR u {name} "{quoted}"')
    return ("\n".join([*lines, "END LIST VAR u"]) + "\n").encode()


def test_every_dump_has_its_expected_state_and_every_expectation_its_dump() -> None:
    names = [dump.name for dump in dumps()]
    matches = {prefix: [name for name in names if name.startswith(prefix)] for prefix in EXPECTED}
    assert all(len(found) == 1 for found in matches.values()), matches
    assert {name for found in matches.values() for name in found} == set(names)


def test_every_dump_parses_to_the_state_a_person_reads_from_it() -> None:
    wrong = []
    for dump in dumps():
        found = variables(dump)
        (listing,) = NutParser().feed(as_upsd_says_it(found))
        assert isinstance(listing, Listing)
        assert listing.variables() == found
        expected = next(power for prefix, power in EXPECTED.items() if dump.name.startswith(prefix))
        power = power_of(tokens(listing.variables().get("ups.status", "")))
        if power is not expected:
            wrong.append((dump.name, found.get("ups.status"), power))
    assert not wrong


def test_numbers_of_real_devices_are_whole_numbers_or_absent() -> None:
    readings = {dump.name: variables(dump) for dump in dumps()}
    charges = {name: whole(found, "battery.charge", most=100) for name, found in readings.items()}
    assert all((charges[name] is not None) == ("battery.charge" in found) for name, found in readings.items())
    assert charges[next(name for name in charges if name.startswith("NHS"))] == 87
    volts = [whole(found, "input.voltage", thousandths=True) for found in readings.values()]
    assert 233_700 in volts


@pytest.mark.parametrize("dump", sorted(DUMPS.glob("*.dev")), ids=lambda dump: dump.stem)
async def test_each_dump_served_over_tcp_becomes_a_message(dump: Path) -> None:
    found = variables(dump)
    status = f'VAR u ups.status "{found["ups.status"]}"\n' if "ups.status" in found else "ERR VAR-NOT-SUPPORTED\n"
    async with sensor_before(Screen(status.encode(), as_upsd_says_it(found))) as sensor:
        (reading,) = await sensor.sample(Stamp(1_800_000_000_000, 1_000, True))
    body = reading.body()
    assert isinstance(body, UpsReading)
    assert body.comms is Comms.OK
    assert len(encode_body(body)) < 400
    expected = next(power for prefix, power in EXPECTED.items() if dump.name.startswith(prefix))
    tested = next((result for prefix, result in TESTED.items() if dump.name.startswith(prefix)), None)
    assert body.self_test == tested
    assert body.power is (Power.STARTING if expected is Power.OFF else expected)
