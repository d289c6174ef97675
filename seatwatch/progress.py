"""A bar on stderr for work over a whole ledger; nothing where no terminal listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def entries_bar(title: str, entries: int) -> Iterator[Callable[[int], None]]:
    """Yields what to call with the number of entries read so far, of `entries`."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=entries)
        yield lambda read: progress.update(task, completed=read)
