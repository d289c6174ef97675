"""What a contract promises when: targets, running-in, promotion days, warnings, and the periods it is settled in."""

import pytest

from sla_engine._core.calendar import Calendar
from sla_engine._core.contract import QueueWarnings, check_against
from sla_engine._core.definition import DefinitionError
from sla_engine.definition_files import parse_contract, parse_definition
from sla_engine.zones import zone_table
from tests.builders import PRESET, ms

CONTRACT = """
name = "acme-2026"
client = "acme"
time_zone = "Asia/Shanghai"
effective_from = 2026-11-01
queues = ["presale", "aftersale"]
definitions = ["contract-10s"]
settlement = "month"
running_in_until = 2026-12-01
attainment_target_bp = 9500
"""
SHANGHAI = zone_table("Asia/Shanghai")
USUAL = Calendar(PRESET)
"""08:00 to 24:00 in Shanghai."""
# DAY of the tests' times is 2 November 2026


def refused(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse_contract(text)
    return caught.value


def test_a_contract_file_is_read_in_its_own_zone() -> None:
    contract = parse_contract(CONTRACT)
    assert contract.effective_from == ms("-1 00:00")
    assert contract.effective_until is None
    assert contract.target_bp(ms("-1 00:00"), USUAL) is None
    assert contract.target_bp(ms("29 00:00") - 1, USUAL) is None
    assert contract.target_bp(ms("29 00:00"), USUAL) == 9_500


def test_a_promotion_day_has_a_target_of_its_own_or_none_from_midnight_to_midnight() -> None:
    contract = parse_contract(f'{CONTRACT}special_targets = {{ 2026-12-11 = 9000, 2026-12-12 = "none" }}\n')
    instants = (ms("39 00:00") - 1, ms("39 00:00"), ms("40 00:00") - 1, ms("40 00:00"), ms("41 00:00"))
    assert [contract.target_bp(at, USUAL) for at in instants] == [9_500, 9_000, 9_000, None, 9_500]


def test_a_promotion_night_keeps_its_target_until_its_window_closes() -> None:
    contract = parse_contract(f"{CONTRACT}special_targets = {{ 2026-12-11 = 9000 }}\n")
    night = Calendar(parse_definition('based_on = "contract-10s"\nspecial_days.2026-12-11 = ["20:00-03:00"]\n'))
    instants = ("39 12:00", "39 23:00", "40 01:00", "40 02:59:59.999", "40 03:00")
    assert [contract.target_bp(ms(at), night) for at in instants] == [9_000, 9_000, 9_000, 9_000, 9_500]


def test_of_two_dates_whose_windows_are_open_the_target_is_that_of_the_date_it_is() -> None:
    contract = parse_contract(f'{CONTRACT}special_targets = {{ 2026-12-11 = 9000, 2026-12-12 = "none" }}\n')
    nights = Calendar(
        parse_definition(
            'based_on = "contract-10s"\n'
            'special_days = { 2026-12-11 = ["20:00-03:00"], 2026-12-12 = ["02:00-06:00", "20:00-02:00"] }\n'
        )
    )
    instants = ("40 01:59:59.999", "40 02:00", "41 01:00", "41 02:00")
    assert [contract.target_bp(ms(at), nights) for at in instants] == [9_000, None, None, 9_500]


def test_a_promotion_day_in_the_running_in_time_has_no_target() -> None:
    contract = parse_contract(f"{CONTRACT}special_targets = {{ 2026-11-11 = 9000 }}\n")
    assert contract.target_bp(ms("9 12:00"), USUAL) is None


def test_a_promotion_day_is_one_of_the_zone_of_the_primary_definition() -> None:
    contract = parse_contract(f"{CONTRACT}special_targets = {{ 2026-12-11 = 9000 }}\n")
    berlin = Calendar(parse_definition('based_on = "contract-10s"\ntime_zone = "Europe/Berlin"\n'))
    assert contract.target_bp(ms("39 06:59:59"), berlin) == 9_500
    assert contract.target_bp(ms("39 07:00"), berlin) == 9_000


def test_a_queue_may_be_warned_at_several_instants() -> None:
    contract = parse_contract(f'{CONTRACT}warnings_after_s = {{ presale = [6, 8.5], "*" = [7] }}\n')
    assert contract.warnings == (QueueWarnings("*", (7_000,)), QueueWarnings("presale", (6_000, 8_500)))
    check_against(contract, PRESET)


def test_a_warning_at_or_after_the_limit_is_refused_once_the_definition_is_known() -> None:
    contract = parse_contract(f"{CONTRACT}warnings_after_s = {{ presale = [6, 10] }}\n")
    with pytest.raises(DefinitionError, match=r"^warnings_after_s\.presale = 10: .*contract-10s \(10\)"):
        check_against(contract, PRESET)


def test_a_warning_comes_before_the_limit_of_a_promotion_too() -> None:
    night = parse_definition(
        'based_on = "contract-10s"\n'
        'special_days.2026-12-11 = { windows = ["20:00-03:00"], first_response_limit_s = 8 }\n'
    )
    contract = parse_contract(f"{CONTRACT}warnings_after_s = {{ presale = [6, 8] }}\n")
    check_against(contract, PRESET)
    with pytest.raises(DefinitionError, match=r"^warnings_after_s\.presale = 8: .*contract-10s \(8\)"):
        check_against(contract, night)


@pytest.mark.parametrize(
    ("line", "key", "problem"),
    [
        ("effective_until = 2026-10-31", "effective_until", "ends before it begins"),
        ("title = 3", "title", "write text, in quotes, at most 256 characters"),
        ("attainment_target = 95", "attainment_target", "no such key"),
        ('period_starts = "24:00"', "period_starts", "no start of a day"),
        ('period_starts = "4"', "period_starts", "no time of day"),
        ("special_targets = { 2026-11-31 = 9000 }", "special_targets.2026-11-31", "no date"),
        ("special_targets = { 2026-11-11 = 0 }", "special_targets.2026-11-11", "basis points from 1 to 10000"),
        ("special_targets = []", "special_targets", "not a table"),
        ("warnings_after_s = { presale = 6 }", "warnings_after_s.presale", "not a list"),
        ("warnings_after_s = { presale = [] }", "warnings_after_s.presale", "at least one number"),
        ("warnings_after_s = { presale = [8, 6] }", "warnings_after_s.presale", "not in ascending order"),
        ("warnings_after_s = { presale = [6, 6] }", "warnings_after_s.presale", "not in ascending order"),
        ("warnings_after_s = { returns = [6] }", "warnings_after_s.returns", "not a queue of this contract"),
    ],
)
def test_a_contract_that_cannot_be_used_is_refused_with_key_problem_and_fix(line: str, key: str, problem: str) -> None:
    error = refused(f"{CONTRACT}{line}\n")
    assert error.key == key
    assert problem in f"{error.problem}; {error.fix}"
    assert error.fix


@pytest.mark.parametrize(
    ("key", "said", "shown"),
    [
        ("effective_until", "2026-10-31", "2026-10-31: ends before it begins"),
        ("running_in_until", "2026-10-30T08:00:00", "2026-10-30 08:00:00: ends before the contract begins"),
    ],
)
def test_an_instant_that_is_refused_is_shown_as_the_file_has_it(key: str, said: str, shown: str) -> None:
    others = "".join(f"{line}\n" for line in CONTRACT.splitlines() if not line.startswith(key))
    assert str(refused(f"{others}{key} = {said}\n")).startswith(f"{key} = {shown}")


def test_every_fault_of_a_contract_is_named_at_once() -> None:
    error = refused(
        """
        name = "a b"
        title = 3
        client = "acme"
        time_zone = "Mars/Base"
        effective_from = 2026-11-01
        effective_until = 2026-10-01
        running_in_until = "soon"
        queues = ["presale", "presale"]
        definitions = []
        settlement = "week"
        special_targets = { 2026-11-31 = 9000, 2026-11-11 = 0 }
        warnings_after_s = { presale = [], returns = [8, 6] }
        period_starts = "4"
        tile = "x"
        """
    )
    assert sorted(fault.key for fault in error.faults) == sorted(
        [
            *("name", "title", "time_zone", "effective_until", "running_in_until", "queues", "definitions"),
            *("settlement", "special_targets.2026-11-11", "warnings_after_s.presale", "period_starts", "tile"),
        ]
    )


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("running_in_until = 2026-12-01", "running_in_until = 2026-11-01", "running_in_until"),
        ('["presale", "aftersale"]', '["presale", "presale"]', "queues"),
        ('["contract-10s"]', '["contract-10s", "contract-10s"]', "definitions"),
        ('"month"', '"year"', "settlement"),
        ("attainment_target_bp = 9500", "attainment_target_bp = 20000", "attainment_target_bp"),
        ('client = "acme"', "", "client"),
        ("effective_from = 2026-11-01", "", "effective_from"),
        ("effective_from = 2026-11-01", "effective_from = 3", "effective_from"),
        ('time_zone = "Asia/Shanghai"', "", "time_zone"),
    ],
)
def test_a_contract_that_says_something_else_is_refused_by_that_key(before: str, after: str, key: str) -> None:
    assert before in CONTRACT
    assert refused(CONTRACT.replace(before, after)).key == key


def test_a_month_is_cut_where_the_contract_says() -> None:
    at_midnight = parse_contract(CONTRACT).periods(SHANGHAI)
    at_four = parse_contract(f'{CONTRACT}period_starts = "04:00"\n').periods(SHANGHAI)
    assert at_midnight.bounds(ms("29 00:00") - 1) == (ms("-1 00:00"), ms("29 00:00"))
    assert at_midnight.bounds(ms("29 00:00")) == (ms("29 00:00"), ms("60 00:00"))
    assert at_four.bounds(ms("29 00:00")) == (ms("-1 04:00"), ms("29 04:00"))


def test_a_quarter_has_three_months() -> None:
    quarters = parse_contract(CONTRACT.replace('"month"', '"quarter"')).periods(SHANGHAI)
    assert quarters.bounds(ms("00:00")) == (ms("-32 00:00"), ms("60 00:00")), "October to December"
