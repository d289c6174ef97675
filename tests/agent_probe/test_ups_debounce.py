"""What is believed of a UPS that flickers, falls silent or contradicts itself."""

from agent_probe.sensors.ups.debounce import Believed, Debounce, DebounceRules
from wire.facility import Comms, Power

RULES = DebounceRules(flicker_ms=5_000, off_ms=30_000, dead_ms=15_000, gap_ms=10_000)


def told(ups: Debounce, *timeline: tuple[int, str]) -> list[Believed]:
    return [ups.observe(status, now) for now, status in timeline]


def every_second(ups: Debounce, status: str, first_s: int, last_s: int) -> list[Believed]:
    return told(ups, *((second * 1000, status) for second in range(first_s, last_s + 1)))


def test_mains_loss_and_return_are_believed_at_once() -> None:
    seen = told(Debounce(RULES), (0, "OL"), (1_000, "OB"), (2_000, "OB LB"), (3_000, "OL CHRG"))
    assert [b.power for b in seen] == [Power.MAINS, Power.BATTERY, Power.CRITICAL, Power.MAINS]
    assert [b.since_ms for b in seen] == [0, 0, 0, 0]
    assert [b.low_battery for b in seen] == [False, False, True, False]


def test_a_calibration_that_empties_the_battery_is_on_battery_and_not_about_to_stop() -> None:
    ups = Debounce(RULES)
    told(ups, (0, "OL"))
    seen = every_second(ups, "OB LB DISCHRG CAL", 1, 30)
    assert {(b.power, b.low_battery) for b in seen} == {(Power.BATTERY, False)}
    (without_mains,) = told(ups, (31_000, "OB LB DISCHRG"))
    assert (without_mains.power, without_mains.low_battery) == (Power.CRITICAL, True)


def test_a_calibration_is_no_outage_while_the_voltage_says_that_mains_is_there() -> None:
    ups = Debounce(RULES)
    told(ups, (0, "OL"))
    script = [
        ("OB CAL", True),
        ("OB LB CAL", True),
        ("OB CAL", False),
        ("OB CAL", None),
        ("OB", True),
        ("FSD CAL", True),
    ]
    powers = [ups.observe(status, n * 1000, has_mains=has_mains).power for n, (status, has_mains) in enumerate(script)]
    assert powers == [Power.MAINS_DISCHARGING] * 2 + [Power.BATTERY] * 3 + [Power.CRITICAL]


def test_a_low_battery_that_flashes_on_mains_is_ignored_for_five_seconds() -> None:
    ups = Debounce(RULES)
    flash = every_second(ups, "OL LB RB", 0, 4)
    assert not any(b.low_battery or b.replace_battery for b in flash)
    assert not told(ups, (5_000, "OL"))[0].low_battery
    lasting = every_second(ups, "OL LB RB", 6, 11)
    assert [b.low_battery for b in lasting] == [False] * 5 + [True]
    assert [b.replace_battery for b in lasting] == [False] * 5 + [True]


def test_off_at_the_beginning_of_a_self_test_is_not_believed() -> None:
    ups = Debounce(RULES)
    told(ups, (0, "OL"))
    assert {b.power for b in every_second(ups, "OL OFF", 1, 29)} == {Power.MAINS}
    assert told(ups, (30_000, "OL CAL"))[0].power is Power.MAINS


def test_off_that_lasts_thirty_seconds_is_believed() -> None:
    ups = Debounce(RULES)
    told(ups, (0, "OB"))
    seen = every_second(ups, "OFF", 1, 32)
    assert [b.power for b in seen] == [Power.BATTERY] * 30 + [Power.OFF] * 2
    assert told(ups, (33_000, "OL OFF"))[0].power is Power.LOAD_OFF


def test_a_unit_first_seen_off_is_starting_until_it_has_lasted() -> None:
    assert {b.power for b in every_second(Debounce(RULES), "OFF", 0, 29)} == {Power.STARTING}


def test_a_conflict_neither_begins_nor_ends_an_outage() -> None:
    ups = Debounce(RULES)
    seen = told(ups, (0, "OL"), (1_000, "OL OB"), (2_000, "OB"), (3_000, "OL OB"), (4_000, "OL"))
    assert [b.power for b in seen] == [Power.MAINS, Power.CONFLICT, Power.BATTERY, Power.BATTERY, Power.MAINS]


def test_a_conflict_with_no_input_voltage_is_an_outage() -> None:
    assert Debounce(RULES).observe("OL OB", 0, has_mains=False).power is Power.BATTERY


def test_a_driver_that_starts_says_nothing_about_power() -> None:
    ups = Debounce(RULES)
    assert told(ups, (0, "WAIT"))[0] == Believed(Power.STARTING, Comms.STARTING, False, False, 0)
    told(ups, (1_000, "OB"))
    assert told(ups, (2_000, "WAIT"))[0] == Believed(Power.BATTERY, Comms.STARTING, False, False, 1_000)


def test_without_data_the_last_state_stands_and_comms_says_that_it_is_only_the_last() -> None:
    ups = Debounce(RULES)
    told(ups, (0, "OL"))
    assert ups.lost(Comms.STALE, 7_000) == Believed(Power.MAINS, Comms.STALE, False, False, 7_000)
    assert Debounce(RULES).lost(Comms.UNREACHABLE, 0).power is Power.UNKNOWN


def test_lost_on_battery_for_fifteen_seconds_the_battery_is_taken_to_be_low() -> None:
    ups = Debounce(RULES)
    told(ups, (0, "OB"))
    assert not ups.lost(Comms.DRIVER_DEAD, 14_999).low_battery
    assert ups.lost(Comms.DRIVER_DEAD, 15_000).low_battery
    assert ups.lost(Comms.DRIVER_DEAD, 15_000).power is Power.BATTERY


def test_nothing_counts_as_having_lasted_while_the_machine_was_asleep() -> None:
    ups = Debounce(RULES)
    told(ups, (0, "OL"), (1_000, "OL LB OFF"))
    after = told(ups, (600_000, "OL LB OFF"))[0]
    assert (after.power, after.low_battery) == (Power.MAINS, False)
