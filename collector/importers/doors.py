"""Where an import delivers its frames: an intake of this process, or the HTTP door of a running server.

* DoorError: the server refused for a reason that waiting does not cure. `problem` says which.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from aiohttp import ClientError, ClientSession

from collector.errors import Busy
from collector.intake import Intake
from collector.intake_http import MSGPACK
from collector.sources import Principal
from wire.codec import decode_ack, encode_frame
from wire.errors import DecodeError
from wire.frame import Ack, Frame

Sleep = Callable[[float], Awaitable[None]]
_LATER: Final = frozenset({408, 429, 503})
_STORED: Final = frozenset({200, 409})
_MS_PER_S: Final = 1000


class DoorError(Exception):
    """Frames are not taken here."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Door(Protocol):
    """Takes a frame and answers once it is durable."""

    async def submit(self, frame: Frame) -> Ack:
        """The acknowledgement. Waits while the door is busy. DoorError."""


class IntakeDoor:
    """The intake of this process."""

    def __init__(self, intake: Intake, source: str, *, sleep: Sleep = asyncio.sleep) -> None:
        self._intake = intake
        self._principal = Principal(frozenset({source}))
        self._sleep = sleep

    async def submit(self, frame: Frame) -> Ack:
        """See Door."""
        while True:
            try:
                return await self._intake.submit(frame, self._principal)
            except Busy as busy:
                await self._sleep(busy.retry_after_ms / _MS_PER_S)


class HttpDoor:
    """`POST /v1/events` of a running server, with the bearer token of the source."""

    def __init__(
        self,
        session: ClientSession,
        url: str,
        token: str,
        *,
        attempts_max: int,
        retry_ms: int,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """attempts_max: how often a frame is offered to a server busy or away. retry_ms: between two of them."""
        self._session = session
        self._url = f"{url.rstrip('/')}/v1/events"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": MSGPACK, "Accept": MSGPACK}
        self._attempts_max = attempts_max
        self._retry_s = retry_ms / _MS_PER_S
        self._sleep = sleep

    async def submit(self, frame: Frame) -> Ack:
        """See Door."""
        data = encode_frame(frame)
        problem = ""
        for _ in range(self._attempts_max):
            try:
                async with self._session.post(self._url, data=data, headers=self._headers) as response:
                    body = await response.read()
                    if response.status in _STORED:
                        return decode_ack(body)
                    problem = f"the server at {self._url} answered {response.status}"
                    if response.status not in _LATER:
                        raise DoorError(f"{problem}: {_hint(response.status)}")
                    wait_s = _retry_after(response.headers.get("Retry-After", ""), self._retry_s)
            except DecodeError as error:
                raise DoorError(f"{self._url} does not speak the collector's language: {error.detail}") from None
            except (ClientError, TimeoutError, OSError) as error:
                problem, wait_s = f"the server at {self._url} cannot be reached ({type(error).__name__})", self._retry_s
            await self._sleep(wait_s)
        times = f"{self._attempts_max} times in a row"
        raise DoorError(f"{problem}, {times}; import again later, what is stored adds nothing")


def _hint(status: int) -> str:
    if status == 401:
        return "the token is not one it knows; name the source's token file with --token-file"
    if status == 403:
        return "the token does not speak for this source; name its source with --source"
    return "it takes no such frames; is it a Seatwatch server of this version?"


def _retry_after(header: str, default_s: float) -> float:
    return float(header) if header.isdecimal() else default_s
