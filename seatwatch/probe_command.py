"""`seatwatch probe`: the daemon on a seat PC or a site gateway. Loads neither the server's libraries nor typer."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

from agent_probe import app
from agent_probe._core.gate import Rhythm
from agent_probe._core.machine import MachineRules
from agent_probe._core.outbox import OutboxLimits
from agent_probe._core.storage import DropClass
from agent_probe.config import (
    HttpSettings,
    ProbeConfig,
    ProbeSettings,
    UplinkSettings,
    check_files,
    load_config,
)
from agent_probe.enrolment.identity import identity_folder, read_identity, with_identity
from agent_probe.enrolment.renewal import RenewalSettings, helper, keep_renewed
from agent_probe.errors import ProbeConfigError
from agent_probe.logs import log_to_stderr
from agent_probe.platform import Platform, current
from agent_probe.sensors.config import SIP_PORTS, UPS_PORTS, PlatformConfig, UpsConfig
from seatwatch import __version__
from seatwatch.probe_sensors import (
    ProbeTimes,
    line_settings,
    phone_line_settings,
    platform_settings,
    seat_settings,
    ups_settings,
)
from seatwatch.settings import Defaults, load_defaults
from wire.limits import IN_FLIGHT_FRAMES_MAX

ENROLMENT_VERBS: Final = frozenset({"enrol", "renew", "rollout"})


class Options(NamedTuple):
    """What the command was asked for, see seatwatch.probe_arguments."""

    config: Path
    check: bool = False
    service: bool = False


def probe_settings(defaults: Defaults) -> ProbeSettings:
    """Every threshold of the probe, from the one place of thresholds."""

    def ms(name: str) -> int:
        return defaults.ms(f"probe.{name}")

    times = ProbeTimes(defaults)

    return ProbeSettings(
        outbox=OutboxLimits(
            keep_ms=ms("outbox_age"),
            keep_bytes=defaults.int("probe.outbox_size"),
            resend_ms=ms("resend"),
            in_flight=IN_FLIGHT_FRAMES_MAX,
            frame_bytes=defaults.int("probe.frame_size"),
            row_interval_ms=ms("row_pause"),
            burst_rows=defaults.int("probe.rows_at_once"),
            expiry_check_ms=ms("outbox_expiry_check"),
            runs_max=defaults.int("probe.outbox_losses_listed"),
            finished_max=defaults.int("probe.outbox_epochs_remembered"),
        ),
        uplink=UplinkSettings(
            connect_ms=ms("connect"),
            publish_ms=ms("publish"),
            keepalive_ms=ms("keepalive"),
            reconnect_min_ms=ms("reconnect_min"),
            reconnect_max_ms=ms("reconnect_max"),
            flush_ms=ms("last_words"),
            unacknowledged_ms=ms("unacknowledged"),
            acks_queued=defaults.int("probe.acks_queued"),
            in_flight=IN_FLIGHT_FRAMES_MAX,
        ),
        http=HttpSettings(
            head_bytes=defaults.int("probe.http_head_size"),
            slowly_ms=ms("http_refused_retry"),
            mqtt_retry_ms=ms("mqtt_retry"),
        ),
        ups=ups_settings(times),
        phone_line=phone_line_settings(times),
        seat=seat_settings(times),
        platform=platform_settings(times),
        programs_ms=ms("programs_read"),
        sparing_ms=ms("outbox_sparing"),
        lines=line_settings(times),
        machine=MachineRules(ms("machine_slept"), ms("machine_stepped")),
        machine_schedule=times.schedule("machine_looked"),
        seat_heartbeat=times.schedule("seat_heartbeat"),
        gateway_heartbeat=times.schedule("gateway_heartbeat"),
        heartbeat_rhythm=Rhythm(0, ms("heartbeat_recorded"), DropClass.HEARTBEAT),
        jitter_ratio=defaults.ratio("probe.jitter"),
        report_ms=ms("figures"),
        version=__version__,
    )


def run(arguments: Sequence[str]) -> int:
    """The command. Returns 0 when stopped or checked, 2 when the configuration cannot be used."""
    code: int
    if arguments[:1] == ["doctor"]:
        code = import_module("seatwatch.probe_doctor").run(arguments[1:])  # a process that the daemon need not hold
        return code
    if arguments[:1] and arguments[0] in ENROLMENT_VERBS:
        code = import_module("seatwatch.probe_enrolment").run(arguments[0], arguments[1:])  # likewise
        return code
    try:
        options = _options(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    platform = current()
    try:
        if options.service:
            service = import_module("seatwatch.probe_service")  # Windows alone needs it
            code = service.run_service(options.config, platform)
            return code
        if options.check:
            config = with_identity(load_config(options.config), platform)
            check_files(config)
            sys.stdout.write(_summary(config))
            return 0
        config = ready_config(options.config, platform)
        stop_logging = log_to_stderr()
        try:
            run_daemon(options.config, config, load_defaults("probe"), platform, platform.on_stop)
        finally:
            stop_logging()
    except ProbeConfigError as error:
        sys.stderr.write(f"{options.config}: {error}\n")
        return 2
    return 0


def _options(arguments: Sequence[str]) -> Options:
    match arguments:
        # how service managers start it: that needs no parser, which is half a megabyte to hold
        case ["--config", file, *service] if file and not file.startswith("-") and service in ([], ["--service"]):
            return Options(Path(file), service=bool(service))
        case _:
            parse: Callable[[Sequence[str]], Options] = import_module("seatwatch.probe_arguments").parse
            return parse(arguments)


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
        defaults.ms("probe.renewal_check"), defaults.ms("probe.renewal_deadline"), defaults.ms("probe.renewal_poll")
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


def _summary(config: ProbeConfig) -> str:
    broker = config.broker
    transport = "TLS" if broker.tls else "no TLS"
    lines = [
        f"ok: {config.role.value} {config.source}" + (f", seat {config.seat}" if config.seat else ""),
        f"    broker {broker.host}:{broker.port}, MQTT {broker.protocol}, {transport}",
        *(f"    line {line.name} ({line.carrier}) on {line.interface}" for line in config.line),
        *(f"    UPS {ups.name} {_place(ups)}" for ups in config.ups),
        *(
            f"    phone line {line.name} at {line.host}:{line.port or SIP_PORTS[line.transport]},"
            f" {line.transport.upper()}" + (f", registering {line.register.aor}" if line.register else "")
            for line in config.phone_line
        ),
        *(f"    platform {platform.name}: {_looked_at(platform)}" for platform in config.platform),
        *([f"    hub {config.hub.url}, transport {config.transport.value}"] if config.hub else []),
    ]
    return "\n".join(lines) + "\n"


def _looked_at(platform: PlatformConfig) -> str:
    door = [f"door {platform.host}:{platform.port}"] if platform.host else []
    programs = [f"programs {', '.join(platform.programs)}"] if platform.programs else []
    return ", ".join([*door, *programs])


def _place(ups: UpsConfig) -> str:
    if ups.via == "battery":
        return "is this machine's own battery"
    return f"at {ups.host}:{ups.port or UPS_PORTS[ups.via]}" + (" over SNMP" if ups.via == "snmp" else "")
