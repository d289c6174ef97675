"""The vocabulary of transcripts.

Who did what at which time of day, when it came in, and what the engine made of it.

    play = transcript(customer("09:00:00"), agent("09:00:10"))
    assert play.session().verdict is Verdict.MET

Times are times of day in Shanghai on DAY ("09:00", "09:00:10", "09:00:10.001", "+1 00:30" for the day after).
Everything is about conversation "c1" on queue "presale" from source "chat" unless it says otherwise. `arrives` is
when it came in.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from sla_engine._core import contract as contracts
from sla_engine._core import definition as definitions
from sla_engine._core.contract import Contract, Settlement
from sla_engine._core.definition import Definition
from sla_engine._core.engine import Shard, new_shard, step
from sla_engine.definition_files import load_preset
from wire.body import Body
from wire.codec import KIND_OF
from wire.conversation import (
    Accepted,
    Activity,
    AgentTurn,
    Assigned,
    Author,
    Channel,
    Closed,
    ClosedBy,
    CustomerLeft,
    CustomerTurn,
    Direction,
    Form,
    LeftReason,
    NamedCustomerTurn,
    Offered,
    Presence,
    PresenceChanged,
    Queued,
    Transferred,
)
from wire.organisation import ContractSigned, DefinitionPublished, Relation, RosterLink
from wire.record import Clock, Feed, GapReason, Gone, SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded
from wire.verdict import Announcement, Fact, LegFact, LoadChange, ResponseFact, SessionFact

ZONE: Final = ZoneInfo("Asia/Shanghai")
DAY: Final = datetime(2026, 11, 2, tzinfo=ZONE)
PRESET: Final = load_preset("contract-10s")
HOUR_MS: Final = 3_600_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS: Final = timedelta(milliseconds=1)


class Event(NamedTuple):
    body: Body
    source: str
    received_at: int


def ms(time_of_day: str | int) -> int:
    """Ms since the epoch of a time of day; a number is one already."""
    if isinstance(time_of_day, int):
        return time_of_day
    days, _, clock_time = time_of_day.rpartition(" ")
    hours, minutes, *rest = clock_time.split(":")
    seconds, _, fraction = (rest[0] if rest else "0").partition(".")
    since = timedelta(
        days=int(days or 0),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        milliseconds=int(fraction.ljust(3, "0")),
    )
    return (DAY + since - _EPOCH) // _ONE_MS


def clock_time(at: int) -> str:
    """The other way: "09:00:10.001" in Shanghai."""
    return (_EPOCH + at * _ONE_MS).astimezone(ZONE).strftime("%H:%M:%S.%f")[:-3]


Head = tuple[int, int, str, int | None, bool, str]


def _event(body: Body, arrives: str | int | None, source: str) -> Event:
    return Event(body, source, ms(arrives) if arrives is not None else body.occurred_at)


def _head(at: str | int, key: str, resolution: int = 1) -> Head:
    return (ms(at), resolution, "chat", None, True, key)


def offered(
    at: str | int,
    c: str = "c1",
    queue: str = "presale",
    *,
    voice: bool = False,
    outbound: bool = False,
    arrives: str | int | None = None,
    source: str = "chat",
) -> Event:
    channel = Channel.VOICE if voice else Channel.CHAT
    direction = Direction.OUTBOUND if outbound else Direction.INBOUND
    return _event(Offered(*_head(at, c), c, queue, channel, direction), arrives, source)


def queued(
    at: str | int, c: str = "c1", queue: str = "presale", *, arrives: str | int | None = None, source: str = "chat"
) -> Event:
    return _event(Queued(*_head(at, c), c, queue), arrives, source)


def assigned(
    at: str | int, account: str = "anna", c: str = "c1", *, arrives: str | int | None = None, source: str = "chat"
) -> Event:
    return _event(Assigned(*_head(at, c), c, account), arrives, source)


def accepted(
    at: str | int, account: str = "anna", c: str = "c1", *, arrives: str | int | None = None, source: str = "chat"
) -> Event:
    return _event(Accepted(*_head(at, c), c, account), arrives, source)


def customer(
    at: str | int,
    c: str = "c1",
    queue: str = "presale",
    *,
    form: Form = Form.TEXT,
    resolution: int = 1,
    arrives: str | int | None = None,
    source: str = "chat",
    whose: str = "",
) -> Event:
    said = (*_head(at, c, resolution), c, form, queue)
    return _event(NamedCustomerTurn(*said, whose) if whose else CustomerTurn(*said), arrives, source)


def agent(
    at: str | int,
    account: str = "anna",
    c: str = "c1",
    *,
    author: Author = Author.HUMAN,
    resolution: int = 1,
    arrives: str | int | None = None,
    source: str = "chat",
) -> Event:
    return _event(AgentTurn(*_head(at, c, resolution), c, account, author), arrives, source)


def transferred(
    at: str | int,
    c: str = "c1",
    *,
    queue: str = "",
    account: str = "",
    arrives: str | int | None = None,
    source: str = "chat",
) -> Event:
    return _event(Transferred(*_head(at, c), c, queue, account), arrives, source)


def left(
    at: str | int,
    c: str = "c1",
    reason: LeftReason = LeftReason.HUNG_UP,
    *,
    arrives: str | int | None = None,
    source: str = "chat",
) -> Event:
    return _event(CustomerLeft(*_head(at, c), c, reason), arrives, source)


def closed(
    at: str | int,
    c: str = "c1",
    by: ClosedBy = ClosedBy.AGENT,
    *,
    arrives: str | int | None = None,
    source: str = "chat",
) -> Event:
    return _event(Closed(*_head(at, c), c, by), arrives, source)


def presence(
    at: str | int,
    account: str = "anna",
    state: Presence = Presence.READY,
    activity: Activity = Activity.IDLE,
    *,
    arrives: str | int | None = None,
    source: str = "chat",
) -> Event:
    return _event(PresenceChanged(*_head(at, account), account, state, activity), arrives, source)


def clock(at: str | int) -> Event:
    return _event(Clock(*_head(at, "")), None, "~clock")


def silent(at: str | int, source: str = "chat") -> Event:
    return _event(SourceSilent(*_head(at, ""), source, ms(at)), None, "~silence")


def back(at: str | int, source: str = "chat") -> Event:
    return _event(SourceBack(*_head(at, ""), source), None, "~silence")


def gone(at: str | int, count: int, since: str | int = 0, until: str | int = 0, source: str = "chat") -> Event:
    """A declared loss of `count` events, 0 = unknown; since, until: where the source knows the time."""
    span = (ms(since) if since else 0, ms(until) if until else 0)
    body = Gone(*_head(at, ""), source, bytes(16), 1, 1, "", count, GapReason.SOURCE_RESTARTED, *span)
    return _event(body, None, "~gap")


def declared(at: str | int, source: str = "chat", feed: Feed = Feed.LIVE) -> Event:
    return _event(SourceDeclared(*_head(at, ""), source, feed, "conversations"), None, "~sources")


def works(
    account: str, person: str, team: str, seat: str, site: str, *, since: str | int = 0, arrives: str | int = 0
) -> list[Event]:
    """The roster: `account` is `person` of `team` on `seat` at `site`."""
    links = [
        (Relation.PERSON_OF_ACCOUNT, account, person),
        (Relation.TEAM_OF_PERSON, person, team),
        (Relation.SEAT_OF_PERSON, person, seat),
        (Relation.SITE_OF_SEAT, seat, site),
    ]
    return [_event(RosterLink(*_head(0, ""), *link, ms(since)), arrives, "~roster") for link in links]


def published(definition: Definition = PRESET, *, arrives: str | int = 0) -> Event:
    document = definitions.canonical(definition)
    body = DefinitionPublished(*_head(0, ""), definition.name, definition.version, definition.effective_from, document)
    return _event(body, arrives, "~rules")


def contract(
    *names: str, queues: Sequence[str] = ("*",), since: str | int = 0, name: str = "acme-2026", until: str | None = None
) -> Contract:
    return Contract(
        name=name,
        client="acme",
        title="",
        effective_from=ms(since),
        effective_until=None if until is None else ms(until),
        queues=tuple(queues),
        definitions=names,
        settlement=Settlement.MONTH,
        running_in_until=None,
        attainment_target_bp=None,
    )


def signed(what: Contract | None = None, *, arrives: str | int = 0) -> Event:
    what = what or contract(PRESET.name)
    body = ContractSigned(*_head(0, ""), what.name, what.effective_from, contracts.canonical(what))
    return _event(body, arrives, "~rules")


def rules(*given: Definition, queues: Sequence[str] = ("*",)) -> list[Event]:
    """Definitions (the preset where none is given) and a contract that names them, in this order."""
    chosen = given or (PRESET,)
    names = dict.fromkeys(definition.name for definition in chosen)
    return [declared(0), *(published(definition) for definition in chosen), signed(contract(*names, queues=queues))]


def entries(events: Iterable[Event], *, first: int = 0) -> list[Recorded]:
    """Events as a ledger numbers them: in the order they came in."""
    ordered = sorted(events, key=lambda event: event.received_at)
    return [
        Recorded(index, received_at, source, bytes(16), index, *KIND_OF[type(body)], body)
        for index, (body, source, received_at) in enumerate(ordered, first)
    ]


class Play:
    """What the engine made of a transcript."""

    def __init__(self, shard: Shard, facts: list[Fact], announcements: list[Announcement]) -> None:
        self.shard = shard
        self.facts = facts
        self.announcements = announcements

    def sessions(self, c: str = "c1") -> list[SessionFact]:
        """The last word on each session that still counts, in order of definition and session."""
        return [fact for fact in self._last(SessionFact) if isinstance(fact, SessionFact) and fact.conversation == c]

    def session(self, c: str = "c1") -> SessionFact:
        """The last word on the one session there is."""
        (fact,) = self.sessions(c)
        return fact

    def said(self, c: str = "c1") -> list[SessionFact]:
        """Everything said of sessions, revisions included, in the order it was said."""
        return [fact for fact in self.facts if isinstance(fact, SessionFact) and fact.conversation == c]

    def turns(self, c: str = "c1") -> list[int | None]:
        """Durations in ms of the turns that count, None for one that was never answered."""
        last = self._last(ResponseFact)
        return [fact.duration_ms for fact in last if isinstance(fact, ResponseFact) and fact.conversation == c]

    def load(self) -> list[tuple[str, str, int]]:
        """(time of day, account, change) that are left when corrections have taken back what they take back."""
        net: dict[tuple[int, str], int] = {}
        for fact in self.facts:
            if isinstance(fact, LoadChange):
                net[fact.at, fact.account] = net.get((fact.at, fact.account), 0) + fact.change
        return [(clock_time(at), account, change) for (at, account), change in sorted(net.items()) if change]

    def _last(self, kind: type[SessionFact] | type[ResponseFact]) -> list[SessionFact | ResponseFact]:
        return [fact for _, fact in sorted(last_word(self.facts).items()) if type(fact) is kind and not fact.void]


def last_word(facts: Iterable[Fact]) -> dict[tuple[str, str, int, int], SessionFact | ResponseFact]:
    """Identity -> the judged fact with the highest revision. Asserts that no revision is said twice or skipped."""
    last: dict[tuple[str, str, int, int], SessionFact | ResponseFact] = {}
    for fact in facts:
        if isinstance(fact, LoadChange | LegFact):
            continue
        turn = fact.turn if isinstance(fact, ResponseFact) else -1
        key = (fact.conversation, fact.definition, fact.session, turn)
        assert fact.revision == (last[key].revision + 1 if key in last else 0), fact
        last[key] = fact
    return last


def transcript(
    *events: Event, definition: Definition = PRESET, given: Sequence[Event] | None = None, settled: bool = True
) -> Play:
    """Play events under a definition. settled: the clock then runs on for an hour, so that nothing is left to judge.

    given: what is in the ledger before, instead of `definition` and a contract for it.
    """
    before = list(given) if given is not None else rules(definition)
    all_events = [*before, *events]
    if settled:
        last = max(max(event.received_at, event.body.occurred_at) for event in all_events)
        all_events.append(_event(Clock(*_head(last + HOUR_MS, "")), None, "~clock"))
    shard = new_shard()
    facts: list[Fact] = []
    announcements: list[Announcement] = []
    for entry in entries(all_events):
        result = step(shard, [entry], entry.received_at)
        facts += result.facts
        announcements += result.announcements
    return Play(shard, facts, announcements)


def changed(definition: Definition = PRESET, **parameters: object) -> Definition:
    """A definition with other parameters."""
    return replace(definition, **parameters)
