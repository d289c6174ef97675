"""Events over our own TLS: whoever shows a certificate of ours speaks for its name, for as long as it holds."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization

from agent_probe.config import HubConfig, TlsConfig
from agent_probe.errors import ProbeUnavailable
from agent_probe.http_port import HttpPort
from agent_probe.sensors.uplink.echo import Bound
from agent_probe.sensors.uplink.witness import WitnessDoor
from collector.enrolment.authority import Pair, Span
from collector.enrolment.bearer import Bearers
from collector.intake_http import HttpDoor
from collector.sources import Source, token_hash
from tests.agent_probe.living_probe import SETTINGS
from tests.collector.enrolment.doors import Door
from tests.collector.enrolment.machines import CODE, DAY, Pc
from tests.collector.posting import HTTP
from tests.collector.running import Hub, running_hub
from tests.collector.store import frame, item
from wire.codec import decode_ack, encode_frame
from wire.enrolment import EnrolAnswer
from wire.errors import Reason
from wire.facility import Heartbeat, Role
from wire.ids import OPERATOR
from wire.uplink import LineWitnessed
from wire.witness import WITNESS_PATH

GATEWAY = "site1/gateway"
SITE_TOKEN = "site-token"
SITE = [
    Source(id=name, client=OPERATOR, carries="facilities", site="site1", token_hash=token_hash(SITE_TOKEN))
    for name in (GATEWAY, "site1/seat-01")
]


class Guarded:
    """The door for events beside the enrolment door, and a gateway that was enrolled there."""

    def __init__(self, door: Door, hub: Hub, shown: Path) -> None:
        self.door = door
        self.hub = hub
        self.shown = shown
        self.is_doubled = False

    def frame(self, sequence: int, source: str = GATEWAY) -> bytes:
        body = Heartbeat(self.door.office.now, 1, source, None, True, "", "site1", "", Role.GATEWAY, 2000, 0)
        return encode_frame(frame(item(sequence, body), source=source))

    async def post(self, session: aiohttp.ClientSession, data: bytes, token: str = "") -> tuple[int, str]:
        """Status, and the error's word."""
        headers = {"Content-Type": "application/msgpack", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with session.post(f"{self.door.url}/v1/events", data=data, headers=headers) as answer:
            return answer.status, (await answer.json()).get("error", "")

    async def ask(self, session: aiohttp.ClientSession, data: object, token: str = "") -> tuple[int, str]:
        """Status, and the address the hub saw or the error's word."""
        headers = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        async with session.post(f"{self.door.url}{WITNESS_PATH}", json=data, headers=headers) as answer:
            said = await answer.json()
            return answer.status, said.get("egress") or said["error"]

    @asynccontextmanager
    async def session(self, shown: Path | None) -> AsyncIterator[aiohttp.ClientSession]:
        """One kept connection, with that certificate and key."""
        context = ssl.create_default_context(cadata=self.door.office.desk.authority.pem.decode())
        if shown is not None:
            context.load_cert_chain(shown)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=1)) as session:
            yield session


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    door = Door(tmp_path)
    async with running_hub(tmp_path / "hub", sources=SITE) as hub:
        hub.now = door.office.now
        made = Guarded(door, hub, tmp_path / "gateway.pem")
        bearers = Bearers(door.office.store, lambda: door.office.now)
        events = HttpDoor(
            hub.intake, hub.sources, HTTP, identify=bearers.identify, accepts=lambda _: not made.is_doubled
        )
        door.runner.app.add_routes(events.routes())
        await door.open()
        door.office.claim(GATEWAY)
        pc = Pc("gw")
        answer = msgspec.json.decode((await door.enrol(pc, CODE))[1], type=EnrolAnswer)
        made.shown.write_bytes(answer.certificate.encode() + _pem(pc))
        yield made
        await door.runner.cleanup()
        door.office.store.close()


def _pem(pc: Pc) -> bytes:
    unencrypted = serialization.NoEncryption()
    return pc.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)


async def test_a_certificate_speaks_for_its_own_name_and_for_no_other(guarded: Guarded) -> None:
    async with guarded.session(guarded.shown) as session:
        assert await guarded.post(session, guarded.frame(1)) == (200, "")
        assert await guarded.post(session, guarded.frame(1, "site1/seat-01")) == (403, "foreign_source")
        assert await guarded.post(session, guarded.frame(1, "site1/seat-01"), SITE_TOKEN) == (403, "foreign_source")
    async with guarded.session(None) as session:
        assert await guarded.post(session, guarded.frame(2)) == (401, "unauthorised")
        assert await guarded.post(session, guarded.frame(1, "site1/seat-01"), SITE_TOKEN) == (200, "")
    assert [body.site for body in guarded.hub.bodies(Heartbeat, OPERATOR)] == ["site1", "site1"]


async def test_a_revoked_certificate_is_refused_at_the_next_frame_of_the_same_connection(guarded: Guarded) -> None:
    async with guarded.session(guarded.shown) as session:
        assert (await guarded.post(session, guarded.frame(1)))[0] == 200
        guarded.door.office.store.revoke(GATEWAY, "stolen", "root", guarded.door.office.now)
        assert await guarded.post(session, guarded.frame(2)) == (403, "identity_ended")
        assert await guarded.post(session, guarded.frame(2), SITE_TOKEN) == (403, "identity_ended")
    assert len(guarded.hub.bodies(Heartbeat, OPERATOR)) == 1


async def test_a_certificate_that_ended_on_a_kept_connection_and_one_of_the_hub_itself_are_refused(
    guarded: Guarded, tmp_path: Path
) -> None:
    now = guarded.door.office.now
    own: Pair = guarded.door.office.desk.authority.client("seatwatch-hub", Span(now - DAY, now + DAY))
    (tmp_path / "hub.pem").write_bytes(own.certificate + own.key)
    async with guarded.session(tmp_path / "hub.pem") as session:
        assert await guarded.post(session, guarded.frame(1)) == (403, "identity_ended")
    async with guarded.session(guarded.shown) as session:
        assert (await guarded.post(session, guarded.frame(1)))[0] == 200
        guarded.door.office.now += 31 * DAY
        assert await guarded.post(session, guarded.frame(2)) == (403, "identity_ended")


async def test_while_two_processes_speak_as_one_source_neither_is_taken(guarded: Guarded) -> None:
    guarded.is_doubled = True
    async with guarded.session(guarded.shown) as session:
        assert await guarded.post(session, guarded.frame(1)) == (403, "seen_twice")
    assert sum(door.refused[Reason.SEEN_TWICE] for door in guarded.hub.intake.stats.doors) == 1
    assert guarded.hub.records(OPERATOR) == []


async def test_the_probes_own_port_shows_its_certificate_and_is_acknowledged(guarded: Guarded, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(guarded.door.office.desk.authority.pem)
    tls = TlsConfig(str(authority), str(guarded.shown), str(guarded.shown))
    refused: list[bool] = []
    port = HttpPort(HubConfig(guarded.door.url, tls=tls), SETTINGS.uplink, SETTINGS.http, refused=refused.append)
    await port.connect()
    await port.publish("", guarded.frame(1))
    assert decode_ack(await anext(port.messages())).acknowledged_through == 1
    guarded.door.office.store.revoke(GATEWAY, "stolen", "root", guarded.door.office.now)
    with pytest.raises(ProbeUnavailable, match="HTTP 403"):
        await port.publish("", guarded.frame(2))
    assert refused == [False, True], "a seat that the hub has forgotten comes back by its token"
    await port.close()


async def test_a_gateway_is_told_and_put_on_record_from_where_the_socket_comes_whatever_its_headers_say(
    guarded: Guarded,
) -> None:
    async with guarded.session(guarded.shown) as session:
        assert await guarded.ask(session, {"source": GATEWAY, "line": "telecom"}) == (200, "127.0.0.1")
    seen = guarded.hub.bodies(LineWitnessed, OPERATOR)
    assert [(body.about_source, body.line, body.egress) for body in seen] == [(GATEWAY, "telecom", "127.0.0.1")]


async def test_nobody_speaks_of_the_lines_of_another(guarded: Guarded) -> None:
    async with guarded.session(guarded.shown) as session:
        another = {"source": "site1/seat-01", "line": "telecom"}
        assert await guarded.ask(session, another) == (403, "foreign_source")
        assert await guarded.ask(session, another, SITE_TOKEN) == (403, "foreign_source")
        nonsenses: list[object] = [
            {},
            [],
            {"source": GATEWAY},
            {"source": GATEWAY, "line": ""},
            {"source": 1, "line": 2},
        ]
        for nonsense in nonsenses:
            assert await guarded.ask(session, nonsense) == (422, "witness")
        guarded.door.office.store.revoke(GATEWAY, "stolen", "root", guarded.door.office.now)
        assert await guarded.ask(session, {"source": GATEWAY, "line": "telecom"}) == (403, "identity_ended")
    async with guarded.session(None) as session:
        assert await guarded.ask(session, {"source": GATEWAY, "line": "telecom"}) == (401, "unauthorised")
    assert guarded.hub.bodies(LineWitnessed, OPERATOR) == []


async def test_the_probe_itself_asks_over_a_line_with_its_certificate_from_the_address_of_that_line(
    guarded: Guarded, tmp_path: Path
) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(guarded.door.office.desk.authority.pem)
    shown = TlsConfig(str(authority), str(guarded.shown), str(guarded.shown))
    door = WitnessDoor(HubConfig(guarded.door.url, tls=shown), SETTINGS.http, GATEWAY)
    assert await door.ask("telecom", Bound("lo", "127.0.0.2")) == "127.0.0.2"
    assert await door.ask("unicom", Bound("lo", "127.0.0.3")) == "127.0.0.3"
    seen = guarded.hub.bodies(LineWitnessed, OPERATOR)
    assert [(body.line, body.egress) for body in seen] == [("telecom", "127.0.0.2"), ("unicom", "127.0.0.3")]
    guarded.door.office.store.revoke(GATEWAY, "stolen", "root", guarded.door.office.now)
    with pytest.raises(ProbeUnavailable, match="HTTP 403"):
        await door.ask("telecom", Bound("lo", "127.0.0.2"))
    with pytest.raises(ProbeUnavailable):
        await door.ask("telecom", Bound("lo", "203.0.113.9"))
