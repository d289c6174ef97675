"""Any dump, any SNMP agent's values and any battery become a message; none of them an accident."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe.errors import ProbeUnavailable
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.ups.sensor import UpsSensor
from agent_probe.sensors.ups.sources import NutSource, Observed, UpsAddress, UpsSource
from agent_probe.sensors.ups.ups_mib import (
    BATTERY_STATUS,
    CALIBRATION,
    MIB,
    NUMBERS,
    OBJECTS,
    OUTPUT_SOURCE,
    TEST,
    TEST_RESULT,
)
from agent_probe.sensors.ups.ups_mib import observed as of_mib
from agent_probe.snmp import Value
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.ups_bodies import Scripted, bodies
from tests.agent_probe.virtual_loop import run_virtually
from wire.facility import Comms, Power

NUT_NAMES = (
    "ups.status",
    "ups.test.result",
    "ups.test.date",
    "battery.charge",
    "battery.runtime",
    "ups.load",
    "input.voltage",
    "input.transfer.low",
)
ANY_WORD = st.one_of(
    st.text(max_size=300),
    st.floats().map(str),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(["1e400", "-0", "nan", "12,5", "0x10", "230.0 V"]),
)
WORDS = "OL OB LB HB RB CHRG DISCHRG BYPASS CAL OFF OVER TRIM BOOST FSD ALARM WAIT"
# As RFC 1628 numbers them, written out here: what is read must be what a card says there.
UPS_INPUT_VOLTAGE = "1.3.6.1.2.1.33.1.3.3.1.3.1"
UPS_CONFIG_AUDIBLE = "1.3.6.1.2.1.33.1.9.8.0"
UPS_CONFIG_LOW_TRANSFER = "1.3.6.1.2.1.33.1.9.9.0"
TOKENS = st.lists(st.sampled_from(WORDS.split()))


async def told_states(source: UpsSource, count: int) -> list[object]:
    """What the runner compares, to see whether there is anything new."""
    sensor = UpsSensor("u", source, SETTINGS.ups, site="sz1", clock_domain="sz1/gw1")
    return [(await sensor.sample(Stamp(turn, turn, True)))[0].state for turn in range(count)]


@given(
    st.lists(
        st.tuples(
            st.one_of(TOKENS.map(" ".join), ANY_WORD),
            st.dictionaries(st.sampled_from(NUT_NAMES) | st.text(max_size=20), ANY_WORD, max_size=8),
        ),
        max_size=4,
    )
)
def test_any_dump_becomes_a_message(dumps: list[tuple[str, dict[str, str]]]) -> None:
    script = [Observed(status, variables) for status, variables in dumps]
    found = run_virtually(bodies(Scripted(*script), len(script)))
    assert all(body.comms in {Comms.OK, Comms.STARTING} for body in found)


def test_a_unit_without_runtime_gets_one_from_its_falling_charge_marked_as_an_estimate() -> None:
    script = [Observed("OB DISCHRG", {"battery.charge": str(100 - minute)}) for minute in range(6)]
    found = run_virtually(bodies(Scripted(*script), 6, every_ms=60_000))
    assert [body.runtime_ms for body in found] == [None, None, None, None, 96 * 60_000, 95 * 60_000]
    assert [body.runtime_is_estimate for body in found] == [False] * 4 + [True] * 2


def test_what_a_unit_claims_goes_before_an_estimate_and_no_data_has_neither() -> None:
    script: list[Observed | Comms] = [
        Observed("OB DISCHRG", {"battery.charge": str(100 - minute), "battery.runtime": "600"}) for minute in range(6)
    ]
    found = run_virtually(bodies(Scripted(*script, Comms.STALE), 7, every_ms=60_000))
    assert {(body.runtime_ms, body.runtime_is_estimate) for body in found[:6]} == {(600_000, False)}
    assert (found[6].runtime_ms, found[6].charge_percent, found[6].comms) == (None, None, Comms.STALE)


# --- SNMP


def agent(source: Value, battery: Value = 2, **numbers: int) -> dict[str, Value]:
    return {OUTPUT_SOURCE: source, BATTERY_STATUS: battery, **{f"{MIB}.{name}": n for name, n in numbers.items()}}


@pytest.mark.parametrize(
    ("source", "battery", "power", "low"),
    [
        (3, 2, Power.MAINS, False),
        (5, 2, Power.BATTERY, False),
        (5, 3, Power.CRITICAL, True),
        (5, 4, Power.CRITICAL, True),
        (4, 2, Power.BYPASS, False),
        (6, 2, Power.MAINS, False),
        (7, 2, Power.MAINS, False),
        (1, 2, Power.UNKNOWN, False),
        (None, 2, Power.UNKNOWN, False),
        (99, 1, Power.UNKNOWN, False),
    ],
)
def test_output_source_and_battery_status_become_one_power_state(
    source: Value, battery: Value, power: Power, low: bool
) -> None:
    found = of_mib(agent(source, battery))
    assert isinstance(found, Observed)
    (body,) = run_virtually(bodies(Scripted(found), 1))
    assert (body.power, body.low_battery) == (power, low)


def test_a_calibration_told_by_the_mib_does_not_stop_for_want_of_battery() -> None:
    asked = agent(5, 3)
    running = of_mib({**asked, TEST: CALIBRATION, TEST_RESULT: 5})
    over = of_mib({**asked, TEST: CALIBRATION, TEST_RESULT: 1})
    another = of_mib({**asked, TEST: f"{MIB}.7.7.4", TEST_RESULT: 5})
    told = [run_virtually(bodies(Scripted(found), 1))[0] for found in (running, over, another)]
    assert [(body.power, body.low_battery) for body in told] == [
        (Power.BATTERY, False),
        (Power.CRITICAL, True),
        (Power.CRITICAL, True),
    ]
    calibrating = {**asked, TEST: CALIBRATION, TEST_RESULT: 5, UPS_CONFIG_LOW_TRANSFER: 180, UPS_CONFIG_AUDIBLE: 2}
    with_mains, without = (of_mib({**calibrating, UPS_INPUT_VOLTAGE: volts}) for volts in (230, 20))
    told = [run_virtually(bodies(Scripted(found), 1))[0] for found in (with_mains, without)]
    assert [(body.power, body.low_battery) for body in told] == [
        (Power.MAINS_DISCHARGING, False),
        (Power.BATTERY, False),
    ]


def test_the_units_of_the_mib_become_nuts_and_what_is_negative_is_not_known() -> None:
    found = of_mib({**agent(3), **dict(zip(NUMBERS, (30, 98, 542, 231, -1, 180), strict=True))})
    assert isinstance(found, Observed)
    assert found.variables == {
        "battery.runtime": "1800",
        "battery.charge": "98",
        "battery.voltage": "54.2",
        "input.voltage": "231",
        "input.transfer.low": "180",
    }
    (body,) = run_virtually(bodies(Scripted(found), 1))
    assert (body.runtime_ms, body.charge_percent, body.input_mv, body.load_percent) == (1_800_000, 98, 231_000, None)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (1, "passed"),
        (2, "warning"),
        (3, "failed"),
        (4, "aborted"),
        (5, "running"),
        (6, "never"),
        (7, None),
        (None, None),
    ],
)
def test_the_last_self_test_of_the_mib_is_said_and_a_card_without_it_says_nothing(
    code: int | None, result: str | None
) -> None:
    found = of_mib({**agent(3), TEST_RESULT: code})
    assert isinstance(found, Observed)
    (body,) = run_virtually(bodies(Scripted(found), 1))
    assert body.self_test == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Done and passed", "passed"),
        ("OK", "passed"),
        ("Test passed", "passed"),
        ("Done and warning", "warning"),
        ("done and error", "failed"),
        ("Done and failed", "failed"),
        ("NG - failed", "failed"),
        ("Battery bad", "failed"),
        ("Not passed", "failed"),
        ("Aborted (user)", "aborted"),
        ("In progress", "running"),
        ("Test scheduled", "running"),
        ("No test initiated", "never"),
        ("No tests run", "never"),
        ("0", "unknown"),
        ("token", "unknown"),
        ("  ", None),
    ],
)
def test_a_self_test_in_any_makers_words_is_known_or_said_not_to_be(text: str, result: str | None) -> None:
    found = Observed("OL", {"ups.test.result": text, "ups.test.date": "10/25/93"})
    (body,) = run_virtually(bodies(Scripted(found), 1))
    assert (body.self_test, body.self_test_said, body.self_test_date) == (result, text.strip(), "10/25/93")


def test_a_self_test_that_failed_is_told_at_once() -> None:
    script = [Observed("OL", {"ups.test.result": text}) for text in ("Done and passed", "Done and passed", "Failed")]
    states = run_virtually(told_states(Scripted(*script), 3))
    assert states[0] == states[1] != states[2]


def test_an_agent_without_a_ups_behind_it_is_told_from_a_ups_without_mains() -> None:
    assert of_mib(dict.fromkeys(OBJECTS)) is Comms.UNKNOWN_UPS
    assert of_mib({}) is Comms.UNKNOWN_UPS


@given(st.dictionaries(st.sampled_from(OBJECTS), st.none() | st.integers() | st.binary() | st.text(), max_size=8))
def test_any_agents_values_become_a_message(values: dict[str, Value]) -> None:
    found = run_virtually(bodies(Scripted(of_mib(values)), 1))
    assert len(found) == 1


async def test_whoever_listens_on_the_port_of_upsd_and_speaks_no_nut_is_no_ups() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        source = NutSource(UpsAddress("127.0.0.1", server.sockets[0].getsockname()[1], "ups1"), list_ms=30_000)
        await source.open()
        with pytest.raises(ProbeUnavailable, match="not NUT"):
            await source.observe(0)
        await source.close()


async def test_a_charge_that_upsd_tells_no_more_is_not_taken_for_the_present_one() -> None:
    told = {"OL": b'BEGIN LIST VAR u\nVAR u battery.charge "97"\nEND LIST VAR u\n', "OB": b"ERR DATA-STALE\n"}
    states = iter(["OL", "OB", "OB", "OL"])
    ended = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = ""
        while request := await reader.readline():
            if request.startswith(b"GET"):
                state = next(states)
                writer.write(f'VAR u ups.status "{state}"\n'.encode())
            else:
                writer.write(told[state])
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        source = NutSource(UpsAddress("127.0.0.1", server.sockets[0].getsockname()[1], "u"), list_ms=30_000)
        found = await bodies(source, 4)
        await ended.wait()
    assert [(body.power, body.charge_percent) for body in found] == [
        (Power.MAINS, 97),
        (Power.BATTERY, None),
        (Power.BATTERY, None),
        (Power.MAINS, 97),
    ]
