"""The pager at work: hears of incidents, lets time pass, and keeps every Alertmanager told of what fires."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import aiohttp
import msgspec
import structlog

from dashboards.alerting._core.calling import Away
from dashboards.alerting._core.message import INCIDENT, TIER, call_number
from dashboards.alerting._core.pager import WAKES, Alert, Pager, PagerSettings, Standing, TakenOn
from dashboards.alerting._core.wording import GOES_ON, SAID_AT, Words, alert_annotations
from dashboards.wallboard._core.names import Names
from wire.incident import IncidentSaid

log = structlog.get_logger()
MS_PER_S: Final = 1_000
ALERTS_PATH: Final = "/api/v2/alerts"
DetailsNow = Callable[[str], Mapping[str, str] | None]
"""An open incident -> what it tells of itself as of now; None where that is not known."""


def no_details(_incident: str) -> None:
    """What an incident told when it became what it is, is all there is."""


class OnCallSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`. runbooks: where they are.

    alert_lasts_ms: how long an Alertmanager believes an alert it is not told of again.
    """

    pager: PagerSettings
    runbooks: str
    resend_ms: int
    push_retry_ms: int
    alert_lasts_ms: int
    push_timeout_s: float


class OnCall:
    """One pager and the Alertmanagers it feeds. Made and used on one event loop; `run` once.

    urls: the base addresses of every member of the pair; each is told everything, for they forget on their own.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        settings: OnCallSettings,
        words: Words,
        names: Names,
        clock_ms: Callable[[], int],
        details_now: DetailsNow,
    ) -> None:
        self.pushes: Final[Counter[str]] = Counter(sent=0, failed=0)
        self._pager: Final = Pager(settings.pager)
        self._settings: Final = settings
        self._words: Final = words
        self._names: Final = names
        self._clock_ms: Final = clock_ms
        self._details_now: Final = details_now
        self.is_ready = False
        """Whether `take_up` was called: before that, what is open is not known."""
        self._heard: Final = asyncio.Event()
        self._news: Final = {url.rstrip("/"): asyncio.Event() for url in urls}

    def take_up(
        self,
        said: Iterable[IncidentSaid],
        taken_on: Mapping[str, TakenOn],
        louder_at: Mapping[str, int] | None = None,
        away: Iterable[Away] = (),
    ) -> None:
        """What was open when we came, who had taken what of it on, and when it became graver than it was (ms).

        away: when nobody was there to call, since the oldest of it began.
        """
        self._pager.was_away(away)
        self._pager.hear(said, self._clock_ms(), is_history=True)
        for incident, at in (louder_at or {}).items():
            self._pager.louder(incident, at)
        for incident, whose in taken_on.items():
            self._pager.acknowledge(incident, whose)
        self.is_ready = True
        self._advance()

    def said(self, said: Iterable[IncidentSaid]) -> None:
        """New revisions of incidents, as they are made."""
        self._pager.hear(said, self._clock_ms())
        self._advance()

    def acknowledged(self, incident: str, taken_on: TakenOn) -> None:
        """Somebody took `incident` on."""
        self._pager.acknowledge(incident, taken_on)
        self._advance()

    def standing(self, incident: str) -> Standing | None:
        """How `incident` stands with people, with its details as of now; None where it is not open."""
        found, details = self._pager.standing(incident), self._details_now(incident)
        if found is None or details is None:
            return found
        return found._replace(said=msgspec.structs.replace(found.said, details={**details}))

    def open(self) -> list[IncidentSaid]:
        """The open incidents."""
        return self._pager.open()

    def alerts(self) -> list[Alert]:
        """What fires, and what ended lately."""
        return self._pager.alerts()

    def fires(self, labels: Mapping[str, str]) -> bool:
        """Whether the alert with these labels does, whatever else it has, and whoever on duty it calls."""
        firing = (each.identity.labels() for each in self._pager.alerts() if each.ended_at is None)
        return any({name: own[name] for name in own.keys() - {TIER}}.items() <= labels.items() for own in firing)

    def annotations(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Of the alert with these labels, whatever else it has; nothing where there is none."""
        found = (each for each in self._pager.alerts() if each.identity.labels().items() <= labels.items())
        alert = next(found, None)
        if alert is not None:
            return self._annotations(alert)
        became = self._became(labels)  # it ended before we came
        return {GOES_ON: became} if became else {}

    async def run(self) -> None:
        """Push until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._settings.push_timeout_s)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._let_time_pass(), name="on_call.time")
            for url, news in self._news.items():
                tasks.create_task(self._feed(session, url, news), name=f"on_call.feed[{url}]")

    def _advance(self) -> None:
        if self._pager.advance(self._clock_ms()):
            for news in self._news.values():
                news.set()
        self._heard.set()

    async def _let_time_pass(self) -> None:
        while True:
            self._heard.clear()
            wake_at = self._pager.next_wake_at()
            wait_s = None if wake_at is None else max(0, wake_at - self._clock_ms()) / MS_PER_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._heard.wait()
                    continue
            self._pager.advance(self._clock_ms())
            for news in self._news.values():
                news.set()

    async def _feed(self, session: aiohttp.ClientSession, url: str, news: asyncio.Event) -> None:
        """Tell one Alertmanager everything at every change, and again and again in between."""
        was_reached = True
        while True:
            news.clear()
            alerts = self._to_push()
            is_reached = not alerts or await self._push(session, url, alerts)
            if was_reached and not is_reached:
                log.warning("paging.alertmanager_unreachable", url=url)
            was_reached = is_reached
            wait_ms = self._settings.resend_ms if is_reached else self._settings.push_retry_ms
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_ms / MS_PER_S):
                    await news.wait()

    def _to_push(self) -> list[Alert]:
        """What Alertmanager is to hold; that something goes on otherwise at once, before a rule tells it as its end."""
        found = self._pager.to_push()
        return found + [each for each in self._pager.alerts() if each not in found and self._goes_on_as(each)]

    def _goes_on_as(self, alert: Alert) -> str:
        """Severity and kind with which an ended alert's incident goes on; "" = none that whoever was told hears of."""
        return "" if alert.ended_at is None else self._became(alert.identity.labels())

    def _became(self, labels: Mapping[str, str]) -> str:
        """What the incident of an alert that fires no more is by now; "" = over, or the same people are told of it."""
        standing = self._pager.standing(labels.get(INCIDENT, ""))
        was = labels.get("severity"), labels.get("what")
        if standing is None or (standing.said.severity, standing.said.what) == was:
            return ""
        firing = (each.identity.labels() for each in self._pager.alerts() if each.ended_at is None)
        own = labels[INCIDENT], self._reaches(labels)
        if any((each[INCIDENT], self._reaches(each)) == own for each in firing):
            return ""
        return f"{standing.said.severity} {standing.said.what}"

    def _reaches(self, labels: Mapping[str, str]) -> int:
        """Who is told: which of the duty list, from 1; 0 = those who read tickets."""
        is_call = labels.get("severity") in WAKES
        return (call_number(labels) - 1) % self._settings.pager.tiers + 1 if is_call else 0

    async def _push(self, session: aiohttp.ClientSession, url: str, alerts: Sequence[Alert]) -> bool:
        body = msgspec.json.encode([self._entry(alert) for alert in alerts])
        try:
            async with session.post(
                url + ALERTS_PATH, data=body, headers={"Content-Type": "application/json"}
            ) as answer:
                is_taken = answer.ok
        except (aiohttp.ClientError, TimeoutError):
            is_taken = False
        self.pushes["sent" if is_taken else "failed"] += 1
        return is_taken

    def _entry(self, alert: Alert) -> dict[str, object]:
        now = self._clock_ms()
        ends_at = now + self._settings.alert_lasts_ms if alert.ended_at is None else alert.ended_at
        return {
            "labels": alert.identity.labels(),
            "annotations": self._annotations(alert) | {SAID_AT: str(now // MS_PER_S)},
            "startsAt": _rfc3339(min(alert.started_at, now, ends_at - 1)),
            "endsAt": _rfc3339(ends_at),
        }

    def _annotations(self, alert: Alert) -> dict[str, str]:
        details = self._details_now(alert.incidents[-1].incident)
        told = alert_annotations(self._words, alert, self._settings.runbooks, details, names=self._names)
        as_what = self._goes_on_as(alert)
        return told | {GOES_ON: as_what} if as_what else told


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / MS_PER_S, UTC).isoformat(timespec="milliseconds")
