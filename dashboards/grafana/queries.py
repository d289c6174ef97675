"""PromQL over the catalogue: a metric that is renamed or loses a label breaks here and not on somebody's screen."""

from typing import Final

from dashboards.catalogue import Metric, exposed_name
from wire.errors import require

CLIENT: Final = {"client": '=~"$client"'}
QUEUE: Final = {**CLIENT, "queue": '=~"$queue"'}
SITE: Final = {"site": '=~"$site"'}
DAY: Final = {"window": '="day"'}
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


def _over(how: str, inner: str, by: tuple[str, ...]) -> str:
    return f"{how} by ({', '.join(by)}) ({inner})" if by else f"{how}({inner})"
