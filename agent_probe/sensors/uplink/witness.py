"""Asks the hub over each line by itself from where that comes: whose line it is the hub knows, by the address it saw.

A connection of its own each time: a kept one would stay on the line where a router once put it.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from agent_probe._core.http1 import HttpProtocolError, ResponseParser, encode_request
from agent_probe.config import HttpSettings, HubConfig, TlsConfig
from agent_probe.errors import ProbeUnavailable
from agent_probe.failures import failure_word
from agent_probe.http_port import tls_context
from agent_probe.hub import read_url
from agent_probe.lines import Lines
from agent_probe.secret import read_secret
from agent_probe.sensors.base import Reading, Schedule, Stamp
from agent_probe.sensors.uplink.echo import Bound, open_bound
from wire.limits import BODY_BYTES_MAX
from wire.uplink import LineState
from wire.witness import WITNESS_PATH, WitnessAnswer, WitnessRequest

MS_PER_S: Final = 1000
# Batch: bytes of one read.
READ_AT_ONCE: Final = 4096
# Format: the status of HTTP that says it was done.
DONE: Final = 200
SEEN: Final = "witness.seen"
NONE: Final = "witness.none"
ANSWERS: Final = frozenset({LineState.UP, LineState.DEGRADED})
log = logging.getLogger(__name__)
_decode: Final = msgspec.json.Decoder(WitnessAnswer).decode


class WitnessDoor:
    """The hub's door, as it is asked over one line after the other. Names and certificates are kept between."""

    def __init__(self, hub: HubConfig, http: HttpSettings, source: str) -> None:
        """Raises ValueError for an address that is none."""
        self._hub = hub
        self._http = http
        self._source = source
        self._address = read_url(hub.url)
        self._found: asyncio.Future[str] | None = None
        self._tls: tuple[tuple[int, ...], ssl.SSLContext] | None = None

    @property
    def about(self) -> str:
        """As a person writes it."""
        return self._address.authority

    async def ask(self, line: str, bound: Bound) -> str:
        """The address that the hub saw. Raises ProbeUnavailable; how long it may take the caller decides."""
        opened: socket.socket | None = None
        writer: asyncio.StreamWriter | None = None
        answered = False
        try:
            address = await self._resolve()
            opened = open_bound(bound, socket.SOCK_STREAM, 0)
            await asyncio.get_running_loop().sock_connect(opened, (address, self._address.port))
            tls, host = (self._context(), self._address.host) if self._address.is_tls else (None, None)
            reader, writer = await asyncio.open_connection(sock=opened, ssl=tls, server_hostname=host)
            writer.write(self._request(line))
            seen = await self._answer(reader)
            answered = True
        except OSError as error:
            raise ProbeUnavailable(failure_word(error), str(error)) from None
        except (ValueError, msgspec.MsgspecError) as error:
            raise ProbeUnavailable("hub", str(error)) from None
        else:
            return seen
        finally:
            if not answered:
                self._forget_address()
            if writer is not None:
                writer.transport.abort()
            elif opened is not None:
                opened.close()

    async def _resolve(self) -> str:
        """An address of the hub. A name that is being looked up is not looked up beside: that would take a thread."""
        if self._found is None:
            loop = asyncio.get_running_loop()
            self._found = loop.run_in_executor(None, socket.gethostbyname, self._address.host)
        return await asyncio.shield(self._found)

    def _forget_address(self) -> None:
        """It may have moved; where nobody knows the name yet, somebody is still being asked."""
        if self._found is not None and self._found.done():
            self._found.exception()
            self._found = None

    def _context(self) -> ssl.SSLContext:
        """Made anew when a file of it changed: certificates are renewed, and the system's authorities take long."""
        tls = self._hub.tls or TlsConfig()
        marks = tuple(Path(name).stat().st_mtime_ns for name in (tls.ca_file, tls.cert_file, tls.key_file) if name)
        if self._tls is None or self._tls[0] != marks:
            self._tls = (marks, tls_context(tls))
        return self._tls[1]

    def _request(self, line: str) -> bytes:
        headers = [("Host", self._address.authority), ("Content-Type", "application/json"), ("Connection", "close")]
        if self._hub.token_file:
            headers.append(("Authorization", f"Bearer {read_secret(self._hub.token_file)}"))
        body = msgspec.json.encode(WitnessRequest(self._source, line))
        return encode_request("POST", self._address.path + WITNESS_PATH, headers, body)

    async def _answer(self, reader: asyncio.StreamReader) -> str:
        parser = ResponseParser(head_bytes=self._http.head_bytes, body_bytes=BODY_BYTES_MAX)
        while True:
            data = await reader.read(READ_AT_ONCE)
            answer = parser.feed(data) if data else parser.ended()
            if answer is not None and answer.status != DONE:
                raise HttpProtocolError(f"HTTP {answer.status}")
            if answer is not None:
                return _decode(answer.body).egress


class WitnessSensor:
    """Asks over one line, which answers, while the probe's own connection stands: it competes with no failover.

    What the hub sees the hub records; nothing is said here but a line of the log when the address is another one.
    """

    def __init__(
        self,
        line: str,
        interface: str,
        door: WitnessDoor,
        lines: Lines,
        schedule: Schedule,
        *,
        soon_ms: int,
        patience_ms: int,
    ) -> None:
        """patience_ms: for one answer, shorter than the deadline."""
        self.name = f"witness/{line}"
        self.schedule = schedule
        self._line = line
        self._interface = interface
        self._door = door
        self._lines = lines
        self._often = schedule
        self._soon_ms = soon_ms
        self._patience_s = patience_ms / MS_PER_S
        self._told: tuple[str, str] | None = None

    async def open(self) -> None:
        """Nothing: a door that is closed is no failure of the sensor."""

    async def sample(self, now: Stamp) -> Sequence[Reading]:  # noqa: ARG002 - the protocol's argument
        """Ask, if that may be."""
        line = self._lines.seen(self._line)
        if line is None or not line.source_address or line.state not in ANSWERS or not self._lines.carrying:
            self.schedule = self._often._replace(interval_ms=self._soon_ms)
            return ()
        self.schedule = self._often
        try:
            async with asyncio.timeout(self._patience_s):
                seen = await self._door.ask(self._line, Bound(self._interface, line.source_address))
            self._tell(SEEN, seen)
        except (ProbeUnavailable, TimeoutError) as error:
            self._tell(NONE, str(error) or "timeout")
        return ()

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - whatever the cause
        """Without an answer nothing is known."""
        return ()

    async def close(self) -> None:
        """Nothing is kept open."""

    def _tell(self, event: str, what: str) -> None:
        if (event, what) != self._told:
            self._told = (event, what)
            log.log(
                logging.INFO if event == SEEN else logging.WARNING, event, extra={"line": self._line, "answer": what}
            )
