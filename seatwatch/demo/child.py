"""The server of a demo as a child process: started, found, killed -9, started again, and never left behind."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from seatwatch.runtime_file import Runtime, read_runtime


class ServerDidNotStart(RuntimeError):
    """The server process ended before it could be reached; the message holds the end of its log."""


class ServerChild:
    """`seatwatch up` over `data`. It ends with us: it watches the pipe we hold to its standard input."""

    def __init__(self, config: Path, data: Path, log: Path, *, start_timeout_s: float, poll_s: float) -> None:
        self._config = config
        self._data = data
        self._log = log
        self._start_timeout_s = start_timeout_s
        self._poll_s = poll_s
        self._process: Process | None = None
        self.runtime: Runtime | None = None
        """Where it can be reached; None while it is down."""
        self.starts = 0

    @property
    def url(self) -> str | None:
        """Its web address, None while it is down."""
        return None if self.runtime is None else self.runtime.url

    @property
    def was_killed(self) -> bool:
        """Whether the last process ended by kill -9, whoever sent it."""
        return self._process is not None and self._process.returncode == -signal.SIGKILL

    async def start(self) -> Runtime:
        """Start it and wait until it can be reached. Raises ServerDidNotStart, TimeoutError."""
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "seatwatch",
                "up",
                "--config",
                str(self._config),
                "--data",
                str(self._data),
                "--end-with-stdin",
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us alone: what was done is read from it before it ends
            )
        async with asyncio.timeout(self._start_timeout_s):
            while True:
                runtime = read_runtime(self._data)
                if runtime is not None and runtime.pid == self._process.pid:
                    self.runtime = runtime
                    return runtime
                if self._process.returncode is not None:
                    # Layout: so much of a log is shown when a child ended.
                    tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                    raise ServerDidNotStart(f"the server ended with code {self._process.returncode}:\n{tail}")
                await asyncio.sleep(self._poll_s)

    async def ended(self) -> int:
        """Wait for its end, whoever caused it; its exit code (negative = the signal)."""
        if self._process is None:
            return 0
        code = await self._process.wait()
        self.runtime = None
        return code

    def kill(self) -> None:
        """Kill -9, as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        self.runtime = None

    async def stop(self, timeout_s: float) -> None:
        """Ask it to end, and make it end if it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(timeout_s):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        self.runtime = None
