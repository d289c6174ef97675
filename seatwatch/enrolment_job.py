"""What the enrolment commands do: open the authority and its store beside a running server, and draw codes.

* EnrolmentError: the operator's to cure; the message says how.
"""

import getpass
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, NamedTuple

from collector._core.roster import HOST
from collector.enrolment._core.codes import CODE_BITS, digest, spell
from collector.enrolment._core.desk import Batch
from collector.enrolment.authority import Authority
from collector.enrolment.errors import EnrolmentError
from collector.enrolment.store import STORE_FILE, EnrolmentStore, Place
from collector.roster import PREFIX_MIN
from seatwatch.config import Config, SiteSection, probe_sources
from seatwatch.roster_job import known_links
from seatwatch.settings import Defaults
from wire.ids import OPERATOR
from wire.limits import IDENTITY_CHARS_MAX
from wire.organisation import Relation

FOLDER: Final = "authority"
_DURATION: Final = re.compile(r"(\d+)(min|h)")
# Format: units in ms.
_MS: Final = {"min": 60_000, "h": 3_600_000}


class Code(NamedTuple):
    """A code that was drawn, and what it is for. expires_at: ms."""

    code: str
    about: str
    expires_at: int


class BatchWanted(NamedTuple):
    """What a person asks of a batch. lasts: as `8h`. cidrs: networks its machines come from."""

    site: str
    size: int
    lasts: str
    cidrs: Sequence[str]


@contextmanager
def opened(data: Path, defaults: Defaults) -> Iterator[tuple[Authority, EnrolmentStore]]:
    """The authority of a data directory and its store. Raises EnrolmentError."""
    authority = Authority.open(data / FOLDER)
    try:
        store = EnrolmentStore(data / FOLDER, lock_wait_s=defaults.seconds("enrolment.lock_wait"))
        with closing(store):
            yield authority, store
    except sqlite3.Error as error:
        fix = "restore it from the backup, with the key beside it"
        raise EnrolmentError(f"{data / FOLDER / STORE_FILE} cannot be used ({error}); {fix}") from None


def operator_name() -> str:
    """Who decides, as the machine knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without an entry in the system's list
        return "unknown"


def draw_claim(store: EnrolmentStore, config: Config, site: str, probe: str, now: int, defaults: Defaults) -> Code:
    """A code for one probe of a site. Raises EnrolmentError for one that the configuration does not know."""
    identity = f"{site}/{probe}"
    known = _slots(_site(config, site))
    if identity not in known:
        raise EnrolmentError(f"{identity}: the configuration knows {known[0]} to {known[-1]} at this site")
    code = spell(secrets.randbits(CODE_BITS))
    expires_at = now + defaults.ms("enrolment.claim")
    store.add_claim(digest(code), identity, now, expires_at, operator_name())
    return Code(code, identity, expires_at)


def draw_batch(
    store: EnrolmentStore, config: Config, data: Path, wanted: BatchWanted, now: int, defaults: Defaults
) -> tuple[Code, dict[str, Place], dict[str, int]]:
    """A token for the seats of a site, the host names that may come in by it, and by which other batches they may too.

    Those with when (ms) they end. Raises EnrolmentError.
    """
    section = _site(config, wanted.site)
    block = defaults.int("collector.roster_entries_read")
    hosts = host_places(store, section, seat_hosts(data, wanted.site, now, block))
    if not 1 <= wanted.size <= section.seats:
        raise EnrolmentError(f"--count {wanted.size}: from 1 machine to the {section.seats} seats of {wanted.site}")
    expires_at = now + _lasts(wanted.lasts, defaults.ms("enrolment.batch_longest"))
    code, name = spell(secrets.randbits(CODE_BITS)), f"{wanted.site}-{secrets.token_hex(3)}"
    batch = Batch(name, wanted.site, wanted.size, expires_at, _networks(wanted.cidrs))
    beside = store.live_batches(hosts, now)
    store.add_batch(batch, digest(code), hosts, now, operator_name())
    return Code(code, name, batch.expires_at), hosts, beside


def seat_hosts(data: Path, site: str, now: int, block: int) -> dict[str, str]:
    """Host name -> seat, of the roster's seats at a site now. Raises EnrolmentError.

    Where none of them has a host name, and where two have the same.
    """
    latest = {}
    for link in sorted(known_links(data, OPERATOR, block).values()):
        if link.relation is Relation.SITE_OF_SEAT and link.effective_from <= now:
            latest[link.subject] = link
    found: dict[str, str] = {}
    for link in latest.values():
        is_here = link.target == site and (link.effective_until is None or link.effective_until > now)
        host = dict(link.attributes).get(HOST, "").casefold()
        if not is_here or not host:
            continue
        if host in found:
            raise EnrolmentError(f"{site}: the roster gives the host name {host} to {found[host]} and {link.subject}")
        found[host] = link.subject
    if not found:
        raise EnrolmentError(f"{site}: the roster names no host for any of its seats; give them a column `host`")
    return found


def host_places(store: EnrolmentStore, site: SiteSection, hosts: dict[str, str]) -> dict[str, Place]:
    """Which identity each host stands for: the one it had before, else the lowest number nobody has."""
    before = store.places(site.id)
    taken = {place.identity for place in before.values()}
    free = iter(slot for slot in _slots(site) if slot not in taken and not slot.endswith("/gateway"))
    found = {}
    for host, seat in sorted(hosts.items(), key=lambda each: each[1]):
        identity = before[host].identity if host in before else next(free, "")
        if not identity:
            raise EnrolmentError(f"{site.id}: more host names than seats; raise `seats` of this site")
        found[host] = Place(identity, seat)
    return found


def _site(config: Config, site: str) -> SiteSection:
    for section in config.site:
        if section.id == site:
            return section
    known = ", ".join(each.id for each in config.site) or "none"
    raise EnrolmentError(f"--site {site}: not in the configuration, which knows {known}")


def _slots(site: SiteSection) -> list[str]:
    slots = list(probe_sources(site))
    if any(len(slot) > IDENTITY_CHARS_MAX for slot in slots):
        raise EnrolmentError(f"{site.id}: too long for a certificate; an identity has at most {IDENTITY_CHARS_MAX}")
    return slots


def _lasts(text: str, longest_ms: int) -> int:
    found = _DURATION.fullmatch(text)
    lasts_ms = 0 if found is None else int(found[1]) * _MS[found[2]]
    if not 0 < lasts_ms <= longest_ms:
        raise EnrolmentError(f"--for {text}: write it as 8h or 90min, at most {longest_ms // _MS['h']}h")
    return lasts_ms


def _networks(cidrs: Sequence[str]) -> tuple[str, ...]:
    try:
        networks = [_plain(ip_network(cidr)) for cidr in cidrs]
    except ValueError as error:
        raise EnrolmentError(f"--cidr: {error}; write it as 203.0.113.0/24, as the hub sees the site") from None
    for network in networks:
        if network.prefixlen < PREFIX_MIN[network.version]:
            shortest = PREFIX_MIN[network.version]
            raise EnrolmentError(f"--cidr: {network} is everybody, and no site; from /{shortest} on it can be taken")
    return tuple(map(str, networks))


def _plain(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """As addresses are compared: what a listener on IPv6 calls `::ffff:203.0.113.0/120` is 203.0.113.0/24."""
    if isinstance(network, IPv4Network) or (within := network.network_address.ipv4_mapped) is None:
        return network
    return IPv4Network((within, network.prefixlen - (network.max_prefixlen - within.max_prefixlen)))
