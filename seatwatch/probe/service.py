"""`seatwatch probe --service`: the probe as Windows starts and ends it, with a log file instead of stderr."""

import asyncio
import logging
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from agent_probe.config import load_config
from agent_probe.errors import ProbeConfigError
from agent_probe.logs import log_to_file
from agent_probe.platform import Platform
from agent_probe.platform.windows_service import Control, NotStartedAsService, Service
from seatwatch.probe.daemon import ready_config, run_daemon
from seatwatch.probe.settings import probe_settings
from seatwatch.settings import load_defaults

LOG: Final = "probe.log"
CRASHED: Final = 1
# Format: the exit code of whoever asked wrongly.
CONFIGURATION_UNUSABLE: Final = 2
log = logging.getLogger(__name__)


def run_service(path: Path, platform: Platform) -> int:
    """Until the system ends it; the exit code. Raises ProbeConfigError where no service can run."""
    control = platform.service_control()
    if control is None:
        raise ProbeConfigError("--service", "this is not Windows", "leave it out; deploy/systemd has a unit")
    try:
        return service_over(control, path, platform).run()
    except NotStartedAsService:
        fix = "run deploy/windows/install.ps1, or leave it out to run in this window"
        raise ProbeConfigError("--service", "only Windows itself can start a service", fix) from None


def service_over(control: Control, path: Path, platform: Platform) -> Service:
    """The service of the probe configured in `path`. It ends with 2 when that cannot be used; the log says why."""
    defaults = load_defaults("probe")
    settings = probe_settings(defaults)

    def work() -> int:
        problem: ProbeConfigError | None = None
        directory = _directory(path, platform)
        directory.mkdir(parents=True, exist_ok=True)
        stop_logging = log_to_file(directory / LOG, defaults.int("probe.log_size"), defaults.int("probe.logs_kept"))
        try:
            config = ready_config(path, platform, partial(_run_until_stopped, service))
            # no end of ours: Windows would take the service for crashed, and waits for it anyway
            run_daemon(path, config, defaults, platform, on_stop, overdue=lambda: None)
            return 0
        except ProbeConfigError as error:
            problem = error
        except Exception:  # a service has no stderr: this is the only place to say why; Windows starts it again
            log.exception("probe.crashed")
            return CRASHED
        finally:
            if problem is not None:
                log.error("probe.configuration", extra={"file": str(path), "problem": str(problem)})
            stop_logging()
        return CONFIGURATION_UNUSABLE

    service = Service(control, work, stop_hint_ms=settings.uplink.connect_ms + settings.uplink.flush_ms)

    def on_stop(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Callable[[], None]:
        def tell() -> None:
            loop.call_soon_threadsafe(stop)

        return service.on_stop(tell)

    return service


def _directory(path: Path, platform: Platform) -> Path:
    """Where the log goes: beside the outbox, or where that would be if the configuration cannot be read."""
    try:
        stated = load_config(path).data_dir
    except ProbeConfigError:
        stated = ""
    return Path(stated) if stated else platform.default_data_dir()


def _run_until_stopped(service: Service, command: Sequence[str]) -> int:
    """Run a process of our own, which ends when the service is to end. What it says stands in the log."""
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - as said
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        undo = service.on_stop(process.terminate)
        for line in process.stdout or ():
            log.info("probe.enrolling", extra={"said": line.rstrip()})
        undo()
        return process.wait()
