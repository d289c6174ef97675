"""The notification bridge: what Alertmanager tells goes to a receiver's channels, and is repeated until it arrived.

Alertmanager repeats what is answered 5xx, so the bridge says 5xx whenever somebody was not reached, and remembers whom
it did reach: nobody gets the same message twice, from neither member of a pair, nor from a bridge started anew.
"""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
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
    AlertTold,
    Message,
    Reader,
    Told,
    about,
    compose,
    instant,
    of_one_identity,
    without_earlier,
)
from dashboards.alerting._core.wording import SUBJECTS, listed
from dashboards.alerting.bearer import is_bearer
from dashboards.alerting.channels import Channels
from dashboards.alerting.told_before import NOBODY, LastWord, ToldBefore

log = structlog.get_logger()
Links = Callable[[Sequence[str], str], str]
"""Incidents and the name of who takes them on -> an address; "" where nobody can."""
AnnotationsNow = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Labels of an alert that fires -> its annotations as of now; none where they are not known."""
_MS_PER_S: Final = 1_000
# Bound: of reminders that do not come while what they are of goes on.
_REMINDERS_MISSED: Final = 2
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

    same_within_ms: how long the same news over the same channel is a repeat of Alertmanager's.
    outdated_within_ms: how long after an end the other of a pair may still tell what it saw before that end.
    end_same_within_ms: how long an end may come again, from Prometheus and from an Alertmanager that was away.
    fallback_attempts: failures in a row after which the fallback channel is used. notification_bytes_max: of a request.
    """

    lines_shown: int
    tiers: int
    call_rounds: int
    same_within_ms: int
    outdated_within_ms: int
    end_same_within_ms: int
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
        alerts = of_one_identity(told.alerts)
        self._hear_of_the_hub(alerts)
        believed = [alert for alert in alerts if not (_is_end(alert) and self._is_hearsay(alert))]
        told = Told(told.status, believed, told.truncatedAlerts)
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            ways = {
                name: tasks.create_task(self._reach(session, name, told, names), name=f"bridge.tell[{name}]")
                for name in dict.fromkeys(names)
            }
        is_to_come_again = self._besides.pager is None and len(believed) < len(alerts)
        return [name for name, way in ways.items() if is_to_come_again or not way.result()]

    async def _reach(self, session: aiohttp.ClientSession, name: str, told: Told, names: Sequence[str]) -> bool:
        """Whether that channel knows it now. What it took is remembered at once, whatever becomes of the others."""
        current = self._without_outdated(name, told)
        news = self._news(name, current)
        if news is None:
            return True
        telling = {(name, alert.fingerprint) for alert in news.alerts}
        telling |= {(name, _about(alert)) for alert in news.alerts if alert.status != FIRING}
        if telling & self._under_way:
            # the other of a pair, or the next on duty over the same channel; when that asks again it is news no more
            return False
        self._under_way.update(telling)
        try:
            was_taken = await self._tell(session, name, news, names)
        finally:
            self._under_way.difference_update(telling)
        if was_taken:
            self._remember(name, current)
        return was_taken

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
        if fallback in names:
            return True
        async with self._falling_back[fallback]:
            news = self._news(fallback, told)
            if news is not None:
                if await self._channels.send(session, fallback, self._message(fallback, news)):
                    return False
                self._remember(fallback, news)
        return True

    def _message(self, name: str, told: Told) -> Message:
        reader = self._readers[self._channels.by_id[name].language]
        return compose(
            msgspec.structs.replace(told, alerts=[self._as_of_now(alert) for alert in told.alerts]),
            reader,
            lines_shown=self._settings.lines_shown,
            last_calls=self._last_calls,
            link=lambda incidents: self._besides.link(incidents, name),
        )

    def _is_hearsay(self, alert: AlertTold) -> bool:
        """Whether the end of an incident is only that nobody told Alertmanager of it any more: the server was away."""
        pager = self._besides.pager
        if pager is not None:
            return pager.fires(alert.labels)
        last = self._told.last(NOBODY, HUB_DOWN)
        # an Alertmanager that forgot it reminds of it no more, and tells no end of it
        is_reminded = self._clock_ms() - last.at < _REMINDERS_MISSED * self._settings.same_within_ms
        return last.status == FIRING and is_reminded

    def _hear_of_the_hub(self, alerts: Sequence[AlertTold]) -> None:
        """Remember whether it is down, beside what each channel was told of that: not all of them hear the end.

        Nobody is told that of a call that a later one replaced, nor who was called in the place of another.
        """
        said, last = [each for each in alerts if each.labels.get("what") == HUB_DOWN], self._told.last(NOBODY, HUB_DOWN)
        ends = [each.endsAt for each in said if each.status != FIRING]
        if any(each.status == FIRING and not _is_of_before(each, last) for each in said):
            self._told.replace(NOBODY, {HUB_DOWN: LastWord(FIRING, self._clock_ms())})
        elif ends:
            self._told.replace(NOBODY, {HUB_DOWN: LastWord("resolved", self._clock_ms(), max(ends, key=instant))})

    def _as_of_now(self, alert: AlertTold) -> AlertTold:
        if alert.labels.get("what") != IDENTITY_TWICE:
            pager = self._besides.pager
            now = pager.annotations(alert.labels) if pager is not None and alert.status == FIRING else {}
            return msgspec.structs.replace(alert, annotations={**now} or alert.annotations)
        found = self._besides.seen_twice(int(instant(alert.startsAt).timestamp() * _MS_PER_S))
        return msgspec.structs.replace(alert, annotations=alert.annotations | {SUBJECTS: listed(found)})

    def _without_outdated(self, name: str, told: Told) -> Told:
        """`told` without what fired before an end that channel has heard of.

        The second of a pair of Alertmanagers waits (15 s by default) before it tells what it saw, and does not look
        again whether it is still so: of an alert that the first told as over meanwhile, it would page anew.
        """
        now = self._clock_ms()

        def is_outdated(alert: AlertTold) -> bool:
            last, pager = self._told.last(name, alert.fingerprint), self._besides.pager
            return (
                alert.status == FIRING
                and not (pager is not None and pager.fires(alert.labels))
                and now - last.at < self._settings.outdated_within_ms
                and _is_of_before(alert, last)
            )

        return Told(told.status, [each for each in told.alerts if not is_outdated(each)], told.truncatedAlerts)

    def _news(self, name: str, told: Told) -> Told | None:
        """What that channel is to hear of it; None where nothing is news to it.

        Alertmanager repeats what still fires at a site with every end of something else there, and what ended with
        every start. What fires is told with what it stands beside; an end is told once and by itself: with what still
        fires it would read as another page about that, and an incident that turned into another ends once.
        """
        now = self._clock_ms()
        still = {_about(alert) for alert in told.alerts if alert.status == FIRING}
        news = []
        for alert in told.alerts:
            if alert.status == FIRING:
                last = self._told.last(name, alert.fingerprint)
                is_again = last.status != FIRING or _began_after(alert, last)
                is_news = is_again or now - last.at >= self._settings.same_within_ms
            else:
                last = self._told.last(name, _about(alert))
                is_old = now - last.at < self._settings.end_same_within_ms and _is_of_before(alert, last)
                is_news = not is_old and _about(alert) not in still
            if is_news:
                news.append(alert)
        if any(alert.status == FIRING for alert in news):
            return Told(told.status, [each for each in told.alerts if each.status == FIRING], told.truncatedAlerts)
        return Told("resolved", without_earlier(news)) if news else None

    def _remember(self, name: str, told: Told) -> None:
        now = self._clock_ms()
        words = {about: last for about, last in self._told.of(name).items() if not self._is_forgotten(last, now)}
        still = {_about(alert) for alert in told.alerts if alert.status == FIRING}
        for alert in told.alerts:
            last = words[alert.fingerprint] = LastWord(alert.status, now, alert.endsAt)
            if _about(alert) in still:
                words.pop(_about(alert), None)
            else:
                words[_about(alert)] = last
        self._told.replace(name, words)

    def _is_forgotten(self, last: LastWord, now: int) -> bool:
        settings = self._settings
        return now - last.at >= (settings.same_within_ms if last.status == FIRING else settings.end_same_within_ms)


def _is_end(alert: AlertTold) -> bool:
    """Whether it is the end of an incident."""
    return alert.status != FIRING and INCIDENT in alert.labels


def _is_of_before(alert: AlertTold, last: LastWord) -> bool:
    """Whether it tells of a trouble whose end was the last word."""
    return last.status not in {"", FIRING} and instant(alert.startsAt) <= instant(last.ended_at)


def _began_after(alert: AlertTold, last: LastWord) -> bool:
    """Whether it is a new trouble, of whose start and whose predecessor's end nobody was told; an incident has a name.

    An Alertmanager that was away when an alert ended never tells that it did.
    """
    return INCIDENT not in alert.labels and instant(alert.startsAt).timestamp() * _MS_PER_S > last.at


def _about(alert: AlertTold) -> str:
    """What an alert is about: several of one incident, one after the other, are about one thing."""
    return f"about {about(alert)}"
