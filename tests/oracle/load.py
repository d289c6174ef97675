"""How many conversations each person had in hands."""

from collections.abc import Sequence

from tests.oracle.reading import pieces_of, steps_of, told_of
from wire.recorded import Recorded


def load(entries: Sequence[Recorded]) -> dict[tuple[int, str], int]:
    """(instant, account) -> how many conversations joined, less how many left."""
    net: dict[tuple[int, str], int] = {}
    for told in told_of(entries).values():
        for step in steps_of(pieces_of(told)):
            before, after = (leg.account if leg else "" for leg in (step.before, step.after))
            if before != after:
                for account, change in ((before, -1), (after, 1)):
                    if account:
                        net[step.at, account] = net.get((step.at, account), 0) + change
    return {key: change for key, change in net.items() if change}
