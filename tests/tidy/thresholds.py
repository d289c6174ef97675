"""Numbers with policy meaning stand in seatwatch/defaults.toml, with unit, reason and source, and nowhere else.

A number in code is a fact or a choice. A choice decides how long, how many or how often: another value would do as
well, and somebody has to answer for this one. So every number in a place where choices stand is refused (what a
constant or a default is bound to, an argument by name, what stands where nothing was said, how long is waited, where an
order is compared or a list cut off), unless it says which fact it is:

* by its name, where that tells the number: MS_PER_S, DAY_MS, PERCENT (tests/tidy/units.py);
* as a member of an Enum, in a set or as a key, where numbers are codes; in hexadecimal (bits) or octal (file modes);
* by a comment that begins with its KIND, on its own line or right above it; of a format or a drawing also further above
  in the same paragraph; of a module that holds nothing else, by a line of its docstring.

Twice a threshold, or half of one, is said where the threshold is, and one unit is made of another anywhere; any other
multiple or part of something is a choice again.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from tests.tidy.source import Finding, Source, dotted
from tests.tidy.units import FACTORS, number_said

KINDS: Final = {
    "Format": "a standard, the interface of another program or a format of our own defines it",
    "Layout": "where and how large something is drawn or printed",
    "Batch": "how much is done or remembered at once; any other number gives the same result",
    "Bound": "beyond it is nonsense or malice, which is refused; whoever behaves never comes near",
}
EXPLAINED: Final = re.compile(rf"(?:#|//|/\*) (?P<kind>{'|'.join(KINDS)}): (?=\S+ \S)")
OF_SEVERAL: Final = frozenset({"Format", "Layout"})
"""Kinds of which several numbers are facts together."""
OF_MODULES: Final = tuple(f"{kind}: " for kind in OF_SEVERAL)
PROTOCOL_CONSTANTS: Final = PurePosixPath("wire/limits.py")
HARMLESS: Final = frozenset({-1, 0, 1})
"""None, one, the last one."""
INSTEAD: Final = (
    "put it into seatwatch/defaults.toml with unit, reason and source and take it as an argument; a fact says which in "
    f"a comment above it, '# Kind: what defines it', of the kinds {', '.join(KINDS)}"
)

WAITS: Final = frozenset(
    {"sleep", "timeout", "wait", "wait_for", "ClientTimeout", "settimeout", "call_later", "select", "join_thread"}
)
LIMITS: Final = frozenset({"max", "min", "range", "islice", "randrange", "randint", "uniform", "Semaphore", "Queue"})
FALLBACKS: Final = frozenset({"get", "getattr", "pop", "setdefault"})
"""Calls whose second argument stands where nothing was said."""
ORDERS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
CODES: Final = frozenset({"status", "status_code", "code"})
"""Arguments that take a code of HTTP or of a process that ends."""
LENGTHS: Final = frozenset({"timedelta", "range", "Decimal", "Fraction", "float"})
"""Calls that make a number, or a row of them, of what they are given."""
ENUMERATIONS: Final = frozenset({"Enum", "IntEnum", "IntFlag", "Flag", "StrEnum"})
DIGESTS: Final = frozenset({"digest", "hexdigest"})


def threshold_literals(source: Source) -> Iterator[Finding]:
    """No number where choices stand, unless it says which fact it is."""
    if source.package is None or not source.is_python or source.path == PROTOCOL_CONSTANTS:
        return
    if any(line.startswith(OF_MODULES) for line in (ast.get_docstring(source.tree) or "").splitlines()):
        return
    lines = source.text.splitlines()
    said = set()
    statements = (node for node in source.nodes if isinstance(node, ast.stmt))
    starts = {at: node.lineno for node in statements for at in range(node.lineno, (node.end_lineno or 0) + 1)}
    for where, value in _places(source.nodes):
        number = _number(value, source)
        if number is None or (value.lineno, number) in said or is_explained(lines, value.lineno, starts):
            continue
        said.add((value.lineno, number))
        told = _value(value)
        yield source.finding(value.lineno, f"{where} {number if told is None else told}", INSTEAD)


def is_explained(lines: list[str], number: int, starts: Mapping[int, int]) -> bool:
    """Whether line `number` (from 1), or one above it, says which kind of fact it holds.

    starts: where the statement of a line begins, if not there.
    """
    own, right_above = number - 1, starts.get(number, number) - 2
    for at in range(own, -1, -1):
        found = EXPLAINED.search(lines[at])
        if found and (found["kind"] in OF_SEVERAL or at in {own, right_above}):
            return True
        if not lines[at].strip():
            break
    return False


def _places(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """What a number is doing there, and the expression that may hold one."""
    shapes, codes = set(_shapes(nodes)), set(_codes(nodes))
    for node in nodes:
        if isinstance(node, ast.arguments):
            yield from _defaults(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node not in codes:
            yield from _assigned(node)
        elif isinstance(node, ast.Call):
            yield from _arguments(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv):
            yield from _multiplied(node)
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            yield from (("or else", value) for value in node.values[1:])
        elif isinstance(node, ast.Compare):
            yield from _compared(node)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node not in shapes:
            yield from _cut_off(node, node.slice)


def _shapes(nodes: Sequence[ast.AST]) -> Iterator[ast.expr]:
    """What is taken apart by place, since it is equal to something or spread out into something else."""
    for node in nodes:
        if isinstance(node, ast.Starred):
            yield node.value
        elif isinstance(node, ast.Compare) and all(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
            yield from (node.left, *node.comparators)


def _codes(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Members of enumerations."""
    for node in nodes:
        if isinstance(node, ast.ClassDef) and ENUMERATIONS & {dotted(base).split(".")[-1] for base in node.bases}:
            yield from node.body


def _assigned(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> Iterator[tuple[str, ast.expr]]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for name, value in _bound(target, node.value) if node.value is not None else ():
            if name not in CODES and (number_said(name) is None or number_said(name) != _value(value)):
                yield f"{name} =", value


def _defaults(node: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*node.posonlyargs, *node.args]
    for argument, default in zip(reversed(positional), reversed(node.defaults), strict=False):
        yield f"{argument.arg} =", default
    for argument, keyword_default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
        if keyword_default is not None:
            yield f"{argument.arg} =", keyword_default


def _arguments(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    name = dotted(call.func).split(".")[-1]
    for keyword in call.keywords:
        if keyword.arg and keyword.arg not in CODES:
            yield f"{keyword.arg} =", keyword.value
    if name in WAITS | LIMITS:
        yield from ((f"{name} of", part) for argument in call.args for part in _summands(argument))
    if name in FALLBACKS:
        yield from ((f"{name} else", argument) for argument in call.args[1:])


def _multiplied(node: ast.BinOp) -> Iterator[tuple[str, ast.expr]]:
    """Three times an interval is a limit as well. A row of the same things is none."""
    for number, other in ((node.left, node.right), (node.right, node.left)):
        is_row = isinstance(other, ast.Tuple | ast.List | ast.Constant | ast.JoinedStr)
        if isinstance(number, ast.Constant) and not (number.value in FACTORS or is_row or _value(node) is not None):
            yield "a multiple or part of something by", number


def _compared(node: ast.Compare) -> Iterator[tuple[str, ast.expr]]:
    """What is equal to a number is a code or a shape; what is beyond one is over a limit."""
    sides = [node.left, *node.comparators]
    for at, operator in enumerate(node.ops):
        if isinstance(operator, ORDERS):
            compared = (part for side in sides[at : at + 2] for part in _summands(side))
            yield from (("compared with", part) for part in compared if not isinstance(part, ast.Call))


def _summands(node: ast.expr) -> Iterator[ast.expr]:
    """What is added up: `then + 5000` is later by a choice. A sum of nothing but numbers is one number."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and _value(node) is None:
        yield from _summands(node.left)
        yield from _summands(node.right)
    else:
        yield node


def _cut_off(node: ast.Subscript, cut: ast.Slice) -> Iterator[tuple[str, ast.expr]]:
    """`[:8]` and `[-8:]` keep so many; `[2:]`, `[:-4]` and `[11:16]` say where something stands."""
    is_digest = isinstance(node.value, ast.Call) and dotted(node.value.func).split(".")[-1] in DIGESTS
    is_last = isinstance(cut.lower, ast.UnaryOp)
    if cut.lower is None and cut.upper is not None and not isinstance(cut.upper, ast.UnaryOp) and not is_digest:
        yield "cut off at", cut.upper
    elif is_last and cut.upper is None and cut.lower is not None:
        yield "cut off before", cut.lower


def _bound(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Attribute):
        yield target.attr, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for part, part_value in zip(target.elts, value.elts, strict=True):
            yield from _bound(part, part_value)


def _number(node: ast.expr, source: Source) -> float | None:
    """The first number in an expression that is no code, date or factor of a unit; None if there is none."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float) or node.value in HARMLESS:
            return None
        text = ast.get_source_segment(source.text, node) or ""
        return None if text.lower().startswith(("0x", "0o")) else node.value
    parts: list[ast.expr]
    match node:
        case ast.Call():
            parts = [*node.args] if dotted(node.func).split(".")[-1] in LENGTHS else []
        case ast.Dict():
            parts = node.values
        case ast.Tuple() | ast.List():
            parts = node.elts
        case ast.BinOp():
            parts = [node.left, node.right] if _value(node) is not None else []
        case ast.UnaryOp():
            parts = [node.operand]
        case ast.IfExp():
            parts = [node.body, node.orelse]
        case ast.Subscript():
            parts = [node.slice] if dotted(node.value).split(".")[-1] == "Annotated" else []
        case _:
            parts = []
    return next((found for part in parts if (found := _number(part, source)) is not None), None)


def _value(node: ast.expr) -> float | None:
    """The value of a number or of arithmetic on numbers and names that tell theirs, None for everything else."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant):
            if isinstance(part.value, bool) or not isinstance(part.value, int | float):
                return None
        elif isinstance(part, ast.Name):
            if number_said(part.id) is None:
                return None
        elif not isinstance(part, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.expr_context):
            return None
    known = {part.id: number_said(part.id) for part in ast.walk(node) if isinstance(part, ast.Name)}
    value = eval(compile(ast.Expression(node), "<number>", "eval"), {"__builtins__": {}}, known)
    return value if isinstance(value, int | float) else None
