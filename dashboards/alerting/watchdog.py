"""The last stretch of the alert that always fires: through the bridge, to the dead man's switch.

Alertmanager could tell the switch by itself. But then a bridge that is gone, alone or with the server it runs in, would
reach nobody, and the switch would hear that all is well. And nobody but the bridge can tell that the switch is gone.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Final

import aiohttp
import structlog
from aiohttp import web

from dashboards.alerting.alertmanager import DEADMAN
from dashboards.alerting.bearer import is_bearer
from dashboards.alerting.vendors import OK

log = structlog.get_logger()


class WatchdogPassage:
    """url: where the switch listens. token: what it wants to see, "" = none. bridge_token: what Alertmanager bears.

    results: of messages by channel and result, in which the switch counts as a channel that fails once it did not hear
    anything for `silent_ms`; a scrape reads them, and somebody is paged.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        bridge_token: str,
        timeout_s: float,
        silent_ms: int,
        results: Counter[tuple[str, str]],
        clock_ms: Callable[[], int],
    ) -> None:
        self._url: Final = url
        self._headers: Final = {"Authorization": f"Bearer {token}"} if token else {}
        self._bridge_token: Final = hashlib.sha256(bridge_token.encode()).digest()
        self._timeout_s: Final = timeout_s
        self._silent_ms: Final = silent_ms
        self._results: Final = results
        self._clock_ms: Final = clock_ms
        self._heard_at = clock_ms()
        self._was_heard = True
        for result in ("sent", "failed"):  # a counter that begins with its first failure has not increased
            results[DEADMAN, result] = 0

    def routes(self) -> list[web.AbstractRouteDef]:
        """The door for Alertmanager, to be added before that of the receivers."""
        return [web.post(f"/notify/{DEADMAN}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """200 once the switch heard it, 502 where it did not, 401 for a stranger."""
        if not is_bearer(request, self._bridge_token):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        why = await self._refusal()
        if why and self._was_heard:
            log.warning("deadman.unreachable", why=why)
        self._was_heard = not why
        if not why:
            self._heard_at = self._clock_ms()
            self._results[DEADMAN, "sent"] += 1
        elif self._clock_ms() - self._heard_at >= self._silent_ms:
            self._results[DEADMAN, "failed"] += 1
        return web.Response(status=502 if why else OK)

    async def _refusal(self) -> str:
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                aiohttp.ClientSession() as session,
                session.post(self._url, headers=self._headers, allow_redirects=False) as answer,
            ):
                return "" if answer.status == OK else f"HTTP {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
