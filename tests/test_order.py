"""Files that wait are between files that compute; each worker loads a part of its own first."""

from itertools import pairwise
from pathlib import PurePosixPath

from tests.order import from_ones_own_part, spread

WAITING = [PurePosixPath(f"tests/integration/test_{n}.py") for n in range(9)]
COMPUTING = [PurePosixPath(f"tests/sla_engine/test_{n}.py") for n in range(40)]


def test_files_that_wait_are_spread_among_the_others_each_kind_in_its_own_order() -> None:
    files = spread([*WAITING, *COMPUTING])
    assert [file for file in files if file in WAITING] == WAITING
    assert [file for file in files if file in COMPUTING] == COMPUTING
    at = [files.index(file) for file in WAITING]
    assert {later - earlier for earlier, later in pairwise(at)} == {5}
    assert files[-4:] == COMPUTING[-4:], "the last ones are short"


def test_files_of_one_kind_stay_as_they_are() -> None:
    assert spread(WAITING) == WAITING
    assert spread(COMPUTING) == COMPUTING
    assert spread([]) == []


def test_each_worker_begins_with_another_part_and_loads_all_of_them() -> None:
    loaded = [from_ones_own_part(range(10), worker, 4) for worker in range(4)]
    assert [order[0] for order in loaded] == [0, 2, 5, 7]
    assert [sorted(order) for order in loaded] == [list(range(10))] * 4
