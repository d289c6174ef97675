"""The day's curve for one reader: cut to its scope, and of what they asked for alone."""

from collections.abc import Sequence
from typing import Any

from wire.board import Ratio
from wire.day_curve import Curve, DayCurve
from wire.scope import Scope

_NO_DATA = Ratio(0, 0)


def day_for(day: DayCurve, scope: Scope, of: str) -> dict[str, Any]:
    """`day` as JSON values. of: "acme", "acme|presale", or "" for every client together.

    Several clients have one together only where the same is promised to all of them, in one unit; else, and for an `of`
    that is not to be seen, it is that of the first client. choices: what else may be asked for.
    """
    seen = [curve for curve in day.curves if scope.sees_client(curve.client)]
    wholes = [curve for curve in seen if not curve.queue]
    together = len(wholes) > 1 and all(
        (curve.unit, curve.targets) == (wholes[0].unit, wholes[0].targets) for curve in wholes
    )
    chosen = [curve for curve in seen if _key(curve) == of] or (wholes if together else wholes[:1])
    covered = [curve.covered for curve in wholes if curve.client in {each.client for each in chosen}]
    troubles = [trouble for trouble in day.troubles if scope.sees_site(trouble.site)]
    return {
        "since": day.since,
        "until": day.until,
        "interval_ms": day.interval_ms,
        "of": "" if len(chosen) != 1 else _key(chosen[0]),
        "is_together": together,
        "choices": [
            {"of": _key(curve), "client": curve.client, "name": curve.name, "name_en": curve.name_en} for curve in seen
        ],
        "met": [sum(each) for each in zip(*(curve.met for curve in chosen), strict=True)],
        "judged": [sum(each) for each in zip(*(curve.judged for curve in chosen), strict=True)],
        "offered": [_sum(each) for each in zip(*(curve.offered for curve in chosen), strict=True)],
        "covered": [_least(each) for each in zip(*covered, strict=True)],
        "targets": chosen[0].targets if chosen else [],
        "troubles": troubles,
    }


def _key(curve: Curve) -> str:
    return f"{curve.client}|{curve.queue}" if curve.queue else curve.client


def _sum(counts: Sequence[int | None]) -> int | None:
    """Of those who can say; None where nobody can."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _least(ratios: Sequence[Ratio]) -> Ratio:
    """The one with the smallest share covered, of those that have a window then."""
    known = [ratio for ratio in ratios if ratio.whole]
    return min(known, key=lambda ratio: ratio.part * 1_000 // ratio.whole, default=_NO_DATA)
