# ruff: noqa: RUF001 - full-width characters are what these tests are about
import tomllib
from pathlib import Path

import pytest

from collector.importers.columns import MappingError
from collector.importers.mapping import parse_mapping, plan, read_mapping
from tests.collector.importers.files import CALLS, HEADER, mapping_of
from tests.tidy.source import ROOT


def problems_of(text: str) -> dict[str, str]:
    with pytest.raises(MappingError) as raised:
        parse_mapping(text)
    assert all(problem.fix for problem in raised.value.problems)
    return {problem.key: problem.problem for problem in raised.value.problems}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"Asia/Shanghai"', '"Asia/Shangai"', "time.zone"),
        ('"Asia/Shanghai"', '"../etc/passwd"', "time.zone"),
        ("resolution_s = 1", "resolution_s = 0", "time.resolution_s"),
        ("resolution_s = 1", 'resolution_s = 1\nformats = ["%Q"]', "time.formats"),
        ("resolution_s = 1", 'resolution_s = 1\nformats = ["HH:MM"]', "time.formats"),
        ("resolution_s = 1", 'resolution_s = 1\ndate = "day"', "time.date_of"),
        ('queue = "queue"\n', "", "roles.queue"),
        ('[[outcome]]\nis = "answered"', '[constant]\nqueue = "q"\n[[outcome]]\nis = "answered"', "constant.queue"),
        ('reason = "test_call"\n', "", "outcome[0].reason"),
        ('is = "abandoned"', 'is = "abandoned"\nreason = "why"', "outcome[3].reason"),
        ('queue_exit = "left"\nwait = "wait"\n', "", "roles.queue_exit"),
        ('channel = "voice"', 'answer_at = "service_start"', "roles.service_start"),
        ('channel = "voice"', 'chanel = "voice"', "chanel"),
        ('is = "answered"', 'is = "served"', "outcome[2].is"),
        ('format = "test-calls"', 'format = "a b"', "format"),
        ("[time]", "[time", "(file)"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_named_by_key(old: str, new: str, key: str) -> None:
    assert old in CALLS
    assert key in problems_of(CALLS.replace(old, new, 1))


def test_all_problems_of_a_mapping_are_told_at_once() -> None:
    broken = CALLS.replace('"Asia/Shanghai"', '"localtime"').replace('queue = "queue"\n', "")
    assert set(problems_of(broken)) == {"time.zone", "roles.queue"}
    said = [
        ('channel = "voice"', 'chanel = "voice"\nanswer_at = "never"\nfoo = 1'),
        ("resolution_s = 1", "resolution_s = -3"),
        ('is = "answered"', 'is = "served"\nreasons = "x"'),
        ('reason = "test_call"', 'reason = "Test call"'),
    ]
    for old, new in said:
        broken = broken.replace(old, new, 1)
    found = problems_of(broken)
    assert found.keys() == {
        *("chanel", "answer_at", "foo", "time.resolution_s"),
        *("outcome[2].is", "outcome[2].reasons", "outcome[0].reason"),
    }, "what columns mean together is looked at once each can be read"


def test_columns_that_the_file_does_not_have_are_named_with_those_it_has() -> None:
    with pytest.raises(MappingError) as raised:
        plan(mapping_of(), ["id", "queue", "agent", "entered", "left", "result"])
    assert {problem.problem for problem in raised.value.problems} == {
        "the file has no column 'wait'",
        "the file has no column 'ended'",
    }
    assert "its columns are: id, queue" in raised.value.problems[0].fix


@pytest.mark.parametrize(("separator", "written"), [(";", ";"), ("\t", "\\t"), ("|", "|")])
def test_a_file_with_other_separators_is_told_what_to_write(separator: str, written: str) -> None:
    with pytest.raises(MappingError) as raised:
        plan(mapping_of(), [HEADER.strip().replace(",", separator)])
    (problem,) = raised.value.problems
    assert (problem.key, problem.fix) == ("file.delimiter", f'write delimiter = "{written}" under [file]')
    assert tomllib.loads(problem.fix.removeprefix("write ").removesuffix(" under [file]")) == {"delimiter": separator}


def test_a_column_that_is_there_twice_is_refused_when_it_is_used() -> None:
    with pytest.raises(MappingError, match="two columns 'wait'"):
        plan(mapping_of(), [*HEADER.strip().split(","), "ＷＡＩＴ"])


def test_a_mapping_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_bytes('format = "售前"'.encode("gb18030"))
    with pytest.raises(MappingError, match="is not UTF-8"):
        read_mapping(tmp_path / "mapping.toml")


def test_the_example_mapping_can_be_used() -> None:
    mapping = read_mapping(ROOT / "examples" / "bank_calls" / "mapping.toml")
    assert mapping.format == "anonymous-bank-1999"
    assert (ROOT / "examples" / "bank_calls" / mapping.definition).is_file()


def test_every_key_of_a_mapping_is_explained() -> None:
    document = (ROOT / "docs" / "operate" / "import.md").read_text(encoding="utf-8")
    mapping = mapping_of()
    parts = [
        mapping,
        mapping.file,
        mapping.time,
        mapping.roles,
        mapping.durations,
        mapping.constant,
        mapping.outcome[0],
    ]
    names = {name for part in parts for name in part.__struct_fields__} - {"becomes"}
    assert [name for name in sorted(names) if name not in document] == []
