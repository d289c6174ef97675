"""A phone system that says what one said before, over real UDP, TCP or TLS, for tests of the sensor."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent_probe.sensors.phone_line.connection import TrunkAddress
from agent_probe.sensors.phone_line.sensor import Account, PhoneLineSensor, PhoneLineSettings
from tests.agent_probe.living_probe import SETTINGS

SILENCE = "(silence)"
COPIED = frozenset({"via", "from", "call-id", "cseq"})
QUICK = replace(
    SETTINGS.phone_line,
    transaction=replace(SETTINGS.phone_line.transaction, sip_t1_ms=20, sip_t2_ms=160, phone_answer_ms=150),
)
SLOWER = replace(QUICK, transaction=replace(QUICK.transaction, phone_answer_ms=5_000))
PASSWORD = "let-me-in"


def recorded(session: Path) -> list[tuple[str, str]]:
    """(method, what was answered) for each request of a session file."""
    steps = [step.partition("\n") for step in ("\n" + session.read_text(encoding="utf-8")).split("\n> ")[1:]]
    return [(method, answer.strip("\n")) for method, _, answer in steps]


@dataclass
class PhoneSystem:
    """Answers each request, by its method, with the next of `script`; the last of a method is said again and again."""

    script: list[tuple[str, str]]
    heard: list[str] = field(default_factory=list)
    _answers: dict[str, str] = field(default_factory=dict)

    def answer(self, data: bytes) -> bytes | None:
        text = data.decode()
        said = self._answers.get(text)  # the same request sent again
        if said is None:
            method = text.partition(" ")[0]
            mine = [step for step in self.script if step[0] == method] or [(method, SILENCE)]
            if len(mine) > 1:
                self.script.remove(mine[0])
            said = self._answers[text] = mine[0][1]
        self.heard.append(text)
        return None if said == SILENCE else self._as_answer_to(text, said).encode()

    def _as_answer_to(self, request: str, answer: str) -> str:
        asked = {line.partition(":")[0].lower(): line for line in request.split("\r\n")[1:] if ":" in line}
        names = [(line.partition(":")[0].lower(), line) for line in answer.split("\n")]
        return "\r\n".join([*(asked[name] if name in COPIED else line for name, line in names), "", ""])


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, system: PhoneSystem) -> None:
        self.system = system

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # what it is
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (answer := self.system.answer(data)) is not None:
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def answering(system: PhoneSystem, *, tls: ssl.SSLContext | None = None, udp: bool = True) -> AsyncIterator[int]:
    """The port it answers on."""
    if udp:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(system), local_addr=("127.0.0.1", 0))
        yield transport.get_extra_info("sockname")[1]
        transport.abort()
        return
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                if (answer := system.answer(request)) is not None:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionResetError, ssl.SSLError):
            writer.transport.abort()
            gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await gone.wait()


def phone_line(
    port: int,
    *,
    transport: str = "udp",
    ca_file: str = "",
    account: Account | None = None,
    settings: PhoneLineSettings = QUICK,
    host: str = "127.0.0.1",
) -> PhoneLineSensor:
    return PhoneLineSensor(
        "trunk",
        TrunkAddress(host, port, transport, ca_file),
        settings,
        account=account,
        via_line="line-1",
        site="sz1",
        clock_domain="sz1/gw1",
    )
