"""The portal's pages: sign-in, figures, sessions, one conversation, search, rules, accounts.

`install(app, portal)` puts it into an application under /portal. Pages are made here and run no script.
"""

import asyncio
import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.lead.server import LeadScreens
from dashboards.portal._core import charts, site_charts
from dashboards.portal._core.svg import PATTERNS, Draw, on_every_screen
from dashboards.portal.accounts import Account, AccountError, Accounts, Role
from dashboards.portal.addresses import KEPT_BELOW, incident_link, links
from dashboards.portal.asking import asked, page_number, scope_of, site_asked, which_asked
from dashboards.portal.doors import ANYBODY, COOKIE, EVERYBODY, ROOT, Door, Visit
from dashboards.portal.leading import LEADERS, Leading
from dashboards.portal.record import Asked, AskedWronglyError, NothingSaidError, Record, StillReadingError
from dashboards.portal.returning import carried, form_address, way_back
from dashboards.portal.sessions import Attempts, PortalSettings, Sessions
from dashboards.portal.site_record import NotSeenError, Range
from dashboards.portal.years import Years
from dashboards.wallboard import server as wallboard
from dashboards.wallboard.access import address_of, is_encrypted, is_same_origin
from dashboards.wallboard.forms import posted
from dashboards.wallboard.past import PastDoor
from wire.incident import Cause
from wire.verdict import Verdict

log = structlog.get_logger()
HERE: Final = Path(__file__).parent
PICTURES: Final[dict[str, Draw]] = {
    "histogram": charts.histogram,
    "days": charts.days,
    "causes": charts.causes,
    "heat": charts.heat,
    "arrivals": charts.arrivals,
    "staffing": charts.staffing,
}
VERDICTS: Final = ("", *Verdict)
CONTENT_TYPES: Final = {"csv": "text/csv", "json": "application/json"}
NO_STORE: Final = {"Cache-Control": "no-store"}

Words = Mapping[str, Mapping[str, str]]
"""Language tag -> key -> text; the first language is the one for whoever asks for none of them."""


class Portal:
    """The pages. words: of the screen. past, lead: None where there is no board of a past instant, or none of now."""

    def __init__(
        self,
        record: Record,
        accounts: Accounts,
        settings: PortalSettings,
        words: Words,
        clock_ms: Callable[[], int],
        past: PastDoor | None = None,
        lead: LeadScreens | None = None,
    ) -> None:
        self._record: Final = record
        self._accounts: Final = accounts
        self._settings: Final = settings
        self._words: Final = words
        self._past: Final = past
        self._sessions: Final = Sessions(accounts, settings, clock_ms)
        self._attempts: Final = Attempts(settings, clock_ms)
        self._leading: Final = None if lead is None else Leading(lead, self._sessions, self._page)
        self._years: Final = Years(record.years, words, self._page, self._file)
        self._one_by_one: Final = asyncio.Semaphore(1)
        self._hashing: Final = asyncio.Semaphore(1)
        self._templates: Final = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def doors(self) -> tuple[Door, ...]:
        """Every page."""
        accounts = frozenset({Role.ADMIN})
        return (
            *(() if self._leading is None else self._leading.doors()),
            *self._years.doors(),
            Door("GET", ROOT, EVERYBODY, self._first, of_client=False),
            Door("GET", f"{ROOT}/sign-in", ANYBODY, self._sign_in_page, of_client=False),
            Door("POST", f"{ROOT}/sign-in", ANYBODY, self._sign_in, of_client=False),
            Door("POST", f"{ROOT}/sign-out", EVERYBODY, self._sign_out, of_client=False),
            Door("GET", f"{ROOT}/accounts", accounts, self._accounts_page, of_client=False),
            Door("GET", f"{ROOT}/service", EVERYBODY, self._service),
            Door("GET", f"{ROOT}/service.{{form:csv|json}}", EVERYBODY, self._service_file),
            Door("GET", f"{ROOT}/picture.{{form:csv|json}}", EVERYBODY, self._picture_file),
            Door("GET", f"{ROOT}/sessions", EVERYBODY, self._list),
            Door("GET", f"{ROOT}/sessions.{{form:csv|json}}", EVERYBODY, self._list_file),
            Door("GET", f"{ROOT}/conversation", EVERYBODY, self._conversation),
            Door("GET", f"{ROOT}/search", EVERYBODY, self._search_page),
            Door("POST", f"{ROOT}/search", EVERYBODY, self._search),
            Door("GET", f"{ROOT}/rules", EVERYBODY, self._rules),
            Door("GET", f"{ROOT}/site", EVERYBODY, self._site),
            Door("GET", f"{ROOT}/site.{{form:csv|json}}", EVERYBODY, self._site_file),
            Door("GET", f"{ROOT}/incident", EVERYBODY, self._incident),
            Door("GET", f"{ROOT}/board", EVERYBODY, self._board_page, of_client=False),
            Door("GET", f"{ROOT}/past.json", EVERYBODY, self._past_json, of_client=False),
            Door("GET", f"{ROOT}/past-day.json", EVERYBODY, self._past_json, of_client=False),
        )

    def guarded(self, door: Door) -> Callable[[web.Request], Any]:
        """A door's handler behind its guard: who asks, whether they may, of which client, and that they meant it."""

        async def handler(request: web.Request) -> web.StreamResponse:
            language = self._language(request)
            try:
                return await self._opened(door, request, language)
            except (AccountError, OSError) as error:  # of the accounts, or of a key file
                log.warning("portal.unreadable", why=str(error))
                nobody = Visit(request, language, None, None, "")
                return self._message(nobody, "portal_unreadable", web.HTTPServiceUnavailable.status_code)

        return handler

    async def _opened(self, door: Door, request: web.Request, language: str) -> web.StreamResponse:
        if request.method == "POST" and not is_same_origin(request):
            raise web.HTTPForbidden(headers=NO_STORE)
        if door.roles is None:
            return await door.page(Visit(request, language, None, None, ""))
        token = request.cookies.get(COOKIE, "")
        found = self._sessions.of(token)
        if found is None:
            raise _signed_out(request, language)
        session, account = found
        if account.role not in door.roles:
            return self._refused(Visit(request, language, session, account, ""), web.HTTPForbidden)
        is_form = request.method == "POST" and door.is_form
        if is_form and (await self._form(request)).get("csrf") != session.csrf:
            raise web.HTTPForbidden(headers=NO_STORE)
        visit = Visit(request, language, session, account, "")
        try:
            if door.of_client:
                visit = visit._replace(client=self._client(request, account))
            answer = await door.page(visit)
        except AskedWronglyError as wrong:
            return self._message(visit, wrong.says, web.HTTPBadRequest.status_code, **wrong.filled)
        except NotSeenError:
            return self._refused(visit, web.HTTPNotFound)
        except StillReadingError as still:
            return self._still_reading(visit, still)
        except NothingSaidError as nothing:
            return self._message(visit, nothing.says, web.HTTPOk.status_code)
        if not answer.prepared and not self._sessions.lasts(token):  # an answer may take minutes to be made
            raise _signed_out(request, language)
        return answer

    def _client(self, request: web.Request, account: Account) -> str:
        """The client whose data is shown: of those the account may see the one named, else the first."""
        seen = [client for client, _ in self._record.clients(account.scope)]
        named = request.query.get("client", "")
        if not seen or (named and named not in seen):
            raise NotSeenError(named)
        return named or seen[0]

    def _language(self, request: web.Request) -> str:
        wanted = request.query.get("lang", "") or request.headers.get("Accept-Language", "")
        # Format: ISO 639-1, two letters.
        wanted = wanted[:2].lower()
        alike = (tag for tag in self._words if tag.partition("-")[0] == wanted)
        return next(alike, next(iter(self._words)))

    async def _form(self, request: web.Request) -> Mapping[str, Any]:
        return await posted(request, self._settings.form_bytes_max)

    async def _first(self, visit: Visit) -> web.StreamResponse:
        raise web.HTTPSeeOther(f"{ROOT}/service?{urlencode({'lang': visit.language})}", headers=NO_STORE)

    async def _sign_in_page(self, visit: Visit) -> web.StreamResponse:
        refused = visit.request.query.get("refused", "")
        says = {"1": "portal_refused", "2": "portal_too_often"}.get(refused, "")
        return self._page("sign_in.html", visit, says=says, again=carried(visit.request.query, visit.language))

    async def _sign_in(self, visit: Visit) -> web.StreamResponse:
        form = await self._form(visit.request)
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        address = address_of(visit.request)
        query, language = visit.request.query, visit.language
        async with self._hashing:  # each takes 64 MiB
            # again: of many asked at once, all those before this one may have failed by now
            if not self._attempts.allowed(name, address):
                raise web.HTTPSeeOther(carried(query, language, refused="2"), headers=NO_STORE)
            account = await asyncio.to_thread(self._accounts.verified, name, password)
            if account is None:
                self._attempts.failed(name, address)
                raise web.HTTPSeeOther(carried(query, language, refused="1"), headers=NO_STORE)
        response = web.HTTPSeeOther(way_back(query, language), headers=NO_STORE)
        response.set_cookie(
            COOKIE,
            self._sessions.start(account),
            path=ROOT,
            httponly=True,
            samesite="Lax",
            secure=is_encrypted(visit.request),
        )
        raise response

    async def _sign_out(self, visit: Visit) -> web.StreamResponse:
        self._sessions.end(visit.request.cookies.get(COOKIE, ""))
        response = web.HTTPSeeOther(f"{ROOT}/sign-in?{urlencode({'lang': visit.language})}", headers=NO_STORE)
        response.del_cookie(COOKIE, path=ROOT)
        raise response

    async def _accounts_page(self, visit: Visit) -> web.StreamResponse:
        accounts = sorted(self._accounts.all().values(), key=lambda account: account.name)
        return self._page("accounts.html", visit, accounts=accounts)

    async def _service(self, visit: Visit) -> web.StreamResponse:
        page = await self._record.service(asked(visit))
        words = self._words[visit.language]
        sessions = partial(links(visit), "sessions", from_=page.first, to_=page.last)
        ways = charts.Ways(sessions, incident_link(visit), page.few_judged)
        pictures = {name: on_every_screen(draw, getattr(page, name), words, ways) for name, draw in PICTURES.items()}
        return self._page("service.html", visit, page=page, pictures=pictures, rate=charts.rate_text)

    async def _service_file(self, visit: Visit) -> web.StreamResponse:
        form = visit.request.match_info["form"]
        return self._file(visit, "service", form, await self._record.service_file(asked(visit), form))

    async def _picture_file(self, visit: Visit) -> web.StreamResponse:
        form, picture = visit.request.match_info["form"], visit.request.query.get("picture", "")
        body = await self._record.picture_file(asked(visit), picture, form)
        return self._file(visit, picture, form, body)

    async def _list(self, visit: Visit) -> web.StreamResponse:
        which = which_asked(visit)
        page = await self._record.sessions(asked(visit), which, page_number(visit))
        below = links(visit, KEPT_BELOW)
        return self._page("sessions.html", visit, page=page, which=which, verdicts=VERDICTS, causes=Cause, below=below)

    async def _list_file(self, visit: Visit) -> web.StreamResponse:
        form = visit.request.match_info["form"]
        body = await self._record.sessions_file(asked(visit), which_asked(visit), form)
        return self._file(visit, "sessions", form, body)

    async def _conversation(self, visit: Visit) -> web.StreamResponse:
        named = visit.request.query.get("id", "")
        page = await self._record.conversation(asked(visit), named)
        status = web.HTTPOk.status_code if page.is_known else web.HTTPNotFound.status_code
        came_from = links(visit, KEPT_BELOW)("sessions", page=visit.request.query.get("page", ""))
        return self._page("conversation.html", visit, status=status, page=page, came_from=came_from)

    async def _search_page(self, visit: Visit) -> web.StreamResponse:
        return self._page("search.html", visit, found=None, asked=asked(visit))

    async def _search(self, visit: Visit) -> web.StreamResponse:
        form = await self._form(visit.request)
        first, last = (str(form.get(name, "")) for name in ("from", "to"))
        asked = Asked(client=visit.client, language=visit.language, first=first, last=last)
        typed, hour = str(form.get("typed", "")).strip(), str(form.get("hour", ""))
        found = await self._record.search(asked, typed, hour)
        return self._page("search.html", visit, found=found, asked=asked)

    async def _rules(self, visit: Visit) -> web.StreamResponse:
        return self._page("rules.html", visit, page=await self._record.rules(asked(visit)))

    async def _site(self, visit: Visit) -> web.StreamResponse:
        page = await self._told(self._record.sites.site, site_asked(visit))
        words, address = self._words[visit.language], incident_link(visit)
        pictures = [(shown, on_every_screen(site_charts.discharge, shown, words, address)) for shown in page.discharges]
        lanes = on_every_screen(site_charts.lanes, page, words, address)
        return self._page("site.html", visit, page=page, lanes=lanes, discharges=pictures, ranges=list(Range))

    async def _site_file(self, visit: Visit) -> web.StreamResponse:
        form = visit.request.match_info["form"]
        body = await self._told(self._record.sites.site_file, site_asked(visit), form)
        return self._file(visit, "site", form, body)

    async def _incident(self, visit: Visit) -> web.StreamResponse:
        page = await self._told(self._record.sites.incident, site_asked(visit), visit.request.query.get("id", ""))
        return self._page("incident.html", visit, page=page)

    async def _board_page(self, visit: Visit) -> web.StreamResponse:
        """The wallboard of a past instant; of now there is none here."""
        asked = "at" in visit.request.query
        return self._frozen().page(wallboard.STATIC / "index.html") if asked else await self._first(visit)

    def _frozen(self) -> PastDoor:
        if self._past is None:
            raise web.HTTPNotFound(headers=NO_STORE)
        return self._past

    async def _past_json(self, visit: Visit) -> web.StreamResponse:
        is_day = visit.request.path.endswith("-day.json")
        return await (self._frozen().told_day if is_day else self._frozen().told)(
            visit.request, scope_of(visit.account)
        )

    async def _told(self, ask: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - of what was asked
        """What the record says of a site. One question at a time: a week read takes a core, and screens come first."""
        async with self._one_by_one:
            return await asyncio.to_thread(ask, *arguments)

    def _message(self, visit: Visit, says: str, status: int, **filled: object) -> web.Response:
        return self._page("message.html", visit, status=status, says=says, filled=filled)

    def _still_reading(self, visit: Visit, still: StillReadingError) -> web.Response:
        """How far it is. The browser asks again, without a script."""
        percent = 100 * min(still.entries, still.of) // still.of if still.of else None
        seconds = still.since_ms // 1_000
        answer = self._page(
            "reading.html", visit, status=web.HTTPAccepted.status_code, still=still, percent=percent, seconds=seconds
        )
        answer.headers["Refresh"] = "1"
        return answer

    def _refused(self, visit: Visit, why: type[web.HTTPClientError]) -> web.Response:
        """A page that repeats nothing of what was asked for: of what may not be seen, not even that it exists."""
        told = {"to": links(visit, ()), "here": "service", "path": ""}
        says = "portal_not_there" if why is web.HTTPNotFound else "portal_not_allowed"
        return self._page("message.html", visit, status=why.status_code, says=says, filled={}, **told)

    # Format: statuses of RFC 9110.
    def _page(self, template: str, visit: Visit, *, status: int = 200, **shown: object) -> web.Response:
        account = visit.account
        clients: Sequence[tuple[str, str]] = self._record.clients(scope_of(account), visit.language)
        told = {
            "words": self._words[visit.language],
            "patterns": PATTERNS,
            "languages": {tag: texts["language_name"] for tag, texts in self._words.items()},
            "language": visit.language,
            "account": account,
            "csrf": "" if visit.session is None else visit.session.csrf,
            "clients": clients,
            "client": visit.client,
            "client_name": dict(clients).get(visit.client, ""),
            "path": visit.request.path,
            "here": "",
            "to": links(visit),
            "leads": self._leading is not None and account is not None and account.role in LEADERS,
        }
        body = self._templates.get_template(template).render({**told, **shown})
        return web.Response(text=body, content_type="text/html", status=status, headers=NO_STORE)

    def _file(self, visit: Visit, what: str, form: str, body: bytes) -> web.Response:
        query = visit.request.query
        asked = ("site", "queue", "range", "from", "to", "until")
        parts = [what, visit.client, *(query.get(name, "") for name in asked)]
        name = re.sub(r"[^\w.-]", "", "-".join(part for part in parts if part), flags=re.ASCII)
        headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
        # a spreadsheet takes text without the mark for one of the machine's own encoding; the report's file is as it is
        mark = codecs.BOM_UTF8 if form == "csv" and what != "service" else b""
        return web.Response(body=mark + body, content_type=CONTENT_TYPES[form], charset="utf-8", headers=headers)


def _signed_out(request: web.Request, language: str) -> web.HTTPException:
    """Where whoever has no session, or none any more, is sent."""
    if request.method == "GET":
        return web.HTTPSeeOther(form_address(request, language), headers=NO_STORE)
    return web.HTTPUnauthorized(headers=NO_STORE)


def install(app: web.Application, portal: Portal) -> None:
    """Put the portal's doors and its style sheet into `app`."""
    for door in portal.doors():
        app.router.add_route(door.method, door.path, portal.guarded(door))
    app.router.add_static(f"{ROOT}/static", HERE / "static")
