"""A day of one client by intervals, from the tallies that its tiles are made of: their sums are the day's figures."""

from collections.abc import Iterable, Sequence
from typing import Final

from sla_engine._core.client import ClientState
from sla_engine._core.coverage import Coverages
from sla_engine._core.groups import QUEUE, Group
from sla_engine._core.tiles import PromiseOf, Terms, common_terms, terms_of
from wire.board import Figures, Ratio
from wire.day_curve import Curve
from wire.record import Feed

_LIVE: Final = frozenset({Feed.LIVE, None})


def client_curves(
    state: ClientState, promise_of: PromiseOf, coverages: Coverages, starts: Sequence[int]
) -> list[Curve]:
    """The client's curve, then those of its queues by id. starts: of the intervals, ms; held by `state`."""
    seen = {group_id for scope, group_id in state.book.groups_of_intervals() if scope == QUEUE}
    queues = sorted(seen | set(state.feeds.queues()))
    terms = {queue: terms_of(state, promise_of, queue) for queue in queues}
    targets = [{queue: promise_of(queue, start).target for queue in queues} for start in starts]
    covered = _covered(state, coverages, starts)
    whole = _curve(state, state.client_group, common_terms(list(terms.values())), covered, starts)
    found = [_with_targets(whole, [_common_target(by_queue.values()) for by_queue in targets], covered)]
    for queue in queues:
        curve = _curve(state, (QUEUE, queue), terms[queue], covered, starts)
        found.append(_with_targets(curve, [by_queue[queue] for by_queue in targets], []))
    return found


def starts_of(state: ClientState, since: int, until: int) -> list[int]:
    """Starts (ms) of the intervals of [since, until) that `state` holds, the first one whole."""
    calendar = state.book.calendar
    first = calendar.interval_start(max(since, state.book.oldest))
    return list(range(first, until, calendar.interval_ms))


def _curve(
    state: ClientState, group: Group, terms: Terms, covered: Sequence[Ratio | None], starts: Sequence[int]
) -> Curve:
    rule = None if terms.primary is None else state.rule_of(terms.primary)
    shown = [state.book.figures_of_interval(start, group, rule) for start in starts]
    return Curve(
        client=state.client,
        queue=group[1] if group[0] == QUEUE else "",
        name=group[1],
        unit="" if rule is None else rule.unit,
        met=[figures.attainment.part for figures in shown],
        judged=[figures.attainment.whole for figures in shown],
        offered=[_offered(*each) for each in zip(shown, covered, strict=True)],
        targets=[],
    )


def _offered(figures: Figures, covered: Ratio | None) -> int | None:
    """None came is known only while somebody would have told."""
    is_dark = covered is None or (covered.whole > 0 and covered.part == 0)
    return None if is_dark and figures.offered == 0 else figures.offered


def _covered(state: ClientState, coverages: Coverages, starts: Sequence[int]) -> list[Ratio | None]:
    """By interval; None where no live feed had been heard of."""
    live = {name for name, source in state.feeds.state.sources.items() if source.feed in _LIVE}
    first = coverages.state.first_heard
    interval_ms = state.book.calendar.interval_ms
    found: list[Ratio | None] = []
    for start in starts:
        end = min(start + interval_ms, state.as_of)
        is_heard = bool(live) and first is not None and first < end
        found.append(coverages.covered(live, start, end, state.open_ms) if is_heard else None)
    return found


def _common_target(targets: Iterable[Ratio | None]) -> Ratio | None:
    found = list(targets)
    return found[0] if found and all(each == found[0] for each in found) else None


def _with_targets(curve: Curve, targets: Sequence[Ratio | None], covered: Sequence[Ratio | None]) -> Curve:
    changes = [(at, target) for at, target in enumerate(targets) if at == 0 or target != targets[at - 1]]
    known = [Ratio(0, 0) if each is None else each for each in covered]
    return Curve(
        curve.client, curve.queue, curve.name, curve.unit, curve.met, curve.judged, curve.offered, changes, known
    )
