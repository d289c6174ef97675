"""Intervals of people's time, read off presences in the order of event time."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from sla_engine._core.staffing import READY, SERVING, told_state
from sla_engine.reports._core.agent_hours import Interval, State
from wire.conversation import Activity, Presence, PresenceChanged


def presence_intervals(changes: Iterable[PresenceChanged]) -> Iterator[Interval]:
    """Logins, breaks and wrap-ups; the last of an account are open. changes: sorted by occurred_at, ties as entered."""
    return _intervals(changes, _chosen)


def work_intervals(changes: Iterable[PresenceChanged]) -> Iterator[Interval]:
    """Ready or serving, and serving, of each account; the last are open. changes: as above."""
    return _intervals(changes, _working)


def _chosen(change: PresenceChanged) -> Mapping[State, bool]:
    is_there = change.presence is not Presence.OFFLINE
    return {
        State.LOGGED_IN: is_there,
        State.ON_BREAK: change.presence is Presence.ON_BREAK,
        State.WRAP_UP: is_there and change.activity is Activity.WRAP_UP,
    }


def _working(change: PresenceChanged) -> Mapping[State, bool]:
    told = told_state(change.presence, change.activity)
    return {State.AT_WORK: told >= READY, State.SERVING: told == SERVING}


def _intervals(
    changes: Iterable[PresenceChanged], states: Callable[[PresenceChanged], Mapping[State, bool]]
) -> Iterator[Interval]:
    """states: which of them a change begins or keeps, and which it ends."""
    since: dict[tuple[str, State], int] = {}
    for change in changes:
        for state, holds in states(change).items():
            key = (change.account, state)
            if holds:
                since.setdefault(key, change.occurred_at)
            elif key in since:
                yield Interval(change.account, since.pop(key), change.occurred_at, state)
    for (account, state), start_ms in since.items():
        yield Interval(account, start_ms, None, state)
