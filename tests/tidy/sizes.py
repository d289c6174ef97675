"""A module fits in one head, a function on one screen."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Finding, Source

MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 60


def module_size(source: Source) -> Iterator[Finding]:
    if source.path.suffix not in {".py", ".js", ".mjs", ".sh"} or source.is_vendored:
        return
    lines = len(source.text.splitlines())
    if lines >= MODULE_LINES:
        yield source.finding(1, f"{lines} lines", f"split it by concept; a module has fewer than {MODULE_LINES}")


def function_size(source: Source) -> Iterator[Finding]:
    if not source.is_python:
        return
    for node in source.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines >= FUNCTION_LINES:
            instead = f"name its parts and call them; a function has fewer than {FUNCTION_LINES}"
            yield source.finding(node.lineno, f"{node.name} has {lines} lines", instead)
