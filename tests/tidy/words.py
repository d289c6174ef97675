"""Words people read on a screen stand in seatwatch/glossary.toml, with their meaning, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Finding, Source

CJK: Final = re.compile(r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
MARKUP_COMMENT: Final = re.compile(r"<!--.*?-->|/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
MARKUP_SUFFIXES: Final = frozenset({".js", ".mjs", ".css", ".html", ".svg", ".json"})
INSTEAD: Final = (
    "a word on a screen goes to seatwatch/glossary.toml; a word recognised in input, to a .toml beside the connector"
)


def screen_words(source: Source) -> Iterator[Finding]:
    """No Chinese in the code of the packages, other than in docstrings and comments."""
    if source.package is None or source.is_vendored:
        return
    if source.is_python:
        yield from _in_python(source)
    elif source.path.suffix in MARKUP_SUFFIXES:
        text = MARKUP_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source.text)
        for number, line in enumerate(text.splitlines(), start=1):
            if found := CJK.search(line):
                yield source.finding(number, f"Chinese text, {found[0]}", INSTEAD)


def _in_python(source: Source) -> Iterator[Finding]:
    documentation = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
            continue
        if found := CJK.search(node.value):
            yield source.finding(node.lineno, f"Chinese text, {found[0]}", INSTEAD)
