"""Dates of a roster that personnel systems write for "no end", and those that no calendar or clock has."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collector.roster import read_roster
from tests.collector.importers.files import LIMITS
from tests.collector.test_roster import SHANGHAI, file_of, links_of, row


@pytest.mark.parametrize("until", ["9999-12-31", "9999/12/31", "99991231", "9999-12-31 23:59:59", "9000-01-01"])
def test_an_end_of_the_year_9999_is_none(until: str, tmp_path: Path) -> None:
    (link,) = links_of(tmp_path, row(person="P1", team="red", effective_until=until), base=())
    assert link.effective_until is None


@pytest.mark.parametrize("date", ["0001-01-01", "0001-01-01 00:00:00", "1969-12-30", "9" * 5000])
def test_a_date_beyond_all_time_is_a_problem_of_its_row(date: str, tmp_path: Path) -> None:
    for cells in ({"effective_from": date}, {"effective_until": date}):
        roster = read_roster(file_of(tmp_path, row(person="P1", team="red", **cells), base=()), SHANGHAI, LIMITS)
        assert [(problem.row, next(iter(cells)) in problem.what) for problem in roster.problems] == [(2, True)]


def test_a_beginning_after_the_calendar_ends_is_a_problem_of_its_row(tmp_path: Path) -> None:
    path = file_of(tmp_path, row(person="P1", team="red", effective_from="9999-12-31 23:59:59"), base=())
    roster = read_roster(path, ZoneInfo("America/New_York"), LIMITS)
    assert [problem.what for problem in roster.problems] == ["effective_from: write a date from 1970 to 9999"]
