"""Names that say what number they stand for, such as MS_PER_S or DAY_MS; whoever uses one for another number lies."""

import re
from typing import Final

NS: Final = {
    "NS": 1,
    "US": 1_000,
    "MS": 1_000_000,
    "S": 1_000_000_000,
    "SECOND": 1_000_000_000,
    "MINUTE": 60_000_000_000,
    "HALF_HOUR": 1_800_000_000_000,
    "HOUR": 3_600_000_000_000,
    "HALF_DAY": 43_200_000_000_000,
    "DAY": 86_400_000_000_000,
    "WEEK": 604_800_000_000_000,
}
SAID: Final = {
    "HALF": 2,
    "HUNDRED": 100,
    "PERCENT": 100,
    "PERMILLE": 1_000,
    "BASIS_POINTS": 10_000,
    "PPM": 1_000_000,
    "BYTES_PER_MB": 1_000_000,
    "MONTHS_PER_QUARTER": 3,
    "MONTHS_PER_YEAR": 12,
}
FACTORS: Final = frozenset(
    {2, 12, 24, 60, 100, 1_000, 1_024, 1_440, 3_600, 10_000, 60_000, 86_400, 1_000_000, 3_600_000}
)
"""Twice and half, and what makes one unit of another."""
RATIO: Final = re.compile(r"^(?P<small>[A-Z]+?)S?_PER_(?P<large>[A-Z]+)$")
LENGTH: Final = re.compile(r"^(?P<large>[A-Z_]+?)_(?P<small>NS|US|MS|S)$")


def number_said(name: str) -> int | None:
    """What a name stands for; None for one that says nothing of the kind."""
    bare = name.lstrip("_")
    if bare in SAID:
        return SAID[bare]
    found = RATIO.match(bare) or LENGTH.match(bare)
    if found is None:
        return None
    large = NS.get(found["large"])
    small = NS.get(found["small"]) or NS.get(found["small"] + "S")
    return None if large is None or small is None else large // small
