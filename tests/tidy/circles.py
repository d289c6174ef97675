"""Modules that import each other, straight or through others, at load or later: none can be read or changed alone."""

import ast
from collections.abc import Iterable, Iterator, Mapping

from tests.tidy.source import Source


def circles(sources: Iterable[Source]) -> list[list[str]]:
    """The circles among modules of our packages: each a sorted list of module names."""
    ours = {_name(source): source for source in sources if source.package is not None and source.is_python}
    graph = {name: {found for found in _imported(source) if found in ours} for name, source in ours.items()}
    reached = {name: _reached(name, graph) for name in graph}
    together = {name: tuple(sorted(one for one in reached[name] if name in reached[one])) for name in graph}
    return sorted(map(list, {circle for circle in together.values() if len(circle) > 1}))


def _name(source: Source) -> str:
    return ".".join(source.path.with_suffix("").parts)


def _imported(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _reached(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    """Every module that loading `start` could load; itself only where something leads back to it."""
    reached: set[str] = set()
    ahead = [*graph[start]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += graph[name]
    return reached
