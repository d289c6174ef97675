"""No cell whatever stops a file: every row is taken whole, or rejected with its reason, exactly once."""

import csv
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from collector.importers._core.plan import Outcome
from collector.importers.delivery import Reading
from collector.importers.figures import FiguresReading, parse_figure_mapping
from collector.importers.mapping import Mapping
from collector.importers.reading import MappedReading
from collector.importers.tables import Table
from tests.collector.importers.files import HEADER, LIMITS, SETTINGS, call, mapping_of, reading_of
from tests.collector.importers.test_figures import HEADER as FIGURES_HEADER
from tests.collector.importers.test_figures import LONG, MAPPING
from wire.codec import decode_body
from wire.kinds import Kind
from wire.limits import INSTANT_MAX_MS

LATEST = 1_800_000_000_000
"""2027-01-15."""
LIMITED = msgspec.structs.replace(SETTINGS, latest=LATEST, rejected_listed=1000)
NEW_YORK = 'zone = "Asia/Shanghai" => zone = "America/New_York"'
EPOCHS = 'resolution_s = 1 => resolution_s = 1\nformats = ["epoch_ms"]'
LENGTHS_ONLY = 'queue_exit = "left"\n => '
DATED = '[time] => [time]\ndate = "result"\ndate_of = "entered"\ndate_formats = ["%Y/%m/%d"]'
MAPPINGS = [
    mapping_of(),
    mapping_of(a=NEW_YORK),
    mapping_of(a=EPOCHS),
    mapping_of(a=LENGTHS_ONLY),
    mapping_of(a=LENGTHS_ONLY, b='service_end = "ended" => service = "ended"'),
    mapping_of(a=DATED),
]
SENTINELS = [
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "9999-12-31",
    "0001-01-01",
    "9999/12/31",
    "23:59:59",
    "00:00:00",
    "1970-01-01 00:00:00",
    "99999999999",
    "99999999999999999999",
    "9" * 5000,
    "9" * 5000 + ":00",
    "1:" + "9" * 5000,
    "0." + "9" * 5000,
    "9" * 5000 + "秒",
    "99999999天",
    "-1",
    "1e400",
    "٣",
    "²",
    "",
]
ORDINARY = ["presale", "a-1", "7", "2026-11-02 10:00:00", "2026-11-02 10:00:07", "2026-11-02 10:03:00", "ok"]
CELLS = st.one_of(
    st.sampled_from(SENTINELS),
    st.sampled_from(ORDINARY),
    st.datetimes().map(lambda wall: wall.isoformat(" ", "seconds")),
    st.integers(0, 10**30).map(str),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)


def written(path: Path, header: str, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(header.strip().split(","))
        writer.writerows(rows)
    return path


def rows_accounted_for(reading: Reading, latest: int = LATEST) -> int:
    """Each row is one outcome; a taken one tells bodies that the door can read, a rejected one says why."""
    told = defaultdict(list)
    for event in reading.in_file_order():
        told[event.row].append(event)
    report = reading.report
    assert report.rows == sum(report.outcomes.values())
    assert sum(report.reasons.values()) == len(report.rejected) == report.outcomes[Outcome.REJECTED]
    rejected = {row.row for row in report.rejected}
    for row, events in told.items():
        assert {event.kind == Kind.QUARANTINED for event in events} == {row in rejected}
        for event in events if row not in rejected else ():
            body = decode_body(event.kind, event.kind_version, event.body)
            assert body is not None
            assert body.occurred_at <= latest
    return report.rows


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cells")


@settings(max_examples=120)
@given(
    mapping=st.sampled_from(MAPPINGS),
    rows=st.lists(st.lists(CELLS, min_size=7, max_size=7), min_size=1, max_size=6),
)
def test_no_cell_of_a_call_stops_its_file(directory: Path, mapping: Mapping, rows: list[list[str]]) -> None:
    numbered = [[f"c-{number}", *cells] for number, cells in enumerate(rows)]
    path = written(directory / "calls.csv", HEADER, numbered)
    assert rows_accounted_for(MappedReading(path, mapping, "acme", LIMITED)) == len(rows)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_no_sentinel_in_a_sound_row_stops_its_file(tmp_path: Path, mapping: Mapping) -> None:
    sound = call().strip().split(",")
    rows = [
        [f"c-{place}-{number}", *sound[1:place], sentinel, *sound[place + 1 :]]
        for place in range(1, len(sound))
        for number, sentinel in enumerate(SENTINELS)
    ]
    path = written(tmp_path / "calls.csv", HEADER, rows)
    assert rows_accounted_for(MappedReading(path, mapping, "acme", LIMITED)) == len(rows)


@settings(max_examples=60)
@given(
    layout=st.sampled_from([(MAPPING, FIGURES_HEADER), (LONG, "day,metric,value\n")]),
    zone=st.sampled_from(["Asia/Shanghai", "America/New_York"]),
    cells=st.lists(st.one_of(CELLS, st.sampled_from(["FRT", "share"])), min_size=6, max_size=6),
)
def test_no_cell_of_a_figure_stops_its_file(
    directory: Path, layout: tuple[str, str], zone: str, cells: list[str]
) -> None:
    mapping, header = layout
    width = header.count(",") + 1
    row = [cells[0] or "2025-11-03", *cells[1:width]]
    path = written(directory / "figures.csv", header, [row])
    parsed = parse_figure_mapping(mapping.replace("Asia/Shanghai", zone))
    assert rows_accounted_for(FiguresReading(path, parsed, "acme", LIMITED), INSTANT_MAX_MS) == 1


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (call(entered="0001-01-01 00:00:00", left="", wait="7"), "time_out_of_range", "entered"),
        (call(wait="99999999999999999999"), "not_a_duration", "wait"),
        (call(wait="9" * 5000), "not_a_duration", "wait"),
    ],
)
def test_a_cell_that_is_beyond_all_time_says_so_and_the_next_row_is_taken(
    tmp_path: Path, row: str, reason: str, column: str
) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + row + call(2))
    list(reading.in_file_order())
    assert [(each.row, each.reason, each.column) for each in reading.report.rejected] == [(2, reason, column)]
    assert reading.report.outcomes[Outcome.ANSWERED] == 1


def test_the_last_second_of_the_calendar_is_out_of_range_west_of_greenwich(tmp_path: Path) -> None:
    row = call(entered="9999-12-31 23:59:59", left="", wait="7")
    reading = reading_of(tmp_path / "calls.csv", HEADER + row, mapping_of(a=NEW_YORK))
    list(reading.in_file_order())
    assert [(each.reason, each.column) for each in reading.report.rejected] == [("time_out_of_range", "entered")]


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        ("0001-01-01,flagship,a-1,200,193,96.5%\n", "time_out_of_range", "day"),
        ("9999-12-31,flagship,a-1,200,193,96.5%\n", "time_out_of_range", "day"),
        ("1960-01-01,flagship,a-1,200,193,96.5%\n", "time_out_of_range", "day"),
        ("2025-11-03,flagship,a-1,200,193," + "9" * 5000 + "\n", "not_a_figure", "rate"),
        ("9" * 5000 + ",flagship,a-1,200,193,96.5%\n", "not_a_date", "day"),
    ],
)
def test_a_figure_beyond_all_time_is_rejected_by_itself(tmp_path: Path, row: str, reason: str, column: str) -> None:
    path = tmp_path / "figures.csv"
    path.write_text(FIGURES_HEADER + row + "2025-11-04,flagship,a-1,200,193,96.5%\n", encoding="utf-8")
    reading = FiguresReading(path, parse_figure_mapping(MAPPING), "acme", LIMITED)
    assert len(list(reading.in_file_order())) == 2
    assert [(each.reason, each.column) for each in reading.report.rejected] == [(reason, column)]
    assert reading.report.outcomes["figures"] == 1


def test_a_figure_of_thousands_of_digits_in_time_is_none(tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    path.write_text("day,metric,value\n2025-11-03,FRT," + "9" * 5000 + "\n", encoding="utf-8")
    reading = FiguresReading(path, parse_figure_mapping(LONG), "acme", LIMITED)
    list(reading.in_file_order())
    assert [(each.reason, each.column) for each in reading.report.rejected] == [("not_a_figure", "value")]


def test_sentinels_in_a_workbook_are_read_as_those_of_a_csv(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.create_sheet("calls", 0)
    sheet.append(HEADER.strip().split(","))
    ends = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - a workbook knows no zones
    for number, cell in enumerate([ends, "9" * 5000, 10**300, 1e300]):
        sheet.append([f"c-{number}", "presale", "a-1", cell, None, 7, None, "ok"])
    book.save(tmp_path / "calls.xlsx")
    rows = list(Table(tmp_path / "calls.xlsx", encoding="auto", delimiter=",", sheet="", limits=LIMITS).rows())
    assert rows[1][1][3] == "9999-12-31 23:59:59"
    assert rows_accounted_for(MappedReading(tmp_path / "calls.xlsx", mapping_of(a=NEW_YORK), "acme", LIMITED)) == 4


# --------------------------------------------------------------------------------------------------------- the future


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (call(left="", wait="99999999999"), "wait"),
        (call(agent="", left="", wait="99999999999"), "wait"),
        (call(ended="2126-11-02 10:03:00"), "ended"),
        (call(left="2126-11-02 10:00:07", wait=""), "left"),
        (call(entered="2126-11-02 10:00:00", left="", wait="7"), "entered"),
    ],
)
def test_a_row_that_reaches_into_the_future_is_rejected_whole(tmp_path: Path, row: str, column: str) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + row + call(2), settings=LIMITED)
    events = list(reading.in_file_order())
    assert [(each.row, each.reason, each.column) for each in reading.report.rejected] == [
        (2, "occurred_in_future", column)
    ]
    assert {event.kind == Kind.QUARANTINED for event in events if event.row == 2} == {True}
    assert reading.report.outcomes[Outcome.ANSWERED] == 1


def test_the_rows_after_one_of_the_future_keep_their_numbers_once_that_has_come(tmp_path: Path) -> None:
    content = HEADER + call(1) + call(2, ended="2126-11-02 10:03:00") + call(3)
    now = list(reading_of(tmp_path / "calls.csv", content, settings=LIMITED).in_file_order())
    later = list(reading_of(tmp_path / "calls.csv", content).in_file_order())
    assert [event.sequence for event in now] == [event.sequence for event in later] == list(range(1, 13))
    assert [event for event in now if event.row != 3] == [event for event in later if event.row != 3]
