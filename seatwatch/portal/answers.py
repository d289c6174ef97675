"""Answers of a process of its own for the portal's pages: one at a time, each made once for all who wait for it.

The key of whatever is shared or kept is the whole question, and every question names its one client.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from dashboards.portal.record import AskedWronglyError, NothingSaidError, StillReadingError
from dashboards.portal.sessions import PortalSettings
from seatwatch.own_process import OverdueError, OwnProcess, OwnProcessError
from seatwatch.portal.kept_file import Passed, begin_in, passed_in
from seatwatch.portal_told import Answer, Question

log = structlog.get_logger()
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Answer).decode
SERVED: Final = "served"
PAGES: Final = frozenset({SERVED, "sessions"})
"""What is asked again within a minute: by reload, for a file, from page to page. Of other answers only those are kept
that took so long that whoever asked was told to ask again."""
_Span = tuple[str, str, str, str]
"""Client, first day, last day and queue of a question."""


class Kept(NamedTuple):
    """An answer, to a question of `span`, made at `at` (ms)."""

    span: _Span
    at: int
    answer: Answer


class Wanted(NamedTuple):
    """A question somebody waits for. since: when it was asked (ms)."""

    key: bytes
    question: Question
    since: int
    answered: asyncio.Future[Answer]


class Answers:
    """clock_ms: the time of day, which the process goes on from."""

    def __init__(self, process: OwnProcess, settings: PortalSettings, clock_ms: Callable[[], int]) -> None:
        self._process: Final = process
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms
        self._waiting: Final[dict[bytes, Wanted]] = {}
        self._asked_again: Final[set[bytes]] = set()
        self._asked: Final = asyncio.Event()
        self._turns: Final[dict[str, int]] = {}
        self._turns_taken = 0
        self._at_work: tuple[Wanted, IO[bytes]] | None = None
        self._files: Final[dict[_Span, IO[bytes]]] = {}
        self._kept: Final[dict[bytes, Kept]] = {}

    async def run(self) -> None:
        """Answer what is asked until cancelled."""
        try:
            while True:
                wanted = await self._next()
                answer = await self._made(wanted)
                if wanted.question.what in PAGES or wanted.key in self._asked_again:
                    self._keep(wanted.question, answer, self._clock_ms())
                self._asked_again.discard(wanted.key)
                del self._waiting[wanted.key]
                wanted.answered.set_result(answer)
        finally:
            for wanted in self._waiting.values():
                if not wanted.answered.done():
                    wanted.answered.set_result(Answer(says="portal_unreadable"))
            while self._files:
                self._files.popitem()[1].close()

    async def _next(self) -> Wanted:
        """Whose client had a turn longest ago: whoever asks for much holds up no other client."""
        while not self._waiting:
            self._asked.clear()
            await self._asked.wait()
        self._turns_taken += 1
        wanted = min(self._waiting.values(), key=lambda each: self._turns.get(each.question.asked.client, 0))
        self._turns[wanted.question.asked.client] = self._turns_taken
        return wanted

    async def soon(self, question: Question) -> bytes:
        """The answer. Raises AskedWronglyError, NothingSaidError.

        After a moment StillReadingError: whoever asks again gets it.
        """
        return await self._answer(question, self._settings.page_waits_ms / 1_000)

    async def whole(self, question: Question) -> bytes:
        """The answer, however long it takes. Raises AskedWronglyError, NothingSaidError."""
        return await self._answer(question, None)

    async def _answer(self, question: Question, within_s: float | None) -> bytes:
        key, now = _encode(question), self._clock_ms()
        kept = self._kept.get(key)
        if kept is not None and 0 <= now - kept.at < self._settings.figures_kept_ms:
            answer = kept.answer
        else:
            wanted = self._wanted(key, question)
            await asyncio.wait({wanted.answered}, timeout=within_s)
            if not wanted.answered.done():
                self._asked_again.add(key)
                entries, of = self._passed(wanted)
                raise StillReadingError(entries, of, max(0, self._clock_ms() - wanted.since))
            answer = wanted.answered.result()
        if answer.body is None:
            self._kept.pop(key, None)  # the next one to ask tries again
        return _body(answer)

    def answers_also(self, question: Question, dated: Question) -> None:
        """What answered `question` answers `dated` as well: the last days, asked for by their dates.

        So the files and lists that a page leads to are not read anew.
        """
        kept, known = self._kept.get(_encode(question)), self._kept.get(_encode(dated))
        if kept is None or (known is not None and known.at >= kept.at):
            return
        self._keep(dated, kept.answer, kept.at)
        file, span = self._files.get(_span(question)), _span(dated)
        if file is not None and span not in self._files:
            with suppress(OSError):  # one file more than this process may have: read anew then
                self._hold(span, os.fdopen(os.dup(file.fileno()), "r+b", buffering=0))

    def _wanted(self, key: bytes, question: Question) -> Wanted:
        """The question among those that are waited for. Raises NothingSaidError where too many of its client's are."""
        wanted = self._waiting.get(key)
        if wanted is None:
            clients = [each.question.asked.client for each in self._waiting.values()]
            if clients.count(question.asked.client) >= self._settings.questions_max:
                raise NothingSaidError("portal_busy")
            answered = asyncio.get_running_loop().create_future()
            wanted = Wanted(key, question, self._clock_ms(), answered)
            self._waiting[key] = wanted
            self._asked.set()
        return wanted

    async def _made(self, wanted: Wanted) -> Answer:
        told = _encode(replace(wanted.question, now=self._clock_ms()))
        try:
            file = self._file(wanted.question)
            number = file.fileno()
            begin_in(number)
            self._at_work = wanted, file
            return _decode(
                await self._process.printed("seatwatch.portal_told", str(number), told=told, files=(number,))
            )
        except OverdueError as error:
            log.warning("portal.overdue", said=str(error))
            return Answer(says="portal_page_too_much")
        except (OwnProcessError, msgspec.MsgspecError, OSError) as error:  # no disk, or no process more to be had
            log.warning("portal.failed", said=str(error))
            return Answer(says="portal_unreadable")
        finally:
            self._at_work = None

    def _passed(self, wanted: Wanted) -> Passed:
        """How far the reading for it is."""
        if self._at_work is None or self._at_work[0] is not wanted:
            return Passed(0, 0)
        return passed_in(self._at_work[1].fileno())

    def _file(self, question: Question) -> IO[bytes]:
        """The one that keeps what is read of a question's span."""
        span = _span(question)
        file = self._files.pop(span, None) or TemporaryFile(prefix="seatwatch-portal-")  # noqa: SIM115 - closed in _hold
        self._hold(span, file)
        return file

    def _hold(self, span: _Span, file: IO[bytes]) -> None:
        """Those of the spans asked for last are held."""
        while len(self._files) >= self._settings.answers_kept_max:
            self._files.pop(next(iter(self._files))).close()
        self._files[span] = file

    def _keep(self, question: Question, answer: Answer, made_at: int) -> None:
        key, span = _encode(question), _span(question)
        # a page may be of a newer reading than the lists that were made before it
        old = [each for each, kept in self._kept.items() if kept.span == span and question.what == SERVED]
        for each in {key, *old} & self._kept.keys():
            del self._kept[each]
        while len(self._kept) >= self._settings.answers_kept_max:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = Kept(span, made_at, answer)


def _span(question: Question) -> _Span:
    asked = question.asked
    return asked.client, asked.first, asked.last, asked.queue


def _body(answer: Answer) -> bytes:
    if answer.body is not None:
        return answer.body
    if answer.is_wrong:
        raise AskedWronglyError("asked", answer.says, **answer.filled)
    raise NothingSaidError(answer.says)
