import subprocess
import sys
from enum import StrEnum

import pytest

from seatwatch.settings import load_defaults
from sla_engine._core import definition
from sla_engine._core.choices import IMPLEMENTED, AnsweredOutOfHours, NeverAnswered, WindowCloses
from sla_engine._core.definition import (
    Definition,
    DefinitionError,
    ServiceWindow,
    SpecialDay,
    WeekdayWindows,
    YearlyDay,
    ZoneOffset,
    canonical,
    check,
    decode_definition,
    definition_hash,
    label_of,
)
from sla_engine.definition_files import load_preset, parse_definition, zone_offsets
from tests.builders import PRESET, changed, ms

GOLDEN_HASH = "c61b832139b779d4b65484067c5235164a2d33020443f1f522a6808e6bf8a9f3"


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


def words_of(key: str) -> list[object]:
    """Values of a field that this build may not compute: the other words of its list, or another number."""
    held: object = getattr(PRESET, key)
    if isinstance(held, StrEnum):
        return [*type(held)]
    return [held + 1] if isinstance(held, int) else [5_000]


@pytest.mark.parametrize("key", sorted(IMPLEMENTED))
def test_a_value_that_is_not_implemented_is_refused_by_name(key: str) -> None:
    refused = [value for value in words_of(key) if value not in IMPLEMENTED[key]]
    assert refused or set(words_of(key)) <= set(IMPLEMENTED[key])
    for value in refused:
        with pytest.raises(DefinitionError, match=f"^{key} = {value}: not implemented yet; implemented: ") as caught:
            check(changed(PRESET, **{key: value}))
        assert (caught.value.key, caught.value.value) == (key, value)


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
        ("semantics = 99", "semantics", "not implemented yet"),
        (f"semantics = {10**22}", "semantics", "a whole number from 1"),
        ('clock_start = "noon"', "clock_start", "write one of: arrival, queued, assigned"),
        ("warning_after_s = 10", "warning_after_s", "a warning after the limit"),
        ("average_good_s = 31", "average_good_s", "above average_limit_s"),
        ('inbound_forms = ["text", "edit"]', "inbound_forms", "never moves a clock"),
        ('inbound_forms = ["text", "closing"]', "inbound_forms", "counts where text does"),
        ('inbound_forms = ["text", "text"]', "inbound_forms", "one of them twice"),
        ('valid_reply = ["human", "human"]', "valid_reply", "one of them twice"),
        ('valid_reply = ["robot"]', "valid_reply", "each one of: human, assist, bot"),
        ("valid_reply = []", "valid_reply", "a list with at least one"),
        ("title = 3", "title", "write text, in quotes, at most 256 characters"),
        ("official = 1", "official", "write true or false"),
        ("version = 0", "version", "a whole number from 1 to 1000000"),
        ('service_windows = ["08-24"]', "service_windows", "no time of day"),
        ('service_windows = ["24:00-25:00"]', "service_windows", "no time of day"),
        ('service_windows = "08:00-24:00"', "service_windows", "not a list"),
        ("service_windows = []", "service_windows", "nothing would be judged"),
        ('weekday_windows.sonntag = ["08:00-12:00"]', "weekday_windows.sonntag", "no day of the week"),
        ("weekday_windows = []", "weekday_windows", "not a table"),
        ("yearly_days.02-30 = []", "yearly_days.02-30", "in no year"),
        ("yearly_days.2-3 = []", "yearly_days.2-3", "a month and a day, such as 02-29"),
        ("special_days.2026-02-29 = []", "special_days.2026-02-29", "no date"),
        ("special_days.11-11 = []", "special_days.11-11", "a date, such as 2026-11-11"),
        (
            "special_days.2026-11-11 = { first_response_limit_s = 15 }",
            "special_days.2026-11-11.windows",
            "not a list",
        ),
        (
            'special_days.2026-11-11 = { windows = ["00:00-24:00"], limit_s = 15 }',
            "special_days.2026-11-11.limit_s",
            "no such key",
        ),
        (
            'special_days.2026-11-11 = { windows = ["00:00-24:00"], first_response_limit_s = 6 }',
            "special_days.2026-11-11.first_response_limit_s",
            "not above warning_after_s",
        ),
        ('business_day_starts = "24:00"', "business_day_starts", "no start of a day"),
        ('time_zone = "Asia/Nowhere"', "time_zone", "no such zone"),
        ("first_response_limit_s = 0", "first_response_limit_s", "a number from 0.001 to 31622400"),
        ("first_response_limit_s = 0.0001", "first_response_limit_s", "finer than a millisecond"),
        ('first_response_limit_s = "10"', "first_response_limit_s", "not a number of seconds"),
        ("first_response_limit_s = inf", "first_response_limit_s", "not a number of seconds"),
        ("grace_s = nan", "grace_s", "not a number of seconds"),
        ('service_windows = ["\u00b2:00-24:00"]', "service_windows", "no time of day"),
        ('effective_from = "2026-11-01"', "effective_from", "neither a date nor a date-time"),
        ("zone_offsets = []", "zone_offsets", "is made from time_zone"),
        ("first_response_limit_ms = 10", "first_response_limit_ms", "no such key"),
        ("no_such_thing = 1", "no_such_thing", "no such key"),
        ("= 1", "file", "Invalid statement"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_key_problem_and_fix(line: str, key: str, problem: str) -> None:
    error = refused(f'based_on = "contract-10s"\n{line}\n')
    assert error.key == key
    assert problem in f"{error.problem}; {error.fix}"
    assert error.fix
    assert error.faults == (error,)


def test_forms_that_are_offered_are_those_that_count() -> None:
    error = refused('based_on = "contract-10s"\ninbound_forms = ["words"]\n')
    assert error.fix.endswith("each one of: text, media, card, order_card, call")


def test_every_fault_of_a_file_is_named_at_once() -> None:
    error = refused(
        """
        based_on = "contract-11s"
        title = 3
        clock_start = "noon"
        credit = "somebody"
        valid_reply = ["human", "robot"]
        first_response_limt_s = 9
        first_response_limit_s = "10"
        warning_after_s = 12
        average_good_s = 31
        gap_to_new_session_s = -1
        service_windows = ["08-24", "09:00-25:00", "10:00-12:00"]
        weekday_windows.sonntag = []
        yearly_days = { 2-3 = [], 02-30 = [] }
        special_days.2026-11-11 = { windows = ["x"], limit = 3, first_response_limit_s = true }
        special_days.2026-11-12 = { windows = ["00:00-24:00"], first_response_limit_s = 0 }
        effective_from = "2026-11-01"
        time_zone = "Mars/Base"
        zone_offsets = []
        """
    )
    found = sorted(str(fault).partition(":")[0] for fault in error.faults)
    assert found == sorted(
        [
            "based_on = contract-11s",
            "title = 3",
            "clock_start = noon",
            "credit = somebody",
            "valid_reply = ['human', 'robot']",
            "first_response_limt_s = 9",
            "first_response_limit_s = 10",
            "average_good_s = 31",
            "gap_to_new_session_s = -1",
            "service_windows = 08",
            "service_windows = 25",
            "weekday_windows.sonntag = sonntag",
            "yearly_days.2-3 = []",
            "special_days.2026-11-11.windows = x",
            "special_days.2026-11-11.limit = 3",
            "special_days.2026-11-11.first_response_limit_s = True",
            "special_days.2026-11-12 = {'windows'",
            "effective_from = 2026-11-01",
            "time_zone = Mars/Base",
            "zone_offsets = ...",
        ]
    )


def test_what_a_value_that_cannot_be_read_would_contradict_is_not_guessed() -> None:
    """With a limit nobody can read, no warning is too late."""
    error = refused('based_on = "contract-10s"\nfirst_response_limit_s = "x"\nwarning_after_s = 12\n')
    assert [fault.key for fault in error.faults] == ["first_response_limit_s"]
    error = refused(
        'based_on = "contract-10s"\nfirst_response_limit_s = 5\nwarning_after_s = 12\naverage_good_s = 31\n'
    )
    assert [fault.key for fault in error.faults] == ["warning_after_s", "average_good_s"]


@pytest.mark.parametrize(
    ("parameters", "key", "problem"),
    [
        ({"never_answered": NeverAnswered.CAPPED}, "unanswered_cap_s", "needs a cap"),
        ({"never_answered": NeverAnswered.CAPPED, "unanswered_cap_ms": 0}, "unanswered_cap_s", "needs a cap"),
        ({"unanswered_cap_ms": 600_000}, "unanswered_cap_s", "caps nothing"),
        (
            {"window_closes": WindowCloses.IS_CUT, "answered_out_of_hours": AnsweredOutOfHours.ZERO},
            "answered_out_of_hours",
            "no reply after the closing counts",
        ),
        ({"weekday_windows": (WeekdayWindows(0, ()), WeekdayWindows(0, ()))}, "weekday_windows", "stated twice"),
        ({"yearly_days": (YearlyDay("01-01", ()), YearlyDay("01-01", ()))}, "yearly_days", "stated twice"),
        ({"special_days": (SpecialDay("2026-01-01", ()), SpecialDay("2026-01-01", ()))}, "special_days", "twice"),
        ({"yearly_days": (YearlyDay("13-01", ()),)}, "yearly_days.13-01", "in no year"),
        (
            {"weekday_windows": (WeekdayWindows(0, (ServiceWindow(600, 540),)),)},
            "weekday_windows.monday",
            "closes later",
        ),
        ({"zone_offsets": (ZoneOffset(0, 0), ZoneOffset(0, 3600))}, "zone_offsets", "in order of time"),
        ({"zone_offsets": ()}, "zone_offsets", "not empty"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(
    parameters: dict[str, object], key: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definition, "IMPLEMENTED", {})
    with pytest.raises(DefinitionError) as caught:
        decode_definition(canonical(changed(PRESET, **parameters)))
    assert caught.value.key == key
    assert problem in caught.value.problem


def test_a_refusal_shows_what_can_be_written_instead() -> None:
    assert refused('based_on = "contract-10s"\nclock_start = "noon"\n').fix == "write one of: arrival, queued, assigned"
    assert refused('based_on = "contract-10s"\nfirst_response_limt_s = 9\n').fix == "write first_response_limit_s"
    assert refused('based_on = "contract-10s"\nwarning_after_s = 12.5\n').fix == (
        "write less than first_response_limit_s (10)"
    )


def test_weekdays_holidays_and_special_days_are_read() -> None:
    definition = parse_definition(
        """
        based_on = "contract-10s"
        weekday_windows = { sunday = [], saturday = ["10:00-18:00"] }
        yearly_days = { 10-01 = [], 02-29 = ["10:00-12:00"] }
        special_days.2026-11-11 = { windows = ["00:00-24:00"], first_response_limit_s = 15 }
        special_days.2026-11-10 = ["20:00-24:00"]
        """
    )
    assert definition.weekday_windows == (WeekdayWindows(5, (ServiceWindow(600, 1080),)), WeekdayWindows(6, ()))
    assert definition.yearly_days == (YearlyDay("02-29", (ServiceWindow(600, 720),)), YearlyDay("10-01", ()))
    assert definition.special_days == (
        SpecialDay("2026-11-10", (ServiceWindow(1200, 1440),)),
        SpecialDay("2026-11-11", (ServiceWindow(0, 1440),), 15_000),
    )


def test_a_file_that_leaves_something_unsaid_is_refused() -> None:
    error = refused('name = "x"\ntime_zone = "Asia/Shanghai"\n')
    assert error.key == "announce_within_s"
    assert "clock_start" in error.problem
    assert "title" in error.problem
    assert "unanswered_cap_s" not in error.problem


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


@pytest.mark.parametrize("seconds", ["1e308", "-1e308", "nan", "inf", "-inf", "9223372036854775807"])
@pytest.mark.parametrize("key", ["first_response_limit_s", "special_days.2026-11-11.first_response_limit_s", "grace_s"])
def test_seconds_beyond_any_clock_are_refused_by_their_key(key: str, seconds: str) -> None:
    faults = refused(f'based_on = "contract-10s"\n{key} = {seconds}\n').faults
    assert key in {fault.key for fault in faults}


@pytest.mark.parametrize("integer", ["1" + "0" * 400, "-1" + "0" * 400, "0x1" + "0" * 5000])
@pytest.mark.parametrize("key", ["first_response_limit_s", "version", "title", "service_windows"])
def test_an_integer_of_hundreds_of_digits_is_refused_by_its_key(key: str, integer: str) -> None:
    for value in (integer, f"[[{integer}]]"):
        assert refused(f'based_on = "contract-10s"\n{key} = {value}\n').key == key


@pytest.mark.parametrize("value", ["1" + "0" * 5000, "[" * 5000])
def test_what_the_reader_of_toml_gives_up_on_is_refused_as_a_file(value: str) -> None:
    assert refused(f'based_on = "contract-10s"\nversion = {value}\n').key == "file"


def test_an_hour_of_thousands_of_digits_is_no_time_of_day() -> None:
    hours = "9" * 5000
    assert "no time of day" in str(refused(f'based_on = "contract-10s"\nservice_windows = ["00:00-{hours}:00"]\n'))


@pytest.mark.parametrize("title", ["", "  "])
def test_a_definition_without_a_title_is_refused(title: str) -> None:
    error = refused(f'based_on = "contract-10s"\ntitle = "{title}"\n')
    assert (error.key, error.problem) == ("title", "is empty")


@pytest.mark.parametrize(
    "zone", ["localtime", "Factory", "posixrules", "posix/Asia/Shanghai", "right/UTC", "", "../UTC"]
)
def test_a_zone_that_only_a_machine_knows_is_refused(zone: str) -> None:
    error = refused(f'based_on = "contract-10s"\ntime_zone = "{zone}"\n')
    assert (error.key, error.problem) == ("time_zone", "no such zone")
