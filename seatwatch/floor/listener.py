"""What every made-up device of the floor has: a free loopback port, held for as long as it lives."""

import asyncio
from abc import ABC, abstractmethod
from typing import Self

from seatwatch.addresses import LOOPBACK


class Listener(ABC):
    """Answers every connection to its port with `serve`. Use as `async with`."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            message = f"{type(self).__name__} is not up"
            raise RuntimeError(message)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self.serve, LOOPBACK, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
