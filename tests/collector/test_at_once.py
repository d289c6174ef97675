"""One batch into several ledgers: the operator's first, the clients' side by side; one failure fails the batch."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector._core.admission import Rules
from collector.at_once import SideBySide, one_after_another
from collector.committer import Committer, DerivedJob
from collector.stats import IntakeStats
from ledger.entry import NewEntry
from ledger.errors import LedgerFailed
from ledger.writer import Committed, LedgerWriter, StreamKey
from tests.ledger.building import NOON, default_settings, new_entry
from wire.ids import OPERATOR

CLIENTS = ("acme", "bolt", "crab")


class _Meeting(LedgerWriter):
    """A real writer that, before it commits, waits for the other clients' writers, and notes in which order it came."""

    meeting: threading.Barrier
    order: list[str]
    name: str
    fails = False

    def commit(
        self, entries: Sequence[NewEntry], *, received_at: int, marks: Mapping[StreamKey, int] | None = None
    ) -> Committed:
        if self.name != OPERATOR:
            self.meeting.wait(10)
        self.order.append(self.name)
        if self.fails:
            raise LedgerFailed("the disk is full")
        return super().commit(entries, received_at=received_at, marks=marks)


@contextmanager
def meeting_writers(directory: Path) -> Iterator[dict[str, _Meeting]]:
    meeting, order = threading.Barrier(len(CLIENTS)), list[str]()
    writers: dict[str, _Meeting] = {}
    for name in (*CLIENTS, OPERATOR):
        writer = _Meeting.open(directory / name, settings=default_settings(), clock_ms=lambda: NOON)
        assert isinstance(writer, _Meeting)
        writer.meeting, writer.order, writer.name = meeting, order, name
        writers[name] = writer
    try:
        yield writers
    finally:
        for writer in writers.values():
            writer.close()


def committer(writers: Mapping[str, LedgerWriter], at_once: SideBySide) -> Committer:
    return Committer(
        writers,
        rules=Rules(future_tolerance_ms=1000, holes_max=10),
        streams_max=10,
        clock_ms=lambda: NOON,
        stats=IntakeStats(),
        at_once=at_once,
    )


@pytest.fixture
def side_by_side() -> Iterator[SideBySide]:
    threads = SideBySide(len(CLIENTS))
    yield threads
    threads.close()


def jobs() -> list[DerivedJob]:
    return [DerivedJob(name, [new_entry(n, source="~rules") for n in (1, 2)], False) for name in (*CLIENTS, OPERATOR)]


def test_the_clients_ledgers_are_committed_at_once_and_the_operators_before_them(
    tmp_path: Path, side_by_side: SideBySide
) -> None:
    with meeting_writers(tmp_path) as writers:
        result = committer(writers, side_by_side).commit(jobs())
        assert result.sizes == dict.fromkeys((*CLIENTS, OPERATOR), 2)
        assert writers[OPERATOR].order[0] == OPERATOR
        assert sorted(writers[OPERATOR].order[1:]) == sorted(CLIENTS)


def test_a_failure_in_one_ledger_fails_the_batch_once_all_have_ended(tmp_path: Path, side_by_side: SideBySide) -> None:
    with meeting_writers(tmp_path) as writers:
        writers["bolt"].fails = True
        with pytest.raises(LedgerFailed, match="disk is full"):
            committer(writers, side_by_side).commit(jobs())
        assert sorted(writers[OPERATOR].order[1:]) == sorted(CLIENTS)
        assert [writers[name].size for name in CLIENTS] == [2, 0, 2]


def test_one_alone_runs_in_the_callers_thread_and_without_threads_a_failure_ends_the_row(
    side_by_side: SideBySide,
) -> None:
    ran: list[object] = []
    side_by_side([lambda: ran.append(threading.current_thread())])
    assert ran == [threading.current_thread()]

    def fail() -> None:
        raise LedgerFailed("the disk is full")

    with pytest.raises(LedgerFailed):
        one_after_another([fail, lambda: ran.append("went on")])
    assert len(ran) == 1
