"""The reference page of the metrics, from the catalogue, the measures and the glossary.

python -m tools.metrics_page > docs/reference/metrics.md
"""

import sys

from dashboards.catalogue import CATALOGUE, FIRST_RESPONSE, LABEL_VALUES, exposed_name
from dashboards.measure import Measure
from dashboards.measures import MEASURES
from seatwatch.glossary import words
from wire.board import RESPONSE_EDGES_MS


def markdown() -> str:
    """The whole page."""
    return "\n".join([*_head(), *_measures(), *_metrics(), *_labels(), ""])


def _head() -> list[str]:
    return [
        "# Measures and metrics",
        "",
        "What every figure means, and everything exposed at `/metrics`. This page is generated:",
        "`python -m tools.metrics_page > docs/reference/metrics.md`.",
        "",
        "A total is a ratio of sums, never a mean of means. What has no data is null or absent, never 0 and",
        "never 100 %.",
        "Every mean carries its sum and its count, every ratio both its counts. What is settled with a",
        "client is counted from",
        "facts; what a scrape shows serves eyes and pagers.",
        "",
    ]


def _measures() -> list[str]:
    lines = [
        "## Measures",
        "",
        "*Settled by* names the edge cases of [the definitions](definitions.md). Fields are those of a tile on",
        "[the board](board.md).",
        "",
    ]
    for measure in MEASURES:
        lines += _measure(measure)
    return lines


def _measure(measure: Measure) -> list[str]:
    word = words()[measure.word]
    lines = [
        f"### {measure.code} {word.zh} / {word.en}",
        "",
        word.meaning,
        "",
        f"- Formula: {measure.formula}.",
        f"- Unit: {measure.unit}. Fields: {_listed(measure.shown)}.",
    ]
    if measure.settled_by:
        lines.append(f"- Settled by: {', '.join(measure.settled_by)}.")
    if measure.metrics:
        lines.append(f"- At `/metrics`: {_listed(tuple(exposed_name(metric) for metric in measure.metrics))}.")
    lines += [f"- {other.system}: {other.differs} ({other.source})." for other in measure.elsewhere]
    if not measure.elsewhere:
        lines.append("- Elsewhere: nothing was read of another system's figure like it.")
    return [*lines, ""]


def _listed(names: tuple[str, ...]) -> str:
    if len(names) > 1 and all(name.isdecimal() for name in names):
        return f"`{names[0]}` to `{names[-1]}`"
    return ", ".join(f"`{name}`" for name in names)


def _metrics() -> list[str]:
    rows = [
        f"| `{exposed_name(m)}` | {m.type} | {_listed(m.labels) or '-'} | {m.unit or '-'} | {m.help} |"
        for m in CATALOGUE.values()
    ]
    return [
        "## Metrics",
        "",
        "Exposed as OpenMetrics text, or as Prometheus text 0.0.4 to a client that asks for it. A gauge that",
        "has no data is",
        "absent. No label names a person, a conversation, an account or a seat.",
        "",
        "| Metric | Type | Labels | Unit | Meaning |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


def _labels() -> list[str]:
    edges = ", ".join(str(edge // 1000) for edge in RESPONSE_EDGES_MS)
    lists = [f"- `{label}`: {_listed(values)}" for label, values in LABEL_VALUES.items()]
    return [
        "## Labels",
        "",
        "`client`, `queue`, `team`, `site`, `definition` (its name) and `ledger` (a client's id, or",
        "`operator`) are configured",
        "ids. Beyond `metrics.series_cap` ids of one kind, the rest are summed under `other` and counted in",
        "`seatwatch_metrics_ids_capped`. What people call them is told once for each, by `seatwatch_client_info` and",
        "its like, to be joined: `* on (client, queue) group_left (client_name, queue_name) seatwatch_queue_info`.",
        "Every other label has a closed list of values:",
        "",
        *lists,
        "",
        f"Buckets of `{FIRST_RESPONSE.name}` end at {edges} s,",
        'so that the share answered within 10 s is `_bucket{le="10.0"} / _count`, exactly.',
    ]


if __name__ == "__main__":
    sys.stdout.write(markdown())
