"""A small slice of `python -m tests.causes`: misses are traced to what made them."""

from collections import Counter

import pytest

from tests.causes.matrix import INJECTED, Matrix, on_diagonal, run, table
from wire.incident import Cause


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    found: Matrix = Counter()
    for seed in (0, 1):
        found += run(seed)
    return found


def test_of_a_hundred_misses_at_least_ninety_five_are_traced_to_what_made_them(matrix: Matrix) -> None:
    right, whole = on_diagonal(matrix)
    assert right * 100 >= whole * 95, table(matrix)


def test_a_miss_that_one_trouble_made_is_never_traced_to_another(matrix: Matrix) -> None:
    wrong = {
        pair: count
        for pair, count in matrix.items()
        if pair[0] is not Cause.NONE and pair[1] not in {*pair[:1], Cause.NONE}
    }
    assert wrong == {}
    assert {was for was, traced in matrix if was is traced} == {*INJECTED}


def test_hardly_a_miss_without_a_cause_is_given_one(matrix: Matrix) -> None:
    without = {cause: count for (was, cause), count in matrix.items() if was is Cause.NONE}
    assert without[Cause.NONE] * 100 >= sum(without.values()) * 90, table(matrix)
