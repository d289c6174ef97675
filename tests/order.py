"""The order of files, for workers side by side that share two processors.

Those that wait for servers come between those that compute: in the order of folders, all workers would wait together
for a third of the run, and queue for the processors in the rest. Within a file the order stays.

Each worker loads another part of the files first: in one order, each would rewrite the assertions of all of them where
nothing is compiled yet, as in a fresh clone.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from importlib import import_module
from pathlib import PurePath
from typing import Final, TypeVar

import pytest

T = TypeVar("T")
WAITING: Final = "integration"
DONE_AT: Final = Fraction(9, 10)
"""Of the way: the last files are short ones, so that no worker is left alone with a long one."""


def spread(files: Sequence[PurePath]) -> list[PurePath]:
    """`files` with those of WAITING evenly among the others, up to DONE_AT."""
    waiting = [file for file in files if WAITING in file.parts]
    others = [file for file in files if WAITING not in file.parts]
    place = {file: DONE_AT * number / len(waiting) for number, file in enumerate(waiting)}
    place |= {file: Fraction(number, len(others)) for number, file in enumerate(others)}
    return sorted(files, key=place.__getitem__)


def from_ones_own_part(files: Sequence[T], worker: int, workers: int) -> list[T]:
    """`files` from where the part of that worker (0, 1, ...) begins, and then the others."""
    begins = len(files) * worker // workers
    return [*files[begins:], *files[:begins]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    worker, config = os.environ.get("PYTEST_XDIST_WORKER"), session.config
    if worker is None or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    left_out = [config.rootpath / folder for folder in config.getoption("ignore") or ()]
    files = [
        file
        for file in sorted(config.rootpath.glob("tests/**/test_*.py"))
        if not any(file.is_relative_to(each) for each in left_out)
    ]
    for file in from_ones_own_part(files, int(worker[2:]), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])):
        with suppress(Exception, pytest.skip.Exception):  # said when it is collected
            import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    turns = {file: turn for turn, file in enumerate(spread(list(dict.fromkeys(item.path for item in items))))}
    items.sort(key=lambda item: turns[item.path])
