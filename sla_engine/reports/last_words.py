"""The last word on every fact of a fold, in order of time: in memory while they are few, else in a file without a name.

A month of a large client is millions of facts. They are put down in sorted runs, which are merged when they are read,
so that no more than a run of them is held at once.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from tempfile import TemporaryFile
from typing import IO, Final

import msgspec

from sla_engine.facts_store import FactKey, key_of, revision_of
from sla_engine.reports._core.composing import session_of
from wire.verdict import Fact

# Batch: facts in memory.
HELD: Final = 50_000
_BLOCK: Final = 256  # Batch: facts decoded
"""So many facts of each run are decoded at once."""

_Block = tuple[int, int]
"""(place in the file, length)"""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final[Callable[[bytes], list[Fact]]] = msgspec.msgpack.Decoder(list[Fact]).decode


class LastWords:
    """Filled by `take`, then read once or more by `in_order`, until it is closed."""

    def __init__(self, counts: Callable[[Fact], bool], held: int = HELD) -> None:
        """counts: which facts are kept, by their last word: one that no longer counts takes the earlier ones with it.

        held: so many facts are in memory at most.
        """
        self._counts: Final = counts
        self._most: Final = held
        self._held: dict[FactKey, Fact] = {}
        self._runs: Final[list[list[_Block]]] = []
        self._file: IO[bytes] | None = None
        self._revised: Final[dict[FactKey, int]] = {}
        """The revision that holds of what was put down before it was revised."""

    def take(self, facts: Iterable[Fact]) -> None:
        """Take facts in, of each its revisions in order. Raises OSError where the file has no room."""
        for fact in facts:
            key = key_of(fact)
            revision = revision_of(fact)
            if revision and self._runs and (key in self._revised or key not in self._held):
                self._revised[key] = revision
            if self._counts(fact):
                self._held[key] = fact
                if len(self._held) >= self._most:
                    self._put_down()
            else:
                self._held.pop(key, None)

    def in_order(self) -> Iterator[Fact]:
        """The last word on each, what is void included, in order of `session_of`."""
        runs = (self._read(run) for run in self._runs)
        for fact in merge(*runs, sorted(self._held.values(), key=session_of), key=session_of):
            if not self._revised or self._revised.get(key_of(fact), revision_of(fact)) == revision_of(fact):
                yield fact

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _put_down(self) -> None:
        if self._file is None:
            self._file = TemporaryFile(prefix="seatwatch-facts-")  # noqa: SIM115 - closed by close()
        ordered = sorted(self._held.values(), key=session_of)
        self._held = {}
        run: list[_Block] = []
        place = self._file.seek(0, 2)
        for first in range(0, len(ordered), _BLOCK):
            block = _encode(ordered[first : first + _BLOCK])
            self._file.write(block)
            run.append((place, len(block)))
            place += len(block)
        self._runs.append(run)

    def _read(self, run: Iterable[_Block]) -> Iterator[Fact]:
        for place, length in run:
            if self._file is not None:
                self._file.seek(place)
                yield from _decode(self._file.read(length))
