"""The door to the runbooks. They tell nothing of anybody, and whoever is woken has no time to sign in: open to all."""

from html import escape
from pathlib import Path
from typing import Final

from aiohttp import web

from dashboards.runbooks._core import markdown

PATH: Final = "/runbooks"
_FOLDER: Final = Path(__file__).parent
_REVALIDATE: Final = {"Cache-Control": "no-cache"}
_LIST: Final = "README.md"
_HTML: Final = (
    '<!doctype html><html><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
    '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="{path}/page.css"></head>'
    '<body><nav><a href="{path}/">{list_title}</a></nav><main>{body}</main></body></html>'
)


class Runbooks:
    """The pages, made once."""

    def __init__(self) -> None:
        texts = {file.name: file.read_text(encoding="utf-8") for file in (_FOLDER / "pages").glob("*.md")}
        list_title = escape(markdown.title(texts[_LIST]))

        def leads(target: str) -> str:
            """Other documents are in the repository, not here."""
            return f"{PATH}/{target}" if target in texts else target if target.startswith("https://") else ""

        self._pages: Final = {
            name: _HTML.format(
                title=escape(markdown.title(text)),
                path=PATH,
                list_title=list_title,
                body=markdown.html(text, leads),
            )
            for name, text in texts.items()
        }

    def routes(self) -> list[web.AbstractRouteDef]:
        """The list, each page, and how they look."""
        return [
            web.get(PATH, self._list),
            web.get(f"{PATH}/", self._list),
            web.get(f"{PATH}/page.css", self._style),
            web.get(f"{PATH}/{{name}}", self._page),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return self._answer(_LIST)

    async def _page(self, request: web.Request) -> web.Response:
        return self._answer(request.match_info["name"])

    async def _style(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(_FOLDER / "page.css", headers=_REVALIDATE)

    def _answer(self, name: str) -> web.Response:
        """A page; the list for an alert that has none, of a newer version or another tool."""
        text = self._pages.get(name)
        if text is None:
            raise web.HTTPNotFound(text=self._pages[_LIST], content_type="text/html", headers=_REVALIDATE)
        return web.Response(text=text, content_type="text/html", headers=_REVALIDATE)
