"""An MQTT 3.1.1 broker inside this process: amqtt, for the demo, for tests and for a probe on the same machine.

It listens on loopback only and lets anyone there in: who runs programs on this machine could read our files as well.
It must not be given retained messages: it replays those of every filter to every client (research: base.md 2).
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

LOOPBACK: Final = "127.0.0.1"
_LISTENER: Final = "default"
_PLUGINS: Final = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


class _Connections:
    """The listening side. amqtt leaves some of the sockets it opens itself unclosed, so it gets them from here."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it or the broker goes away."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER)
        except OSError:
            pass  # it went away in the middle of something
        finally:
            writer.transport.abort()

    async def end(self) -> None:
        """Drop whoever is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def embedded_broker(port: int = 0) -> AsyncIterator[int]:
    """Run the broker and give its port. port 0: any free one. Raises OSError when it cannot listen."""
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # it reports every client that goes away as an error
    broker = Broker(BrokerConfig(listeners={_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)}, plugins=_PLUGINS))
    connections = _Connections(broker)
    server = await asyncio.start_server(connections.accept, LOOPBACK, port)
    try:
        await broker.start()
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await broker.shutdown()
        await connections.end()
        await server.wait_closed()
