"""The floor: customers, people who answer one after another, and what stands in their way."""

from random import Random
from typing import Final, NamedTuple

from wire.incident import Cause

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
LENGTH_MS: Final = 32 * MINUTE
STARTS_MS: Final = 22 * MINUTE
"""Long enough after the first customer that it is known what is usual."""
SITES: Final = ("north", "south")
SEATS: Final = 10
ROW: Final = 5
LIMIT_MS: Final = 10 * SECOND
NOTICED_MS: Final = 20 * SECOND
"""So late the platform notices that somebody cannot answer, and gives him nothing more."""
NOTICED_ALONE_MS: Final = 120 * SECOND
"""One person who does not answer is noticed later."""
ALONE: Final = frozenset({Cause.SEAT_DOWN, Cause.ACCOUNT_OFFLINE, Cause.AGENT_ABSENT})
LASTS_MS: Final = {
    Cause.UPLINK: 90 * SECOND,
    Cause.SITE_SILENT: 90 * SECOND,
    Cause.SITE_POWER: 90 * SECOND,
    Cause.PHONE_LINE: 240 * SECOND,
    Cause.SEAT_GROUP: 120 * SECOND,
    Cause.SEAT_DOWN: 300 * SECOND,
    Cause.PLATFORM: 60 * SECOND,
    Cause.ACCOUNT_OFFLINE: 300 * SECOND,
    Cause.FEED_GAP: 60 * SECOND,
    Cause.AGENT_ABSENT: 300 * SECOND,
    Cause.SATURATION: 60 * SECOND,
    Cause.SURGE: 180 * SECOND,
    Cause.NONE: 60 * SECOND,
}
FAILOVER_MS: Final = 12 * SECOND
_MEDIAN_S: Final = 1.4
"""Natural logarithm of four seconds."""
_SIGMA: Final = 0.4
_GAP_S: Final = 2.2
"""Between customers, on average: a person gets one in 44 seconds."""
_SURGE: Final = 6
_HEAP: Final = 14


class Person(NamedTuple):
    """One person, on one seat."""

    account: str
    seat: str
    site: str
    row: str


class Customer(NamedTuple):
    """One conversation. pick: draws who gets it. think_ms: how long the reply takes once somebody looks at it."""

    name: str
    at: int
    think_ms: int
    pick: float
    voice: bool
    to: str = ""


class Answer(NamedTuple):
    """What became of a conversation."""

    customer: Customer
    person: Person
    replied_at: int

    @property
    def missed(self) -> bool:
        """Whether it was late."""
        return self.replied_at - self.customer.at > LIMIT_MS


class Trouble(NamedTuple):
    """What is injected: a cause and where, within [since, until). line: one line of a site fails over."""

    cause: Cause
    since: int
    until: int
    site: str
    person: Person
    one_line: bool = False

    @property
    def impaired_until(self) -> int:
        """When people can work again."""
        return self.since + FAILOVER_MS if self.one_line else self.until


def people() -> list[Person]:
    """Everybody, site by site and row by row."""
    return [Person(f"a-{site}-{n}", f"s-{site}-{n}", site, f"r{n // ROW}") for site in SITES for n in range(SEATS)]


def customers(random: Random) -> list[Customer]:
    """Half an hour of them."""
    found: list[Customer] = []
    at = 0.0
    while at < LENGTH_MS / SECOND:
        at += random.expovariate(1 / _GAP_S)
        found.append(_customer(random, f"c{len(found)}", round(at * SECOND)))
    return found


def extra(random: Random, trouble: Trouble) -> list[Customer]:
    """Those who only come with the trouble: a wave, or a heap on one desk."""
    if trouble.cause is Cause.SURGE:
        count = round(_SURGE * (trouble.until - trouble.since) / SECOND / _GAP_S)
        ats = sorted(random.randrange(trouble.since, trouble.until) for _ in range(count))
        return [_customer(random, f"x{number}", at) for number, at in enumerate(ats)]
    if trouble.cause is Cause.SATURATION:
        heap = [_customer(random, f"x{number}", trouble.since + number * 300) for number in range(_HEAP)]
        return [each._replace(to=trouble.person.account, voice=False) for each in heap]
    return []


def draw_trouble(random: Random, cause: Cause, *, one_line: bool = False) -> Trouble:
    """Where and when it strikes."""
    since = STARTS_MS + random.randrange(30 * SECOND)
    person = random.choice(people())
    lasts_ms = LASTS_MS[cause]
    return Trouble(cause, since, since + lasts_ms, person.site, person, one_line)


def answers(everybody: list[Customer], trouble: Trouble | None) -> list[Answer]:
    """Who answered whom and when. A person answers one customer after another, in the order they came."""
    staff = people()
    busy = dict.fromkeys((person.account for person in staff), 0)
    found = []
    for customer in sorted(everybody, key=lambda each: each.at):
        person = _assign(customer, staff, trouble)
        begins = max(customer.at, busy[person.account])
        paused = trouble is not None and is_hit(trouble, person, customer)
        replied_at = begins + customer.think_ms
        if paused and trouble is not None:
            replied_at = _work(begins, customer.think_ms, trouble.since, trouble.impaired_until)
        if not (paused and trouble is not None and trouble.cause in {Cause.PLATFORM, Cause.PHONE_LINE}):
            busy[person.account] = replied_at  # who cannot reach one customer goes on with the next one
        found.append(Answer(customer, person, replied_at))
    return found


def is_hit(trouble: Trouble, person: Person, customer: Customer) -> bool:
    """Whether the trouble keeps this person from answering this customer."""
    match trouble.cause:
        case Cause.SITE_POWER | Cause.UPLINK | Cause.SITE_SILENT:
            return person.site == trouble.site
        case Cause.SEAT_GROUP:
            return (person.site, person.row) == (trouble.site, trouble.person.row)
        case Cause.SEAT_DOWN | Cause.ACCOUNT_OFFLINE | Cause.AGENT_ABSENT:
            return person == trouble.person
        case Cause.PHONE_LINE:
            return customer.voice and person.site == trouble.site
        case Cause.PLATFORM:
            return not customer.voice
        case _:
            return False


def _assign(customer: Customer, staff: list[Person], trouble: Trouble | None) -> Person:
    if customer.to:
        return next(person for person in staff if person.account == customer.to)
    first = staff[int(customer.pick * len(staff))]
    if trouble is None or not _is_known_away(trouble, first, customer):
        return first
    ready = [person for person in staff if not _is_known_away(trouble, person, customer)]
    return ready[int(customer.think_ms % len(ready))] if ready else first


def _is_known_away(trouble: Trouble, person: Person, customer: Customer) -> bool:
    """Whether the platform has noticed. It gives chats to people whom only the platform itself keeps from answering."""
    if trouble.cause is Cause.PLATFORM or trouble.cause is Cause.PHONE_LINE or trouble.one_line:
        return False
    noticed_ms = NOTICED_ALONE_MS if trouble.cause in ALONE else NOTICED_MS
    return is_hit(trouble, person, customer) and trouble.since + noticed_ms <= customer.at < trouble.until


def _work(begins: int, takes_ms: int, since: int, until: int) -> int:
    """When work is done that rests within [since, until)."""
    if begins + takes_ms <= since or begins >= until:
        return begins + takes_ms
    done_ms = max(0, since - begins)
    return until + takes_ms - done_ms


def _customer(random: Random, name: str, at: int) -> Customer:
    think_ms = min(round(random.lognormvariate(_MEDIAN_S, _SIGMA) * SECOND), 40 * SECOND)
    return Customer(name, at, think_ms, random.random(), voice=random.random() < 0.2)
