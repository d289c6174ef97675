"""`seatwatch probe`: the daemon on a seat PC or a site gateway. Loads neither the server's libraries nor typer."""

import os
import sys
from typing import Final

from agent_probe.on_first_use import loaded_on_first_use

SYSTEM: Final = "Windows" if sys.platform == "win32" else os.uname().sysname
# Format: subprocess in the Python standard library, its constants.
UNREAD: Final[dict[str, dict[str, object]]] = {
    # dataclasses asks for a signature to write docstrings of, where there are none
    "inspect": {"signature": lambda _class: ""},
    "asyncio.sslproto": {},
    "base64": {},
    "copy": {},
    "fnmatch": {},
    "ipaddress": {},
    "linecache": {},
    "locale": {},
    "msgspec.inspect": {},
    "ntpath": {},
    "platform": {"system": lambda: SYSTEM},  # uuid and the MQTT client ask
    "stringprep": {},
    "subprocess": {"PIPE": -1, "STDOUT": -2, "DEVNULL": -3},  # asyncio names them; a probe starts a process a month
    "textwrap": {},
}
"""What libraries import and a probe hardly ever reaches: read at once, they are two megabytes to hold."""
with loaded_on_first_use(UNREAD):
    from collections.abc import Callable, Sequence
    from functools import partial
    from importlib import import_module
    from pathlib import Path
    from typing import NamedTuple

    from agent_probe.config import ProbeConfig, load_config
    from agent_probe.enrolment.identity import with_identity
    from agent_probe.errors import ProbeConfigError
    from agent_probe.logs import log_to_stderr
    from agent_probe.platform import current
    from agent_probe.sensors.config import SIP_PORTS, UPS_PORTS, PlatformConfig, UpsConfig
    from seatwatch.probe.daemon import check_daemon, ready_config, run_daemon
    from seatwatch.settings import load_defaults

ENROLMENT_VERBS: Final = frozenset({"enrol", "renew", "rollout"})


class Options(NamedTuple):
    """What the command was asked for, see seatwatch.probe.arguments."""

    config: Path
    check: bool = False
    service: bool = False


def run(arguments: Sequence[str]) -> int:
    """The command. Returns 0 when stopped or checked, 2 when the configuration cannot be used."""
    with loaded_on_first_use(UNREAD):
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    code: int
    if arguments[:1] == ["doctor"]:
        code = import_module("seatwatch.probe.doctor").run(arguments[1:])  # a process that the daemon need not hold
        return code
    if arguments[:1] and arguments[0] in ENROLMENT_VERBS:
        code = import_module("seatwatch.probe.enrolment").run(arguments[0], arguments[1:])  # likewise
        return code
    try:
        options = _options(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    platform = current()
    try:
        if options.service:
            service = import_module("seatwatch.probe.service")  # Windows alone needs it
            code = service.run_service(options.config, platform)
            return code
        if options.check:
            config = with_identity(load_config(options.config), platform)
            check_daemon(config, load_defaults("probe"), platform)
            sys.stdout.write(_summary(config))
            return 0
        config = ready_config(options.config, platform)
        stop_logging = log_to_stderr()
        try:
            defaults = load_defaults("probe")
            run_daemon(options.config, config, defaults, platform, platform.on_stop, overdue=partial(os._exit, 0))
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
            parse: Callable[[Sequence[str]], tuple[Path, bool, bool]] = import_module("seatwatch.probe.arguments").parse
            return Options(*parse(arguments))


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
