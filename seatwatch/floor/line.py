"""A site's line as a TCP proxy that can be cut: connections die, new ones get nowhere, as with a dug-up cable."""

import asyncio
from contextlib import suppress
from typing import Final

from seatwatch.floor.listener import Listener

# Batch: bytes of one read.
_CHUNK: Final = 64 * 1024


class Line(Listener):
    """Forwards to (`host`, `port`) while it is not cut; `port` is where probes connect to."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_cut = False

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        self._drop()

    def retarget(self, port: int) -> None:
        """The far end moved (a restarted server took another port)."""
        self._target = (self._target[0], port)

    def cut(self) -> None:
        """Cut it: every connection is reset, new ones are closed at once."""
        self.is_cut = True
        self._drop()

    def mend(self) -> None:
        """Mend it."""
        self.is_cut = False

    def _drop(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end, or a cut, ends it."""
        self._writers.add(writer)
        try:
            if not self.is_cut:
                far = await asyncio.open_connection(*self._target)
                await self._join(reader, writer, *far)
        except OSError:
            return  # the far end is down: to the probe it is a dead line
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        self._writers.add(far_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer), name="line.up")
                both.create_task(self._pump(far_reader, writer), name="line.down")
        finally:
            self._writers.discard(far_writer)
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()
