"""Words people read on a screen stand in seatwatch/glossary.toml, in both languages with their meaning, nowhere else.

Chinese is refused wherever it stands; English, which code is written in as well, where a screen shows it: in the text
and the spoken attributes of markup, also where Python makes it, in what a script puts on a page and a style adds to it.
"""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from tests.tidy.source import Finding, Source

CJK: Final = re.compile(r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
MARKUP_COMMENT: Final = re.compile(r"<!--.*?-->|/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
MARKUP_SUFFIXES: Final = frozenset({".js", ".mjs", ".css", ".html", ".svg", ".json"})
FILLED_IN: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\{\w+\}", re.DOTALL)
"""What a template gets from elsewhere."""
SPOKEN: Final = frozenset({"title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription"})
NOT_READ: Final = frozenset({"script", "style", "code", "pre"})
NAMES: Final = frozenset({"Seatwatch", "OpenAPI", "POST", "CSV", "JSON", "UPS", "v1", "events"})
"""Names of ours, of formats and of addresses, which are the same in every language."""
LETTERS: Final = re.compile(r"[A-Za-z][A-Za-z0-9]+")
TAG: Final = re.compile(
    r"</?(?:html|body|title|p|h[1-6]|t[dhr]|table|[aibu]|span|div|section|[uo]l|li|button|label|option|strong|small|text)\b"
)
SHOWN: Final = re.compile(
    r"""(?:\.(?:textContent|innerText|innerHTML|title|placeholder|alt|ariaLabel)\s*=(?!=)"""
    r"""|\bsetText\([^,;]*,|\bsetAttribute\(["'](?:title|alt|placeholder|aria-label)["'],|\b(?:alert|confirm|prompt)\("""
    r"""|\.(?:append|prepend|before|after|replaceWith|replaceChildren)\((?=["'`])|\bcreateTextNode\("""
    r"""|\binsertAdjacent(?:HTML|Text)\([^,;]*,)(?P<what>[^;]*)(?:;|\Z)"""
    r"""|\bnode\("\w+",\s*(?:"[^"]*"|`[^`]*`),(?P<parts>[^;]*)(?:;|\Z)"""
)
ADDED: Final = re.compile(r"\bcontent:\s*[\"'](?P<what>[^\"']*)")
CSS_ESCAPE: Final = re.compile(r"\\[0-9a-fA-F]{1,6}")
LITERAL: Final = re.compile(r"\"(?P<plain>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|`(?P<template>[^`]*)`")
ASKED_FOR: Final = re.compile(
    r"[!=]==\s*\"[^\"\n]*\"|\b(?:w|by|querySelector|node|cell|setting)(?:\.has)?\([^()]*(?:\([^()]*\)[^()]*)*\)"
)
INSTEAD: Final = (
    "a word on a screen goes to seatwatch/glossary.toml; a word recognised in input, to a .toml beside the connector"
)


def screen_words(source: Source) -> Iterator[Finding]:
    """No word of a screen in the code of the packages."""
    if source.package is None or source.is_vendored:
        return
    if source.is_python:
        yield from _in_python(source)
    elif source.path.suffix in MARKUP_SUFFIXES:
        text = MARKUP_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source.text)
        for number, line in enumerate(text.splitlines(), start=1):
            if found := CJK.search(line):
                yield source.finding(number, f"Chinese text, {found[0]}", INSTEAD)
    if source.path.suffix == ".html":
        yield from _in_markup(source, source.text, 1)
    elif source.path.suffix in {".js", ".mjs"}:
        yield from _in_script(source)
    elif source.path.suffix == ".css":
        for number, line in enumerate(source.text.splitlines(), start=1):
            if (found := ADDED.search(line)) and (word := _word(CSS_ESCAPE.sub("", found["what"]))):
                yield source.finding(number, f"English text, {word}", INSTEAD)


def _in_python(source: Source) -> Iterator[Finding]:
    documentation = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}
    parts = {id(part) for node in source.nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr):
            told = "".join(str(part.value) if isinstance(part, ast.Constant) else "{{}}" for part in node.values)
            yield from _in_markup(source, told, node.lineno) if TAG.search(told) else ()
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
            continue
        if found := CJK.search(node.value):
            yield source.finding(node.lineno, f"Chinese text, {found[0]}", INSTEAD)
        if id(node) not in parts and TAG.search(node.value):
            yield from _in_markup(source, node.value, node.lineno)


def _in_markup(source: Source, text: str, line: int) -> Iterator[Finding]:
    reader = _Reader()
    reader.feed(FILLED_IN.sub(lambda found: "\n" * found[0].count("\n"), text))
    reader.close()
    for at, shown in reader.shown:
        if word := _word(shown):
            yield source.finding(line + at - 1, f"English text, {word}", INSTEAD)


def _in_script(source: Source) -> Iterator[Finding]:
    code = MARKUP_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source.text)
    for found in SHOWN.finditer(code):
        what = ASKED_FOR.sub("", found["what"] or found["parts"] or "")
        for literal in LITERAL.finditer(what):
            shown = re.sub(r"\$\{[^{}]*\}", "", literal["plain"] or literal["single"] or literal["template"] or "")
            if word := _word(re.sub(r"\\u[0-9a-fA-F]{4}", "", shown)):
                line = code.count("\n", 0, found.start()) + 1
                yield source.finding(line, f"English text, {word}", INSTEAD)


def _word(shown: str) -> str:
    return next((word for word in LETTERS.findall(shown) if word not in NAMES), "")


class _Reader(HTMLParser):
    """shown: line and text of what a person reads or is read to."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[int, str]] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_READ:
            self._within.append(tag)
        self.shown += [(self.getpos()[0], value or "") for name, value in attrs if name in SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.shown.append((self.getpos()[0], data))
