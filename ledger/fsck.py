"""The independent check of a ledger directory: its own reading, its own hashing, its own idea of the format.

Shares no code with what writes and reads ledgers (a test holds it to that), so that a mistake there is not repeated
here. Reads only. What it finds is a list of problems, each naming the entry where one can be named.
"""

import hashlib
import re
import sqlite3
import struct
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Any, Final

from ledger.fsck_files import connect, kept_notes, other_notes, side_files, strange_head, strange_schema
from ledger.fsck_formats import EMPTY, STORED_HEIGHT, NotReadable, Tree, header_of, read_gap, read_identity
from ledger.fsck_report import Report, Signing

CLOCK: Final = "~clock"
NOTHING_SEALED: Final = -1
GAP_KIND: Final = 1
BROKEN: Final = (sqlite3.Error, ValueError, TypeError, AttributeError, OverflowError, struct.error)
"""What a damaged file may raise: SQLite's messages quote the damage, and a column may hold anything."""
STATE: Final = "format, ledger_id, number, first_index, size, frontier, last_received_at, sealed, fencing_epoch"


class _Check:
    """One run over one directory."""

    def __init__(self, directory: Path, vkeys: Sequence[str], notes: Sequence[Path], problems_max: int | None) -> None:
        self.directory = directory
        self.report = Report(str(directory), problems_max)
        self.vkeys = vkeys
        self.notes = notes
        self.ledger_id = b""
        self.tree = Tree()
        self.next_index = 0
        self.received_at = 0
        self.fencing_epoch = 0
        self.unsigned_since: int | None = None
        self.wanted_roots: dict[int, bytes] = {}
        self.gaps: dict[tuple[str, bytes], list[tuple[int, int]]] = {}
        self.connections: list[tuple[str, sqlite3.Connection]] = []

    def run(self) -> Report:
        """Everything, in an order in which each step can rely on the one before."""
        try:
            self.identity()
            checkpoints = self.checkpoints()
            files = self.segment_files()
            for expected, path in enumerate(files, start=1):
                self.segment(expected, path, is_last=path == files[-1])
            self.beside("the streams", self.streams)
            self.compare(checkpoints)
        finally:
            for _, connection in self.connections:
                connection.close()
        self.report.size = self.tree.size
        self.report.root = self.tree.root().hex()
        return self.report

    def beside(self, what: str, look: Callable[[], None]) -> None:
        """Look at something as far as that goes."""
        try:
            look()
        except BROKEN as error:
            self.report.add(str(self.directory), f"{what} cannot be compared: {error}")

    def identity(self) -> None:
        path = self.directory / "ledger.json"
        try:
            self.ledger_id = read_identity(path.read_bytes().decode("utf-8"))
        except (OSError, ValueError) as error:
            self.report.add(path.name, f"cannot be read: {error}")
        self.report.ledger_id = self.ledger_id.hex()

    def segment_files(self) -> list[Path]:
        files = sorted(path for path in self.directory.iterdir() if re.fullmatch(r"\d{8}\.sqlite", path.name))
        if not files:
            self.report.add(str(self.directory), "there is no segment")
        for name, what in side_files(self.directory):
            self.report.add(name, what)
        return files

    def segment(self, expected: int, path: Path, *, is_last: bool) -> None:
        if path.name != f"{expected:08d}.sqlite":
            self.report.add(path.name, f"segment {expected} is missing")
        try:
            connection = connect(path)
        except BROKEN as error:
            self.report.add(path.name, f"cannot be opened: {error}", self.next_index)
            return
        self.connections.append((path.name, connection))
        self.report.segments += 1
        try:
            connection.execute("BEGIN")  # one moment for everything below, while a writer may go on
            state = connection.execute(f"SELECT {STATE} FROM state").fetchone()  # noqa: S608 - our own names
            for what in strange_schema(connection):
                self.report.add(path.name, what)
            if state is None:
                self.report.add(path.name, "there is no state row")
                return
            if not (state[7] or is_last):
                self.report.add(path.name, "is not sealed, although another segment follows")
            self.entries(path.name, connection, state[3], is_sealed=bool(state[7]))
            self.state(path.name, expected, state)
            self.nodes_left(path.name, connection, state)
        except BROKEN as error:
            self.report.add(path.name, f"cannot be read on from entry {self.next_index}: {error}", self.next_index)
        self.integrity(path.name, connection)
        for what in strange_head(path):
            self.report.add(path.name, what)

    def integrity(self, name: str, connection: sqlite3.Connection) -> None:
        try:
            for (finding,) in connection.execute("PRAGMA integrity_check(20)"):
                if finding != "ok":
                    self.report.add(name, f"SQLite: {finding}")
        except BROKEN as error:
            self.report.add(name, f"SQLite's own check failed: {error}")

    def state(self, name: str, expected: int, state: tuple[Any, ...]) -> None:
        form, ledger_id, number, _, size, frontier, last_received_at, sealed, fencing_epoch = state
        if (form, ledger_id, number) != (1, self.ledger_id, expected):
            self.report.add(name, f"is segment {number} of ledger {_hex(ledger_id)} in format {form}")
        if sealed not in (0, 1) or fencing_epoch < max(self.fencing_epoch, 1):
            self.report.add(name, f"claims to be sealed {sealed}, fencing epoch {fencing_epoch}: nobody wrote that")
        self.fencing_epoch = fencing_epoch
        if size != self.next_index:
            # The first entry that should be there and is not, or the first that is there and should not be.
            what = f"claims entries up to {size - 1}, they end at {self.next_index - 1}"
            self.report.add(name, what, min(size, self.next_index))
        elif frontier != self.tree.frontier():
            self.report.add(name, "the stored frontier is not that of the leaves")
        if last_received_at != self.received_at:
            self.report.add(name, f"claims last received_at {last_received_at}, the entries say {self.received_at}")

    def entries(self, name: str, connection: sqlite3.Connection, first_index: int, *, is_sealed: bool) -> None:
        """Every entry of the segment: dense, in time order, and hashing to its leaf; the tree grows by its leaves.

        Only a sealed segment is ever purged, so a body missing from an open one was taken by something else.
        """
        if first_index != self.next_index:
            self.report.add(name, f"starts at entry {first_index}, expected {self.next_index}", self.next_index)
        streams = {row[0]: row[1:] for row in connection.execute("SELECT stream, source, epoch FROM streams")}
        nodes = connection.cursor()
        rows = connection.execute(
            "SELECT entry_index, received_at, stream, sequence, kind, kind_version, content, leaf"
            " FROM entries NOT INDEXED ORDER BY entry_index"
        )
        for row in rows:
            index = row[0]
            if index != self.next_index:
                missing = f"entries from {self.next_index} on, before {index}, are missing"
                self.report.add(name, missing, self.next_index)
            self.next_index = index + 1
            if self.unsigned_since is None and index >= self.report.signed and streams.get(row[2], "")[:1] != (CLOCK,):
                self.unsigned_since = row[1]
            if row[6] is None and not is_sealed:
                self.report.add(name, f"entry {index} has lost its body: only sealed segments are purged", index)
            self.entry(name, row, streams.get(row[2]))
            leaf = row[7] if isinstance(row[7], bytes) else b""
            for node in self.tree.push(leaf):
                self.node(name, nodes, node, index)
            if self.tree.size in self.wanted_roots:
                self.wanted_roots[self.tree.size] = self.tree.root()

    def entry(self, name: str, row: tuple[Any, ...], stream: tuple[Any, ...] | None) -> None:
        index, received_at, number, sequence, kind, kind_version, content, leaf = row
        if stream is None:
            self.report.add(name, f"entry {index} names stream {number}, which is not there", index)
            return
        if received_at < self.received_at:
            self.report.add(name, f"entry {index} was received at {received_at}, before the one in front of it", index)
        self.received_at = max(self.received_at, received_at)
        if not isinstance(leaf, bytes) or len(leaf) != 32:
            self.report.add(name, f"the leaf of entry {index} is not 32 bytes", index)
            return
        if content is None:
            self.report.purged += 1
            return
        if not isinstance(content, bytes):
            self.report.add(name, f"the content of entry {index} is no blob", index)
            return
        source, epoch = stream
        try:
            header = header_of(self.ledger_id, index, received_at, (source, epoch), sequence, (kind, kind_version))
        except (struct.error, TypeError, AttributeError, UnicodeError, ValueError) as error:
            self.report.add(name, f"entry {index} has no header: {error}", index)
            return
        # Format: docs/adr/0001-entry-v1.md: a salt of 16 bytes.
        if len(content) < 16 or hashlib.sha256(b"\x00" + header + content).digest() != leaf:
            self.report.add(name, f"entry {index} does not hash to its leaf", index)
        elif kind == GAP_KIND and source.startswith("~"):
            self.gap(name, index, content[16:])

    def gap(self, name: str, index: int, body: bytes) -> None:
        try:
            source, epoch, first, last = read_gap(body)
        except NotReadable as error:
            self.report.add(name, f"entry {index} is a data gap that cannot be read: {error}", index)
            return
        self.gaps.setdefault((source, epoch), []).append((first, last))

    def node(self, name: str, nodes: sqlite3.Cursor, node: tuple[int, int, bytes], index: int) -> None:
        height, position, expected = node
        found = nodes.execute("SELECT hash FROM nodes WHERE height = ? AND position = ?", (height, position)).fetchone()
        if found is None or found[0] != expected:
            state = "is missing" if found is None else "is not that of the leaves"
            self.report.add(name, f"the stored hash of subtree {height}/{position} {state}", index)

    def nodes_left(self, name: str, connection: sqlite3.Connection, state: tuple[Any, ...]) -> None:
        (stored,) = connection.execute("SELECT count(*) FROM nodes").fetchone()
        first, end = state[3], self.next_index
        # Format: of sizes, below 2**63 entries.
        completed = sum((end >> height) - (first >> height) for height in range(STORED_HEIGHT, 63))
        if stored != completed:
            self.report.add(name, f"holds {stored} subtree hashes, its entries complete {completed}")

    def streams(self) -> None:
        """Keys are unique over all segments; below a mark every sequence is an entry or lies in a declared gap."""
        if not self.connections:
            return
        marks: dict[int, tuple[str, Any, int]] = {}
        carried: dict[int, tuple[str, Any, int]] = {}
        sealed: dict[int, int] = {}
        for name, connection in self.connections:
            try:
                rows = connection.execute("SELECT stream, source, epoch, mark, highest_sealed FROM streams").fetchall()
                here = connection.execute("SELECT stream, max(sequence) FROM entries GROUP BY stream").fetchall()
            except BROKEN as error:
                self.report.add(name, f"the streams cannot be read: {error}")
                return
            marks = {stream: (source, epoch, mark) for stream, source, epoch, mark, _ in rows}
            for stream, source, epoch, _, highest in rows:
                if highest != sealed.get(stream, NOTHING_SEALED):
                    what = f"stream {source} {_hex(epoch)} came to {sealed.get(stream)} before, not to {highest}"
                    self.report.add(name, what)
            for stream, highest in here:
                sealed[stream] = max(highest, sealed.get(stream, NOTHING_SEALED))
            for stream, (source, epoch, mark) in carried.items():
                now = marks.get(stream)
                # Format: of a mark, its source and epoch.
                if now is None or now[:2] != (source, epoch) or now[2] < mark:
                    self.report.add(name, f"stream {source} {_hex(epoch)} with mark {mark} was not carried on")
            carried = marks
        self.report.streams = len(marks)
        snapshots = {
            (source, hashlib.sha256(b"snapshot" + epoch).digest()[:16])
            for source, epoch, _ in marks.values()
            if isinstance(epoch, bytes)
        }
        for stream, (source, epoch, mark) in marks.items():
            holes_are_normal = source.startswith("~") or (source, epoch) in snapshots
            self.stream(stream, (source, epoch), 0 if holes_are_normal else mark)

    def stream(self, stream: int, key: tuple[str, Any], mark: int) -> None:
        name = f"stream {key[0]} {_hex(key[1])}"
        gaps = deque(sorted(self.gaps.get(key, [])))
        reached, previous = 0, None
        try:
            for sequence, index in merge(*(_sequences(connection, stream) for _, connection in self.connections)):
                if sequence == previous:
                    self.report.add(name, f"sequence {sequence} is stored twice, again as entry {index}", index)
                previous = sequence
                reached = _through(gaps, reached)
                reached = sequence if sequence == reached + 1 else reached
        except BROKEN as error:
            self.report.add(name, f"cannot be read: {error}")
            return
        reached = _through(gaps, reached)
        if reached < mark:
            self.report.add(name, f"sequence {reached + 1}, below the mark {mark}, is neither stored nor declared gone")
        elif 0 < mark < reached:
            self.report.add(name, f"the mark {mark} was set back: all up to {reached} is stored or declared gone")

    def checkpoints(self) -> list[tuple[str, int, bytes]]:
        """(file, size, root) of every checkpoint, kept here or handed in, whose signature holds."""
        found, problems = kept_notes(self.directory, self.vkeys)
        handed, more = other_notes(self.directory, self.notes, self.vkeys)
        for name, what in [*problems, *more]:
            self.report.add(name, what)
        kept = []
        for name, origin, size, root in [*found, *handed]:
            self.report.checkpoints += 1
            if not origin.endswith("/" + self.ledger_id.hex()):
                self.report.add(name, f"is of {origin}, not of this ledger")
                continue
            self.wanted_roots[size] = EMPTY
            self.report.signed = max(self.report.signed, size)
            kept.append((name, size, root))
        return kept

    def compare(self, checkpoints: list[tuple[str, int, bytes]]) -> None:
        for name, size, root in checkpoints:
            if size > self.tree.size:
                self.report.add(name, f"signs {size} entries, {self.tree.size} are there", self.tree.size)
            elif self.wanted_roots[size] != root:
                found = b64encode(self.wanted_roots[size]).decode()
                self.report.add(name, f"signs another root over the first {size} entries than theirs, {found}", None)

    def prove(self, signing: Signing) -> None:
        """Say what no signature stands for, though it is older than it may be.

        A ledger with no checkpoint is held to the present. With one, its own time counts: a copy stays as it was taken.
        """
        since, within_ms = self.unsigned_since, signing.within_ms  # twice that is too long: signing takes its time too
        if since is None or self.report.problems:
            return
        if not self.report.checkpoints:
            if signing.now - since > 2 * within_ms:
                self.report.unproven = (
                    "no signed checkpoint is kept, so nothing shows that this is what was written: no server, which"
                    " signs, has run over it since (an import does not), or somebody removed what was signed"
                )
        elif self.received_at - since > 2 * within_ms:
            signed, minutes = self.report.signed, (self.received_at - since) // 60_000
            self.report.unproven = (
                f"the newest checkpoint is about {signed} entries; what came after spans {minutes} min"
            )


def check(
    directory: Path,
    vkeys: Sequence[str] = (),
    problems_max: int | None = None,
    *,
    notes: Sequence[Path] = (),
    signing: Signing | None = None,
) -> Report:
    """Check the ledger in `directory`. Never raises for what it finds there; OSError when it is no directory.

    vkeys: verifier keys to hold checkpoints to. Without any, the key kept beside them serves, which whoever rewrites a
    ledger can rewrite too: for evidence give the key you were handed. problems_max: how many findings are listed.
    notes: files with checkpoints that were kept elsewhere. signing: whether and how to look for what is not signed.
    """
    run = _Check(directory, vkeys, notes, problems_max)
    report = run.run()
    if signing is not None:
        run.prove(signing)
    return report


def _through(gaps: deque[tuple[int, int]], reached: int) -> int:
    """How far `reached` goes when it passes the declared gaps that start right after it; those are used up."""
    while gaps and gaps[0][0] <= reached + 1:
        reached = max(reached, gaps.popleft()[1])
    return reached


def _sequences(connection: sqlite3.Connection, stream: int) -> Iterator[tuple[int, int]]:
    yield from connection.execute(
        "SELECT sequence, entry_index FROM entries WHERE stream = ? ORDER BY sequence", (stream,)
    )


def _hex(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)
