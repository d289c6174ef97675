import subprocess
import sys

import pytest

from seatwatch.settings import load_defaults
from sla_engine._core.choices import IMPLEMENTED
from sla_engine._core.definition import (
    Definition,
    DefinitionError,
    canonical,
    check,
    decode_definition,
    definition_hash,
    label_of,
)
from sla_engine.definition_files import load_preset, parse_contract, parse_definition, preset_names, zone_offsets
from tests.builders import PRESET, changed, ms

GOLDEN_HASH = "c61b832139b779d4b65484067c5235164a2d33020443f1f522a6808e6bf8a9f3"

CONTRACT = """
name = "acme-2026"
client = "acme"
time_zone = "Asia/Shanghai"
effective_from = 2026-11-01
queues = ["presale"]
definitions = ["contract-10s"]
settlement = "month"
running_in_until = 2026-12-01
attainment_target_bp = 9500
"""


def refused(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text)
    return caught.value


def test_the_hash_of_a_preset_never_changes() -> None:
    assert definition_hash(canonical(load_preset("contract-10s"))) == GOLDEN_HASH
    assert label_of(PRESET) == f"contract-10s@1#{GOLDEN_HASH[:12]}"


def test_another_process_with_another_hash_seed_computes_the_same_hash() -> None:
    program = (
        "from sla_engine.definition_files import load_preset\n"
        "from sla_engine._core.definition import canonical, definition_hash\n"
        "print(definition_hash(canonical(load_preset('contract-10s'))))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == GOLDEN_HASH


def test_a_document_decodes_to_the_definition_it_was_made_of() -> None:
    assert decode_definition(canonical(PRESET)) == PRESET


def test_the_preset_says_what_the_defaults_say() -> None:
    defaults = load_defaults()
    assert PRESET.time_zone == defaults.text("contract.time_zone")
    (window,) = PRESET.service_windows
    assert window.opens_minute == defaults.minute_of_day("contract.service_window_starts")
    assert window.closes_minute == defaults.minute_of_day("contract.service_window_ends")
    assert PRESET.business_day_starts_minute == defaults.minute_of_day("contract.business_day_starts")
    assert PRESET.first_response_limit_ms == defaults.ms("contract.first_response_limit")
    assert PRESET.service_level_threshold_ms == defaults.ms("contract.first_response_limit")
    assert PRESET.warning_after_ms == defaults.ms("contract.first_response_warning")
    assert PRESET.average_good_ms == defaults.ms("contract.average_response_good")
    assert PRESET.average_limit_ms == defaults.ms("contract.average_response_limit")
    assert PRESET.short_abandon_ms == defaults.ms("contract.short_abandon")
    assert PRESET.grace_ms == defaults.ms("contract.period_grace")
    assert PRESET.lateness_allowance_ms == defaults.ms("engine.lateness_allowance")
    assert PRESET.announce_within_ms == defaults.ms("engine.announce_within")
    assert PRESET.gap_to_new_session_ms == defaults.ms("engine.gap_to_new_session")


def test_every_preset_names_its_source_and_date() -> None:
    for name in preset_names():
        preset = load_preset(name)
        assert preset.name == name
        assert preset.source
        assert preset.source_date


@pytest.mark.parametrize("key", sorted(IMPLEMENTED))
def test_a_value_that_is_not_implemented_is_refused_by_name(key: str) -> None:
    held = getattr(PRESET, key)
    others = (
        [value for value in type(held) if value not in IMPLEMENTED[key]] if hasattr(type(held), "__members__") else []
    )
    if isinstance(held, int):
        others = [held + 1]
    elif held is None:
        others = [5_000]
    for value in others:
        with pytest.raises(DefinitionError, match=f"^{key} = {value}: not implemented yet; implemented: ") as caught:
            check(changed(**{key: value}))
        assert (caught.value.key, caught.value.value) == (key, value)
    assert others or key == "service_level_formula"


def test_a_file_may_build_on_a_preset_and_say_what_differs() -> None:
    definition = parse_definition(
        """
        based_on = "contract-10s"
        name = "acme-15s"
        effective_from = 2026-11-01
        first_response_limit_s = 15
        short_abandon_s = 2.5
        service_windows = ["09:00-12:00", "20:00-02:00"]
        [special_days]
        2026-11-11 = ["00:00-24:00"]
        2026-11-12 = []
        """
    )
    assert definition.first_response_limit_ms == 15_000
    assert definition.short_abandon_ms == 2_500
    assert [(w.opens_minute, w.closes_minute) for w in definition.service_windows] == [(540, 720), (1200, 1560)]
    assert [day.date for day in definition.special_days] == ["2026-11-11", "2026-11-12"]
    assert definition.effective_from == ms("-1 00:00")
    assert definition.average_good_ms == PRESET.average_good_ms


@pytest.mark.parametrize(
    ("line", "key", "problem"),
    [
        ('clock_start = "queued"', "clock_start", "not implemented yet"),
        ('clock_start = "noon"', "clock_start", "Invalid enum value"),
        ("warning_after_s = 10", "warning_after_ms", "a warning after the limit"),
        ("average_good_s = 31", "average_good_ms", "above average_limit_ms"),
        ('inbound_forms = ["text", "edit"]', "inbound_forms", "never moves a clock"),
        ('service_windows = ["08-24"]', "service_windows", "no time of day"),
        ('service_windows = "08:00-24:00"', "service_windows", "not a list"),
        ('time_zone = "Asia/Nowhere"', "time_zone", "no such zone"),
        ("first_response_limit_s = 0.0001", "first_response_limit_s", "finer than a millisecond"),
        ('first_response_limit_s = "10"', "first_response_limit_s", "not a number of seconds"),
        ('effective_from = "2026-11-01"', "effective_from", "neither a date nor a date-time"),
        ("zone_offsets = []", "zone_offsets", "is made from time_zone"),
        ("no_such_thing = 1", "file", "unknown field"),
        ("= 1", "file", "Invalid statement"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_key_problem_and_fix(line: str, key: str, problem: str) -> None:
    error = refused(f'based_on = "contract-10s"\n{line}\n')
    assert error.key == key
    assert problem in error.problem
    assert error.fix


def test_a_file_that_leaves_something_unsaid_is_refused() -> None:
    assert "missing required field" in refused('name = "x"\ntime_zone = "Asia/Shanghai"\n').problem


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    assert "contract-10s" in refused('based_on = "contract-11s"').fix


def test_bytes_that_are_no_definition_are_refused() -> None:
    for document in (b"", b"\xc1", canonical(PRESET)[:-1]):
        with pytest.raises(DefinitionError):
            decode_definition(document)


def test_a_definition_too_large_for_an_entry_is_refused() -> None:
    days = "\n".join(
        f'2026-{month:02}-{day:02} = ["08:00-24:00", "00:00-07:00"]' for month in range(1, 13) for day in range(1, 29)
    )
    assert refused(f'based_on = "contract-10s"\n[special_days]\n{days}\n').key == "special_days"


def test_a_contract_file_is_read_in_its_own_zone() -> None:
    contract = parse_contract(CONTRACT)
    assert contract.effective_from == ms("-1 00:00")
    assert contract.effective_until is None
    assert contract.target_bp(ms("-1 00:00")) is None
    assert contract.target_bp(ms("29 00:00")) == 9_500


def test_a_contract_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(DefinitionError, match="ends before it begins"):
        parse_contract(CONTRACT + "effective_until = 2026-10-31\n")


def test_the_offsets_of_a_zone_are_those_of_its_database() -> None:
    offsets = zone_offsets("Europe/London")
    assert [offset for _, offset in offsets[:3]] == [0, 3_600, 0]
    assert (1_774_746_000_000, 3_600) in offsets, "2026-03-29 01:00 UTC"
    assert len(zone_offsets("UTC")) == 1
    assert offsets[0][0] == 631_152_000_000, "1990-01-01 00:00 UTC"


def test_a_definition_holds_nothing_but_words_and_whole_numbers() -> None:
    def leaves(value: object) -> list[object]:
        return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]

    for field in Definition.__struct_fields__:
        assert not any(isinstance(leaf, float) for leaf in leaves(getattr(PRESET, field))), field
