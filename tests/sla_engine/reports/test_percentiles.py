"""Percentiles by both methods, held to definitions written down another way."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.choices import Percentile
from sla_engine.reports._core.percentiles import Percentiles, percentile, percentiles

VALUES = st.lists(st.integers(0, 600_000), min_size=1, max_size=200).map(sorted)


@pytest.mark.parametrize(
    ("method", "p50", "p90", "p95"),
    [(Percentile.NEAREST_RANK, 20, 50, 50), (Percentile.INTERPOLATED, 30, 46, 48)],
)
def test_both_methods_over_the_same_four_or_five_values(method: Percentile, p50: int, p90: int, p95: int) -> None:
    values = [50, 20, 10, 40] if method is Percentile.NEAREST_RANK else [50, 20, 10, 40, 30]
    assert percentiles(values, method) == Percentiles(len(values), p50, p90, p95)


@given(VALUES, st.integers(1, 100))
def test_the_nearest_rank_is_the_least_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    found = percentile(values, percent, Percentile.NEAREST_RANK)
    reached = [value for value in values if 100 * sum(each <= value for each in values) >= percent * len(values)]
    assert found == min(reached)


@given(VALUES, st.integers(0, 100))
def test_the_interpolated_one_lies_on_the_line_between_its_neighbours(values: list[int], percent: int) -> None:
    place = Fraction((len(values) - 1) * percent, 100)
    below = values[int(place)]
    above = values[min(int(place) + 1, len(values) - 1)]
    exact = below + (above - below) * (place - int(place))
    assert abs(percentile(values, percent, Percentile.INTERPOLATED) - exact) <= Fraction(1, 2)


def quantile(values: list[int], percent: int, named: str) -> Fraction:
    """numpy's methods by their names: `inverted_cdf` and `linear` of Hyndman and Fan's list, 1 and 7, by its formula.

    A place j + g between the order statistics x[1] .. x[n]: n p + m, of which the first rounds up and the other weighs.
    """
    ordered, share = sorted(values), Fraction(percent, 100)
    place = len(ordered) * share + (1 - share if named == "linear" else 0)
    below, rest = int(place), place - int(place)
    weight = rest if named == "linear" else Fraction(int(rest > 0))
    low, high = (ordered[min(max(at, 1), len(ordered)) - 1] for at in (below, below + 1))
    return (1 - weight) * low + weight * high


@given(VALUES, st.integers(0, 100))
def test_each_method_is_the_one_that_numpy_has_under_another_name(values: list[int], percent: int) -> None:
    assert percentile(values, percent, Percentile.NEAREST_RANK) == quantile(values, percent, "inverted_cdf")
    exact = quantile(values, percent, "linear")
    assert percentile(values, percent, Percentile.INTERPOLATED) == (2 * exact + 1) // 2


def test_no_value_has_no_percentile_and_mixed_methods_have_none_either() -> None:
    assert percentiles([], Percentile.NEAREST_RANK) == Percentiles()
    assert percentiles([1, 2], None) == Percentiles(2)
