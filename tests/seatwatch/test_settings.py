"""Thresholds: the shipped file is complete, and reading it wrongly says what to do."""

from dataclasses import dataclass

import pytest

from seatwatch.settings import Defaults, SettingsError, load_defaults, parse_defaults


def one(value: str, unit: str) -> Defaults:
    return parse_defaults(f'[engine.it]\nvalue = {value}\nunit = "{unit}"\nreason = "because"\nsource = "measured"\n')


def test_every_shipped_threshold_is_readable_by_the_accessor_of_its_unit() -> None:
    defaults = load_defaults()
    for key, default in defaults.items():
        readings = []
        for accessor in (defaults.ms, defaults.int, defaults.ratio, defaults.text):
            try:
                readings.append(accessor(key))
            except SettingsError:
                continue
        assert len(readings) == 1, f"{key} ({default.unit}) is read by {len(readings)} accessors"


def test_every_shipped_threshold_says_why_and_where_from() -> None:
    for key, default in load_defaults().items():
        assert len(default.reason.split()) >= 4, f"{key}: give the reason as a sentence"
        assert len(default.source.split()) >= 2, f"{key}: name the source"


def test_the_contract_taken_for_granted_is_the_one_that_is_sold() -> None:
    defaults = load_defaults()
    assert defaults.text("contract.time_zone") == "Asia/Shanghai"
    assert defaults.minute_of_day("contract.service_window_starts") == 8 * 60
    assert defaults.minute_of_day("contract.service_window_ends") == 24 * 60
    assert defaults.ms("contract.first_response_warning") < defaults.ms("contract.first_response_limit") == 10_000
    assert defaults.ms("contract.average_response_good") < defaults.ms("contract.average_response_limit") == 30_000
    assert defaults.ms("contract.period_grace") == 24 * 3_600_000


def test_times_are_read_in_milliseconds_and_in_seconds_whatever_the_file_says() -> None:
    assert one("1.5", "s").ms("engine.it") == 1500
    assert one("2", "min").seconds("engine.it") == 120.0
    assert one("250", "ms").seconds("engine.it") == 0.25


@pytest.mark.parametrize(("value", "unit"), [("0.0004", "s"), ("4.5", "ms")])
def test_a_fraction_of_a_millisecond_is_refused(value: str, unit: str) -> None:
    with pytest.raises(SettingsError, match="no whole number of milliseconds"):
        one(value, unit).ms("engine.it")


def test_reading_a_length_of_time_as_a_count_names_key_and_fix() -> None:
    with pytest.raises(SettingsError, match=r"engine\.it: read as a whole number of things.*unit = one of"):
        one("10", "s").int("engine.it")
    with pytest.raises(SettingsError, match=r"engine\.it: read as a length of time"):
        one("10", "rows").ms("engine.it")


def test_a_missing_key_names_the_file_and_its_neighbours() -> None:
    with pytest.raises(SettingsError, match=r"add \[engine\.other\] to seatwatch/defaults\.toml.*engine\.it"):
        one("10", "s").ms("engine.other")


def test_the_end_of_the_day_is_a_clock_time_and_a_quarter_past_it_is_not() -> None:
    assert one('"24:00"', "time of day").minute_of_day("engine.it") == 1440
    for wrong in ("24:15", "08:60", "8", "eight:00", "-1:00"):
        with pytest.raises(SettingsError, match="no clock time"):
            one(f'"{wrong}"', "time of day").minute_of_day("engine.it")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[engine.it]\nvalue = 1\nunit = "s"\nreason = "because"', "incomplete"),
        ('[engine.it]\nvalue = 1\nunit = "s"\nreason = " "\nsource = "s"', "reason is empty"),
        ('[engine.it]\nvalue = 1\nunit = "fortnights"\nreason = "r"\nsource = "s"', "unknown unit"),
        ('[engine.it]\nvalue = "1"\nunit = "s"\nreason = "r"\nsource = "s"', "does not go with unit"),
        ('[engine.it]\nvalue = true\nunit = "s"\nreason = "r"\nsource = "s"', "does not go with unit"),
        ('[elsewhere.it]\nvalue = 1\nunit = "s"\nreason = "r"\nsource = "s"', "no such section"),
        ("[engine]\nit = 5", "incomplete"),
    ],
)
def test_an_unfinished_entry_is_refused_by_name(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        parse_defaults(text)


@dataclass(frozen=True)
class _Door:
    retry_after_ms: int
    retry_after_s: float
    rows_max: int
    zone: str
    requests_per_s: int
    given: str


def test_a_package_s_settings_are_filled_by_the_names_of_their_fields() -> None:
    defaults = parse_defaults(
        "\n".join(
            f'[collector.{name}]\nvalue = {value}\nunit = "{unit}"\nreason = "r"\nsource = "s"'
            for name, value, unit in (
                ("retry_after", 2, "s"),
                ("rows_max", 500, "rows"),
                ("zone", '"UTC"', "time zone"),
                ("requests", 20, "per second"),
            )
        )
    )
    assert defaults.fill(_Door, "collector", given="as told") == _Door(2000, 2.0, 500, "UTC", 20, "as told")


@dataclass(frozen=True)
class _Tap:
    drops_per_s: int


def tap(value: float, unit: str) -> _Tap:
    text = f'[collector.left_drops]\nvalue = {value}\nunit = "{unit}"\nreason = "r"\nsource = "s"'
    return parse_defaults(text).fill(_Tap, "collector", prefix="left_")


def test_a_rate_is_whole_things_per_second() -> None:
    assert tap(3, "per second") == _Tap(3)
    for value, unit in ((2.5, "per second"), (3, "factor"), (3, "rows")):
        with pytest.raises(SettingsError, match=r"collector\.left_drops"):
            tap(value, unit)


def test_a_field_without_a_threshold_is_named() -> None:
    with pytest.raises(SettingsError, match=r"collector\.retry_after"):
        parse_defaults("").fill(_Door, "collector", given="as told")


def test_one_section_may_be_read_without_the_others_and_says_the_same() -> None:
    every, probe = load_defaults(), load_defaults("probe")
    assert dict(probe) == {key: value for key, value in every.items() if key.startswith("probe.")}
    assert len(probe) > 50
