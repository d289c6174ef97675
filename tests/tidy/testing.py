"""Tests wait for events, not for time to pass, each says something that could be false, no process outlives them."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from tests.tidy.source import Finding, Source, dotted

THE_POLLING_HELPER: Final = PurePosixPath("tests/waiting.py")
# What a call that can fail a test is named like. Waiting alone is none: it says that something came to pass, not what.
SAYS_SOMETHING: Final = ("assert", "check", "expect", "prove", "raises", "fail", "warns")

# What starts a process that goes on beside the test; and what ends it with the tests, even when those are killed -9.
STARTS: Final = {"subprocess.Popen", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"}
DIES_WITH_THEM: Final = {"DIES_WITH_THE_TESTS", "--pdeathsig"}


def no_sleeps(source: Source) -> Iterator[Finding]:
    if not _is_test(source) or source.path == THE_POLLING_HELPER:
        return
    for node in source.nodes:
        if not isinstance(node, ast.Call) or dotted(node.func) not in {"time.sleep", "asyncio.sleep"}:
            continue
        yields_only = len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        if not yields_only:
            instead = "advance the clock, await the event, or use tests.waiting.wait_until"
            yield source.finding(node.lineno, f"{dotted(node.func)} in a test", instead)


def says_something(source: Source) -> Iterator[Finding]:
    if not _is_test(source) or not source.path.name.startswith("test_"):
        return
    for node in source.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        if not any(_could_fail(part) for part in ast.walk(node)):
            yield source.finding(node.lineno, f"{node.name} asserts nothing", "assert what its name says")


def dies_with_the_tests(source: Source) -> Iterator[Finding]:
    if not _is_test(source) or not any(start.rpartition(".")[2] in source.text for start in STARTS):
        return
    for function in source.nodes:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or _names(function) & DIES_WITH_THEM:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and dotted(node.func) in STARTS:
                instead = "begin its command with tests.servers.DIES_WITH_THE_TESTS"
                yield source.finding(node.lineno, f"{dotted(node.func)} of what outlives a killed test", instead)


def _names(function: ast.AST) -> set[object]:
    """The names and the constants in it."""
    parts = list(ast.walk(function))
    named: set[object] = {part.id for part in parts if isinstance(part, ast.Name)}
    return named | {part.value for part in parts if isinstance(part, ast.Constant)}


def _could_fail(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    return isinstance(node, ast.Call) and dotted(node.func).split(".")[-1].lstrip("_").startswith(SAYS_SOMETHING)


def _is_test(source: Source) -> bool:
    return source.is_python and source.path.parts[0] == "tests"
