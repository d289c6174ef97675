"""What the portal asks about a client's service, answered from its ledger: by whoever has a process to itself."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
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
from dashboards.wallboard._core.names import Names
from seatwatch.glossary import Language
from seatwatch.instants import local_time
from seatwatch.portal.choosing import Chosen
from seatwatch.portal.conversation_page import conversation_page, holding
from seatwatch.portal.list_page import list_file, list_page
from seatwatch.portal.reading import Keeping, Reading, Told, open_ledger, report_settings
from seatwatch.portal.rules_page import rules_page
from seatwatch.portal.service_page import service_page
from seatwatch.printed.cause_words import cause_limits, why_missed
from seatwatch.printed.report import as_csv, as_json
from seatwatch.printed.report_columns import COLUMNS
from seatwatch.printed.teller import Teller
from seatwatch.settings import Defaults
from sla_engine.explain import explain, find
from sla_engine.naming import conversations_named
from sla_engine.reports._core.buckets import HOUR_MS
from wire.ids import is_name


class ServedClient(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration says of a client: ids of its queues, and where its pseudonym keys are. zone: "" = unsaid."""

    id: str
    queues: tuple[str, ...]
    key_files: tuple[str, ...]
    zone: str


class Served(msgspec.Struct, frozen=True):
    """The page of a client's service, and the report's files."""

    page: ServicePage
    csv: bytes
    json: bytes


class ServiceRecord:
    """Answers one question after the other. base: where key files are named from. keeping: as of Reading."""

    def __init__(
        self,
        clients: Iterable[ServedClient],
        names: Names,
        base: Path,
        data: Path,
        *,
        defaults: Defaults,
        clock_ms: Callable[[], int],
        keeping: Keeping | None = None,
    ) -> None:
        self._clients: Final = {client.id: client for client in clients}
        self._names: Final = names
        self._base: Final = base
        self._data: Final = data
        self._defaults: Final = defaults
        self._settings: Final = defaults.fill(PortalSettings, "portal")
        self._few_judged: Final = defaults.int("board.few_judged")
        self._lookback_ms: Final = defaults.ms("board.lookback")
        self._clock_ms: Final = clock_ms
        self._reading: Final = Reading(
            data, self._settings, report_settings(defaults), cause_limits(defaults), clock_ms, keeping
        )

    def served(self, asked: Asked) -> Served:
        """The page with its files, all of one reading, also where nothing can be kept."""
        told = self._told(asked)
        return Served(self._page(told, asked), _file(told, "csv"), _file(told, "json"))

    def service(self, asked: Asked) -> ServicePage:
        """How a client was served."""
        return self._page(self._told(asked), asked)

    def service_file(self, asked: Asked, form: str) -> bytes:
        """What `seatwatch report --by day --format csv` or `json` prints."""
        return _file(self._told(asked), form)

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
        keys = [(self._base / name).read_bytes().strip() for name in self._client(asked).key_files]
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

    def _page(self, told: Told, asked: Asked) -> ServicePage:
        queues, tell = tuple(self._queues(asked).items()), self._teller(asked, told.daily.head.time_zone)
        return service_page(told, asked.queue, queues, self._few_judged, tell)

    def _told(self, asked: Asked) -> Told:
        if asked.queue and asked.queue not in self._queues(asked):
            raise AskedWronglyError("queue")
        return self._reading.told(asked)

    def _client(self, asked: Asked) -> ServedClient:
        client = self._clients.get(asked.client)
        if client is None:
            raise NothingSaidError("portal_unreadable")
        return client

    def _zone_of(self, asked: Asked) -> str:
        return self._client(asked).zone or self._defaults.text("contract.time_zone")

    def _teller(self, asked: Asked, zone: str) -> Teller:
        return teller_of(asked, zone, self._queues(asked), self._names)

    def _queues(self, asked: Asked) -> dict[str, str]:
        return queues_of(self._client(asked), asked, self._names)


def queues_of(client: ServedClient, asked: Asked, names: Names) -> dict[str, str]:
    """Names of the client's queues by id, in the language asked for."""
    named = names.told_in(language_of(asked))
    return {queue: named.queue(client.id, queue) for queue in client.queues}


def teller_of(asked: Asked, zone: str, queues: Mapping[str, str], names: Names) -> Teller:
    """Words in the language asked for, with times of that zone. queues: names by id."""
    language = language_of(asked)
    return Teller(language, ZoneInfo(zone), queues, names.told_in(language))


def language_of(asked: Asked) -> Language:
    """One of ours."""
    return "zh" if asked.language.startswith("zh") else "en"


def _file(told: Told, form: str) -> bytes:
    return as_json(told.daily) if form == "json" else as_csv(told.daily).encode()


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
