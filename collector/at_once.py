"""How the commits of several ledgers are run: one after another, or side by side so that they wait for one sync."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

Work = Callable[[], object]
AtOnce = Callable[[Sequence[Work]], None]
"""Runs all of these and comes back when each has ended. Raises what the first of them that failed raised."""


def one_after_another(works: Sequence[Work]) -> None:
    """In this thread; what comes after a failure is not begun."""
    for work in works:
        work()


class SideBySide:
    """On threads of its own, at most so many at a time. `close` it when nothing will be run any more."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="commit")

    def __call__(self, works: Sequence[Work]) -> None:
        """See AtOnce. One work alone is run in the caller's thread."""
        if len(works) <= 1:
            one_after_another(works)
            return
        running = [self._pool.submit(work) for work in works]
        wait(running)
        for ended in running:
            ended.result()

    def close(self) -> None:
        """End the threads, once they have nothing left to do."""
        self._pool.shutdown()
