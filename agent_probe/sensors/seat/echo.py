"""Asks the LAN gateway whether it is there: by ICMP, or by a TCP handshake where the system forbids ICMP."""

import asyncio
from typing import Final

from agent_probe.errors import ProbeUnavailable
from agent_probe.sensors.uplink.echo import Bound, Echoes, Target

MS_PER_S: Final = 1000
US_PER_S: Final = 1_000_000
# Format: IANA, the port of DNS.
DNS: Final = 53
"""The port most gateways serve; a refusal is an answer as well."""


class GatewayEcho:
    """One echo at a time, over whichever way leads to the gateway."""

    def __init__(self) -> None:
        self._echoes = Echoes(Bound("", ""), self._answered)
        self._number = 0
        self._waiting: asyncio.Future[None] | None = None
        self._port: int | None = None
        self._was_answered = False

    async def rtt_us(self, address: str, answer_ms: int) -> int | None:
        """See agent_probe.sensors.seat.network.Echo."""
        loop = asyncio.get_running_loop()
        self._number += 1
        self._waiting = loop.create_future()
        began = loop.time()
        try:
            self._send(address)
            async with asyncio.timeout(answer_ms / MS_PER_S):
                await self._waiting
        except (OSError, ProbeUnavailable):
            return None
        finally:
            self._echoes.forget_before(self._number + 1)
        self._was_answered = True
        return int((loop.time() - began) * US_PER_S)

    def close(self) -> None:
        """Let go of the sockets."""
        self._echoes.close()

    def _send(self, address: str) -> None:
        try:
            self._echoes.send(self._number, Target(address, self._port))
        except (OSError, ProbeUnavailable):
            if self._was_answered or self._port is not None:
                raise
            self._port = DNS  # ICMP is not to be had here
            self._echoes.send(self._number, Target(address, self._port))

    def _answered(self, number: int) -> None:
        if number == self._number and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
