"""What the samples of platforms make of a file: the waits it shows, and who had each session since when."""

from pathlib import Path
from typing import NamedTuple

from collector.importers.mapping import parse_mapping
from collector.importers.reading import MappedReading
from collector.importers.report import Report
from tests.collector.importers.files import SETTINGS
from tests.tidy.source import ROOT
from wire.codec import decode_body
from wire.conversation import AgentTurn, Assigned, CustomerLeft, Offered
from wire.kinds import Kind

PLATFORMS = ROOT / "examples" / "platforms"


class Waits(NamedTuple):
    """Seconds since a session entered, until it was assigned, answered, or ended unanswered."""

    report: Report
    assigned: list[int]
    answered: list[int]
    left: list[tuple[str, int]]


def waits(rows: Path, platform: str, file_table: str = "", formats: str = "") -> Waits:
    """file_table: lines for [file] of the sample's mapping. formats: one more of its times."""
    text = (PLATFORMS / platform / "mapping.toml").read_text(encoding="utf-8")
    text = text.replace("[time]", f"[file]\n{file_table}\n[time]", 1)
    text = text.replace("formats = [", f'formats = ["{formats}", ', 1) if formats else text
    reading = MappedReading(rows, parse_mapping(text), "acme", SETTINGS)
    entered: dict[str, int] = {}
    found = Waits(reading.report, [], [], [])
    for event in reading.in_file_order():
        body = None if event.kind == Kind.QUARANTINED else decode_body(event.kind, event.kind_version, event.body)
        if isinstance(body, Offered):
            entered[body.conversation] = body.occurred_at
        if isinstance(body, AgentTurn | Assigned | CustomerLeft):
            waited = (body.occurred_at - entered[body.conversation]) // 1000
            if isinstance(body, CustomerLeft):
                found.left.append((body.reason, waited))
            else:
                (found.assigned if isinstance(body, Assigned) else found.answered).append(waited)
    return found._replace(report=reading.report, left=sorted(found.left))
