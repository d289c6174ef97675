"""Redis between the collector and an engine on another machine: a model of the server, and the client both use.

The server keeps everything in memory. It is killed and comes back empty or as it once was, is flushed, and trims. A
connection loses a request, or its answer after the request was carried out; it repeats and reorders nothing.
"""

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import ResponseError

from tests.sim.loop import SimLoop
from tests.sim.marks import Marks
from tests.sim.network import WIRE, Network
from wire.stream import BEFORE_FIELD, CHUNK_FIELD, StreamEntry, decode_chunk

if TYPE_CHECKING:
    from tests.sim.node import Node

REDIS: Final = "redis"
ANSWER_S: Final = 1.5
"""How long a client waits for an answer that is not a blocking read's."""
Fields = dict[bytes, bytes]


class Stream:
    """One stream: what it holds, oldest first, and the id it was last given."""

    def __init__(self) -> None:
        self.chunks: list[tuple[int, Fields]] = []
        self.last = 0

    def entries(self) -> list[StreamEntry]:
        """Everything in it."""
        return [entry for _, fields in self.chunks for entry in decode_chunk(fields[CHUNK_FIELD])]


class RedisServer:
    """Commands as the feeder and the follower use them, each carried out at once."""

    def __init__(self, rng: Random, loop: SimLoop, network: Network, marks: Marks) -> None:
        self.rng = rng
        self.loop = loop
        self.network = network
        self.up = True
        self.streams: dict[str, Stream] = {}
        self.conditional = True
        self.on_break: Callable[[str], None] = lambda _what: None
        self._hashes: dict[str, Fields] = {}
        self._saved: tuple[dict[str, Stream], dict[str, Fields]] = ({}, {})
        self._waiting: list[Callable[[], bool]] = []
        self._marks = marks

    # what happens to it

    def save(self) -> None:
        """Its file on disk as of now; what comes after is lost by a kill."""
        self._saved = copy.deepcopy((self.streams, self._hashes))

    def kill(self) -> None:
        """kill -9. Every connection breaks."""
        self._marks.hit("redis.killed")
        self.up = False
        self._waiting.clear()

    def stay_away(self, seconds: float) -> None:
        """Stopped in good order for that long: it comes back as it was."""
        if self.up:
            self.save()
            self.kill()
            self.loop.call_later(seconds, self.restart, context=WIRE)

    def restart(self) -> None:
        """Back with its last save, unless it is back already."""
        if self.up:
            return
        self.up = True
        self.streams, self._hashes = copy.deepcopy(self._saved)

    def flush(self) -> None:
        """FLUSHALL."""
        self._marks.hit("redis.flushed")
        self.streams, self._hashes = {}, {}

    # commands

    def append(self, name: str, believed: str, new: str, fields: Fields, keep: int) -> bytes:
        """The feeder's script: append if the stream ends with `believed`; answers the id it ends with."""
        stream = self.streams.get(name, Stream())
        if self.conditional and f"{stream.last}-0" != believed:
            self._marks.hit("redis.append_refused")
            return f"{stream.last}-0".encode()
        number = int(new.partition("-")[0])
        if self.conditional and number <= stream.last:
            raise ResponseError("The ID specified in XADD is equal or smaller than the target stream top item")
        self.streams[name] = stream
        if stream.chunks and decode_chunk(stream.chunks[-1][1][CHUNK_FIELD])[-1].leaf != fields[BEFORE_FIELD]:
            self.on_break(f"{name}: what was appended at {number} does not follow what is there")
        stream.chunks.append((number, fields))
        stream.last = number
        if len(stream.chunks) > keep and self.rng.random() < 0.5:
            del stream.chunks[:-keep]
            self._marks.hit("redis.trimmed")
        self._waiting = [still for still in self._waiting if not still()]
        return new.encode()

    def info(self, name: str) -> dict[str, bytes]:
        """XINFO STREAM."""
        if name not in self.streams:
            raise ResponseError("no such key")
        return {"last-generated-id": f"{self.streams[name].last}-0".encode()}

    def after(self, name: str, number: int, count: int) -> list[tuple[bytes, Fields]]:
        """XREAD without waiting."""
        found = [chunk for chunk in self.streams.get(name, Stream()).chunks if chunk[0] > number]
        return [(f"{place}-0".encode(), fields) for place, fields in found[:count]]

    def newest(self, name: str) -> list[tuple[bytes, Fields]]:
        """XREVRANGE COUNT 1."""
        return [(f"{place}-0".encode(), fields) for place, fields in self.streams.get(name, Stream()).chunks[-1:]]

    def hash(self, name: str) -> Fields:
        """HGETALL, and where HSET writes."""
        return self._hashes.setdefault(name, {})

    def delete(self, name: str) -> None:
        """DEL of a stream."""
        self.streams.pop(name, None)

    def wait(self, name: str, number: int, ready: Callable[[], bool]) -> None:
        """Call `ready` when there is something after `number`, until it says True."""
        self._waiting.append(lambda: bool(self.after(name, number, 1)) and ready())


class SimRedis:
    """redis.asyncio.Redis, as far as feeder and follower use it, on one connection of one process."""

    def __init__(self, node: "Node", server: RedisServer) -> None:
        self._node = node
        self._server = server

    def register_script(self, _script: str) -> Callable[..., Awaitable[Any]]:
        """The one script there is."""

        async def run(keys: Sequence[str], args: Sequence[Any]) -> Any:
            believed, new, field, keep, chunk, before_field, before, client, announced = args
            stream, ledgers = keys
            fields = {field: chunk, before_field: before}

            def append() -> Any:
                ends_with = self._server.append(stream, believed, new, fields, keep)
                if ends_with == new:
                    self._server.hash(ledgers)[client.encode()] = announced
                return ends_with

            return await self._ask(append)

        return run

    async def hset(self, name: str, field: str, value: bytes) -> None:
        await self._ask(lambda: self._server.hash(name).update({field.encode(): value}))

    async def hgetall(self, name: str) -> Fields:
        return dict(await self._ask(lambda: self._server.hash(name)))

    async def delete(self, name: str) -> None:
        await self._ask(lambda: self._server.delete(name))

    async def xinfo_stream(self, name: str) -> Any:
        return await self._ask(lambda: self._server.info(name))

    async def xrevrange(self, name: str, count: int) -> Any:
        return (await self._ask(lambda: self._server.newest(name)))[:count]

    async def xread(self, streams: Mapping[str, str], count: int, block: int) -> Any:
        ((name, after),) = streams.items()
        number = int(after.partition("-")[0])
        found = await self._ask(lambda: self._server.after(name, number, count), wait=(name, number, block / 1000))
        return [[name.encode(), found]] if found else []

    async def _ask(self, command: Callable[[], Any], *, wait: tuple[str, int, float] | None = None) -> Any:
        """Have `command` carried out and its result brought here. RedisGone when connection or server fail."""
        server, network, name = self._server, self._server.network, self._node.name
        answered = server.loop.create_future()
        asked = done = False

        def deliver(result: Any, error: Exception | None) -> None:
            if answered.done():
                return
            if error is not None:
                answered.set_exception(error)
            else:
                answered.set_result(result)

        def answer(result: Any, error: Exception | None = None) -> bool:
            nonlocal done
            if not done:
                done = True
                network.send(REDIS, name, lambda: self._node.enter(deliver, result, error))
            return True

        def arrive() -> None:
            nonlocal asked
            if asked:  # a connection repeats nothing
                return
            asked = True
            if not server.up:
                answer(None, RedisGone("refused"))
                return
            try:
                result = command()
            except ResponseError as error:
                answer(None, error)
                return
            if wait is None or result:
                answer(result)
                return
            server.wait(wait[0], wait[1], lambda: done or answer(command()))
            server.loop.call_later(wait[2], answer, [], context=WIRE)

        network.send(name, REDIS, arrive)
        patience = server.loop.call_later(
            ANSWER_S + (0.0 if wait is None else wait[2]), deliver, None, RedisGone("no answer")
        )
        try:
            return await answered
        finally:
            patience.cancel()
