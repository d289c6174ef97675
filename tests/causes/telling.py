"""What probes, the hub and the chat platform would tell of a floor: the entries of two ledgers."""

from collections.abc import Iterable
from typing import Any, Final

from sla_engine._core.sites import fold_sites, new_sites
from tests.builders import (
    Event,
    agent,
    assigned,
    back,
    clock,
    closed,
    customer,
    entries,
    ms,
    offered,
    queued,
    rules,
    silent,
)
from tests.causes.floor import FAILOVER_MS, MINUTE, NOTICED_MS, SECOND, SITES, Answer, Person, Trouble, people
from tests.sla_engine.entries import Log, head
from tests.sla_engine.site_limits import LIMITS
from wire.body import Body
from wire.conversation import Presence, PresenceChanged
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading
from wire.incident import Cause, IncidentSaid
from wire.organisation import Relation, RosterLink
from wire.phone import PhoneLineReading, TrunkState
from wire.record import SourceBack, SourceSilent
from wire.recorded import Recorded
from wire.seat import PlatformReading
from wire.uplink import Failover, FailoverOf, LineReading, LineReason, LineState

OPENS: Final = ms("10:00")
SEAT_BEAT_MS: Final = 5 * SECOND
GATEWAY_BEAT_MS: Final = 2 * SECOND
MISSED: Final = 3
DARK: Final = frozenset({Cause.SITE_POWER, Cause.UPLINK, Cause.SITE_SILENT, Cause.SEAT_GROUP, Cause.SEAT_DOWN})
CUT_OFF: Final = frozenset({Cause.UPLINK, Cause.SITE_SILENT})
"""The gateway is not heard either."""


def roster() -> list[Event]:
    """Who sits where, for whom."""
    links = []
    for person in people():
        links += [
            (Relation.PERSON_OF_ACCOUNT, person.account, f"p-{person.account}", {"client": "acme"}),
            (Relation.SEAT_OF_PERSON, f"p-{person.account}", person.seat, {}),
            (Relation.SITE_OF_SEAT, person.seat, person.site, {"row": person.row}),
        ]
    return [
        Event(
            RosterLink(
                **head(0), relation=relation, subject=subject, target=target, effective_from=0, attributes=attributes
            ),
            "~roster",
            0,
        )
        for relation, subject, target, attributes in links
    ]


def client_entries(answered: Iterable[Answer], trouble: Trouble, incidents: Iterable[IncidentSaid]) -> list[Recorded]:
    """A client's ledger: conversations, presences, silences of the feed, copies of incidents."""
    events = [*rules(), *roster(), *(_presence(person, 0, Presence.READY) for person in people())]
    for each in answered:
        events += _conversation(each, trouble)
    events += _presences(trouble)
    if trouble.cause is Cause.FEED_GAP:
        heard, again = OPENS + trouble.since, OPENS + trouble.until
        events += [silent(heard), back(again)]
    events += [Event(said, "~incident", said.occurred_at) for said in incidents]
    last = max(event.received_at for event in events)
    return entries([*events, clock(last + 2 * MINUTE)])


def _conversation(each: Answer, trouble: Trouble) -> list[Event]:
    """One conversation as the platform tells it. What happened while the feed was silent was never told."""
    name, at = each.customer.name, OPENS + each.customer.at
    replied_at = OPENS + told_reply(each, trouble)
    if trouble.cause is Cause.FEED_GAP and trouble.since <= each.customer.at < trouble.until:
        return []
    account = each.person.account
    return [
        offered(at, name, voice=each.customer.voice),
        queued(at, name),
        customer(at, name),
        assigned(at + 1, account, name),
        agent(replied_at, account, name),
        closed(replied_at + SECOND, name),
    ]


def told_reply(each: Answer, trouble: Trouble) -> int:
    """When the first reply that is told of was given: after a gap, the person's next message."""
    if trouble.cause is Cause.FEED_GAP and trouble.since <= each.replied_at < trouble.until:
        return trouble.until + each.customer.think_ms % (4 * SECOND)
    return each.replied_at


def _presence(person: Person, at: int, presence: Presence) -> Event:
    body = PresenceChanged(**head(OPENS + at), account=person.account, presence=presence)
    return Event(body, "chat", OPENS + at)


def _presences(trouble: Trouble) -> list[Event]:
    """A person who goes on a break says so; whom the platform loses it shows as offline once it notices."""
    if trouble.cause is Cause.AGENT_ABSENT:
        away, since = Presence.ON_BREAK, trouble.since
        whose = [trouble.person]
    elif trouble.cause is Cause.ACCOUNT_OFFLINE:
        away, since = Presence.OFFLINE, trouble.since + 2 * SECOND
        whose = [trouble.person]
    elif trouble.cause in DARK and not trouble.one_line:
        away, since = Presence.OFFLINE, trouble.since + NOTICED_MS
        whose = [person for person in people() if _is_dark(trouble, person)]
    else:
        return []
    return [
        event
        for person in whose
        for event in (_presence(person, since, away), _presence(person, trouble.until, Presence.READY))
    ]


def _is_dark(trouble: Trouble, person: Person) -> bool:
    if trouble.cause is Cause.SEAT_DOWN:
        return person == trouble.person
    if trouble.cause is Cause.SEAT_GROUP:
        return (person.site, person.row) == (trouble.site, trouble.person.row)
    return person.site == trouble.site


def incidents_of(trouble: Trouble) -> list[IncidentSaid]:
    """What the hub makes of what probes tell: by the fold that ships."""
    events = sorted(_operator_events(trouble), key=lambda event: event.received_at)
    state = new_sites(LIMITS)
    fold_sites(state, entries([*roster(), *events]))
    return state.unsaid


def _operator_events(trouble: Trouble) -> list[Event]:
    log: list[Event] = []
    for site in SITES:
        dark = trouble.cause in CUT_OFF and not trouble.one_line and trouble.site == site
        log += _beats(f"{site}/gate", site, "", GATEWAY_BEAT_MS, trouble, dark=dark)
        log += _lines(site, trouble)
        mains = _told(f"{site}/gate", 0, UpsReading, site=site, ups="rack", power=Power.MAINS, comms=Comms.OK)
        log.append(mains)
    for person in people():
        dark = trouble.cause in DARK and not trouble.one_line and _is_dark(trouble, person)
        log += _beats(person.seat, person.site, person.seat, SEAT_BEAT_MS, trouble, dark=dark)
        log.append(_platform(person, 10 * SECOND))
    log += _particular(trouble)
    ends = trouble.until + 2 * MINUTE
    log += [Event(body, "~clock", body.occurred_at) for body in _clocks(trouble.since, ends)]
    return log


def _clocks(since: int, until: int) -> list[Body]:
    log = Log()
    found = [log.clock(OPENS + at).body for at in range(since // SECOND * SECOND, until, SECOND)]
    return [body for body in found if body is not None]


def _beats(source: str, site: str, seat: str, every_ms: int, trouble: Trouble, *, dark: bool) -> list[Event]:
    """Beats around the trouble, each source a little off the others; a silence and its end where it is dark."""
    phase = sum(source.encode()) * 37 % every_ms
    role = Role.SEAT if seat else Role.GATEWAY
    found = []
    last = 0
    is_silent = False
    first = trouble.since - 30 * SECOND
    for at in (0, *range(first - first % every_ms + phase, trouble.until + 60 * SECOND, every_ms)):
        if dark and trouble.since <= at < trouble.until:
            if not is_silent and at - last >= MISSED * every_ms:
                body = SourceSilent(**head(OPENS + at), about_source=source, heard_at=OPENS + last)
                found.append(Event(body, "~silence", OPENS + at))
                is_silent = True
            continue
        if is_silent:
            is_silent = False
            found.append(Event(SourceBack(**head(OPENS + at), about_source=source), "~silence", OPENS + at))
        last = at
        found.append(_told(source, at, Heartbeat, site=site, seat=seat, role=role, interval_ms=every_ms, uptime_ms=1))
    return found


def _lines(site: str, trouble: Trouble) -> list[Event]:
    source = f"{site}/gate"

    def reading(at: int, line: str, state: LineState, **more: Any) -> Event:
        fields: dict[str, Any] = {
            "site": site,
            "line": line,
            "carrier": line,
            "state": state,
            "reason": LineReason.OK,
        } | more
        return _told(source, at, LineReading, **fields)

    found = [
        reading(0, "telecom", LineState.UP, is_default_route=True),
        reading(0, "unicom", LineState.UP, is_default_route=False),
    ]
    if trouble.one_line and trouble.site == site:
        moved_at = trouble.since + FAILOVER_MS
        failover: dict[str, Any] = {
            "of": FailoverOf.ROUTE,
            "from_line": "telecom",
            "to_line": "unicom",
            "cause": LineReason.NO_INTERNET,
            "duration_ms": FAILOVER_MS,
        }
        found += [
            reading(trouble.since + 3 * SECOND, "telecom", LineState.DOWN, first_bad_at=OPENS + trouble.since),
            _told(source, moved_at, Failover, site=site, **failover),
            reading(trouble.until, "telecom", LineState.UP, is_default_route=True),
        ]
    elif trouble.cause is Cause.UPLINK and trouble.site == site:
        # nobody hears of it until the lines are back: the gateway sends it after its snapshot
        for line in ("telecom", "unicom"):
            down = reading(trouble.since + 3 * SECOND, line, LineState.DOWN, first_bad_at=OPENS + trouble.since)
            found.append(down._replace(received_at=OPENS + trouble.until + 10 * SECOND))
    return found


def _particular(trouble: Trouble) -> list[Event]:
    """What only this kind of trouble makes a probe say."""
    source, site = f"{trouble.site}/gate", trouble.site
    since, until = trouble.since, trouble.until
    match trouble.cause:
        case Cause.SITE_POWER:
            ups: dict[str, Any] = {"site": site, "ups": "rack", "comms": Comms.OK}
            return [
                _told(source, since + SECOND, UpsReading, power=Power.BATTERY, since_ms=SECOND, **ups),
                _told(source, until, UpsReading, power=Power.MAINS, **ups),
            ]
        case Cause.PHONE_LINE:
            trunk: dict[str, Any] = {"site": site, "phone_line": "trunk"}
            late = 10 * SECOND
            return [
                _told(source, 0, PhoneLineReading, state=TrunkState.REACHABLE, **trunk),
                _told(source, since + late, PhoneLineReading, state=TrunkState.UNREACHABLE, since_ms=late, **trunk),
                _told(source, until, PhoneLineReading, state=TrunkState.REACHABLE, **trunk),
            ]
        case Cause.PLATFORM:
            return [
                event
                for person in people()
                for event in (
                    _platform(person, since + 3 * SECOND, is_reachable=False, since_ms=3 * SECOND),
                    _platform(person, until),
                )
            ]
        case Cause.ACCOUNT_OFFLINE:
            return [
                _platform(trouble.person, since + 2 * SECOND, is_running=False, since_ms=2 * SECOND),
                _platform(trouble.person, until),
            ]
        case _:
            return []


def _platform(
    person: Person, at: int, *, is_reachable: bool = True, is_running: bool = True, since_ms: int = 0
) -> Event:
    return _told(
        person.seat,
        at,
        PlatformReading,
        site=person.site,
        seat=person.seat,
        platform="qianniu",
        is_reachable=is_reachable,
        is_running=is_running,
        since_ms=since_ms,
    )


def _told(source: str, at: int, body: type[Body], **fields: Any) -> Event:
    return Event(body(**head(OPENS + at), **fields), source, OPENS + at)
