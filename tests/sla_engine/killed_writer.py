"""A process that commits facts until it is killed: entry n is a session in one of two months, judged and corrected."""

from pathlib import Path

from sla_engine.facts_store import Commit, FactsStore
from tests.builders import ms
from tests.sla_engine.facts import session
from tests.sla_engine.folding import CALENDAR
from wire.verdict import SessionFact

STEP = 5


def fact_of(index: int, revision: int) -> SessionFact:
    started_at = ms("09:00") if index % 2 else ms("+35 09:00")
    return session(f"c{index}", session=index, started_at=started_at, revision=revision, entry_index=index)


def write_for_ever(directory: Path) -> None:
    """Go on from the offset, five entries a commit, and note each commit in a file."""
    store = FactsStore.open(directory, ledger_id=b"L" * 16, ledger_size=10**6, period_of=CALENDAR.month_of)
    saved = store.saved()
    index = 0 if saved is None else saved.next_index
    with (directory / "progress").open("ab", buffering=0) as progress:
        while True:
            entries = range(index, index + STEP)
            store.commit(Commit(index, b"l", [fact_of(n, 0) for n in entries], {f"c{index}": b"x"}, {}))
            index += STEP
            store.commit(Commit(index, b"l", [fact_of(n, 1) for n in entries], {f"c{index - STEP}": None}, {}))
            progress.write(b".")
