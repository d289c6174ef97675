"""The table every bench ends with: what was measured, what was wanted, and the one over the other."""

from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number. limit: None where it is only for reading. at_least: the limit is a floor, not a ceiling."""

    name: str
    seen: float
    limit: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether it keeps to its limit."""
        return self.limit is None or (self.seen >= self.limit if self.at_least else self.seen <= self.limit)


def print_figures(figures: Sequence[Figure]) -> bool:
    """Print them. True when every one keeps to its limit."""
    print(f"{'':52}{'measured':>12}{'limit':>13}{'ratio':>8}")
    for figure in figures:
        digits = 0 if abs(figure.seen) >= 1000 else 2
        line = f"{figure.name:52}{figure.seen:>12,.{digits}f}"
        if figure.limit is not None:
            limit = f"{'>=' if figure.at_least else '<='} {figure.limit:,g}"
            line += f"{limit:>13}{figure.seen / figure.limit:>8.2f}  {'' if figure.holds else 'DOES NOT HOLD'}"
        print(line.rstrip())
    return all(figure.holds for figure in figures)
