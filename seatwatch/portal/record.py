"""What the portal asks for, answered from the ledgers of a data directory."""

import hmac
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dashboards.portal.record import (
    Asked,
    AskedWronglyError,
    ConversationPage,
    Found,
    ListPage,
    NothingSaidError,
    RulesPage,
    ServicePage,
)
from dashboards.portal.sessions import PortalSettings
from dashboards.portal.which import Which
from seatwatch.config import ClientSection, Config
from seatwatch.glossary import Language
from seatwatch.instants import local_time
from seatwatch.own_process import own_process
from seatwatch.portal.choosing import Chosen
from seatwatch.portal.conversation_page import conversation_page, holding
from seatwatch.portal.list_page import list_file, list_page
from seatwatch.portal.picture_files import TABLES, picture_file
from seatwatch.portal.reading import Reading, Told, open_ledger, report_settings
from seatwatch.portal.rules_page import rules_page
from seatwatch.portal.service_page import service_page
from seatwatch.portal.site_record import SiteHistories
from seatwatch.portal.year_record import YearRecords
from seatwatch.printed.cause_words import cause_limits, why_missed
from seatwatch.printed.report import as_csv, as_json
from seatwatch.printed.report_columns import COLUMNS
from seatwatch.printed.teller import Teller
from seatwatch.settings import Defaults
from sla_engine.explain import explain, find
from sla_engine.naming import conversations_named
from sla_engine.reports._core.buckets import HOUR_MS
from wire.ids import is_name
from wire.scope import Scope


class PortalRecord:
    """Implements dashboards.portal.record.Record, for one thread at a time. base: where key files are named from."""

    def __init__(
        self, config: Config, base: Path, data: Path, *, defaults: Defaults, clock_ms: Callable[[], int]
    ) -> None:
        self._names: Final = config.names()
        self._clients: Final = {client.id: client for client in config.client}
        self._base: Final = base
        self._defaults: Final = defaults
        self._settings: Final = defaults.fill(PortalSettings, "portal")
        self._few_judged: Final = defaults.int("board.few_judged")
        self._lookback_ms: Final = defaults.ms("board.lookback")
        self._zone: Final = defaults.text("contract.time_zone")
        self._clock_ms: Final = clock_ms
        self.sites: Final = SiteHistories(config, data, defaults=defaults, clock_ms=clock_ms)
        self.years: Final = YearRecords(
            data,
            self._settings,
            own_process(defaults, "portal.year_timeout"),
            clock_ms,
            self._few_judged,
            self._queues,
            self._teller,
        )
        self._data: Final = data
        self._reading: Final = Reading(
            data, self._settings, report_settings(defaults), cause_limits(defaults), clock_ms
        )

    def clients(self, scope: Scope, language: str = "") -> Sequence[tuple[str, str]]:
        """(id, name) of the configured clients that may be seen, in the configuration's order."""
        names = self._names.told_in(language)
        return [(each, names.client(each)) for each in self._clients if scope.sees_client(each)]

    def service(self, asked: Asked) -> ServicePage:
        """How a client was served."""
        told = self._told(asked)
        queues, tell = tuple(self._queues(asked).items()), self._teller(asked, told.daily.head.time_zone)
        return service_page(told, asked.queue, queues, self._few_judged, tell)

    def service_file(self, asked: Asked, form: str) -> bytes:
        """What `seatwatch report --by day --format csv` or `json` prints."""
        daily = self._told(asked).daily
        return as_json(daily) if form == "json" else as_csv(daily).encode()

    def picture_file(self, asked: Asked, picture: str, form: str) -> bytes:
        """What one picture of the service page is drawn from."""
        if picture not in TABLES:
            raise AskedWronglyError("picture")
        return picture_file(self.service(asked), picture, form)

    def sessions(self, asked: Asked, which: Which, page: int) -> ListPage:
        """Sessions behind a figure, one page of them in words."""
        told = self._told(asked)
        tell = self._teller(asked, told.daily.head.time_zone)
        return list_page(told, asked.queue, Chosen(told, which), page, self._settings.listed_max, tell)

    def sessions_file(self, asked: Asked, which: Which, form: str) -> bytes:
        """All of them, with instants and durations in ms."""
        told = self._told(asked)
        return list_file(Chosen(told, which), form, ZoneInfo(told.daily.head.time_zone))

    def conversation(self, asked: Asked, conversation: str) -> ConversationPage:
        """What `seatwatch explain` says."""
        if not is_name(conversation):
            raise AskedWronglyError("id")
        with open_ledger(self._data, asked.client) as reader:
            explained = explain(reader, conversation, lookback_ms=self._lookback_ms)
            why = why_missed(reader, explained, self._defaults)
        zone = explained.sessions[0].definition.time_zone if explained.sessions else self._zone_of(asked)
        return conversation_page(explained, why, self._teller(asked, zone))

    def rules(self, asked: Asked) -> RulesPage:
        """Contracts and definitions in force and to come."""
        found = self._reading.rules(asked)
        return rules_page(*found, self._clock_ms(), partial(self._teller, asked), self._zone_of(asked))

    def search(self, asked: Asked, typed: str, hour: str) -> Found:
        """By the id as it stands, and by what the client's pseudonym keys make of it."""
        if not typed or len(typed) > self._settings.form_bytes_max:
            raise AskedWronglyError("typed")
        section = self._section(asked)
        keys = [(self._base / name).read_bytes().strip() for name in section.pseudonym_key_files]
        pseudonyms = [hmac.new(key, typed.encode(), "sha256").hexdigest() for key in keys]
        told = self._told(asked)
        if hour and not asked.first:  # of the days shown without any asked for, the one that people mean
            last = told.span.last.isoformat()
            told = self._told(replace(asked, first=last, last=last))
        zone = told.daily.head.time_zone
        tell = self._teller(asked, zone)
        with open_ledger(self._data, asked.client) as reader:
            found = conversations_named(reader, {typed}, pseudonyms)
            if found:
                return Found(tuple(found[: self._settings.listed_max]), ())
            within = _within(told, hour)
            held = find(reader, typed, within=within).record
        span = tell.filled("portal_looked_at", since=tell.at(within[0]), until=tell.at(within[1]), zone=zone)
        lines = [span, _coverage(told, within, tell), *holding(held, tell)]
        if not keys:
            lines.append(tell.word("portal_no_key"))
        return Found((), tuple(lines))

    def _told(self, asked: Asked) -> Told:
        if asked.queue and asked.queue not in self._queues(asked):
            raise AskedWronglyError("queue")
        return self._reading.told(asked)

    def _section(self, asked: Asked) -> ClientSection:
        section = self._clients.get(asked.client)
        if section is None:
            raise NothingSaidError("portal_unreadable")
        return section

    def _zone_of(self, asked: Asked) -> str:
        return self._section(asked).time_zone or self._zone

    def _teller(self, asked: Asked, zone: str) -> Teller:
        language = _language(asked)
        return Teller(language, ZoneInfo(zone), self._queues(asked), self._names.told_in(language))

    def _queues(self, asked: Asked) -> dict[str, str]:
        """Names of the client's queues by id."""
        names = self._names.told_in(_language(asked))
        return {each.id: names.queue(asked.client, each.id) for each in self._section(asked).queue}


def _language(asked: Asked) -> Language:
    return "zh" if asked.language.startswith("zh") else "en"


def _within(told: Told, hour: str) -> tuple[int, int]:
    """The hour of the first day, or all days asked for."""
    if not hour:
        return told.span.since, told.span.until
    zone = ZoneInfo(told.daily.head.time_zone)
    for row in told.hourly.rows:
        if row.since >= told.span.since and local_time(row.since, zone)[11:13] == hour:
            return row.since, row.since + HOUR_MS
    raise AskedWronglyError("hour")


def _coverage(told: Told, within: tuple[int, int], tell: Teller) -> str:
    """How complete the record of that time is."""
    column = next(column for column in COLUMNS if column.key == "coverage")
    row = next((row for row in told.hourly.rows if row.since == within[0] and row.until <= within[1]), None)
    if within == (told.span.since, told.span.until):
        row = told.daily.total
    shown = "-" if row is None else column.shown(row, tell)
    return tell.word("report_coverage_unknown") if shown == "-" else f"{tell.word('coverage')}: {shown}"
