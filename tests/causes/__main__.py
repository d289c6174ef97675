"""Print the confusion matrix: `python -m tests.causes --seeds 20`."""

import argparse
from collections import Counter

from tests.causes.matrix import Matrix, run, table


def main() -> None:
    """Run so many floors and print what became of their misses."""
    parser = argparse.ArgumentParser(prog="python -m tests.causes", description="causes of misses, true and traced")
    parser.add_argument("--seeds", type=int, default=20, help="how many floors for each cause")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    asked = parser.parse_args()
    matrix: Matrix = Counter()
    for seed in range(asked.first, asked.first + asked.seeds):
        matrix += run(seed)
    print(table(matrix))


main()
