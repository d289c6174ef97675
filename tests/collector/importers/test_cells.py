# ruff: noqa: RUF001 - full-width characters are what these tests are about
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.importers._core.text import heading, plain
from collector.importers._core.times import Moment, TimeReader, instants, nearest
from collector.importers.mapping import readers
from collector.importers.reading import zone_offsets
from collector.importers.tables import cell_text
from tests.collector.importers.files import mapping_of

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("１２：３０", "12:30"),
        ("\u3000张三\u200b ", "张三"),
        ('="00123"', "00123"),
        ("'00123", "00123"),
        ("  a b ", "a b"),
        ("（空）", "(空)"),
    ],
)
def test_a_cell_is_made_plain(cell: str, meant: str) -> None:
    assert plain(cell) == meant


def test_headings_are_compared_without_case_width_and_double_spaces() -> None:
    assert heading("\ufeffＣａｌｌ  ID ") == heading("call id")


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("65", 65_000),
        ("65.5", 65_500),
        ("1:05", 65_000),
        ("00:01:05", 65_000),
        ("00:01:05.250", 65_250),
        ("30:00:00", 30 * HOUR),
        ("1分05秒", 65_000),
        ("1小时2分3秒", HOUR + 123_000),
        ("2天1小时", 2 * DAY + HOUR),
        ("1分钟", 60_000),
        ("1 min 5 s", 65_000),
        ("1'05\"", 65_000),
        ("250毫秒", 250),
        ("0", 0),
    ],
)
def test_a_duration_is_read_in_every_form_people_write(text: str, ms: int) -> None:
    assert readers(mapping_of())[1].read(plain(text)) == ms


@pytest.mark.parametrize("text", ["-5", "5x", "1:75", "0:61:00", "5秒1分", "1分1分", "noon", "1.5.2", "", "分"])
def test_what_is_no_duration_is_said_to_be_none(text: str) -> None:
    assert readers(mapping_of())[1].read(text) is None


def test_full_width_digits_and_units_are_read_after_they_were_narrowed() -> None:
    assert readers(mapping_of())[1].read(plain("１分０５秒")) == 65_000


def test_two_places_and_bare_numbers_mean_what_the_mapping_says() -> None:
    durations = readers(mapping_of(a='[time] => [durations]\nunit = "min"\ntwo_places = "hh:mm"\n[time]'))[1]
    assert durations.read("2") == 120_000
    assert durations.read("01:05") == HOUR + 5 * 60_000


@given(st.integers(0, 10**9))
def test_a_duration_written_as_a_clock_is_read_back(ms: int) -> None:
    seconds, fraction = divmod(ms, 1000)
    text = f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}.{fraction:03d}"
    assert readers(mapping_of())[1].read(text) == ms


# ------------------------------------------------------------------------------------------------------------- times


def test_times_are_read_in_declared_forms_and_in_the_one_spreadsheets_write() -> None:
    reader = TimeReader(["%Y年%m月%d日 %H时%M分%S秒", "%m/%d/%Y %I:%M %p"], ["%Y年%m月%d日"])
    expected = reader.read("2026-11-02 10:05:00")
    assert expected is not None
    assert reader.read("2026年11月2日 10时05分00秒") == expected
    assert reader.read("11/02/2026 10:05 AM") == expected
    assert reader.read("2026-11-02T10:05:00.000") == expected
    assert reader.read_date("2026年11月2日") == reader.read_date("2026-11-02 00:00:00") == expected.day


@pytest.mark.parametrize("text", ["25:00:00", "10:60:00", "2026-02-30 10:00:00", "noon", "", "10:00"])
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    assert TimeReader(["%H:%M:%S"], []).read(text) is None


def test_seconds_and_milliseconds_of_the_epoch_are_instants_in_any_zone() -> None:
    assert TimeReader(["epoch_s"], []).read("1700000000") == Moment(None, 0, 1_700_000_000_000)
    assert TimeReader(["epoch_ms"], []).read("1700000000123") == Moment(None, 0, 1_700_000_000_123)


@pytest.mark.parametrize(
    ("time_of_day", "anchor", "day"),
    [(3_000, DAY - 1_000, 101), (DAY - 1_000, 3_000, 99), (11 * HOUR, 12 * HOUR, 100), (HOUR, 12 * HOUR, 100)],
)
def test_a_time_without_a_date_is_on_the_day_that_brings_it_closest(time_of_day: int, anchor: int, day: int) -> None:
    assert nearest(Moment(None, time_of_day), Moment(100, anchor)) == Moment(day, time_of_day)


def _instants(text: str, zone: str) -> tuple[int, ...]:
    moment = TimeReader([], []).read(text)
    assert moment is not None
    return instants(moment, zone_offsets(ZoneInfo(zone)))


def test_a_wall_time_is_one_instant_on_most_days() -> None:
    expected = datetime(1999, 8, 10, 11, tzinfo=ZoneInfo("Asia/Jerusalem")).timestamp() * 1000
    assert _instants("1999-08-10 11:00:00", "Asia/Jerusalem") == (expected,)


def test_a_wall_time_is_two_instants_where_clocks_go_back() -> None:
    first, second = _instants("2026-10-25 02:30:00", "Europe/Berlin")
    assert second - first == HOUR


def test_a_wall_time_is_no_instant_where_clocks_go_ahead() -> None:
    assert _instants("2026-03-29 02:30:00", "Europe/Berlin") == ()


# ------------------------------------------------------------------------------------------------ cells of a workbook


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (
            datetime(2026, 11, 2, 10, 4, 59, 999_997),  # noqa: DTZ001 - a workbook knows no zones
            "2026-11-02 10:05:00",
        ),
        (
            datetime(2026, 11, 2, 10, 5, 0, 250_000),  # noqa: DTZ001 - likewise
            "2026-11-02 10:05:00.250",
        ),
        (date(2026, 11, 2), "2026-11-02"),
        (time(10, 5), "10:05:00"),
        (timedelta(hours=30, seconds=5), "30:00:05"),
        (65.0, "65"),
        (65.5, "65.5"),
        (7, "7"),
        ("1分05秒", "1分05秒"),
    ],
)
def test_a_workbooks_cell_becomes_the_text_a_csv_would_hold(value: object, text: str) -> None:
    assert cell_text(value) == text
