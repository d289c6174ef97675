"""From a roster file to links in the ledgers: what would change, then the change, with or without a running server.

* RosterJobError: the operator's to cure; the message says how.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from collector._core import roster as links
from collector._core.roster import Change, Link, Problem, Stated
from collector.importers.tables import TableLimits
from collector.ledgers import ledger_directory
from collector.roster import Roster, read_roster
from collector.roster_http import PATH, LinkEntry, RosterAnswer, RosterRequest
from ledger.entry import NewEntry
from ledger.errors import LedgerBusy, LedgerMissing
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.importing import local_intake
from seatwatch.own_server import OwnServerError, post
from seatwatch.roster_clients import Expected, elsewhere, unexpected, without_ledger
from seatwatch.settings import Defaults
from wire.errors import EncodeError
from wire.ids import OPERATOR
from wire.kinds import Kind
from wire.organisation import RosterLink

_answer: Final = msgspec.msgpack.Decoder(RosterAnswer).decode
Known = dict[tuple[str, str, int], Link]


class RosterJobError(Exception):
    """The links could not be written."""


class Plan(NamedTuple):
    """What a file would do. changes: by ledger, the operator's first; those that change nothing are left out.

    remarks: what is taken and deserves a look. unmentioned: links still in force at `now` whose subject the file does
    not mention under that relation.
    """

    roster: Roster
    problems: Sequence[Problem]
    remarks: Sequence[Problem]
    changes: Mapping[str, Sequence[Change]]
    known: Mapping[str, Known]
    unmentioned: Sequence[Link]


def plan(file: Path, data: Path, zone: ZoneInfo, now: int, defaults: Defaults, expected: Expected) -> Plan:
    """Read the file and the ledgers. now: ms.

    RosterError, TableError, LedgerError, OSError.
    """
    block = defaults.int("collector.roster_entries_read")
    operator = known_links(data, OPERATOR, block)
    limits = defaults.fill(TableLimits, "collector", prefix="roster_")
    roster = read_roster(file, zone, limits, list(operator.values()))
    stated = [each.link for each in roster.stated]
    union = operator | {link.key: link for link in stated}
    concerned = links.clients_of(union.values())
    clients = sorted({client for each in concerned.values() for client in each})
    known = {OPERATOR: operator} | {client: known_links(data, client, block) for client in clients}
    found = {OPERATOR: links.changes(operator, stated)} | {
        client: links.changes(known[client], (link for link, whose in concerned.items() if client in whose))
        for client in clients
    }
    wrong = [*roster.problems, *links.problems(operator.values(), roster.stated)]
    wrong += unexpected(expected, roster.stated, concerned)
    problems = sorted(wrong, key=lambda each: (each.sheet, each.row))
    new = without_ledger(expected, data, roster.stated, concerned)
    remarks = [*links.remarks(operator.values(), roster.stated), *new, *elsewhere(expected, roster.stated)]
    changed = {client: each for client, each in found.items() if each}
    return Plan(roster, problems, remarks, changed, known, _unmentioned(operator, roster.stated, now))


def known_links(data: Path, client: str, block: int) -> Known:
    """The roster links in a ledger, later ones in the place of earlier ones. None are known before its first entry."""
    try:
        reader = LedgerReader.open(ledger_directory(data, client))
    except (LedgerMissing, FileNotFoundError):
        return {}
    try:
        found: list[Link] = []
        first = 0
        while entries := reader.read(first, block):
            first += len(entries)
            bodies = (recorded(entry).body for entry in entries if entry.kind == Kind.ROSTER_LINK)
            found.extend(links.link_of(body) for body in bodies if isinstance(body, RosterLink))
        return links.in_force(found)
    finally:
        reader.close()


async def write(planned: Plan, data: Path, now: int, defaults: Defaults) -> dict[str, int]:
    """Write what changes; how many links each ledger took. RosterJobError, LedgerError, OSError."""
    wanted = {client: links.entries(planned.known[client], each, now) for client, each in planned.changes.items()}
    if not wanted:
        return {}
    clients = [client for client in wanted if client != OPERATOR]
    try:
        async with local_intake(data, clients, [], defaults) as local:
            return {
                client: (await local.intake.append_derived(client, entries, latest=True)).appended
                for client, entries in wanted.items()
            }
    except EncodeError as error:
        raise RosterJobError(f"nothing of this is written: {error}") from None
    except LedgerBusy:
        return await _through_server(wanted, data, defaults)


async def _through_server(wanted: Mapping[str, Sequence[NewEntry]], data: Path, defaults: Defaults) -> dict[str, int]:
    body = msgspec.msgpack.encode(
        RosterRequest(
            {
                client: [LinkEntry(entry.epoch, entry.sequence, entry.body) for entry in each]
                for client, each in wanted.items()
            }
        )
    )
    try:
        return _answer(await post(data, PATH, body, defaults)).appended
    except (OwnServerError, msgspec.MsgspecError) as error:
        raise RosterJobError(str(error)) from None


def _unmentioned(known: Known, stated: Sequence[Stated], now: int) -> list[Link]:
    mentioned = {(each.link.relation, each.link.subject) for each in stated}
    latest: dict[tuple[str, str], Link] = {}
    for link in sorted(known.values()):
        if link.effective_from <= now:
            latest[link.relation, link.subject] = link
    return [
        link
        for key, link in latest.items()
        if key not in mentioned and (link.effective_until is None or link.effective_until > now)
    ]
