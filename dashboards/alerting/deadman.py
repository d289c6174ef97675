"""The dead man's switch: on another machine, it hears an alert that always fires, and pages when it no longer does.

What it watches is the whole chain at once: Prometheus evaluates, Alertmanager sends, the bridge passes on, the network
carries. It keeps no record and needs nothing of the machine it watches.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import aiohttp
import msgspec
import structlog
from aiohttp import web

from dashboards.alerting._core.message import Message
from dashboards.alerting.bearer import is_bearer
from dashboards.alerting.channels import Channels

log = structlog.get_logger()
MS_PER_S: Final = 1_000


class DeadmanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`.

    watchdog_timeout_ms: silence that means the chain is broken. watchdog_retry_ms: between attempts to reach somebody
    who was not reached. watchdog_again_ms: between reminders while it lasts.
    """

    watchdog_timeout_ms: int
    watchdog_retry_ms: int
    watchdog_again_ms: int


class Deadman:
    """See the module. names: every channel of these is told. texts: language -> the glossary's texts.

    steps: language -> what to look at and do first; whoever reads it cannot count on the runbooks of what is silent.
    token: the SHA-256 of what the watchdog bears; None = whoever reaches the door may keep the switch calm.
    """

    def __init__(
        self,
        channels: Channels,
        names: Sequence[str],
        *,
        texts: Mapping[str, Mapping[str, str]],
        steps: Mapping[str, Sequence[str]],
        token: bytes | None,
        settings: DeadmanSettings,
        clock_ms: Callable[[], int],
    ) -> None:
        self._channels: Final = channels
        self._names: Final = tuple(dict.fromkeys(names))
        self._texts: Final = dict(texts)
        self._steps: Final = dict(steps)
        self._token: Final = token
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms
        self.times_heard = 0
        self._heard_at = clock_ms()
        self._is_silent = False
        self._called: set[str] = set()
        self._heard: Final = asyncio.Event()

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where Alertmanager sends the watchdog, and where a person looks."""
        return [web.post("/watchdog", self.hear), web.get("/healthz", self.show)]

    async def hear(self, request: web.Request) -> web.Response:
        """The chain is alive: whatever it says. 401 where it does not say who it is."""
        if self._token is not None and not is_bearer(request, self._token):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        self.times_heard += 1
        self._heard_at = self._clock_ms()
        self._heard.set()
        return web.Response()

    async def show(self, _: web.Request) -> web.Response:
        """200 while the watchdog is heard, 503 when not."""
        silent_ms = self._clock_ms() - self._heard_at
        body = {"heard": self.times_heard, "silent_seconds": silent_ms // MS_PER_S, "ok": not self._is_silent}
        return web.json_response(body, status=503 if self._is_silent else 200)

    async def run(self) -> None:
        """Watch until cancelled. A watchdog that was never heard is as dead as one that fell silent."""
        wait_ms = self._settings.watchdog_timeout_ms
        while True:
            try:
                async with asyncio.timeout(wait_ms / MS_PER_S):
                    await self._heard.wait()
            except TimeoutError:
                self._is_silent = True
                reached = await self._call()
                self._called |= reached
                wait_ms = self._settings.watchdog_again_ms if reached else self._settings.watchdog_retry_ms
                continue
            self._heard.clear()
            self._is_silent = False
            if self._called:
                # whoever was called hears the end as well, with the next watchdog if not with this one
                self._called &= await self._call_off(self._called)
            wait_ms = self._settings.watchdog_timeout_ms

    async def _call(self) -> set[str]:
        """Tell every channel that the chain is silent, or the one in its place. Returns those that took it."""
        log.warning("deadman.silent", silent_ms=self._clock_ms() - self._heard_at)
        async with aiohttp.ClientSession() as session:
            refused = await self._refused(session, self._names, is_over=False)
            instead = {self._channels.by_id[name].fallback or name for name in refused} - {*self._names}
            refused |= await self._refused(session, instead, is_over=False)
        return {*self._names, *instead} - refused

    async def _call_off(self, called: Collection[str]) -> set[str]:
        """Tell these channels that it is heard again. Returns those that did not take it."""
        log.warning("deadman.back", silent_ms=self._clock_ms() - self._heard_at)
        async with aiohttp.ClientSession() as session:
            return await self._refused(session, called, is_over=True)

    async def _refused(self, session: aiohttp.ClientSession, names: Collection[str], *, is_over: bool) -> set[str]:
        """Tell these channels. Returns those that did not take it."""
        messages = {name: self._message(name, is_over=is_over) for name in names}
        return {name for name, message in messages.items() if await self._channels.send(session, name, message)}

    def _message(self, name: str, *, is_over: bool) -> Message:
        language = self._channels.by_id[name].language
        texts = self._texts[language]
        word = texts["notify_resolved" if is_over else "notify_firing"]
        seconds = (self._clock_ms() - self._heard_at) // MS_PER_S
        return Message(
            title=f"[{word}] {texts['deadman_silent']}",
            lines=[] if is_over else [texts["deadman_since"].format(n=seconds), *self._steps[language]],
            is_resolved=is_over,
            severity="call",
            key="seatwatch-deadman",
            link="",
            link_text="",
        )
