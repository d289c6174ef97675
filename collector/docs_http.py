"""The description of the HTTP door for people: one page without scripts, in the language asked for.

What it describes is the OpenAPI document, which is English; the page around it is in the words of the glossary.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from collector.api_document import docs_page, openapi
from collector.intake_http import Problem

PATH: Final = "/docs"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language",
}


class DocsDoor:
    """The page. words: by language tag, key -> text; the first is for whoever asks for none of them."""

    def __init__(self, words: Mapping[str, Mapping[str, str]]) -> None:
        self._words: Final = words

    def routes(self) -> list[web.RouteDef]:
        """The one there is."""
        return [web.get(PATH, self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        asked = request.query.get("lang", "") or request.headers.get("Accept-Language", "")
        # Format: ISO 639-1, two letters.
        wanted = asked[:2].lower()
        alike = (tag for tag in self._words if tag.partition("-")[0] == wanted)
        language = next(alike, next(iter(self._words)))
        page = docs_page(openapi(Problem), language, self._words[language])
        return web.Response(text=page, content_type="text/html", headers=_HEADERS)
