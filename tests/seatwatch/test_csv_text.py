"""Tables that a spreadsheet opens without running anything."""

import csv
import io

import pytest

from seatwatch.csv_text import csv_text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        *((f"{unseen}=1", f"'{unseen}=1") for unseen in (" ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\x00")),
        ("a;=1", "a;'=1"),
        ("a\t\uff0b1", "a\t'\uff0b1"),
        ("a\n@1", "a\n'@1"),
        ("a;b", "a;b"),
        ("north/seat-01 2026-11-02", "north/seat-01 2026-11-02"),
    ],
)
def test_what_is_not_seen_hides_no_formula_and_no_separator_of_another_country_begins_one(
    text: str, written: str
) -> None:
    assert next(csv.reader(io.StringIO(csv_text([[text]]), newline=""))) == [written]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_text_begins_as_a_formula_and_numbers_stay_numbers(start: str) -> None:
    written = csv_text([[f"{start}1", -1, None, "plain"]])
    assert next(csv.reader(io.StringIO(written, newline=""))) == [f"'{start}1", "-1", "", "plain"]
