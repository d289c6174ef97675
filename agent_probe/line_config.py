"""What an operator writes of a site's broadband lines (`[[line]]`). Every refusal names the key and the fix."""

import socket
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from agent_probe.errors import ProbeConfigError
from wire.limits import WORD_CHARS_MAX

# Format: IANA's ports; IFNAMSIZ of Linux less its end.
SNMP_PORT: Final = 161
LONGEST_INTERFACE: Final = 15
HIGHEST_PORT: Final = 65535
# Bound: a line without a second target cannot be judged.
FEWEST_TARGETS: Final = 2
"""With one, its own trouble cannot be told from the line's."""


class RouterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The router a line ends at, asked over SNMP for the link. interface_index: its ifIndex of that line."""

    host: str
    interface_index: Annotated[int, Meta(ge=1)]
    port: Annotated[int, Meta(ge=1, le=HIGHEST_PORT)] = SNMP_PORT
    community: str = "public"


class LineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One broadband line. carrier: who sells it, as people say it.

    targets: IPv4 addresses beyond the provider, asked by ICMP, or `address:port` asked by a TCP handshake.
    source_address "": the interface's own. gateway "": as the default route over that interface says.
    """

    name: str
    carrier: str
    interface: str
    targets: list[str]
    source_address: str = ""
    gateway: str = ""
    router: RouterConfig | None = None


def line_faults(line: LineConfig) -> Iterator[ProbeConfigError]:
    """Everything of it that cannot be used."""
    key = f"line.{line.name}"
    if not line.interface or len(line.interface) > LONGEST_INTERFACE:
        yield ProbeConfigError(f"{key}.interface", f"{line.interface!r} is no interface", "name it as `ip link` does")
    if len(line.carrier) > WORD_CHARS_MAX:
        yield ProbeConfigError(f"{key}.carrier", "too long", f"at most {WORD_CHARS_MAX} characters")
    for part, address in (("source_address", line.source_address), ("gateway", line.gateway)):
        if address and not is_address(address):
            yield ProbeConfigError(f"{key}.{part}", f"{address!r} is no IPv4 address", "write it as 192.0.2.1")
    if len({text.partition(":")[0] for text in line.targets}) < FEWEST_TARGETS:
        fix = "name two or three different ones that answer echoes and do not share a fate"
        yield ProbeConfigError(f"{key}.targets", f"{', '.join(line.targets) or 'none'} is no two different ones", fix)
    for text in line.targets:
        address, _, port = text.partition(":")
        if not is_address(address) or (":" in text and not (port.isdecimal() and 0 < int(port) <= HIGHEST_PORT)):
            fix = "write an IPv4 address, or address:port; a name would need a working line to be resolved"
            yield ProbeConfigError(f"{key}.targets", f"{text!r} cannot be asked", fix)


def is_address(text: str) -> bool:
    """Whether `text` is an IPv4 address in four decimal parts."""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True
