"""Ratios and means as a person reads them: whole hundredths of a percent and whole ms, half up."""

from typing import Final

from wire.board import Mean, Ratio

PERCENT_HUNDREDTHS: Final = 10_000


def mean_ms(mean: Mean) -> int:
    """A mean is not more exact than its values. Needs at least one."""
    return (2 * mean.total_ms + mean.count) // (2 * mean.count)


def hundredths(ratio: Ratio) -> int:
    """Hundredths of a percent. Needs a whole."""
    return (2 * PERCENT_HUNDREDTHS * ratio.part + ratio.whole) // (2 * ratio.whole)


def percent(of_hundredths: int) -> str:
    """97.12 %."""
    return f"{decimal(of_hundredths)} %"


def decimal(of_hundredths: int) -> str:
    """Hundredths as a decimal number: 97.12."""
    return f"{of_hundredths // 100}.{of_hundredths % 100:02}"
