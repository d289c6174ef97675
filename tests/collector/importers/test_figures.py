"""A platform's own figures: whole numbers in, periods in the platform's zone, nothing the board would read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.importers.columns import MappingError
from collector.importers.figures import FiguresReading, parse_figure_mapping, read_figure_mapping
from sla_engine.definition_files import load_preset
from tests.collector.importers.files import SETTINGS
from tests.tidy.source import ROOT
from wire.codec import decode_body
from wire.kinds import Kind
from wire.platform import PlatformFigure

SAMPLE = ROOT / "examples" / "platforms" / "figures"
MAPPING = """
format = "test-figures"
[period]
column = "day"
zone = "Asia/Shanghai"
[about]
queue = "shop"
account = "who"
[[figure]]
metric = "answered in time"
column = "rate"
unit = "percent"
part = "in_time"
whole = "asked"
definition = "contract-10s"
"""
HEADER = "day,shop,who,asked,in_time,rate\n"
LONG = """
format = "test-long"
[period]
column = "day"
zone = "Asia/Shanghai"
grain = "month"
day_starts = "04:00"
[constant]
queue = "flagship"
[[figure]]
metric = "first response"
column = "value"
unit = "duration"
when = { metric = "FRT" }
[[figure]]
metric = "share"
column = "value"
unit = "ratio"
when = { metric = "share" }
"""


def figures(directory: Path, content: str, mapping: str = MAPPING) -> tuple[FiguresReading, list[PlatformFigure]]:
    (directory / "figures.csv").write_text(content, encoding="utf-8")
    reading = FiguresReading(directory / "figures.csv", parse_figure_mapping(mapping), "acme", SETTINGS)
    return reading, told(reading)


def told(reading: FiguresReading) -> list[PlatformFigure]:
    bodies = [decode_body(e.kind, e.kind_version, e.body) for e in reading.in_file_order() if e.kind != 2]
    return [body for body in bodies if isinstance(body, PlatformFigure)]


def shanghai(month: int, day: int, hour: int = 0) -> int:
    return round(datetime(2025, month, day, hour, tzinfo=UTC).timestamp() * 1000) - 8 * 3_600_000


def test_the_samples_rate_of_three_minutes_is_held_against_rules_of_three_minutes() -> None:
    (rate,) = [figure for figure in read_figure_mapping(SAMPLE / "mapping.toml").figure if figure.part]
    assert rate.definition is not None
    assert load_preset(rate.definition).first_response_limit_ms == 180_000


def test_a_figure_says_its_period_whom_it_is_about_and_what_it_is_of(tmp_path: Path) -> None:
    _, (figure,) = figures(tmp_path, HEADER + "2025-11-03,flagship,a-1,200,193,96.5%\n")
    assert (figure.period_starts, figure.period_ends) == (shanghai(11, 3), shanghai(11, 4))
    assert figure.occurred_at == figure.period_ends
    assert (figure.queue, figure.account) == ("flagship", "a-1")
    assert (figure.metric, figure.unit, figure.value) == ("answered in time", "ppm", 965_000)
    assert (figure.part, figure.whole, figure.definition) == (193, 200, "contract-10s")


def test_a_long_table_is_read_by_what_its_rows_are_about(tmp_path: Path) -> None:
    content = "day,metric,value\n2025-11-17,FRT,8.4\n2025-11-17,share,0.965\n2025-11-17,other,1\n"
    reading, found = figures(tmp_path, content, LONG)
    assert [(each.metric, each.unit, each.value, each.queue) for each in found] == [
        ("first response", "ms", 8400, "flagship"),
        ("share", "ppm", 965_000, "flagship"),
    ]
    bounds = {(each.period_starts, each.period_ends) for each in found}
    assert bounds == {(shanghai(11, 1, 4), shanghai(12, 1, 4))}
    assert reading.report.outcomes == {"figures": 2, "no_figures": 1, "rejected": 0}


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        ("soon,flagship,,200,193,96.5%", "not_a_date", "day"),
        ("2025-11-03,flag ship,,200,193,96.5%", "not_an_id", "shop"),
        ("2025-11-03,flagship,,many,193,96.5%", "not_a_figure", "asked"),
        ("2025-11-03,flagship,,200.5,193,96.5%", "not_a_figure", "asked"),
        ("2025-11-03,flagship,,200,193,good", "not_a_figure", "rate"),
        ("2025-11-03,flagship,,200,193,-1", "not_a_figure", "rate"),
        ("2025-11-03,flagship,,200,193,NaN", "not_a_figure", "rate"),
        ("2025-11-03,flagship,,200,201,96.5%", "part_exceeds_whole", "in_time"),
        ("2025-11-03,flagship", "cells_missing", ""),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(row: str, reason: str, column: str, tmp_path: Path) -> None:
    reading, found = figures(tmp_path, HEADER + row + "\n")
    assert found == []
    assert [(each.row, each.reason, each.column) for each in reading.report.rejected] == [(2, reason, column)]


def test_a_figure_the_platform_left_empty_keeps_what_it_is_of(tmp_path: Path) -> None:
    _, found = figures(tmp_path, HEADER + "2025-11-03,flagship,,200,193,--\n2025-11-03,flagship,a-1,0,0,--\n")
    assert [(each.value, each.part, each.whole) for each in found] == [(None, 193, 200)]


def test_the_sample_is_read_whole_and_says_that_nobody_verified_it() -> None:
    text = (SAMPLE / "mapping.toml").read_text(encoding="utf-8")
    assert text.startswith("# SAMPLE, NOT VERIFIED: ")
    mapping = read_figure_mapping(SAMPLE / "mapping.toml")
    reading = FiguresReading(SAMPLE / "figures.csv", mapping, "acme", SETTINGS)
    found = told(reading)
    assert reading.report.outcomes == {"figures": 4, "no_figures": 0, "rejected": 0}
    assert [(each.account, each.unit, each.value) for each in found[:6]] == [
        ("", "ppm", 965_000),
        ("", "ms", 8400),
        ("", "count", 1200),
        ("tb_a01", "ppm", 980_000),
        ("tb_a01", "ms", 7000),
        ("tb_a01", "count", 700),
    ]
    assert {event.kind for event in reading.in_time_order()} == {Kind.PLATFORM_FIGURES}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('zone = "Asia/Shanghai"', 'zone = "Mars"', "period.zone"),
        ('unit = "percent"', 'unit = "ells"', "figure"),
        ('column = "day"', 'column = "night"', "no column 'night'"),
        ('part = "in_time"', 'party = "in_time"', "figure"),
        ("[[figure]]", '[constant]\nqueue = "q"\n[[figure]]', "constant.queue"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_which_key(old: str, new: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=problem):
        figures(tmp_path, HEADER, MAPPING.replace(old, new))
