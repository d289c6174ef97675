"""What the enrolment doors know, in one SQLite file beside the authority; commands and a running server share it.

Every change is one transaction, and with it goes the event that will be put on the record.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from collector._core.derived import HUB_CLOCK
from collector.enrolment._core.desk import Batch, Certificate, Claim, Join, JoinState, Speaking
from wire.identity import IdentitySaid, IdentityStep
from wire.limits import EPOCH_BYTES

STORE_FILE: Final = "enrolment.sqlite"
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(IdentitySaid).decode


class Place(NamedTuple):
    """Which identity a host name of a batch stands for, and the seat it is."""

    identity: str
    seat: str


class Pending(NamedTuple):
    """A machine that waits for approval."""

    batch: str
    host: str
    identity: str
    machine: str
    address: str
    asked_at: int


class Issued(NamedTuple):
    """A certificate that was handed out."""

    serial: str
    identity: str
    key: str
    machine: str
    host: str
    batch: str
    issued_at: int
    not_after: int


class EnrolmentStore:
    """One connection. `now` is always the hub's ms since the Unix epoch."""

    def __init__(self, directory: Path, *, lock_wait_s: float) -> None:
        """Open or begin the store in `directory`, readable by its owner only. Raises OSError, sqlite3.Error."""
        path = directory / STORE_FILE
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, timeout=lock_wait_s, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(resources.files("collector.enrolment").joinpath("schema.sql").read_text("utf-8"))
        with self._changing():
            if self._db.execute("SELECT 1 FROM about").fetchone() is None:
                self._db.execute("INSERT INTO about VALUES (?, 0)", (secrets.token_bytes(EPOCH_BYTES),))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def version(self) -> int:
        """Another number whenever another connection changed something."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    # --- what is handed out by people

    def add_claim(self, digest: str, identity: str, now: int, expires_at: int, by: str) -> None:
        """A claim code; earlier ones for the same identity that were not used are of no use any more."""
        with self._changing():
            self._db.execute("DELETE FROM claims WHERE identity = ? AND used_key = ''", (identity,))
            self._db.execute("INSERT INTO claims VALUES (?, ?, ?, ?, ?, '')", (digest, identity, now, expires_at, by))

    def add_batch(self, batch: Batch, digest: str, hosts: Mapping[str, Place], now: int, by: str) -> None:
        """A batch token and the host names that may come in by it."""
        with self._changing():
            self._db.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (batch.name, digest, batch.site, batch.size, now, batch.expires_at, by, " ".join(batch.cidrs)),
            )
            rows = [(batch.name, host, place.identity, place.seat) for host, place in hosts.items()]
            self._db.executemany("INSERT INTO hosts VALUES (?, ?, ?, ?)", rows)

    def live_batches(self, hosts: Iterable[str], now: int) -> dict[str, int]:
        """Batches by which one of these host names may still come in, and when (ms) each ends."""
        named = set(hosts)
        rows = self._db.execute(
            "SELECT name, expires_at, host FROM batches JOIN hosts ON batch = name WHERE expires_at > ?", (now,)
        )
        return {name: expires_at for name, expires_at, host in rows if host in named}

    def places(self, site: str) -> dict[str, Place]:
        """Host name -> place, of every batch of a site so far, the newest first to speak."""
        found = self._db.execute(
            "SELECT host, identity, seat FROM hosts JOIN batches ON batch = name WHERE site = ? ORDER BY issued_at",
            (site,),
        )
        return {host: Place(identity, seat) for host, identity, seat in found}

    # --- what the doors ask

    def claim(self, digest: str) -> Claim | None:
        """The claim of a code."""
        row = self._db.execute("SELECT identity, expires_at, used_key FROM claims WHERE digest = ?", (digest,))
        found = row.fetchone()
        return None if found is None else Claim(*found)

    def batch(self, digest: str) -> Batch | None:
        """The batch of a token."""
        found = self._db.execute(
            "SELECT name, site, count, expires_at, cidrs FROM batches WHERE digest = ?", (digest,)
        ).fetchone()
        if found is None:
            return None
        name, site, size, expires_at, cidrs = found
        return Batch(name, site, size, expires_at, tuple(cidrs.split()))

    def place(self, batch: str, host: str) -> Place | None:
        """What a host name of a batch stands for."""
        found = self._db.execute(
            "SELECT identity, seat FROM hosts WHERE batch = ? AND host = ?", (batch, host)
        ).fetchone()
        return None if found is None else Place(*found)

    def join(self, batch: str, host: str) -> Join | None:
        """Where a machine of a batch stands."""
        found = self._db.execute(
            "SELECT state, machine, key, is_enrolled FROM joins WHERE batch = ? AND host = ?", (batch, host)
        ).fetchone()
        return None if found is None else Join(JoinState(found[0]), found[1], found[2], bool(found[3]))

    def joined(self, batch: str) -> int:
        """Machines that came in by a batch so far, those refused by a person aside."""
        query = "SELECT count(*) FROM joins WHERE batch = ? AND state != 'refused'"
        return int(self._db.execute(query, (batch,)).fetchone()[0])

    def certificate(self, serial: str) -> Certificate | None:
        """A certificate by its serial (hex)."""
        found = self._db.execute(
            "SELECT identity, key, revoked_at IS NOT NULL, next_key, next_machine, batch != '' FROM certificates"
            " WHERE serial = ?",
            (serial,),
        ).fetchone()
        if found is None:
            return None
        identity, key, is_revoked, next_key, next_machine, is_from_batch = found
        return Certificate(identity, key, bool(is_revoked), next_key, next_machine, bool(is_from_batch))

    def issued(self, serial: str) -> Issued | None:
        """All of a certificate that was handed out."""
        found = self._db.execute(
            "SELECT serial, identity, key, machine, host, batch, issued_at, not_after FROM certificates"
            " WHERE serial = ?",
            (serial,),
        ).fetchone()
        return None if found is None else Issued(*found)

    def refused_at(self, identity: str) -> int | None:
        """When somebody was last told that the identity is still speaking."""
        found = self._db.execute("SELECT refused_at FROM refusals WHERE identity = ?", (identity,)).fetchone()
        return None if found is None else int(found[0])

    def speaking(self, identity: str, heard_at: int | None) -> Speaking:
        """What `on_claim` and `on_batch` want to know of an identity last heard at `heard_at`."""
        return Speaking(heard_at, self.refused_at(identity))

    # --- what the doors change

    def wait(self, pending: Pending, key: str) -> None:
        """A machine of a batch waits for approval, or still does."""
        row = (*pending[:4], key, *pending[4:], JoinState.WAITING)
        with self._changing():
            self._db.execute(
                "INSERT INTO joins VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"
                " ON CONFLICT DO UPDATE SET key = excluded.key, address = excluded.address",
                row,
            )

    def issue(self, issued: Issued, step: IdentityStep, *, claim: str = "", renews: str = "", replaces: bool) -> None:
        """A certificate goes out. claim: digest of the code used. renews: serial. replaces: revoke all before it."""
        with self._changing():
            if claim:
                self._db.execute("UPDATE claims SET used_key = ? WHERE digest = ?", (issued.key, claim))
            if issued.batch:
                self._db.execute(
                    "UPDATE joins SET key = ?, is_enrolled = 1 WHERE batch = ? AND host = ?",
                    (issued.key, issued.batch, issued.host),
                )
            if renews:
                self._db.execute(
                    "UPDATE certificates SET next_key = ?, next_machine = ? WHERE serial = ?",
                    (issued.key, issued.machine, renews),
                )
            if replaces:
                self._db.execute(
                    "UPDATE certificates SET revoked_at = ? WHERE identity = ? AND revoked_at IS NULL AND key != ?",
                    (issued.issued_at, issued.identity, issued.key),
                )
            self._db.execute("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, '', '')", issued)
            self._db.execute("DELETE FROM refusals WHERE identity = ?", (issued.identity,))
            self._say(issued.issued_at, issued.identity, step, issued.serial, issued.host, issued.machine)

    def refused(self, identity: str, now: int) -> None:
        """Somebody was told that the identity is still speaking."""
        with self._changing():
            self._db.execute(
                "INSERT INTO refusals VALUES (?, ?, NULL) ON CONFLICT DO UPDATE SET refused_at = excluded.refused_at",
                (identity, now),
            )

    def seen_twice(self, identity: str, reason: str, now: int, again_ms: int) -> bool:
        """Two machines claim to be one. False, and nothing is said, when that was said less than `again_ms` ago."""
        with self._changing():
            found = self._db.execute("SELECT alarmed_at FROM refusals WHERE identity = ?", (identity,)).fetchone()
            if found is not None and found[0] is not None and now - found[0] < again_ms:
                return False
            self._db.execute(
                "INSERT INTO refusals VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET alarmed_at = excluded.alarmed_at",
                (identity, now, now),
            )
            self._say(now, identity, IdentityStep.SEEN_TWICE, "", "", "", reason=reason)
        return True

    def told_twice(self, since: int) -> list[str]:
        """Identities of which that was said at `since` (ms) or later, and that nobody enrolled anew meanwhile."""
        found = self._db.execute("SELECT identity FROM refusals WHERE alarmed_at >= ? ORDER BY identity", (since,))
        return [identity for (identity,) in found]

    # --- what people decide

    def pending(self, batch: str = "") -> list[Pending]:
        """Machines that wait, of one batch or of all."""
        found = self._db.execute(
            "SELECT batch, host, identity, machine, address, asked_at FROM joins"
            " WHERE state = 'waiting' AND (? = '' OR batch = ?) ORDER BY batch, identity",
            (batch, batch),
        )
        return [Pending(*row) for row in found]

    def decide(self, machines: Sequence[Pending], state: JoinState) -> int:
        """Approve or refuse machines that wait, as they were shown; how many it was true of."""
        with self._changing():
            return sum(
                self._db.execute(
                    "UPDATE joins SET state = ? WHERE batch = ? AND host = ? AND machine = ? AND state = 'waiting'",
                    (state, each.batch, each.host, each.machine),
                ).rowcount
                for each in machines
            )

    def revoke(self, identity: str, reason: str, by: str, now: int) -> int:
        """End an identity: its certificates, its codes, its place in a batch. How many certificates it had."""
        with self._changing():
            serials = [
                serial
                for (serial,) in self._db.execute(
                    "SELECT serial FROM certificates WHERE identity = ? AND revoked_at IS NULL AND not_after > ?",
                    (identity, now),
                )
            ]
            self._db.execute(
                "UPDATE certificates SET revoked_at = ? WHERE identity = ? AND revoked_at IS NULL", (now, identity)
            )
            self._db.execute("DELETE FROM claims WHERE identity = ?", (identity,))  # a used one serves its key again
            self._db.execute("UPDATE joins SET state = 'refused' WHERE identity = ?", (identity,))
            if serials:
                self._say(now, identity, IdentityStep.REVOKED, serials[-1], "", "", by=by, reason=reason)
        return len(serials)

    # --- what the broker is told

    def valid(self, now: int) -> dict[str, int]:
        """Identities that may speak -> when their newest certificate ends."""
        found = self._db.execute(
            "SELECT identity, max(not_after) FROM certificates WHERE revoked_at IS NULL AND not_after > ?"
            " GROUP BY identity",
            (now,),
        )
        return dict(found.fetchall())

    def revoked(self, now: int) -> dict[str, int]:
        """Serials (hex) that are revoked and would hold otherwise -> since when."""
        query = "SELECT serial, revoked_at FROM certificates WHERE revoked_at IS NOT NULL AND not_after > ?"
        return dict(self._db.execute(query, (now,)).fetchall())

    def next_list_number(self) -> int:
        """A number for the next list of what is revoked, higher than all before."""
        with self._changing():
            found = self._db.execute("UPDATE about SET list_number = list_number + 1 RETURNING list_number").fetchone()
        return int(found[0])

    # --- what goes on the record

    def store_id(self) -> bytes:
        """Which store this is: the epoch of its events."""
        return bytes(self._db.execute("SELECT store_id FROM about").fetchone()[0])

    def unrecorded(self) -> list[tuple[int, IdentitySaid]]:
        """Events that are not known to be on the record, with their ordinals from 1."""
        found = self._db.execute("SELECT ordinal, body FROM events ORDER BY ordinal")
        return [(ordinal, _decode(body)) for ordinal, body in found]

    def recorded(self, ordinal: int) -> None:
        """Everything through `ordinal` is on the record, and kept there alone from now on."""
        with self._changing():
            self._db.execute("DELETE FROM events WHERE ordinal <= ?", (ordinal,))

    def forget_ended(self, now: int) -> None:
        """Let go of certificates that have run out: nothing asks for them any more."""
        with self._changing():
            self._db.execute("DELETE FROM certificates WHERE not_after <= ?", (now,))

    def steps(self) -> dict[str, int]:
        """How often each step was taken since the store began."""
        return dict(self._db.execute("SELECT step, count FROM steps").fetchall())

    # --- what a rollout may not go on to

    def hold(self, ring: str, by: str, now: int) -> None:
        """Stop a ring; stopping it again changes nothing."""
        with self._changing():
            self._db.execute("INSERT INTO holds VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (ring, now, by))

    def release(self, ring: str) -> None:
        """Let a ring go on."""
        with self._changing():
            self._db.execute("DELETE FROM holds WHERE ring = ?", (ring,))

    def holds(self) -> dict[str, tuple[int, str]]:
        """Rings that are stopped -> since when, and by whom."""
        return {ring: (at, by) for ring, at, by in self._db.execute("SELECT ring, held_at, held_by FROM holds")}

    def _say(
        self,
        now: int,
        identity: str,
        step: IdentityStep,
        serial: str,
        host: str,
        machine: str,
        *,
        by: str = "",
        reason: str = "",
    ) -> None:
        body = IdentitySaid(now, 1, HUB_CLOCK, None, True, "", identity, step, serial, host, machine, by, reason)  # noqa: FBT003 - the head of every body of ours
        self._db.execute("INSERT INTO events (body) VALUES (?)", (_encode(body),))
        self._db.execute("INSERT INTO steps VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1", (step,))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
