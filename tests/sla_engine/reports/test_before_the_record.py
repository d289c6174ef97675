"""Days before the record began: no data, and never nothing covered."""

from pathlib import Path

import pytest

from sla_engine.reports._core.buckets import By
from tests.builders import agent, clock, closed, customer, declared, rules
from tests.sla_engine.reports.reporting import filled, made
from wire.board import Ratio

HOUR = 3_600_000


@pytest.mark.parametrize(("by", "open_hours"), [(By.DAY, 16), (By.MONTH, 32)])
def test_days_and_months_before_the_record_began_are_no_data_and_not_nothing_covered(
    by: By, open_hours: int, tmp_path: Path
) -> None:
    came = [customer("10:30:00"), agent("10:30:08"), closed("10:40:00")]
    ledger = filled(tmp_path / "acme", [*rules()[1:], declared("10:00"), *came, clock("+1 03:00")])
    found = made(ledger, by, "-62 04:00", "+1 04:00")
    covered = [row.coverage and row.coverage.time for row in found.rows]
    assert set(covered[:-1]) == {None}
    assert covered[-1] == Ratio(14 * HOUR, open_hours * HOUR), "of its first day the hours before count"


def test_hours_of_days_before_the_record_began_are_no_data_either_and_those_of_its_first_day_are_not_covered(
    tmp_path: Path,
) -> None:
    came = [customer("10:30:00"), agent("10:30:08"), closed("10:40:00")]
    ledger = filled(tmp_path / "acme", [*rules()[1:], declared("10:00"), *came, clock("+1 03:00")])
    found = made(ledger, By.HOUR, "-1 04:00", "+1 04:00")
    parts = [row.coverage and row.coverage.time.part for row in found.rows]
    assert parts[:24] == [None] * 24
    assert parts[24:] == [None] * 4 + [0] * 2 + [HOUR] * 14 + [None] * 4, "closed, not recorded yet, open, closed"
    assert found.total.coverage is not None


@pytest.mark.parametrize("by", list(By))
def test_a_span_before_the_record_began_is_no_data_in_all_however_it_is_cut(by: By, tmp_path: Path) -> None:
    came = [customer("10:30:00"), agent("10:30:08"), closed("10:40:00")]
    ledger = filled(tmp_path / "acme", [*rules()[1:], declared("10:00"), *came, clock("+1 03:00")])
    found = made(ledger, by, "-9 04:00", "-2 04:00")
    assert [row.coverage for row in (found.total, *found.rows)] == [None] * (1 + len(found.rows))
