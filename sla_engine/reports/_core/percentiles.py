"""Percentiles of durations by the method a definition names, in whole ms."""

from collections.abc import Sequence
from typing import Final

import msgspec

from sla_engine._core.choices import Percentile
from wire.errors import require

HUNDRED: Final = 100
# Format: of a report: p50, p90, p95.
SHOWN: Final = (50, 90, 95)


class Percentiles(msgspec.Struct, frozen=True, gc=False):
    """Of `count` durations, ms; None without any, or where several methods are mixed."""

    count: int = 0
    p50: int | None = None
    p90: int | None = None
    p95: int | None = None


def percentile(ordered: Sequence[int], percent: int, method: Percentile) -> int:
    """The `percent` percentile of values in ascending order, at least one.

    nearest_rank: the least value that at least so many percent do not exceed. interpolated: on the line between the two
    values around place (n - 1) * percent / 100, half up.
    """
    require(len(ordered) > 0 and 0 <= percent <= HUNDRED, "a percentile is of something")
    if method is Percentile.NEAREST_RANK:
        return ordered[max(-(-len(ordered) * percent // HUNDRED), 1) - 1]
    place, rest = divmod((len(ordered) - 1) * percent, HUNDRED)
    if not rest:
        return ordered[place]
    step = ordered[place + 1] - ordered[place]
    return ordered[place] + (2 * step * rest + HUNDRED) // (2 * HUNDRED)


def percentiles(values: Sequence[int], method: Percentile | None) -> Percentiles:
    """The percentiles a report shows, of values in any order."""
    if not values or method is None:
        return Percentiles(len(values))
    ordered = sorted(values)
    return Percentiles(len(ordered), *(percentile(ordered, percent, method) for percent in SHOWN))
