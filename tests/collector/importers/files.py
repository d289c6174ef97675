"""Small files and mappings of our own making, and one full-size day drawn from a seed."""

import csv
import io
from pathlib import Path
from random import Random

from collector.importers.mapping import Mapping, parse_mapping
from collector.importers.reading import MappedReading, ReadingSettings
from collector.importers.tables import TableLimits
from wire.limits import INSTANT_MAX_MS

LIMITS = TableLimits(unpacked_bytes_max=1 << 20, rows_max=50_000, columns_max=50)
SETTINGS = ReadingSettings(
    events_sorted=10_000,
    ids_remembered=10_000,
    rows_remembered=10_000,
    rows_noted=1000,
    rows_looked_at=32,
    rejected_listed=100,
    cells_remembered=1000,
    workbook=LIMITS,
    call_longest_ms=12 * 3_600_000,
    latest=INSTANT_MAX_MS,
)

CALLS = """
format = "test-calls"
channel = "voice"

[time]
zone = "Asia/Shanghai"
resolution_s = 1

[roles]
conversation = "id"
queue = "queue"
account = "agent"
queue_entry = "entered"
queue_exit = "left"
wait = "wait"
service_end = "ended"

[[outcome]]
is = "rejected"
reason = "test_call"
when = { result = "test" }

[[outcome]]
is = "never_queued"
when = { entered = "" }

[[outcome]]
is = "answered"
when = { agent = { not = "" } }

[[outcome]]
is = "abandoned"
when = { agent = "" }
"""
HEADER = "id,queue,agent,entered,left,wait,ended,result\n"


def call(
    number: int | str = 1,
    *,
    queue: str = "presale",
    agent: str = "a-1",
    entered: str = "2026-11-02 10:00:00",
    left: str = "2026-11-02 10:00:07",
    wait: str = "7",
    ended: str = "2026-11-02 10:03:00",
    result: str = "ok",
) -> str:
    return f"c-{number},{queue},{agent},{entered},{left},{wait},{ended},{result}\n"


def mapping_of(text: str = CALLS, **replaced: str) -> Mapping:
    """CALLS with parts of it replaced: the keyword is ignored, its value is "old => new"."""
    for change in replaced.values():
        old, new = change.split(" => ")
        assert old in text
        text = text.replace(old, new)
    return parse_mapping(text)


def reading_of(
    path: Path, content: str | bytes, mapping: Mapping | None = None, settings: ReadingSettings = SETTINGS
) -> MappedReading:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return MappedReading(path, mapping or mapping_of(), "acme", settings)


def a_day(seed: int, rows: int) -> tuple[str, dict[str, int]]:
    """A file of the layout above, and how many rows are what. Rows are not in order of time."""
    random = Random(seed)
    counts = dict.fromkeys(("answered", "abandoned", "never_queued", "rejected"), 0)
    out = io.StringIO()
    out.write(HEADER)
    writer = csv.writer(out, lineterminator="\n")
    for number in range(rows):
        start = random.randrange(60_000)
        wait, talk = random.randrange(200), random.randrange(600)
        what = random.choices(tuple(counts), (60, 30, 8, 2))[0]
        counts[what] += 1
        cells = [f"c-{number}", random.choice(("presale", "aftersale")), f"a-{random.randrange(20)}", _clock(start)]
        cells += [_clock(start + wait), str(wait), _clock(start + wait + talk), "ok"]
        if what == "abandoned":
            cells[2], cells[6] = "", ""
        elif what == "never_queued":
            cells[2], cells[3], cells[4], cells[5], cells[6] = "", "", "", "", ""
        elif what == "rejected":
            cells[random.choice((3, 4))] = "noon"
        writer.writerow(cells)
    return out.getvalue(), counts


def _clock(second: int) -> str:
    return f"2026-11-02 {second // 3600:02d}:{second % 3600 // 60:02d}:{second % 60:02d}"
