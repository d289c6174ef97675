"""The MQTT client behind the four methods: the one module that loads it, a megabyte that HTTPS alone spares."""

import socket
from collections.abc import AsyncIterator, Callable
from typing import Final

from agent_probe.config import BrokerConfig, UplinkSettings
from agent_probe.errors import ProbeUnavailable
from agent_probe.on_first_use import loaded_on_first_use
from agent_probe.secret import read_secret

# paho asks it for a proxy where PySocks is installed; with it come http.client and email, a megabyte and a half
with loaded_on_first_use("urllib.request"):
    import aiomqtt

MS_PER_S: Final = 1000
PROTOCOLS: Final = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
AT_LEAST_ONCE: Final = 1


class AiomqttPort:
    """See agent_probe.mqtt.MqttPort. A new client for each connection: nothing of a broken one is carried over.

    bind_address: asked at each connection for the address to come from; "" leaves it to the system.
    """

    def __init__(
        self,
        broker: BrokerConfig,
        settings: UplinkSettings,
        *,
        client_id: str,
        ack_topic: str,
        bind_address: Callable[[], str],
    ) -> None:
        self._broker = broker
        self._settings = settings
        self._client_id = client_id
        self._ack_topic = ack_topic
        self._bind_address = bind_address
        self._client: aiomqtt.Client | None = None

    async def connect(self) -> None:
        """As the port says. QoS 1 only paces us; what is durable is for the collector to say."""
        try:
            client = self._new_client()
            await client.__aenter__()
            self._client = client
            await client.subscribe(self._ack_topic, qos=AT_LEAST_ONCE)
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise ProbeUnavailable("broker", str(error) or type(error).__name__) from None

    async def publish(self, topic: str, payload: bytes) -> None:
        """As the port says."""
        try:
            await self._connected().publish(
                topic, payload, qos=AT_LEAST_ONCE, timeout=self._settings.publish_ms / MS_PER_S
            )
        except aiomqtt.MqttError as error:
            raise ProbeUnavailable("broker", str(error)) from None

    async def messages(self) -> AsyncIterator[bytes]:
        """As the port says."""
        try:
            async for message in self._connected().messages:
                if isinstance(message.payload, bytes | bytearray):
                    yield bytes(message.payload)
        except aiomqtt.MqttError as error:
            raise ProbeUnavailable("broker", str(error)) from None

    async def close(self) -> None:
        """As the port says."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, OSError):
            return

    def _connected(self) -> aiomqtt.Client:
        if self._client is None:
            raise ProbeUnavailable("broker", "not connected")
        return self._client

    def _new_client(self) -> aiomqtt.Client:
        broker, settings = self._broker, self._settings
        version = PROTOCOLS[broker.protocol]
        tls = broker.tls
        return aiomqtt.Client(
            broker.host,
            broker.port,
            identifier=self._client_id,
            protocol=version,
            clean_session=None if version is aiomqtt.ProtocolVersion.V5 else True,
            username=broker.username or None,
            password=read_secret(broker.password_file) if broker.password_file else None,
            bind_address=self._bind_address(),
            timeout=settings.connect_ms / MS_PER_S,
            keepalive=settings.keepalive_ms // MS_PER_S,
            max_queued_incoming_messages=settings.acks_queued,
            max_inflight_messages=settings.in_flight,
            max_queued_outgoing_messages=settings.in_flight,
            socket_options=_socket_options(settings.unacknowledged_ms),
            tls_params=None
            if tls is None
            else aiomqtt.TLSParameters(tls.ca_file or None, tls.cert_file or None, tls.key_file or None),
        )


def _socket_options(unacknowledged_ms: int) -> list[tuple[int, int, int]]:
    """Small frames leave at once, and a path that swallows them is noticed before the keep alive notices.

    Both where the system knows them.
    """
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if (user_timeout := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
        options.append((socket.IPPROTO_TCP, user_timeout, unacknowledged_ms))
    return options
