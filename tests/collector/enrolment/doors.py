"""An enrolment door over real TLS on a free port, and who knocks."""

import ssl
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives import serialization

from collector.enrolment.authority import Span
from collector.enrolment.door import DoorSettings, EnrolmentDoor, tls_context
from seatwatch.clock import now_ms
from seatwatch.settings import load_defaults
from tests.collector.enrolment.machines import DAY, Office, Pc
from wire.enrolment import ENROL_PATH

SETTINGS = load_defaults().fill(DoorSettings, "enrolment")


class Door:
    """A door on a free port, and who knocks."""

    def __init__(self, directory: Path) -> None:
        self.office = Office(directory, now_ms())  # TLS goes by the machine's own clock
        self.directory = directory
        self.held: set[str] = set()
        self.second = 0.0
        self.url = ""
        door = EnrolmentDoor(
            self.office.desk,
            SETTINGS,
            ring_of=lambda identity: identity.partition("/")[0],
            is_held=self.held.__contains__,
            monotonic_s=lambda: self.second,
        )
        app = web.Application()
        app.add_routes(door.routes())
        self.runner = web.AppRunner(app)

    async def open(self) -> None:
        authority = self.office.desk.authority
        pair = authority.server(("127.0.0.1",), Span(self.office.now - DAY, self.office.now + DAY))
        passing = self.directory / "server.pem"
        passing.write_bytes(pair.certificate + pair.key)
        context = tls_context(authority.pem)
        context.load_cert_chain(passing)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.url = f"https://127.0.0.1:{self.runner.addresses[0][1]}"

    def trusting(self, certificate: bytes = b"", pc: Pc | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.office.desk.authority.pem.decode())
        if pc is not None:
            pem = pc.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            shown = self.directory / f"{pc.about.host}.pem"
            shown.write_bytes(certificate + pem)
            context.load_cert_chain(shown)
        return context

    async def ask(
        self, path: str, body: object = None, certificate: bytes = b"", pc: Pc | None = None, *, encoding: str = ""
    ) -> tuple[int, bytes]:
        headers = {"Content-Encoding": encoding} if encoding else {}
        async with aiohttp.ClientSession() as session:
            method = "GET" if body is None else "POST"
            data = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
            tls = self.trusting(certificate, pc)
            async with session.request(method, self.url + path, data=data, ssl=tls, headers=headers) as answer:
                return answer.status, await answer.read()

    async def enrol(self, pc: Pc, code: str) -> tuple[int, bytes]:
        return await self.ask(ENROL_PATH, asked(pc, code))


def asked(pc: Pc, code: str = "") -> dict[str, str]:
    return {"csr": pc.request(), "machine": pc.about.machine, "host": pc.about.host, "code": code}
