"""Which identities two machines claimed: told to people by name, while no metric, and so no rule, names them."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from collector.enrolment.store import STORE_FILE, EnrolmentStore
from seatwatch.enrolment_job import FOLDER
from seatwatch.settings import Defaults

log = structlog.get_logger()


def seen_twice(data: Path, defaults: Defaults) -> Callable[[int], Sequence[str]]:
    """Asks the store of a data directory, where it has one, for those of an alert that began at an instant (ms).

    What cannot be read is logged and names nobody: the alert is told all the same.
    """
    window_ms: Final = defaults.ms("paging.failing_window")

    def named(began_at: int) -> Sequence[str]:
        if not (data / FOLDER / STORE_FILE).exists():
            return []
        try:
            with closing(EnrolmentStore(data / FOLDER, lock_wait_s=defaults.seconds("enrolment.lock_wait"))) as store:
                return store.told_twice(began_at - window_ms)
        except (OSError, sqlite3.Error) as error:
            log.warning("paging.identities_not_read", problem=str(error))
            return []

    return named
