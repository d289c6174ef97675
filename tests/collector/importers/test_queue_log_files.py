"""Files of a queue_log: both forms, rotation, growth, zones, and what is no queue_log."""

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collector.importers.queue_log import QueueLogReading
from collector.importers.tables import TableError
from tests.collector.importers.files import SETTINGS
from tests.collector.importers.queue_logs import HEADER, in_words, line, reading_of, told

A_DAY = [
    line(0, "NONE", "NONE", "NONE", "QUEUESTART"),
    line(1, "NONE", "q-1", "a-1", "ADDMEMBER", ""),
    line(2, "NONE", "q-2", "a-2", "ADDMEMBER", "PAUSED"),
    line(5, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
    line(9, "c-1", "q-1", "a-1", "CONNECT", 4, "y", 2),
    line(12, "c-2", "q-2", "NONE", "ENTERQUEUE", "", "x", 1),
    line(13, "c-3", "q-2", "NONE", "ENTERQUEUE", "", "x", 2),
    line(15, "NONE", "q-2", "a-2", "UNPAUSE", ""),
    line(20, "c-2", "q-1", "a-1", "ATTENDEDTRANSFER", "APP", "Queue", 4, 11, 1),
    line(24, "c-3", "q-2", "a-2", "RINGNOANSWER", 6000),
    line(26, "c-1", "q-2", "a-2", "CONNECT", 14, "z", 2),
    line(27, "c-3", "q-2", "NONE", "ABANDON", 1, 2, 14),
    "no row\n",
    line(80, "c-1", "q-2", "a-2", "COMPLETEAGENT", 14, 54, 1),
    line(81, "c-1", "q-2", "a-2", "WRAPUPSTART", 10),
    line(85, "NONE", "q-2", "a-2", "PAUSE", "lunch"),
    line(90, "NONE", "NONE", "NONE", "QUEUESTART"),
    line(95, "c-9", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
    line(99, "c-9", "q-1", "a-1", "CONNECT", 4, "y", 2),
    line(100, "c-10", "q-1", "NONE", "ENTERQUEUE", "", "x", 1),
    line(102, "c-10", "q-1", "a-3", "CONNECT", 2, "y", 2),
    line(104, "c-11", "q-2", "NONE", "ENTERQUEUE", "", "7", 1),
    line(107, "c-11", "q-2", "a-2", "CONNECT", 3, "y", 2),
    line(112, "c-11", "q-2", "a-2", "ATTENDEDTRANSFER", "BRIDGE", "b", 3, 5, 1),
    line(112, "c-9", "q-1", "a-1", "ATTENDEDTRANSFER", "BRIDGE", "b", 4, 13, 1),
    line(113, "c-10", "q-1", "a-3", "ATTENDEDTRANSFER", "LINK", "p", "q", 2, 11, 1),
    line(120, "c-9", "q-2", "NONE", "ENTERQUEUE", "", "x", 1),
]


def numbered_with_rejected(reading: QueueLogReading) -> list[tuple[int, int, bytes]]:
    return [(each.sequence, each.kind, each.body) for each in reading.in_file_order()]


def numbered(reading: QueueLogReading) -> list[tuple[int, int, bytes]]:
    return [(each.sequence, each.kind, each.body) for each in reading.in_file_order() if each.kind != 2]


@given(cut=st.integers(1, len(A_DAY) - 1))
@settings(max_examples=20)
def test_a_log_that_grew_keeps_the_numbers_it_had(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("grown")
    whole = reading_of(directory, "".join(A_DAY), name="whole")
    short = reading_of(directory, "".join(A_DAY[:cut]), name="short")
    before, after = list(short.in_file_order()), list(whole.in_file_order())
    assert after[: len(before)] == before
    assert set(short.epochs) & set(whole.epochs)


@given(cut=st.integers(1, len(A_DAY) - 2), turned=st.booleans())
@settings(max_examples=20)
def test_a_rotated_log_is_one_stream_in_whatever_order_its_parts_are_named(
    cut: int, turned: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("rotated")
    whole = reading_of(directory, "".join(A_DAY), name="whole")
    parts = ["".join(A_DAY[:cut]), "".join(A_DAY[cut:])]
    paths = [directory / "queue_log.1", directory / "queue_log"]
    for path, part in zip(paths, parts, strict=True):
        path.write_text(part, encoding="utf-8")
    rotated = QueueLogReading(paths[::-1] if turned else paths, "acme", None, SETTINGS)
    assert numbered(rotated) == numbered(whole)
    assert rotated.epochs == whole.epochs


@given(cut=st.integers(1, len(A_DAY) - 1))
@settings(max_examples=20)
def test_a_part_alone_goes_on_from_what_the_parts_before_it_left_open(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("alone")
    parts = ["".join(A_DAY[:cut]), "".join(A_DAY[cut:])]
    both = reading_of(directory, *parts)
    whole = numbered_with_rejected(both)
    alone = QueueLogReading([directory / "log1"], "acme", None, SETTINGS, both.parts)
    part, end = both.parts
    assert alone.starts_after == part.after
    assert numbered_with_rejected(alone) == whole[part.after :]
    assert alone.epochs == both.epochs[:1]
    of_it = alone.parts[1]
    assert alone.parts == [part, msgspec.structs.replace(end, recent=of_it.recent, first=of_it.first)]


def test_every_row_is_counted_under_its_event_or_as_rejected(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "".join(A_DAY))
    list(reading.in_file_order())
    assert reading.report.rows == len(A_DAY) == sum(reading.report.outcomes.values())
    assert reading.report.outcomes["rejected"] == 1
    assert reading.report.outcomes["ENTERQUEUE"] == 7


def test_a_rejected_row_of_several_files_says_of_which(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, A_DAY[1], line(5, "c-1", "q-1", "NONE", "ENTERQUEUE") + "no row\n")
    list(reading.in_file_order())
    assert [each.as_words() for each in reading.report.rejected] == [
        {"row": 2, "reason": "cells_missing", "column": "", "file": "log1"}
    ]


def test_the_same_part_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="begins with the same row"):
        reading_of(tmp_path, "".join(A_DAY[:9]), "".join(A_DAY))


def test_a_part_that_log_rotation_left_empty_is_passed_over(tmp_path: Path) -> None:
    alone = reading_of(tmp_path, "".join(A_DAY), name="alone")
    beside = reading_of(tmp_path, "".join(A_DAY), "", name="beside")
    assert list(beside.in_file_order()) == list(alone.in_file_order())


def test_events_are_sent_in_order_of_time(tmp_path: Path) -> None:
    times = [event.occurred_at for event in reading_of(tmp_path, "".join(A_DAY)).in_time_order()]
    assert times == sorted(times)


def test_a_compressed_part_reads_like_the_others(tmp_path: Path) -> None:
    plain = reading_of(tmp_path, "".join(A_DAY), name="plain")
    packed = reading_of(tmp_path, gzip.compress("".join(A_DAY).encode()), name="packed.gz")
    assert list(packed.in_file_order()) == list(plain.in_file_order())
    assert packed.epochs == plain.epochs
    assert packed.position <= packed.size


def test_a_compressed_part_that_breaks_off_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(("".join(A_DAY) * 50).encode())
    with pytest.raises(TableError, match="cannot be unpacked"):
        list(reading_of(tmp_path, packed[:-20]).in_file_order())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_log_is_read_in_each_encoding_that_a_table_is_read_in(tmp_path: Path, encoding: str, is_packed: bool) -> None:
    rows = line(0, "c-1", "售前", "NONE", "ENTERQUEUE", "", "x", 1) + line(4, "c-1", "售前", "王", "CONNECT", 4, "y", 2)
    content = rows.encode(encoding)
    reading = reading_of(tmp_path, gzip.compress(content) if is_packed else content)
    assert in_words(told(reading)) == in_words(told(reading_of(tmp_path, rows, name="plain")))
    assert reading.report.reasons == {}


def test_bytes_that_are_no_text_matter_in_names_only(tmp_path: Path) -> None:
    rows = [
        line(0, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "J").encode().replace(b"J", b"\xff\xfe"),
        line(1, "c-1", "Q", "NONE", "ABANDON", 1, 1, 1).encode().replace(b"Q", b"\xff"),
    ]
    reading = reading_of(tmp_path, b"".join(rows))
    assert in_words(told(reading)) == ["+0 offered c-1 q-1", "+0 queued c-1 q-1"]
    assert reading.report.reasons == {"not_text": 1}


@pytest.mark.parametrize(
    ("content", "zone", "problem"),
    [
        ("", None, "holds no rows"),
        ("id,name\n1,2\n", "Asia/Shanghai", "is no queue_log"),
        ("hello\n", None, "is no queue_log"),
        (HEADER, "Asia/Shanghai", "holds no rows"),
        (HEADER + "noon,c-1,q-1,NONE,ENTERQUEUE,,,,,\n", "Asia/Shanghai", "no time in its first rows"),
    ],
)
def test_what_is_no_queue_log_is_refused_with_what_to_give(
    content: str, zone: str | None, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError, match=problem):
        reading_of(tmp_path, content, zone=zone)


def test_local_times_need_their_zone(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + "2026-01-05 10:00:00,c-1,q-1,NONE,ENTERQUEUE,,,,,\n", encoding="utf-8")
    with pytest.raises(TableError, match="--zone"):
        QueueLogReading([tmp_path / "log.csv"], "acme", None, SETTINGS)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("time,callid,queuename,agent,event,data", "1800000009,c-1,q-1,a-1,CONNECT,4|y|2"),
        (
            "id;time;callid;queuename;serverid;agent;event;data1;data2;data3",
            "17;1800000009;c-1;q-1;s;a-1;CONNECT;4;y;2",
        ),
        ("Time,CallId,Queue,Agent,Event,data1,data2,data3", "1800000009.000,c-1,q-1,a-1,CONNECT,4,y,2"),
    ],
)
def test_tables_of_several_makes_are_read(header: str, row: str, tmp_path: Path) -> None:
    words = in_words(told(reading_of(tmp_path, f"{header}\n{row}\n", zone="UTC")))
    assert words[0] == "+5 offered c-1 q-1"
    assert words[-1] == "+9 answered c-1 a-1"


def test_the_last_column_of_a_realtime_table_holds_all_that_is_left(tmp_path: Path) -> None:
    at = [f"2027-01-15 08:00:{second:02d}.000000,c-1,q-1" for second in (0, 4, 59)]
    rows = [
        f"{at[0]},NONE,ENTERQUEUE,,,1,,",
        f"{at[1]},a-1,CONNECT,4,x,2,,",
        f"{at[2]},a-1,ATTENDEDTRANSFER,LINK,SIP/a-1,SIP/b-2,4,10|1",
    ]
    bodies = told(reading_of(tmp_path, HEADER + "\n".join(rows) + "\n", zone="UTC"))
    # ten seconds of talk, though the row was written 45 s later
    assert in_words(bodies)[-2:] == ["+14 transferred c-1", "+14 closed c-1 agent"]


def test_an_hour_that_clocks_show_twice_is_told_apart_by_the_order_of_rows(tmp_path: Path) -> None:
    times = ["02:10:00", "02:50:00", "02:20:00", "02:55:00", "03:05:00"]
    rows = [f"2026-10-25 {at},c-{n},q-1,NONE,FULL,,,,,\n" for n, at in enumerate(times)]
    reading = reading_of(tmp_path, HEADER + "".join(rows), zone="Europe/Berlin")
    instants = sorted({event.occurred_at for event in reading.in_file_order()})
    minutes = [(instant - instants[0]) // 60_000 for instant in instants]
    assert minutes == [0, 40, 70, 105, 115]


@pytest.mark.parametrize("row", [place for place in range(4, len(A_DAY)) if "|" in A_DAY[place]])
def test_a_row_that_breaks_off_waits_until_the_log_goes_on(row: int, tmp_path: Path) -> None:
    before, last = "".join(A_DAY[:row]), A_DAY[row]
    whole = reading_of(tmp_path, "".join(A_DAY), name="whole")
    numbers = list(whole.in_file_order())
    for end in range(1, last.rindex("|") + 1):
        cut = reading_of(tmp_path, before + last[:end], name="cut")
        found = list(cut.in_file_order())
        assert found == numbers[: len(found)]
        assert (cut.report.rows, cut.report.broken_off) in {(row, 1), (row + 1, 0)}
        assert not cut.report.broken_off or set(cut.epochs) <= set(whole.epochs)


def test_a_last_row_that_is_whole_needs_no_line_end(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, A_DAY[3] + A_DAY[4].rstrip("\n"))
    assert in_words(told(reading))[-1] == "+9 answered c-1 a-1"
    assert (reading.report.rows, reading.report.broken_off) == (2, 0)


def test_a_time_that_clocks_skip_is_rejected(tmp_path: Path) -> None:
    rows = ["2026-03-29 01:30:00,c-1,q-1,NONE,FULL,,,,,\n", "2026-03-29 02:30:00,c-2,q-1,NONE,FULL,,,,,\n"]
    reading = reading_of(tmp_path, HEADER + "".join(rows), zone="Europe/Berlin")
    list(reading.in_file_order())
    assert reading.report.reasons == {"time_skipped_by_clock_change": 1}


@given(lines=st.lists(st.binary(max_size=60), min_size=1, max_size=12))
@settings(max_examples=20)
def test_nothing_a_file_may_hold_stops_the_rows_around_it(
    lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    dirt = b"\n".join(each.replace(b"\n", b" ").replace(b"\r", b" ") for each in lines)
    directory = tmp_path_factory.mktemp("dirt")
    reading = reading_of(directory, A_DAY[3].encode() + dirt + b"\n" + A_DAY[4].encode())
    words = in_words(told(reading))
    assert words[0] == "+5 offered c-1 q-1"
    assert words[-1].startswith("+9 ")
    assert reading.report.rows == sum(reading.report.outcomes.values())


@given(rows=st.lists(st.sampled_from(A_DAY), min_size=1, max_size=30), cut=st.integers(0, 30))
@settings(max_examples=40)
def test_rows_in_any_order_are_taken_and_their_numbers_stay(
    rows: list[str], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("mixed")
    whole = list(reading_of(directory, A_DAY[0] + "".join(rows), name="whole").in_file_order())
    short = list(reading_of(directory, A_DAY[0] + "".join(rows[:cut]), name="short").in_file_order())
    assert whole[: len(short)] == short
    assert [event.sequence for event in whole] == list(range(1, len(whole) + 1))


def test_files_are_sorted_by_their_first_rows_not_by_their_names(tmp_path: Path) -> None:
    later = line(60, "c-1", "q-1", "NONE", "ABANDON", 1, 1, 60)
    words = in_words(told(reading_of(tmp_path, later, line(0, "c-1", "q-1", "NONE", "ENTERQUEUE"))))
    assert words == ["+0 offered c-1 q-1", "+0 queued c-1 q-1", "+60 left c-1 hung_up"]


def test_two_clients_never_share_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text("".join(A_DAY), encoding="utf-8")
    epochs = {QueueLogReading([path], client, ZoneInfo("UTC"), SETTINGS).epochs[0] for client in ("acme", "zenith")}
    assert len(epochs) == 2


@given(cut=st.integers(2, len(A_DAY) - 1), overlap=st.integers(1, 12), turned=st.booleans())
@settings(max_examples=25)
def test_rows_that_two_parts_hold_count_once_in_whatever_order_the_parts_are_named(
    cut: int, overlap: int, turned: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("overlap")
    began = max(1, cut - overlap)
    paths = [directory / "queue_log.1", directory / "queue_log"]
    for path, part in zip(paths, (A_DAY[:cut], A_DAY[began:]), strict=True):
        path.write_text("".join(part), encoding="utf-8")
    whole = reading_of(directory, "".join(A_DAY), name="whole")
    both = QueueLogReading(paths[::-1] if turned else paths, "acme", None, SETTINGS)
    assert numbered(both) == numbered(whole)
    assert both.epochs == whole.epochs
    assert both.report.outcomes.get("row_repeated", 0) + len(A_DAY) == both.report.rows


@given(cut=st.integers(2, len(A_DAY) - 1), overlap=st.integers(1, 12))
@settings(max_examples=25)
def test_a_part_alone_that_overlaps_with_what_was_imported_goes_on_where_that_ended(
    cut: int, overlap: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("later")
    began = max(1, cut - overlap)
    assume(any(row.split("|")[1:2] not in ([], ["NONE"]) for row in A_DAY[began:cut]))
    whole = numbered(reading_of(directory, "".join(A_DAY), name="whole"))
    older = reading_of(directory, "".join(A_DAY[:cut]), name="older")
    before = numbered(older)
    newer = reading_of(directory, "".join(A_DAY[began:]), name="newer")
    alone = QueueLogReading([directory / "newer0"], "acme", None, SETTINGS, older.parts)
    assert before + numbered(alone) == whole
    assert alone.epochs == [older.epochs[0]] != newer.epochs
    again = QueueLogReading([directory / "newer0"], "acme", None, SETTINGS, older.parts + alone.parts)
    assert before + numbered(again) == whole


RING = line(6, "c-1", "q-1", "a-1", "RINGNOANSWER", 0)
VISIT = line(5, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "x", 1) + line(5, "c-1", "q-1", "NONE", "EXITEMPTY", 1, 1, 0)
TALK = "".join(A_DAY[3:5])
END = line(80, "c-1", "q-1", "a-1", "COMPLETECALLER", 4, 71, 1)


@pytest.mark.parametrize(
    ("rows", "repeated", "answered"),
    [
        (TALK + END + END, 1, 1),
        (TALK + END + A_DAY[5] + END, 1, 1),
        (TALK + TALK + END, 2, 1),
        (TALK + END + TALK + END, 3, 1),
        (A_DAY[3] + RING + RING + A_DAY[4] + END, 0, 1),
        (A_DAY[3] + RING + A_DAY[4] + RING + END, 1, 1),
        (VISIT + VISIT, 0, 0),
        (TALK + END + line(80, "c-1", "q-1", "a-1", "COMPLETECALLER", 4, 70, 1), 0, 2),
    ],
)
def test_a_row_that_comes_again_is_a_copy_unless_it_can_have_happened_twice(
    rows: str, repeated: int, answered: int, tmp_path: Path
) -> None:
    reading = reading_of(tmp_path, rows)
    words = in_words(told(reading))
    assert reading.report.outcomes.get("row_repeated", 0) == repeated
    assert len([each for each in words if " answered " in each]) == answered


def test_a_second_copy_of_the_row_that_ended_a_call_is_no_second_leg(tmp_path: Path) -> None:
    once = in_words(told(reading_of(tmp_path, TALK + END)))
    assert in_words(told(reading_of(tmp_path, TALK + END, END, name="cut"))) == once
