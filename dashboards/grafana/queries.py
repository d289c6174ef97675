"""PromQL over the catalogue: a metric that is renamed or loses a label breaks here and not on somebody's screen."""

from typing import Final

from dashboards.catalogue import (
    CLIENT_NAMES,
    NAME_LABELS,
    QUEUE_NAMES,
    SITE_NAMES,
    TEAM_NAMES,
    Metric,
    exposed_name,
)
from wire.errors import require

CLIENT: Final = {"client": '=~"$client"'}
QUEUE: Final = {**CLIENT, "queue": '=~"$queue"'}
SITE: Final = {"site": '=~"$site"'}
DAY: Final = {"window": '="day"'}
_NAME: Final = "_name"
RECENT: Final = "$__rate_interval"
"""Grafana's own choice: never shorter than four scrapes."""


def series(metric: Metric, where: dict[str, str], suffix: str = "") -> str:
    """A selector. where: label -> operator and value, as `=~"$client"`. suffix: `_bucket` and the like of a family."""
    known = {*metric.labels, "le"}
    require(set(where) <= known, f"{metric.name} has no label {', '.join(sorted(set(where) - known))}")
    labels = ",".join(f"{label}{matcher}" for label, matcher in where.items())
    return f"{exposed_name(metric)}{suffix}" + (f"{{{labels}}}" if labels else "")


def total(metric: Metric, where: dict[str, str], *by: str) -> str:
    """The sum of a gauge, by labels."""
    return _over("sum", series(metric, where), by)


def highest(metric: Metric, where: dict[str, str], *by: str) -> str:
    """The greatest of a gauge, by labels."""
    return _over("max", series(metric, where), by)


def lowest(metric: Metric, where: dict[str, str], *by: str) -> str:
    """The smallest of a gauge, by labels."""
    return _over("min", series(metric, where), by)


def gained(metric: Metric, where: dict[str, str], within: str, *by: str, suffix: str = "") -> str:
    """By how much a counter rose within a length of time, by labels."""
    return _over("sum", f"increase({series(metric, where, suffix)}[{within}])", by)


def per_second(metric: Metric, where: dict[str, str], *by: str) -> str:
    """How fast a counter rises, by labels."""
    return _over("sum", f"rate({series(metric, where)}[{RECENT}])", by)


def ratio(part: str, whole: str) -> str:
    """A ratio of sums; nothing where nothing was counted, never 0 and never 1."""
    return f"{part} / ({whole} > 0)"


def quantile(share: str, metric: Metric, where: dict[str, str], within: str, *by: str) -> str:
    """A quantile of a histogram; nothing where nothing was counted."""
    buckets = gained(metric, where, within, "le", *by, suffix="_bucket")
    counted = gained(metric, where, within, *by, suffix="_count")
    return f"histogram_quantile({share}, {buckets}) and ({counted} > 0)"


def called(expr: str, *by: str) -> str:
    """`expr` with the names of the kinds `by`, as `queue_name`, beside the ids; of what one scrape names."""
    for metric in _naming(by):
        expr = _joined(expr, metric)
    return expr


def called_where_named(expr: str, *by: str) -> str:
    """As `called`, of what may have none (a hub, a rule's own labels): its id is its name."""
    for metric in _naming(by):
        kind, told = _labels(metric)
        copied = f"({expr})"
        for name in told:
            copied = f'label_replace({copied}, "{name}", "$1", "{name.removesuffix(_NAME)}", "(.*)")'
        expr = f"({_joined(expr, metric)}) or on ({', '.join(kind)}) {copied}"
    return expr


def legend(*by: str) -> str:
    """Of series that `called` gave names to: of their kinds `by`."""
    return " ".join(f"{{{{{kind}{_NAME}}}}}" for kind in by)


def _naming(by: tuple[str, ...]) -> list[Metric]:
    """The fewest metrics that tell the names of these kinds: a queue's tells its client's as well."""
    kinds = {"queue": QUEUE_NAMES, "team": TEAM_NAMES, "client": CLIENT_NAMES, "site": SITE_NAMES}
    found = [metric for kind, metric in kinds.items() if kind in by]
    return [metric for metric in found if metric is not CLIENT_NAMES or {QUEUE_NAMES, TEAM_NAMES}.isdisjoint(found)]


def _joined(expr: str, metric: Metric) -> str:
    kind, told = _labels(metric)
    named = highest(metric, {}, *kind, *told)
    return f"({expr}) * on ({', '.join(kind)}) group_left ({', '.join(told)}) {named}"


def _labels(metric: Metric) -> tuple[list[str], list[str]]:
    """The ids of a naming metric, and the names that boards show of them."""
    told = [label for label in metric.labels if label in NAME_LABELS and label.endswith(_NAME)]
    return [label for label in metric.labels if label not in NAME_LABELS], told


def _over(how: str, inner: str, by: tuple[str, ...]) -> str:
    return f"{how} by ({', '.join(by)}) ({inner})" if by else f"{how}({inner})"
