"""From a configuration to what the parts of a server take: open ledgers, registered sources, readers' scopes."""

from collections.abc import Callable, Iterator
from pathlib import Path

from collector.ledgers import ledger_directory
from collector.sources import CONVERSATIONS, FACILITIES, Source, Sources
from ledger.segment import LedgerSettings
from ledger.writer import LedgerWriter
from seatwatch.config import Config, SiteSection, SourceSection, probe_sources, token_digest
from seatwatch.settings import Defaults
from wire.ids import OPERATOR
from wire.record import Feed
from wire.scope import Scope


def open_writers(
    data: Path, config: Config, *, settings: LedgerSettings, clock_ms: Callable[[], int]
) -> dict[str, LedgerWriter]:
    """A writer for every client and the operator. Raises LedgerBusy, LedgerCorrupt, OSError; then none stays open."""
    writers: dict[str, LedgerWriter] = {}
    try:
        for client in (OPERATOR, *(section.id for section in config.client)):
            directory = ledger_directory(data, client)
            writers[client] = LedgerWriter.open(directory, settings=settings, clock_ms=clock_ms)
    except BaseException:
        for writer in writers.values():
            writer.close()
        raise
    return writers


def registered_sources(config: Config, base: Path, defaults: Defaults) -> Sources:
    """Every connector and every probe the configuration knows. Token files are taken from `base`."""
    queues = {client.id: frozenset(queue.id for queue in client.queue) for client in config.client}
    connectors = [_connector(section, base, queues[section.client]) for section in config.source]
    probes = [source for site in config.site for source in _probes(site, base, defaults)]
    return Sources([*connectors, *probes])


def _connector(section: SourceSection, base: Path, queues: frozenset[str]) -> Source:
    return Source(
        id=section.id,
        client=section.client,
        feed=section.feed,
        carries=CONVERSATIONS,
        token_hash=token_digest(base / section.token_file).hex() if section.token_file else None,
        queues=queues or None,
        heartbeat_ms=1000 * (section.heartbeat_s or 0),
    )


def _probes(site: SiteSection, base: Path, defaults: Defaults) -> Iterator[Source]:
    token_hash = token_digest(base / site.token_file).hex() if site.token_file else None
    for name in probe_sources(site):
        role = "gateway" if name.endswith("/gateway") else "seat"
        yield Source(
            id=name,
            client=OPERATOR,
            feed=Feed.LIVE,
            carries=FACILITIES,
            token_hash=token_hash,
            site=site.id,
            heartbeat_ms=defaults.ms(f"probe.{role}_heartbeat"),
        )


def reader_scopes(config: Config, base: Path) -> dict[str, Scope]:
    """What each reader's token shows: SHA-256 of the token as hex -> Scope."""
    return {
        token_digest(base / reader.token_file).hex(): Scope(
            clients=None if reader.clients is None else frozenset(reader.clients),
            sites=None if reader.sites is None else frozenset(reader.sites),
        )
        for reader in config.reader
    }
