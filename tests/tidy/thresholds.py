"""Numbers with policy meaning stand in seatwatch/defaults.toml, with unit, reason and source, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from tests.tidy.source import Finding, Source

THRESHOLD_NAME: Final = re.compile(
    r"^(max|min)_"
    r"|_(s|ms|max|min)$"
    r"|(^|_)(seconds|milliseconds|minutes|hours|days|bytes|rows|ratio|timeout|interval|limit|deadline|grace)$"
    r"|(^|_)(backoff|jitter|retries|attempts|ttl|threshold|keepalive|capacity|maxsize|maxlen|debounce|cooldown)$",
    re.IGNORECASE,
)
# Facts about units, such as MS_PER_S or DAY_MS.
UNIT_FACT: Final = re.compile(r"_PER_|^_?(SECOND|MINUTE|HOUR|DAY|WEEK)_(MS|S)$")
HARMLESS: Final = frozenset({-1, 0, 1})
PROTOCOL_CONSTANTS: Final = PurePosixPath("wire/limits.py")
INSTEAD: Final = (
    "put it into seatwatch/defaults.toml with unit, reason and source and take it as an argument; "
    "a fact of the wire format goes to wire/limits.py"
)

# (file, name): why this number is a fact and not a choice. A line that excuses nothing any more is refused.
EXCEPTIONS: Final[dict[tuple[str, str], str]] = {}


def threshold_literals(source: Source) -> Iterator[Finding]:
    """No number under a name that sounds like a threshold: assigned, as a default, or as a keyword argument."""
    for line, name, value in named_numbers(source):
        if (str(source.path), name) not in EXCEPTIONS:
            yield source.finding(line, f"{name} = {value}", INSTEAD)


def named_numbers(source: Source) -> Iterator[tuple[int, str, float]]:
    """Line, name and value of every number under such a name, exceptions included."""
    if source.package is None or not source.is_python or source.path == PROTOCOL_CONSTANTS:
        return
    for node in ast.walk(source.tree):
        for name, value in _bindings(node):
            number = _number(value)
            if number is None or number in HARMLESS or UNIT_FACT.search(name) or not THRESHOLD_NAME.search(name):
                continue
            yield value.lineno, name, number


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _bound(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield from _bound(node.target, node.value)
    elif isinstance(node, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg)
    elif isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        if node.defaults:
            yield from zip((a.arg for a in positional[-len(node.defaults) :]), node.defaults, strict=True)
        for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            if default is not None:
                yield argument.arg, default


def _bound(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Attribute):
        yield target.attr, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for part, part_value in zip(target.elts, value.elts, strict=True):
            yield from _bound(part, part_value)


def _number(node: ast.expr) -> float | None:
    """The value of a number or of arithmetic on numbers alone, None for everything else."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant):
            if isinstance(part.value, bool) or not isinstance(part.value, int | float):
                return None
        elif not isinstance(part, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop):
            return None
    value = eval(compile(ast.Expression(node), "<number>", "eval"), {"__builtins__": {}})
    return value if isinstance(value, int | float) else None
