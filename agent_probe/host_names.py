"""Names of machines as operators write them: whether anything of that name could ever be asked for."""

import re
from collections.abc import Iterator
from typing import Final

from agent_probe.errors import ProbeConfigError

_PLAIN: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")
# Format: RFC 1035, section 2.3.4.
LABEL_CHARS_MAX: Final = 63
NAME_CHARS_MAX: Final = 253


def host_faults(key: str, host: str) -> Iterator[ProbeConfigError]:
    """What is wrong with a host, if anything. "" is not looked at: whether one is needed is for others to say.

    The system's resolver does not refuse all of these but breaks whoever asks it.
    """
    if not host or is_host(host):
        return
    fix = "write a name or an address alone: no https:// before it, and its port under a key of its own"
    yield ProbeConfigError(key, f"{host!r} is no host", fix)


def is_host(host: str) -> bool:
    """Whether anything could ever be reached by that: a name, or an address."""
    if ":" in host:
        from ipaddress import AddressValueError, IPv6Address  # noqa: PLC0415 - few write one

        try:
            IPv6Address(host)
        except AddressValueError:
            return False
        return True
    try:
        spelled = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = spelled.removesuffix(".").split(".")
    return len(spelled) <= NAME_CHARS_MAX and all(
        len(label) <= LABEL_CHARS_MAX and _PLAIN.fullmatch(label) for label in labels
    )
