"""Reading beside the server: it gives way to it, has an end, and says why it came to nothing."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from seatwatch.own_process import OverdueError, OwnProcess, OwnProcessError

LONG_MS = 60_000
Write: TypeAlias = Callable[[str], object]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return (tmp_path / "errand.py").write_text


async def test_what_it_prints_comes_back_and_it_gives_way_to_whoever_sent_it(write: Write) -> None:
    write("import os, sys\nsys.stdin.read()\nprint(os.nice(0), *sys.argv[1:])")

    printed = await OwnProcess(LONG_MS, 5).printed("errand", "a b", "c")

    assert printed.decode().split() == [str(min(os.nice(0) + 5, 19)), "a", "b", "c"]


async def test_where_no_process_may_be_made_to_give_way_it_reads_all_the_same(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a unit whose filter of system calls leaves out @resources."""

    def forbidden(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)
    write("print('read')")

    assert await OwnProcess(LONG_MS, 5).printed("errand") == b"read\n"


async def test_a_failure_says_its_code_and_the_end_of_its_complaint(write: Write) -> None:
    write("import sys\nsys.exit('x' * 5_000 + ' the disk is gone')")

    with pytest.raises(OwnProcessError, match=r"^exit code 1: x+ the disk is gone\n$") as error:
        await OwnProcess(LONG_MS, 5).printed("errand")

    assert len(str(error.value)) < 600
    assert not isinstance(error.value, OverdueError)


async def test_what_takes_too_long_is_ended(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("import time\ntime.sleep(600)")
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def remembered(*command: str, **given: Any) -> asyncio.subprocess.Process:
        started.append(await start(*command, **given))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remembered)
    with pytest.raises(OverdueError, match="took longer than 300 ms"):
        await OwnProcess(300, 5).printed("errand")

    assert [process.returncode for process in started] == [-signal.SIGKILL]
