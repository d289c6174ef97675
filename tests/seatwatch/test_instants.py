"""Instants on a command line and on a page, in the hours that a clock skips and shows twice."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import typer

from seatwatch.instants import instant_named, unmistakable_time

BERLIN = "Europe/Berlin"
HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def test_a_time_that_the_clock_skips_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        instant_named("--from", "2026-03-29 02:30", BERLIN)
    assert ended.value.exit_code == 2
    said = f"--from 2026-03-29 02:30: the clock of {BERLIN} skips that time; write one that it shows\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-03-29 01:59", BERLIN, "2026-03-29 00:59"),
        ("2026-03-29 03:00", BERLIN, "2026-03-29 01:00"),
        ("2026-03-29 02:30+01:00", BERLIN, "2026-03-29 01:30"),
        ("2026-10-25 02:30", BERLIN, "2026-10-25 00:30"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04 03:00"),
    ],
)
def test_a_time_that_the_clock_shows_is_taken_and_a_date_is_its_first_moment(text: str, zone: str, utc: str) -> None:
    assert instant_named("--from", text, zone) == ms(utc)


def test_a_time_that_the_clock_shows_twice_has_its_offset_and_can_be_written_back() -> None:
    zone = ZoneInfo(BERLIN)
    first = ms("2026-10-25 00:30")
    told = [unmistakable_time(first + hours * HOUR_MS, zone) for hours in (-1, 0, 1, 2)]
    assert told == [
        "2026-10-25 01:30:00.000",
        "2026-10-25 02:30:00.000+02:00",
        "2026-10-25 02:30:00.000+01:00",
        "2026-10-25 03:30:00.000",
    ]
    assert [instant_named("--at", each, BERLIN) - first for each in told[1:3]] == [0, HOUR_MS]
