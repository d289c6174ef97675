"""One TCP connection to upsd, one question at a time. It never logs in: LOGIN means "I draw power from this UPS"."""

import asyncio
from typing import Final

from agent_probe.errors import ProbeUnavailable
from agent_probe.sensors.ups.nut import Answer, NutParser, NutProtocolError

# Batch: bytes of one read.
READ_AT_ONCE: Final = 16 * 1024


class NutConnection:
    """Opened once, used until something fails; then a new one is made."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._parser = NutParser()
        self._answers: list[Answer] = []

    async def open(self) -> None:
        """Connect. Raises ProbeUnavailable."""
        await self.close()
        try:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise ProbeUnavailable("unreachable", f"{self._host}:{self._port}: {error}") from None

    async def ask(self, request: bytes) -> Answer:
        """The answer to one request. Raises ProbeUnavailable when the connection is of no further use."""
        if self._reader is None or self._writer is None:
            raise ProbeUnavailable("unreachable", "not connected")
        try:
            self._writer.write(request)
            await self._writer.drain()
            while not self._answers:
                data = await self._reader.read(READ_AT_ONCE)
                if not data:
                    raise ProbeUnavailable("unreachable", "upsd closed the connection")
                self._answers += self._parser.feed(data)
        except (OSError, NutProtocolError) as error:
            raise ProbeUnavailable("unreachable", str(error)) from None
        return self._answers.pop(0)

    async def close(self) -> None:
        """Drop the connection, without waiting for the other end."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None
        self._parser = NutParser()
        self._answers = []
