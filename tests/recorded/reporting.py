"""Reports over a recorded ledger: under every service-level formula, in every unit, and by its own contracts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ledger.reader import LedgerReader
from sla_engine._core.choices import Boundary, ServiceLevelFormula, Unit
from sla_engine._core.contract import EVERY_QUEUE
from sla_engine._core.definition import Definition
from sla_engine.replay import entered_rules
from sla_engine.reports._core.buckets import By
from sla_engine.reports._core.report import Question, Report
from sla_engine.reports.making import ReportSettings, report, ruling_of
from tests.builders import ms

NEVER_MS: Final = ms("+90 00:00") - ms("00:00")
"""As when the recordings were made, one that nobody closed stays in hands."""
SETTINGS: Final = ReportSettings(lookback_ms=ms("+7 00:00") - ms("00:00"), facts_lag_ms=0, hands_idle_ms=NEVER_MS)


def reports_of(ledger: Path) -> Iterator[tuple[str, Report]]:
    """(what is asked, the answer). The rules replayed under each formula are those of the ledger's first definition."""
    reader = LedgerReader.open(ledger)
    first = entered_rules(reader)[0][0]
    asked = {formula.value: replace(first, service_level_formula=formula) for formula in ServiceLevelFormula}
    asked |= {unit.value: replace(first, unit=unit, boundary=Boundary.BELOW) for unit in Unit}
    for name, definition in asked.items():
        yield name, _report(reader, By.DAY, ms("04:00"), ms("+1 04:00"), definition)
    yield "contracts", _report(reader, By.HOUR, ms("08:00"), ms("12:00"))
    reader.close()


def _report(reader: LedgerReader, by: By, since: int, until: int, asked: Definition | None = None) -> Report:
    question = Question(client="acme", by=by, since=since, until=until, queues=(EVERY_QUEUE,))
    chosen = None if asked is None else (asked, True)
    ruling = ruling_of(*entered_rules(reader), chosen, question.queues, question.since)
    assert ruling is not None
    return report(reader, None, question, ruling, SETTINGS, lambda _: None)


def line_of_report(asked: str, answer: Report) -> bytes:
    return msgspec.json.encode({"asked": asked, "report": answer})


def told_then(now: bytes, then: bytes) -> bytes:
    """A line of `now` without the fields that the line of `then` does not have."""
    return msgspec.json.encode(_without_new(msgspec.json.decode(now), msgspec.json.decode(then)))


def _without_new(now: Any, then: Any) -> Any:
    if isinstance(then, dict):
        return {field: _without_new(now[field], then[field]) for field in then}
    if isinstance(then, list) and len(now) == len(then):
        return [_without_new(one, other) for one, other in zip(now, then, strict=True)]
    return now
