"""Dedicated seats: how much of the time that somebody works on one of them that person also serves another client.

Other clients are nobody here: their time comes in as spans of persons, and what goes out are ms.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sla_engine._core.coverage import union
from sla_engine._core.seats import Seats
from sla_engine.reports._core.agent_hours import Interval, State, agent_hours
from wire.board import Ratio
from wire.ids import UNASSIGNED
from wire.verdict import LoadChange, Place

Span = tuple[int, int]
"""[start, end) in ms."""
Spent = Sequence[tuple[Place, Interval]]
"""A person's intervals, each with the place it was spent at."""


def hands_intervals(changes: Iterable[LoadChange]) -> Iterator[Interval]:
    """When each account had any conversation in hands, in any order of telling; the last of an account may be open."""
    by_account: dict[str, list[Span]] = {}
    for load in changes:
        by_account.setdefault(load.account, []).append((load.at, load.change))
    for account, told in by_account.items():
        hands, since = 0, 0
        for at, change in sorted(told, key=lambda one: (one[0], -one[1])):
            before, hands = hands, hands + change
            if before <= 0 < hands:
                since = at
            elif hands <= 0 < before:
                yield Interval(account, since, at, State.TALKING)
        if hands > 0:
            yield Interval(account, since, None, State.TALKING)


def on_dedicated_seats(spent: Spent, seats: Seats) -> dict[str, list[Span]]:
    """By person, the time at work on a seat that is dedicated at that time."""
    found: dict[str, list[Span]] = {}
    for place, interval in spent:
        if interval.state is State.AT_WORK and interval.end_ms is not None and is_known(place):
            spans = seats.dedicated(place.seat, interval.start_ms, interval.end_ms)
            found.setdefault(place.person, []).extend(spans)
    return {person: union(spans) for person, spans in found.items()}


def serving(spent: Spent) -> dict[str, list[Span]]:
    """By person the roster knows, the time it serves: as presence says, or with a conversation in its hands.

    What is in the hands of somebody whose presence is told counts only while they are logged in: a conversation that
    nobody ever closed is served by nobody.
    """
    by_state: dict[State, dict[str, list[Span]]] = {state: {} for state in State}
    for place, interval in spent:
        if interval.end_ms is not None and is_known(place):
            span = (interval.start_ms, interval.end_ms)
            by_state[interval.state].setdefault(place.person, []).append(span)
    found = {person: list(spans) for person, spans in by_state[State.SERVING].items()}
    for person, spans in by_state[State.TALKING].items():
        logged_in = by_state[State.LOGGED_IN].get(person)
        held = union(spans) if logged_in is None else _common(union(spans), union(logged_in))
        found.setdefault(person, []).extend(held)
    return {person: union(spans) for person, spans in found.items()}


def is_known(place: Place) -> bool:
    """Whether the roster says who it is: an account alone is nobody that another record would know."""
    return place.person not in ("", UNASSIGNED)


def also_serving(
    own: Mapping[str, Sequence[Span]], others: Mapping[str, Sequence[Span]], edges: Sequence[int]
) -> list[Ratio]:
    """For each bucket between `edges`: ms of `own` in which the same person is in `others` too / ms of `own`.

    own, others: by person, spans in order and apart from each other.
    """
    both = {person: list(_common(spans, others.get(person, ()))) for person, spans in own.items()}
    return [Ratio(part, whole) for part, whole in zip(_sums(both, edges), _sums(own, edges), strict=True)]


def _common(one: Sequence[Span], other: Sequence[Span]) -> Iterator[Span]:
    """What two lists of spans share."""
    first = second = 0
    while first < len(one) and second < len(other):
        start, end = max(one[first][0], other[second][0]), min(one[first][1], other[second][1])
        if start < end:
            yield start, end
        if one[first][1] < other[second][1]:
            first += 1
        else:
            second += 1


def _sums(spans: Mapping[str, Sequence[Span]], edges: Sequence[int]) -> list[int]:
    intervals = (Interval(person, *span, State.AT_WORK) for person, found in spans.items() for span in found)
    sums = [0] * (len(edges) - 1)
    for parts in agent_hours(intervals, edges, edges[-1]).values():
        sums = [a + b for a, b in zip(sums, parts, strict=True)]
    return sums
