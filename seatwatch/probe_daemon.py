"""The probe from its configuration to its end, as a command, a unit and a Windows service run it."""

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

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
from seatwatch.probe_settings import probe_settings
from seatwatch.settings import Defaults


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


OnStop = Callable[[asyncio.AbstractEventLoop, Callable[[], None]], Callable[[], None]]


def run_daemon(file: Path, config: ProbeConfig, defaults: Defaults, platform: Platform, on_stop: OnStop) -> None:
    """Run the probe of `file` until it is told to stop. on_stop: as a Platform's. Raises ProbeConfigError."""
    platform.spare_memory()
    with asyncio.Runner(loop_factory=platform.new_event_loop) as runner:
        runner.run(_until_told_to_stop(file, config, defaults, platform, on_stop))


async def _until_told_to_stop(
    file: Path, config: ProbeConfig, defaults: Defaults, platform: Platform, on_stop: OnStop
) -> None:
    stop = asyncio.Event()
    undo = on_stop(asyncio.get_running_loop(), stop.set)
    renewal = RenewalSettings(
        defaults.ms("probe.renewal_check"),
        defaults.ms("probe.renewal_deadline"),
        defaults.ms("probe.renewal_poll"),
        defaults.int("probe.renewal_left"),
    )
    folder = identity_folder(config, platform)
    try:
        async with asyncio.TaskGroup() as tasks:
            renewing = tasks.create_task(
                keep_renewed(folder, helper("renew", file), renewal, platform.wall_ms), name="probe.renewal"
            )
            await app.run(config, probe_settings(defaults), stop, platform=platform)
            renewing.cancel()
    except* ProbeConfigError as errors:
        raise errors.exceptions[0] from None
    finally:
        undo()
