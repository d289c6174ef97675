"""What stood in the way of replies, as a client's own ledger tells it: incidents, absences, gaps in feeds, load."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from sla_engine._core.attribution import OPEN_END, Held, Impaired
from sla_engine._core.incidents import roster
from sla_engine._core.incidents.model import SiteRosterState
from sla_engine._core.incidents.slots import MOVED_AT, SEATS_SILENT, STANDBY, TOLD_AFTERWARDS
from sla_engine._core.platform_times import platform_times
from sla_engine._core.seats import Seats, SeatsState
from wire.conversation import Presence, PresenceChanged
from wire.incident import SEATS_STAYED, Cause, IncidentSaid
from wire.organisation import Relation, RosterLink
from wire.record import Gone, SourceBack, SourceSilent
from wire.recorded import Recorded

_PERCENT: Final = 100
_SITE_WIDE: Final = {
    "site_power_lost": Cause.SITE_POWER,
    "site_isolated": Cause.UPLINK,
    "lines_down": Cause.UPLINK,
    "flapping": Cause.UPLINK,
}
_ON_BATTERY: Final = frozenset({"mains_lost", "mains_flapping", "battery_low"})


class LoadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[incidents]` in defaults.toml.

    surge_window_ms: in which so many conversations arrive on one queue, at least surge_arrivals and surge_percent of
    what surge_usual_ms before it, of which at least surge_windows_before are known, brought in as long.
    hands_limit: conversations at once where the roster states none. hands_idle_ms: how long after the last word on it a
    conversation is in hands whose end nobody told. platform_noticed_ms: so long after seats lost a platform, at most,
    that is told.
    """

    surge_window_ms: int
    surge_arrivals: int
    surge_percent: int
    surge_usual_ms: int
    surge_windows_before: int
    hands_limit: int
    hands_idle_ms: int
    platform_noticed_ms: int


class Circumstances:
    """Takes a client's entries in, in order; then says what stood in the way of whom, and when."""

    def __init__(self, limits: LoadLimits) -> None:
        self.source_of: dict[str, str] = {}
        self._sources: set[str] = set()
        self._limits: Final = limits
        self._roster = SiteRosterState()
        self._seats = Seats(SeatsState(), limits.hands_limit)
        self._incidents: dict[str, list[IncidentSaid]] = {}
        self._presences: dict[str, list[tuple[int, Presence]]] = defaultdict(list)
        self._person_of: dict[str, str] = {}
        self._silent: dict[str, int] = {}
        self._gaps: list[Impaired] = []

    @property
    def presences_told(self) -> bool:
        """Whether any source tells who is there."""
        return bool(self._presences)

    def take(self, entry: Recorded) -> None:
        """Take one entry in."""
        body = entry.body
        match body:
            case IncidentSaid():
                self._incidents.setdefault(body.incident, []).append(body)
            case RosterLink():
                roster.enter(self._roster, body)
                self._seats.enter(body)
                if body.relation is Relation.PERSON_OF_ACCOUNT:
                    self._person_of[body.subject] = body.target
            case PresenceChanged():
                self._presences[body.account].append((body.occurred_at, body.presence))
            case SourceSilent():
                self._silent[body.about_source] = body.heard_at
            case SourceBack():
                since = self._silent.pop(body.about_source, body.occurred_at)
                self._gap(body.about_source, since, body.occurred_at)
            case Gone() if body.since < body.until:
                self._gap(body.about_source, body.since, body.until)
            case _:
                conversation = getattr(body, "conversation", None)
                if conversation:
                    self._sources.add(self.source_of.setdefault(conversation, entry.source))

    def impaired(self, stays: Iterable[Held], arrivals: Mapping[str, Sequence[int]]) -> list[Impaired]:
        """Everything that stood in the way. arrivals: by queue, when its sessions began, ms."""
        found = [*self._gaps]
        found += [Impaired(cause=Cause.FEED_GAP, since=since, source=source) for source, since in self._silent.items()]
        for revisions in self._incidents.values():
            found += self._of_incident(sorted(revisions, key=lambda said: said.revision))
        found += self._absences()
        found += self._saturated(stays)
        for queue, starts in arrivals.items():
            found += _surges(queue, sorted(starts), self._limits)
        return found

    def _gap(self, source: str, since: int, until: int) -> None:
        self._gaps.append(Impaired(cause=Cause.FEED_GAP, since=since, until=until, source=source))

    def _of_incident(self, revisions: list[IncidentSaid]) -> Iterator[Impaired]:
        """Each revision holds from its own instant, the first one from the incident's start, until the next one."""
        last = revisions[-1]
        if last.cause is Cause.PLATFORM:
            yield from self._of_platform_trouble(revisions)
            return
        silence = _why_silent(revisions)
        ends = [said.occurred_at for said in revisions[1:]] + [OPEN_END]
        for number, (said, end) in enumerate(zip(revisions, ends, strict=True)):
            since = said.started_at if number == 0 else said.occurred_at
            until = min(end, OPEN_END if last.ended_at is None else last.ended_at)
            if since < until and said.what == "site_silent" and silence is not None:
                yield _from(said, silence, since, until, site=said.site)
            elif since < until:
                yield from self._of_phase(said, last, since, until)

    def _of_phase(self, said: IncidentSaid, last: IncidentSaid, since: int, until: int) -> Iterator[Impaired]:
        cause = None if said.details.get(STANDBY) else _SITE_WIDE.get(said.what)
        if cause is not None or (said.what in _ON_BATTERY and last.details.get(SEATS_SILENT)):
            yield _from(said, cause or Cause.SITE_POWER, since, until, site=said.site)
        elif said.what in {"line_down", "line_degraded"} and not (said.is_suspected or said.details.get(STANDBY)):
            moved_at = last.details.get(MOVED_AT, "")
            over = int(moved_at) if moved_at.isdecimal() and said.what == "line_down" else until
            yield _from(said, Cause.UPLINK, since, min(until, over), site=said.site)
        elif said.cause is Cause.PHONE_LINE:
            yield _from(said, Cause.PHONE_LINE, since, until, site=said.site, voice=True)
        elif said.cause is Cause.SEAT_GROUP:
            seats = frozenset(self._group(said.site, said.subject, since)).difference(_stayed(last))
            yield _from(said, Cause.SEAT_GROUP, since, until, site=said.site, seats=seats)
        elif said.cause is Cause.SEAT_DOWN:
            yield _from(said, Cause.SEAT_DOWN, since, until, site=said.site, seats=frozenset({said.subject}))
        elif said.cause is Cause.ACCOUNT_OFFLINE:
            seat, _, platform = said.subject.rpartition("/")
            found = _from(said, Cause.ACCOUNT_OFFLINE, since, until, site=said.site, seats=frozenset({seat}))
            yield from self._of_platform(found, platform)

    def _of_platform_trouble(self, revisions: Sequence[IncidentSaid]) -> Iterator[Impaired]:
        for since, until, site, spared in platform_times(revisions, self._limits.platform_noticed_ms):
            found = _from(revisions[-1], Cause.PLATFORM, since, until, site=site, voice=False)
            yield from self._of_platform(replace(found, spared=spared), revisions[-1].subject)

    def _of_platform(self, found: Impaired, platform: str) -> Iterator[Impaired]:
        """Of the sources that carry the platform's name, where any does: beside it, another platform has its own."""
        as_a_word = re.compile(rf"(?<![^\W_]){re.escape(platform)}(?![^\W_])")
        named = [source for source in sorted(self._sources) if as_a_word.search(source)]
        for source in named:
            yield replace(found, source=source, voice=None)
        if not named:
            yield found

    def _group(self, site: str, subject: str, at: int) -> Iterator[str]:
        kind, _, name = subject.partition(":")
        for seat, link in roster.seats_at(self._roster, site, at):
            if kind == roster.SITE or link.attributes.get(kind) == name:
                yield seat

    def _absences(self) -> Iterator[Impaired]:
        """A person on a break, or signed out. Signed out while ready on another account: the account was dropped."""
        for account, told in self._presences.items():
            told.sort(key=lambda each: each[0])
            ends = [at for at, _ in told[1:]] + [OPEN_END]
            for (since, presence), until in zip(told, ends, strict=True):
                if presence is Presence.READY or since >= until:
                    continue
                dropped = presence is Presence.OFFLINE and self._is_ready_elsewhere(account, since)
                cause = Cause.ACCOUNT_OFFLINE if dropped else Cause.AGENT_ABSENT
                yield Impaired(cause=cause, since=since, until=until, account=account)

    def _is_ready_elsewhere(self, account: str, at: int) -> bool:
        person = self._person_of.get(account)
        others = [other for other, whose in self._person_of.items() if whose == person and other != account]
        return person is not None and any(self._presence(other, at) is Presence.READY for other in others)

    def _presence(self, account: str, at: int) -> Presence | None:
        told = [presence for since, presence in sorted(self._presences.get(account, [])) if since <= at]
        return told[-1] if told else None

    def _saturated(self, stays: Iterable[Held]) -> Iterator[Impaired]:
        """Times in which an account had more conversations in hands than it is meant to hold."""
        changes: dict[str, list[tuple[int, int]]] = defaultdict(list)
        seat_of: dict[str, str] = {}
        for held in stays:
            changes[held.account] += [(held.since, 1), (held.until, -1)]
            seat_of[held.account] = held.seat
        for account, steps in changes.items():
            hands, since = 0, -1
            for at, change in sorted(steps):
                hands += change
                is_over = hands > self._seats.limit_of(account, seat_of[account], at)
                if is_over and since < 0:
                    since = at
                elif not is_over and since >= 0:
                    yield Impaired(cause=Cause.SATURATION, since=since, until=at, account=account)
                    since = -1


def _stayed(said: IncidentSaid) -> list[str]:
    """Seats of a group that were there all the while, which is known at its end."""
    return [] if said.ended_at is None else said.details.get(SEATS_STAYED, "").split()


def _why_silent(revisions: Sequence[IncidentSaid]) -> Cause | None:
    """What a silence of the site turned out to be; None where nobody but a probe was silent, as far as is known."""
    last = revisions[-1]
    if last.details.get(TOLD_AFTERWARDS):
        return last.cause
    is_certain = any(said.what == "site_silent" and not said.is_suspected for said in revisions)
    return Cause.SITE_SILENT if is_certain else None


def _from(
    said: IncidentSaid,
    cause: Cause,
    since: int,
    until: int,
    *,
    site: str,
    seats: frozenset[str] | None = None,
    voice: bool | None = None,
) -> Impaired:
    return Impaired(cause=cause, since=since, until=until, site=site, seats=seats, voice=voice, incident=said.incident)


def _surges(queue: str, starts: Sequence[int], limits: LoadLimits) -> Iterator[Impaired]:
    """Times in which a queue got far more than the hour before brought in as long, as far as it was open then."""
    first = last = -1
    usual = _Pace(0, 1)
    for number, at in enumerate(starts):
        pace = _unusual(starts, at, limits)
        if pace is None:
            continue
        if first >= 0 and at - limits.surge_window_ms > starts[last]:
            yield _surge(queue, starts[first : last + 1], usual, limits)
            first = -1
        if first < 0:
            first, usual = bisect_right(starts, at - limits.surge_window_ms), pace
        last = number
    if first >= 0:
        yield _surge(queue, starts[first : last + 1], usual, limits)


class _Pace(NamedTuple):
    """So many arrivals in so long."""

    arrivals: int
    in_ms: int


def _unusual(starts: Sequence[int], at: int, limits: LoadLimits) -> _Pace | None:
    """The pace of the time before, where the window that ends at `at` brought in far more; else None."""
    window_since = at - limits.surge_window_ms
    first, end = bisect_left(starts, window_since - limits.surge_usual_ms), bisect_right(starts, window_since)
    count = bisect_right(starts, at) - end
    before_ms = window_since - starts[first]
    if count < limits.surge_arrivals or before_ms < limits.surge_windows_before * limits.surge_window_ms:
        return None
    if count * before_ms * _PERCENT < limits.surge_percent * (end - first) * limits.surge_window_ms:
        return None
    return _Pace(end - first, before_ms)


def _surge(queue: str, starts: Sequence[int], usual: _Pace, limits: LoadLimits) -> Impaired:
    """The part of unusual windows that made them so: where most came beyond half way from usual to far too many.

    A window is as long as it takes to tell a wave from chance, and begins before the wave does.
    """
    percent = (_PERCENT + limits.surge_percent) // 2
    since, until = starts[0], starts[-1]
    best = beyond = 0
    begins = before = starts[0]
    for at in starts:
        beyond -= percent * usual.arrivals * (at - before)
        if beyond <= 0:
            beyond, begins = 0, at
        beyond += _PERCENT * usual.in_ms
        before = at
        if beyond > best:
            best, since, until = beyond, begins, at
    return Impaired(cause=Cause.SURGE, since=since, until=until, queue=queue)
