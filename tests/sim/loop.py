"""The event loop of the simulated world: stock asyncio, virtual time, processes that can die between any two steps.

Time jumps to the next timer whenever nothing is ready, so a minute of the world takes milliseconds. Every task, timer
and executor job belongs to one incarnation of one process; once the incarnation is dead, none of its steps ever runs
again: no cancellation, no `finally`, exactly what kill -9 leaves.
"""

import asyncio
import contextvars
import heapq
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final


class ProcessDied(BaseException):
    """Raised out of a simulated system call of a process that has just been killed. Nothing may catch it."""


class Incarnation:
    """One life of one process, from start to kill. It may be paused (SIGSTOP, a stalled machine) and resumed."""

    __slots__ = ("_missed", "alive", "name", "number", "paused")

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.alive = True
        self.paused = False
        self._missed: list[asyncio.Handle] = []

    def lets_run(self, step: asyncio.Handle) -> bool:
        """Whether `step` may run now. One of a paused process is kept until `resume`, one of a dead one for ever."""
        if self.alive and self.paused:
            self._missed.append(step)
        return self.alive and not self.paused

    def resume(self) -> list[asyncio.Handle]:
        """End the pause; the steps that became due in it, in order."""
        self.paused = False
        missed, self._missed = self._missed, []
        return missed

    def require_alive(self) -> None:
        """Raise ProcessDied when this life is over."""
        if not self.alive:
            raise ProcessDied(self.name)


INSTANT: Final = 1e-6
"""Seconds between a cause and its effect where an order is needed."""

INCARNATION: Final[contextvars.ContextVar[Incarnation | None]] = contextvars.ContextVar("incarnation", default=None)
"""Whose step is running; None for the world itself."""


async def pause(seconds: float) -> None:
    """Let virtual time pass; nobody waits for it."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.call_later(seconds, over.set)
    await over.wait()


class _VirtualSelector(selectors.BaseSelector):
    """Waits by moving the clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: nothing is scheduled in the simulated world")
        if timeout > 0:
            self.now += timeout
        return []


class _Handle(asyncio.Handle):
    """A step that does not run once its process is dead, nor while it is paused."""

    __slots__ = ()

    def _run(self) -> None:
        incarnation = self._context.get(INCARNATION)  # type: ignore[attr-defined]  # of the base class, unpublished
        if incarnation is None or incarnation.lets_run(self):
            super()._run()


class _TimerHandle(asyncio.TimerHandle):
    """Likewise, at an instant."""

    __slots__ = ()

    def _run(self) -> None:
        incarnation = self._context.get(INCARNATION)  # type: ignore[attr-defined]  # of the base class, unpublished
        if incarnation is None or incarnation.lets_run(self):
            super()._run()


class SimLoop(asyncio.SelectorEventLoop):
    """See the module's docstring.

    start_delay: seconds until an executor job starts. in_job: whether an executor job is running now. A job owes the
    latency of the writes and fsyncs it asked for (`owe`): its result is delivered only after that.
    """

    def __init__(self) -> None:
        self.virtual = _VirtualSelector()
        super().__init__(self.virtual)
        self._clock_resolution = 1e-9
        self.start_delay: Callable[[], float] = lambda: 0.0
        self.in_job = False
        self._owed = 0.0
        self._abandoned = False
        self._threads: dict[Any, deque[Callable[[], None]]] = {}
        self.unhandled: list[str] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.set_exception_handler(self._remember)
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self.virtual.now

    def owe(self, seconds: float) -> None:
        """The running executor job takes this much longer."""
        self._owed += seconds

    def _make_self_pipe(self) -> None:
        """No other thread ever wakes this loop."""

    def _close_self_pipe(self) -> None:
        """Nothing to close."""

    def _write_to_self(self) -> None:
        """Nor does this one."""

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        if not self._abandoned:
            super()._asyncgen_finalizer_hook(agen)  # type: ignore[misc]  # unpublished

    def _call_soon(self, callback: Any, args: Any, context: Any) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]  # of the base class, unpublished
        return handle

    def call_at(  # type: ignore[override]  # the same but for the generic arguments
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        timer = _TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]  # of the base class, unpublished
        timer._scheduled = True  # type: ignore[attr-defined]  # of the base class, unpublished
        return timer

    def call_later(  # type: ignore[override]  # likewise
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.virtual.now + delay, callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # the same but for the generic arguments
        """Run the job on the loop, after a delay, and deliver its result after another: a thread made of two instants.

        Between the two the job has happened in memory and on the unsynced disk, and nobody has been told. Every
        executor is one thread: its jobs run one after the other.
        """
        future: asyncio.Future[Any] = self.create_future()
        thread = deque() if executor is None else self._threads.setdefault(executor, deque())

        def deliver(result: Any, error: BaseException | None) -> None:
            thread.popleft()
            if thread:
                self.call_later(self.start_delay(), thread[0])
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def run() -> None:
            result: Any = None
            error: BaseException | None = None
            self.in_job, self._owed = True, 0.0
            try:
                result = func(*args)
            except ProcessDied:
                return
            except Exception as caught:  # noqa: BLE001 - whatever the job raised belongs to whoever awaits it
                error = caught
            finally:
                self.in_job = False
            # after the last fsync has settled: timers of one instant run in no particular order
            self.call_later(self._owed + INSTANT, deliver, result, error)

        thread.append(run)
        if len(thread) == 1:
            self.call_later(self.start_delay(), run)
        return future

    def _make_task(self, loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **kwargs)
        # dead processes leave pending tasks behind: keep them, so that nothing of theirs runs at collection time
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # of the base class, unpublished
        self.tasks.append(task)
        return task

    def _remember(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, ProcessDied):
            return
        self.unhandled.append(f"{context.get('message')}: {error!r}")

    def resume(self, incarnation: Incarnation) -> None:
        """Let a paused process go on, with everything that became due meanwhile."""
        self._ready.extend(incarnation.resume())  # type: ignore[attr-defined]  # of the base class, unpublished

    def abandon(self) -> None:
        """Forget everything that is still scheduled, unwind what dead processes left behind, close."""
        self._abandoned = True
        for task in self.tasks:
            if not task.done():
                with suppress(BaseException):
                    task.get_coro().close()
        self._ready.clear()  # type: ignore[attr-defined]  # of the base class, unpublished
        self._scheduled.clear()  # type: ignore[attr-defined]  # of the base class, unpublished
        self.close()
