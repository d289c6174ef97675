"""Ledgers made up at random: a floor's ordinary conversations around awkward instants, and what goes wrong on the way.

Everything is drawn from a seed. Nothing here is judged.
"""

from collections.abc import Iterator, Sequence
from random import Random

from msgspec.structs import replace

from tests.builders import (
    Event,
    accepted,
    agent,
    assigned,
    back,
    clock,
    closed,
    customer,
    declared,
    left,
    offered,
    queued,
    silent,
    transferred,
    works,
)
from wire.body import Body
from wire.conversation import (
    AgentTurn,
    Author,
    ClosedBy,
    CustomerTurn,
    Form,
    LeftReason,
    NamedCustomerTurn,
    Offered,
    Presence,
    PresenceChanged,
    Queued,
    Transferred,
)
from wire.record import Feed, SourceDeclared

SECOND = 1_000
HOUR = 3_600 * SECOND
ACCOUNTS = ("anna", "ben", "carl")
QUEUES = ("presale", "aftersale")
SOURCES = {"chat": 0, "crm": 700, "pbx": -1_300}
"""Source -> how far its clock is ahead. `pbx` tells late; each has a clock domain of its own."""
LEAST_DELAY = 50
WAITS = (1, 999, 1_000, 3_000, 5_000, 8_000, 12_000, 20_000, 45_000, 200_000)
LIMITS = (4_000, 5_000, 10_000, 15_000, 20_000, 30_000, 180_000, 600_000)
FORMS = (Form.TEXT,) * 8 + (Form.CARD, Form.ORDER_CARD, Form.MEDIA, Form.EDIT, Form.CLOSING, Form.CLOSING)
AUTHORS = (Author.HUMAN,) * 8 + (Author.ASSIST, Author.BOT, Author.WELCOME, Author.NOTE)
FIRST = "first-"
"""Begins the names of conversations that only make every source known on every queue."""
ALWAYS = 1_000
"""More events than a conversation has: it names no queue at all."""
SETTLED_AFTER = 16 * HOUR


class Floor:
    """One made-up stretch of time.

    starts: instants near which conversations begin. queues: whether sources tell what enters the queue of people, and
    whether that is known from the beginning (E1). named: customers are named in what they write as well. odd: with what
    is rare on a floor, see `oddities`.
    """

    def __init__(self, seed: int, starts: Sequence[int], *, odd: bool = False) -> None:
        self.rng = Random(seed)
        self.odd = Random(f"oddities of {seed}") if odd else None
        self.queues = Random(f"queues of {seed}").choice(("known", "known", "told", "never told"))
        self.named = Random(f"names in turns of {seed}").choice((False, False, True))
        self.starts = starts
        self.events: list[Event] = []

    def ledger(self, conversations: int) -> list[Event]:
        """Presence, conversations with their faults, and clock entries until all is settled."""
        begin = min(self.starts) - HOUR
        self.events = [event for source in SOURCES for event in self._known(source, begin)]
        self._presence(begin)
        for number in range(conversations):
            self._spoil(self._conversation(f"c{number + 1}"))
        if self.odd is not None:
            self.events = [*oddities(self.odd, self.events, self.starts)]
        last = max(event.received_at for event in self.events)
        ticks = [clock(at) for at in range(min(self.starts), last, 7 * 60 * SECOND)]
        return [*self.events, *ticks, silent(last + 1, "pbx"), clock(last + SETTLED_AFTER)]

    def _known(self, source: str, at: int) -> list[Event]:
        """Every source is heard on every queue, as quickly as it ever is."""
        told = [offered(at + number, f"{FIRST}{source}-{queue}", queue) for number, queue in enumerate(QUEUES)]
        ends = [closed(at + 2 * SECOND, event.body.shard_key) for event in told]
        if self.queues == "known":
            told += [queued(at + SECOND, f"{FIRST}{source}-{queue}", queue) for queue in QUEUES]
        feed = Feed.DELAYED if source == "pbx" else Feed.LIVE
        return [declared(0, source, feed), *(self._from(source, event, LEAST_DELAY) for event in [*told, *ends])]

    def _presence(self, begin: int) -> None:
        """Some floors say who is there, most of the time somebody is."""
        if self.rng.random() < 0.4:
            return
        for start in [begin, *self.starts]:
            for account in ACCOUNTS:
                if self.rng.random() < 0.6:
                    presence = self.rng.choice((Presence.READY, Presence.ON_BREAK, Presence.OFFLINE))
                    at = start + self.rng.choice((-60, -1, 0, 1, 3)) * SECOND
                    body = PresenceChanged(at, 1, "chat", None, True, "", account, presence)
                    self.events.append(Event(body, "chat", at + LEAST_DELAY))

    def _conversation(self, c: str) -> list[Event]:
        rng = self.rng
        at = rng.choice(self.starts) + rng.choice((-20_000, -5_000, -1, 0, 1, 0, rng.randrange(60_000)))
        voice = rng.random() < 0.15
        silence = rng.choice((0, 0, 0, 0, 1, 2, 4, ALWAYS))
        told: list[Event] = []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            at = self._opening(told, c, at, voice=voice)
            for _ in range(rng.choice((0, 1, 2, 4, 6))):
                at = self._something(told, c, at, voice=voice)
            at += self._wait()
            end = rng.random()
            if end < 0.45:
                told.append(closed(at, c, rng.choice(list(ClosedBy))))
            elif end < 0.75:
                told.append(left(at, c, rng.choice(list(LeftReason))))
            elif end < 0.9:
                break
            if rng.random() < 0.3:
                told.append(agent(at + self._wait(), rng.choice(ACCOUNTS), c))
            at += rng.choice((0, 1, 3_000, 20_000, 20_001, 599_999, 600_000, 600_001, 900_000))
        return [*_without_queues(told[:silence]), *told[silence:]]

    def _opening(self, told: list[Event], c: str, at: int, *, voice: bool) -> int:
        rng = self.rng
        queue = rng.choice(QUEUES)
        if voice or rng.random() < 0.5:
            told.append(offered(at, c, queue, voice=voice, outbound=rng.random() < 0.1))
            at += self._wait(short=True)
        if not voice:
            told.append(customer(at, c, queue, form=rng.choice(FORMS[:-3]), resolution=rng.choice((1, 1, 1_000))))
            at += self._wait(short=True)
        if rng.random() < 0.3:
            told.append(agent(at, "robot", c, author=rng.choice((Author.WELCOME, Author.BOT, Author.ASSIST))))
            at += self._wait(short=True)
        if rng.random() < 0.5:
            told.append(queued(at, c, queue))
            at += self._wait(short=True)
        if rng.random() < 0.7:
            told.append(assigned(at, rng.choice(ACCOUNTS), c))
            at += self._wait(short=True)
        return at

    def _something(self, told: list[Event], c: str, at: int, *, voice: bool) -> int:
        rng = self.rng
        at += self._wait()
        queue = rng.choice(QUEUES)
        match rng.choice("cccrrrrrhtqaA"):
            case "c" if not voice:
                told.append(customer(at, c, queue, form=rng.choice(FORMS), resolution=rng.choice((1, 1, 1_000))))
            case "c" | "r":
                author = rng.choice(AUTHORS)
                account = rng.choice((*ACCOUNTS, "")) if author is Author.HUMAN else "robot"
                told.append(agent(at, account, c, author=author, resolution=rng.choice((1, 1, 1_000))))
            case "h":
                told.append(transferred(at, c, account=rng.choice(ACCOUNTS)))
            case "t":
                told.append(transferred(at, c, queue=queue))
            case "q":
                told.append(queued(at, c, queue))
            case "a":
                told.append(assigned(at, rng.choice(ACCOUNTS), c))
            case _:
                told.append(accepted(at, rng.choice(ACCOUNTS), c))
        return at

    def _wait(self, *, short: bool = False) -> int:
        if short:
            return self.rng.choice((0, 1, 400, 1_000, 2_000))
        if self.rng.random() < 0.4:
            return self.rng.choice(LIMITS) + self.rng.choice((-1, 0, 0, 1))
        return self.rng.choice(WAITS)

    def _spoil(self, told: list[Event]) -> None:
        """Sources tell it: late, twice, in another order, or not at all."""
        rng = self.rng
        source = rng.choice(("chat", "chat", "crm", "pbx"))
        customer_id = rng.choice(("", "k7", "k9"))
        for event in told:
            if self.queues == "never told" and isinstance(event.body, Queued):
                continue
            by = source if rng.random() < 0.85 else rng.choice(tuple(SOURCES))
            if rng.random() < 0.03:
                continue
            body = event.body
            if isinstance(body, Offered):
                event = event._replace(body=replace(body, customer=customer_id))  # noqa: PLW2901 - the same event
            elif self.named and isinstance(body, CustomerTurn):
                fields = {name: getattr(body, name) for name in CustomerTurn.__struct_fields__}
                event = event._replace(body=NamedCustomerTurn(**fields, customer=customer_id))  # noqa: PLW2901 - the same event
            delay = LEAST_DELAY + rng.choice((0, 0, 0, 0, 300, 2_000, 60_000, HOUR))
            self.events.append(self._from(by, event, delay))
            if rng.random() < 0.06:
                self.events.append(self._from(by, event, delay + rng.choice((1, 5_000))))

    def _from(self, source: str, event: Event, delay: int) -> Event:
        at = event.body.occurred_at
        body = replace(event.body, occurred_at=at + SOURCES[source], clock=source)
        return Event(body, source, at + delay)


def oddities(rng: Random, events: Sequence[Event], starts: Sequence[int]) -> Iterator[Event]:
    """The same with what is rare.

    Calls and recalls in a chat, system messages, campaigns, hand-overs that name a queue, a source that falls silent,
    one that delivers once a day, people who change team, a conversation of hundreds of turns.
    """
    daily = rng.random() < 0.3
    for event in events:
        yield event._replace(body=_odd(rng, event.body, daily=daily))
    if rng.random() < 0.5:
        at = rng.choice(starts) + rng.choice((-1_000, 0, 5_000, 60_000))
        yield from (silent(at, "crm"), back(at + rng.choice((1, 20_000, 600_000)), "crm"))
    if rng.random() < 0.5:
        at = rng.choice(starts) + rng.choice((0, 5_000, 30_000))
        yield from works("anna", "wang", "green", "seat-3", "east", since=at)
    if rng.random() < 0.2:
        at = rng.choice(starts)
        for number in range(rng.randrange(200, 400)):
            at += rng.choice((1, 1_000, 9_999, 10_000, 10_001))
            answers = number > 0 and rng.random() < 0.5
            told = agent(at, "ben", "long") if answers else customer(at, "long", rng.choice(QUEUES))
            yield told._replace(received_at=at + LEAST_DELAY)


def _odd(rng: Random, body: Body, *, daily: bool) -> Body:
    match body:
        case CustomerTurn() if rng.random() < 0.1:
            return replace(body, form=rng.choice((Form.CALL, Form.RECALL, Form.EDIT, Form.CLOSING)))
        case AgentTurn() if rng.random() < 0.1:
            return replace(body, author=rng.choice((Author.SYSTEM, Author.CAMPAIGN, Author.NOTE, Author.WELCOME)))
        case Transferred() if rng.random() < 0.5:
            return replace(body, queue=rng.choice((*QUEUES, "")), account=rng.choice((*ACCOUNTS, "")))
        case SourceDeclared() if daily and body.feed is Feed.DELAYED:
            return replace(body, feed=Feed.DAILY)
        case _:
            return body


def _without_queues(told: Sequence[Event]) -> Iterator[Event]:
    """The same by a source that does not know the queue: it tells of no offer, and messages name none."""
    for event in told:
        if isinstance(event.body, CustomerTurn | Transferred):
            yield event._replace(body=replace(event.body, queue=""))
        elif not isinstance(event.body, Offered | Queued):
            yield event


def roster() -> list[Event]:
    """Two of three accounts belong to somebody."""
    return [*works("anna", "wang", "red", "seat-1", "north"), *works("ben", "li", "blue", "seat-2", "south")]


def in_floor_words(event: Event) -> str:
    """One line: when, which conversation, what, and when it came in where that matters."""
    body = event.body
    fields = {
        name: getattr(body, name)
        for name in body.__struct_fields__
        if name not in {"occurred_at", "resolution_ms", "clock", "monotonic_ms", "synced", "shard_key", "conversation"}
    }
    shown = " ".join(f"{name}={value}" for name, value in fields.items() if value not in {"", None})
    if isinstance(body, CustomerTurn) and body.resolution_ms > 1:
        shown += f" resolution_ms={body.resolution_ms}"
    who = getattr(body, "conversation", "")
    return f"{body.occurred_at} {who} {type(body).__name__} {shown} by {event.source}, in at {event.received_at}"
