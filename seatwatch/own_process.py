"""Reading of the record in a process of its own, beside the server.

It takes seconds of a core: in the server it would hold the interpreter against every announcement and every screen. A
process can also be ended when it takes longer than anybody waits, and it gives way to the server where cores are few.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from seatwatch.settings import Defaults


class OwnProcessError(Exception):
    """Nothing was printed. str: why, with the end of what the process complained of."""


class OverdueError(OwnProcessError):
    """It took longer than it may."""


class OwnProcess:
    """Runs modules and waits for what they print. within_ms: and then ends them. niceness: below the server's own."""

    def __init__(self, within_ms: int, niceness: int) -> None:
        self._within_ms: Final = within_ms
        self._niceness: Final = niceness

    async def printed(self, module: str, *arguments: str, told: bytes = b"", files: Sequence[int] = ()) -> bytes:
        """What `python -m module arguments` prints. Raises OwnProcessError.

        told: on its standard input, where arguments could be seen by others or are too long. files: open ones, by their
        numbers, which it has too.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdin=PIPE if told else DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            pass_fds=files,
        )
        with suppress(OSError):  # it may have ended by now, or a sandbox forbids it: then it reads as before
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + self._niceness)
        try:
            async with asyncio.timeout(self._within_ms / 1_000):
                printed, complaint = await process.communicate(told or None)
        except TimeoutError:
            raise OverdueError(f"took longer than {self._within_ms} ms") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            # Layout: so much of a complaint stands in a log.
            raise OwnProcessError(f"exit code {process.returncode}: {complaint.decode(errors='replace')[-500:]}")
        return printed


def own_process(defaults: Defaults, within: str) -> OwnProcess:
    """within: the threshold that bounds it, such as board.past_timeout."""
    return OwnProcess(defaults.ms(within), defaults.int("board.own_process_niceness"))
