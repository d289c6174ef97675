"""What the commands that write into a ledger share: an intake of their own, while no server holds the ledgers."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from collector.errors import IntakeStopped
from collector.intake import Intake, IntakeSettings
from collector.ledgers import ledger_directory
from collector.sources import CONVERSATIONS, FIGURES, Source, Sources
from ledger.reader import LedgerReader
from ledger.segment import LedgerSettings
from ledger.writer import LedgerWriter
from seatwatch.clock import now_ms
from seatwatch.config import ClientSection, Config
from seatwatch.server.opening import open_writers
from seatwatch.server.rules import SOURCE as RULES
from seatwatch.server.rules import client_rules
from seatwatch.settings import Defaults
from wire.record import Feed


def import_token(data: Path) -> Path:
    """The token with which the owner of a data directory imports while a server runs over it; made on first use."""
    file = data / "keys" / "import.token"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(secrets.token_urlsafe() + "\n", encoding="utf-8")
    return file


def import_sources(clients: Iterable[str], token_digest: str) -> list[Source]:
    """The sources `import/CLIENT` and `figures/CLIENT` of every client. token_digest: SHA-256 of the import token."""
    return [
        Source(id=f"{name}/{client}", client=client, feed=Feed.DAILY, carries=carries, token_hash=token_digest)
        for client in clients
        for name, carries in (("import", CONVERSATIONS), ("figures", FIGURES))
    ]


class LocalIntake:
    """An intake of this process over a data directory that no server holds."""

    def __init__(self, intake: Intake, writers: dict[str, LedgerWriter]) -> None:
        self.intake = intake
        self._writers = writers

    def has_rules(self, client: str) -> bool:
        """Whether a definition and a contract stand in the client's ledger."""
        return any(source == RULES for source, _, _ in self._writers[client].streams())

    async def publish_rules(self, client: str, definition: str, base: Path) -> None:
        """Enter a definition (a preset, or a file taken from `base`) and a contract over all queues. ConfigError."""
        await self.intake.append_derived(client, client_rules(ClientSection(id=client, definition=definition), base))


@asynccontextmanager
async def local_intake(
    data: Path, clients: list[str], sources: list[Source], defaults: Defaults
) -> AsyncIterator[LocalIntake]:
    """Open the ledgers of these clients and the operator, made on first use. LedgerBusy while a server holds them.

    What goes wrong inside comes out as itself: LedgerFailed, say, where the disk is full.
    """
    settings = defaults.fill(LedgerSettings, "ledger")
    config = Config(client=[ClientSection(id=client) for client in clients])
    async with AsyncExitStack() as stack:
        writers = open_writers(data, config, settings=settings, clock_ms=now_ms)
        for writer in writers.values():
            stack.callback(writer.close)

        def open_reader(client: str) -> LedgerReader:
            return LedgerReader.open(ledger_directory(data, client), lock_wait_ms=settings.lock_wait_ms)

        intake = Intake(
            writers,
            Sources(sources),
            settings=_with_room_for_holes(defaults.fill(IntakeSettings, "collector"), defaults),
            clock_ms=now_ms,
            open_reader=open_reader,
            die=_refused_already,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(intake.run(), name="import.intake")
                try:
                    yield LocalIntake(intake, writers)
                finally:
                    running.cancel()
        except ExceptionGroup as group:
            raise _cause(group) from group


def _cause(group: ExceptionGroup[Exception]) -> Exception:
    """Why it ended. Whoever waited for an answer heard that the intake stopped; the intake says why."""
    _, causes = group.split(IntakeStopped)
    found: Exception = causes or group
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found


def _with_room_for_holes(settings: IntakeSettings, defaults: Defaults) -> IntakeSettings:
    """An import sends in order of time what it numbered by row. Here it is the only sender, and holds back no more."""
    return msgspec.structs.replace(settings, holes_max=defaults.int("collector.import_events_sorted"))


def _refused_already(_: BaseException) -> None:
    """A failed commit ends this process by the error that `Intake.run` raises; nobody was acknowledged."""
