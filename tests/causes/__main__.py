"""Print the confusion matrix: `python -m tests.causes --seeds 20`."""

import argparse
from collections import Counter

from tests.causes.matrix import Matrix, run, table


def main() -> None:
    """Run floors 0 .. seeds-1 and print what became of their misses."""
    parser = argparse.ArgumentParser(prog="python -m tests.causes", description="causes of misses, true and traced")
    parser.add_argument("--seeds", type=int, default=20, help="how many floors for each cause")
    matrix: Matrix = Counter()
    for seed in range(parser.parse_args().seeds):
        matrix += run(seed)
    print(table(matrix))


main()
