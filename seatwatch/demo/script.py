"""What happens in a demo, and when: a surge, a cut line, a mains loss, recovery."""

from enum import StrEnum
from typing import Final

import msgspec


class Action(StrEnum):
    """What can befall a simulated floor."""

    SURGE = "surge"
    CUT_LINE = "cut_line"
    MEND_LINE = "mend_line"
    LOSE_MAINS = "lose_mains"
    RESTORE_MAINS = "restore_mains"
    KILL_COLLECTOR = "kill_collector"


class Mishap(msgspec.Struct, frozen=True):
    """`action` at `site` ("" = everywhere), `at_ms` after the start."""

    at_ms: int
    action: Action
    site: str = ""


CUT_SITE: Final = 1
UNPLUGGED_SITE: Final = 2


def script(
    sites: tuple[str, ...], *, surge_at_ms: int, cut_at_ms: int, mains_at_ms: int, mend_at_ms: int
) -> list[Mishap]:
    """The demo's course. With fewer than three sites the last one takes what its missing neighbours would."""
    cut = sites[min(CUT_SITE, len(sites) - 1)]
    unplugged = sites[min(UNPLUGGED_SITE, len(sites) - 1)]
    return [
        Mishap(surge_at_ms, Action.SURGE),
        Mishap(cut_at_ms, Action.CUT_LINE, cut),
        Mishap(mains_at_ms, Action.LOSE_MAINS, unplugged),
        Mishap(mend_at_ms, Action.MEND_LINE, cut),
        Mishap(mend_at_ms, Action.RESTORE_MAINS, unplugged),
    ]
