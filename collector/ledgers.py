"""A ledger as the rest of the process sees it: how long it is, a way to read it, and a wake-up when it grows."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from ledger.reader import LedgerReader
from ledger.writer import LedgerWriter
from wire.ids import OPERATOR


def ledger_directory(data_directory: Path, client: str) -> Path:
    """Where the ledger of a client, or of "operator", lives below the data directory."""
    return data_directory / OPERATOR if client == OPERATOR else data_directory / "clients" / client


class LedgerHandle:
    """The feed is the ledger itself: whoever follows it reads from its own place and waits here for more.

    client: a client id or "operator". size: entries known to be durable. open_reader: a reader for another thread.
    """

    def __init__(self, client: str, writer: LedgerWriter, open_reader: Callable[[], LedgerReader]) -> None:
        self.client = client
        self.ledger_id = writer.ledger_id
        self.size = writer.size
        self.open_reader = open_reader
        self._reader: LedgerReader | None = None
        self._grown = asyncio.Event()

    @property
    def reader(self) -> LedgerReader:
        """The reader of the thread that runs the event loop."""
        if self._reader is None:
            self._reader = self.open_reader()
        return self._reader

    async def changed(self, since: int) -> int:
        """Wait until the ledger holds more than `since` entries, and say how many."""
        while self.size <= since:
            await self._grown.wait()
        return self.size

    def grew(self, size: int) -> None:
        """Wake everybody who waits for more than they have seen."""
        self.size = size
        self._grown.set()
        self._grown = asyncio.Event()

    def close(self) -> None:
        """Let go of the reader."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
