"""The web door of a server: HTTP intake, wallboard, metrics and health on one port."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from collector import intake_http
from collector._core.admission import Outcome
from collector.docs_http import DocsDoor
from collector.intake import Intake
from collector.stats import IntakeStats, Latency
from dashboards.exporter import Exporter
from dashboards.lead.leaders import Leaders
from dashboards.lead.server import FollowUp, LeadScreens
from dashboards.portal import server as portal
from dashboards.portal.accounts import FILE, Accounts
from dashboards.portal.record import Record
from dashboards.portal.sessions import PortalSettings
from dashboards.snapshot import Distribution, EnrolmentFigures, IntakeFigures, LedgerFigures, OnCallFigures, Snapshot
from dashboards.wallboard.access import Access
from dashboards.wallboard.hub import Hub
from dashboards.wallboard.past import PastDoor
from dashboards.wallboard.server import Wallboard, install
from seatwatch import __version__, glossary
from seatwatch.server.web_runner import forms_in_time
from seatwatch.settings import Defaults
from sla_engine.runners.tail import LedgerFeed
from wire.board import Board
from wire.errors import Reason
from wire.verdict import Notice

LEAD: Final = web.AppKey("lead", LeadScreens)
"""The leaders' screens of an application that has them."""
LANGUAGES: Final[dict[str, glossary.Language]] = {"zh-CN": "zh", "en": "en"}


class Figures:
    """What a scrape reads of a running server.

    `board`, `folded` and `anomalies` are set by whoever builds boards, `on_call` by whoever calls people.
    feeds: by client or "operator", the ledgers themselves or what is followed of them. lateness: of what the engines
    announced; empty in a process without engines. ahead_ms: how far the record is ahead of `clock_ms`.
    """

    def __init__(
        self,
        intake: Intake | None,
        feeds: Mapping[str, LedgerFeed],
        hub: Hub,
        clock_ms: Callable[[], int],
        ahead_ms: Callable[[], int],
        lateness: Mapping[Notice, Latency],
    ) -> None:
        self._intake = intake
        self._feeds = feeds
        self._hub = hub
        self._lateness = lateness
        self._clock_ms = clock_ms
        self._ahead_ms = ahead_ms
        self.board: Board | None = None
        self.on_call: Callable[[], OnCallFigures] | None = None
        self.enrolment: Callable[[], EnrolmentFigures] | None = None
        self.folded: dict[str, int] = {}
        self.anomalies: dict[str, Mapping[str, int]] = {}

    def snapshot(self) -> Snapshot:
        """Everything at this instant."""
        intake = self._intake
        return Snapshot(
            now_ms=self._clock_ms(),
            board=self.board,
            intake=None if intake is None else self._intake_figures(intake),
            ledgers=[
                LedgerFigures(
                    ledger=client,
                    entries=feed.size,
                    folded=self.folded.get(client),
                    anomalies=_by_kind(self.anomalies.get(client, {})),
                )
                for client, feed in self._feeds.items()
            ],
            lateness={notice: _distribution(latency) for notice, latency in self._lateness.items()},
            screens=self._hub.figures(),
            on_call=None if self.on_call is None else self.on_call(),
            enrolment=None if self.enrolment is None else self.enrolment(),
        )

    def _intake_figures(self, intake: Intake) -> IntakeFigures:
        stats = intake.stats
        return IntakeFigures(
            frames=sum(door.frames for door in stats.doors),
            frame_bytes=sum(door.bytes for door in stats.doors),
            accepted=stats.outcomes[Outcome.ACCEPTED],
            repeats=stats.outcomes[Outcome.REPEAT],
            refused=_refused(stats),
            quarantined={reason.value: count for reason, count in stats.rejected.items() if count},
            equivocations=stats.outcomes[Outcome.EQUIVOCATION],
            gaps=stats.gaps,
            unrouted=stats.outcomes[Outcome.UNROUTED],
            unknown_sources=len(intake.strangers.names()),
            commit=_distribution(stats.commit_time),
            waiting_rows=intake.waiting_rows,
            ahead_ms=self._ahead_ms(),
        )


def _refused(stats: IntakeStats) -> dict[str, int]:
    """Frames of which nothing was stored, at every door, by why."""
    refused = {reason.value: sum(door.refused[reason] for door in stats.doors) for reason in Reason}
    refused["busy"] = stats.busy
    refused["discarded"] = sum(door.discarded for door in stats.doors)
    refused["too_often"] = sum(door.too_often for door in stats.doors)
    refused["unauthorised"] = sum(door.unauthorised for door in stats.doors)
    return refused


def _by_kind(anomalies: Mapping[str, int]) -> dict[str, int]:
    """Summed up over what a reason adds after its first dot: a phase, a signal, a key."""
    found: Counter[str] = Counter()
    for reason, count in anomalies.items():
        found[reason.partition(".")[0]] += count
    return dict(found)


def _distribution(latency: Latency) -> Distribution:
    return Distribution(edges_ms=latency.edges_ms, counts=tuple(latency.counts), total_ms=latency.sum_us // 1000)


def words() -> dict[str, dict[str, str]]:
    """The glossary by language, the floor's own first."""
    return {
        tag: {key: word.text(language) for key, word in glossary.words().items()} for tag, language in LANGUAGES.items()
    }


def events_settings(defaults: Defaults) -> intake_http.HttpSettings:
    """Thresholds of a door for events."""
    retry_after_ms = defaults.ms("collector.retry_after")
    return defaults.fill(intake_http.HttpSettings, "collector", prefix="http_", retry_after_ms=retry_after_ms)


def web_application(
    intake: Intake | None,
    hub: Hub,
    figures: Figures,
    *,
    access: Access,
    defaults: Defaults,
    problems: Callable[[], Sequence[str]],
    leaders: Mapping[str, str],
    follow_up: FollowUp | None,
) -> web.Application:
    """The whole application. intake: None in a process without a door. problems: what keeps it from being ready.

    leaders: who may follow up, by SHA-256 of the token as hex. follow_up: puts it on record, None = here nobody can.
    """
    exporter = Exporter(figures.snapshot, version=__version__, ids_max=defaults.int("metrics.series_cap"))
    wallboard = Wallboard(
        hub,
        access=access,
        words=words(),
        metrics=exporter,
        alive=lambda: (),
        ready=problems,
    )
    app = web.Application(middlewares=[forms_in_time(defaults)])
    if intake is not None:
        door = intake_http.HttpDoor(intake, intake.sources, events_settings(defaults))
        app.add_routes([*door.routes(), *DocsDoor(words()).routes()])
    install(app, wallboard)
    app[LEAD] = LeadScreens(wallboard, Leaders(access, leaders), follow_up)
    app.add_routes(app[LEAD].routes())
    return app


def install_portal(
    app: web.Application,
    record: Record,
    data: Path,
    *,
    defaults: Defaults,
    elapsed_ms: Callable[[], int],
    past: PastDoor | None = None,
) -> None:
    """Put the portal over `record` into `app`. Its accounts are in the data directory."""
    settings = defaults.fill(PortalSettings, "portal")
    portal.install(
        app, portal.Portal(record, Accounts(data / FILE), settings, words(), elapsed_ms, past, app.get(LEAD))
    )
