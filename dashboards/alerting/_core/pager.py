"""Who is to be paged about which incident, and when: holds, one page per cause, escalation, resolve.

Pure: `hear` takes revisions, `advance` lets time pass, `alerts` says what Alertmanager is to hold, `next_wake_at` when
to ask again. Everything follows from the incidents, the acknowledgements and `now`, so that a restart, told of what is
open, arrives at the same alerts under the same labels, which Alertmanager takes for the ones it has.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from dashboards.alerting._core.calling import Away, call_instants
from dashboards.alerting._core.explaining import RANK, is_loud_enough, is_twin, keeps_quiet
from dashboards.alerting._core.kinds import (
    PAGES_WHEN_PLANNED,
    WITHOUT_SUBJECT,
    Layer,
    alert_name,
    layer_of,
    may_explain,
    subject_label,
)
from wire.incident import IncidentSaid, Severity

EVERYWHERE: Final = "*"
"""Where a cause is kept that explains at every site; no site has that name."""
WAKES: Final = frozenset({Severity.PAGE, Severity.CALL})
"""What is escalated. A ticket waits for somebody to read it."""


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """How long an incident has to be of a kind before it pages, by kind."""

    hub_deaf_ms: int
    broker_lost_ms: int
    monitoring_ms: int
    clock_wrong_ms: int
    hub_clock_wrong_ms: int
    battery_low_ms: int
    mains_lost_ms: int
    mains_flapping_ms: int
    site_power_lost_ms: int
    lines_down_ms: int
    site_isolated_ms: int
    site_silent_ms: int
    flapping_ms: int
    line_down_ms: int
    line_degraded_ms: int
    phone_line_down_ms: int
    phone_line_flapping_ms: int
    phone_line_degraded_ms: int
    ups_comms_lost_ms: int
    ups_bypass_ms: int
    ups_off_ms: int
    battery_worn_ms: int
    seats_lost_ms: int
    seat_down_ms: int
    platform_down_ms: int
    account_offline_ms: int
    feed_silent_ms: int

    def of(self, what: str) -> int:
        """The hold of `what`; none for a word from a newer version: better early than never."""
        held: int = getattr(self, f"{what}_ms", 0)
        return held


class PagerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[paging]`. tiers: how many stand on the duty list.

    call_rounds: how often the list is gone through for a call that nobody takes on.
    often_pages, often_within_ms, often_hold_ms: what paged so often within so long has to last that long to page again.
    escalate_after_ms: without an acknowledgement, until the next tier is paged. after_cause_ms: how long a symptom has
    to outlast what explained it. clock_trust_ms: by how much a hold may begin before its incident was heard of.
    resolve_after_ms: from the end of an incident to the push that resolves it; by then no scrape shows it any more.
    ended_kept_ms: how long an ended alert is still pushed.
    """

    holds: Holds
    tiers: int
    call_rounds: int
    often_pages: int
    often_within_ms: int
    often_hold_ms: int
    escalate_after_ms: int
    after_cause_ms: int
    clock_trust_ms: int
    resolve_after_ms: int
    ended_kept_ms: int


class Identity(msgspec.Struct, frozen=True, order=True):
    """What makes two alerts the same one, whichever way they come: pushed, or by a rule over the metric.

    incident: the one behind it, or the first of several. With it a second power cut of an evening is another alert, and
    the end of the first one, which Prometheus repeats for a quarter of an hour, does not end the second. tier: which
    call it is, from 1; beyond the end of the duty list it begins at the top again, in place of the round before.
    """

    incident: str
    site: str
    subject: str
    what: str
    severity: str
    layer: str
    tier: int

    def labels(self) -> dict[str, str]:
        """As Alertmanager has them; an empty label is one that is not there."""
        labels = {name: str(getattr(self, name)) for name in self.__struct_fields__}
        return {"alertname": alert_name(self.what)} | {name: text for name, text in labels.items() if text}


class Alert(msgspec.Struct, frozen=True):
    """One alert. incidents: the open ones behind it, or the last of them. ended_at: None while it fires."""

    identity: Identity
    started_at: int
    ended_at: int | None
    incidents: tuple[IncidentSaid, ...]


class TakenOn(NamedTuple):
    """Who took an incident on, and when (ms)."""

    by: str
    at: int


class Standing(NamedTuple):
    """How an open incident stands with people. since: ms, from when on it is what it is now.

    taken_on: None = nobody took it on. next_tier, next_at: who on the duty list (from 1) is paged next and when (ms) if
    nobody does; None = nobody.
    """

    said: IncidentSaid
    since: int
    taken_on: TakenOn | None
    next_tier: int | None
    next_at: int | None


class _Open(msgspec.Struct):
    """said: the newest revision. since: from when on it is what it is, as people are told.

    kind_since: the same by our own clock, from which holds count. louder_at: when it last became graver than it was,
    0 = never. paged: the revision whose kind and severity people were paged about, None before that. paged_since: from
    when on it was that, whatever became of it meanwhile. taken_as: what it was when it was taken on.
    """

    said: IncidentSaid
    since: int
    kind_since: int
    louder_at: int = 0
    explained_until: int | None = None
    paged: IncidentSaid | None = None
    paged_at: int = 0
    paged_since: int = 0
    taken_on: TakenOn | None = None
    taken_as: IncidentSaid | None = None


class Pager:
    """See the module. Not persisted: the open incidents and acknowledgements of the record are its memory."""

    def __init__(self, settings: PagerSettings) -> None:
        self._settings: Final = settings
        self._now_ms = 0
        self._open: dict[str, _Open] = {}
        self._causes: dict[str, list[_Open]] = {}
        self._firing: dict[Identity, Alert] = {}
        self._ended: dict[Identity, Alert] = {}
        self._paged: Final[dict[tuple[str, str, str], list[int]]] = {}
        """What comes and goes: site, kind and subject -> when it last paged. A restart forgets it and may page anew."""
        self._away: tuple[Away, ...] = ()

    def was_away(self, away: Iterable[Away]) -> None:
        """When nobody was there to call, by the record and in order; to be told before `advance`."""
        self._away = tuple(away)

    def hear(self, said: Iterable[IncidentSaid], now_ms: int, *, is_history: bool = False) -> None:
        """Take revisions in. is_history: what was open before we came, which may have begun at any time."""
        for incident in said:
            known = self._open.get(incident.incident)
            if incident.ended_at is not None:
                self._close(incident, now_ms)
            elif known is None:
                earliest = 0 if is_history else now_ms - self._settings.clock_trust_ms
                kind_since = min(now_ms, max(incident.started_at, earliest))
                self._open[incident.incident] = _Open(incident, incident.started_at, kind_since)
            elif incident.revision >= known.said.revision:
                if incident.what != known.said.what:
                    is_again = known.paged is not None and known.paged.what == incident.what
                    known.since = known.paged_since if is_again else incident.occurred_at
                    known.kind_since = now_ms
                if RANK[incident.severity] > RANK[known.said.severity]:
                    known.louder_at = now_ms
                was, known.said = known.said, incident
                self._release(was, incident, now_ms)
        self._causes = {}
        for opened in self._open.values():
            if may_explain(opened.said.what):
                everywhere = layer_of(opened.said.what) is Layer.MONITORING
                self._causes.setdefault(EVERYWHERE if everywhere else opened.said.site, []).append(opened)

    def louder(self, incident: str, at: int) -> None:
        """By the record it became as grave as it is at `at` (ms). Does nothing for one not open."""
        if incident in self._open:
            self._open[incident].louder_at = at

    def acknowledge(self, incident: str, taken_on: TakenOn) -> None:
        """Somebody took it on as it is: nobody else is paged until it pages again because it became graver.

        The first to do so holds; does nothing for one not open.
        """
        known = self._open.get(incident)
        if known is not None and known.taken_on is None:
            known.taken_on, known.taken_as = taken_on, known.said

    def standing(self, incident: str) -> Standing | None:
        """How it stands with people, as of the last `advance`; None where it is not open."""
        known = self._open.get(incident)
        if known is None:
            return None
        instants = [] if known.paged is None else self._tier_instants(known, known.paged)
        ahead = [(instant, number) for number, instant in enumerate(instants) if instant > self._now_ms]
        next_at, number = min(ahead, default=(None, None))
        next_tier = None if number is None else number % self._settings.tiers + 1
        return Standing(known.said, known.since, known.taken_on, next_tier, next_at)

    def advance(self, now_ms: int) -> bool:
        """Let it be `now_ms`. Returns whether other alerts fire than before."""
        self._now_ms = now_ms
        for opened in sorted(self._open.values(), key=_seniority):
            if opened.paged is not None and _has_calmed_down(opened.paged, opened.said):
                opened.paged = None
            if self._may_page(opened) and self._due(opened) <= now_ms:
                # what was quiet all night and pages in the morning calls the next on duty from then on, not all at once
                paged_at = max(self._due(opened), opened.louder_at)
                opened.paged, opened.paged_at, opened.paged_since = opened.said, paged_at, opened.since
                paged = [*self._paged.get(_slot(opened.said), ()), now_ms]
                self._paged[_slot(opened.said)] = paged[-self._settings.often_pages :]
                if opened.taken_as is not None and is_graver(opened.said, opened.taken_as):
                    opened.taken_on, opened.taken_as, opened.paged_at = None, None, now_ms
        firing = self._wanted(now_ms)
        changed = firing.keys() != self._firing.keys()
        for identity in self._firing.keys() - firing.keys():
            self._ended[identity] = msgspec.structs.replace(self._firing[identity], ended_at=now_ms)
        kept_ms = self._settings.ended_kept_ms
        self._ended = {
            identity: alert
            for identity, alert in self._ended.items()
            if identity not in firing and now_ms - _end(alert) < kept_ms
        }
        self._firing = firing
        return changed

    def alerts(self) -> list[Alert]:
        """Every alert that fires and every one that ended lately, as of the last `advance`."""
        return [*self._firing.values(), *self._ended.values()]

    def to_push(self) -> list[Alert]:
        """Of `alerts`, those Alertmanager is to be told of now: an end is told once no scrape can contradict it."""
        after_ms = self._settings.resolve_after_ms
        told = [alert for alert in self._ended.values() if self._now_ms - _end(alert) >= after_ms]
        return [*self._firing.values(), *told]

    def open(self) -> list[IncidentSaid]:
        """The newest revision of every open incident."""
        return [opened.said for opened in self._open.values()]

    def next_wake_at(self) -> int | None:
        """When `advance` would change something without anything being heard; None = never."""
        settings = self._settings
        ends = [_end(alert) for alert in self._ended.values()]
        instants = [end + after for end in ends for after in (settings.resolve_after_ms, settings.ended_kept_ms)]
        for opened in self._open.values():
            if opened.paged is not None:
                instants += self._tier_instants(opened, opened.paged)
            if self._may_page(opened):
                instants.append(self._due(opened))
        return min((instant for instant in instants if instant > self._now_ms), default=None)

    def _close(self, incident: IncidentSaid, now_ms: int) -> None:
        known = self._open.pop(incident.incident, None)
        if known is not None:
            self._release(known.said, None, now_ms)

    def _release(self, was: IncidentSaid, becomes: IncidentSaid | None, now_ms: int) -> None:
        """What a cause kept quiet until it ended, or grew less, has to outlast it."""
        for opened in self._open.values():
            is_free = becomes is None or not keeps_quiet(becomes, opened.said)
            if opened.paged is None and is_free and keeps_quiet(was, opened.said):
                opened.explained_until = now_ms

    def _may_page(self, opened: _Open) -> bool:
        """Whether it pages as soon as its hold is over: for the first time, or because it became graver."""
        said = opened.said
        if said.severity is Severity.INFO or (said.is_planned and said.severity is not Severity.CALL):
            return False
        return (opened.paged is None or is_graver(said, opened.paged)) and not self._is_explained(opened)

    def _is_explained(self, opened: _Open) -> bool:
        """Whether another open incident accounts for it, and pages as loudly itself, or both are planned."""
        said = opened.said
        return any(
            keeps_quiet(cause, said)
            or (other.paged is not None and is_loud_enough(cause, said) and is_twin(cause, said))
            for other in (*self._causes.get(said.site, ()), *self._causes.get(EVERYWHERE, ()))
            if other is not opened
            for cause in (other.said,)
        )

    def _due(self, opened: _Open) -> int:
        settings = self._settings
        hold_ms = settings.holds.of(opened.said.what)
        if opened.said.severity is not Severity.CALL:
            earliest = opened.kind_since - settings.often_within_ms
            before = [at for at in self._paged.get(_slot(opened.said), ()) if earliest <= at < opened.kind_since]
            if len(before) >= settings.often_pages:
                hold_ms = max(hold_ms, settings.often_hold_ms)
        due = opened.kind_since + hold_ms
        if opened.explained_until is not None:
            due = max(due, opened.explained_until + settings.after_cause_ms)
        return due

    def _tier_instants(self, opened: _Open, paged: IncidentSaid) -> list[int]:
        """When each tier of the duty list is paged, if nobody acknowledges before. What calls goes round again."""
        settings = self._settings
        calls, again = settings.tiers if paged.severity in WAKES else 1, 0
        if paged.severity is Severity.CALL:
            calls, again = settings.tiers * settings.call_rounds, settings.tiers
        every_ms = settings.escalate_after_ms
        instants = call_instants(opened.paged_at, calls, every_ms=every_ms, away=self._away, again=again)
        at = None if opened.taken_on is None else opened.taken_on.at
        return [instant for number, instant in enumerate(instants) if at is None or number == 0 or instant < at]

    def _wanted(self, now_ms: int) -> dict[Identity, Alert]:
        first: dict[Identity, Identity] = {_shared(identity): identity for identity in self._firing}
        behind: dict[Identity, list[_Open]] = {}
        for opened in sorted(self._open.values(), key=_seniority):
            if opened.paged is None:
                continue
            calls = sum(instant <= now_ms for instant in self._tier_instants(opened, opened.paged))
            # of each on duty the newest call: who was not called for rounds, as we were asleep, is called once for all
            for number in range(max(0, calls - self._settings.tiers) + 1, calls + 1):
                own = _identity(opened.paged, number)
                behind.setdefault(first.setdefault(_shared(own), own), []).append(opened)
        return {
            identity: Alert(identity, min(each.paged_since for each in found), None, tuple(each.said for each in found))
            for identity, found in behind.items()
        }


def _slot(said: IncidentSaid) -> tuple[str, str, str]:
    """What comes back, whichever incident it is then."""
    return said.site, said.what, said.subject


def _identity(said: IncidentSaid, tier: int) -> Identity:
    subject = subject_label(said.what, said.subject)
    # Alertmanager silences by layer, and what is planned is to silence nothing
    layer = Layer.OTHER if said.is_planned else layer_of(said.what)
    return Identity(said.incident, said.site, subject, said.what, said.severity, layer, tier)


def _shared(identity: Identity) -> Identity:
    """What the incidents behind one alert have in common. Of most kinds an incident has an alert to itself."""
    return msgspec.structs.replace(identity, incident="") if identity.what in WITHOUT_SUBJECT else identity


def _end(alert: Alert) -> int:
    return 0 if alert.ended_at is None else alert.ended_at


def _seniority(opened: _Open) -> tuple[int, str]:
    return opened.said.started_at, opened.said.incident


def is_graver(said: IncidentSaid, paged: IncidentSaid) -> bool:
    """Whether what people were paged about, or took on, has become something they are to be paged about again."""
    runs_out = said.what in PAGES_WHEN_PLANNED and paged.what != said.what
    is_no_longer_work = paged.is_planned and not said.is_planned and paged.what != said.what
    return runs_out or is_no_longer_work or RANK[said.severity] > RANK[paged.severity]


def _has_calmed_down(paged: IncidentSaid, said: IncidentSaid) -> bool:
    """Whether nobody need be awake for it any more. A call that merely becomes a page stays the alert it is."""
    return paged.severity in WAKES and said.severity not in WAKES
