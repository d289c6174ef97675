"""What every probe says of itself: version, seat, errors and when, from heartbeats in the operator's ledger."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from wire.facility import Heartbeat
from wire.identity import IdentitySaid, IdentityStep
from wire.recorded import Recorded
from wire.seat import Noticed, ProbeNote


class Told(NamedTuple):
    """One probe. heard_at: hub's ms, None = not lately. told_at: by its own clock, so that history overwrites nothing.

    doubled_at: when two were last heard under its name, None = never that we know of. revoked_at: when its identity was
    ended, None = it was not, or has a newer one.
    """

    version: str = ""
    seat: str = ""
    errors: int = 0
    heard_at: int | None = None
    told_at: int = -1
    doubled_at: int | None = None
    revoked_at: int | None = None


class Row(NamedTuple):
    """One line of the page. certificate_until: ms, None = it has none that holds."""

    probe: str
    told: Told
    certificate_until: int | None


class Ring(NamedTuple):
    """One ring. held_at: since when it is stopped, None = it is not; held_by: who stopped it."""

    name: str
    held_at: int | None
    held_by: str
    versions: Mapping[str, int]
    rows: tuple[Row, ...]


class Fleet:
    """All probes that were heard of."""

    def __init__(self) -> None:
        self.probes: dict[str, Told] = {}

    def take(self, entries: Iterable[Recorded]) -> None:
        """Fold entries, in their order."""
        for entry in entries:
            body = entry.body
            if isinstance(body, Heartbeat):
                told = self.probes.get(entry.source, Told())._replace(heard_at=entry.received_at)
                told_at = min(
                    body.occurred_at, entry.received_at
                )  # a clock that was ahead holds up nothing once it is right
                if told_at >= told.told_at:
                    told = told._replace(version=body.version, seat=body.seat, errors=body.errors, told_at=told_at)
                self.probes[entry.source] = told
            elif isinstance(body, ProbeNote) and body.noticed is Noticed.CLOCK_STEPPED and body.step_ms < 0:
                before = self.probes.get(entry.source, Told())
                self.probes[entry.source] = before._replace(told_at=min(before.told_at, body.occurred_at))
            elif isinstance(body, IdentitySaid):
                before = self.probes.get(body.identity, Told())
                if body.step is IdentityStep.SEEN_TWICE:
                    self.probes[body.identity] = before._replace(doubled_at=body.occurred_at)
                else:
                    revoked_at = body.occurred_at if body.step is IdentityStep.REVOKED else None
                    self.probes[body.identity] = before._replace(revoked_at=revoked_at)

    def rings(
        self,
        known: Iterable[str],
        ring_of: Callable[[str], str],
        certificates: Mapping[str, int],
        holds: Mapping[str, tuple[int, str]],
    ) -> list[Ring]:
        """Rings in the order in which their first probe is known, each with its probes. known: every probe there is."""
        found: dict[str, list[Row]] = {}
        for probe in known:
            row = Row(probe, self.probes.get(probe, Told()), certificates.get(probe))
            found.setdefault(ring_of(probe), []).append(row)
        for ring in holds:
            found.setdefault(ring, [])
        return [_ring(name, rows, holds.get(name)) for name, rows in found.items()]


def _ring(name: str, rows: list[Row], held: tuple[int, str] | None) -> Ring:
    versions: dict[str, int] = {}
    for row in rows:
        if row.told.version:
            versions[row.told.version] = versions.get(row.told.version, 0) + 1
    at, by = held or (None, "")
    return Ring(name, at, by, versions, tuple(rows))
