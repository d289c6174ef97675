"""The MQTT client behind the four methods: the one module that loads it, a megabyte that HTTPS alone spares."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

from agent_probe.config import BrokerConfig, UplinkSettings
from agent_probe.errors import ProbeUnavailable
from agent_probe.on_first_use import loaded_on_first_use
from agent_probe.secret import read_secret

# paho asks it for a proxy where PySocks is installed; with it come http.client and email, a megabyte and a half
with loaded_on_first_use({"urllib.request": {}}):
    import aiomqtt

MS_PER_S: Final = 1000
PROTOCOLS: Final = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
AT_LEAST_ONCE: Final = 1
# Format: MQTT 5.0, section 2.4, and 3.1.1, section 3.9.3.
REFUSED: Final = 0x80
"""Reason codes from here on are refusals."""
CLIENT_LOG: Final = logging.getLogger(f"{__name__}.client")
CLIENT_LOG.setLevel(logging.ERROR)  # it warns when one that never connected is let go of; that it did not we say


class AiomqttPort:
    """See agent_probe.mqtt.MqttPort. A new client for each connection: nothing of a broken one is carried over.

    bind_address: asked at each connection for the address to come from; "" leaves it to the system. refused: told at
    each connection whether the broker takes us for nobody it knows.
    """

    def __init__(
        self,
        broker: BrokerConfig,
        settings: UplinkSettings,
        *,
        client_id: str,
        ack_topic: str,
        bind_address: Callable[[], str],
        refused: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._broker = broker
        self._settings = settings
        self._client_id = client_id
        self._ack_topic = ack_topic
        self._bind_address = bind_address
        self._refused = refused
        self._client: aiomqtt.Client | None = None

    async def connect(self) -> None:
        """As the port says. QoS 1 only paces us; what is durable is for the collector to say."""
        address = self._bind_address()
        try:
            if address:
                await self._reach(address)
            self._client = client = self._new_client(address)
            await client.__aenter__()
            codes = await client.subscribe(self._ack_topic, qos=AT_LEAST_ONCE)
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise ProbeUnavailable("broker", str(error) or type(error).__name__) from None
        refusals = [code for code in codes if (code if isinstance(code, int) else code.value) >= REFUSED]
        self._refused(bool(refusals))
        # who may not hear acknowledgements may not speak either: each message would vanish, politely taken
        if refusals:
            raise ProbeUnavailable("broker", f"this identity may not read {self._ack_topic}: {refusals[0]}")

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
        with suppress(aiomqtt.MqttError, OSError):
            # It says goodbye and closes its socket at once, where it can; nothing that it waits for then comes over a
            # dead line, or to a client that never was connected.
            async with asyncio.timeout(0):
                await client.__aexit__(None, None, None)

    async def _reach(self, address: str) -> None:
        """Reach the broker's port over the line of that address, and let go of it. Raises OSError.

        The client connects in a thread that nobody can stop: over a dead line it would end long after another line was
        taken, as a second session of the same name, for which the broker gives up the first.
        """
        async with asyncio.timeout(self._settings.connect_ms / MS_PER_S):
            _, writer = await asyncio.open_connection(self._broker.host, self._broker.port, local_addr=(address, 0))
        writer.transport.abort()

    def _connected(self) -> aiomqtt.Client:
        if self._client is None:
            raise ProbeUnavailable("broker", "not connected")
        return self._client

    def _new_client(self, address: str) -> aiomqtt.Client:
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
            bind_address=address,
            logger=CLIENT_LOG,
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
