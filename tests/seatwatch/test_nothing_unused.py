"""Every threshold is read and every word is shown: what nothing uses any more misleads whoever changes it."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cache

from seatwatch.glossary import words
from seatwatch.settings import load_defaults
from tests.tidy.source import ROOT

PACKAGES = ("wire", "ledger", "agent_probe", "collector", "sla_engine", "dashboards", "seatwatch")
PRESET = "stated for people; the preset contract-10s carries it, and test_definition_files.py holds one to the other"
NOT_READ: Mapping[str, str] = {
    "contract.first_response_limit": PRESET,
    "contract.first_response_warning": PRESET,
    "contract.short_abandon": PRESET,
    "contract.period_grace": PRESET,
    "engine.lateness_allowance": PRESET,
    "engine.announce_within": PRESET,
    "engine.gap_to_new_session": PRESET,
}

WORDS_BY_NUMBER = ("portal_weekday_",)
"""Beginnings of words whose ends are numbers, which stand nowhere as text."""


COMPOSED = frozenset({"incident_", "severity_", "cause_", "line_", "line_why_", "trunk_", "self_test_", "report_by_"})
"""Prefixes of words whose other half is a value on the wire."""


@cache
def modules() -> tuple[tuple[ast.AST, ...], ...]:
    """Every node of every module."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in files)


def strings(nodes: Iterable[ast.AST]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def fields() -> dict[str, set[str]]:
    """Annotated names of every class, by the class's name."""
    found: dict[str, set[str]] = {}
    for nodes in modules():
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                names = {
                    part.target.id
                    for part in node.body
                    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
                }
                found.setdefault(node.name, set()).update(names)
    return found


def filled() -> Iterator[str]:
    """Keys that `defaults.fill(Settings, "section")` reads: a field's own name, and that without its unit."""
    known = fields()
    for nodes in modules():
        for node in nodes:
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="fill"),
                    args=[ast.Name(id=settings) | ast.Attribute(attr=settings), ast.Constant(value=str(section)), *_],
                    keywords=keywords,
                ):
                    prefix = "".join(
                        str(word.value.value)
                        for word in keywords
                        if word.arg == "prefix" and isinstance(word.value, ast.Constant)
                    )
                    for name in known.get(settings, ()):
                        yield f"{section}.{prefix}{name}"
                        yield f"{section}.{prefix}{name.removesuffix('_per_s')}"
                        yield f"{section}.{prefix}{name.rpartition('_')[0]}"


def composed() -> Iterator[str]:
    """Keys that a module makes of `f"section.{name}"` and a name that stands in it."""
    for nodes in modules():
        beginnings = (
            str(node.values[0].value)
            for node in nodes
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant)
        )
        sections = {beginning for beginning in beginnings if re.fullmatch(r"[a-z]+\.", beginning)}
        yield from (section + name for section in sections for name in strings(nodes))


def composed_words(parts: AbstractSet[str]) -> Iterator[str]:
    """Words that a module makes of `f"prefix_{name}"` and a name that stands somewhere."""
    for nodes in modules():
        for node in nodes:
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                prefix = str(node.values[0].value)
                if prefix in COMPOSED:
                    yield from (prefix + name for name in parts)


@cache
def read() -> frozenset[str]:
    """Whatever could be the key of a threshold that something reads."""
    literal = set().union(*(strings(nodes) for nodes in modules()))
    return frozenset(literal | set(filled()) | set(composed()))


def unread(keys: AbstractSet[str]) -> set[str]:
    return set(keys - read())


def test_every_threshold_is_read_by_something() -> None:
    never = unread(load_defaults().keys())
    assert never - NOT_READ.keys() == set(), "nothing reads these: remove them from seatwatch/defaults.toml"
    assert NOT_READ.keys() - never == set(), "these are read after all, or gone: take them off the list"


def refused(said: AbstractSet[str]) -> set[str]:
    """Sentences of refusals that something says: all of their parts between the places stand in the code."""
    text = "\n".join(said)
    sentences = {key: re.split(r"\{\w+\}", word.en) for key, word in words().items() if key.startswith("refused_")}
    return {key for key, parts in sentences.items() if all(part.strip() in text for part in parts)}


def test_every_word_is_on_a_screen() -> None:
    shown = set().union(*(strings(nodes) for nodes in modules()))
    page = "\n".join(
        path.read_text(encoding="utf-8")
        for screen in ("wallboard", "lead")
        for path in sorted((ROOT / "dashboards" / screen / "static").glob("*.*"))
    )
    shown |= set(re.findall(r"[\"'`]([a-z0-9_]+)[\"'`]", page)) | set(re.findall(r"data-word=\"([a-z0-9_]+)\"", page))
    shown |= set(composed_words(shown))
    templates = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (*sorted((ROOT / "dashboards").rglob("*.html")), ROOT / "collector" / "docs.html")
    )
    shown |= set(re.findall(r"\bwords\.([a-z0-9_]+)", templates))
    of_templates = re.findall(r"words\['([a-z_]+_)' ~", templates)
    prefixes = (*re.findall(r"`([a-z]+_)\$\{", page), *of_templates, *WORDS_BY_NUMBER, "filled_")
    shown |= refused(shown)
    never = {key for key in words() if key not in shown and not key.startswith(prefixes)}
    assert never == set(), "no screen shows these: remove them from seatwatch/glossary.toml"


def test_a_key_that_nothing_reads_is_found() -> None:
    assert unread({"board.nobody_reads_this", "board.stale_after"}) == {"board.nobody_reads_this"}
