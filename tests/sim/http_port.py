"""POST /v1/events in the simulated world: the real door answers, the request and the answer travel as values."""

from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import msgspec
from multidict import CIMultiDict

from collector.intake_http import MSGPACK, HttpDoor
from tests.sim.loop import pause
from tests.sim.oracle import Key
from wire.codec import decode_ack

PATH: Final = "/v1/events"
OK: Final = 200
CONTRADICTED: Final = 409
DURABLE: Final = frozenset({OK, CONTRADICTED})
"""Answers that say: all of it is on disk."""
LATER: Final = frozenset({429, 503})
"""Answers that say: none of it is, come again after Retry-After."""
NO_ANSWER: Final = 0


class Request(NamedTuple):
    """One POST as it travels. pace_s: between two chunks of the body. said: key and body of each item, to judge by."""

    headers: Mapping[str, str]
    content_type: str
    chunks: tuple[bytes, ...]
    pace_s: float
    said: tuple[tuple[Key, bytes], ...]


class Answer(NamedTuple):
    """The response as it travels. retry_after_s: 0 when the header is missing."""

    status: int
    content_type: str = ""
    retry_after_s: int = 0
    body: bytes = b""

    def rejected(self) -> dict[int, str]:
        """What an acknowledgement says of items it did not simply take: sequence -> reason."""
        if self.content_type == MSGPACK:
            return {item.sequence: item.reason for item in decode_ack(self.body).rejected}
        return {item["sequence"]: item["reason"] for item in msgspec.json.decode(self.body)["rejected"]}


class _Arriving:
    """The body of a request, chunk by chunk."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def iter_any(self) -> AsyncIterator[bytes]:
        for chunk in self._request.chunks:
            if self._request.pace_s:
                await pause(self._request.pace_s)
            yield chunk


async def answer(door: HttpDoor, request: Request) -> Answer:
    """What the handler behind the door's own route says to `request`."""
    (handler,) = (route.handler for route in door.routes() if (route.method, route.path) == ("POST", PATH))
    arrived = SimpleNamespace(
        headers=CIMultiDict(request.headers),
        content_type=request.content_type,
        content_length=sum(map(len, request.chunks)) if len(request.chunks) == 1 else None,
        content=_Arriving(request),
        remote="",
    )
    response: Any = await handler(arrived)  # type: ignore[arg-type]  # as much of one as it reads
    return Answer(
        response.status, response.content_type, int(response.headers.get("Retry-After", 0)), bytes(response.body)
    )
