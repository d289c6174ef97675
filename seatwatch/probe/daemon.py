"""The probe from its configuration to its end, as a command, a unit and a Windows service run it."""

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import Final

from agent_probe import app
from agent_probe.config import (
    ProbeConfig,
    check_files,
    load_config,
)
from agent_probe.enrolment.identity import identity_folder, read_identity, with_identity
from agent_probe.enrolment.renewal import RenewalSettings, helper, keep_renewed
from agent_probe.errors import ProbeConfigError
from agent_probe.platform import Platform
from seatwatch.probe.settings import probe_settings
from seatwatch.settings import Defaults

MS_PER_S: Final = 1000
LOADED_WHEN_USED: Final = ("ctypes", "encodings.idna")
"""By every probe: to ask for the clock's state, and to resolve a name."""


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own program


def ready_config(path: Path, platform: Platform, run_helper: Callable[[Sequence[str]], int] = _run) -> ProbeConfig:
    """The configuration in `path`, with an identity where it wants one, and every file it names at hand.

    run_helper: runs the process that gets an identity, and returns its exit code. Raises ProbeConfigError.
    """
    config = load_config(path)
    is_unknown = config.enrolment is not None and read_identity(identity_folder(config, platform)) is None
    # a process of its own makes the key: what that takes to load the daemon need not hold
    if is_unknown and run_helper(helper("enrol", path)):
        fix = f"run `seatwatch probe enrol --config {path}`, which says what stands in the way"
        raise ProbeConfigError("enrolment", "this machine got no identity", fix)
    config = with_identity(config, platform)
    check_files(config)
    return config


def check_daemon(config: ProbeConfig, defaults: Defaults, platform: Platform) -> None:
    """Put the probe of `config` together, outbox apart, and let go of it. Raises ProbeConfigError.

    It loads all that running it would, so that bytecode which is missing is made here and not in the daemon.
    """
    for name in LOADED_WHEN_USED:
        import_module(name)
    check_files(config)
    settings = probe_settings(defaults)
    app.Probe(config, settings, app.memory_outbox(config, settings, platform), clock=platform)


OnStop = Callable[[asyncio.AbstractEventLoop, Callable[[], None]], Callable[[], None]]


def run_daemon(
    file: Path,
    config: ProbeConfig,
    defaults: Defaults,
    platform: Platform,
    on_stop: OnStop,
    overdue: Callable[[], object],
) -> None:
    """Run the probe of `file` until it is told to stop. on_stop: as a Platform's. Raises ProbeConfigError.

    overdue: called where everything is said and closed, and a thread that asks for a name nobody knows, which cannot
    be stopped, holds the process for as long again as last words may take.
    """
    with asyncio.Runner(loop_factory=platform.new_event_loop) as runner:
        stop = asyncio.Event()
        # before the runner puts a handler of its own in their place
        undo = on_stop(runner.get_loop(), stop.set)
        try:
            runner.run(_until(stop, file, config, defaults, platform))
        finally:
            undo()
        waiting = Timer(defaults.ms("probe.last_words") / MS_PER_S, overdue)
        waiting.daemon = True
        waiting.start()
    waiting.cancel()


async def _until(stop: asyncio.Event, file: Path, config: ProbeConfig, defaults: Defaults, platform: Platform) -> None:
    renewal = RenewalSettings(
        defaults.ms("probe.renewal_check"),
        defaults.ms("probe.renewal_deadline"),
        defaults.ms("probe.renewal_poll"),
        defaults.int("probe.renewal_left"),
    )
    folder = identity_folder(config, platform)
    running: list[app.Probe] = []

    def is_ready(probe: app.Probe) -> None:
        running.append(probe)
        platform.spare_memory()  # what it takes is loaded by then, and no thread has a heap of its own yet

    try:
        async with asyncio.TaskGroup() as tasks:
            renewing = tasks.create_task(
                keep_renewed(
                    folder,
                    helper("renew", file),
                    renewal,
                    platform.wall_ms,
                    lambda: any(probe.is_refused for probe in running),
                ),
                name="probe.renewal",
            )
            await app.run(config, probe_settings(defaults), stop, platform=platform, ready=is_ready)
            renewing.cancel()
    except* ProbeConfigError as errors:
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[ProbeConfigError]) -> ProbeConfigError:
    """One of them, however deep the task that raised it."""
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
