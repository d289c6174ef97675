"""What may stand between two parts, on loopback ports: a TLS terminator, a proxy that answers CONNECT, a black hole."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trustme

from tests.servers import LOOPBACK


class Authority:
    """A certificate authority of one's own, its certificate in a file."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self._authority = trustme.CA()
        self.file = directory / f"{name}.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def serving(self, identity: str = LOOPBACK, **validity: object) -> ssl.SSLContext:
        """A server's side with a certificate for `identity`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(identity, **validity).configure_cert(context)  # type: ignore[arg-type]  # dates only
        return context


def _always() -> bool:
    return True


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carries: Callable[[], bool]) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            if carries():
                writer.write(data)
                await writer.drain()
    writer.close()


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    host: str,
    port: int,
    answer: bytes = b"",
    carries: Callable[[], bool] = _always,
) -> None:
    """Both ways, until either end closes. carries: whether what comes now goes on or is lost."""
    try:
        far_reader, far_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.close()
        return
    writer.write(answer)
    async with asyncio.TaskGroup() as ways:
        ways.create_task(_copy(reader, far_writer, carries), name="relay.out")
        ways.create_task(_copy(far_reader, writer, carries), name="relay.back")


@asynccontextmanager
async def _serving(handle: object, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    server = await asyncio.start_server(handle, LOOPBACK, 0, ssl=context)  # type: ignore[arg-type]  # a handler
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def tls_in_front(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """The port of a terminator whose far end is `port` of this machine."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, LOOPBACK, port)

    async with _serving(handle, context) as chosen:
        yield chosen


@asynccontextmanager
async def connect_proxy(heads: list[str], *, refuse: bool = False) -> AsyncIterator[int]:
    """The port of a proxy; `heads` collects what it was asked. refuse: it wants credentials it never gets."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        heads.append(head)
        if refuse:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        host, _, port = head.split(" ")[1].rpartition(":")
        await _join(reader, writer, host, int(port), b"HTTP/1.1 200 Connection established\r\n\r\n")

    async with _serving(handle, None) as chosen:
        yield chosen


class BlackHole:
    """A relay that can lose what its connections carry from then on, without a word to either end."""

    def __init__(self, far_port: int) -> None:
        self._far_port = far_port
        self._opened = 0
        self._lost = 0
        self.host = LOOPBACK
        self.port = 0

    def swallow(self) -> None:
        """Nothing more comes through on the connections that are open; a new one is sound."""
        self._lost = self._opened

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as asyncio.start_server hands it over."""
        number = self._opened
        self._opened += 1
        await _join(reader, writer, LOOPBACK, self._far_port, carries=lambda: number >= self._lost)


@asynccontextmanager
async def black_hole(port: int) -> AsyncIterator[BlackHole]:
    """In front of `port` of this machine, as a firewall that forgets its connections."""
    relay = BlackHole(port)
    async with _serving(relay.handle, None) as relay.port:
        yield relay
