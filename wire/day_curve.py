"""How a day went, by intervals: what a slider over the past shows so that one sees where to look."""

import msgspec

from wire.board import Ratio


class Curve(msgspec.Struct, frozen=True, gc=False):
    """One client, or one queue of it (queue "" = the client). Lists are by interval, oldest first.

    unit: what is judged, as the definition counts; "" = several. judged: 0 = no data. offered: None = nobody can say.
    targets: from which interval on what is asked of the rate, None = nothing. covered: of a client only, how much of
    the service window every live feed was there (ms of ms), whole 0 = outside of it.
    """

    client: str
    queue: str
    name: str
    unit: str
    met: list[int]
    judged: list[int]
    offered: list[int | None]
    targets: list[tuple[int, Ratio | None]]
    covered: list[Ratio] = []
    name_en: str = ""


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """A time in which something was wrong at a site. cause: of wire.incident.Cause. ended_at: None while it lasts."""

    site: str
    name: str
    cause: str
    word: str
    about: str
    is_planned: bool
    started_at: int
    ended_at: int | None
    name_en: str = ""


class DayCurve(msgspec.Struct, frozen=True, gc=False):
    """Intervals of `interval_ms` from `since` on (ms); the last one may go on at `until`.

    curves: of each client, then of each of its queues.
    """

    since: int
    until: int
    interval_ms: int
    curves: list[Curve]
    troubles: list[Trouble]
