"""A real day of a bank's call center: every row accounted for, every wait as stated, the board as counted by hand."""

import csv
import json
import os
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.cli import run
from seatwatch.server.engines import calendar_of
from seatwatch.settings import load_defaults
from seatwatch.site_limits import site_limits
from sla_engine._core.client import TileSettings
from sla_engine._core.engine import new_shard, step
from sla_engine.board_at import BoardAtSettings, board
from wire.board import Board, Mean, Ratio, Tile
from wire.conversation import AgentTurn, Closed, CustomerLeft, Offered
from wire.recorded import Recorded
from wire.verdict import Outcome, SessionFact

ROOT: Final = Path(__file__).resolve().parents[2]
CALLS: Final = (ROOT / os.environ.get("SEATWATCH_SHARED_DATA", "../shared/data")).resolve() / "bank_calls"
FILE: Final = CALLS / "1999-08-10.csv"
EXAMPLE: Final = ROOT / "examples" / "bank_calls"
ZONE: Final = ZoneInfo("Asia/Jerusalem")
NEVER: Final = "0:00:00"
LIMIT_S: Final = 10


class Call(NamedTuple):
    """One row, read here without any code of the importer. Instants in ms; None = not in the file."""

    id: str
    queue: str
    outcome: str
    entered: int | None
    left: int | None
    wait_s: int
    served_until: int | None


def instant(date: str, time: str, not_before: int = 0) -> int:
    """Ms of a wall time; past midnight where that is what brings it behind `not_before`."""
    at = datetime.fromisoformat(date).replace(tzinfo=ZONE)
    hours, minutes, seconds = map(int, time.split(":"))
    at = at.replace(hour=hours, minute=minutes, second=seconds)
    if at.timestamp() * 1000 < not_before - 12 * 3_600_000:
        at += timedelta(days=1)
    return round(at.timestamp() * 1000)


def read(row: dict[str, str]) -> Call:
    date = row["date"]
    queued = (row["q_start"], row["q_exit"]) != (NEVER, NEVER)
    entered = left = None
    if queued:
        entered = instant(date, row["q_start"])
        left = instant(date, row["q_exit"], entered)
    elif row["outcome"] == "AGENT":  # straight from the menu to a person
        entered = left = instant(date, row["vru_exit"])
    served_until = None
    if row["outcome"] == "AGENT" and left is not None:
        served = (row["ser_start"], row["ser_exit"]) != (NEVER, NEVER)
        served_until = max(left, instant(date, row["ser_exit"], left)) if served else left
    return Call(
        f"{row['vru+line']}-{row['call_id']}",
        row["type"],
        row["outcome"],
        entered,
        left,
        int(row["q_time"]),
        served_until,
    )


@pytest.fixture(scope="module")
def calls() -> dict[str, Call]:
    assert FILE.is_file(), f"no file at {FILE}"
    with FILE.open(newline="", encoding="utf-8") as file:
        found = [read(row) for row in csv.DictReader(file)]
    assert len({call.id for call in found}) == len(found) == 2155
    return {call.id: call for call in found}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory into which the file was imported, by the command a person uses."""
    directory = tmp_path_factory.mktemp("bank")
    assert run(command(directory)) == 0
    return directory


def command(directory: Path, *more: str) -> list[str]:
    mapping = str(EXAMPLE / "mapping.toml")
    return ["import", str(FILE), "--mapping", mapping, "--client", "bank", "--data", str(directory), *more]


def records(directory: Path) -> list[Recorded]:
    reader = LedgerReader.open(directory / "clients" / "bank")
    try:
        return [recorded(entry) for entry in reader.read(0, reader.size())]
    finally:
        reader.close()


def test_every_row_is_exactly_one_of_four(
    calls: dict[str, Call], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(tmp_path, "--json")) == 0
    report = json.loads(capsys.readouterr().out)
    kinds = Counter(
        "rejected"
        if call.outcome == "PHANTOM"
        else "answered"
        if call.outcome == "AGENT"
        else "never_queued"
        if call.entered is None
        else "abandoned"
        for call in calls.values()
    )
    assert report["outcomes"] == dict(kinds)
    assert report["outcomes"] == {"answered": 1270, "abandoned": 741, "never_queued": 121, "rejected": 23}
    assert report["rows"] == sum(kinds.values()) == 2155
    assert report["reasons"] == {"phantom": 23}
    assert report["complete"]


def test_every_wait_in_the_events_is_the_one_the_file_states(data: Path, calls: dict[str, Call]) -> None:
    entered: dict[str, int] = {}
    waited: dict[str, int] = {}
    for record in records(data):
        if isinstance(record.body, Offered):
            entered[record.body.conversation] = record.body.occurred_at
        elif isinstance(record.body, AgentTurn | CustomerLeft):
            waited[record.body.conversation] = record.body.occurred_at - entered[record.body.conversation]
    owed = {
        call.id: call.wait_s * 1000 for call in calls.values() if call.entered is not None and call.outcome != "PHANTOM"
    }
    assert waited == owed


def test_every_wait_the_engine_judges_is_the_one_the_file_states(data: Path, calls: dict[str, Call]) -> None:
    entries = records(data)
    facts = {
        fact.conversation: fact
        for fact in step(new_shard(), entries, entries[-1].received_at).facts
        if isinstance(fact, SessionFact)
    }
    assert Counter(fact.outcome for fact in facts.values()) == {Outcome.ANSWERED: 1270, Outcome.ABANDONED: 741}
    for fact in facts.values():
        call = calls[fact.conversation]
        waited = fact.first_response_ms
        if fact.outcome is Outcome.ABANDONED and fact.ended_at is not None:
            waited = fact.ended_at - fact.started_at
        assert waited == call.wait_s * 1000, call
        assert fact.queue == call.queue


def test_events_are_in_the_ledger_in_order_of_time(data: Path) -> None:
    conversations = (Offered, AgentTurn, CustomerLeft, Closed)
    times = [record.body.occurred_at for record in records(data) if isinstance(record.body, conversations)]
    assert len(times) == 2 * 741 + 3 * 1270
    assert times == sorted(times)


def test_a_second_import_leaves_the_ledger_as_it_is(data: Path) -> None:
    before = records(data)
    assert run(command(data)) == 0
    assert records(data) == before


# -------------------------------------------------------------------------------------------------------- the board


def board_at(data: Path, at: int) -> Board:
    defaults = load_defaults()
    settings = BoardAtSettings(
        lookback_ms=defaults.ms("board.lookback"),
        calendar=calendar_of(defaults.text("contract.time_zone"), defaults),
        limits=site_limits(defaults),
        tiles=defaults.fill(TileSettings, "board"),
    )
    return board(data, at, settings=settings)


def check_tile(tile: Tile, calls: list[Call], at: int) -> None:
    """The tile against a count over the rows, straight from the promise: at most ten seconds, whoever it is."""
    began = [call for call in calls if call.entered is not None and call.entered <= at]
    waiting = [call for call in began if call.left is not None and call.left > at]
    ended = [call for call in began if call.left is not None and call.left <= at]
    answered = [call for call in ended if call.outcome == "AGENT"]
    overdue = [call for call in waiting if call.entered is not None and call.entered + LIMIT_S * 1000 < at]
    in_hands = [call for call in answered if call.served_until is not None and call.served_until > at]
    met = [call for call in answered if call.wait_s <= LIMIT_S]

    assert tile.live is not None
    assert tile.live.waiting == len(waiting)
    assert tile.live.overdue == len(overdue)
    assert tile.live.oldest_since == min((call.entered for call in waiting if call.entered is not None), default=None)
    assert tile.live.open == len(waiting) + len(in_hands)
    assert tile.day.offered == len(began)
    assert tile.day.answered == len(answered)
    assert tile.day.abandoned == len(ended) - len(answered)
    assert tile.day.attainment == Ratio(len(met), len(ended) + len(overdue))
    assert tile.day.first_response == Mean(sum(call.wait_s for call in answered) * 1000, len(answered))


@pytest.mark.parametrize("clock", ["11:00:00", "07:30:00", "10:01:00", "14:20:00", "20:15:00", "23:59:00"])
def test_the_board_of_an_instant_is_what_counting_the_rows_gives(
    data: Path, calls: dict[str, Call], clock: str
) -> None:
    at = instant("1999-08-10", clock)
    told = [call for call in calls.values() if call.outcome != "PHANTOM"]
    seen = board_at(data, at)
    (client,) = seen.clients
    check_tile(client, told, at)
    for tile in seen.queues:
        check_tile(tile, [call for call in told if call.queue == tile.id], at)


def test_at_eleven_somebody_waits_and_somebody_is_served(data: Path) -> None:
    (client,) = board_at(data, instant("1999-08-10", "11:00:00")).clients
    assert client.live is not None
    assert client.live.waiting > 0
    assert client.live.open > client.live.waiting
    assert 0 < client.day.attainment.part < client.day.attainment.whole
