"""Tasks have names and parents, queues have limits, threads build no type information."""

import ast
from collections.abc import Iterator

from tests.tidy.source import Finding, Source, dotted


def named_tasks(source: Source) -> Iterator[Finding]:
    for call in _calls(source):
        name = dotted(call.func)
        if name.split(".")[-1] == "create_task" and not any(k.arg == "name" for k in call.keywords):
            yield source.finding(call.lineno, f"{name} without a name", 'pass name="part[which].does_what"')


def bounded_queues(source: Source) -> Iterator[Finding]:
    for call in _calls(source):
        name = dotted(call.func)
        if name.split(".")[-1] not in {"Queue", "PriorityQueue", "LifoQueue"}:
            continue
        size = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "maxsize"), None)
        if size is None or (isinstance(size, ast.Constant) and size.value == 0):
            yield source.finding(call.lineno, f"{name} without a limit", "pass maxsize and decide what full means")


def decoders_made_at_import(source: Source) -> Iterator[Finding]:
    """msgspec works out what a type is made of at its first use; two threads that do so at once have crashed it."""
    instead = "make a Decoder in the module's body"
    for call in _calls(source):
        if dotted(call.func).endswith(".decode") and any(k.arg == "type" for k in call.keywords):
            yield source.finding(call.lineno, f"{dotted(call.func)} with a type", instead)
    for made in _calls_within_functions(source):
        if dotted(made.func) in {"msgspec.json.Decoder", "msgspec.msgpack.Decoder"}:
            yield source.finding(made.lineno, f"{dotted(made.func)} in a function", instead)


def _calls(source: Source) -> Iterator[ast.Call]:
    if source.is_python and source.package is not None:
        yield from (node for node in source.nodes if isinstance(node, ast.Call))


def _calls_within_functions(source: Source) -> Iterator[ast.Call]:
    if source.is_python and source.package is not None:
        for function in source.nodes:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from (node for node in ast.walk(function) if isinstance(node, ast.Call))
