"""The notification bridge: what Alertmanager tells goes to a receiver's channels, and is repeated until it arrived.

Alertmanager repeats what is answered 5xx, so the bridge says 5xx whenever somebody was not reached, and remembers whom
it did reach: nobody gets the same message twice, from neither member of a pair, nor from a bridge started anew.
"""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

import aiohttp
import msgspec
import structlog
from aiohttp import web

from dashboards.alerting._core.calling import last_calls
from dashboards.alerting._core.kinds import HUB_DOWN, IDENTITY_TWICE
from dashboards.alerting._core.message import (
    FIRING,
    INCIDENT,
    NO_WORD,
    RESOLVED,
    AlertTold,
    Message,
    Reader,
    Told,
    as_said,
    compose,
    instant,
    is_said_since,
    of_one_identity,
)
from dashboards.alerting._core.wording import RUNBOOK, SUBJECTS, listed
from dashboards.alerting.bearer import is_bearer
from dashboards.alerting.channels import Channels
from dashboards.alerting.news import REMINDERS_MISSED, News, NewsSettings, Piece, is_of_before, key_about
from dashboards.alerting.told_before import NOBODY, LastWord, ToldBefore

log = structlog.get_logger()
Links = Callable[[Sequence[str], str], str]
"""Incidents and the name of who takes them on -> an address; "" where nobody can."""
AnnotationsNow = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Labels of an alert that fires -> its annotations as of now; none where they are not known."""
_MS_PER_S: Final = 1_000
_decode = msgspec.json.Decoder(Told).decode


class PagerNow(NamedTuple):
    """The pager beside a bridge. is_ready: whether it knows by now what is open. annotations: of an alert, by labels.

    fires: whether an alert with these labels does, whoever on duty it calls.
    """

    is_ready: Callable[[], bool]
    fires: Callable[[Mapping[str, str]], bool]
    annotations: AnnotationsNow


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`. tiers, call_rounds: how many stand on the duty list, and how often it is gone through.

    unsaid_after_ms: an end that lies so much later than the last word that it fires was said by nobody.
    fallback_attempts: failures in a row after which the fallback channel is used. notification_bytes_max: of a request.
    """

    news: NewsSettings
    lines_shown: int
    tiers: int
    call_rounds: int
    unsaid_after_ms: int
    fallback_attempts: int
    notification_bytes_max: int


class Besides(NamedTuple):
    """What messages say besides what Alertmanager tells.

    seen_twice: which identities two machines claimed, for an alert that began at an instant (ms). pager: its
    annotations are of now; Alertmanager has those of its last push, and none with details where Prometheus pushed after
    it. None = the bridge is a process of its own and knows nothing but what Alertmanager tells.
    """

    link: Links
    seen_twice: Callable[[int], Sequence[str]]
    pager: PagerNow | None


class Bridge:
    """See the module. receivers: whom Alertmanager may name -> channels. readers: language -> whom messages are for."""

    def __init__(
        self,
        channels: Channels,
        receivers: Mapping[str, Sequence[str]],
        *,
        readers: Mapping[str, Reader],
        besides: Besides,
        token: str,
        settings: BridgeSettings,
        told: ToldBefore,
        clock_ms: Callable[[], int],
    ) -> None:
        self._channels: Final = channels
        self._receivers: Final = dict(receivers)
        self._readers: Final = dict(readers)
        self._besides: Final = besides
        self._token: Final = hashlib.sha256(token.encode()).digest()
        self._settings: Final = settings
        self._last_calls: Final = last_calls(settings.tiers, settings.call_rounds)
        self._clock_ms: Final = clock_ms
        self._told: Final = told
        fires = (lambda _: False) if besides.pager is None else besides.pager.fires
        self._news: Final = News(told, settings=settings.news, fires=fires, clock_ms=clock_ms)
        self._under_way: Final[set[tuple[str, str]]] = set()
        self._failed: Final[Counter[str]] = Counter()
        self._falling_back: Final[defaultdict[str, asyncio.Lock]] = defaultdict(asyncio.Lock)

    def routes(self) -> list[web.AbstractRouteDef]:
        """The door for Alertmanager."""
        return [web.post("/notify/{receiver}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """200 once everybody was reached; 401, 404, 400 and 413 say that repeating helps nobody; 502 asks for it."""
        if not is_bearer(request, self._token):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        names = self._receivers.get(request.match_info["receiver"])
        if names is None:
            raise web.HTTPNotFound
        size, size_max = request.content_length, self._settings.notification_bytes_max
        if size is None or size > size_max:
            raise web.HTTPRequestEntityTooLarge(size_max, size or 0)
        try:
            told = _decode(await request.read())
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        pager = self._besides.pager
        if pager is not None and not pager.is_ready() and any(_is_end(alert) for alert in told.alerts):
            raise web.HTTPServiceUnavailable(text="what is open is read from the record yet")
        unreached = await self.deliver(names, told) if told.alerts else []
        return web.json_response({"unreached": unreached}, status=502 if unreached else 200)

    async def deliver(self, names: Sequence[str], told: Told) -> list[str]:
        """Tell every channel what it has not been told yet. Returns those that could not be reached.

        The end of an incident that nobody but the server can know of is asked for again while the server is away.
        """
        alerts = of_one_identity([self._as_said(alert) for alert in told.alerts])
        self._hear_of_the_hub(alerts)
        believed = [alert for alert in alerts if not (_is_end(alert) and self._is_hearsay(alert))]
        told = Told(told.status, believed, told.truncatedAlerts)
        instead = self._called_instead(names, told)
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            ways = {
                name: tasks.create_task(self._reach(session, name, told, names), name=f"bridge.tell[{name}]")
                for name in dict.fromkeys(names)
            }
            for name, ends in instead.items():
                ways[name] = tasks.create_task(self._reach_as_another(session, name, ends), name=f"bridge.end[{name}]")
        is_to_come_again = self._besides.pager is None and len(believed) < len(alerts)
        return [name for name, way in ways.items() if is_to_come_again or not way.result()]

    def _called_instead(self, names: Sequence[str], told: Told) -> dict[str, Told]:
        """Who else was called, in the place of one of these, and what of it has ended."""
        instead = {self._channels.by_id[name].fallback for name in names} - {None, *names}
        found = {name: self._news.ends_for(name, told) for name in instead if name is not None}
        return {name: ends for name, ends in found.items() if ends.alerts}

    async def _reach(self, session: aiohttp.ClientSession, name: str, told: Told, names: Sequence[str]) -> bool:
        """Whether that channel knows it now. What it took is remembered at once, whatever becomes of the others."""
        pieces = self._news.of(name, self._news.without_outdated(name, told))
        with self._telling(name, pieces) as is_ours:
            if not is_ours:
                return False
            for piece in pieces:
                if not await self._tell(session, name, piece.told, names):
                    return False
                self._news.remember(name, piece)
        fallback = self._channels.by_id[name].fallback
        if pieces and fallback is not None:
            self._news.goes_on(fallback, told)
        return True

    async def _reach_as_another(self, session: aiohttp.ClientSession, name: str, told: Told) -> bool:
        """Whether that channel, in the place of another, knows it now."""
        async with self._falling_back[name]:
            pieces = self._news.of(name, told)
            with self._telling(name, pieces) as is_ours:
                if not is_ours:
                    return False
                for piece in pieces:
                    if await self._channels.send(session, name, self._message(name, piece.told)):
                        return False
                    self._news.remember(name, piece)
        return True

    @contextmanager
    def _telling(self, name: str, pieces: Sequence[Piece]) -> Iterator[bool]:
        """Whether it is ours to tell: not while the other of a pair, or the next on duty, is told over that channel.

        When that asks again, it is news no more.
        """
        alerts = [alert for piece in pieces for alert in piece.told.alerts]
        keys = {(name, alert.fingerprint) for alert in alerts}
        keys |= {(name, key_about(alert)) for alert in alerts}  # its end must not arrive after what it became
        if keys & self._under_way:
            yield False
            return
        self._under_way.update(keys)
        try:
            yield True
        finally:
            self._under_way.difference_update(keys)

    async def _tell(self, session: aiohttp.ClientSession, name: str, told: Told, names: Sequence[str]) -> bool:
        """Whether that channel, or the one in its place, knows it. names: every channel that is told of it just now."""
        if not await self._channels.send(session, name, self._message(name, told)):
            self._failed[name] = 0
            return True
        self._failed[name] += 1
        fallback = self._channels.by_id[name].fallback
        if fallback is None or self._failed[name] < self._settings.fallback_attempts:
            return False
        log.warning("paging.fallback_used", channel=name, fallback=fallback)
        return fallback in names or await self._reach_as_another(session, fallback, told)

    def _message(self, name: str, told: Told) -> Message:
        reader = self._readers[self._channels.by_id[name].language]
        return compose(
            msgspec.structs.replace(told, alerts=[self._as_of_now(alert) for alert in told.alerts]),
            reader,
            lines_shown=self._settings.lines_shown,
            last_calls=self._last_calls,
            link=lambda incidents: self._besides.link(incidents, name),
        )

    def _as_said(self, alert: AlertTold) -> AlertTold:
        """The alert; where the pager is beside us, it knows whether an incident goes on, and as what."""
        is_known = self._besides.pager is not None and INCIDENT in alert.labels
        return self._as_of_now(alert) if is_known else as_said(alert, self._settings.unsaid_after_ms)

    def _is_hearsay(self, alert: AlertTold) -> bool:
        """Whether the end of an incident is only that nobody told Alertmanager of it any more: the server was away."""
        pager = self._besides.pager
        if pager is not None:
            return pager.fires(alert.labels)
        if alert.status != NO_WORD and is_said_since(alert):
            return False
        last = self._told.last(NOBODY, HUB_DOWN)
        # an Alertmanager that forgot it reminds of it no more, and tells no end of it
        is_reminded = self._clock_ms() - last.at < REMINDERS_MISSED * self._settings.news.same_within_ms
        return last.status == FIRING and is_reminded

    def _hear_of_the_hub(self, alerts: Sequence[AlertTold]) -> None:
        """Remember whether it is down, beside what each channel was told of that: not all of them hear the end.

        Nobody is told that of a call that a later one replaced, nor who was called in the place of another.
        """
        said, last = [each for each in alerts if each.labels.get("what") == HUB_DOWN], self._told.last(NOBODY, HUB_DOWN)
        ends = [each.endsAt for each in said if each.status == RESOLVED]
        if any(each.status == FIRING and not is_of_before(each, last) for each in said):
            self._told.replace(NOBODY, {HUB_DOWN: LastWord(FIRING, self._clock_ms())})
        elif ends:
            self._told.replace(NOBODY, {HUB_DOWN: LastWord(RESOLVED, self._clock_ms(), max(ends, key=instant))})

    def _as_of_now(self, alert: AlertTold) -> AlertTold:
        if alert.labels.get("what") != IDENTITY_TWICE:
            pager = self._besides.pager
            now = pager.annotations(alert.labels) if pager is not None else {}
            # of what it has no more, the pager knows at most what became of it
            before = {} if RUNBOOK in now else alert.annotations
            return msgspec.structs.replace(alert, annotations={**before, **now})
        found = self._besides.seen_twice(int(instant(alert.startsAt).timestamp() * _MS_PER_S))
        return msgspec.structs.replace(alert, annotations=alert.annotations | {SUBJECTS: listed(found)})


def _is_end(alert: AlertTold) -> bool:
    """Whether it is the end of an incident."""
    return alert.status != FIRING and INCIDENT in alert.labels
