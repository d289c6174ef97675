"""The facts of a message to a site or a client, from the ledgers of a data directory.

`python -m seatwatch.duty.facts DATA KIND CLIENT SITE AT [SINCE]`, instants in ms, prints them as JSON; exit 1 where the
record cannot be read. The server asks it that way, since folding days of a record takes seconds of one core.
"""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from collector._core import keys
from collector.ledgers import ledger_directory
from dashboards.alerting._core.duty_facts import CauseCount, Clocks, DutyFacts, DutyKind
from dashboards.alerting._core.taking_on import TakingOn
from ledger.errors import LedgerError, LedgerMissing
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.duty.times import DutyTimes, duty_times, next_opening
from seatwatch.past_board import past_board
from seatwatch.printed.cause_report import cause_rows
from seatwatch.printed.cause_words import causes_found
from seatwatch.settings import Defaults, load_defaults
from seatwatch.site_limits import site_limits
from seatwatch.site_roster import site_roster
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import SiteRosterState
from sla_engine.incident_log import Incident, gathered
from wire.ids import OPERATOR
from wire.incident import Cause
from wire.kinds import Kind
from wire.recorded import Recorded
from wire.seat import SeatReading

OF_ONE_SEAT: Final = frozenset({Cause.SEAT_DOWN, Cause.ACCOUNT_OFFLINE})
"""Not told to clients: seats are counted, and a client's own accounts are on its board."""
# Batch: entries of one read.
_READ_AT_ONCE: Final = 2_000


class About(NamedTuple):
    """Whom a message is about; "" = not named. Of a client alone: the sites its people sit at, by the roster."""

    client: str
    site: str


class ClockSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`, as `message_...`. clock_off_ms: more is off. clock_within_ms: older words say nothing."""

    clock_off_ms: int
    clock_within_ms: int


def duty_facts(
    data: Path,
    kind: DutyKind,
    about: About,
    at: int,
    *,
    since: int | None = None,
    defaults: Defaults | None = None,
) -> DutyFacts:
    """What the message of `kind` says as of `at` (ms), with all that is known by now.

    since: of a shift, None = the business day so far. Raises LedgerCorrupt.
    """
    defaults = load_defaults() if defaults is None else defaults
    times = duty_times(data, about.client, about.site, at)
    # the instant a day ends is the next day's first
    board_at = at - 1 if kind is DutyKind.DAILY else at
    known = site_roster(data)
    sites, clients = _places(known, about, board_at)
    board = past_board(data, board_at, None, zone=times.zone, clients=clients)
    begins = _since(kind, times, board_at, since)
    incidents = [each for each in _incidents(data, about) if not about.site or each.newest.site in {"", about.site}]
    newest = [each.newest for each in incidents if each.newest.started_at <= at]
    opens_at = next_opening(data, about.client, about.site, at) if kind is DutyKind.PRE_OPENING else None
    tiles = board.queues if about.client else [tile for tile in board.site_figures if tile.id == about.site]
    return DutyFacts(
        kind=kind,
        id=about.client or about.site,
        name=next((tile.name for tile in board.clients if tile.id == about.client), ""),
        at=at,
        since=begins,
        is_of_client=bool(about.client),
        opens_at=opens_at,
        tiles=tiles,
        client=next((tile for tile in board.clients if tile.id == about.client), None) if about.client else None,
        sites=[tile for tile in board.sites if tile.id in sites],
        seats_due={} if opens_at is None else _seats_due(known, sites, opens_at, defaults),
        clocks=_clocks(data, sites, at, defaults) if kind is DutyKind.PRE_OPENING else {},
        open_incidents=[said for said in newest if said.ended_at is None or said.ended_at > at],
        ended=[said for said in newest if said.ended_at is not None and begins <= said.ended_at <= at],
        taken_by=_taken_by(incidents, at),
        causes=_causes(data, about.client, begins, at, defaults) if kind is DutyKind.DAILY and about.client else None,
    )


def _since(kind: DutyKind, times: DutyTimes, at: int, since: int | None) -> int:
    if since is not None:
        return since
    return times.last_closing(at) if kind is DutyKind.PRE_OPENING else times.day_start(at)


def _entries(directory: Path, *sources: str) -> Iterator[Recorded]:
    """What these sources told, in order; nothing where there is no ledger."""
    try:
        reader = LedgerReader.open(directory)
    except LedgerMissing:
        return
    with closing(reader):
        stored = [entry for source in sources for entry in reader.of_source(source)]
        yield from sorted(map(recorded, stored), key=lambda entry: entry.index)


def _incidents(data: Path, about: About) -> list[Incident]:
    """Those of everybody; of a client those copied into its own record."""
    if not about.client:
        return [*gathered(_entries(ledger_directory(data, OPERATOR), keys.INCIDENT, keys.ACKNOWLEDGED)).values()]
    own = gathered(_entries(ledger_directory(data, about.client), keys.INCIDENT))
    return [each for each in own.values() if each.newest.cause not in OF_ONE_SEAT]


def _taken_by(incidents: list[Incident], at: int) -> dict[str, str]:
    taking = TakingOn()
    for each in incidents:
        for entry in sorted((*each.revisions, *each.taken_on), key=lambda entry: entry.index):
            if entry.received_at <= at:
                taking.see(entry)
    return {incident: taken_on.by for incident, taken_on in taking.found.items()}


def _places(state: SiteRosterState, about: About, at: int) -> tuple[set[str], set[str] | None]:
    """The sites it is about, and the clients whose records are read; None = all, where the roster names none."""
    sites = {about.site} if about.site else roster.sites_of_client(state, about.client, at, at + 1)
    clients = {about.client} if about.client else {*roster.clients_at(state, about.site, at)}
    return sites, clients or None


def _seats_due(state: SiteRosterState, sites: set[str], at: int, defaults: Defaults) -> dict[str, int]:
    """By site, on how many seats somebody is to sit at `at` by the shifts; of a site without shifts nothing."""
    limits = site_limits(defaults)
    found: dict[str, int] = {}
    for site in sites:
        seats = (seat for seat, _ in roster.seats_at(state, site, at))
        told = [is_due for seat in seats if (is_due := roster.in_shift(state, limits, seat, at)) is not None]
        if told:
            found[site] = sum(told)
    return found


def _clocks(data: Path, sites: set[str], at: int, defaults: Defaults) -> dict[str, Clocks]:
    """By site, what its seats told of their clocks last."""
    settings = defaults.fill(ClockSettings, "paging", prefix="message_")
    told: dict[str, dict[str, int]] = {}
    try:
        reader = LedgerReader.open(ledger_directory(data, OPERATOR))
    except LedgerMissing:
        return {}
    with closing(reader):
        index, end = reader.index_at(at - settings.clock_within_ms), reader.index_at(at + 1)
        while index < end and (batch := reader.read(index, min(_READ_AT_ONCE, end - index))):
            index += len(batch)
            for body in (recorded(stored).body for stored in batch if stored.kind == Kind.SEAT_READING):
                if isinstance(body, SeatReading) and body.site in sites and body.clock_offset_ms is not None:
                    told.setdefault(body.site, {})[body.seat] = body.clock_offset_ms
    return {site: _counted(offsets, settings.clock_off_ms) for site, offsets in told.items()}


def _counted(offsets: dict[str, int], off_ms: int) -> Clocks:
    off = [abs(offset) for offset in offsets.values() if abs(offset) > off_ms]
    return Clocks(len(offsets), len(off), max(off, default=0))


def _causes(data: Path, client: str, since: int, until: int, defaults: Defaults) -> list[CauseCount] | None:
    try:
        reader = LedgerReader.open(ledger_directory(data, client))
    except LedgerMissing:
        return None
    with closing(reader):
        rows = cause_rows(causes_found(reader, since, until, defaults), [EVERY_QUEUE])
    return [CauseCount(*row) for row in rows]


def main(arguments: list[str]) -> int:
    """Print the facts of one message."""
    data, kind, client, site, at, *since = arguments
    begins = int(since[0]) if since else None
    try:
        facts = duty_facts(Path(data), DutyKind(kind), About(client, site), int(at), since=begins)
    except LedgerError as error:
        sys.stderr.write(f"{data}: {error}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
