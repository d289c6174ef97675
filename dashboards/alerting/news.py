"""What of a notification is news to a channel: Alertmanager tells what still fires, and what ended, again and again."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from dashboards.alerting._core.message import (
    FIRING,
    INCIDENT,
    NO_WORD,
    RESOLVED,
    AlertTold,
    Told,
    about,
    instant,
    without_earlier,
)
from dashboards.alerting._core.wording import GOES_ON
from dashboards.alerting.told_before import LastWord, ToldBefore

MS_PER_S: Final = 1_000
# Bound: of reminders that do not come while what they are of goes on.
REMINDERS_MISSED: Final = 2
_GOES_ON: Final = frozenset({FIRING, NO_WORD})
"""Last words after which it may go on."""


class NewsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`. same_within_ms: how long the same news over the same channel is a repeat of Alertmanager's.

    outdated_within_ms: how long after an end the other of a pair may still tell what it saw before that end.
    end_same_within_ms: how long an end may come again, from Prometheus and from an Alertmanager that was away.
    """

    same_within_ms: int
    outdated_within_ms: int
    end_same_within_ms: int


class Piece(NamedTuple):
    """told: what one message says. covers: all that a channel has heard of once it took that.

    still: what fires meanwhile (an `about`), of which nothing has ended.
    """

    told: Told
    covers: list[AlertTold]
    still: set[str]


class News:
    """See the module. fires: whether an alert of these labels does, where the pager is beside us."""

    def __init__(
        self,
        told: ToldBefore,
        *,
        settings: NewsSettings,
        fires: Callable[[Mapping[str, str]], bool],
        clock_ms: Callable[[], int],
    ) -> None:
        self._told: Final = told
        self._settings: Final = settings
        self._fires: Final = fires
        self._clock_ms: Final = clock_ms

    def without_outdated(self, channel: str, told: Told) -> Told:
        """`told` without what fired before an end that channel has heard of.

        The second of a pair of Alertmanagers waits (15 s by default) before it tells what it saw, and does not look
        again whether it is still so: of an alert that the first told as over meanwhile, it would page anew.
        """
        now = self._clock_ms()

        def is_outdated(alert: AlertTold) -> bool:
            last = self._told.last(channel, alert.fingerprint)
            return (
                alert.status == FIRING
                and not self._fires(alert.labels)
                and now - last.at < self._settings.outdated_within_ms
                and is_of_before(alert, last)
            )

        return _with(told, [each for each in told.alerts if not is_outdated(each)])

    def of(self, channel: str, told: Told) -> list[Piece]:
        """What that channel is to hear of it, message by message; none where nothing is news to it.

        Alertmanager repeats what still fires at a site with every end of something else there, and what ended with
        every start. What fires is told with what it stands beside; an end is told once and by itself: with what still
        fires it would read as another page about that, and an incident that turned into another ends once.
        """
        still = _still(told)
        firing = [alert for alert in told.alerts if alert.status == FIRING]
        replaced = [alert for alert in told.alerts if alert.status != FIRING and about(alert) in still]
        ends = [alert for alert in _ends(told) if not self._is_old_end(channel, alert)]
        pieces = []
        if any(self._is_new_start(channel, alert) for alert in firing):
            pieces.append(Piece(_with(told, firing), firing + replaced, still))
        if ends:
            pieces.append(Piece(Told(RESOLVED, without_earlier(ends)), ends + replaced, still))
        return pieces

    def remember(self, channel: str, piece: Piece) -> None:
        """That channel took it."""
        now = self._clock_ms()
        words = {key: last for key, last in self._told.of(channel).items() if not self._is_forgotten(last, now)}
        for alert in piece.covers:
            last = words[alert.fingerprint] = LastWord(alert.status, now, alert.endsAt)
            if alert.status == FIRING or not (about(alert) in piece.still or GOES_ON in alert.annotations):
                words[key_about(alert)] = last
        self._told.replace(channel, words)

    def goes_on(self, channel: str, told: Told) -> None:
        """That channel, which heard of it in the place of another whom the reminders reach, does not forget it yet."""
        words, now = self._told.of(channel), self._clock_ms()
        firing = [alert for alert in told.alerts if alert.status == FIRING]
        keys = {key for alert in firing for key in (key_about(alert), alert.fingerprint)}
        known = {key: words[key] for key in keys & words.keys() if words[key].status in _GOES_ON}
        if known:
            renewed = {key: msgspec.structs.replace(last, at=now) for key, last in known.items()}
            self._told.replace(channel, words | renewed)

    def ends_for(self, channel: str, told: Told) -> Told:
        """Of `told` the ends of what that channel was told goes on."""
        heard = [alert for alert in _ends(told) if self._told.last(channel, key_about(alert)).status in _GOES_ON]
        return _with(told, heard)

    def _is_new_start(self, channel: str, alert: AlertTold) -> bool:
        last = self._told.last(channel, alert.fingerprint)
        is_again = last.status not in _GOES_ON or _began_after(alert, last)
        return is_again or self._clock_ms() - last.at >= self._settings.same_within_ms

    def _is_old_end(self, channel: str, alert: AlertTold) -> bool:
        """Whether it was told: as the end of this alert or of all it is about, or as what it became since."""
        own, last = self._told.last(channel, alert.fingerprint), self._told.last(channel, key_about(alert))
        if GOES_ON in alert.annotations and last.status == FIRING and last.at > own.at:
            return True
        return any(self._is_end_told(alert, each) for each in (own, last))

    def _is_end_told(self, alert: AlertTold, last: LastWord) -> bool:
        is_lately = self._clock_ms() - last.at < self._settings.end_same_within_ms
        is_same = last.status == RESOLVED or last.status == alert.status == NO_WORD
        return is_lately and is_same and instant(alert.startsAt) <= instant(last.ended_at)

    def _is_forgotten(self, last: LastWord, now: int) -> bool:
        settings = self._settings
        goes_on_ms = REMINDERS_MISSED * settings.same_within_ms
        return now - last.at >= (goes_on_ms if last.status in _GOES_ON else settings.end_same_within_ms)


def key_about(alert: AlertTold) -> str:
    """What an alert is about: several of one incident, one after the other, are about one thing."""
    return f"about {about(alert)}"


def is_of_before(alert: AlertTold, last: LastWord) -> bool:
    """Whether it tells of a trouble whose end was the last word."""
    return last.status == RESOLVED and instant(alert.startsAt) <= instant(last.ended_at)


def _began_after(alert: AlertTold, last: LastWord) -> bool:
    """Whether it is a new trouble, of whose start and whose predecessor's end nobody was told; an incident has a name.

    An Alertmanager that was away when an alert ended never tells that it did.
    """
    return INCIDENT not in alert.labels and instant(alert.startsAt).timestamp() * MS_PER_S > last.at


def _still(told: Told) -> set[str]:
    return {about(alert) for alert in told.alerts if alert.status == FIRING}


def _ends(told: Told) -> list[AlertTold]:
    """What ended, or is heard of no more; not what only turned into another."""
    still = _still(told)
    return [alert for alert in told.alerts if alert.status != FIRING and about(alert) not in still]


def _with(told: Told, alerts: list[AlertTold]) -> Told:
    return Told(told.status, alerts, told.truncatedAlerts)
