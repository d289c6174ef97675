"""MQTT where it gets through, else HTTPS, and back to MQTT as soon as it does again: one port made of two."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final

from agent_probe.config import HttpSettings, ProbeConfig, ProbeSettings, Transport
from agent_probe.errors import ProbeUnavailable
from agent_probe.lines import Lines
from agent_probe.mqtt import MqttPort
from wire.topics import ack_topic

MS_PER_S: Final = 1000
log = logging.getLogger(__name__)


def port_for(
    config: ProbeConfig,
    settings: ProbeSettings,
    now_ms: Callable[[], int],
    lines: Lines,
    refused: Callable[[bool], None] = lambda _: None,
) -> MqttPort:
    """The port that `config` asks for, over the best of `lines`. `auto` without a hub's address is MQTT alone.

    refused: told whether broker or hub takes us for nobody it knows.
    """
    hub = config.hub
    if hub is None or config.transport is Transport.MQTT:
        return _mqtt(config, settings, lines, refused)
    from agent_probe.http_port import HttpPort  # noqa: PLC0415 - only loaded where a hub is named

    https = HttpPort(
        hub,
        settings.uplink,
        settings.http,
        bind_address=lambda: lines.take_best() or hub.bind_address,
        refused=refused,
    )
    if config.transport is Transport.HTTPS:
        return https
    mqtt = _mqtt(config, settings, lines, refused)
    return AutoPort(mqtt, https, settings.http, now_ms=now_ms)


def _mqtt(config: ProbeConfig, settings: ProbeSettings, lines: Lines, refused: Callable[[bool], None]) -> MqttPort:
    from agent_probe.aiomqtt_port import AiomqttPort  # noqa: PLC0415 - its client is not loaded for HTTPS alone

    return AiomqttPort(
        config.broker,
        settings.uplink,
        client_id=config.source,
        ack_topic=ack_topic(config.source),
        bind_address=lambda: lines.take_best() or config.broker.bind_address,
        refused=refused,
    )


class AutoPort:
    """See agent_probe.mqtt.MqttPort. `now_ms` is the probe's monotonic clock.

    MQTT gets through when something comes back. There are firewalls that let the greeting pass and swallow or cut what
    follows: after `mqtt_unheard` such connections in a row HTTPS is taken, and MQTT left alone for `mqtt_unheard_ms`.
    """

    def __init__(self, mqtt: MqttPort, https: MqttPort, settings: HttpSettings, *, now_ms: Callable[[], int]) -> None:
        self._mqtt = mqtt
        self._https = https
        self._settings = settings
        self._now_ms = now_ms
        self._chosen = mqtt
        self._mqtt_again_at = 0
        self._has_spoken = self._was_heard = False
        self._unheard = 0

    async def connect(self) -> None:
        """As the port says: MQTT if it can be had, else HTTPS; HTTPS first while MQTT is known not to get through."""
        is_mqtt_first = self._now_ms() >= self._mqtt_again_at
        first, second = (self._mqtt, self._https) if is_mqtt_first else (self._https, self._mqtt)
        problems = []
        for port in (first, second):
            self._chosen = port
            try:
                await port.connect()
            except ProbeUnavailable as error:
                problems.append(error)
                await port.close()
                if port is self._mqtt:
                    self._leave_mqtt_alone_for(self._settings.mqtt_retry_ms)
                continue
            if port is self._https:
                log.info("uplink.over_https", extra={"mqtt": problems[0].detail if problems else "not tried again yet"})
            return
        raise ProbeUnavailable("broker", "; ".join(problem.detail for problem in problems), problems[-1].retry_ms)

    async def publish(self, topic: str, payload: bytes) -> None:
        """As the port says."""
        self._has_spoken = self._chosen is self._mqtt
        await self._chosen.publish(topic, payload)

    async def messages(self) -> AsyncIterator[bytes]:
        """As the port says. Over HTTPS, MQTT is tried now and then beside it; what is sent does not wait for that."""
        if self._chosen is self._mqtt:
            async for payload in self._mqtt.messages():
                self._was_heard, self._unheard = True, 0
                yield payload
            return
        acks = self._https.messages()
        while True:
            try:
                async with asyncio.timeout(max(0, self._mqtt_again_at - self._now_ms()) / MS_PER_S):
                    payload = await anext(acks)
            except TimeoutError:
                await self._give_up_for_mqtt()
                acks = self._https.messages()
                continue
            yield payload

    async def close(self) -> None:
        """As the port says."""
        if self._has_spoken and not self._was_heard:
            self._unheard += 1
            if self._unheard >= self._settings.mqtt_unheard:
                self._leave_mqtt_alone_for(self._settings.mqtt_unheard_ms)
        self._has_spoken = self._was_heard = False
        await self._chosen.close()

    def _leave_mqtt_alone_for(self, time_ms: int) -> None:
        self._mqtt_again_at = max(self._mqtt_again_at, self._now_ms() + time_ms)

    async def _give_up_for_mqtt(self) -> None:
        """Raise ProbeUnavailable if MQTT gets through, so that the uplink connects again, and to it."""
        try:
            await self._mqtt.connect()
        except ProbeUnavailable:
            self._leave_mqtt_alone_for(self._settings.mqtt_retry_ms)
            return
        finally:
            await self._mqtt.close()
        raise ProbeUnavailable("hub", "MQTT gets through again", 0)
