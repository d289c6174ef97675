"""The daemon's part in its identity: look at the clock, and start a process of its own when renewal is due.

Keys are made and certificates asked for over there, so that the daemon holds neither a TLS client nor a key library.
"""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from agent_probe.enrolment.identity import read_identity

MS_PER_S: Final = 1000
log = logging.getLogger(__name__)


class RenewalSettings(NamedTuple):
    """Times in ms. check_ms: how often the clock is looked at. deadline_ms: of one renewal. poll_ms: is it over yet.

    left_parts: an identity is renewed when only one of so many parts of its life is left.
    """

    check_ms: int
    deadline_ms: int
    poll_ms: int
    left_parts: int


def helper(verb: str, config: Path, *more: str) -> list[str]:
    """The command line of a process that does `verb` for the probe configured in `config`."""
    return [sys.executable, "-m", "seatwatch", "probe", verb, "--config", str(config), *more]


async def keep_renewed(
    folder: Path,
    command: Sequence[str],
    settings: RenewalSettings,
    wall_ms: Callable[[], int],
    is_refused: Callable[[], bool],
) -> None:
    """Renew the identity in `folder` as its life nears the end by running `command`, until cancelled.

    is_refused: the broker knows the identity no more, as after the hub was restored from a backup: renewing tells.
    """
    while True:
        identity = read_identity(folder)
        if identity is not None and (wall_ms() >= identity.renew_at(settings.left_parts) or is_refused()):
            code = await _run(command, settings)
            log.log(logging.INFO if code == 0 else logging.WARNING, "identity.renewal", extra={"exit_code": code})
        await asyncio.sleep(settings.check_ms / MS_PER_S)


async def _run(command: Sequence[str], settings: RenewalSettings) -> int:
    """The exit code of a process, looked at now and then: not every event loop can wait for one."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603, ASYNC220 - our own program; it is polled
    try:
        async with asyncio.timeout(settings.deadline_ms / MS_PER_S):
            while (code := process.poll()) is None:  # noqa: ASYNC110 - a process sets no event
                await asyncio.sleep(settings.poll_ms / MS_PER_S)
        return code
    except TimeoutError:
        return -1
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
