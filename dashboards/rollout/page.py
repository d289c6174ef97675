"""The rollout page, rendered here: it works without a script, and only whoever may see everything sees it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.rollout._core.fleet import Ring
from dashboards.wallboard.access import Access, is_same_origin
from dashboards.wallboard.forms import posted
from wire.scope import EVERYTHING

PATH: Final = "/rollout"
WORDS: Final = (
    *("rollout", "rollout_ring", "rollout_version", "rollout_last_heard", "rollout_errors", "rollout_certificate"),
    *(
        "rollout_none",
        "rollout_doubled",
        "rollout_revoked",
        "rollout_stop",
        "rollout_go",
        "rollout_stopped",
        "probes",
        "seat",
        "unknown_sources",
    ),
)
_FOLDER: Final = Path(__file__).parent
_NO_STORE: Final = {"Cache-Control": "no-store"}

Texts = Mapping[str, Mapping[str, str]]
"""Language tag -> key -> text, the first language for whoever asks for none of them."""


class RolloutPage:
    """The page's routes. strangers: senders that nobody configured. stop, go: what the buttons do to a ring."""

    def __init__(
        self,
        rings: Callable[[], Sequence[Ring]],
        strangers: Callable[[], Sequence[str]],
        *,
        access: Access,
        texts: Texts,
        zone: ZoneInfo,
        stop: Callable[[str], None],
        go: Callable[[str], None],
        form_bytes_max: int,
    ) -> None:
        self._rings = rings
        self._strangers = strangers
        self._access = access
        self._texts = texts
        self._zone = zone
        self._steps = {"stop": stop, "go": go}
        self._form_bytes_max = form_bytes_max
        environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
        self._template = environment.get_template("page.html")

    def routes(self) -> list[web.AbstractRouteDef]:
        """All of them."""
        return [web.get(PATH, self.show), web.post(PATH, self.change), web.get(f"{PATH}/page.css", self._style)]

    async def show(self, request: web.Request) -> web.Response:
        """The page in the language asked for."""
        self._check(request)
        wanted = request.query.get("lang", "")
        alike = [tag for tag in self._texts if wanted and tag.partition("-")[0] == wanted.partition("-")[0]]
        language = (alike or list(self._texts))[0]
        words = {key: self._texts[language][key] for key in WORDS}
        text = self._template.render(
            language=language, words=words, rings=self._rings(), strangers=self._strangers(), instant=self._instant
        )
        return web.Response(text=text, content_type="text/html", headers=_NO_STORE)

    async def change(self, request: web.Request) -> web.Response:
        """Stop a ring or let it go on. A form of another site cannot."""
        self._check(request)
        if not is_same_origin(request):
            raise web.HTTPForbidden(headers=_NO_STORE)
        form = await posted(request, self._form_bytes_max)
        ring, step = form.get("ring"), self._steps.get(str(form.get("step")))
        if step is None or ring not in {each.name for each in self._rings()}:
            raise web.HTTPUnprocessableEntity(headers=_NO_STORE)
        step(str(ring))
        raise web.HTTPSeeOther(request.rel_url, headers=_NO_STORE)

    def _check(self, request: web.Request) -> None:
        scope = self._access.scope_of_request(request)
        if scope is None:
            raise web.HTTPUnauthorized(headers={**_NO_STORE, "WWW-Authenticate": "Bearer"})
        # a TV looks at boards, whatever it may see of them
        if scope != EVERYTHING or self._access.device_of(request) is not None:
            raise web.HTTPForbidden(headers=_NO_STORE)

    async def _style(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(_FOLDER / "page.css", headers={"Cache-Control": "no-cache"})

    def _instant(self, at: int) -> str:
        return datetime.fromtimestamp(at / 1000, tz=UTC).astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")
