"""The link in a page: whoever opens it takes the incidents on. Signed, so that nobody else can; and it runs out.

Opening it shows a page that submits itself: messengers fetch links to preview them, and none of them runs a script.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

PATH: Final = "/acknowledge"
_HTML: Final = (
    "<!doctype html><html><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>{title}</title></head><body><h1>{title}</h1>{rest}</body></html>"
)
_FORM: Final = "<form method=post><button>{take_on}</button></form><script src=/static/acknowledge.js></script>"

Take = Callable[[Sequence[str], str], Awaitable[None]]
"""Puts on record that incidents were taken on, and by whom."""


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`."""

    link_lasts_ms: int
    incidents_in_link: int


class Acknowledging:
    """Makes the links and answers them. public_url: where a telephone reaches this server; "" makes no links."""

    def __init__(
        self,
        public_url: str,
        key: bytes,
        *,
        texts: Mapping[str, str],
        take: Take,
        settings: LinkSettings,
        clock_ms: Callable[[], int],
    ) -> None:
        self._url: Final = public_url.rstrip("/")
        self._key: Final = key
        self._texts: Final = texts
        self._take: Final = take
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms

    def link(self, incidents: Sequence[str], by: str) -> str:
        """The address under which `by` takes these incidents on."""
        if not self._url:
            return ""
        listed = ",".join(incidents[: self._settings.incidents_in_link])
        until = str(self._clock_ms() + self._settings.link_lasts_ms)
        fields = {"incidents": listed, "by": by, "until": until, "sign": self._sign(listed, by, until)}
        return f"{self._url}{PATH}?{urlencode(fields)}"

    def routes(self) -> list[web.AbstractRouteDef]:
        """The door for telephones."""
        return [web.get(PATH, self.show), web.post(PATH, self.answer)]

    async def show(self, request: web.Request) -> web.Response:
        """The page that submits itself, or a button for who has no scripts."""
        self._checked(request)
        rest = _FORM.format(take_on=escape(self._texts["notify_take_on"]))
        return self._page("notify_take_on", rest)

    async def answer(self, request: web.Request) -> web.Response:
        """Take them on. 503 where the record cannot be written just now."""
        incidents, by = self._checked(request)
        await self._take(incidents, by)
        return self._page("notify_taken_on", f"<p>{escape(', '.join(incidents))}</p>")

    def _checked(self, request: web.Request) -> tuple[list[str], str]:
        """What the link is for. Raises HTTPForbidden where it is not one of ours, HTTPGone where it ran out."""
        query = request.query
        listed, by, until = query.get("incidents", ""), query.get("by", ""), query.get("until", "")
        expected = self._sign(listed, by, until).encode()
        if not hmac.compare_digest(expected, query.get("sign", "").encode("utf-8", "surrogateescape")):
            raise web.HTTPForbidden
        if self._clock_ms() > int(until):
            raise web.HTTPGone
        return listed.split(","), by

    def _sign(self, incidents: str, by: str, until: str) -> str:
        text = f"{incidents}\n{by}\n{until}".encode("utf-8", "surrogateescape")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def _page(self, title: str, rest: str) -> web.Response:
        text = _HTML.format(title=escape(self._texts[title]), rest=rest)
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})
