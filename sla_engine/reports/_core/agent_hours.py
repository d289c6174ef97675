"""How long people were logged in, on a break, talking, wrapping up: intervals cut at the edges of a table's buckets."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from wire.errors import require


class State(StrEnum):
    """What an account was in. All but talk lie within a login; at work = ready or serving."""

    LOGGED_IN = "logged_in"
    ON_BREAK = "on_break"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    AT_WORK = "at_work"
    SERVING = "serving"


class Interval(NamedTuple):
    """`account` was in `state` from start_ms until just before end_ms (ms since the Unix epoch), None = it still is."""

    account: str
    start_ms: int
    end_ms: int | None
    state: State


AgentHours = Mapping[tuple[str, State], Sequence[int]]
"""(account, state) -> ms in each bucket, 0 where there is none."""


def agent_hours(intervals: Iterable[Interval], edges: Sequence[int], open_until_ms: int) -> AgentHours:
    """How much of each interval lies in each of the buckets [edges[0], edges[1]), [edges[1], edges[2]) ...

    edges: ascending instants, at least two; an hour that a clock change repeats is two buckets. open_until_ms: how far
    an interval without an end is known to go. Intervals of one account and state may overlap: no instant counts twice.
    """
    require(len(edges) > 1 and all(a < b for a, b in pairwise(edges)), "edges must ascend")
    spans: dict[tuple[str, State], list[tuple[int, int]]] = {}
    for each in intervals:
        end_ms = open_until_ms if each.end_ms is None else each.end_ms
        start_ms, end_ms = max(each.start_ms, edges[0]), min(end_ms, edges[-1])
        if start_ms < end_ms:
            spans.setdefault((each.account, each.state), []).append((start_ms, end_ms))
    return {key: _cut(sorted(found), edges) for key, found in sorted(spans.items())}


def _cut(spans: Sequence[tuple[int, int]], edges: Sequence[int]) -> list[int]:
    """Ms of the union of `spans`, sorted by their start, in each bucket."""
    sums = [0] * (len(edges) - 1)
    done_until = edges[0]
    for start_ms, end_ms in spans:
        at = max(start_ms, done_until)
        while at < end_ms:
            bucket = bisect_right(edges, at) - 1
            until = min(end_ms, edges[bucket + 1])
            sums[bucket] += until - at
            at = until
        done_until = max(done_until, end_ms)
    return sums
