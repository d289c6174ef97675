"""What happens in a demo, and when: a surge, a cut line, a mains loss, recovery."""

from enum import StrEnum

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


def stricken(sites: tuple[str, ...]) -> tuple[str, str]:
    """The site that loses its line and the one that loses mains: the second and the third, or as near as there are."""
    return sites[1 % len(sites)], sites[2 % len(sites)]


def script(
    sites: tuple[str, ...], *, surge_at_ms: int, cut_at_ms: int, mains_at_ms: int, mend_at_ms: int
) -> list[Mishap]:
    """The demo's course."""
    cut, unplugged = stricken(sites)
    return [
        Mishap(surge_at_ms, Action.SURGE),
        Mishap(cut_at_ms, Action.CUT_LINE, cut),
        Mishap(mains_at_ms, Action.LOSE_MAINS, unplugged),
        Mishap(mend_at_ms, Action.MEND_LINE, cut),
        Mishap(mend_at_ms, Action.RESTORE_MAINS, unplugged),
    ]
