"""Facts as an engine has written them, read beside it: all of its files as of one moment."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from heapq import merge
from pathlib import Path
from typing import Final

import msgspec

from sla_engine.facts_store import PERIOD_FILES, SCHEMA_VERSION, STATE_FILE
from sla_engine.reports._core.composing import session_of
from sla_engine.runners.restating import RESTATED, Restated
from wire.verdict import Fact

# Batch: looks until the ledger is folded instead, which gives the same report.
_LOOKS: Final = 50
"""A look takes about a millisecond, and so does what a commit does between its first file and its last."""
_SPAN: Final = "SELECT content FROM facts WHERE at >= ? AND at < ? ORDER BY at, conversation, session"

_decode: Final[Callable[[bytes], Fact]] = msgspec.msgpack.Decoder(Fact).decode
_restated: Final = msgspec.msgpack.Decoder(list[Restated]).decode


class StoredFacts:
    """Facts of one client that cover the entries before `next_index`, the last of which has `last_leaf`.

    It holds one moment of the files until it is closed.
    """

    def __init__(self, files: ExitStack, periods: list[sqlite3.Connection], next_index: int, last_leaf: bytes) -> None:
        self.next_index: Final = next_index
        self.last_leaf: Final = last_leaf
        self._files: Final = files
        self._periods: Final = periods

    def between(self, since: int, until: int) -> Iterator[Fact]:
        """The last word on every session that started, and each load change, within [since, until) in ms.

        In order of `session_of`, so that nobody has to hold them all to bring those of one session together.
        """
        files = (file.execute(_SPAN, (since, until)) for file in self._periods)
        return merge(*((_decode(content) for (content,) in rows) for rows in files), key=session_of)

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()


def stored_facts(directory: Path, ledger_id: bytes) -> StoredFacts | None:
    """The facts in `directory`, None where there are none that are whole and of this ledger. Writes nothing."""
    if not (directory / STATE_FILE).exists():
        return None
    for _ in range(_LOOKS):
        with ExitStack() as files:
            try:
                found = _opened(files, directory, ledger_id)
            except (sqlite3.DatabaseError, msgspec.MsgspecError):
                return None
            if found is not None:
                return found
    return None


def _opened(files: ExitStack, directory: Path, ledger_id: bytes) -> StoredFacts | None:
    """None where the files are not of one moment, or not of this ledger, or a version that restates is not through."""
    state = _reading(files, directory / STATE_FILE)
    origin = state.execute("SELECT schema, ledger_id FROM origin").fetchall()
    row = state.execute("SELECT next_index, last_leaf FROM offsets").fetchone()
    if row is None or origin != [(SCHEMA_VERSION, ledger_id)]:
        return None
    next_index, last_leaf = row
    for (section,) in state.execute("SELECT content FROM sections WHERE name = ?", (RESTATED,)):
        if not all(version.settled for version in _restated(section)):
            return None
    periods = {}
    for path in sorted(directory.glob(PERIOD_FILES)):
        file = periods[path.name] = _reading(files, path)
        (through,) = file.execute("SELECT through FROM written").fetchone() or (next_index + 1,)
        if through > next_index:
            return None
    for period, through in state.execute("SELECT period, through FROM written"):
        if period not in periods or periods[period].execute("SELECT through FROM written").fetchone()[0] < through:
            return None
    return StoredFacts(files.pop_all(), list(periods.values()), next_index, last_leaf)


def _reading(files: ExitStack, path: Path) -> sqlite3.Connection:
    """A connection whose first SELECT fixes what it sees from then on."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = files.enter_context(closing(sqlite3.connect(uri, uri=True, isolation_level=None)))
    connection.execute("PRAGMA query_only = ON")
    connection.execute("BEGIN")
    return connection
