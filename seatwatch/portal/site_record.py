"""The past of sites for the portal: whose site it is to see, and what the ledgers hold of it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from collector._core import keys
from collector._core.roster import ROSTER
from dashboards.portal.record import AskedWronglyError, NothingSaidError
from dashboards.portal.site_record import IncidentPage, NotSeenError, Range, SiteAsked, SitePage
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.config import Config
from seatwatch.glossary import Language
from seatwatch.portal.reading import open_ledger
from seatwatch.portal.site_page import Shown, incident_page, site_file, site_page
from seatwatch.printed.incident_words import IncidentTeller, timeline
from seatwatch.settings import Defaults
from seatwatch.site_limits import site_limits
from sla_engine._core.incidents.roster import seats_of_client, sites_of_client
from sla_engine._core.windows import DAY_MS, MINUTE_MS
from sla_engine.incident_log import Incident, evidence, gathered
from sla_engine.site_history import HistorySettings, HubSources, SiteBook, TooMuchError, feeds
from wire.ids import OPERATOR
from wire.incident import Cause, IncidentSaid
from wire.kinds import Kind
from wire.recorded import Recorded

HUB: Final = HubSources(roster=ROSTER, declared=keys.SOURCES, silence=keys.SILENCE)
# Format: what each range says.
LONG: Final[Mapping[Range, int]] = {Range.HOUR: 60 * MINUTE_MS, Range.DAY: DAY_MS, Range.WEEK: 7 * DAY_MS}
SHARED: Final = frozenset({Kind.UPS_READING, Kind.LINE_READING, Kind.PHONE_LINE_READING, Kind.FAILOVER})
"""What is true for everybody at a site; the rest of an incident's evidence names seats and sources."""
OF_ONE_SEAT: Final = frozenset({Cause.SEAT_DOWN, Cause.ACCOUNT_OFFLINE})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS: Final = timedelta(milliseconds=1)


class _Time(NamedTuple):
    since: int
    until: int
    is_now: bool


class SiteHistories:
    """Implements dashboards.portal.site_record.SiteRecord, for one thread at a time. zone: of the page's clock."""

    def __init__(self, config: Config, data: Path, *, defaults: Defaults, clock_ms: Callable[[], int]) -> None:
        self._names: Final = config.names()
        self._data: Final = data
        self._clock_ms: Final = clock_ms
        self._zone: Final = ZoneInfo(defaults.text("contract.time_zone"))
        self._settings: Final = defaults.fill(
            HistorySettings, "portal", prefix="history_", limits=site_limits(defaults)
        )
        self._rows_max: Final = defaults.int("portal.listed_max")

    def site(self, asked: SiteAsked) -> SitePage:
        """A site over time."""
        return site_page(self._shown(asked), self._rows_max)

    def site_file(self, asked: SiteAsked, form: str) -> bytes:
        """The same lanes as `csv` or `json`."""
        return site_file(self._shown(asked), form)

    def incident(self, asked: SiteAsked, incident: str) -> IncidentPage:
        """What became of an incident, and what it rests on: of a client's own copy only what everybody there shares."""
        with open_ledger(self._data, OPERATOR) as operator:
            book = SiteBook(operator, HUB, self._settings)
            found = self._incidents(asked, operator, book).get(incident)
            if found is None:
                raise NotSeenError(incident)
            said = found.newest
            until = self._clock_ms() if said.ended_at is None else said.ended_at
            seen = self._sites(asked, book, _Time(said.started_at, max(until, said.started_at + 1), is_now=False))
            if said.site and said.sites.isdisjoint(seen):
                raise NotSeenError(incident)
            is_staff = asked.scope.clients is None
            first = min(each.first_index for each in _revisions(found))
            is_long = max(each.last_index for each in _revisions(found)) - first > self._settings.entries_max
            told = [] if is_long else evidence(operator, found)
        if not is_staff:
            told = [entry for entry in told if entry.kind in SHARED]
            found = Incident(found.revisions, [])
        tell = self._teller(asked)
        rows = timeline(found, told, tell)
        return incident_page(said, rows, tell, self._zone, has_entries=is_staff, is_long=is_long)

    def _shown(self, asked: SiteAsked) -> Shown:
        time = self._time(asked)
        with open_ledger(self._data, OPERATOR) as operator:
            book = SiteBook(operator, HUB, self._settings)
            sites = self._sites(asked, book, time)
            site = asked.site or next(iter(sites), "")
            if not site:
                raise NothingSaidError("portal_no_site")
            if site not in sites:
                raise NotSeenError(site)
            client = None if asked.scope.clients is None else asked.client
            try:
                history = book.history(site, time.since, time.until, client=client)
            except TooMuchError:
                raise NothingSaidError("portal_too_much") from None
            incidents = [
                each.newest
                for each in self._incidents(asked, operator, book).values()
                if site in each.newest.sites and _within(each.newest, time)
            ]
        with open_ledger(self._data, asked.client) as own:
            lanes = feeds(own, HUB, time.since, time.until, self._settings.holds_ms)
        return Shown(
            site=site,
            name=sites[site],
            sites=tuple(sites.items()),
            range=asked.range,
            since=time.since,
            until=time.until,
            is_now=time.is_now,
            long_ms=LONG[asked.range],
            now=self._clock_ms(),
            history=history._replace(lanes=[*history.lanes, *lanes]),
            incidents=sorted(incidents, key=lambda said: (said.started_at, said.incident)),
            tell=self._teller(asked),
            zone=self._zone,
            holds_ms=self._settings.holds_ms,
        )

    def _time(self, asked: SiteAsked) -> _Time:
        now = self._clock_ms()
        until = now
        if asked.until:
            try:
                named = datetime.fromisoformat(asked.until)
                named = named.replace(tzinfo=self._zone) if named.tzinfo is None else named
                until = (named - _EPOCH) // _ONE_MS
            except (ValueError, OverflowError):
                raise AskedWronglyError("until") from None
        long_ms = LONG[asked.range]
        if until < long_ms:
            raise AskedWronglyError("until")
        until = min(until, now)
        return _Time(until - long_ms, until, until == now)

    def _sites(self, asked: SiteAsked, book: SiteBook, time: _Time) -> dict[str, str]:
        """Names of the sites that may be seen: those of the account; of one without any, where its client's people sit.

        In the configuration's order, then those it does not name.
        """
        names = self._names.told_in(asked.language)
        known = [*names.sites, *sorted(book.sites() - names.sites.keys())]
        if asked.scope.sites == frozenset():
            own = sites_of_client(book.roster, asked.client, time.since, time.until)
            return {site: names.site(site) for site in known if site in own}
        return {site: names.site(site) for site in known if asked.scope.sees_site(site)}

    def _incidents(self, asked: SiteAsked, operator: LedgerReader, book: SiteBook) -> dict[str, Incident]:
        """Those of everybody, or of a client those that were copied into its own record, less other people's seats."""
        if asked.scope.clients is None:
            return gathered(_of_sources(operator, keys.INCIDENT, keys.ACKNOWLEDGED))
        with open_ledger(self._data, asked.client) as own:
            found = gathered(_of_sources(own, keys.INCIDENT))
        return {name: each for name, each in found.items() if self._is_of(asked.client, each.newest, book)}

    def _is_of(self, client: str, said: IncidentSaid, book: SiteBook) -> bool:
        if said.cause not in OF_ONE_SEAT:
            return True
        seat = said.subject if said.cause is Cause.SEAT_DOWN else said.subject.rpartition("/")[0]
        return seat in seats_of_client(book.roster, said.site, client, said.started_at)

    def _teller(self, asked: SiteAsked) -> IncidentTeller:
        language: Language = "zh" if asked.language.startswith("zh") else "en"
        return IncidentTeller(language, self._zone, self._names.told_in(language).sites)


def _of_sources(reader: LedgerReader, *sources: str) -> list[Recorded]:
    """What the hub wrote under these names, in order."""
    found = [recorded(entry) for source in sources for entry in reader.of_source(source)]
    return sorted(found, key=lambda entry: entry.index)


def _revisions(incident: Incident) -> Iterator[IncidentSaid]:
    return (entry.body for entry in incident.revisions if isinstance(entry.body, IncidentSaid))


def _within(said: IncidentSaid, time: _Time) -> bool:
    return said.started_at < time.until and (said.ended_at is None or said.ended_at > time.since)
