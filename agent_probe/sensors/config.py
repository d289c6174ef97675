"""What an operator writes about UPSs, phone lines, platforms and a seat's network; refusals name key and fix."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from agent_probe.errors import ProbeConfigError
from agent_probe.host_names import host_faults
from agent_probe.line_config import LineConfig, is_address, line_faults
from wire.ids import is_name

# Format: IANA's ports, and the numbers of ports.
HTTPS_PORT: Final = 443
NTP_PORT: Final = 123
UPS_PORTS: Final[Mapping[str, int]] = {"nut": 3493, "snmp": 161, "battery": 0}
SIP_PORTS: Final[Mapping[str, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}
SIP_ADDRESS: Final = re.compile(r"sips?:[^@\s<>\"]+@[^@\s<>\"]+")

# Format: the numbers of ports.
Port = Annotated[int, Meta(ge=1, le=65535)]
OptionalPort = Annotated[int, Meta(ge=0, le=65535)]


class UpsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One UPS. name: in our messages. port 0: the usual one. ups: upsd's name for it, where that differs.

    via: a NUT server, an SNMP agent with the UPS-MIB, or the battery that this machine itself shows.
    """

    name: str
    host: str = "127.0.0.1"
    port: OptionalPort = 0
    ups: str = ""
    via: Literal["nut", "snmp", "battery"] = "nut"
    community: str = "public"


class RegisterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to register, meant for monitoring alone. aor: `sip:user@domain`. password_file: the password alone."""

    aor: str
    password_file: str
    username: str = ""


class PhoneLineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One SIP trunk. port 0: the transport's usual one. via_line: the broadband line it goes over, if it has one."""

    name: str
    host: str
    port: OptionalPort = 0
    transport: Literal["udp", "tcp", "tls"] = "udp"
    ca_file: str = ""
    bind_address: str = ""
    via_line: str = ""
    register: RegisterConfig | None = None


class PlatformConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One platform or softphone of a seat. programs: file names of its client. host "": no door to try."""

    name: str
    programs: list[str] = []
    host: str = ""
    port: Port = HTTPS_PORT
    tls: bool = True
    ca_file: str = ""


class NetworkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a seat measures of its own network. interface, gateway: "" to find them. time_server "": no clock check."""

    measured: bool = True
    interface: str = ""
    gateway: str = ""
    time_server: str = ""
    time_port: Port = NTP_PORT


def watched_faults(
    ups: Sequence[UpsConfig],
    phone_lines: Sequence[PhoneLineConfig],
    platforms: Sequence[PlatformConfig],
    lines: Sequence[LineConfig],
    network: NetworkConfig,
) -> Iterator[ProbeConfigError]:
    """Everything of it that cannot be used."""
    named = {
        "ups": [each.name for each in ups],
        "phone_line": [line.name for line in phone_lines],
        "platform": [platform.name for platform in platforms],
        "line": [line.name for line in lines],
    }
    for key, names in named.items():
        for name in dict.fromkeys(names):
            if not is_name(name) or "/" in name or name.startswith("~"):
                fix = "use letters, digits and . _ : @ - only, starting with a letter or digit"
                yield ProbeConfigError(f"{key}.{name}", f"{name!r} cannot be a name", fix)
            if names.count(name) > 1:
                yield ProbeConfigError(f"{key}.name", f"{name!r} is used twice", "give each a name of its own")
    for source in ups:
        if source.via != "battery" and not source.host:
            yield ProbeConfigError(f"ups.{source.name}.host", "empty", "name the host of upsd, or of the UPS's card")
    hosts = {
        **{f"ups.{each.name}.host": each.host for each in ups},
        **{f"phone_line.{each.name}.host": each.host for each in phone_lines},
        **{f"phone_line.{each.name}.bind_address": each.bind_address for each in phone_lines},
        **{f"platform.{each.name}.host": each.host for each in platforms},
        **{f"line.{each.name}.router.host": each.router.host for each in lines if each.router is not None},
        "network.time_server": network.time_server,
    }
    for key, host in hosts.items():
        yield from host_faults(key, host)
    if network.gateway and not is_address(network.gateway):
        yield ProbeConfigError("network.gateway", f"{network.gateway!r} is no IPv4 address", "write it as 192.0.2.1")
    yield from _phone_line_faults(phone_lines, named["line"])
    for line in lines:
        yield from line_faults(line)
    for each in platforms:
        if not each.host and not each.programs:
            fix = "name its host, its programs, or both"
            yield ProbeConfigError(f"platform.{each.name}", "nothing to look at", fix)


def watched_files(phone_lines: Sequence[PhoneLineConfig], platforms: Sequence[PlatformConfig]) -> dict[str, str]:
    """Every file that is named, by its key; "" where none is."""
    registering = [(line.name, line.register) for line in phone_lines]
    return {
        **{f"phone_line.{line.name}.ca_file": line.ca_file for line in phone_lines},
        **{f"phone_line.{name}.register.password_file": r.password_file for name, r in registering if r is not None},
        **{f"platform.{platform.name}.ca_file": platform.ca_file for platform in platforms},
    }


def _phone_line_faults(lines: Sequence[PhoneLineConfig], broadband: Sequence[str]) -> Iterator[ProbeConfigError]:
    for line in lines:
        key = f"phone_line.{line.name}"
        if line.via_line and broadband and line.via_line not in broadband:  # with none here, another probe has them
            fix = f"name one of the lines here: {', '.join(broadband)}"
            yield ProbeConfigError(f"{key}.via_line", f"{line.via_line!r} is no [[line]]", fix)
        if not line.host:
            yield ProbeConfigError(f"{key}.host", "empty", "name the host of the trunk")
        if line.ca_file and line.transport != "tls":
            yield ProbeConfigError(f"{key}.ca_file", "only TLS has authorities", 'set transport = "tls", or remove it')
        if line.register is not None and not SIP_ADDRESS.fullmatch(line.register.aor):
            yield ProbeConfigError(f"{key}.register.aor", f"{line.register.aor!r}", 'write it as "sip:user@domain"')
