"""Facts of one client on disk, with the state they were folded from: docs/adr/0003 says why the files are as they are.

One SQLite file per period holds the facts of sessions that started in it; `state.sqlite` holds the offset, every
conversation and what else the next start needs. A commit writes the period files first and the state last. A fact is
written by its identity and only over a lower revision, so a commit that was cut short is made whole by replaying
from the offset. What cannot be used is removed, `discarded` says why, and the caller replays from entry 0.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from wire.errors import require
from wire.verdict import Fact, LegFact, LoadChange, ResponseFact, SessionFact

# Format: of our own files.
SCHEMA_VERSION: Final = 4
"""Of the tables, the facts and the sections beside them; what another build kept is folded anew. 2: before facts told
how long the customer waited to be answered; 3: before feeds told whether they promise to speak."""
STATE_FILE: Final = "state.sqlite"
PERIOD_FILES: Final = "????-??.sqlite"
_SUFFIXES: Final = ("", "-wal", "-shm")
_WHOLE_SESSION: Final = -1

_STATE_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS origin (schema INTEGER NOT NULL, ledger_id BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS offsets (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), next_index INTEGER NOT NULL, last_leaf BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS written (period TEXT PRIMARY KEY, through INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sections (name TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS conversations (conversation TEXT PRIMARY KEY, content BLOB NOT NULL);
"""
_PERIOD_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS written (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), through INTEGER NOT NULL, last_leaf BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS facts (
    session INTEGER NOT NULL, conversation TEXT NOT NULL, type TEXT NOT NULL, number INTEGER NOT NULL,
    definition TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (session, conversation, type, number, definition)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS facts_at ON facts (at);
"""
_KEY: Final = "session = ? AND conversation = ? AND type = ? AND number = ? AND definition = ?"
_PUT: Final = """
INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET revision = excluded.revision, at = excluded.at, content = excluded.content
WHERE excluded.revision > revision
"""
_DROP: Final = f"DELETE FROM facts WHERE {_KEY} AND revision < ?"  # noqa: S608 - a constant
_FIND: Final = f"SELECT content FROM facts WHERE {_KEY}"  # noqa: S608 - a constant
_SINCE: Final = "SELECT content FROM facts WHERE at >= ? AND type {} 'load' ORDER BY at, session, conversation, number"

FactKey = tuple[int, str, str, int, str]
"""(session, conversation, type, turn or ordinal, definition): a fact's identity."""
PeriodOf = Callable[[int], tuple[int, int]]
"""Start of a session (ms) -> year and month of its business day."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final[Callable[[bytes], Fact]] = msgspec.msgpack.Decoder(Fact).decode


class Commit(NamedTuple):
    """What one commit writes.

    next_index: the first entry it does not cover. last_leaf: of the entry before that. conversations: None = let go of.
    """

    next_index: int
    last_leaf: bytes
    facts: Sequence[Fact]
    conversations: Mapping[str, bytes | None]
    sections: Mapping[str, bytes]


class Saved(NamedTuple):
    """What a commit left behind."""

    next_index: int
    conversations: list[bytes]
    sections: dict[str, bytes]


def key_of(fact: Fact) -> FactKey:
    """The identity a fact keeps through its revisions."""
    match fact:
        case SessionFact():
            return fact.session, fact.conversation, "session", _WHOLE_SESSION, fact.definition
        case ResponseFact():
            return fact.session, fact.conversation, "response", fact.turn, fact.definition
        case LegFact():
            return fact.session, fact.conversation, "leg", fact.leg, ""
        case LoadChange():
            return fact.session, fact.conversation, "load", fact.ordinal, ""


def instant_of(fact: Fact) -> int:
    """What places a fact in time, ms: the start of its session, or the instant of a load change."""
    match fact:
        case SessionFact():
            return fact.started_at
        case ResponseFact() | LegFact():
            return fact.session_started_at
        case LoadChange():
            return fact.at


def revision_of(fact: Fact) -> int:
    """How often the fact was corrected. Load changes add up and are never corrected."""
    return 0 if isinstance(fact, LoadChange) else fact.revision


class FactsStore:
    """The files of one client. One caller at a time may commit, in any thread; reading happens beside it."""

    def __init__(self, directory: Path, ledger_id: bytes, period_of: PeriodOf) -> None:
        self._directory: Final = directory
        self._ledger_id: Final = ledger_id
        self._period_of: Final = period_of
        self._writers: dict[str, sqlite3.Connection] = {}
        self._readers: dict[str, sqlite3.Connection] = {}
        self._failed = False
        self.discarded: str | None = None
        """Why what was there could not be used, None when it could or nothing was there."""

    @classmethod
    def open(cls, directory: Path, *, ledger_id: bytes, ledger_size: int, period_of: PeriodOf) -> "FactsStore":
        """The store in `directory`, made if missing. What does not fit this ledger or itself is removed."""
        directory.mkdir(parents=True, exist_ok=True)
        store = cls(directory, ledger_id, period_of)
        if (directory / STATE_FILE).exists() or store.periods():
            try:
                store.discarded = store._misfit(ledger_size)
            except sqlite3.DatabaseError as error:
                store.discarded = f"unreadable: {error}"
            if store.discarded is not None:
                store._remove()
        with store._writer(STATE_FILE) as state:
            state.execute(
                "INSERT INTO origin SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM origin)", (SCHEMA_VERSION, ledger_id)
            )
        return store

    def saved(self) -> Saved | None:
        """What the last commit left, None before the first. Reads every conversation: for the start of a process."""
        state = self._reader(STATE_FILE)
        row = state.execute("SELECT next_index FROM offsets").fetchone()
        if row is None:
            return None
        return Saved(
            next_index=row[0],
            conversations=[content for (content,) in state.execute("SELECT content FROM conversations")],
            sections=dict(state.execute("SELECT name, content FROM sections").fetchall()),
        )

    def ends(self) -> list[tuple[int, bytes]]:
        """(index, leaf of the entry before it) where the state ends, and where facts end that are ahead of it.

        A ledger that holds other entries there is another one than was folded, however long it is.
        """
        found = self._reader(STATE_FILE).execute("SELECT next_index, last_leaf FROM offsets").fetchall()
        folded = found[0][0] if found else 0
        for period in self.periods():
            rows = self._reader(period).execute("SELECT through, last_leaf FROM written WHERE through > ?", (folded,))
            found += rows.fetchall()
        return found

    def discard(self, why: str) -> None:
        """Forget everything: the caller could not read what it had saved and replays."""
        self.discarded = why
        self._remove()
        with self._writer(STATE_FILE) as state:
            state.execute("INSERT INTO origin VALUES (?, ?)", (SCHEMA_VERSION, self._ledger_id))

    def commit(self, commit: Commit) -> None:
        """Make facts durable in their periods, then the state that says they are. Blocks.

        Raises sqlite3.Error; after that no further commit is taken, so that the offset never passes facts unwritten.
        """
        require(not self._failed, "a store whose commit failed is opened anew")
        self._failed = True
        self._commit(commit)
        self._failed = False

    def _commit(self, commit: Commit) -> None:
        by_period: dict[str, list[Fact]] = {}
        for fact in commit.facts:
            by_period.setdefault(self._period(fact), []).append(fact)
        for period, facts in by_period.items():
            self._write_period(period, facts, commit.next_index, commit.last_leaf)
        with self._writer(STATE_FILE) as state:
            state.executemany(
                "INSERT OR REPLACE INTO written VALUES (?, ?)", [(period, commit.next_index) for period in by_period]
            )
            state.executemany(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?)",
                [(name, content) for name, content in commit.conversations.items() if content is not None],
            )
            state.executemany(
                "DELETE FROM conversations WHERE conversation = ?",
                [(name,) for name, content in commit.conversations.items() if content is None],
            )
            state.executemany("INSERT OR REPLACE INTO sections VALUES (?, ?)", list(commit.sections.items()))
            state.execute("INSERT OR REPLACE INTO offsets VALUES (1, ?, ?)", (commit.next_index, commit.last_leaf))

    def find(self, fact: Fact) -> Fact | None:
        """The committed fact of the same identity, in its period or one beside it."""
        key = key_of(fact)
        for period in (self._period(fact), *self._neighbours(fact)):
            if self._exists(period):
                row = self._reader(period).execute(_FIND, key).fetchone()
                if row is not None:
                    return _decode(row[0])
        return None

    def since(self, instant: int) -> Iterator[Fact]:
        """Committed session and response facts of sessions that started at `instant` (ms) or later."""
        return self._since(instant, "<>")

    def loads_since(self, instant: int) -> Iterator[LoadChange]:
        """Committed load changes from `instant` (ms) on, in order of time within each period."""
        return (fact for fact in self._since(instant, "=") if isinstance(fact, LoadChange))

    def periods(self) -> list[str]:
        """Names of the period files, oldest first."""
        return sorted(path.name for path in self._directory.glob(PERIOD_FILES))

    def close(self) -> None:
        """Let go of the files."""
        for connection in (*self._readers.values(), *self._writers.values()):
            connection.close()
        self._readers.clear()
        self._writers.clear()

    def _since(self, instant: int, comparison: str) -> Iterator[Fact]:
        year, month = self._period_of(instant)
        # a zone that changed may have put the first hours of a month into the file before
        first = _file_of(*_months_from(year, month, -1))
        for period in self.periods():
            if period >= first:
                for (content,) in self._reader(period).execute(_SINCE.format(comparison), (instant,)):
                    yield _decode(content)

    def _write_period(self, period: str, facts: Sequence[Fact], through: int, last_leaf: bytes) -> None:
        with self._writer(period) as file:
            file.executemany(
                _PUT, [(*key_of(fact), revision_of(fact), instant_of(fact), _encode(fact)) for fact in facts]
            )
            file.execute("INSERT OR REPLACE INTO written VALUES (1, ?, ?)", (through, last_leaf))
        # a late first message may have moved a session's start over the end of a month
        moved: dict[str, list[Fact]] = {}
        for fact in facts:
            if revision_of(fact) > 0:
                for other in self._neighbours(fact):
                    moved.setdefault(other, []).append(fact)
        for other, candidates in moved.items():
            if self._exists(other):
                with self._writer(other) as file:
                    file.executemany(_DROP, [(*key_of(fact), revision_of(fact)) for fact in candidates])

    def _misfit(self, ledger_size: int) -> str | None:
        """Why the files cannot be used with this ledger; None when they can."""
        if not (self._directory / STATE_FILE).exists():
            return "the state is missing"
        state = self._reader(STATE_FILE)
        if state.execute("SELECT schema, ledger_id FROM origin").fetchall() != [(SCHEMA_VERSION, self._ledger_id)]:
            return "written by another build or for another ledger"
        (next_index,) = state.execute("SELECT next_index FROM offsets").fetchone() or (0,)
        if next_index > ledger_size:
            return f"folded {next_index} entries of a ledger that has {ledger_size}"
        for period, through in state.execute("SELECT period, through FROM written"):
            if not self._exists(period):
                return f"{period} is missing"
            row = self._reader(period).execute("SELECT through FROM written").fetchone()
            if row is None or row[0] < through:
                return f"{period} lost what the state says was written to it"
        for period in self.periods():
            row = self._reader(period).execute("SELECT through FROM written").fetchone()
            if row is not None and row[0] > ledger_size:
                return f"{period} holds facts of {row[0]} entries, the ledger has {ledger_size}"
        return None

    def _period(self, fact: Fact) -> str:
        return _file_of(*self._period_of(instant_of(fact)))

    def _neighbours(self, fact: Fact) -> tuple[str, str]:
        year, month = self._period_of(instant_of(fact))
        return _file_of(*_months_from(year, month, -1)), _file_of(*_months_from(year, month, 1))

    def _exists(self, period: str) -> bool:
        return period in self._writers or (self._directory / period).exists()

    def _writer(self, name: str) -> sqlite3.Connection:
        connection = self._writers.get(name)
        if connection is None:
            connection = sqlite3.connect(self._directory / name, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            # a power cut may take the last commits back; `written` notices, and replaying restores them
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_STATE_SCHEMA if name == STATE_FILE else _PERIOD_SCHEMA)
            self._writers[name] = connection
        return connection

    def _reader(self, name: str) -> sqlite3.Connection:
        connection = self._readers.get(name)
        if connection is None:
            require((self._directory / name).exists(), "only what exists is read")
            uri = f"{(self._directory / name).absolute().as_uri()}?mode=rw"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            connection.execute("PRAGMA query_only = ON")
            self._readers[name] = connection
        return connection

    def _remove(self) -> None:
        periods = self.periods()
        self.close()
        for name in (STATE_FILE, *periods):
            for suffix in _SUFFIXES:
                with suppress(FileNotFoundError):
                    (self._directory / f"{name}{suffix}").unlink()


def _file_of(year: int, month: int) -> str:
    return f"{year:04}-{month:02}.sqlite"


def _months_from(year: int, month: int, months: int) -> tuple[int, int]:
    years, month_index = divmod(year * 12 + month - 1 + months, 12)
    return years, month_index + 1
