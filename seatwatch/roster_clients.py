"""Whether the clients and sites of a roster are meant: a slip of the pen is a client too; its ledger is for good."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple

from collector._core.roster import Link, Problem, Stated
from collector.ledgers import ledger_directory
from seatwatch.printed.teller import Teller
from wire.ids import OPERATOR
from wire.organisation import Relation

_NAMING: Final = frozenset({Relation.SHOP_OF_CLIENT, Relation.CONTRACTED_SEATS, Relation.PERSON_OF_ACCOUNT})
"""Relations whose rows say a client; others concern one by what is said elsewhere."""
_AT_A_SITE: Final = frozenset({Relation.SITE_OF_SEAT, Relation.SITE_OF_LINE, Relation.HOURS_OF_SITE})
Concerned = Mapping[Link, frozenset[str]]


class Expected(NamedTuple):
    """Which clients a roster may name. named: those of the configuration `config`; none = any client is taken.

    new: those that it names on purpose though the configuration does not. sites: of the configuration, none = any.
    """

    tell: Teller
    config: str = ""
    named: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()


def unexpected(expected: Expected, stated: Sequence[Stated], concerned: Concerned) -> Iterator[Problem]:
    """Each row that names a client whom the configuration does not, with the one that was perhaps meant."""
    if not expected.named:
        return
    found = {
        (each.sheet, each.row, client)
        for each in stated
        if each.link.relation in _NAMING
        for client in concerned[each.link] - expected.named - expected.new
    }
    said = {client: _unknown(expected, client) for _, _, client in found}
    yield from (Problem(sheet, row, said[client]) for sheet, row, client in sorted(found))


def _unknown(expected: Expected, client: str) -> str:
    by_small_letters = {each.casefold(): each for each in sorted(expected.named)}
    close = get_close_matches(client.casefold(), by_small_letters, n=1)
    if close:
        closest = by_small_letters[close[0]]
        return expected.tell.filled("roster_client_meant", config=expected.config, client=client, closest=closest)
    known = ", ".join(sorted(expected.named))
    return expected.tell.filled("roster_client_unknown", config=expected.config, client=client, known=known)


def elsewhere(expected: Expected, stated: Sequence[Stated]) -> Iterator[Problem]:
    """Sites that the configuration does not name, at the first row of each."""
    said = set(expected.sites)
    for each in stated:
        site = each.link.subject if each.link.relation is Relation.HOURS_OF_SITE else each.link.target
        if expected.sites and each.link.relation in _AT_A_SITE and site not in said:
            said.add(site)
            known = ", ".join(sorted(expected.sites))
            what = expected.tell.filled("roster_site_unknown", config=expected.config, site=site, known=known)
            yield Problem(each.sheet, each.row, what)


def without_ledger(expected: Expected, data: Path, stated: Sequence[Stated], concerned: Concerned) -> Iterator[Problem]:
    """Clients that get a ledger where others have one, at the first row that concerns them."""
    clients = ledger_directory(data, OPERATOR).parent / "clients"
    known = sorted(each.name for each in clients.iterdir()) if clients.is_dir() else []
    said = set(known)
    for each in stated:
        for client in sorted(concerned[each.link] - said):
            said.add(client)
            if known:
                what = expected.tell.filled("roster_client_new", client=client, known=", ".join(known))
                yield Problem(each.sheet, each.row, what)
