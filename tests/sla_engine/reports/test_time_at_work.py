"""People's time: of persons rather than accounts, where they were at the time."""

from collections.abc import Sequence
from typing import overload

import msgspec

from sla_engine._core.roster import Roster, RosterState
from sla_engine._core.staffing import HALF_HOUR_MS
from sla_engine._core.windows import PeriodCalendar, calendar_of
from sla_engine.reports._core.agent_hours import Interval, State
from sla_engine.reports._core.buckets import Frame
from sla_engine.reports._core.service_hours import ServiceHours
from sla_engine.reports._core.time_at_work import (
    HalfHour,
    SeatTime,
    half_hours,
    in_row,
    person_intervals,
    seat_time,
    state_times,
    tells_serving,
    work_time,
)
from tests.builders import PRESET, ms, works
from tests.sla_engine.entries import head
from wire.board import Ratio
from wire.conversation import Activity, Presence, PresenceChanged
from wire.organisation import RosterLink

HOUR = 3_600_000
TOTAL = ""


def roster(*links: tuple[str, str, str, str]) -> Roster:
    """(account, person, team, since)."""
    made = Roster(RosterState())
    for account, person, team, since in links:
        for event in works(account, person, team, "s", "north", since=since):
            assert isinstance(event.body, RosterLink)
            made.enter(event.body)
    return made


def told(at: str, account: str, presence: Presence, activity: Activity = Activity.IDLE) -> PresenceChanged:
    return PresenceChanged(**head(ms(at)), account=account, presence=presence, activity=activity)


def times(changes: Sequence[PresenceChanged], known: Roster, until: str) -> dict[str, dict[State, int]]:
    spent: dict[str | int, list[Interval]] = {}
    for place, interval in person_intervals(changes, [], known, lambda _: ms(until)):
        spent.setdefault(place.team, []).append(interval)
        spent.setdefault(TOTAL, []).append(interval)
    found = state_times(spent, [ms("00:00"), ms("+1 00:00")], over_time=False)
    return {str(key): dict(sums) for key, sums in found.items()}


def test_a_person_with_two_accounts_counts_once_and_works_while_one_of_them_does() -> None:
    known = roster(("a1", "p", "red", "00:00"), ("a2", "p", "red", "00:00"))
    changes = [
        told("09:00", "a1", Presence.READY),
        told("09:30", "a2", Presence.READY, Activity.SERVING),
        told("10:00", "a1", Presence.ON_BREAK),
        told("10:30", "a2", Presence.ON_BREAK),
        told("11:00", "a1", Presence.OFFLINE),
    ]
    total = times(changes, known, "12:00")[TOTAL]
    assert total[State.LOGGED_IN] == 3 * HOUR
    assert total[State.AT_WORK] == 3 * HOUR // 2
    assert total[State.SERVING] == HOUR


def test_who_moves_to_another_team_at_noon_is_half_here_and_half_there() -> None:
    known = roster(("a1", "p", "red", "00:00"), ("a1", "p", "blue", "12:00"))
    found = times([told("10:00", "a1", Presence.READY)], known, "13:00")
    assert found["red"][State.AT_WORK] == 2 * HOUR
    assert found["blue"][State.AT_WORK] == HOUR
    assert found[TOTAL][State.AT_WORK] == 3 * HOUR


def frame(day_starts_minute: int = 240, month_starts_minute: int = 0) -> Frame:
    days = calendar_of(msgspec.structs.replace(PRESET, business_day_starts_minute=day_starts_minute), HALF_HOUR_MS)
    return Frame(days, PeriodCalendar(days.zone, 1, month_starts_minute * 60_000))


def test_a_half_hour_in_which_a_month_begins_is_cut_there() -> None:
    odd = half_hours((), ServiceHours([(0, PRESET)]), frame(month_starts_minute=490), ms("+29 08:00"), ms("+29 09:00"))
    assert [span.start for span in odd] == [ms("+29 08:00"), ms("+29 08:10"), ms("+29 08:30")]


def test_a_half_hour_that_the_window_cuts_counts_what_is_inside() -> None:
    slices = frame()
    at_work = [Interval("p", ms("07:50"), ms("08:20"), State.AT_WORK)]
    found = half_hours(at_work, ServiceHours([(0, PRESET)]), slices, ms("07:45"), ms("08:30"))
    assert found == [HalfHour(ms("08:00"), HOUR // 2, HOUR // 3)]


def test_a_half_hour_in_which_a_business_day_begins_is_cut_there() -> None:
    slices = frame(day_starts_minute=8 * 60 + 10)
    at_work = [Interval(person, ms("08:00"), ms("08:10"), State.AT_WORK) for person in "pq"]
    found = half_hours(at_work, ServiceHours([(0, PRESET)]), slices, ms("08:00"), ms("09:00"))
    assert found == [
        HalfHour(ms("08:00"), HOUR // 6, HOUR // 3),
        HalfHour(ms("08:10"), HOUR // 3, 0),
        HalfHour(ms("08:30"), HOUR // 2, 0),
    ]
    yesterday, today = in_row(found, ms("00:00"), ms("08:10")), in_row(found, ms("08:10"), ms("24:00"))
    assert [seat_time(row, lambda _: 1) for row in (yesterday, today)] == [
        SeatTime(Ratio(HOUR // 3, HOUR // 6), Ratio(HOUR // 6, HOUR // 6), 0),
        SeatTime(Ratio(0, HOUR * 5 // 6), Ratio(HOUR * 5 // 6, HOUR * 5 // 6), HOUR * 5 // 6),
    ]


def test_what_nobody_told_of_is_neither_staffed_nor_short() -> None:
    slices = frame()
    at_work = [Interval("p", ms("08:00"), ms("08:20"), State.AT_WORK)]
    unseen = [(ms("07:00"), ms("08:10")), (ms("08:30"), ms("09:30"))]
    found = half_hours(at_work, ServiceHours([(0, PRESET)]), slices, ms("07:30"), ms("09:00"), unseen)
    assert found == [
        HalfHour(ms("08:00"), HOUR // 3, HOUR // 6, HOUR // 6),
        HalfHour(ms("08:30"), 0, 0, HOUR // 2),
    ]
    told = SeatTime(Ratio(HOUR // 6, HOUR // 3), Ratio(2 * HOUR // 3, HOUR // 3), HOUR // 2, 2 * HOUR // 3)
    assert seat_time(found, lambda _: 2) == told
    assert seat_time(found[1:], lambda _: 2) == SeatTime(None, Ratio(HOUR, HOUR // 2), None, HOUR // 2)


def test_who_serves_is_unknown_where_no_source_tells_it() -> None:
    """A queue_log tells logins and breaks: its people talk for hours, and no share of that is 0 %."""
    spent = {State.LOGGED_IN: HOUR, State.AT_WORK: HOUR}
    logins = [told("09:00", "a-1", Presence.READY)]
    assert not tells_serving(logins)
    found = work_time(spent, serving_told=False)
    assert (found.at_work_ms, found.serving_ms, found.occupancy) == (HOUR, None, None)
    assert tells_serving([*logins, told("09:30", "a-1", Presence.READY, Activity.SERVING)])
    serving = work_time(spent, serving_told=True)
    assert (serving.serving_ms, serving.occupancy) == (0, Ratio(0, HOUR))


def test_people_to_spare_make_up_for_no_other_half_hour() -> None:
    spans = [HalfHour(0, HOUR // 2, 3 * HOUR // 2), HalfHour(HOUR // 2, HOUR // 2, 0)]
    assert seat_time(spans, lambda _: 2) == SeatTime(Ratio(3 * HOUR // 2, HOUR), Ratio(2 * HOUR, HOUR), HOUR)
    assert seat_time(spans, lambda _: None) == SeatTime(Ratio(3 * HOUR // 2, HOUR), None, None)
    assert seat_time([], lambda _: 2) is None


def test_the_half_hours_of_a_row_are_found_without_looking_at_those_of_other_rows() -> None:
    class Watched(Sequence[HalfHour]):
        def __init__(self) -> None:
            self.looks = 0

        def __len__(self) -> int:
            return 17_520

        @overload
        def __getitem__(self, place: int) -> HalfHour: ...
        @overload
        def __getitem__(self, place: slice) -> list[HalfHour]: ...
        def __getitem__(self, place: int | slice) -> HalfHour | list[HalfHour]:
            if isinstance(place, slice):
                return [self[each] for each in range(*place.indices(len(self)))]
            self.looks += 1
            return HalfHour(place * HALF_HOUR_MS, HALF_HOUR_MS, 0)

    year = Watched()
    found = in_row(year, 1_000 * HALF_HOUR_MS, 1_002 * HALF_HOUR_MS)
    assert [each.start // HALF_HOUR_MS for each in found] == [1_000, 1_001]
    assert year.looks < 100
