"""One way to a SIP server, over UDP, TCP or TLS: a request out, the answer to it back.

It is kept open while it works: a TLS handshake every few seconds would cost both ends more than all else together.
"""

import asyncio
from collections.abc import Callable
from traceback import clear_frames
from typing import Final, NamedTuple, Protocol

from agent_probe.errors import ProbeUnavailable
from agent_probe.failures import failure_word
from agent_probe.sensors.phone_line.sip import (
    MESSAGE_BYTES_TOLERATED,
    Answer,
    Hop,
    SipProtocolError,
    SipStream,
    read_datagram,
)
from agent_probe.sensors.phone_line.transaction import Transaction, TransactionRules
from agent_probe.tls import client_context

MS_PER_S: Final = 1000
US_PER_S: Final = 1_000_000
# Batch: bytes of one read.
READ_AT_ONCE: Final = 16 * 1024
# Bound: a trunk that is asked one thing at a time says less.
DATAGRAMS_QUEUED: Final = 16
# Bound: four messages of the largest size that is read; an answer is behind none.
BYTES_BEFORE_AN_ANSWER: Final = 4 * MESSAGE_BYTES_TOLERATED


class TrunkAddress(NamedTuple):
    """Where a trunk is found. transport: udp, tcp or tls. ca_file: PEM, "" for the system's. bind_address: ours."""

    host: str
    port: int
    transport: str
    ca_file: str = ""
    bind_address: str = ""


class Exchange(NamedTuple):
    """The final answer, and how long it took from the first sending, in microseconds."""

    answer: Answer
    rtt_us: int


class _Channel(Protocol):
    hop: Hop
    is_reliable: bool

    def send(self, data: bytes) -> None: ...
    async def receive(self) -> list[Answer]: ...
    def close(self) -> None: ...


class SipConnection:
    """Opened when first needed, and anew after anything failed."""

    def __init__(self, address: TrunkAddress, rules: TransactionRules) -> None:
        self._address = address
        self._rules = rules
        self._channel: _Channel | None = None

    async def exchange(self, build: Callable[[Hop], bytes], branch: str) -> Exchange:
        """Send what `build` makes, until its answer is here. branch: how that is told from others.

        Raises ProbeUnavailable with a word of failure_word, `closed` or `protocol`; the connection is then closed.
        """
        try:
            channel = await self._open()
            return await self._transact(channel, build(channel.hop), branch)
        except SipProtocolError:
            cause = "protocol"
        except EOFError:
            cause = "closed"
        except OSError as error:
            cause = failure_word(error)
            clear_frames(error.__traceback__)  # of a failed handshake they hold a quarter of a megabyte in a circle
        self.close()
        raise ProbeUnavailable(cause)

    def close(self) -> None:
        """Drop it, without waiting for the other end."""
        if self._channel is not None:
            self._channel.close()
        self._channel = None

    async def _open(self) -> _Channel:
        if self._channel is None:
            async with asyncio.timeout(self._rules.phone_answer_ms / MS_PER_S):
                is_udp = self._address.transport == "udp"
                self._channel = await (_DatagramChannel if is_udp else _StreamChannel).open(self._address)
        return self._channel

    async def _transact(self, channel: _Channel, data: bytes, branch: str) -> Exchange:
        loop = asyncio.get_running_loop()
        began = loop.time()
        transaction = Transaction(self._rules, 0, is_reliable=channel.is_reliable)
        while not transaction.is_over(now := int((loop.time() - began) * MS_PER_S)):
            if transaction.send(now):
                channel.send(data)
            pause = asyncio.timeout_at(began + transaction.next_wake_at / MS_PER_S)
            try:
                async with pause:
                    answers = await channel.receive()
            except TimeoutError:
                if pause.expired():
                    continue
                raise  # the connection's own, which would come again at once
            await asyncio.sleep(0)  # what a flood has brought is there at once: others shall have their turn between
            for answer in answers:
                if answer.branch == branch and answer.is_final:
                    return Exchange(answer, int((loop.time() - began) * US_PER_S))
                if answer.branch == branch:
                    transaction.heard(now)
        raise TimeoutError


class _DatagramChannel(asyncio.DatagramProtocol):
    """A connected socket, so that the kernel hands us the other end's port-unreachable as a refusal."""

    is_reliable = False

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[Answer | Exception] = asyncio.Queue(maxsize=DATAGRAMS_QUEUED)
        self.hop = Hop("UDP", "", 0)

    @classmethod
    async def open(cls, address: TrunkAddress) -> "_DatagramChannel":
        _, channel = await asyncio.get_running_loop().create_datagram_endpoint(
            cls,
            local_addr=(address.bind_address, 0) if address.bind_address else None,
            remote_addr=(address.host, address.port),
        )
        return channel

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # what it is
        self._transport = transport
        host, port, *_ = transport.get_extra_info("sockname")
        self.hop = Hop("UDP", host, port)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the protocol's arguments
        answer = read_datagram(data)
        if answer is not None:
            self._put(answer)

    def error_received(self, exc: Exception) -> None:
        self._put(exc)

    def send(self, data: bytes) -> None:
        self._transport.sendto(data)

    async def receive(self) -> list[Answer]:
        found = await self._inbox.get()
        if isinstance(found, Exception):
            raise found
        return [found]

    def close(self) -> None:
        self._transport.abort()

    def _put(self, found: Answer | Exception) -> None:
        if not self._inbox.full():  # a flood is not read: what we wait for is asked for again
            self._inbox.put_nowait(found)


class _StreamChannel:
    """TCP, or TLS over it."""

    is_reliable = True

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hop: Hop) -> None:
        self._reader = reader
        self._writer = writer
        self._stream = SipStream()
        self._read_since_asked = 0
        self.hop = hop

    @classmethod
    async def open(cls, address: TrunkAddress) -> "_StreamChannel":
        reader, writer = await asyncio.open_connection(
            address.host,
            address.port,
            ssl=client_context(address.ca_file) if address.transport == "tls" else None,
            local_addr=(address.bind_address, 0) if address.bind_address else None,
        )
        host, port, *_ = writer.get_extra_info("sockname")
        return cls(reader, writer, Hop(address.transport.upper(), host, port))

    def send(self, data: bytes) -> None:
        self._writer.write(data)
        self._read_since_asked = 0

    async def receive(self) -> list[Answer]:
        data = await self._reader.read(READ_AT_ONCE)
        if not data:
            raise EOFError
        self._read_since_asked += len(data)
        if self._read_since_asked > BYTES_BEFORE_AN_ANSWER:
            raise SipProtocolError(f"more than {BYTES_BEFORE_AN_ANSWER} bytes and no answer")
        return self._stream.feed(data)

    def close(self) -> None:
        self._writer.transport.abort()
