"""Transcripts made up at random: legal and illegal, in order and out of it, from live and delayed sources.

They are drawn from a seed, so that hypothesis finds seeds and shrinks the number of events, and a plain loop covers
many. Beside them, whole floors under definitions that take any answer to any question.
"""

from collections.abc import Iterable
from contextlib import suppress
from random import Random

from hypothesis import strategies as st

from sla_engine._core.definition import Definition, DefinitionError
from tests.builders import (
    Event,
    accepted,
    agent,
    assigned,
    closed,
    customer,
    ms,
    offered,
    queued,
    transferred,
)
from tests.builders import left as customer_left
from tests.oracle.comparing import recorded
from tests.oracle.drawing import Floor
from tests.oracle.rules import SEASONS, Season, drawn_definition
from wire.conversation import Author, ClosedBy, LeftReason
from wire.recorded import Recorded

NINE = ms("07:59:40")
"""Twenty seconds before the window opens, so that some sessions start outside it."""
CONVERSATIONS = ("c1", "c2", "c3")
ACCOUNTS = ("anna", "ben")
QUEUES = ("presale", "aftersale")
LIMITS = (4_000, 5_000, 10_000, 20_000, 30_000, 600_000)
"""What definitions of the tests compare with: events are likely to lie exactly so far apart, or a millisecond off."""


class Drawn:
    """Events of a few conversations, one after another; times hover around what was drawn before."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.times = [NINE + 19_000, NINE + 60_000, NINE + 90_000, NINE + 200_000]

    def event(self) -> Event:
        rng = self.rng
        at = self._time()
        arrives = at + rng.choice((0, 0, 0, 0, 0, 500, 7_000, 60_000))
        source = rng.choice(("chat", "chat", "chat", "pbx"))
        c = rng.choice(CONVERSATIONS)
        voice = c == "c3"
        match rng.choice("ooqaaAcccccrrrrrtlx"):
            case "o":
                outbound = rng.random() < 0.1
                return offered(
                    at, c, rng.choice(QUEUES), voice=voice, outbound=outbound, arrives=arrives, source=source
                )
            case "q":
                return queued(at, c, rng.choice(QUEUES), arrives=arrives, source=source)
            case "a":
                return assigned(at, rng.choice(ACCOUNTS), c, arrives=arrives, source=source)
            case "A":
                return accepted(at, rng.choice(ACCOUNTS), c, arrives=arrives, source=source)
            case "c" if not voice:
                return customer(at, c, rng.choice((*QUEUES, "")), arrives=arrives, source=source)
            case "c" | "r":
                author = rng.choice((Author.HUMAN, Author.HUMAN, Author.ASSIST, Author.WELCOME))
                return agent(at, rng.choice((*ACCOUNTS, "")), c, author=author, arrives=arrives, source=source)
            case "t":
                to, queue = rng.choice(("", *ACCOUNTS)), rng.choice(("", "aftersale"))
                return transferred(at, c, queue=queue, account=to, arrives=arrives, source=source)
            case "l":
                return customer_left(at, c, rng.choice(list(LeftReason)), arrives=arrives, source=source)
        return closed(at, c, rng.choice(list(ClosedBy)), arrives=arrives, source=source)

    def _time(self) -> int:
        rng = self.rng
        near = rng.choice(self.times[-6:])
        away = rng.choice(
            (0, 1_000, 3_000, 4_999, rng.randrange(20_000), rng.choice(LIMITS) + rng.choice((-1, 0, 0, 1)))
        )
        at = max(NINE, near + rng.choice((1, 1, -1)) * away)
        self.times.append(at)
        return at


def drawn(seed: int, count: int) -> list[Event]:
    """`count` events from `seed`."""
    source = Drawn(Random(seed))
    return [source.event() for _ in range(count)]


def drawn_definitions(seed: int, count: int = 2) -> tuple[Season, list[Definition]]:
    """`count` definitions over every parameter, and the season they share; a contradiction is drawn again."""
    rng = Random(seed)
    season = rng.choice(SEASONS)
    found: list[Definition] = []
    while len(found) < count:
        with suppress(DefinitionError):
            found.append(drawn_definition(rng, f"drawn-{len(found) + 1}", season))
    return season, found


class DrawnLedger(list[Recorded]):
    """Entries that a failing test shows as what they were drawn from."""

    def __init__(self, entries: Iterable[Recorded], name: str) -> None:
        super().__init__(entries)
        self._name = name

    def __repr__(self) -> str:
        return self._name


def drawn_floor(seed: int, count: int = 2) -> DrawnLedger:
    """A ledger of a floor with its faults, presences, customers and clocks, under `count` random definitions."""
    rng = Random(seed)
    season, definitions = drawn_definitions(seed, count)
    starts = rng.sample(season.starts(), k=min(2, len(season.starts())))
    events = Floor(seed, starts).ledger(rng.choice((1, 2, 3)))
    return DrawnLedger(recorded(events, definitions), f"drawn_floor({seed}, {count})")


transcripts = st.builds(drawn, st.integers(0, 2**32), st.integers(1, 60))
definitions = st.integers(0, 2**32).map(lambda seed: drawn_definitions(seed)[1])
floors = st.builds(drawn_floor, st.integers(0, 2**32), st.integers(1, 3))
