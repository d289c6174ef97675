"""Rows in the hour that clocks show twice: their own order and lengths say which, or it is said that nothing does."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.importers._core.folds import Lengths, Told, readings
from collector.importers.reading import zone_offsets
from tests.collector.importers.files import CALLS, HEADER, call, mapping_of, reading_of
from tests.collector.importers.test_rows import BERLIN, only_row, reason_of, told
from wire.conversation import AgentTurn, Closed

TURNS_BACK = {
    "Europe/Berlin": datetime.fromisoformat("2026-10-25T00:00:00+00:00"),
    "Australia/Lord_Howe": datetime.fromisoformat("2026-04-04T14:30:00+00:00"),
    "America/St_Johns": datetime.fromisoformat("2026-11-01T03:30:00+00:00"),
    "Africa/Casablanca": datetime.fromisoformat("2026-02-15T01:00:00+00:00"),
}
SECOND = 1000
SERVED = CALLS.replace('service_end = "ended"', 'service_end = "ended"\nservice = "talk"')


def shown_as(instant: int, zone: str) -> tuple[int, ...]:
    """The instants that the wall time of `instant` can mean."""
    local = datetime.fromtimestamp(instant / SECOND, ZoneInfo(zone)).replace(tzinfo=None)
    wall = (local - datetime.fromisoformat("1970-01-01")) // timedelta(milliseconds=1)
    minute = local.replace(second=0, microsecond=0)
    return tuple(sorted(wall - offset for offset in zone_offsets(ZoneInfo(zone))(minute)))


@given(
    zone=st.sampled_from(sorted(TURNS_BACK)),
    enters=st.integers(-1800, 7200),
    waits=st.integers(0, 1200),
    thinks=st.integers(0, 60),
    talks=st.integers(0, 2400),
    states=st.tuples(st.booleans(), st.booleans()),
)
def test_what_happened_is_among_the_readings_and_none_of_them_runs_backwards(
    zone: str, enters: int, waits: int, thinks: int, talks: int, states: tuple[bool, bool]
) -> None:
    entry = round(TURNS_BACK[zone].timestamp()) * SECOND + enters * SECOND
    leaves = entry + waits * SECOND
    start = leaves + thinks * SECOND
    end = start + talks * SECOND
    lengths = Lengths(waits * SECOND if states[0] else None, talks * SECOND if states[1] else None, SECOND, 2 * SECOND)
    found = readings(Told((), *(shown_as(at, zone) for at in (entry, leaves, start, end))), lengths)
    assert (None, entry, leaves, start, end) in found
    for each in found:
        assert each.queue_entry <= (each.queue_exit or 0) + 2 * SECOND
        assert (each.queue_exit or 0) <= (each.service_start or 0) + 2 * SECOND
        assert (each.service_start or 0) <= (each.service_end or 0) + 2 * SECOND
    if len(found) == 1:
        assert found == [(None, entry, leaves, start, end)]


@pytest.mark.parametrize("policy", ["reject", "earlier", "later"])
@pytest.mark.parametrize(
    ("entered", "left", "ended", "talk_s"),
    [
        ("02:50:00", "02:10:00", "02:40:00", 1800),  # entered in the first, answered and ended in the second
        ("02:50:00", "02:50:20", "02:05:00", 880),  # ended in the second
        ("02:40:00", "02:20:00", "03:05:00", 2700),  # put through in the second, ended after it
        ("01:59:00", "02:30:00", "02:10:00", 2400),  # entered before it: put through in the first, ended in the second
    ],
)
def test_the_order_of_a_rows_own_times_decides_and_no_talk_is_lost(
    entered: str, left: str, ended: str, talk_s: int, policy: str, tmp_path: Path
) -> None:
    row = call(
        **{name: f"2026-10-25 {at}" for name, at in (("entered", entered), ("left", left), ("ended", ended))}, wait=""
    )
    mapping = mapping_of(a=BERLIN, b=f'resolution_s = 1 => resolution_s = 1\nambiguous = "{policy}"')
    reading = only_row(tmp_path, row, mapping)
    answer, closed = (next(body for body in told(reading) if isinstance(body, kind)) for kind in (AgentTurn, Closed))
    assert closed.occurred_at - answer.occurred_at == talk_s * SECOND
    assert reading.report.notes == {}


@pytest.mark.parametrize(("talk", "minutes"), [("2100", 35), ("5700", 95)])
def test_a_stated_length_of_the_service_decides_where_order_does_not(talk: str, minutes: int, tmp_path: Path) -> None:
    header = HEADER.replace("\n", ",talk\n")
    row = call(entered="2026-10-25 01:50:00", left="2026-10-25 02:05:00", wait="900", ended="2026-10-25 02:40:00")
    cells = row.rstrip("\n") + f",{talk}\n"
    reading = reading_of(tmp_path / "calls.csv", header + cells, mapping_of(SERVED, a=BERLIN))
    closed = next(body for body in told(reading) if isinstance(body, Closed))
    answer = next(body for body in told(reading) if isinstance(body, AgentTurn))
    assert closed.occurred_at - answer.occurred_at == minutes * 60 * SECOND


def test_an_end_that_may_be_either_is_counted_and_never_before_the_answer(tmp_path: Path) -> None:
    row = call(entered="2026-10-25 01:50:00", left="2026-10-25 02:05:00", wait="900", ended="2026-10-25 02:40:00")
    assert reason_of(only_row(tmp_path, row, mapping_of(a=BERLIN))) == ("time_twice_at_clock_change", "ended")
    for policy, minutes in (("earlier", 35), ("later", 95)):
        mapping = mapping_of(a=BERLIN, b=f'resolution_s = 1 => resolution_s = 1\nambiguous = "{policy}"')
        reading = only_row(tmp_path, row, mapping)
        assert reading.report.notes == {"time_twice_at_clock_change": 1}
        *_, answer, closed = told(reading)
        assert closed.occurred_at - answer.occurred_at == minutes * 60 * SECOND
