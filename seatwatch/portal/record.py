"""What the portal asks for: of sites read here, of a client's service by a process of its own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

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
from seatwatch.config import ClientSection, Config
from seatwatch.own_process import own_process
from seatwatch.portal.answers import Answers
from seatwatch.portal.picture_files import TABLES, picture_file
from seatwatch.portal.served import Served, ServedClient, queues_of, teller_of
from seatwatch.portal.site_record import SiteHistories
from seatwatch.portal.year_record import YearRecords
from seatwatch.portal_told import Question
from seatwatch.printed.teller import Teller
from seatwatch.settings import Defaults
from wire.scope import Scope

_served: Final = msgspec.msgpack.Decoder(Served).decode
_list: Final = msgspec.msgpack.Decoder(ListPage).decode
_conversation: Final = msgspec.msgpack.Decoder(ConversationPage).decode
_rules: Final = msgspec.msgpack.Decoder(RulesPage).decode
_found: Final = msgspec.msgpack.Decoder(Found).decode


class PortalRecord:
    """Implements dashboards.portal.record.Record. base: where key files are named from."""

    def __init__(
        self, config: Config, base: Path, data: Path, *, defaults: Defaults, clock_ms: Callable[[], int]
    ) -> None:
        self._names: Final = config.names()
        self._clients: Final = {client.id: served_client(client) for client in config.client}
        self._base: Final = base
        self._data: Final = data
        settings = defaults.fill(PortalSettings, "portal")
        self.sites: Final = SiteHistories(config, data, defaults=defaults, clock_ms=clock_ms)
        self.years: Final = YearRecords(
            data,
            settings,
            own_process(defaults, "portal.year_timeout"),
            clock_ms,
            defaults.int("board.few_judged"),
            self._queues,
            self._teller,
        )
        self.answers: Final = Answers(own_process(defaults, "portal.reading_timeout"), settings, clock_ms)

    def clients(self, scope: Scope, language: str = "") -> Sequence[tuple[str, str]]:
        """(id, name) of the configured clients that may be seen, in the configuration's order."""
        names = self._names.told_in(language)
        return [(each, names.client(each)) for each in self._clients if scope.sees_client(each)]

    async def service(self, asked: Asked) -> ServicePage:
        """How a client was served."""
        question = self._question("served", asked)
        page = _served(await self.answers.soon(question)).page
        dated = self._question("served", msgspec.structs.replace(asked, first=page.first, last=page.last))
        self.answers.answers_also(question, dated)
        return page

    async def service_file(self, asked: Asked, form: str) -> bytes:
        """What `seatwatch report --by day --format csv` or `json` prints."""
        served = _served(await self.answers.whole(self._question("served", asked)))
        return served.json if form == "json" else served.csv

    async def picture_file(self, asked: Asked, picture: str, form: str) -> bytes:
        """What one picture of the service page is drawn from."""
        if picture not in TABLES:
            raise AskedWronglyError("picture")
        page = _served(await self.answers.whole(self._question("served", asked))).page
        return picture_file(page, picture, form)

    async def sessions(self, asked: Asked, which: Which, page: int) -> ListPage:
        """Sessions behind a figure, one page of them in words."""
        return _list(await self.answers.soon(self._question("sessions", asked, which=which, page=page)))

    async def sessions_file(self, asked: Asked, which: Which, form: str) -> bytes:
        """All of them, with instants and durations in ms."""
        return await self.answers.whole(self._question("sessions_file", asked, form, which=which))

    async def conversation(self, asked: Asked, conversation: str) -> ConversationPage:
        """What `seatwatch explain` says."""
        return _conversation(await self.answers.soon(self._question("conversation", asked, conversation)))

    async def rules(self, asked: Asked) -> RulesPage:
        """Contracts and definitions in force and to come."""
        return _rules(await self.answers.soon(self._question("rules", asked)))

    async def search(self, asked: Asked, typed: str, hour: str) -> Found:
        """By the id as it stands, and by what the client's pseudonym keys make of it."""
        return _found(await self.answers.whole(self._question("search", asked, typed, hour)))

    def _question(self, what: str, asked: Asked, *texts: str, **more: Any) -> Question:  # noqa: ANN401 - of Question
        client = self._client(asked)
        names = names_of(client, self._names)
        base, data = str(self._base), str(self._data)
        return Question(
            what=what, asked=asked, client=client, names=names, base=base, data=data, now=0, texts=texts, **more
        )

    def _client(self, asked: Asked) -> ServedClient:
        client = self._clients.get(asked.client)
        if client is None:
            raise NothingSaidError("portal_unreadable")
        return client

    def _teller(self, asked: Asked, zone: str) -> Teller:
        return teller_of(asked, zone, self._queues(asked), self._names)

    def _queues(self, asked: Asked) -> Mapping[str, str]:
        return queues_of(self._client(asked), asked, self._names)


def served_client(section: ClientSection) -> ServedClient:
    """What is told of a client to whoever answers questions about it."""
    return ServedClient(
        id=section.id,
        queues=tuple(queue.id for queue in section.queue),
        key_files=tuple(section.pseudonym_key_files),
        zone=section.time_zone or "",
    )


def names_of(client: ServedClient, names: Names) -> Names:
    """Those that pages of one client may say: of other clients nothing."""
    return Names(
        clients={each: name for each, name in names.clients.items() if each == client.id},
        queues={key: name for key, name in names.queues.items() if key[0] == client.id},
        shops={key: name for key, name in names.shops.items() if key[0] == client.id},
        sites=names.sites,
        english=None if names.english is None else names_of(client, names.english),
    )
