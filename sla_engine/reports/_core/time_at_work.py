"""People's time in the rows of a report: logged in, at work, serving, talking, and against the seats that are paid for.

A person with several sub-accounts is one person. Time is cut at the rows' edges and wherever a person changes place.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.roster import Roster
from sla_engine._core.staffing import SERVING, told_state
from sla_engine.reports._core.agent_hours import Interval, State, agent_hours
from sla_engine.reports._core.agent_intervals import presence_intervals, work_intervals
from sla_engine.reports._core.buckets import By, Frame
from sla_engine.reports._core.rows import RowKey, agent_of
from sla_engine.reports._core.service_hours import ServiceHours
from wire.board import Ratio
from wire.conversation import PresenceChanged
from wire.verdict import LegFact, Place


class WorkTime(msgspec.Struct, frozen=True, gc=False):
    """Ms of all people of a row together. at_work: ready or serving; serving: with a customer or in wrap-up.

    serving_ms: None where no source tells who serves.
    """

    logged_in_ms: int
    on_break_ms: int
    wrap_up_ms: int
    at_work_ms: int
    serving_ms: int | None

    @property
    def occupancy(self) -> Ratio | None:
        """Serving / at work; None where no source tells who serves."""
        return None if self.serving_ms is None else Ratio(self.serving_ms, self.at_work_ms)


WORK_FIELDS: Final = {
    State.LOGGED_IN: "logged_in_ms",
    State.ON_BREAK: "on_break_ms",
    State.WRAP_UP: "wrap_up_ms",
    State.AT_WORK: "at_work_ms",
}


def tells_serving(changes: Iterable[PresenceChanged]) -> bool:
    """Whether presences tell who serves, and not only who is there."""
    return any(told_state(change.presence, change.activity) == SERVING for change in changes)


def work_time(times: Mapping[State, int], *, serving_told: bool) -> WorkTime:
    """What people of a row did, of their ms by state. serving_told: whether any presence tells who serves."""
    spent = {field: times.get(state, 0) for state, field in WORK_FIELDS.items()}
    return WorkTime(**spent, serving_ms=times.get(State.SERVING, 0) if serving_told else None)


class SeatTime(msgspec.Struct, frozen=True, gc=False):
    """People at work within the service window, beside the seats paid for.

    staffed: person-ms / ms of window. contracted: seat-ms / ms of window and shortfall_ms: seat-ms, half hour by half
    hour, by which fewer were there; None where the roster states no seats. no_data_ms: window in which nothing was
    told of people: in none of the others. Where that is all, contracted is of it, and staffed and shortfall_ms None.
    """

    staffed: Ratio | None
    contracted: Ratio | None
    shortfall_ms: int | None
    no_data_ms: int = 0


def person_intervals(
    changes: Sequence[PresenceChanged], talks: Iterable[Interval], roster: Roster, until: Callable[[str], int]
) -> Iterator[tuple[Place, Interval]]:
    """Everybody's intervals, of persons instead of accounts, each with the place it was spent at.

    changes: sorted by event time. talks: of accounts. until: how far (ms) an account's last interval is known to go.
    """
    told = [*presence_intervals(changes), *work_intervals(changes)]
    logins: dict[str, list[Interval]] = {change.account: [] for change in changes}
    for each in told:
        if each.state is State.LOGGED_IN:
            logins[each.account].append(each)
    for each in (*told, *(part for talk in talks for part in _in_logins(talk, logins))):
        end = until(each.account) if each.end_ms is None else each.end_ms
        cuts = [at for at in roster.moves(each.account) if each.start_ms < at < end]
        for start, stop in pairwise([each.start_ms, *cuts, end]):
            place = roster.place(each.account, start)
            if start < stop:
                yield place, Interval(agent_of(place), start, stop, each.state)


def on_call(leg: LegFact) -> tuple[Interval, ...]:
    """The account's time in a call it answered: it serves, also on a break it chose meanwhile. () for other legs."""
    if not leg.voice or leg.void or leg.replied_at is None:
        return ()
    states = (State.TALKING, State.AT_WORK, State.SERVING)
    return tuple(Interval(leg.place.account, leg.replied_at, leg.ended_at, state) for state in states)


def state_times(
    spent: Mapping[RowKey, Sequence[Interval]], edges: Sequence[int], *, over_time: bool
) -> dict[RowKey, Counter[State]]:
    """Ms by state of each key of `spent`. over_time: what is under TOTAL also by bucket between `edges`, numbered."""
    found: dict[RowKey, Counter[State]] = defaultdict(Counter)
    for key, intervals in spent.items():
        for (_, state), parts in agent_hours(intervals, edges, edges[-1]).items():
            found[key][state] += sum(parts)
            for bucket, ms in enumerate(parts if over_time else ()):
                found[bucket][state] += ms
    return found


class HalfHour(NamedTuple):
    """Start (ms), how long the service window was open in it, and the person-ms at work within that.

    no_data_ms: how much longer it was open while nothing was told of people.
    """

    start: int
    open_ms: int
    there_ms: int
    no_data_ms: int = 0


def half_hours(
    intervals: Iterable[Interval],
    hours: ServiceHours,
    frame: Frame,
    since: int,
    until: int,
    unseen: Sequence[tuple[int, int]] = (),
) -> list[HalfHour]:
    """The half hours of [since, until) that have any window. intervals: of persons; frame: in half hours.

    One in which a business day or a month begins is two: what is short in one is not made up for in another.
    unseen: spans (ms) of which nothing was told, in order and apart from each other.
    """
    edges = [at for span in unseen for at in span]
    within = (at for at in edges if since < at < until)
    begins = list(_begins_of(frame, since, until))
    cuts = sorted({until, *begins, *hours.edges(since, until), *within})
    there = [0] * (len(cuts) - 1)
    at_work = (each for each in intervals if each.state is State.AT_WORK)
    for parts in agent_hours(at_work, cuts, until).values():
        there = [a + b for a, b in zip(there, parts, strict=True)]
    open_ms, there_ms, no_data_ms = Counter[int](), Counter[int](), Counter[int]()
    for number, (start, end) in enumerate(pairwise(cuts)):
        if hours.is_open(start):
            half_hour = begins[bisect_right(begins, start) - 1]
            is_unseen = bisect_right(edges, start) % 2 == 1
            open_ms[half_hour] += 0 if is_unseen else end - start
            there_ms[half_hour] += 0 if is_unseen else there[number]
            no_data_ms[half_hour] += end - start if is_unseen else 0
    return [HalfHour(start, ms, there_ms[start], no_data_ms[start]) for start, ms in sorted(open_ms.items())]


def seat_time(spans: Iterable[HalfHour], contracted: Callable[[int], int | None]) -> SeatTime | None:
    """Half hours together, None without any. contracted: seats paid for at an instant (ms), None where none."""
    listed = list(spans)
    if not listed:
        return None
    open_ms = sum(span.open_ms for span in listed)
    no_data_ms = sum(span.no_data_ms for span in listed)
    staffed = Ratio(sum(span.there_ms for span in listed), open_ms) if open_ms else None
    seats = [contracted(span.start) for span in listed]
    weights = [span.open_ms if open_ms else span.no_data_ms for span in listed]
    if all(count is None for count in seats):
        return SeatTime(staffed, None, None, no_data_ms)
    paid = [(count or 0) * ms for count, ms in zip(seats, weights, strict=True)]
    short = sum(max(0, owed - span.there_ms) for owed, span in zip(paid, listed, strict=True))
    return SeatTime(staffed, Ratio(sum(paid), sum(weights)), short if open_ms else None, no_data_ms)


def in_row(spans: Sequence[HalfHour], since: int, until: int) -> list[HalfHour]:
    """The half hours that begin within [since, until)."""
    first = bisect_left(spans, since, key=_begins)
    return list(spans[first : bisect_left(spans, until, first, key=_begins)])


def _begins(span: HalfHour) -> int:
    return span.start


def _in_logins(talk: Interval, logins: Mapping[str, Sequence[Interval]]) -> Iterator[Interval]:
    """What of it counts: all talk, and work only while logged in, where that is told."""
    if talk.state is State.TALKING or talk.end_ms is None or talk.account not in logins:
        yield talk
        return
    for login in logins[talk.account]:
        end = talk.end_ms if login.end_ms is None else min(talk.end_ms, login.end_ms)
        if end > login.start_ms:
            yield talk._replace(start_ms=max(talk.start_ms, login.start_ms), end_ms=end)


def _begins_of(frame: Frame, since: int, until: int) -> Iterator[int]:
    at = since
    while at < until:
        yield at
        at = half_hour_end(frame, at)


def half_hour_end(frame: Frame, at: int) -> int:
    """Where the half hour ends that `at` (ms) lies in: by the clock, or with the business day or the month."""
    days = frame.days
    return min(days.interval_start(at) + days.interval_ms, frame.end(By.DAY, at), frame.end(By.MONTH, at))
