"""A ledger to report over, and the report as the command makes it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ledger.reader import LedgerReader
from sla_engine._core.definition import Definition
from sla_engine.replay import entered_rules
from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.report import Question, Report
from sla_engine.reports.making import ReportSettings, report, ruling_of
from tests.builders import Event, ms
from tests.sla_engine.entries import head
from tests.sla_engine.feeding import Feed
from wire.organisation import Relation, RosterLink

DAY_MS = 86_400_000
SETTINGS = ReportSettings(lookback_ms=7 * DAY_MS, facts_lag_ms=60_000, hands_idle_ms=DAY_MS // 12)


def linked(relation: Relation, subject: str, target: str) -> Event:
    return Event(
        RosterLink(**head(0), relation=relation, subject=subject, target=target, effective_from=0), "~roster", 0
    )


def filled(directory: Path, events: Iterable[Event]) -> Path:
    """A client's ledger holding these."""
    feed = Feed(directory)
    feed.append(events)
    feed.close()
    return directory


def made(
    ledger: Path,
    by: By,
    since: str | int,
    until: str | int,
    *,
    queues: Sequence[str] = ("*",),
    asked: tuple[Definition, bool] | None = None,
    facts: Path | None = None,
    known_at: str | int | None = None,
) -> Report:
    known = None if known_at is None else ms(known_at)
    question = Question(client="acme", by=by, since=ms(since), until=ms(until), queues=tuple(queues), known_at=known)
    reader = LedgerReader.open(ledger)
    try:
        ruling = ruling_of(*entered_rules(reader), asked, queues, question.since)
        assert ruling is not None
        return report(reader, facts, question, ruling, SETTINGS, lambda _: None)
    finally:
        reader.close()
