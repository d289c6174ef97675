"""`seatwatch definition`: what it prints about presets and files, and what it returns."""

from pathlib import Path

import pytest

from seatwatch.__main__ import main
from sla_engine._core.definition import Definition, canonical, definition_hash
from sla_engine.definition_files import file_key, load_preset, parse_definition, preset_names
from sla_engine.definition_text import CASES, definition_text

KEYS = {file_key(field) for field in Definition.__struct_fields__} - {"zone_offsets"}
TOO_LATE = "a warning after the limit warns of nothing; write less than first_response_limit_s (10)"
WHOLE = "write a whole number from 1 to 10000"


def test_list_shows_every_preset_with_version_date_standing_and_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["definition", "list"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:] if line.split()}
    for name in preset_names():
        preset = load_preset(name)
        for shown in (preset.name, str(preset.version), preset.source_date, definition_hash(canonical(preset))[:12]):
            assert shown in rows[name]
        assert ("unofficial" in rows[name]) is not preset.official


def test_list_says_where_a_preset_is_not_the_platforms_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["definition", "list"]) == 0
    assert "tmall-art-2022: Tmall takes turns that a fully automatic robot answered out" in capsys.readouterr().out


def test_list_speaks_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["definition", "list", "--lang", "zh"]) == 0
    page = capsys.readouterr().out
    for shown in ("版本", "非官方", "拼多多 5 分钟回复率", "天猫从分子和分母中都剔除"):
        assert shown in page
    for other in ("unofficial", "Pinduoduo"):
        assert other not in page


def test_show_prints_a_file_that_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    for name in preset_names():
        preset = load_preset(name)
        assert main(["definition", "show", name]) == 0
        text = capsys.readouterr().out
        assert definition_hash(canonical(preset)) in text
        assert parse_definition(text) == preset


def test_a_definition_of_many_days_is_shown_as_it_was_read() -> None:
    definition = parse_definition(
        """
        based_on = "contract-10s"
        title = 'says "now", \\ and more'
        effective_from = 2026-11-01T12:30:00.5+08:00
        short_abandon_s = 2.5
        service_windows = ["08:00-12:00", "20:00-02:00", "00:00-24:00", "06:00-06:00"]
        business_day_starts = "04:30"
        weekday_windows = { saturday = ["10:00-12:00"], sunday = [] }
        yearly_days.02-29 = []
        special_days.2026-11-10 = ["20:00-24:00"]
        special_days.2026-11-11 = { windows = ["00:00-24:00"], first_response_limit_s = 15 }
        """
    )
    assert parse_definition(definition_text(definition)) == definition


def test_every_edge_case_has_its_parameter() -> None:
    assert set(CASES.values()) == {f"E{number}" for number in range(1, 19)}
    text = definition_text(load_preset("contract-10s"))
    assert all(f"{key} = " in text for key in CASES if key != "unanswered_cap_s")


def test_check_names_key_problem_and_fix_of_each_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, binary = (tmp_path / name for name in ("good.toml", "bad.toml", "binary.toml"))
    good.write_text('based_on = "contract-10s"\nname = "acme"\n', encoding="utf-8")
    bad.write_text('based_on = "contract-10s"\nwarning_after_s = 11\n', encoding="utf-8")
    binary.write_bytes(b"\xff")
    assert main(["definition", "check", str(good)]) == 0
    assert f"{good}: ok. acme@1#" in capsys.readouterr().out
    assert main(["definition", "check", str(good), str(bad), str(binary), str(tmp_path), "nothing"]) == 2
    said = capsys.readouterr()
    assert "acme@1#" in said.out
    assert f"{bad}: warning_after_s = 11: a warning after the limit" in said.err
    assert "write less than first_response_limit_s (10)" in said.err
    assert f"{binary}: is not UTF-8" in said.err
    assert f"{tmp_path}: cannot be read" in said.err
    assert "nothing: neither a file nor a preset; presets: contract-10s" in said.err


def test_check_names_every_fault_of_definitions_and_contracts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, contract, good = (tmp_path / name for name in ("bad.toml", "contract.toml", "good.toml"))
    bad.write_text('based_on = "contract-10s"\nwarning_after_s = 11\ncredit = "x"\nfist = 1\n', encoding="utf-8")
    promised = 'name = "acme-2026"\nclient = "acme"\ntime_zone = "Asia/Shanghai"\neffective_from = 2026-11-01\n'
    promised += 'definitions = ["contract-10s"]\nsettlement = "month"\nqueues = ["presale"]\n'
    good.write_text(promised, encoding="utf-8")
    contract.write_text(promised + 'attainment_target_bp = 95.5\nperiod_starts = "4"\n', encoding="utf-8")
    assert main(["definition", "check", str(good)]) == 0
    assert f"{good}: ok. contract acme-2026\n" in capsys.readouterr().out
    assert main(["definition", "check", str(bad), str(contract)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{bad}: fist = 1: no such key; leave it out; there are: {', '.join(sorted(KEYS))}",
        f"{bad}: credit = x: does not fit; write one of: sender, assignee",
        f"{bad}: warning_after_s = 11: {TOO_LATE}",
        f'{contract}: period_starts = 4: no time of day; write it as "HH:MM", 00:00 to 24:00',
        f"{contract}: attainment_target_bp = 95.5: does not fit; {WHOLE}, or leave it out",
    ]


def test_check_speaks_chinese_around_keys_and_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('based_on = "contract-10s"\nname = "acme"\n', encoding="utf-8")
    bad.write_text('based_on = "contract-10s"\nwarning_after_s = 11\n', encoding="utf-8")
    assert main(["definition", "check", str(good), str(bad), "--lang", "zh"]) == 2
    said = capsys.readouterr()
    assert f"{good}：可用。acme@1#" in said.out
    assert said.err.splitlines() == [
        f"{bad}: warning_after_s = 11",
        "  问题：晚于时限的预警没有意义",
        "  改法：请写小于 first_response_limit_s（10）的值",
    ]


@pytest.mark.parametrize(
    ("states", "is_told"),
    [
        ('unit = "turn"', True),
        ('unit = "person_day"\nleft_before_target = "as_breach"\nnobody_online = "not_served"', True),
        ('unit = "turn"\nleft_before_target = "as_breach"', False),
        ('semantics = 2\nunit = "turn"', False),
        ('left_before_target = "ignore"', False),
    ],
)
def test_check_says_where_a_rule_of_sessions_has_no_part_in_a_rate_of_turns(
    states: str, is_told: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "turns.toml"
    file.write_text(f'based_on = "contract-10s"\nname = "turns"\n{states}\n', encoding="utf-8")
    assert main(["definition", "check", str(file), "--lang", "zh"]) == 0
    assert ("left_before_target（E11）与 nobody_online（E13）不影响轮次" in capsys.readouterr().out) is is_told


def test_show_of_what_is_not_there_is_asked_for_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["definition", "show", "contract-11s"]) == 2
    assert "contract-10s" in capsys.readouterr().err
