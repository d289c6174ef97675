"""A real Mosquitto as `roster apply` sets it up, and real clients with certificates of the hub's authority."""

import getpass
import ssl
import threading
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from cryptography.hazmat.primitives import serialization
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from collector.enrolment._core.broker import BrokerLimits, Listener
from collector.enrolment.authority import Authority, Pair, Span, new_serial, read_request
from collector.enrolment.broker import Broker, BrokerSettings
from collector.enrolment.store import EnrolmentStore, Issued
from seatwatch.clock import now_ms
from seatwatch.enrolment_section import DEBIAN_PLUGIN
from seatwatch.settings import load_defaults
from tests.collector.enrolment.machines import DAY, Pc
from tests.servers import Server, free_port, program
from tests.waiting import wait_until_blocking
from wire.identity import IdentityStep

ANSWER_S: Final = 5.0


def span() -> Span:
    return Span(now_ms() - DAY, now_ms() + DAY)


class EnrolledBroker:
    """The hub's side: an authority, its store, and the broker it configures."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.folder = directory / "broker"
        self.folder.mkdir()
        self.authority = Authority.create(directory / "authority", "hub", Span(now_ms() - DAY, now_ms() + 90 * DAY))
        self.store = EnrolmentStore(directory / "authority", lock_wait_s=1)
        self.log = directory / "denied.log"
        listener = Listener(
            address="127.0.0.1",
            port=free_port(),
            folder=str(self.folder),
            plugin=DEBIAN_PLUGIN,
            pid_file=str(directory / "mosquitto.pid"),
            log=str(self.log),
        )
        self.port = listener.port
        defaults = load_defaults()
        self.broker = Broker(
            self.authority,
            self.store,
            listener,
            ("127.0.0.1",),
            defaults.fill(BrokerSettings, "enrolment"),
            defaults.fill(BrokerLimits, "enrolment"),
        )
        self.server = mosquitto(directory, self.folder, self.port)

    def enrol(self, identity: str) -> Pair:
        """A machine with a certificate of `identity`, as the desk would have handed it out."""
        pc, serial = Pc("pc"), new_serial()
        pem = self.authority.sign(read_request(pc.request()), identity, serial, span())
        issued = Issued(f"{serial:x}", identity, f"{serial:x}", "m", "pc", "", now_ms(), span().not_after)
        self.store.issue(issued, IdentityStep.ENROLLED, replaces=True)
        key = pc.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Pair(key, pem)

    def part(self, name: str) -> Pair:
        """A key and certificate of a part of the hub."""
        return self.authority.client(name, span())


def mosquitto(directory: Path, folder: Path, port: int) -> Server:
    """A Mosquitto whose own file includes what was written for it, as Debian's does."""
    own = directory / "mosquitto.conf"
    lines = [f"user {getpass.getuser()}", f"pid_file {directory / 'mosquitto.pid'}", f"include_dir {folder}"]
    own.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Server([program("mosquitto"), "-c", str(own)], port=port, directory=directory, ready=listens)


def listens(port: int) -> bool:
    try:
        ssl.get_server_certificate(("127.0.0.1", port), timeout=1)
    except ssl.SSLError:
        return True  # it wants a certificate of ours: it is there
    except OSError:
        return False
    return True


class Visitor:
    """One MQTT 5 client. Every question is answered with the reason code's name, or "closed"."""

    def __init__(
        self, directory: Path, authority: Authority, port: int, pair: Pair, name: str = "", *, will: str = ""
    ) -> None:
        shown = directory / f"visitor-{id(self)}.pem"
        shown.write_bytes(pair.certificate + pair.key)
        context = ssl.create_default_context(cadata=authority.pem.decode())
        context.load_cert_chain(shown)
        self.received: list[tuple[str, bytes]] = []
        self.ended: list[str] = []
        self._answers: dict[Any, str] = {}
        self._came = threading.Condition()
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        client.tls_set_context(context)
        client.on_connect = lambda _c, _u, _f, code, _p: self._note("connect", str(code))
        client.on_disconnect = lambda _c, _u, _f, code, _p: self._closed(str(code))
        client.on_publish = lambda _c, _u, mid, code, _p: self._note(("pub", mid), str(code))
        client.on_subscribe = lambda _c, _u, mid, codes, _p: self._note(("sub", mid), str(codes[0]))
        client.on_message = lambda _c, _u, message: self.received.append((message.topic, bytes(message.payload)))
        if will:
            client.will_set(will, f"will of {will}".encode(), qos=1)
        self._port = port

    def connect(self) -> str:
        """How the broker greets; "closed" where TLS already ends it."""
        try:
            self._client.connect("127.0.0.1", self._port)
        except OSError:
            return "closed"
        self._client.loop_start()
        return self._answer("connect")

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> str:
        return self._answer(("pub", self._client.publish(topic, payload, qos=1, retain=retain).mid))

    def subscribe(self, topic: str) -> str:
        return self._answer(("sub", self._client.subscribe(topic, qos=1)[1]))

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def die(self) -> None:
        """End without a word to the broker, which then speaks the will."""
        connection = self._client.socket()
        assert connection is not None
        connection.close()
        self._client.loop_stop()

    def _note(self, question: Any, said: str) -> None:
        with self._came:
            self._answers[question] = said
            self._came.notify_all()

    def _closed(self, why: str) -> None:
        with self._came:
            self.ended.append(why)
            self._came.notify_all()

    def _answer(self, question: Any) -> str:
        with self._came:
            assert self._came.wait_for(lambda: question in self._answers or self.ended, ANSWER_S), question
            return self._answers.get(question, "closed")


def wait_for_end(visitor: Visitor, timeout_s: float) -> str:
    wait_until_blocking(lambda: visitor.ended, timeout_s, what="the session to be ended")
    return visitor.ended[0]
