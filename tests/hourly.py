"""Hourly tables over a ledger, as call centers print them: from facts and events, on the hours of one day."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.reader import LedgerReader
from ledger.recorded import recorded
from sla_engine._core.engine import new_shard, step
from sla_engine.reports._core.agent_hours import State, agent_hours
from sla_engine.reports._core.agent_intervals import presence_intervals
from tests.talking import talks
from wire.body import Body
from wire.conversation import CustomerLeft, LeftReason, PresenceChanged
from wire.recorded import Recorded
from wire.verdict import Outcome, SessionFact

SATURATED = {LeftReason.TURNED_AWAY}
EVERY_HOUR = """
based_on = "contract-10s"
name = "all-day"
title = "all day"
source = "a test"
official = false
time_zone = "{zone}"
service_windows = ["00:00-24:00"]
business_day_starts = "00:00"
short_abandon_s = 0
"""


class Visit(NamedTuple):
    """One call on one queue. waited_ms: None while it still does. left: None unless it left unanswered."""

    entered_ms: int
    outcome: Outcome
    waited_ms: int | None
    left: LeftReason | None


def records(ledger: Path) -> list[Recorded]:
    reader = LedgerReader.open(ledger)
    try:
        return [recorded(entry) for entry in reader.read(0, reader.size())]
    finally:
        reader.close()


def in_order(entries: Sequence[Recorded]) -> list[Body]:
    """The events by event time, ties as they were numbered."""
    told = [(entry.body, entry.sequence) for entry in entries if entry.body is not None]
    return [body for body, _ in sorted(told, key=lambda each: (each[0].occurred_at, each[1]))]


def hours(day: str, first: int, last: int, zone: ZoneInfo) -> list[int]:
    """The edges of the hours first..last-1 of a day."""
    midnight = datetime.fromisoformat(day)
    at = [(midnight + timedelta(hours=hour)).replace(tzinfo=zone) for hour in range(first, last + 1)]
    return [round(edge.timestamp() * 1000) for edge in at]


def visits(entries: Sequence[Recorded], queue: str) -> list[Visit]:
    """What the engine makes of the calls of one queue, and why they left."""
    reasons = {each.conversation: each.reason for each in in_order(entries) if isinstance(each, CustomerLeft)}
    latest: dict[tuple[str, int], SessionFact] = {}
    for fact in step(new_shard(), entries, entries[-1].received_at).facts:
        if isinstance(fact, SessionFact):
            latest[fact.conversation, fact.session] = fact
    found = []
    for fact in latest.values():
        if fact.queue == queue:
            ended = None if fact.ended_at is None else fact.ended_at - fact.started_at
            is_answered = fact.outcome is Outcome.ANSWERED
            left = None if is_answered else reasons.get(fact.conversation)
            waited = fact.first_response_ms if is_answered else ended
            found.append(Visit(fact.started_at, fact.outcome, waited, left))
    return found


# ------------------------------------------------------------------------------------------------------- the columns


def _answered(calls: Sequence[Visit]) -> list[Visit]:
    return [call for call in calls if call.outcome is Outcome.ANSWERED]


def _waited(calls: Sequence[Visit]) -> str:
    waits = [call.waited_ms for call in calls if call.waited_ms is not None and call.left not in SATURATED]
    return clock(sum(waits) // len(waits)) if waits else ""


def _answered_rate(calls: Sequence[Visit]) -> str:
    """Of the calls that came while the queue was open."""
    return share(len(_answered(calls)), sum(call.left is not LeftReason.QUEUE_CLOSED for call in calls))


def _count(reason: LeftReason) -> Callable[[Sequence[Visit]], str]:
    return lambda calls: str(sum(call.left is reason for call in calls))


def share(part: int, whole: int) -> str:
    return f"{100 * part // whole} %" if whole else ""


def clock(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


QUEUE_COLUMNS: Mapping[str, Callable[[Sequence[Visit]], str]] = {
    "Received": lambda calls: str(len(calls)),
    "Answered": lambda calls: str(len(_answered(calls))),
    "Abandoned": _count(LeftReason.HUNG_UP),
    "No answer": _count(LeftReason.TIMED_OUT),
    "Blocked": _count(LeftReason.NOBODY_ONLINE),
    "Blocking": _count(LeftReason.NOBODY_ONLINE),
    "Closed": _count(LeftReason.QUEUE_CLOSED),
    "Saturated": _count(LeftReason.TURNED_AWAY),
    "AWT": _waited,
    "Answered rate": _answered_rate,
    "QoS": lambda calls: share(
        sum((call.waited_ms or 0) <= 10_000 for call in _answered(calls)), len(_answered(calls))
    ),
}
AGENT_COLUMNS: Mapping[str, State] = {
    "Login": State.LOGGED_IN,
    "Pause": State.ON_BREAK,
    "Wrapup": State.WRAP_UP,
}


def queue_table(
    entries: Sequence[Recorded], queue: str, columns: Sequence[str], edges: Sequence[int]
) -> list[list[str]]:
    """One row an hour by when calls entered, and the total. QoS is within ten seconds."""
    calls = visits(entries, queue)
    buckets = [[call for call in calls if start <= call.entered_ms < end] for start, end in pairwise(edges)]
    rows = [*buckets, [call for bucket in buckets for call in bucket]]
    return [[QUEUE_COLUMNS[column](row) for column in columns] for row in rows]


def agent_table(
    entries: Sequence[Recorded], account: str, columns: Sequence[str], edges: Sequence[int]
) -> list[list[str]]:
    """One row an hour and the total. A conversation belongs, whole, to the hour its call entered."""
    events = in_order(entries)
    changes = [event for event in events if isinstance(event, PresenceChanged)]
    found = agent_hours(presence_intervals(changes), edges, edges[-1])
    spoken = [talk for talk in talks(events) if talk.account == account]
    sums: dict[str, list[int]] = {
        column: list(found.get((account, state), [0] * (len(edges) - 1))) for column, state in AGENT_COLUMNS.items()
    }
    within = [[talk for talk in spoken if start <= talk.entered_ms < end] for start, end in pairwise(edges)]
    sums["Conversation"] = [sum((talk.end_ms or 0) - talk.start_ms for talk in bucket) for bucket in within]
    answered = [*map(len, within)]
    texts = {column: [clock(ms) for ms in [*each, sum(each)]] for column, each in sums.items()}
    texts["Answered"] = [str(count) for count in [*answered, sum(answered)]]
    return [list(row) for row in zip(*(texts[column] for column in columns), strict=True)]
