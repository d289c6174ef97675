"""The engines of a server: one runner per client's ledger, one for the operator's sites, and the board made of them."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog
from msgspec.structs import replace

from collector.stats import Latency
from seatwatch.config import ClientSection
from seatwatch.server.incidents import IncidentBook, sites_runner
from seatwatch.settings import Defaults
from sla_engine._core.client import TileSettings
from sla_engine._core.sites import SiteReason, SiteState
from sla_engine._core.tiles import compose
from sla_engine._core.windows import WindowCalendar
from sla_engine.facts_store import FactsStore
from sla_engine.runners.local import LocalRunner, RunnerSettings
from sla_engine.runners.tail import LedgerFeed
from sla_engine.zones import zone_table
from wire.board import Board, Figures, SiteTile, Tile
from wire.ids import OPERATOR
from wire.verdict import Announcement, Notice

log = structlog.get_logger()
MS_PER_S: Final = 1_000
MS_PER_MINUTE: Final = 60_000
# Format: edges of a published histogram.
LATENESS_EDGES_MS: Final = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 5000, 20000, 60000)
"""Upper edges of the buckets of lateness. 20 ms is what is promised; past a minute nothing is announced any more."""


def calendar_of(time_zone: str, defaults: Defaults) -> WindowCalendar:
    """Interval and business day where a client has no rules yet."""
    day_starts_ms = defaults.minute_of_day("contract.business_day_starts") * MS_PER_MINUTE
    return WindowCalendar(zone_table(time_zone), defaults.ms("board.interval"), day_starts_ms)


class Engines:
    """All runners of one process, over ledgers read in place or over their streams. Made on the loop it runs on."""

    def __init__(
        self,
        clients: list[ClientSection],
        feeds: Mapping[str, LedgerFeed],
        facts: Path,
        *,
        defaults: Defaults,
        clock_ms: Callable[[], int],
        sites: Mapping[str, int] | None = None,
        book: IncidentBook | None = None,
    ) -> None:
        """sites: how many probes each configured site has. book: None = another process writes incidents down."""
        self._clock_ms = clock_ms
        self._started_at = clock_ms()
        self._configured_sites = dict(sites or {})
        self._stores: list[FactsStore] = []
        self._owing: set[str] = set()
        self._queues = [(client.id, queue.id) for client in clients for queue in client.queue]
        self.lateness = {notice: Latency(LATENESS_EDGES_MS) for notice in Notice}
        """Of everything announced: from the instant it was owed to the moment it was said, by the hub's clock."""
        self.runners: dict[str, LocalRunner] = {}
        for client in clients:
            feed = feeds[client.id]
            calendar = calendar_of(client.time_zone or defaults.text("contract.time_zone"), defaults)
            store = FactsStore.open(
                facts / client.id, ledger_id=feed.ledger_id, ledger_size=feed.size, period_of=calendar.month_of
            )
            if store.discarded is not None:
                log.warning("engine.facts_discarded", client=client.id, why=store.discarded)
            self._stores.append(store)
            self.runners[client.id] = LocalRunner(
                client.id,
                feed,
                store,
                clock_ms=clock_ms,
                settings=defaults.fill(
                    RunnerSettings, "board", calendar=calendar, tiles=defaults.fill(TileSettings, "board")
                ),
                announced=self._announce,
            )
        self.sites = sites_runner(feeds[OPERATOR], facts / OPERATOR, book, defaults=defaults, clock_ms=clock_ms)

    async def run(self) -> None:
        """Run all of them until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.sites.run(), name="engines.sites")
                for client, runner in self.runners.items():
                    tasks.create_task(runner.run(), name=f"engines[{client}]")
        finally:
            for store in self._stores:
                store.close()

    def owes(self, client: str) -> bool:
        """Whether time matters in that ledger: somebody waits for a reply, or fell silent just now at a site."""
        return self.sites.is_unsettled() if client == OPERATOR else client in self._owing

    def board(self, *, with_people: bool = False) -> Board | None:
        """The board as of now; None until every ledger has been caught up with. with_people: and every seat."""
        operator = self.sites.board_part(with_seats=with_people)
        parts = [runner.board_part(with_people=with_people) for runner in self.runners.values()]
        known = [part for part in parts if part is not None]
        if operator is None or len(known) < len(parts):
            return None
        board = self._with_what_was_never_heard(compose(known, operator, self._clock_ms()))
        self._owing = {tile.client for tile in board.clients if tile.live is not None and tile.live.waiting}
        return board

    def _with_what_was_never_heard(self, board: Board) -> Board:
        """The board with a tile for every configured queue and site nobody ever told of: no data, not nothing."""
        told = {(tile.client, tile.id) for tile in board.queues}
        silent = [
            Tile("queue", queue, client, queue, None, None, Figures(), Figures(), [])
            for client, queue in self._queues
            if (client, queue) not in told
        ]
        heard = {site.id for site in board.sites}
        unheard = [
            _never_heard(site, probes, self._started_at)
            for site, probes in self._configured_sites.items()
            if site not in heard
        ]
        return replace(board, queues=[*board.queues, *silent], sites=[*board.sites, *unheard])

    def folded(self) -> dict[str, int]:
        """How far each client's ledger is folded: entries."""
        return {client: runner.next_index for client, runner in self.runners.items()}

    def anomalies(self) -> dict[str, Mapping[str, int]]:
        """What did not do what it said, by client and reason, since each ledger began."""
        return {client: runner.anomalies for client, runner in self.runners.items()}

    def problems(self) -> list[str]:
        """What keeps the board from being shown, in words that anybody may read: no client's name is among them."""
        caught_up = [self.sites.caught_up, *(runner.caught_up for runner in self.runners.values())]
        behind = sum(not each.is_set() for each in caught_up)
        return [f"{behind} of {len(caught_up)} ledgers are still being read"] if behind else []

    def _announce(self, announcements: list[Announcement]) -> None:
        now = self._clock_ms()
        for announcement in announcements:
            self.lateness[announcement.notice].observe((now - announcement.at) / MS_PER_S)


def _never_heard(site: str, probes: int, since: int) -> SiteTile:
    """The tile of a site whose probes are configured and never reported."""
    return SiteTile(
        id=site,
        name=site,
        state=SiteState.UNKNOWN,
        reason=SiteReason.NEVER_HEARD,
        since=since,
        power=None,
        comms=None,
        charge_percent=None,
        runtime_ms=None,
        probes_reporting=0,
        probes_known=probes,
        last_heard_at=None,
    )
