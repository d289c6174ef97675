"""What a rule sees (a file) and says (a finding), and the list of files it is applied to."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent

PACKAGES: Final = ("wire", "ledger", "agent_probe", "collector", "sla_engine", "dashboards", "seatwatch")
TEXT_SUFFIXES: Final = frozenset(
    {".py", ".toml", ".txt", ".md", ".sh", ".js", ".mjs", ".css", ".html", ".svg", ".json", ".yml", ".yaml", ".conf"}
    | {".cfg", ".ini", ".service", ".csv", ""}
)


@dataclass(frozen=True)
class Finding:
    """One breach of one rule. `instead` is what to do about it."""

    path: PurePosixPath
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}. Instead: {self.instead}."


@dataclass(frozen=True)
class Source:
    """One file: its path from the root of the repository, and its text."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree: walking is what most rules spend their time on."""
        return tuple(ast.walk(self.tree))

    @property
    def package(self) -> str | None:
        """The package of ours that the file belongs to, None for tests, benches, documents."""
        return self.path.parts[0] if self.path.parts[0] in PACKAGES else None

    @property
    def is_python(self) -> bool:
        return self.path.suffix == ".py"

    @property
    def is_core(self) -> bool:
        return self.package is not None and "_core" in self.path.parts

    @property
    def is_vendored(self) -> bool:
        return "vendor" in self.path.parts

    def finding(self, line: int, what: str, instead: str) -> Finding:
        return Finding(self.path, line, what, instead)


def repository() -> Iterator[Source]:
    """Every text file of ours that git knows or would know."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in sorted(filter(None, listed.split("\0"))):
        path = PurePosixPath(name)
        if path.suffix in TEXT_SUFFIXES and (ROOT / path).is_file():
            yield Source(path, (ROOT / path).read_text(encoding="utf-8"))


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else node.attr
    return ""


def imported_modules(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Line and full name of each module imported among all `nodes` of a file, `import_module("...")` included."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] in {"import_module", "__import__"}:
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield node.lineno, name.value
