"""Answers of a process of its own for the portal's pages: one at a time, each made once for all who wait for it.

The key of whatever is shared or kept is the whole question, and every question names its one client.
"""

import asyncio
from collections.abc import Callable
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from dashboards.portal.record import AskedWronglyError, NothingSaidError, StillReadingError
from dashboards.portal.sessions import PortalSettings
from seatwatch.own_process import OverdueError, OwnProcess, OwnProcessError
from seatwatch.portal.kept_file import begin_in, passed_in
from seatwatch.portal_told import Answer, Question

log = structlog.get_logger()
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Answer).decode
PAGES: Final = frozenset({"served", "sessions"})
"""What is asked again within a minute: by reload, for a file, from page to page. Other answers are not kept."""
_Span = tuple[str, str, str, str]
"""Client, first day, last day and queue of a question."""


class Wanted(NamedTuple):
    """A question somebody waits for. since: when it was asked (ms). file: keeps what is read of its span."""

    key: bytes
    question: Question
    since: int
    file: IO[bytes]
    answered: asyncio.Future[Answer]


class Answers:
    """clock_ms: the time of day, which the process goes on from."""

    def __init__(self, process: OwnProcess, settings: PortalSettings, clock_ms: Callable[[], int]) -> None:
        self._process: Final = process
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms
        self._queue: Final[asyncio.Queue[Wanted]] = asyncio.Queue(settings.questions_max)
        self._waiting: Final[dict[bytes, Wanted]] = {}
        self._files: Final[dict[_Span, IO[bytes]]] = {}
        self._kept: Final[dict[bytes, tuple[int, Answer]]] = {}

    async def run(self) -> None:
        """Answer what is asked until cancelled."""
        try:
            while True:
                wanted = await self._queue.get()
                answer = await self._made(wanted)
                if wanted.question.what in PAGES:
                    self._keep(wanted.key, answer)
                del self._waiting[wanted.key]
                wanted.answered.set_result(answer)
        finally:
            for wanted in self._waiting.values():
                if not wanted.answered.done():
                    wanted.answered.set_result(Answer(says="portal_unreadable"))
            while self._files:
                self._files.popitem()[1].close()

    async def soon(self, question: Question) -> bytes:
        """The answer. Raises AskedWronglyError, NothingSaidError.

        After a moment StillReadingError: whoever asks again gets what is one of PAGES.
        """
        return await self._answer(question, self._settings.page_waits_ms / 1_000)

    async def whole(self, question: Question) -> bytes:
        """The answer, however long it takes. Raises AskedWronglyError, NothingSaidError."""
        return await self._answer(question, None)

    async def _answer(self, question: Question, within_s: float | None) -> bytes:
        key, now = _encode(question), self._clock_ms()
        made_at, answer = self._kept.get(key, (None, None))
        if answer is None or made_at is None or not 0 <= now - made_at < self._settings.figures_kept_ms:
            wanted = self._wanted(key, question)
            await asyncio.wait({wanted.answered}, timeout=within_s)
            if not wanted.answered.done():
                passed = passed_in(wanted.file.fileno())
                raise StillReadingError(passed.entries, passed.of, max(0, self._clock_ms() - wanted.since))
            answer = wanted.answered.result()
        if answer.body is None:
            self._kept.pop(key, None)  # the next one to ask tries again
        return _body(answer)

    def _wanted(self, key: bytes, question: Question) -> Wanted:
        """The question among those that are waited for. Raises NothingSaidError where too many are."""
        wanted = self._waiting.get(key)
        if wanted is None:
            if self._queue.full():
                raise NothingSaidError("portal_busy")
            answered = asyncio.get_running_loop().create_future()
            wanted = Wanted(key, question, self._clock_ms(), self._file(question), answered)
            self._waiting[key] = wanted
            self._queue.put_nowait(wanted)
        return wanted

    async def _made(self, wanted: Wanted) -> Answer:
        told, number = _encode(replace(wanted.question, now=self._clock_ms())), wanted.file.fileno()
        begin_in(number)
        try:
            return _decode(
                await self._process.printed("seatwatch.portal_told", str(number), told=told, files=(number,))
            )
        except OverdueError as error:
            log.warning("portal.overdue", said=str(error))
            return Answer(says="portal_page_too_much")
        except (OwnProcessError, msgspec.MsgspecError) as error:
            log.warning("portal.failed", said=str(error))
            return Answer(says="portal_unreadable")

    def _file(self, question: Question) -> IO[bytes]:
        """The one that keeps what is read of a question's span."""
        asked = question.asked
        span = (asked.client, asked.first, asked.last, asked.queue)
        file = self._files.pop(span, None) or TemporaryFile(prefix="seatwatch-portal-")  # noqa: SIM115 - closed below
        in_use = {id(wanted.file) for wanted in self._waiting.values()}
        idle = [each for each, held in self._files.items() if id(held) not in in_use]
        for each in idle[: max(0, len(self._files) + 1 - self._settings.answers_kept_max)]:
            self._files.pop(each).close()
        self._files[span] = file
        return file

    def _keep(self, key: bytes, answer: Answer) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= self._settings.answers_kept_max:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = self._clock_ms(), answer


def _body(answer: Answer) -> bytes:
    if answer.body is not None:
        return answer.body
    if answer.is_wrong:
        raise AskedWronglyError("asked", answer.says, **answer.filled)
    raise NothingSaidError(answer.says)
