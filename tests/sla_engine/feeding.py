"""A real ledger on disk that a runner can follow: appended to by the test, waking whoever waits."""

import asyncio
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from ledger.entry import NewEntry
from ledger.reader import LedgerReader
from ledger.writer import LedgerWriter
from tests.builders import Event
from tests.ledger.building import default_settings
from wire.codec import KIND_OF, encode_body

EPOCH = b"t" * 16


class Feed:
    """What a runner follows. append: one commit of events, in order, at the instants they came in."""

    def __init__(self, directory: Path) -> None:
        settings = default_settings()
        self._writer = LedgerWriter.open(directory, settings=settings, clock_ms=lambda: 0)
        self._reader = LedgerReader.open(directory, lock_wait_ms=settings.lock_wait_ms)
        self._grown = asyncio.Event()
        self._sequence = self._writer.size
        self.ledger_id = self._writer.ledger_id
        self.size = self._writer.size

    @property
    def reader(self) -> LedgerReader:
        return self._reader

    def append(self, events: Iterable[Event]) -> None:
        ordered = sorted(events, key=lambda event: event.received_at)
        for received_at, together in groupby(ordered, key=lambda event: event.received_at):
            entries = [self._entry(event) for event in together]
            self.size = self._writer.commit(entries, received_at=received_at, marks={}).size
        self._grown.set()
        self._grown = asyncio.Event()

    def _entry(self, event: Event) -> NewEntry:
        self._sequence += 1
        kind, version = KIND_OF[type(event.body)]
        return NewEntry(event.source, EPOCH, self._sequence, kind, version, encode_body(event.body))

    async def changed(self, since: int) -> int:
        while self.size <= since:
            await self._grown.wait()
        return self.size

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
