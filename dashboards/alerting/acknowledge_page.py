"""What a link in a page opens: what is wrong, since when, who is called next, and a button to take it on.

Opening it takes nothing on: messengers fetch links to preview them, some of them in a browser. It runs no script.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.alerting._core.message import Reader
from dashboards.alerting._core.pager import Standing
from dashboards.alerting._core.wording import how_much, runbook, what_word
from dashboards.alerting.acknowledging import PATH, Links, LinkSettings
from dashboards.runbooks.server import PATH as RUNBOOKS
from dashboards.wallboard.forms import posted

STYLE: Final = f"{PATH}.css"
_FOLDER: Final = Path(__file__).parent
_NO_STORE: Final = {"Cache-Control": "no-store"}
_MS_PER_S: Final = 1_000

Take = Callable[[Sequence[str], str], Awaitable[bool]]
"""Puts on record that incidents were taken on, and by whom. False where the record cannot be written just now."""


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """What the page knows besides incidents. names: of the duty list, in order. languages: of channels, by id.

    readers: by language tag, the first one for whoever asks for none of them. runbooks: where a copy is, "" = here.
    """

    names: Sequence[str]
    languages: Mapping[str, str]
    readers: Mapping[str, Reader]
    runbooks: str


class Item(NamedTuple):
    """One incident as the page shows it."""

    what: str
    where: str
    cause: str
    since: str
    flags: tuple[str, ...]
    people: tuple[str, ...]
    runbook: str


class AcknowledgePage:
    """The page's routes. standing: how an incident stands, None = it is over. ready: whether that is known."""

    def __init__(
        self,
        links: Links,
        duty: Duty,
        *,
        standing: Callable[[str], Standing | None],
        ready: Callable[[], bool],
        take: Take,
        settings: LinkSettings,
    ) -> None:
        self._links: Final = links
        self._duty: Final = duty
        self._standing: Final = standing
        self._ready: Final = ready
        self._take: Final = take
        self._settings: Final = settings
        environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
        self._template: Final = environment.get_template("acknowledge.html")

    def routes(self) -> list[web.AbstractRouteDef]:
        """The door for telephones."""
        return [web.get(PATH, self.show), web.post(PATH, self.answer), web.get(STYLE, self._style)]

    async def show(self, request: web.Request) -> web.Response:
        """What it is about, with a button."""
        incidents, _ = self._asked(request)
        return self._page(request, incidents)

    async def answer(self, request: web.Request) -> web.Response:
        """Take on what is open and nobody's yet, and say whose it is. 503 where the record cannot be written."""
        incidents, by = self._asked(request)
        found = [self._standing(incident) for incident in incidents]
        free = [each.said.incident for each in found if each is not None and each.taken_on is None]
        name = self._name((await posted(request, self._settings.form_bytes_max)).get("name"))
        if free and not await self._take(free, f"{name} ({by})" if name else by):
            raise self._refusal(request, web.HTTPServiceUnavailable, "notify_try_again")
        return self._page(request, incidents)

    def _asked(self, request: web.Request) -> tuple[list[str], str]:
        """What the link is for. HTTPForbidden where it is not one of ours, HTTPGone where it ran out."""
        named = self._links.read(request.query)
        if named is None:
            raise self._refusal(request, web.HTTPForbidden, "notify_link_wrong")
        if named.has_run_out:
            raise self._refusal(request, web.HTTPGone, "notify_link_old")
        if not self._ready():
            raise self._refusal(request, web.HTTPServiceUnavailable, "notify_try_again")
        return named.incidents, named.by

    def _name(self, written: object) -> str:
        """What a person wrote about themselves, without what no screen shows, and not too long for one."""
        text = written if isinstance(written, str) else ""
        shown = "".join(character for character in text if character.isprintable())
        return shown.strip()[: self._settings.name_chars]

    def _page(self, request: web.Request, incidents: Sequence[str]) -> web.Response:
        found = [standing for incident in incidents if (standing := self._standing(incident)) is not None]
        reader = self._reader(request)
        is_free = any(standing.taken_on is None for standing in found)
        heading = "notify_firing" if is_free else "notify_taken_on" if found else "notify_over"
        items = [self._item(standing, reader, self._language(request)) for standing in found]
        text = self._text(request, heading, items, is_free=is_free, over=len(incidents) - len(found))
        return web.Response(text=text, content_type="text/html", headers=_NO_STORE)

    def _item(self, standing: Standing, reader: Reader, language: str) -> Item:
        said, texts = standing.said, reader.texts
        flags = [texts[f"severity_{said.severity}"]]
        flags += [
            texts[key] for key, is_set in (("suspected", said.is_suspected), ("planned", said.is_planned)) if is_set
        ]
        elsewhere = self._duty.runbooks
        address = runbook(elsewhere or RUNBOOKS, said.what) + ("" if elsewhere else f"?lang={language}")
        parts = (what_word(texts, said.what), said.about, how_much(texts, said.details))
        return Item(
            what=" ".join(part for part in parts if part),
            where=f"{said.site} {reader.site_names.get(said.site, '')}".strip(),
            cause=f"{texts['cause']}: {texts.get(f'cause_{said.cause}', said.cause)}",
            since=texts["notify_since"].format(at=_instant(standing.since, reader)),
            flags=tuple(flags),
            people=tuple(self._people(standing, reader)),
            runbook=address,
        )

    def _people(self, standing: Standing, reader: Reader) -> list[str]:
        texts, told = reader.texts, []
        if standing.taken_on is not None:
            by, at = standing.taken_on
            told.append(texts["notify_taken_by"].format(by=by, at=_instant(at, reader)))
        if standing.next_at is not None and standing.next_tier is not None:
            who, at = self._duty.names[standing.next_tier - 1], standing.next_at
            told.append(texts["notify_next_at"].format(who=who, at=_instant(at, reader)))
        else:
            told.append(texts["notify_last" if standing.taken_on is None else "notify_nobody_next"])
        return told

    def _reader(self, request: web.Request) -> Reader:
        return self._duty.readers[self._language(request)]

    def _language(self, request: web.Request) -> str:
        """The one asked for, else the channel's, else the browser's, else the first."""
        query, tags = request.query, self._duty.readers
        channels = self._duty.languages.get(query.get("by", ""), "")
        # Format: ISO 639-1, two letters.
        wanted = (query.get("lang", "") or channels or request.headers.get("Accept-Language", ""))[:2].lower()
        alike = (tag for tag in tags if tag.partition("-")[0] == wanted)
        return next(alike, next(iter(tags)))

    def _refusal(self, request: web.Request, kind: type[web.HTTPError], word: str) -> web.HTTPError:
        text = self._text(request, word, [], is_free=False, over=0)
        return kind(text=text, content_type="text/html", headers=_NO_STORE)

    def _text(self, request: web.Request, heading: str, items: list[Item], *, is_free: bool, over: int) -> str:
        language = self._language(request)
        readers = self._duty.readers
        others = {
            readers[tag].texts["language_name"]: str(request.rel_url.update_query(lang=tag))
            for tag in readers
            if tag != language
        }
        return self._template.render(
            language=language,
            style=STYLE,
            words=readers[language].texts,
            heading=heading,
            items=items,
            is_free=is_free,
            over=over if items else 0,
            others=others,
            name_chars=self._settings.name_chars,
        )

    async def _style(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(_FOLDER / "acknowledge.css", headers={"Cache-Control": "no-cache"})


def _instant(at: int, reader: Reader) -> str:
    return datetime.fromtimestamp(at / _MS_PER_S, UTC).astimezone(reader.zone).strftime("%Y-%m-%d %H:%M:%S")
