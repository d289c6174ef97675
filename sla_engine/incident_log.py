"""Incidents as the operator's ledger holds them: every revision, and the entries they rest on."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ledger.reader import LedgerReader
from ledger.recorded import recorded
from wire.facility import Heartbeat, UpsReading
from wire.incident import IncidentAcknowledged, IncidentSaid, IncidentStep, Severity, WorkSeen
from wire.kinds import Kind
from wire.phone import PhoneLineReading
from wire.record import BROKER, SourceBack, SourceSilent
from wire.recorded import Recorded
from wire.seat import PlatformReading
from wire.uplink import ConnectionSeen, Failover, LineReading, LineWitnessed

# Batch: entries of one read.
_READ_AT_ONCE: Final = 2_000
_EVIDENCE: Final = frozenset(
    {
        Kind.UPS_READING,
        Kind.LINE_READING,
        Kind.PHONE_LINE_READING,
        Kind.PLATFORM_READING,
        Kind.FAILOVER,
        Kind.CONNECTION_SEEN,
        Kind.LINE_WITNESSED,
        Kind.SOURCE_SILENT,
        Kind.SOURCE_BACK,
        Kind.WORK_SEEN,
    }
)
# Format: an order of severities.
_GRAVITY: Final = {Severity.INFO: 0, Severity.TICKET: 1, Severity.PAGE: 2, Severity.CALL: 3}
_States = UpsReading | LineReading | PhoneLineReading | PlatformReading


class Incident(NamedTuple):
    """One incident. revisions: entries in order, the last one holds. taken_on: who took it on, in order."""

    revisions: list[Recorded]
    taken_on: list[Recorded]

    @property
    def newest(self) -> IncidentSaid:
        """What holds."""
        return _said(self.revisions[-1])

    @property
    def worst(self) -> IncidentSaid:
        """What it was when it was gravest, the last of these revisions."""
        return max(
            (_said(entry) for entry in self.revisions), key=lambda said: (_GRAVITY[said.severity], said.revision)
        )

    @property
    def lasts(self) -> bool:
        """Whether it is not over yet."""
        return self.newest.step is not IncidentStep.CLOSED


def incidents(reader: LedgerReader) -> dict[str, Incident]:
    """Every incident by id, in the order they were opened. Raises LedgerCorrupt."""
    return gathered(_entries(reader, 0, reader.size(), frozenset({Kind.INCIDENT, Kind.INCIDENT_ACKNOWLEDGED})))


def gathered(entries: Iterable[Recorded]) -> dict[str, Incident]:
    """Incidents by id, from the entries about them in order."""
    found: dict[str, Incident] = {}
    for entry in entries:
        if isinstance(entry.body, IncidentSaid):
            found.setdefault(entry.body.incident, Incident([], [])).revisions.append(entry)
        elif isinstance(entry.body, IncidentAcknowledged) and entry.body.incident in found:
            found[entry.body.incident].taken_on.append(entry)
    return found


def evidence(reader: LedgerReader, incident: Incident) -> list[Recorded]:
    """The entries about its site between its first and its newest evidence, repeated states left out.

    Raises LedgerCorrupt.
    """
    first = min(_said(entry).first_index for entry in incident.revisions)
    last = max(_said(entry).last_index for entry in incident.revisions)
    sites = {_said(entry).site for entry in incident.revisions}
    ids = {_said(entry).incident for entry in incident.revisions}
    at_site = _sources(reader, first, last, sites)
    found: list[Recorded] = []
    states: dict[tuple[str, ...], tuple[object, ...]] = {}
    for entry in _entries(reader, first, last + 1, _EVIDENCE):
        body = entry.body
        if isinstance(body, SourceSilent | SourceBack | ConnectionSeen | LineWitnessed):
            if body.about_source in at_site or body.about_source == BROKER:
                found.append(entry)
        elif isinstance(body, WorkSeen):
            if body.incident in ids:
                found.append(entry)
        elif isinstance(body, Failover):
            if body.site in sites:
                found.append(entry)
        elif isinstance(body, _States) and ("" in sites or body.site in sites):
            about, state = _state(body)
            if states.get(about) != state:
                states[about] = state
                found.append(entry)
    return found


def _state(body: _States) -> tuple[tuple[str, ...], tuple[object, ...]]:
    match body:
        case UpsReading():
            return ("ups", body.site, body.ups), (body.power, body.comms, body.low_battery)
        case LineReading():
            return ("line", body.site, body.line), (body.state, body.reason)
        case PhoneLineReading():
            return ("phone", body.site, body.phone_line), (body.state, body.registration)
        case PlatformReading():
            return ("platform", body.site, body.seat, body.platform), (body.is_running, body.is_reachable)


def _sources(reader: LedgerReader, first: int, last: int, sites: set[str]) -> set[str]:
    """The probes that spoke for these sites shortly before or while it lasted."""
    since = max(0, first - _READ_AT_ONCE)
    told = _entries(reader, since, last + 1, frozenset({Kind.HEARTBEAT, Kind.UPS_READING, Kind.LINE_READING}))
    return {
        entry.source
        for entry in told
        if isinstance(entry.body, Heartbeat | UpsReading | LineReading) and ("" in sites or entry.body.site in sites)
    }


def _entries(reader: LedgerReader, first: int, end: int, kinds: frozenset[Kind]) -> Iterator[Recorded]:
    while first < end:
        stored = reader.read(first, min(_READ_AT_ONCE, end - first))
        if not stored:
            return
        first += len(stored)
        yield from (recorded(entry) for entry in stored if entry.kind in kinds)


def _said(entry: Recorded) -> IncidentSaid:
    if not isinstance(entry.body, IncidentSaid):
        raise TypeError(entry.kind)
    return entry.body
