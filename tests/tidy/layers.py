"""Imports point one way, and the cores know neither time nor the world."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import PACKAGES, Finding, Source, dotted, imported_modules

MAY_IMPORT: Final = {
    "wire": set[str](),
    "ledger": {"wire"},
    "agent_probe": {"wire"},
    "collector": {"wire", "ledger"},
    "sla_engine": {"wire", "ledger"},
    "dashboards": {"wire", "ledger"},
    "seatwatch": set(PACKAGES),
}
NOT_SHIPPED: Final = frozenset({"tests", "bench", "examples", "deploy", "docs", "tools"})

BANNED_IN_CORE: Final = {
    "asyncio": "let the shell wait; the core is called with what arrived",
    "time": "take `now_ms` as an argument",
    "random": "derive it from the entries",
    "secrets": "derive it from the entries",
    "uuid": "derive ids from their causes",
    "socket": "return what is to be sent",
    "ssl": "return what is to be sent",
    "http": "return what is to be sent",
    "urllib": "return what is to be sent",
    "select": "let the shell wait",
    "selectors": "let the shell wait",
    "threading": "let the shell run threads",
    "multiprocessing": "let the shell run processes",
    "concurrent": "let the shell run threads",
    "subprocess": "let the shell run programs",
    "os": "take what you need as an argument",
    "io": "take bytes or text as an argument",
    "pathlib": "take bytes or text as an argument",
    "tempfile": "take bytes or text as an argument",
    "sqlite3": "return what is to be stored",
    "logging": "return what happened; the shell logs it",
    "structlog": "return what happened; the shell logs it",
    "warnings": "return what happened; the shell logs it",
    "redis": "return what is to be published",
    "aiohttp": "return what is to be sent",
    "aiomqtt": "return what is to be sent",
    "amqtt": "return what is to be sent",
    "paho": "return what is to be sent",
    "psutil": "take readings as an argument",
    "prometheus_client": "keep plain counters; the exporter reads them",
    "decimal": "count in whole milliseconds and in counts",
    "math": "use whole-number arithmetic",
    "statistics": "keep sums and counts; a total is a ratio of sums",
}
BANNED_CALLS_IN_CORE: Final = {
    "print": "return what happened",
    "open": "take bytes or text as an argument",
    "input": "take it as an argument",
    "float": "count in whole milliseconds",
    "hash": "hash() differs from process to process; use hashlib over the bytes",
    "id": "id() differs from run to run; use a key from the entries",
}
BANNED_METHODS_IN_CORE: Final = {
    "now": "take `now_ms` as an argument",
    "utcnow": "take `now_ms` as an argument",
    "today": "take the business day as an argument",
    "fromtimestamp": "use EPOCH + timedelta(milliseconds=...)",
    "timestamp": "use (instant - EPOCH) // timedelta(milliseconds=1)",
    "total_seconds": "use duration // timedelta(milliseconds=1)",
}


def import_direction(source: Source) -> Iterator[Finding]:
    """wire <- ledger <- {collector, sla_engine, dashboards} <- seatwatch; agent_probe imports wire only."""
    if source.package is None or not source.is_python:
        return
    allowed = MAY_IMPORT[source.package] | {source.package}
    for line, module in imported_modules(source.nodes):
        top = module.split(".")[0]
        if top in NOT_SHIPPED:
            yield source.finding(line, f"a package imports {module}", "move what it needs into a package")
        elif top in PACKAGES and top not in allowed:
            reach = ", ".join(sorted(allowed - {source.package})) or "nothing of ours"
            yield source.finding(
                line,
                f"{source.package} imports {module}",
                f"{source.package} may import {reach}; take the rest as an argument and let seatwatch wire it up",
            )


def core_purity(source: Source) -> Iterator[Finding]:
    """`_core` folders import nothing that waits, measures or dices, and hold no floating point."""
    if not source.is_core or not source.is_python:
        return
    for line, module in imported_modules(source.nodes):
        instead = BANNED_IN_CORE.get(module.split(".")[0])
        if instead is not None:
            yield source.finding(line, f"a _core module imports {module}", instead)
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield source.finding(node.lineno, f"float literal {node.value!r} in _core", "count in whole milliseconds")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield source.finding(node.lineno, "true division in _core", "use //, or keep numerator and denominator")
        elif isinstance(node, ast.Name) and node.id == "float" and isinstance(node.ctx, ast.Load):
            yield source.finding(node.lineno, "float in _core", BANNED_CALLS_IN_CORE["float"])
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield source.finding(node.lineno, "waiting in _core", "return what is to be done; the shell waits")
        elif isinstance(node, ast.Call):
            yield from _impure_call(source, node)


def _impure_call(source: Source, call: ast.Call) -> Iterator[Finding]:
    name = dotted(call.func)
    if name in BANNED_CALLS_IN_CORE and name != "float":
        yield source.finding(call.lineno, f"{name}() in _core", BANNED_CALLS_IN_CORE[name])
    elif isinstance(call.func, ast.Attribute) and call.func.attr in BANNED_METHODS_IN_CORE:
        yield source.finding(call.lineno, f"{name}() in _core", BANNED_METHODS_IN_CORE[call.func.attr])
