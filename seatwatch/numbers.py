"""Ratios and means as a person reads them: whole hundredths of a percent and whole ms, half up."""

from typing import Final

from wire.board import Mean, Ratio

HUNDRED: Final = 100
# Format: hundredths of a percent in a whole.
PERCENT_HUNDREDTHS: Final = 10_000


def half_up(part: int, whole: int) -> int:
    """The whole number nearest to part / whole, the greater one of two. Needs a whole above 0."""
    return (2 * part + whole) // (2 * whole)


def mean_ms(mean: Mean) -> int:
    """A mean is not more exact than its values. Needs at least one."""
    return half_up(mean.total_ms, mean.count)


def hundredths(ratio: Ratio) -> int:
    """Hundredths of a percent. Needs a whole."""
    return half_up(PERCENT_HUNDREDTHS * ratio.part, ratio.whole)


def quotient_hundredths(ratio: Ratio) -> int:
    """Hundredths of the quotient itself: of a seat, of a conversation at once. Needs a whole."""
    return half_up(HUNDRED * ratio.part, ratio.whole)


def percent(of_hundredths: int) -> str:
    """97.12 %."""
    return f"{decimal(of_hundredths)} %"


def share(ratio: Ratio) -> str:
    """97.12 % (34/35): a percentage never without its counts, and none of nothing."""
    return f"{percent(hundredths(ratio))} ({ratio.part}/{ratio.whole})" if ratio.whole else "-"


def decimal(of_hundredths: int) -> str:
    """Hundredths as a decimal number: 97.12."""
    return f"{of_hundredths // HUNDRED}.{of_hundredths % HUNDRED:02}"
