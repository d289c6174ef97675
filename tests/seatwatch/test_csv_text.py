"""Tables that a spreadsheet opens without running anything."""

import csv
import io

import pytest

from seatwatch.csv_text import csv_text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_text_begins_as_a_formula_and_numbers_stay_numbers(start: str) -> None:
    written = csv_text([[f"{start}1", -1, None, "plain"]])
    assert next(csv.reader(io.StringIO(written, newline=""))) == [f"'{start}1", "-1", "", "plain"]
