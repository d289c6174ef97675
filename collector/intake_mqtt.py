"""The MQTT door: frames of probes in, acknowledgements back on each probe's own topic, only after the commit.

Nothing here depends on what a broker promises: no retained messages, no sessions, no wills, QoS 0 both
ways. A frame lost on the way, discarded because our queue is full or refused as Busy is simply not acknowledged: its
probe has it and sends it again.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, cast

import aiomqtt
import msgspec
import structlog

from collector.cancellation import end_if_cancelled
from collector.errors import Busy, ForeignSource, IntakeStopped
from collector.intake import Intake
from collector.sources import Principal, Sources
from collector.stats import DoorStats
from wire.codec import decode_frame, encode_ack
from wire.errors import DecodeError, Reason
from wire.frame import Frame, Lane
from wire.topics import BROKER_LOG, SNAPSHOT_FILTER, UPLINK_FILTER, ack_topic, parse_topic

PROTOCOLS: Final = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
log = structlog.get_logger()
_QUIET: Final = logging.getLogger("collector.mqtt_client")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is, and thresholds of this door from `[collector]` in defaults.toml.

    queued_messages_max: received and not looked at yet; more are discarded and counted. in_flight_max: being stored.
    reconnect_first_ms, reconnect_longest_ms: the pause before trying again, doubling from one to the other.
    """

    host: str
    port: int
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password: str | None = None
    keepalive_ms: int
    connect_timeout_ms: int
    queued_messages_max: int
    in_flight_max: int
    reconnect_first_ms: int
    reconnect_longest_ms: int


class _BoundedQueue(asyncio.Queue[aiomqtt.Message]):
    """Says so when a message has to be discarded."""

    def __init__(self, on_discard: Callable[[], None], maxsize: int) -> None:
        super().__init__(maxsize=maxsize)
        self._on_discard = on_discard

    def put_nowait(self, item: aiomqtt.Message) -> None:
        try:
            super().put_nowait(item)
        except asyncio.QueueFull:
            self._on_discard()
            raise


class MqttDoor:
    """One connection to one broker. Its stats count what never reached the intake."""

    def __init__(
        self,
        intake: Intake,
        sources: Sources,
        settings: MqttSettings,
        *,
        tls: ssl.SSLContext | None = None,
        accepts: Callable[[Frame], bool] | None = None,
        may_pass: Callable[[str], bool] | None = None,
    ) -> None:
        """accepts: whether to take a frame of a source that is who it says, None = always.

        may_pass: whether to look at one more message on the topics of a source that is known, None = always.
        """
        self.stats = DoorStats()
        self.connected = asyncio.Event()
        self._intake = intake
        intake.stats.doors.append(self.stats)
        self._sources = sources
        self._settings = settings
        self._tls = tls
        self._accepts = accepts
        self._may_pass = may_pass
        self._told: set[tuple[str, Reason]] = set()

    async def run(self) -> None:
        """Serve until cancelled, connecting again whenever the connection is lost."""
        pause_ms = self._settings.reconnect_first_ms
        broker = f"{self._settings.host}:{self._settings.port}"
        said = ""
        while True:
            end_if_cancelled()
            try:
                async with self._client() as client:
                    pause_ms, said = self._settings.reconnect_first_ms, ""
                    log.info("mqtt.connected", broker=broker)
                    await self._serve(client)
            except* aiomqtt.MqttError as errors:
                problem = str(errors.exceptions[0])
                if problem != said:  # a broker that stays away is said once, not at every try
                    log.warning("mqtt.disconnected", broker=broker, problem=problem)
                said = problem
            finally:
                self.connected.clear()
            await asyncio.sleep(pause_ms / 1000)
            pause_ms = min(2 * pause_ms, self._settings.reconnect_longest_ms)

    def _client(self) -> aiomqtt.Client:
        settings = self._settings
        queue = partial(_BoundedQueue, self._discarded)
        return aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            protocol=PROTOCOLS[settings.protocol],
            clean_session=True if settings.protocol == "3.1.1" else None,
            timeout=settings.connect_timeout_ms / 1000,
            keepalive=settings.keepalive_ms // 1000,
            tls_context=self._tls,
            logger=_QUIET,
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: queue(maxsize=maxsize)),
            max_queued_incoming_messages=settings.queued_messages_max,
        )

    def _discarded(self) -> None:
        self.stats.discarded += 1

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Hand every message on, several at a time so that they share commits. Raises MqttError when disconnected."""
        log_of_broker = [BROKER_LOG] if self._settings.protocol == "5" else []
        for topics in (UPLINK_FILTER, SNAPSHOT_FILTER, *log_of_broker):
            await client.subscribe(topics, qos=0)
            end_if_cancelled()
        self.stats.connects += 1
        self.connected.set()
        places = asyncio.Semaphore(self._settings.in_flight_max)
        async with asyncio.TaskGroup() as frames:
            async for message in client.messages:
                await places.acquire()
                task = frames.create_task(self._take(client, message), name="mqtt.frame")
                task.add_done_callback(lambda _: places.release())

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        """Store one message and acknowledge it. Whatever it holds, only its own sender is affected."""
        payload = bytes(message.payload)
        if str(message.topic) == BROKER_LOG:
            await self._intake.connections.logged(payload.decode(errors="replace"))
            return
        self.stats.frames += 1
        self.stats.bytes += len(payload)
        if self._is_flooding(str(message.topic)):
            self.stats.too_often += 1
            return
        try:
            frame = self._frame(message, payload)
            ack = await self._intake.submit(frame, Principal(frozenset({frame.source})))
        except DecodeError as error:
            self.stats.refused[error.reason] += 1
            self._tell(str(message.topic), error)
            return
        except ForeignSource:
            self.stats.refused[Reason.FOREIGN_SOURCE] += 1
            return
        except (Busy, IntakeStopped):
            return  # not acknowledged: it comes again
        try:
            await client.publish(ack_topic(frame.source), encode_ack(ack), qos=0)
        except aiomqtt.MqttError:
            return  # a lost acknowledgement costs one resend
        self.stats.acknowledged += 1

    def _is_flooding(self, topic: str) -> bool:
        named = parse_topic(topic)
        is_known = named is not None and self._sources.get(named.source) is not None
        return self._may_pass is not None and named is not None and is_known and not self._may_pass(named.source)

    def _tell(self, topic: str, error: DecodeError) -> None:
        """Name a source whose frames are refused: it is told nothing here, and sends them again for ever."""
        named = parse_topic(topic)
        if named is None or self._sources.get(named.source) is None or (named.source, error.reason) in self._told:
            return
        self._told.add((named.source, error.reason))
        log.warning("mqtt.refused", source=named.source, reason=error.reason.value, problem=error.detail)

    def _frame(self, message: aiomqtt.Message, payload: bytes) -> Frame:
        """The frame in a message, if topic and frame name the same source and lane. DecodeError otherwise.

        The topic is what the broker's access rules bind to a credential; the payload is only what the sender claims.
        What the broker kept says nothing of now: whoever sent it may be gone, or revoked.
        """
        if message.retain:
            raise DecodeError(Reason.NOT_A_FRAME, "a retained message; no probe sends one")
        frame = decode_frame(payload)
        named = parse_topic(str(message.topic))
        if named is None or named.source != frame.source:
            raise DecodeError(Reason.FOREIGN_SOURCE, "topic and frame name different sources")
        if (named.lane == "now") != (frame.lane is Lane.SNAPSHOT):
            raise DecodeError(Reason.NOT_A_FRAME, "the topic is another lane's")
        is_known = self._sources.get(frame.source) is not None  # the intake refuses all others
        if is_known and self._accepts is not None and not self._accepts(frame):
            raise DecodeError(Reason.SEEN_TWICE, "two processes speak as one source")
        return frame
