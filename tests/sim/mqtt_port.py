"""Both ends of the broker: the probe's four-method port, and what the collector's door uses of an aiomqtt client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import aiomqtt

from agent_probe.errors import ProbeUnavailable
from collector.intake_mqtt import MqttDoor
from tests.sim.broker import Broker, Session
from tests.sim.loop import pause

if TYPE_CHECKING:
    from tests.sim.node import Node

PUBACK_S: Final = 0.002
RECEIVED_MAX: Final = 100
_LOST: Final = None


class Connection:
    """One connection of one process, closed by the broker's death or the process's own."""

    def __init__(self, node: "Node", broker: Broker, queued_max: int, on_discard: Callable[[], None]) -> None:
        self._node = node
        self._broker = broker
        self._on_discard = on_discard
        # one place is kept for the news that the connection is lost
        self.received: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue(maxsize=queued_max + 1)
        self._queued_max = queued_max
        self.session: Session | None = None

    def open(self) -> bool:
        """Whether the broker took it."""
        self.session = self._broker.connect(self._node.name, lambda *message: self._node.enter(self._arrived, message))
        if self.session is None:
            return False
        self.session.on_lost = lambda: self._node.enter(self._lost)
        return True

    def subscribe(self, topic_filter: str) -> None:
        """Ask for messages."""
        if self.session is not None:
            self._broker.subscribe(self.session, topic_filter)

    def publish(self, topic: str, payload: bytes) -> bool:
        """Whether there was a connection to put it on; nothing else is promised."""
        if self.session is None or not self.session.alive:
            return False
        self._broker.publish(self.session, topic, payload)
        return True

    def close(self) -> None:
        """Let go."""
        if self.session is not None:
            self._broker.disconnect(self.session)
            self.session = None

    def _arrived(self, message: tuple[str, bytes]) -> None:
        if self.received.qsize() >= self._queued_max:
            self._on_discard()
            return
        self.received.put_nowait(message)

    def _lost(self) -> None:
        if not self.received.full():
            self.received.put_nowait(_LOST)


class SimPort:
    """agent_probe.mqtt.MqttPort. outgoing: what becomes of each payload on its way out."""

    def __init__(self, node: "Node", broker: Broker, ack_topic: str, outgoing: Callable[[bytes], bytes]) -> None:
        self._node = node
        self._broker = broker
        self._ack_topic = ack_topic
        self._outgoing = outgoing
        self.connection: Connection | None = None

    async def connect(self) -> None:
        connection = Connection(self._node, self._broker, RECEIVED_MAX, lambda: None)
        await pause(PUBACK_S)
        if not connection.open():
            raise ProbeUnavailable("broker", "refused")
        connection.subscribe(self._ack_topic)
        self.connection = connection

    async def publish(self, topic: str, payload: bytes) -> None:
        connection = self.connection
        if connection is None or not connection.publish(topic, self._outgoing(payload)):
            raise ProbeUnavailable("broker", "not connected")
        await pause(PUBACK_S)

    async def messages(self) -> AsyncIterator[bytes]:
        connection = self.connection
        while connection is not None:
            message = await connection.received.get()
            if message is _LOST:
                raise ProbeUnavailable("broker", "connection lost")
            yield message[1]

    async def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Message(NamedTuple):
    """What the door reads of an aiomqtt.Message."""

    topic: str
    payload: bytes
    retain: bool = False


class SimClient:
    """What the door uses of an aiomqtt.Client. sent: told of each publish, before it goes out and after."""

    def __init__(self, connection: Connection, sending: Callable[[str, bytes], None], sent: Callable[[], None]) -> None:
        self._connection = connection
        self._sending = sending
        self._sent = sent

    async def __aenter__(self) -> Self:
        await pause(PUBACK_S)
        if not self._connection.open():
            raise aiomqtt.MqttError("refused")
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._connection.close()

    async def subscribe(self, topic_filter: str, **_options: Any) -> None:
        self._connection.subscribe(topic_filter)

    @property
    async def messages(self) -> AsyncIterator[Message]:
        while True:
            message = await self._connection.received.get()
            if message is _LOST:
                raise aiomqtt.MqttError("connection lost")
            yield Message(*message)

    async def publish(self, topic: str, payload: bytes, **_options: Any) -> None:
        self._sending(topic, payload)
        if not self._connection.publish(topic, payload):
            raise aiomqtt.MqttError("not connected")
        self._sent()


class SimDoor(MqttDoor):
    """The real door, its client connected to the simulated broker."""

    make_client: Callable[[], SimClient]

    def _client(self) -> Any:
        return self.make_client()
