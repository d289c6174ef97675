"""The samples over files as consoles and spreadsheets write them: titles, merged headings, encodings, 12 h clocks."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from collector.importers.reading import one_heading_each
from tests.collector.importers.platforms import waits

JINGMAI = [
    ["会话ID", "技能组", "客服PIN", "会话类型", "咨询开始时间", "首次应答时间", "会话结束时间", "备注", ""],
    [
        "\t7300001234567890123",
        "家电售前",
        "jd_a01",
        "咨询",
        *(f"2025-11-03 11:{at}" for at in ("00:00", "00:09", "10:00")),
        "",
        "",
    ],
    ["\t7300001234567890124", "家电售前", "jd_a01", "咨询", "2025-11-03 11:01:00", "", "2025-11-03 11:03:00", "", ""],
    [
        "\t7300001234567890125",
        "家电售前",
        "jd_a02",
        "咨询",
        *(f"2025-11-03 11:{at}" for at in ("01:00", "01:05", "03:00")),
    ],
    ["合计", "", "", "", "", "", "", "3", ""],
]


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_jingmai_with_a_title_a_total_and_rows_that_end_early(encoding: str, tmp_path: Path) -> None:
    rows = tmp_path / "export.csv"
    title = ["京麦会话明细（2025-11-03 至 2025-11-03）", *[""] * 8]
    rows.write_text(as_csv([title, [], *JINGMAI]), encoding=encoding, newline="")
    found = waits(rows, "jingmai", "header_row = 3")
    assert found.report.outcomes == {"answered": 2, "abandoned": 1, "never_queued": 0, "rejected": 1}
    assert found.report.reasons == {"not_an_id": 1}, "the total is no session"
    assert (found.assigned, found.answered, found.left) == ([], [9, 5], [("went_silent", 120)])


def test_feige_with_headings_of_two_rows_lengths_of_every_form_and_a_clock_of_twelve_hours(tmp_path: Path) -> None:
    rows = tmp_path / "export.xlsx"
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["飞鸽会话明细"])
    sheet.append(["会话ID", "店铺ID", "客服ID", "时间", None, "时长", None, "备注"])
    sheet.append([None, None, None, "转人工时间", "会话结束时间", "首次响应时长", "会话时长"])
    for merged in ("A1:H1", "A2:A3", "B2:B3", "C2:C3", "D2:E2", "F2:G2", "H2:H3"):
        sheet.merge_cells(merged)
    sheet.append(["7300001", "61001", "dy_a01", "2025/11/03 12:00:00", "2025/11/03 12:04:06", "00:00:05", "246秒"])
    sheet.append(["7300002", "61001", "dy_a01", "2025/11/03 12:00:00", "2025/11/03 12:34:06", "1,005秒", "2,046秒"])
    sheet.append(["7300003", "61001", "dy_a01", "2025/11/03 下午 12:30:00", "2025/11/03 下午 1:04:06", 5, "34分6秒"])
    sheet.append(["7300004", 61001, "dy_a02", "2025/11/03 上午 12:30:00", "2025/11/03 00:32:00", None, "2分钟"])
    sheet.append(["7300005", 61001])
    book.save(rows)
    found = waits(rows, "feige", "header_row = 2\nheader_rows = 2", "%Y/%m/%d %p %I:%M:%S")
    assert found.report.outcomes == {"answered": 3, "abandoned": 1, "never_queued": 1, "rejected": 0}
    assert (found.assigned, found.answered, found.left) == ([], [5, 1005, 5], [("went_silent", 120)])


def test_columns_of_one_name_under_two_groups_are_told_apart_by_the_group() -> None:
    above = ["接待编号", "人工", "", "机器人", ""]
    assert one_heading_each([above, ["", "咨询时间", "结束时间", "条数", "结束时间"]]) == [
        *("接待编号", "咨询时间", "人工 结束时间", "条数", "机器人 结束时间"),
    ]


def test_kuaishou_counts_whoever_had_a_session_without_replying(tmp_path: Path) -> None:
    rows = tmp_path / "export.csv"
    heads = [
        "会话编号",
        "接待分组",
        "客服账号",
        "接待类型",
        "进线时间",
        "分配客服时间",
        "首次人工回复时间",
        "会话结束时间",
    ]
    at = "2025-11-03 09:02:0"
    table = [
        heads,
        ["ks-1", "售后", "ks_a02", "人工接待", f"{at}0", f"{at}1", "", f"{at}8"],
        ["ks-2", "售后", "ks_a02", "人工接待", f"{at}0", "", "", f"{at}7"],
        ["ks-3", "售后", "ks_a02", "人工接待", f"{at}0", "", f"{at}5", f"{at}9"],
        ["ks-4", "售后", "ks_a02", "人工接待", f"{at}0", f"{at}1", "", ""],
        ["ks-5", "售后", "ks_a02", "人工接待", f"{at}0", f"{at}4", "", f"{at}2"],
    ]
    rows.write_text(as_csv(table), encoding="utf-8", newline="")
    found = waits(rows, "kuaishou")
    assert (found.assigned, found.answered, found.left) == ([1], [5], [("went_silent", 7), ("went_silent", 8)])
    assert [(each.row, each.reason, each.column) for each in found.report.rejected] == [
        (5, "nothing_there", "会话结束时间"),
        (6, "leaves_before_it_enters", "会话结束时间"),
    ]
