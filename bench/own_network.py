"""A network namespace of the bench's own, in which the addresses of its lines are addresses and echoes are allowed."""

import os
import sys
from collections.abc import Sequence
from typing import Final

# On a loopback device all of their network answers.
LINE_ADDRESSES: Final = ("198.51.100.2", "198.51.100.3")
INSIDE: Final = "SEATWATCH_BENCH_NETWORK"
"""Of the environment of whoever runs there."""
_SETTING_UP: Final = " && ".join(
    [
        "ip link set lo up",
        *(f"ip address add {address}/24 dev lo" for address in LINE_ADDRESSES),
        'sysctl -qw net.ipv4.ping_group_range="0 2147483647"',
        'exec "$@"',
    ]
)


def command_inside(command: Sequence[str]) -> list[str]:
    """`command` as it runs in a namespace that goes away with it."""
    return ["unshare", "--net", "sh", "-c", _SETTING_UP, "sh", *command]


def go_on_inside(module: str, arguments: Sequence[str]) -> None:
    """Begin `module` anew in a namespace. Returns if we are inside one."""
    if INSIDE not in os.environ:
        begun = command_inside([sys.executable, "-m", module, *arguments])
        os.execvpe(begun[0], begun, {**os.environ, INSIDE: "1"})  # noqa: S606 - ourselves
