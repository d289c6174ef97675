"""Planned work: put on the record, with or without a running server, and read back from it."""

from collections.abc import Iterable
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from collector._core.derived import HUB_CLOCK
from collector.ledgers import ledger_directory
from collector.maintenance_http import PATH, declare
from ledger.entry import StoredEntry
from ledger.errors import LedgerBusy, LedgerMissing
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.importing import local_intake
from seatwatch.ledger_places import clients_in
from seatwatch.own_server import post
from seatwatch.settings import Defaults
from wire.codec import decode_body, encode_body
from wire.ids import OPERATOR
from wire.incident import MaintenanceOf, MaintenanceSaid, MaintenanceStep
from wire.kinds import Kind
from wire.recorded import Recorded

# Format: of an id of planned work.
_ID_HEX: Final = 8
# Batch: entries of one read.
_READ_AT_ONCE: Final = 2_000


class Target(NamedTuple):
    """What is worked on."""

    of: MaintenanceOf
    site: str
    subject: str


class Work(NamedTuple):
    """Planned work as the record has it. declared_at: when the hub learned of it, ms. starts_at, ends_at: ms."""

    maintenance: str
    target: Target
    declared_at: int
    starts_at: int
    ends_at: int
    reason: str
    by: str

    @property
    def was_late(self) -> bool:
        """Whether it was declared after it began: then it excuses nothing."""
        return self.declared_at > self.starts_at

    @property
    def was_called_off(self) -> bool:
        """Whether it was ended before it began."""
        return self.ends_at <= self.starts_at


def word(
    target: Target,
    step: MaintenanceStep,
    starts_at: int,
    ends_at: int,
    reason: str,
    by: str,
    *,
    before: Iterable[Work] = (),
) -> MaintenanceSaid:
    """A first word about work, its id computed from what it is and when: said twice, it is one.

    before: the work on record. What was ended early stays ended; the same once more is other work.
    """
    ends = {work.maintenance: work.ends_at for work in before}
    name = _id_of("\n".join((target.of, target.site, target.subject, str(starts_at), str(ends_at))))
    while ends.get(name, ends_at) != ends_at:
        name = _id_of(name)
    return MaintenanceSaid(
        occurred_at=0,
        resolution_ms=1,
        clock=HUB_CLOCK,
        monotonic_ms=None,
        synced=True,
        shard_key="",
        maintenance=name,
        step=step,
        of=target.of,
        site=target.site,
        subject=target.subject,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        by=by,
    )


def _id_of(text: str) -> str:
    return "m-" + sha256(text.encode()).hexdigest()[:_ID_HEX]


async def say(said: MaintenanceSaid, data: Path, now: int, defaults: Defaults) -> MaintenanceSaid:
    """Put it on the record as of now; what was written. Raises OwnServerError, LedgerError, OSError."""
    try:
        async with local_intake(data, [], [], defaults) as local:
            return await declare(local.intake, said, now)
    except LedgerBusy:
        answer = decode_body(Kind.MAINTENANCE, 1, await post(data, PATH, encode_body(said), defaults))
        return answer if isinstance(answer, MaintenanceSaid) else said


def heard_of(target: Target, data: Path, entries_max: int) -> set[str]:
    """The lines, or UPSs, of the target's site that the newest entries tell of, or for a feed the sources they are of.

    Once it is among them, no further. Raises LedgerError, OSError.
    """
    found: set[str] = set()
    for client in [OPERATOR, *(clients_in(data) if target.of is MaintenanceOf.FEED else ())]:
        with suppress(LedgerMissing, FileNotFoundError), closing(_opened(data, client)) as reader:
            last = reader.size()
            for first in range(last - _READ_AT_ONCE, last - entries_max - _READ_AT_ONCE, -_READ_AT_ONCE):
                batch = reader.read(max(0, first), min(_READ_AT_ONCE, first + _READ_AT_ONCE))
                found |= {name for entry in batch if (name := _told_of(target, entry))}
                if first <= 0 or target.subject in found:
                    break
    return found


def _opened(data: Path, client: str) -> LedgerReader:
    return LedgerReader.open(ledger_directory(data, client))


def _told_of(target: Target, entry: StoredEntry) -> str:
    """What an entry tells of among which the target would be; "" for one that tells of nothing of that kind."""
    if target.of is MaintenanceOf.FEED:
        return "" if entry.source.startswith("~") else entry.source
    kind = Kind.LINE_READING if target.of is MaintenanceOf.LINE else Kind.UPS_READING
    if entry.kind != kind or not entry.source.startswith(f"{target.site}/"):
        return ""
    return str(getattr(recorded(entry).body, target.of, ""))


def works(data: Path) -> list[Work]:
    """All planned work on the record, by its start. Raises LedgerError, OSError."""
    try:
        reader = LedgerReader.open(ledger_directory(data, OPERATOR))
    except (LedgerMissing, FileNotFoundError):
        return []
    try:
        return works_of(
            recorded(entry)
            for first in range(0, reader.size(), _READ_AT_ONCE)
            for entry in reader.read(first, _READ_AT_ONCE)
            if entry.kind == Kind.MAINTENANCE
        )
    finally:
        reader.close()


def works_of(entries: Iterable[Recorded]) -> list[Work]:
    """All planned work that these entries tell of, by its start."""
    found: dict[str, Work] = {}
    for entry in entries:
        said = entry.body
        if not isinstance(said, MaintenanceSaid):
            continue
        known = found.get(said.maintenance)
        if known is not None and said.step is MaintenanceStep.ENDED:
            found[said.maintenance] = known._replace(ends_at=min(known.ends_at, said.ends_at))
        elif said.step is not MaintenanceStep.ENDED:
            declared_at = said.occurred_at if known is None else known.declared_at
            target = Target(said.of, said.site, said.subject)
            found[said.maintenance] = Work(
                said.maintenance, target, declared_at, said.starts_at, said.ends_at, said.reason, said.by
            )
    return sorted(found.values(), key=lambda work: (work.starts_at, work.maintenance))
