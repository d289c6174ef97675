"""A connector as a customer would write it: numbers events, posts frames, keeps each till acknowledged."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import aiohttp
import msgspec

from wire.body import Body
from wire.codec import KIND_OF, encode_body, encode_frame
from wire.frame import Frame, Item, Lane
from wire.limits import FRAME_VERSION

# Batch: events of one frame.
FRAME_ITEMS: Final = 100


class _Answer(msgspec.Struct):
    """The part of the door's answer that a sender acts on."""

    acknowledged_through: int


_answer: Final = msgspec.json.Decoder(_Answer).decode


class ChatBridge:
    """Events of one source on their way to `POST /v1/events`. Nothing is dropped before it was acknowledged.

    `put` numbers an event; `run` delivers until cancelled; `sent` counts events put, `acknowledged` is the highest
    sequence the server made durable.
    """

    def __init__(
        self, source: str, *, token: str, epoch: bytes, url: Callable[[], str | None], retry_s: float, timeout_s: float
    ) -> None:
        self.source = source
        self.epoch = epoch
        self.sent = 0
        self.acknowledged = 0
        self.refused: list[str] = []
        self._url = url
        self._token = token
        self._retry_s = retry_s
        self._timeout = aiohttp.ClientTimeout(timeout_s)
        self._pending: deque[Item] = deque()
        self._wake = asyncio.Event()

    def put(self, body: Body) -> None:
        """Number one event and keep it until it is acknowledged."""
        self.sent += 1
        kind, kind_version = KIND_OF[type(body)]
        self._pending.append(Item(self.sent, kind, kind_version, msgspec.Raw(encode_body(body))))
        self._wake.set()

    @property
    def is_drained(self) -> bool:
        """Whether everything put was acknowledged."""
        return self.acknowledged == self.sent

    async def run(self) -> None:
        """Deliver for ever, in order, one frame at a time."""
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"}) as http:
            while True:
                if not self._pending:
                    self._wake.clear()
                    await self._wake.wait()
                if not await self._deliver(http):
                    await asyncio.sleep(self._retry_s)

    async def _deliver(self, http: aiohttp.ClientSession) -> bool:
        url = self._url()
        if url is None:
            return False
        items = [self._pending[place] for place in range(min(FRAME_ITEMS, len(self._pending)))]
        frame = Frame(FRAME_VERSION, self.source, self.epoch, Lane.BACKLOG, items[0].sequence, [], items)
        headers = {"Content-Type": "application/msgpack", "Accept": "application/json"}
        try:
            async with http.post(
                f"{url}/v1/events", data=encode_frame(frame), headers=headers, timeout=self._timeout
            ) as answer:
                text = await answer.read()
                if answer.status != 200:  # the door's one way to say "durable"
                    # Layout: so much of an answer is shown.
                    self.refused.append(f"{answer.status} {text[:200].decode(errors='replace')}")
                    return False
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        through = _answer(text).acknowledged_through
        while self._pending and self._pending[0].sequence <= through:
            self._pending.popleft()
        progressed = through > self.acknowledged
        self.acknowledged = max(self.acknowledged, through)
        return progressed
