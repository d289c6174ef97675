"""MQTT behind four methods, so that HTTPS, tests and the simulated floor can stand in for a broker."""

from collections.abc import AsyncIterator
from typing import Protocol


class MqttPort(Protocol):
    """One connection at a time to a broker."""

    async def connect(self) -> None:
        """Connect and subscribe to the ack topic. Raises ProbeUnavailable."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message to the broker. Raises ProbeUnavailable when the connection is of no further use."""

    def messages(self) -> AsyncIterator[bytes]:
        """Payloads from the ack topic, until the connection ends: then raises ProbeUnavailable."""

    async def close(self) -> None:
        """Let go; never raises."""
