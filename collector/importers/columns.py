"""Columns of a file found by their headings, for whatever kind of mapping names them.

* MappingError: the author's fault. `problems` names each key with what is wrong and what to write instead.
"""

import tomllib
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeVar

import msgspec

from collector.importers._core.plan import Condition
from collector.importers._core.text import heading, plain
from wire.allowed import misfits
from wire.toml import read_toml

ColumnNames = str | list[str]
Test = str | list[str] | dict[Literal["not"], str | list[str]]
"""What a column must say: one word, one of several, or none of them."""

_SEPARATORS: Final = {";": ";", "\t": "\\t", "|": "|"}
"""What else than commas stands between cells, and how TOML writes it."""

_T = TypeVar("_T", bound=msgspec.Struct)


class Problem(NamedTuple):
    """One thing wrong with a mapping."""

    key: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}; {self.fix}"


class MappingError(ValueError):
    """The mapping cannot be used, or does not fit the file. `problems` is never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Columns:
    """Headings to places in a row, collecting what is not there. header: the headings, made plain."""

    def __init__(self, header: Sequence[str]) -> None:
        self.header: Final = tuple(plain(cell) for cell in header)
        self._places: dict[str, int] = {}
        self._twice: set[str] = set()
        for place, cell in enumerate(header):
            name = heading(cell)
            if name in self._places:
                self._twice.add(name)
            self._places.setdefault(name, place)
        self._problems: list[Problem] = []
        self.read = 0
        """How many columns, from the first, up to the last that was asked for."""

    def all(self, key: str, columns: ColumnNames) -> tuple[int, ...]:
        """The places of one or several columns. key: of the mapping, for the message."""
        return tuple(self.one(key, column) for column in ([columns] if isinstance(columns, str) else columns))

    def one(self, key: str, column: str) -> int:
        """The place of a column."""
        name = heading(column)
        place = self._places.get(name)
        if place is None:
            there = ", ".join(filter(None, self.header)) or "(none)"
            self._problems.append(Problem(key, f"the file has no column {column!r}", f"its columns are: {there}"))
            return 0
        self.read = max(self.read, place + 1)
        if name in self._twice:
            self._problems.append(Problem(key, f"the file has two columns {column!r}", "rename one of them"))
        return place

    def conditions(self, key: str, when: dict[str, Test]) -> tuple[Condition, ...]:
        """What columns must say, at their places."""
        found = []
        for column, test in when.items():
            negated = isinstance(test, dict)
            wanted = test["not"] if isinstance(test, dict) else test
            values = frozenset(plain(value) for value in ([wanted] if isinstance(wanted, str) else wanted))
            found.append(Condition(self.one(key, column), values, negated))
        return tuple(found)

    def check(self) -> None:
        """MappingError with everything that was asked for and is not there; with one reason, where all of it has it."""
        if self._problems and len(self.header) == 1:
            for found, written in _SEPARATORS.items():
                if found in self.header[0]:
                    fix = f'write delimiter = "{written}" under [file]'
                    raise MappingError([Problem("file.delimiter", "the header is a single column", fix)])
        if self._problems:
            raise MappingError(self._problems)


def converted(text: str, table: type[_T]) -> _T:
    """The mapping in TOML `text` as a `table`. MappingError with everything in which it does not fit."""
    try:
        said = read_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError([Problem("(file)", f"is not TOML: {error}", "correct that line")]) from None
    problems = [Problem(*found) for found in misfits(table, said)]
    if problems:
        raise MappingError(problems)
    return msgspec.convert(said, table)
