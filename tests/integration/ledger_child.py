"""A process that appends to a ledger and says what it has acknowledged; its parent kills it or breaks its disk.

    python -m tests.integration.ledger_child DIRECTORY BATCHES DAYS_PER_BATCH

Prints "opened SIZE", then "acknowledged SIZE ROOT" after every commit. Ends with 70 when opening or a commit failed.
"""

import os
import sys
from pathlib import Path
from typing import Final

from ledger.errors import LedgerFailed
from tests.ledger.building import DAY_MS, EPOCH, NOON, SOURCE, new_entry, open_writer

FAILED: Final = 70


def main() -> None:
    directory, batches, days = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    try:
        writer = open_writer(directory)
    except (LedgerFailed, OSError) as error:
        sys.stderr.write(f"{error}\n")
        os._exit(FAILED)
    say(f"opened {writer.size}")
    reached = writer.mark(SOURCE, EPOCH)
    for batch in range(batches):
        sequences = range(reached + 1, reached + 8)
        reached = sequences[-1]
        try:
            writer.commit(
                [new_entry(sequence) for sequence in sequences],
                received_at=writer.last_received_at + days * DAY_MS if batch else NOON,
                marks={(SOURCE, EPOCH): reached},
            )
        except LedgerFailed as error:
            sys.stderr.write(f"{error}\n")
            os._exit(FAILED)
        say(f"acknowledged {writer.size} {writer.root().hex()}")
    writer.close()


def say(line: str) -> None:
    """One write per line, so that a kill never leaves half of one."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    main()
