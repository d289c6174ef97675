"""An intake over real ledgers in a temporary folder, started and stopped around a test."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

from collector.errors import IntakeStopped
from collector.intake import Intake, IntakeSettings
from collector.ledgers import ledger_directory
from collector.sources import Principal, Source, Sources, token_hash
from ledger.entry import NewEntry
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from ledger.segment import LedgerSettings
from ledger.writer import Committed, LedgerWriter, StreamKey
from tests.collector.store import NOW, SOURCE
from wire.ids import OPERATOR
from wire.recorded import Recorded

T = TypeVar("T")
TOKEN = "shop-one-token"
CLIENT = "acme"
LEDGER = LedgerSettings(segment_bytes_max=1 << 30, wal_bytes_max=1 << 20, lock_wait_ms=1000, cache_bytes_max=1 << 20)
SETTINGS = IntakeSettings(
    future_tolerance_ms=1000,
    past_tolerance_ms=34_560_000_000,
    holes_max=100,
    waiting_rows_max=1000,
    waiting_frames_max=100,
    commit_rows_max=500,
    retry_after_ms=2000,
    streams_max=100,
    strangers_max=3,
)
SOURCES = (
    Source(id=SOURCE, client=CLIENT, token_hash=token_hash(TOKEN), queues=frozenset({"shop-a"})),
    Source(id="shop/two", client=CLIENT, token_hash=token_hash("shop-two-token")),
    Source(id="site-1/gateway", carries="facilities", site="site-1", heartbeat_ms=10_000),
)


class Gate:
    """Lets a test hold commits back, count them, or make the next one fail."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.waiting = threading.Event()
        self.failure: Exception | None = None


class GatedWriter(LedgerWriter):
    """A real writer whose commits pass a gate."""

    gate: Gate

    def commit(
        self, entries: Sequence[NewEntry], *, received_at: int, marks: Mapping[StreamKey, int] | None = None
    ) -> Committed:
        self.gate.waiting.set()
        assert self.gate.open.wait(10)
        if self.gate.failure is not None:
            raise self.gate.failure
        return super().commit(entries, received_at=received_at, marks=marks)


class Hub:
    """A collector without doors: its intake, its clock, and what its ledgers hold."""

    def __init__(self, directory: Path, sources: Iterable[Source], settings: IntakeSettings) -> None:
        self.directory = directory
        self.sources = Sources(sources)
        self.settings = settings
        self.now = NOW
        self.gate = Gate()
        self.died: list[BaseException] = []
        self.intake: Intake
        self.running: asyncio.Task[None]
        self._writers: dict[str, GatedWriter] = {}

    def principal(self, *sources: str) -> Principal:
        return Principal(frozenset(sources or (SOURCE,)))

    def records(self, client: str = CLIENT) -> list[Recorded]:
        reader = self.open_reader(client)
        try:
            return [recorded(stored) for stored in reader.read(0, reader.size())]
        finally:
            reader.close()

    def bodies(self, kind: type[T], client: str = CLIENT) -> list[T]:
        return [record.body for record in self.records(client) if isinstance(record.body, kind)]

    def open_reader(self, client: str) -> LedgerReader:
        return LedgerReader.open(ledger_directory(self.directory, client), lock_wait_ms=LEDGER.lock_wait_ms)

    def _open(self) -> None:
        for client in (OPERATOR, CLIENT):
            writer = GatedWriter.open(
                ledger_directory(self.directory, client), settings=LEDGER, clock_ms=lambda: self.now
            )
            assert isinstance(writer, GatedWriter)
            writer.gate = self.gate
            self._writers[client] = writer
        self.intake = Intake(
            self._writers,
            self.sources,
            settings=self.settings,
            clock_ms=lambda: self.now,
            open_reader=self.open_reader,
            die=self.died.append,
        )

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()


@asynccontextmanager
async def running_hub(
    directory: Path, *, sources: Iterable[Source] = SOURCES, settings: IntakeSettings = SETTINGS
) -> AsyncIterator[Hub]:
    """A hub on `directory`; enter it again for a restart."""
    hub = Hub(directory, sources, settings)
    hub._open()
    task = hub.running = asyncio.get_running_loop().create_task(hub.intake.run(), name="intake")
    try:
        yield hub
    finally:
        hub.gate.open.set()
        task.cancel()
        with suppress(asyncio.CancelledError, IntakeStopped, *(type(error) for error in hub.died)):
            await task
        hub._close()
