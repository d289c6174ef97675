"""Working time and due instants as the tests of another help desk have them: 37 vectors in Berlin time."""

import json
import os
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sla_engine._core.calendar import Calendar
from sla_engine.definition_files import parse_definition

ROOT = Path(__file__).resolve().parents[2]
FILE = (
    ROOT / os.environ.get("SEATWATCH_SHARED_DATA", "../shared/data")
).resolve() / "calendar/working_time_vectors.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
ZONE = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar(
    parse_definition(
        """
        based_on = "contract-10s"
        time_zone = "Europe/Berlin"
        service_windows = ["08:00-21:00"]
        weekday_windows = { saturday = [], sunday = [] }
        yearly_days = { 01-01 = [], 05-01 = [], 12-24 = [], 12-25 = [], 12-26 = [], 12-31 = [] }
        """
    )
)


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1000


def test_there_are_37_vectors() -> None:
    assert VECTORS["timezone"] == ZONE.key
    assert len(VECTORS["working_time_hours"]) + len(VECTORS["destination_time_seconds"]) == 37


@pytest.mark.parametrize(("since", "until", "hours"), VECTORS["working_time_hours"])
def test_the_open_time_between_two_instants(since: str, until: str, hours: float) -> None:
    # the file rounds hours to fourteen decimals; whole seconds are meant
    seconds = round(Fraction(hours) * 3600)
    assert abs(seconds - Fraction(hours) * 3600) < Fraction(1, 1_000_000)
    assert CALENDAR.open_ms(instant(since), instant(until)) == seconds * 1000


@pytest.mark.parametrize(("since", "seconds", "due"), VECTORS["destination_time_seconds"])
def test_the_instant_by_which_so_much_open_time_has_passed(since: str, seconds: int, due: str) -> None:
    assert CALENDAR.add_open(instant(since), seconds * 1000) == instant(due)
