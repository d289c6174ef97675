"""The example mapping over rows of our own in the bank's format: each kind of dirt once, then a generated day."""

from datetime import datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from collector.importers._core.plan import Outcome
from collector.importers.mapping import read_mapping
from collector.importers.reading import MappedReading
from tests.collector.importers.files import SETTINGS
from tests.tidy.source import ROOT
from wire.body import Body
from wire.codec import decode_body
from wire.conversation import AgentTurn, Closed, CustomerLeft, Offered
from wire.kinds import Kind

HEADER = (
    "vru+line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,outcome,ser_start,"
    "ser_exit,ser_time,server\n"
)
NONE = "0:00:00"


def row(
    number: int = 1,
    *,
    menu: str = "10:00:00,10:00:05,5",
    queue: str = "10:00:05,10:00:12,7",
    outcome: str = "AGENT",
    service: str = "10:00:11,10:02:00,109",
    server: str = "DANA",
) -> str:
    return f"AA01{number % 16:02d},{number},,0,PS,1999-08-10,{menu},{queue},{outcome},{service},{server}\n"


NOT_QUEUED = f"{NONE},{NONE},0"
NOT_SERVED = f"{NONE},{NONE},0"


def reading_of(path: Path, content: str) -> MappedReading:
    path.write_text(HEADER + content, encoding="utf-8")
    return MappedReading(path, read_mapping(ROOT / "examples" / "bank_calls" / "mapping.toml"), "bank", SETTINGS)


def told(reading: MappedReading) -> list[Body]:
    bodies = (
        decode_body(e.kind, e.kind_version, e.body) for e in reading.in_file_order() if e.kind != Kind.QUARANTINED
    )
    return [body for body in bodies if body is not None]


def at(time: str, day: int = 10) -> int:
    wall = datetime.fromisoformat(f"1999-08-{day} {time}").replace(tzinfo=ZoneInfo("Asia/Jerusalem"))
    return round(wall.timestamp() * 1000)


@pytest.mark.parametrize(
    ("content", "outcome", "wait_s", "notes"),
    [
        (row(), Outcome.ANSWERED, 7, []),
        (row(queue=NOT_QUEUED, service="10:00:04,10:01:00,56"), Outcome.ANSWERED, 0, []),
        (row(server="NO_SERVER"), Outcome.ANSWERED, 7, ["answered_by_nobody_known"]),
        (row(service=NOT_SERVED), Outcome.ANSWERED, 7, ["service_end_missing"]),
        (row(service="10:00:06,10:01:00,54"), Outcome.ANSWERED, 7, ["service_starts_before_answer"]),
        (row(service="10:00:10,10:00:10,0"), Outcome.ANSWERED, 7, []),
        (row(menu="10:00:56,10:00:05,-51"), Outcome.ANSWERED, 7, []),
        (row(outcome="HANG", service=NOT_SERVED, server="NO_SERVER"), Outcome.ABANDONED, 7, []),
        (
            row(outcome="HANG", queue="10:00:05,10:00:05,0", service=NOT_SERVED, server="NO_SERVER"),
            Outcome.ABANDONED,
            0,
            [],
        ),
        (row(outcome="HANG", server="NO_SERVER"), Outcome.ABANDONED, 7, ["service_after_hanging_up"]),
        (row(outcome="HANG", queue=NOT_QUEUED, service=NOT_SERVED), Outcome.NEVER_QUEUED, None, []),
        (row(outcome="PHANTOM", server="NO_SERVER"), Outcome.REJECTED, None, []),
        (row(queue="10:00:05,10:00:12,8"), Outcome.REJECTED, None, []),
    ],
)
def test_each_kind_of_row_is_what_its_outcome_says(
    tmp_path: Path, content: str, outcome: Outcome, wait_s: int | None, notes: list[str]
) -> None:
    reading = reading_of(tmp_path / "day.csv", content)
    bodies = told(reading)
    assert reading.report.outcomes[outcome] == reading.report.rows == 1
    assert list(reading.report.noted) == notes
    if wait_s is None:
        assert bodies == []
    else:
        ends = [body for body in bodies if isinstance(body, AgentTurn | CustomerLeft)]
        assert isinstance(bodies[0], Offered)
        assert [end.occurred_at - bodies[0].occurred_at for end in ends] == [wait_s * 1000]


def test_a_call_past_midnight_ends_on_the_next_day(tmp_path: Path) -> None:
    content = row(menu="23:44:09,23:44:18,9", queue="23:44:18,23:45:22,64", service="23:45:21,0:00:03,882")
    closed = told(reading_of(tmp_path / "day.csv", content))[-1]
    assert isinstance(closed, Closed)
    assert closed.occurred_at == at("00:00:03", day=11)


def test_a_wait_that_ends_at_midnight_is_a_wait(tmp_path: Path) -> None:
    content = row(menu="23:59:40,23:59:50,10", queue="23:59:50,0:00:00,10", service="0:00:00,0:01:00,60")
    offered, *_, answer, _ = told(reading_of(tmp_path / "day.csv", content))
    assert (offered.occurred_at, answer.occurred_at) == (at("23:59:50"), at("00:00:00", day=11))


def test_a_generated_day_is_counted_row_by_row_with_every_wait_as_stated(tmp_path: Path) -> None:
    random = Random(5)
    expected = dict.fromkeys(Outcome, 0)
    waits: dict[str, int] = {}
    rows = []
    for number in range(2400):
        start, wait, talk = random.randrange(80_000), random.randrange(300), random.randrange(900)
        what = random.choice([*Outcome, Outcome.ANSWERED, Outcome.ABANDONED])
        expected[what] += 1
        queue, service = f"{_clock(start)},{_clock(start + wait)},{wait}", NOT_SERVED
        outcome = {Outcome.ANSWERED: "AGENT", Outcome.REJECTED: "PHANTOM"}.get(what, "HANG")
        if what is Outcome.ANSWERED:
            service = f"{_clock(start + wait - random.randrange(2))},{_clock(start + wait + talk)},{talk}"
        if what is Outcome.NEVER_QUEUED:
            queue = NOT_QUEUED
        if what in {Outcome.ANSWERED, Outcome.ABANDONED}:
            waits[f"AA01{number % 16:02d}-{number}"] = wait * 1000
        menu = f"{_clock(max(0, start - 5))},{_clock(start)},5"
        rows.append(row(number, menu=menu, queue=queue, outcome=outcome, service=service))
    random.shuffle(rows)
    reading = reading_of(tmp_path / "day.csv", "".join(rows))
    began: dict[str, int] = {}
    found: dict[str, int] = {}
    for body in told(reading):
        if isinstance(body, Offered):
            began[body.conversation] = body.occurred_at
        elif isinstance(body, AgentTurn | CustomerLeft):
            found[body.conversation] = body.occurred_at - began[body.conversation]
    assert reading.report.outcomes == expected
    assert found == waits


def _clock(second: int) -> str:
    second %= 86_400
    return f"{second // 3600}:{second % 3600 // 60:02d}:{second % 60:02d}"
