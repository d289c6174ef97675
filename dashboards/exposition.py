"""Two ways out for samples: as prometheus-client families, and as text, several times faster than its own writer.

A scrape runs on the event loop that also serves screens, so its cost is everybody's. Most of it is spelling names and
labels; here every line's beginning is spelled once and remembered from scrape to scrape. Tests hold the text against
the library's own writer and parser.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, Protocol

from prometheus_client import Metric as Family

from dashboards.catalogue import CATALOGUE, Metric, Type, exposed_name
from dashboards.snapshot import Distribution

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"

# Batch: of a cache.
_LINES_REMEMBERED: Final = 4
"""Beginnings are kept for up to this many times the lines of one scrape; ids that are gone must not pile up."""

Values = tuple[str, ...]
"""Label values, in the order of the metric's labels."""
Part = tuple[str, str]
"""What a sample adds to its family: a suffix to the name, and a histogram bucket's edge or ""."""

_PLAIN: Final[Part] = ("", "")
_PARTS: Final = {Type.COUNTER: ("_total", ""), Type.INFO: ("_info", "")}
_SUM_AND_COUNT: Final[tuple[Part, Part]] = (("_count", ""), ("_sum", ""))


class Sink(Protocol):
    """Takes samples of one scrape."""

    def parts(self, metric: Metric, values: Values, parts: Sequence[Part], numbers: Sequence[float]) -> None:
        """Several samples of `metric` with the same labels: parts[i] has numbers[i]."""
        ...

    def add(self, metric: Metric, values: Values, number: float) -> None:
        """One sample of a gauge, a counter or an info."""
        ...


def bucket_parts(edges_ms: Sequence[int]) -> tuple[Part, ...]:
    """The parts of a histogram with these edges: buckets, count, sum."""
    edges = (*(str(edge / 1000) for edge in edges_ms), "+Inf")
    return (*(("_bucket", edge) for edge in edges), *_SUM_AND_COUNT)


def add_histogram(
    sink: Sink, metric: Metric, values: Values, shape: Distribution, parts: Sequence[Part] | None = None
) -> None:
    """Cumulative buckets, count and sum. `parts` are bucket_parts(shape.edges_ms), where the caller has them."""
    running = list(accumulate(shape.counts))
    numbers: list[float] = [*running, running[-1], shape.total_ms / 1000]
    sink.parts(metric, values, parts or bucket_parts(shape.edges_ms), numbers)


def add_summary(sink: Sink, metric: Metric, values: Values, count: int, total_ms: int) -> None:
    """Count and sum of durations."""
    sink.parts(metric, values, _SUM_AND_COUNT, (count, total_ms / 1000))


class Families:
    """Samples as prometheus-client families."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}

    def parts(self, metric: Metric, values: Values, parts: Sequence[Part], numbers: Sequence[float]) -> None:
        """See Sink."""
        family = self._families.get(metric.name)
        if family is None:
            family = self._families[metric.name] = Family(metric.name, metric.help, metric.type, metric.unit)
        labels = dict(zip(metric.labels, values, strict=True))
        for (suffix, edge), number in zip(parts, numbers, strict=True):
            family.add_sample(metric.name + suffix, {**labels, "le": edge} if edge else labels, number)

    def add(self, metric: Metric, values: Values, number: float) -> None:
        """See Sink."""
        self.parts(metric, values, (_PARTS.get(metric.type, _PLAIN),), (number,))

    def in_order(self) -> Iterator[Family]:
        """The families in the catalogue's order."""
        return (self._families[name] for name in CATALOGUE if name in self._families)


class Text:
    """Samples as lines. Kept from scrape to scrape for the beginnings it remembers; `take` starts the next one."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {name: [] for name in CATALOGUE}
        self._known: dict[str, dict[Values, str]] = {name: {} for name in CATALOGUE}
        self._known_parts: dict[str, dict[Values, list[str]]] = {name: {} for name in CATALOGUE}

    def add(self, metric: Metric, values: Values, number: float) -> None:
        """See Sink."""
        name = metric.name
        start = self._known[name].get(values)
        if start is None:
            start = self._known[name][values] = _starts(metric, values, (_PARTS.get(metric.type, _PLAIN),))[0]
        self._lines[name].append(f"{start}{number}\n")

    def parts(self, metric: Metric, values: Values, parts: Sequence[Part], numbers: Sequence[float]) -> None:
        """See Sink. The parts of a metric are the same for every label set and every scrape."""
        starts = self._known_parts[metric.name].get(values)
        if starts is None:
            starts = self._known_parts[metric.name][values] = _starts(metric, values, parts)
        self._lines[metric.name] += [f"{start}{number}\n" for start, number in zip(starts, numbers, strict=True)]

    def take(self, *, openmetrics: bool) -> bytes:
        """The exposition as OpenMetrics text, or as Prometheus text 0.0.4. Leaves no samples behind."""
        text = []
        for name, lines in self._lines.items():
            if lines:
                text.append(_head(CATALOGUE[name], openmetrics=openmetrics))
                text += lines
                self._forget(name, len(lines))
                self._lines[name] = []
        if openmetrics:
            text.append("# EOF\n")
        return "".join(text).encode()

    def _forget(self, name: str, lines: int) -> None:
        for known in (self._known[name], self._known_parts[name]):
            if len(known) > lines * _LINES_REMEMBERED:
                known.clear()


def wants_openmetrics(accept: str) -> bool:
    """Whether the Accept header names OpenMetrics, as Prometheus does."""
    return any(part.split(";")[0].strip() == "application/openmetrics-text" for part in accept.split(","))


def _starts(metric: Metric, values: Values, parts: Sequence[Part]) -> list[str]:
    """How the lines of these samples begin, up to the number."""
    labels = [f'{name}="{_escaped(value)}"' for name, value in zip(metric.labels, values, strict=True)]
    starts = []
    for suffix, edge in parts:
        pairs = ",".join([*labels, f'le="{edge}"'] if edge else labels)
        starts.append(f"{metric.name}{suffix}{{{pairs}}} " if pairs else f"{metric.name}{suffix} ")
    return starts


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _head(metric: Metric, *, openmetrics: bool) -> str:
    if openmetrics:
        unit = f"# UNIT {metric.name} {metric.unit}\n" if metric.unit else ""
        return f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.type}\n{unit}"
    name = exposed_name(metric)
    kind = Type.GAUGE if metric.type is Type.INFO else metric.type
    return f"# HELP {name} {metric.help}\n# TYPE {name} {kind}\n"
