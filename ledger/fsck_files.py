"""What stands around the entries, as the independent check knows it: files, tables, SQLite's header, checkpoints."""

import re
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ledger.fsck_formats import read_checkpoint, read_vkeys

Finding = tuple[str, str]
"""Where, and what."""
Signed = tuple[str, str, int, bytes]
"""File, origin, size, root."""

SQLITE_HEAD: Final = struct.Struct(">16xHBB4x4sI16xI4xI12x20s4s4x")
"""Of SQLite's 100 bytes: page size, modes to write and to read, change counter, pages, cache size, encoding, what is
reserved, the change counter at the last change. The others are held by SQLite, or are counters of its own."""
# Format: read and written version of SQLite's file format, section 1.3.
WRITTEN_AS: Final = ((1, 1), (2, 2))
UTF_8: Final = 1
SCHEMA: Final = {
    ("table", "state"): (
        "only_row INTEGER PRIMARY KEY CHECK (only_row = 1), format INTEGER NOT NULL, ledger_id BLOB NOT NULL,"
        " number INTEGER NOT NULL, first_index INTEGER NOT NULL, fencing_epoch INTEGER NOT NULL,"
        " opened_at INTEGER NOT NULL, size INTEGER NOT NULL, frontier BLOB NOT NULL,"
        " last_received_at INTEGER NOT NULL, sealed INTEGER NOT NULL ) STRICT"
    ),
    ("table", "streams"): (
        "stream INTEGER PRIMARY KEY, source TEXT NOT NULL, epoch BLOB NOT NULL, mark INTEGER NOT NULL,"
        " highest_sealed INTEGER NOT NULL, UNIQUE (source, epoch) ) STRICT"
    ),
    ("table", "entries"): (
        "entry_index INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, stream INTEGER NOT NULL,"
        " sequence INTEGER NOT NULL, kind INTEGER NOT NULL, kind_version INTEGER NOT NULL, content BLOB,"
        " leaf BLOB NOT NULL ) STRICT"
    ),
    ("table", "nodes"): (
        "height INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (height, position)"
        " ) STRICT, WITHOUT ROWID"
    ),
    ("index", "entry_keys"): "CREATE UNIQUE INDEX entry_keys ON entries (stream, sequence)",
    ("index", "sqlite_autoindex_streams_1"): "",
}
"""Everything a segment defines: its columns, or for an index the whole statement."""


def connect(path: Path) -> sqlite3.Connection:
    """A reading connection; one that touches nothing beside the file where no write-ahead log can matter."""
    uri = path.absolute().as_uri()
    log = path.with_name(path.name + "-wal")
    has_log = log.exists() and log.stat().st_size > 0
    if not has_log:
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None)
        if _sealed(connection):
            connection.text_factory = _text
            return connection
        connection.close()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
    if _sealed(connection) is None and not has_log:  # a folder we may not write to: SQLite cannot keep its index there
        connection.close()
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None)
    connection.text_factory = _text
    return connection


def _sealed(connection: sqlite3.Connection) -> bool | None:
    """Whether the segment is sealed; None when it cannot be read."""
    try:
        row = connection.execute("SELECT sealed FROM state").fetchone()
    except (sqlite3.Error, UnicodeError):  # its messages quote a damaged schema
        return None
    return bool(row and row[0] == 1)


def _text(raw: bytes) -> str:
    """Damaged text must reach the check instead of ending it."""
    return raw.decode("utf-8", "surrogateescape")


def strange_schema(connection: sqlite3.Connection) -> Iterator[str]:
    """What a segment defines that no ledger does, and the other way round; sqlite3.Error when it cannot be read.

    A trigger would act on whatever the server stores next, a view or table stands for something nobody wrote.
    """
    found = {(row[0], row[1]): row[2] for row in connection.execute("SELECT type, name, sql FROM sqlite_master")}
    for kind, name in sorted(SCHEMA.keys() - found.keys()):
        yield f"the {kind} {name} is missing"
    for (kind, name), sql in found.items():
        wanted = SCHEMA.get((kind, name))
        if wanted is None:
            yield f"holds {kind} {name}, which is no part of a ledger"
        elif " ".join((sql or "").split()) != (f"CREATE TABLE {name} ( {wanted}" if kind == "table" else wanted):
            yield f"the {kind} {name} is defined otherwise than in a ledger"
    for pragma in ("user_version", "application_id"):
        (number,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if number:
            yield f"SQLite's {pragma} is {number}, in a ledger it is 0"


def strange_head(path: Path) -> Iterator[str]:
    """What SQLite's header says that cannot be, in a file whose log is empty: with one, the log's pages count."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > 0:
        return
    try:
        with path.open("rb") as file:
            head = file.read(SQLITE_HEAD.size)
    except OSError as error:
        yield f"cannot be read: {error}"
        return
    if len(head) < SQLITE_HEAD.size:
        return  # too short to be opened, which is found by opening it
    page_bytes, writing, reading, changes, pages, cache, encoding, reserved, changes_then = SQLITE_HEAD.unpack(head)
    # Format: SQLite's file format, section 1.3.2.
    page_bytes = 1 << 16 if page_bytes == 1 else page_bytes
    size = path.stat().st_size
    if size != pages * page_bytes:
        yield f"takes {size} bytes, its {pages} pages take {pages * page_bytes}"
    known = (writing, reading) in WRITTEN_AS and cache == 0 and encoding == UTF_8
    if not known or any(reserved) or changes != changes_then:
        yield "SQLite's header holds what SQLite does not write there"


def side_files(directory: Path) -> Iterator[Finding]:
    """Files that SQLite or the server would act on, and that no ledger has."""
    names = {path.name for path in directory.iterdir()}
    for name in sorted(names):
        segment = re.fullmatch(r"(\d{8}\.sqlite)-(journal|wal|shm)", name)
        if segment and segment[2] == "journal":
            yield name, "is a journal of another mode than a ledger's; SQLite would undo pages with it"
        elif segment and segment[1] not in names:
            yield name, f"belongs to {segment[1]}, which is not there"


def kept_notes(directory: Path, vkeys: Sequence[str]) -> tuple[list[Signed], list[Finding]]:
    """The checkpoints kept in the ledger that hold, and what is wrong there. vkeys: trusted; none = the kept ones."""
    folder = directory / "checkpoints"
    found: list[Signed] = []
    problems: list[Finding] = []
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return found, problems
    except OSError as error:
        return found, [("checkpoints", f"cannot be read: {error}")]
    kept: list[str] = []
    try:
        kept = _vkeys(folder) if "vkey" in names else []
    except (OSError, ValueError) as error:
        problems.append(("checkpoints/vkey", str(error)))
    for name in names:
        where = f"checkpoints/{name}"
        if re.fullmatch(r"\d{20}\.note", name):
            try:
                signed = _read(where, folder / name, vkeys or kept)
            except (OSError, ValueError) as error:
                problems.append((where, str(error)))
                continue
            if name != f"{signed[2]:020d}.note":
                problems.append((where, f"signs {signed[2]} entries, not as many as its name says"))
            found.append(signed)
        elif name != "vkey" and not name.endswith(".new"):
            problems.append((where, "is no part of a ledger"))
    return found, problems


def other_notes(directory: Path, notes: Sequence[Path], vkeys: Sequence[str]) -> tuple[list[Signed], list[Finding]]:
    """As above, of files that were handed in."""
    found: list[Signed] = []
    problems: list[Finding] = []
    for path in notes:
        try:
            known = vkeys or _vkeys(directory / "checkpoints")
            found.append(_read(str(path), path, known))
        except (OSError, ValueError) as error:
            problems.append((str(path), str(error)))
    return found, problems


def _vkeys(folder: Path) -> list[str]:
    return read_vkeys((folder / "vkey").read_bytes().decode("utf-8"))


def _read(where: str, path: Path, vkeys: Sequence[str]) -> Signed:
    """Raises OSError, NotReadable, UnicodeError."""
    return where, *read_checkpoint(path.read_bytes().decode("utf-8"), vkeys)
