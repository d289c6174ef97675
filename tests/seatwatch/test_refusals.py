"""What commands refuse is told in the language asked for: every sentence of the parts below stands in the glossary."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seatwatch.cli import run
from seatwatch.glossary import words
from seatwatch.refusals import phrase, said, speak
from sla_engine._core.definition import DefinitionError
from sla_engine.definition_files import parse_contract, parse_definition

ROOT = Path(__file__).parents[2]
HAN = re.compile(r"[\u4e00-\u9fff]")
SENTENCES = {
    "DefinitionError": (2, 3),
    "TableError": (1, 2),
    "Problem": (1, 2),
    "Fault": (1, 2),
    "FilesError": (0,),
    "JobError": (0,),
    "DoorError": (0,),
    "RosterError": (0,),
    "_BadRow": (0,),
    "refuse": (0,),
    "say": (0,),
}
"""Which arguments of what is raised, or told, are sentences."""
ASSIGNED = {"problem", "fix", "what", "_SHAPE"}
"""Names that sentences are given before they are told."""
SPOKEN = (
    *("seatwatch/commands/report.py", "seatwatch/commands/explain.py", "seatwatch/commands/import_.py"),
    *("seatwatch/commands/roster.py", "seatwatch/commands/definition/_loading.py"),
    *("seatwatch/commands/definition/diff.py", "seatwatch/instants.py", "seatwatch/imports/files.py"),
    *("seatwatch/imports/job.py", "seatwatch/config.py", "seatwatch/layouts.py", "seatwatch/on_call_config.py"),
    *("seatwatch/message_section.py", "collector/importers/columns.py"),
    *("collector/importers/delivery.py", "collector/importers/figures.py", "collector/importers/mapping.py"),
    *("collector/importers/queue_log.py", "collector/importers/reading.py", "collector/importers/tables.py"),
    *("collector/roster.py", "sla_engine/definition_files.py", "sla_engine/definition_named.py"),
    *(
        "seatwatch/enrolment_section.py",
        "sla_engine/definition_values.py",
        "sla_engine/_core/definition.py",
        "sla_engine/_core/contract.py",
    ),
)
DEFINITION = 'based_on = "contract-10s"\nname = "a"\neffective_from = 2026-11-01'
CONTRACT = """
name = "a"
client = "acme"
time_zone = "Asia/Shanghai"
effective_from = 2026-11-01
queues = ["*"]
definitions = ["contract-10s"]
settlement = "month"
"""


def text_of(node: ast.expr) -> str | None:
    """A sentence with x for what is filled in; None where it comes from elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in node.values)
        return re.sub(r"^\{x\}(?=[a-z])", "", text).replace("{x}", "x")
    return None


def texts_in(node: ast.expr) -> Iterator[str]:
    both = (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,)
    for each in both:
        text = text_of(each)
        if text is not None and re.search(r"[a-z]{2,} [a-z]{2,}", text):
            yield text


def sentences(file: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            for place in SENTENCES.get(name, ()):
                if place < len(node.args):
                    yield from texts_in(node.args[place])
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) in {3, 4}:
            for each in node.value.elts[-2:]:
                yield from texts_in(each)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {
            "problem",
            "fix",
            "what",
            "_SHAPE",
        }:
            yield from texts_in(node.value)


@pytest.fixture
def in_chinese() -> Iterator[None]:
    speak("zh")
    yield
    speak("en")


@pytest.mark.usefixtures("in_chinese")
@pytest.mark.parametrize("file", SPOKEN)
def test_every_refusal_has_its_sentence(file: str) -> None:
    otherwise = words()["told_as_it_is"].zh.partition("{")[0]
    for text in sentences(file):
        told = said(text)
        assert HAN.search(told), text
        assert not told.startswith(otherwise), text
        assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", told), (text, told)


@pytest.mark.usefixtures("in_chinese")
def test_what_is_filled_in_stays_and_phrases_within_are_told_too() -> None:
    assert phrase("write a whole number of at least 3, or leave it out") == "请写 不小于 3 的整数，或去掉它"
    assert (
        said("--client acme: /data/acme: the ledger has no segment") == "--client acme: /data/acme 有误：账本没有分段"
    )
    assert said("what nobody thought of") == "不能这样做（原文：what nobody thought of）"
    assert said("a: no date\nb: no date").count("\n") == 1


@pytest.mark.usefixtures("in_chinese")
@pytest.mark.parametrize(
    ("parse", "file", "line"),
    [
        (parse_definition, DEFINITION, 'valid_reply = ""'),
        (parse_definition, DEFINITION, 'inbound_forms = ""'),
        (parse_definition, DEFINITION, 'special_days = { "*" = [] }'),
        (parse_definition, DEFINITION, 'yearly_days = { "02-13-01" = [] }'),
        (parse_contract, CONTRACT, 'special_targets = { "2026-11-11" = 0 }'),
        (parse_contract, CONTRACT, 'warnings_after_s = { "*" = [] }'),
    ],
)
def test_what_a_key_takes_is_told_in_chinese(parse: Callable[[str], object], file: str, line: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(f"{file}\n{line}\n")
    for fault in refused.value.faults:
        told = f"{phrase(fault.problem)} {phrase(fault.fix)}"
        assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", told), told


def test_english_stays_as_the_parts_say_it() -> None:
    assert said("--to x: not after --from y") == "--to x: not after --from y"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report", "--client", "a/b", "--from", "2026-01-01", "--to", "2026-01-02"], "不是客户名"),
        (["explain", "", "--client", "acme"], "请写会话编号"),
        (["import", "FILE", "--client", "acme"], "请给出列的含义"),
        (["import", "FILE", "--client", "acme", "--format", "asterisk-queue-log"], "不是 queue_log"),
        (["definition", "check", "FILE"], "改法：请写明"),
        (
            ["definition", "diff", "a", "b", "--client", "none", "--from", "2026-01-01", "--to", "2026-01-02"],
            "没有账本",
        ),
        (["roster", "import", "FILE"], "effective_from"),
        (["check-config", "FILE"], "文件里没有这样的键"),
        (["check-config", "nowhere.toml"], "没有这个文件或文件夹"),
    ],
)
def test_a_command_refuses_in_the_language_asked_for(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.csv"
    file.write_text("title = 3\n", encoding="utf-8")
    named = [str(file) if each == "FILE" else each for each in arguments]
    data = (
        [] if arguments[0] in {"definition", "check-config"} and "diff" not in arguments else ["--data", str(tmp_path)]
    )
    assert run([*named, *data, "--lang", "zh"]) == 2
    assert told in capsys.readouterr().err
