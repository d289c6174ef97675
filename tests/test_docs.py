"""What the documents tell a person to run exists, in both languages, and their links lead somewhere."""

import re
from pathlib import Path

import pytest
import typer.main

from seatwatch.cli import build_app
from tests.tidy.source import ROOT

CODE = re.compile(r"^```[^\n]*\n(.*?)^```|`([^`\n]+)`", re.DOTALL | re.MULTILINE)
MAKE = re.compile(r"\bmake (?:--\S+ )*([a-z][a-z-]*)")
SEATWATCH = re.compile(r"(?:^|[\s/])seatwatch ([a-z][a-z-]+)")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def code_in(document: Path) -> str:
    return "\n".join(fenced or inline for fenced, inline in CODE.findall(document.read_text(encoding="utf-8")))


def make_targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


def seatwatch_commands() -> set[str]:
    group = typer.main.get_command(build_app())
    return set(group.list_commands(group.make_context("seatwatch", ["version"])))  # type: ignore[attr-defined]  # a group


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_a_document_names_exists(document: Path) -> None:
    code = code_in(document)
    assert set(MAKE.findall(code)) <= make_targets()
    assert set(SEATWATCH.findall(code)) <= seatwatch_commands()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_both_readmes_name_the_same_commands_in_the_same_order() -> None:
    english, chinese = code_in(ROOT / "README.md"), code_in(ROOT / "README.zh-CN.md")
    assert MAKE.findall(english) == MAKE.findall(chinese) != []
    assert SEATWATCH.findall(english) == SEATWATCH.findall(chinese)


def test_the_readme_names_every_make_target() -> None:
    assert make_targets() - {"help"} == set(MAKE.findall(code_in(ROOT / "README.md")))


def test_the_commands_on_the_first_screen_are_the_demo_and_the_tests() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        first_screen = "\n".join((ROOT / name).read_text(encoding="utf-8").splitlines()[:20])
        assert list(dict.fromkeys(MAKE.findall(first_screen)))[:2] == ["demo", "test"]


def test_what_ci_runs_is_what_the_readme_names() -> None:
    run = MAKE.findall((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert {"demo", "lint", "test", "sim", "test-data"} <= set(run) <= make_targets()
