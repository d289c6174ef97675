"""A site's past as lanes over one time axis: from single readings to spans of one state, and from charges to an end.

A reading says what held when it was taken and since when. It goes on to hold until the next one, but never longer than
`holds_ms`, as an unchanged reading is repeated well before that. What no reading covers is no data, not the last state.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

NO_DATA: Final = ""
GOES_ON: Final = "~"
"""State of a reading that says nothing by itself: what held before goes on to hold."""


class Told(NamedTuple):
    """One reading: at `at` (ms) the state `state` had held since `since`."""

    at: int
    since: int
    state: str


class Span(NamedTuple):
    """One state within [since, until), ms. state: NO_DATA where nothing was told."""

    since: int
    until: int
    state: str


class Charge(NamedTuple):
    """A battery's charge at an instant. runtime_ms: how long it would last, as told."""

    at: int
    percent: int
    runtime_ms: int | None
    runtime_is_estimate: bool


class Discharge(NamedTuple):
    """One time on battery. until: None where it lasts to the end of the lane. empty_at: projected, an estimate always.

    by_slope: projected from how fast the charge fell; otherwise the UPS said itself how long it would last. is_over:
    the lane says what came at `until`; where it only falls silent then, nobody knows whether the mains are back.
    """

    since: int
    until: int | None
    charges: tuple[Charge, ...]
    empty_at: int | None
    by_slope: bool
    is_over: bool = False


def spans(told: Iterable[Told], since: int, until: int, holds_ms: int) -> list[Span]:
    """What held from `since` to `until`, without a hole: a lane. The first span may begin earlier, where that is known.

    told: in any order, backlogs included; what is told of an instant twice is taken from the later reading.
    """
    lane = _Lane(until)
    for each in sorted(told):
        if each.at >= until:
            break
        lane.take(each, holds_ms)
    return lane.spans(since, holds_ms)


class _Lane:
    def __init__(self, until: int) -> None:
        self._until = until
        self._found: list[Span] = []
        self._newest: Told | None = None

    def take(self, each: Told, holds_ms: int) -> None:
        before = self._newest
        if before is None:
            state = NO_DATA if each.state == GOES_ON else each.state
            self._newest = Told(each.at, each.since, state)
            self._add(Span(min(each.since, each.at), each.at, state))
            return
        if each.state == GOES_ON:
            each = Told(each.at, each.at, before.state)
        begins = min(max(each.since, before.at), each.at)
        held_until = min(before.at + holds_ms, begins)
        self._add(Span(before.at, held_until, before.state))
        self._add(Span(held_until, begins, NO_DATA))
        self._add(Span(begins, each.at, each.state))
        self._newest = each

    def spans(self, since: int, holds_ms: int) -> list[Span]:
        if self._newest is None:
            return [Span(since, self._until, NO_DATA)]
        held_until = min(self._newest.at + holds_ms, self._until)
        self._add(Span(self._newest.at, held_until, self._newest.state))
        self._add(Span(held_until, self._until, NO_DATA))
        kept = [span for span in _joined(self._found) if span.until > since]
        if kept and kept[0].since > since:
            kept.insert(0, Span(since, kept[0].since, NO_DATA))
        return kept or [Span(since, self._until, NO_DATA)]

    def _add(self, span: Span) -> None:
        if span.since < span.until:
            self._found.append(span)


def thinned(lane: Sequence[Span], gravity: Sequence[str], spans_max: int) -> list[Span]:
    """At most `spans_max` spans: neighbours are merged by equal steps of time, each step in its gravest state.

    gravity: states from the gravest on; one that is not among them is the least grave. So a trouble never disappears,
    it only looks longer.
    """
    if len(lane) <= spans_max:
        return list(lane)
    order = {state: rank for rank, state in enumerate(gravity)}
    since, until = lane[0].since, lane[-1].until
    step = -(-(until - since) // spans_max)
    found: dict[int, Span] = {}
    for span in lane:
        for number in range((span.since - since) // step, (span.until - 1 - since) // step + 1):
            begins = since + number * step
            held = found.get(number)
            rank = order.get(span.state, len(order))
            if held is None or rank < order.get(held.state, len(order)):
                found[number] = Span(begins, min(begins + step, until), span.state)
    return _joined(found[number] for number in sorted(found))


def without(lane: Sequence[Span], holes: Sequence[tuple[int, int]]) -> list[Span]:
    """The lane with NO_DATA in every hole [since, until). holes: in order, apart from each other."""
    found: list[Span] = []
    for span in lane:
        begins = span.since
        for since, until in holes:
            if until <= begins or since >= span.until:
                continue
            if begins < since:
                found.append(Span(begins, since, span.state))
            found.append(Span(max(begins, since), min(until, span.until), NO_DATA))
            begins = min(until, span.until)
        if begins < span.until:
            found.append(Span(begins, span.until, span.state))
    return _joined(found)


def _joined(pieces: Iterable[Span]) -> list[Span]:
    """Neighbours of one state as one span."""
    merged: list[Span] = []
    for span in pieces:
        if merged and merged[-1].until == span.since and merged[-1].state == span.state:
            merged[-1] = Span(merged[-1].since, span.until, span.state)
        else:
            merged.append(span)
    return merged


def discharges(power: Sequence[Span], charges: Sequence[Charge], on_battery: frozenset[str]) -> list[Discharge]:
    """Every time on battery of one UPS in a lane of its power states, in order. charges: by time."""
    # Format: since and until.
    found = _joined(Span(*span[:2], "on battery") for span in power if span.state in on_battery)
    over = {span.since for span in power if span.state != NO_DATA}
    return [
        _discharge(span, charges, None if span.until == power[-1].until else span.until)._replace(
            is_over=span.until in over
        )
        for span in found
    ]


def _discharge(span: Span, charges: Sequence[Charge], until: int | None) -> Discharge:
    measured = tuple(each for each in charges if span.since <= each.at < span.until)
    if not measured:
        return Discharge(span.since, until, measured, None, by_slope=False)
    last = measured[-1]
    if last.runtime_ms is not None:
        return Discharge(span.since, until, measured, last.at + last.runtime_ms, by_slope=last.runtime_is_estimate)
    return Discharge(span.since, until, measured, _empty_at(measured), by_slope=True)


def _empty_at(measured: Sequence[Charge]) -> int | None:
    """When a straight line through the first and the newest charge reaches nothing; None while it has not fallen."""
    first, last = measured[0], measured[-1]
    fallen = first.percent - last.percent
    return None if fallen <= 0 else last.at + last.percent * (last.at - first.at) // fallen
