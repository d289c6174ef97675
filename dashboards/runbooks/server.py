"""The door to the runbooks. They tell nothing of anybody, and whoever is woken has no time to sign in: open to all."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final

from aiohttp import web

from dashboards.runbooks._core import markdown

PATH: Final = "/runbooks"
_FOLDER: Final = Path(__file__).parent
_FOLDERS: Final[Mapping[str, Path]] = {"zh-CN": _FOLDER / "pages" / "zh", "en": _FOLDER / "pages"}
_HEADERS: Final = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}
_LIST: Final = "README.md"
_HTML: Final = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
    '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="{path}/page.css"></head>'
    '<body><nav><a href="{path}/?lang={language}">{list_title}</a> {others}</nav><main>{body}</main></body></html>'
)


class Runbooks:
    """The pages, made once. names: by language tag what it calls itself; the first is for whoever asks for none."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._pages: Final = {language: _pages(language, names) for language in names}

    def routes(self) -> list[web.AbstractRouteDef]:
        """The list, each page, and how they look."""
        return [
            web.get(PATH, self._list),
            web.get(f"{PATH}/", self._list),
            web.get(f"{PATH}/page.css", self._style),
            web.get(f"{PATH}/{{name}}", self._page),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return self._answer(request, _LIST)

    async def _page(self, request: web.Request) -> web.Response:
        return self._answer(request, request.match_info["name"])

    async def _style(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(_FOLDER / "page.css", headers={"Cache-Control": "no-cache"})

    def _answer(self, request: web.Request, name: str) -> web.Response:
        """A page; the list for an alert that has none, of a newer version or another tool."""
        # Format: ISO 639-1, two letters.
        wanted = (request.query.get("lang", "") or request.headers.get("Accept-Language", ""))[:2].lower()
        alike = (tag for tag in self._pages if tag.partition("-")[0] == wanted)
        pages = self._pages[next(alike, next(iter(self._pages)))]
        text = pages.get(name)
        if text is None:
            raise web.HTTPNotFound(text=pages[_LIST], content_type="text/html", headers=_HEADERS)
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)


def first_steps(language: str) -> dict[str, list[str]]:
    """What an alert is about -> the first thing to look at and the first to do; language: a tag, as of names."""
    pages = {file.stem: file.read_text(encoding="utf-8") for file in _FOLDERS[language].glob("*.md")}
    return {what: markdown.first_steps(text) for what, text in pages.items()}


def _pages(language: str, names: Mapping[str, str]) -> dict[str, str]:
    """Every page of a language as HTML, by its file's name."""
    texts = {file.name: file.read_text(encoding="utf-8") for file in _FOLDERS[language].glob("*.md")}

    def leads(target: str) -> str:
        """Other documents are in the repository, not here."""
        return f"{PATH}/{target}?lang={language}" if target in texts else ""

    found = {}
    for name, text in texts.items():
        others = (
            f'<a href="{PATH}/{name}?lang={tag}">{escape(own)}</a>' for tag, own in names.items() if tag != language
        )
        found[name] = _HTML.format(
            language=language,
            title=escape(markdown.title(text)),
            path=PATH,
            list_title=escape(markdown.title(texts[_LIST])),
            others=" ".join(others),
            body=markdown.html(text, leads),
        )
    return found
