# ruff: noqa: RUF001 - full-width characters are what these tests are about
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

from collector.importers._core import keys
from collector.importers._core.plan import Outcome
from collector.importers.columns import MappingError
from collector.importers.reading import MappedReading
from collector.importers.tables import Table, TableError, detect, every_sheet
from tests.collector.importers.files import CALLS, HEADER, LIMITS, SETTINGS, call, mapping_of, reading_of

CHINESE = (
    CALLS.replace('"id"', '"通话编号"')
    .replace('"queue"', '"技能组"')
    .replace('"agent"', '"坐席账号"')
    .replace('"entered"', '"进入时间"')
    .replace('"left"', '"离开时间"')
    .replace('"wait"', '"等待时长"')
    .replace('"ended"', '"结束时间"')
    .replace("agent =", '"坐席账号" =')
    .replace("entered =", '"进入时间" =')
    .replace("result =", '"结果" =')
    .replace("[time]", '[values."技能组"]\n"售前" = "presale"\n\n[time]\nformats = ["%Y年%m月%d日 %H:%M:%S"]')
)
CHINESE_ROWS = (
    "通话编号,技能组,坐席账号,进入时间,离开时间,等待时长,结束时间,结果\n"
    "c-1,售前,a-1,２０２６年１１月２日 １０：００：００,2026年11月2日 10:01:05,１分０５秒,2026-11-02 10:03:00,ok\n"
    "c-2,售前,无,2026年11月2日 10:00:00,2026年11月2日 10:00:07,00:00:07,—,ok\n"
)


def outcomes(reading: MappedReading) -> dict[str, int]:
    list(reading.in_file_order())
    return {outcome: count for outcome, count in reading.report.outcomes.items() if count}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_file_reads_the_same_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    reading = reading_of(tmp_path / "calls.csv", CHINESE_ROWS.encode(encoding), mapping_of(CHINESE))
    assert outcomes(reading) == {"answered": 1, "abandoned": 1}
    offered, _, answer, *_ = [event.occurred_at for event in reading.in_file_order()]
    assert answer - offered == 65_000


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"plain\n", "utf-8"),
        ("售前".encode(), "utf-8"),
        ("售前".encode("gb18030"), "gb18030"),
        (("a" * (1 << 20) + "售前").encode("gb18030"), "gb18030"),
        (("x" * ((1 << 20) - 1) + "售前").encode(), "utf-8"),
        ("售前".encode() * 10 + b"\xff\xff", "utf-8"),
        ("售前".encode()[:-1], "utf-8"),
        ("一售前".encode("gb18030"), "gb18030"),
        ("售前".encode() + "售前".encode("gb18030"), "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_the_encoding_is_found_by_reading_all_of_the_file(tmp_path: Path, content: bytes, encoding: str) -> None:
    file = tmp_path / "calls.csv"
    file.write_bytes(content)
    with file.open("rb") as opened:
        assert detect(opened) == encoding


def test_bytes_that_are_no_text_cost_only_their_own_row(tmp_path: Path) -> None:
    content = (
        (HEADER + call(1)).encode()
        + call(2).replace("presale", "售前").encode()
        + b"c-3,\xff\xfe,a,b,c,d,e,f\n"
        + call(4).encode()
    )
    reading = reading_of(tmp_path / "calls.csv", content, mapping_of(CALLS + '\n[values.queue]\n"售前" = "presale"\n'))
    assert outcomes(reading) == {"answered": 3, "rejected": 1}
    assert [(row.row, row.reason, row.column) for row in reading.report.rejected] == [(4, "not_text", "queue")]


def test_a_stray_quote_swallows_no_other_row(tmp_path: Path) -> None:
    stray = call(2).replace("presale", '"presale')
    reading = reading_of(tmp_path / "calls.csv", HEADER + call(1) + stray + call(3) + call(4))
    assert outcomes(reading) == {"answered": 3, "rejected": 1}
    assert [(row.reason, row.column) for row in reading.report.rejected] == [("not_an_id", "queue")]


def test_a_quoted_line_feed_belongs_to_its_cell(tmp_path: Path) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + call(1) + call(2, result='"two\nlines"') + call(3))
    assert outcomes(reading) == {"answered": 3}


def test_a_quote_that_never_ends_is_a_rejected_row(tmp_path: Path) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + call(1) + 'c-2,"pres' + "a" * 200_000 + "\n")
    assert outcomes(reading) == {"answered": 1, "rejected": 1}
    assert reading.report.reasons == {"not_text": 1}


def test_a_workbook_with_real_dates_reads_like_its_csv(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.create_sheet("calls", 0)
    sheet.append(HEADER.strip().split(","))
    entered = datetime(2026, 11, 2, 10)  # noqa: DTZ001 - a workbook knows no zones
    sheet.append(
        ["c-1", "presale", "a-1", entered, entered + timedelta(seconds=7), 7, entered + timedelta(minutes=3), "ok"]
    )
    sheet.append(["c-2", "presale", None, entered, entered + timedelta(seconds=9), "９秒", None, "ok"])
    sheet.append([None] * 8)
    sheet.append(["c-3", "presale", "a-1", "2026-11-02 10:00:00", "noon", 7, None, "ok"])
    book.save(tmp_path / "calls.xlsx")
    reading = MappedReading(tmp_path / "calls.xlsx", mapping_of(), "acme", SETTINGS)
    assert outcomes(reading) == {"answered": 1, "abandoned": 1, "rejected": 1}
    assert [(row.row, row.column) for row in reading.report.rejected] == [(5, "left")]
    same = reading_of(tmp_path / "calls.csv", HEADER + call(1))
    assert list(reading.in_file_order())[:4] == list(same.in_file_order())


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    Workbook().save(tmp_path / "calls.xlsx")
    with pytest.raises(TableError, match="its sheets are: Sheet"):
        list(Table(tmp_path / "calls.xlsx", encoding="auto", delimiter=",", sheet="calls", limits=LIMITS).rows())


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change one part of a workbook's archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name == part else content)


def workbook_of(path: Path, rows: int) -> None:
    book = Workbook()
    sheet = book.create_sheet("calls", 0)
    for number in range(rows):
        sheet.append(["c", number])
    book.save(path)


@pytest.mark.parametrize("stated", [b"A1", b"A1:A1", b"A1:B2"])
def test_every_row_is_read_however_many_the_workbook_says_it_has(tmp_path: Path, stated: bytes) -> None:
    path = tmp_path / "calls.xlsx"
    workbook_of(path, 6)
    rewritten(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'ref="A1:B6"', b'ref="' + stated + b'"'))
    rows = list(Table(path, encoding="auto", delimiter=",", sheet="", limits=LIMITS).rows())
    assert rows == [(number + 1, ["c", str(number)]) for number in range(6)]


def test_a_sheet_that_is_a_chart_has_no_rows_and_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    book = Workbook()
    sheet = book.create_sheet("calls", 0)
    sheet.append(["c", 1])
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1))
    book.create_chartsheet("picture", 0).add_chart(chart)
    book.save(path)
    assert [(name, list(rows)) for name, rows in every_sheet(path, LIMITS)] == [
        ("calls", [(1, ["c", "1"])]),
        ("Sheet", []),
    ]
    assert list(Table(path, encoding="auto", delimiter=",", sheet="", limits=LIMITS).rows()) == [(1, ["c", "1"])]
    with pytest.raises(TableError, match="no sheet 'picture' of rows"):
        list(Table(path, encoding="auto", delimiter=",", sheet="picture", limits=LIMITS).rows())


def test_a_workbook_that_is_broken_further_down_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    workbook_of(path, 6)
    rewritten(path, "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2])
    with pytest.raises(TableError, match="save it again"):
        list(Table(path, encoding="auto", delimiter=",", sheet="", limits=LIMITS).rows())
    with pytest.raises(TableError, match="save it again"):
        [list(rows) for _, rows in every_sheet(path, LIMITS)]


def padded(xml: bytes) -> bytes:
    return xml + b" " * LIMITS.unpacked_bytes_max


def with_a_far_row(xml: bytes) -> bytes:
    return xml.replace(b'<row r="6"', b'<row r="999999999999"')


def with_empty_rows(xml: bytes) -> bytes:
    return xml.replace(b"</sheetData>", b"<row/>" * LIMITS.rows_max + b"</sheetData>")


def with_a_far_column(xml: bytes) -> bytes:
    return xml.replace(b'r="B6"', b'r="ZZZ6"')


@pytest.mark.parametrize(
    ("why", "bomb"),
    [
        ("unpacks to", padded),
        ("more than 50000 rows", with_a_far_row),
        ("more than 50000 rows", with_empty_rows),
        ("more than 50 columns", with_a_far_column),
    ],
)
def test_a_small_workbook_that_unfolds_to_a_huge_one_is_refused_at_once(
    tmp_path: Path, why: str, bomb: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "calls.xlsx"
    workbook_of(path, 6)
    rewritten(path, "xl/worksheets/sheet1.xml", bomb)
    with pytest.raises(TableError, match=why) as refused:
        list(Table(path, encoding="auto", delimiter=",", sheet="", limits=LIMITS).rows())
    assert refused.value.path == path
    with pytest.raises(TableError, match=why):
        [list(rows) for _, rows in every_sheet(path, LIMITS)]


def test_the_rows_of_all_sheets_are_counted_together(tmp_path: Path) -> None:
    book = Workbook()
    for title in ("one", "two"):
        sheet = book.create_sheet(title)
        for number in range(30):
            sheet.append([number])
    book.save(tmp_path / "roster.xlsx")
    limits = msgspec.structs.replace(LIMITS, rows_max=60)
    assert [len(list(rows)) for _, rows in every_sheet(tmp_path / "roster.xlsx", limits)] == [0, 30, 30]
    with pytest.raises(TableError, match="more than 59 rows"):
        [list(rows) for _, rows in every_sheet(tmp_path / "roster.xlsx", msgspec.structs.replace(limits, rows_max=59))]


def test_a_workbook_by_name_only_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calls.xlsx").write_bytes(b"id,queue\n")
    with pytest.raises(TableError, match="is no workbook"):
        MappedReading(tmp_path / "calls.xlsx", mapping_of(), "acme", SETTINGS)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calls.pdf").write_bytes(b"%PDF")
    with pytest.raises(TableError, match="neither CSV nor xlsx"):
        MappedReading(tmp_path / "calls.pdf", mapping_of(), "acme", SETTINGS)


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    mapping = mapping_of(a="[time] => [file]\nheader_row = 3\ndelimiter = ';'\n\n[time]")
    content = "Calls of November\n\n" + (HEADER + call()).replace(",", ";")
    reading = reading_of(tmp_path / "calls.csv", content, mapping)
    assert outcomes(reading) == {"answered": 1}


def test_a_file_without_its_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="has no row 1"):
        reading_of(tmp_path / "calls.csv", "")


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    reading = reading_of(tmp_path / "calls.csv", HEADER + "".join(call(number) for number in range(5000)))
    seen = [reading.position for _ in reading.in_file_order()]
    assert seen == sorted(seen)
    assert 0 < seen[0] < reading.size
    assert seen[-1] <= reading.size


# -------------------------------------------------------------------------------------------------------------- keys


def test_a_plain_csv_is_told_by_its_first_4_kib(tmp_path: Path) -> None:
    content = HEADER + "".join(call(number) for number in range(200))
    expected = keys.epoch("test-calls", "acme", content.encode()[:4096])
    assert reading_of(tmp_path / "calls.csv", content).epochs[0] == expected


@pytest.mark.parametrize("spelling", ["utf-8-sig", "gb18030", "utf-16"])
def test_saving_a_file_in_another_way_does_not_make_it_another_file(tmp_path: Path, spelling: str) -> None:
    plain = reading_of(tmp_path / "a.csv", CHINESE_ROWS, mapping_of(CHINESE))
    other = reading_of(tmp_path / "b.csv", CHINESE_ROWS.replace("\n", "\r\n").encode(spelling), mapping_of(CHINESE))
    assert plain.epochs == other.epochs


def test_client_format_and_content_each_make_another_file(tmp_path: Path) -> None:
    content = HEADER + call()
    found = {
        reading_of(tmp_path / "a.csv", content).epochs[0],
        reading_of(tmp_path / "a.csv", HEADER + call(2)).epochs[0],
        reading_of(tmp_path / "a.csv", content, mapping_of(a='"test-calls" => "test-calls-2"')).epochs[0],
        MappedReading(tmp_path / "a.csv", mapping_of(), "zenith", SETTINGS).epochs[0],
    }
    assert len(found) == 4


def test_a_short_file_that_grew_may_have_begun_under_each_of_its_beginnings(tmp_path: Path) -> None:
    short = reading_of(tmp_path / "a.csv", HEADER + call(1) + call(2))
    longer = reading_of(tmp_path / "a.csv", HEADER + "".join(call(number) for number in range(1, 100)))
    assert short.epochs[0] in longer.epochs[1:]
    assert outcomes(longer) == {Outcome.ANSWERED.value: 99}
