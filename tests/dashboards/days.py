"""Days by intervals and pictures of the past that screens are shown."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from dashboards.wallboard._core.board import to_json
from tests.dashboards.boards import NOON
from wire.board import Board, Ratio
from wire.day_curve import Curve, DayCurve, Trouble
from wire.scope import EVERYTHING

QUARTER_MS = 900_000
NINETY = Ratio(9_000, 10_000)


def curve(client: str = "acme", queue: str = "", **given: Any) -> Curve:
    """Three quarters of an hour: on target, below it, and one of which nothing was told."""
    made = Curve(
        client=client,
        queue=queue,
        name=queue or client,
        unit="session",
        met=[29, 20, 0],
        judged=[30, 30, 0],
        offered=[31, 32, None],
        targets=[(0, NINETY)],
        covered=[] if queue else [Ratio(900, 900), Ratio(450, 900), Ratio(0, 900)],
    )
    return replace(made, **given)


def trouble(site: str = "sh1", **given: Any) -> Trouble:
    """A line that was down for the second of them."""
    since = NOON - 2 * QUARTER_MS
    return replace(
        Trouble(site, site, "uplink", "incident_line_down", "telecom", False, since, since + QUARTER_MS), **given
    )


def day(curves: Sequence[Curve] = (), troubles: Sequence[Trouble] = ()) -> DayCurve:
    """The three quarters before noon; of acme and beta unless told."""
    both = [curve(client, queue) for client in ("acme", "beta") for queue in ("", "chat")]
    return DayCurve(NOON - 3 * QUARTER_MS, NOON, QUARTER_MS, [*(curves or both)], [*(troubles or [trouble()])])


def past_of(shown: Board) -> dict[str, Any]:
    """What `/past.json` tells of noon, when the floor looked so."""
    return {
        "at": NOON,
        "known_at": None,
        "server_now": NOON,
        "time_zone": "Asia/Shanghai",
        "few_judged": 20,
        "span_ms": 86_400_000,
        "page_turn_ms": 12_000,
        "sees_sites": True,
        "board": to_json(shown, EVERYTHING),
    }
