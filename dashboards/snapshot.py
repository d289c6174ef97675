"""What a scrape reads: the board and a few plain figures, handed in by whoever wires the process together.

Everything is optional. What is None is absent from the exposition, never 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.alerting._core.pager import Alert
from wire.board import Board
from wire.incident import IncidentSaid


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """counts[i] durations were <= edges_ms[i] and above the edge before; the last count is beyond every edge."""

    edges_ms: tuple[int, ...]
    counts: tuple[int, ...]
    total_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeFigures:
    """Counters of the collector since its process started. quarantined: items, by wire.errors.Reason.

    refused: frames of which nothing was stored, by Reason or one of catalogue.REFUSALS. waiting_rows, ahead_ms: what
    waits for a commit now, and how far the record's time is ahead of the machine's.
    """

    frames: int = 0
    frame_bytes: int = 0
    accepted: int = 0
    repeats: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    equivocations: int = 0
    gaps: int = 0
    unrouted: int = 0
    unknown_sources: int = 0
    commit: Distribution | None = None
    waiting_rows: int = 0
    ahead_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFigures:
    """One ledger. ledger: a client's id or "operator". folded: entries the engine has taken in, None if none runs.

    anomalies: what did not do what it said, by catalogue.ANOMALIES.
    """

    ledger: str
    entries: int
    folded: int | None = None
    anomalies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenFigures:
    """The wallboard's screens: connected now; refused, frames sent and frames skipped since the process started."""

    connected: int = 0
    refused: int = 0
    frames: int = 0
    frames_dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallFigures:
    """Incidents as the pager has them. pushes by result, notifications by (channel, result), since the start."""

    open: Sequence[IncidentSaid] = ()
    alerts: Sequence[Alert] = ()
    pushes: Mapping[str, int] = field(default_factory=dict)
    notifications: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentFigures:
    """Identities: steps since the store began, requests refused by wire.enrolment.Refusal, and Access denied."""

    steps: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    denied: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One scrape's worth, read at one instant `now_ms` (ms since the Unix epoch).

    lateness: of announcements, by wire.verdict.Notice; every one with the same edges.
    """

    now_ms: int
    board: Board | None = None
    intake: IntakeFigures | None = None
    ledgers: Sequence[LedgerFigures] = ()
    lateness: Mapping[str, Distribution] = field(default_factory=dict)
    screens: ScreenFigures | None = None
    on_call: OnCallFigures | None = None
    enrolment: EnrolmentFigures | None = None
