"""What is said of one measure, in docs/reference/metrics.md and wherever a figure is explained."""

from dataclasses import dataclass
from typing import Final

from dashboards import catalogue as c

REPOSTED: Final = "reposts of platform rules, not the platforms' own pages"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another system's figure of this kind, how it differs, and where that was read."""

    system: str
    differs: str
    source: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. word: its key in the glossary. shown: fields of wire.board that hold it. settled_by: E-numbers."""

    code: str
    word: str
    formula: str
    unit: str
    shown: tuple[str, ...]
    settled_by: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    metrics: tuple[c.Metric, ...] = ()
