"""Transcripts made up at random: legal and illegal, in order and out of it, from live and delayed sources.

They are drawn from a seed, so that hypothesis finds seeds and shrinks the number of events, and a plain loop covers
many.
"""

from random import Random

from hypothesis import strategies as st

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
from wire.conversation import Author, ClosedBy, LeftReason

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
                return customer(at, c, rng.choice(QUEUES), arrives=arrives, source=source)
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


transcripts = st.builds(drawn, st.integers(0, 2**32), st.integers(1, 60))
