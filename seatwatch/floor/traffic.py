"""Customers and people of a simulated floor as a seeded discrete-event model: `advance(now)` gives what happened.

Conversations arrive at random, are assigned to a person with a free window, get replies after a human think time, go
on for a few turns and close; customers who wait too long leave. A person whose site is cut off cannot reply, and the
platform goes on assigning to them until their windows are full: that is the point.
"""

import heapq
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

import msgspec

from seatwatch.floor.plan import FloorPlan, Person
from wire.body import Body
from wire.conversation import (
    Activity,
    AgentTurn,
    Assigned,
    Channel,
    Closed,
    CustomerLeft,
    CustomerTurn,
    LeftReason,
    Offered,
    Presence,
    PresenceChanged,
)


class Habits(msgspec.Struct, frozen=True):
    """How the simulated people behave. All times in ms; rates in conversations per second and client.

    windows: conversations one person serves at once. think_median_ms: median time to type a reply; think_least_ms: the
    shortest. patience_least_ms: nobody leaves sooner. caught_up_ms: what a site that was cut off had ready goes out
    within so long after it is back, and none of it before caught_up_first_ms.
    """

    arrivals_per_s: float
    surge_factor: float
    windows: int
    think_median_ms: int
    think_sigma: float
    think_least_ms: int
    customer_pause_ms: int
    customer_pause_least_ms: int
    patience_ms: int
    patience_least_ms: int
    caught_up_first_ms: int
    caught_up_ms: int
    turns_max: int


class Happened(NamedTuple):
    """One event and whose ledger it belongs to."""

    client: str
    body: Body


class _Talk:
    """A conversation under way."""

    __slots__ = ("answered", "client", "id", "person", "queue", "turns_left", "waiting")

    def __init__(self, name: str, client: str, queue: str, turns: int) -> None:
        self.id = name
        self.client = client
        self.queue = queue
        self.person: Person | None = None
        self.turns_left = turns
        self.answered = False
        self.waiting = True


class Traffic:
    """The model. Deterministic for a seed and a sequence of calls; times are whatever epoch `start_ms` is in."""

    def __init__(self, plan: FloorPlan, habits: Habits, *, seed: int, start_ms: int) -> None:
        self._plan = plan
        self._habits = habits
        self._random = Random(seed)  # noqa: S311 - a simulation wants a seeded one
        self._run = f"{start_ms:x}"
        self._agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = 0
        self._out: list[Happened] = []
        self._number = 0
        self._surge_until = start_ms
        self._load: dict[str, int] = {person.account: 0 for person in plan.people}
        self._queues: dict[str, deque[_Talk]] = {client: deque() for client in plan.queues}
        self._cut: set[str] = set()
        self._held: dict[str, list[Callable[[int], None]]] = {site: [] for site in plan.sites}
        for person in plan.people:
            self._at(start_ms, partial(self._presence, person))
        for client in plan.queues:
            self._at(start_ms + self._gap_ms(start_ms), partial(self._arrive, client))

    def advance(self, now_ms: int) -> list[Happened]:
        """Everything that happened up to `now_ms`, in order of time."""
        while self._agenda and self._agenda[0][0] <= now_ms:
            at, _, act = heapq.heappop(self._agenda)
            act(at)
        happened, self._out = self._out, []
        return happened

    def surge(self, until_ms: int) -> None:
        """Customers arrive `surge_factor` times as often until then."""
        self._surge_until = until_ms

    def cut(self, site: str) -> None:
        """The people of `site` cannot reach anyone any more."""
        self._cut.add(site)

    def mend(self, site: str, now_ms: int) -> None:
        """They can again; what they had ready goes out now."""
        self._cut.discard(site)
        held, self._held[site] = self._held[site], []
        habits = self._habits
        for act in held:
            self._at(now_ms + self._random.randrange(habits.caught_up_first_ms, habits.caught_up_ms), act)
        for client in self._queues:
            self._assign(client, now_ms)

    def _at(self, when_ms: int, act: Callable[[int], None]) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (when_ms, self._order, act))

    def _tell(self, client: str, body: Body) -> None:
        self._out.append(Happened(client, body))

    def _gap_ms(self, now_ms: int) -> int:
        rate = self._habits.arrivals_per_s * (self._habits.surge_factor if now_ms < self._surge_until else 1)
        return max(1, int(self._random.expovariate(rate) * 1000))

    def _presence(self, person: Person, now: int) -> None:
        head = (now, 1, f"chat/{person.client}", None, True, "")
        self._tell(person.client, PresenceChanged(*head, person.account, Presence.READY, Activity.IDLE))

    def _arrive(self, client: str, now: int) -> None:
        self._number += 1
        talk = _Talk(
            f"{client}-{self._run}-{self._number}",
            client,
            self._random.choice(self._plan.queues[client]),
            self._random.randrange(1, self._habits.turns_max + 1),
        )
        customer = f"customer-{self._number}"
        head = (now, 1, f"chat/{client}", None, True, customer)
        self._tell(client, Offered(*head, talk.id, talk.queue, Channel.CHAT, customer=customer, customer_key="demo"))
        self._tell(client, CustomerTurn(*head, talk.id))
        self._queues[client].append(talk)
        patience = int(self._random.expovariate(1 / self._habits.patience_ms))
        self._at(now + max(patience, self._habits.patience_least_ms), partial(self._leave, talk))
        self._assign(client, now)
        self._at(now + self._gap_ms(now), partial(self._arrive, client))

    def _assign(self, client: str, now: int) -> None:
        waiting = self._queues[client]
        while waiting:
            free = [
                person
                for person in self._plan.people
                if person.client == client and self._load[person.account] < self._habits.windows
            ]
            if not free:
                return
            talk = waiting.popleft()
            if not talk.waiting:
                continue
            talk.person = min(free, key=lambda person: (self._load[person.account], person.account))
            self._load[talk.person.account] += 1
            self._tell(client, Assigned(*self._head(now, talk), talk.id, talk.person.account))
            self._at(now + self._think_ms(), partial(self._reply, talk))

    def _reply(self, talk: _Talk, now: int) -> None:
        person = talk.person
        if person is None or not talk.waiting:
            return
        if person.site in self._cut:
            self._held[person.site].append(partial(self._reply, talk))
            return
        talk.answered = True
        talk.waiting = False
        talk.turns_left -= 1
        self._tell(talk.client, AgentTurn(*self._head(now, talk), talk.id, person.account))
        pause = self._random.randrange(self._habits.customer_pause_least_ms, self._habits.customer_pause_ms)
        self._at(now + pause, partial(self._go_on, talk))

    def _go_on(self, talk: _Talk, now: int) -> None:
        if talk.turns_left == 0:
            self._tell(talk.client, Closed(*self._head(now, talk), talk.id))
            self._release(now, talk)
            return
        talk.waiting = True
        self._tell(talk.client, CustomerTurn(*self._head(now, talk), talk.id))
        self._at(now + self._think_ms(), partial(self._reply, talk))

    def _leave(self, talk: _Talk, now: int) -> None:
        if talk.answered or not talk.waiting:
            return
        talk.waiting = False
        self._tell(talk.client, CustomerLeft(*self._head(now, talk), talk.id, LeftReason.HUNG_UP))
        self._release(now, talk)

    def _release(self, now: int, talk: _Talk) -> None:
        if talk.person is not None:
            self._load[talk.person.account] -= 1
            talk.person = None
            self._assign(talk.client, now)

    def _head(self, now: int, talk: _Talk) -> tuple[int, int, str, None, bool, str]:
        return (now, 1, f"chat/{talk.client}", None, True, f"customer-{talk.id.rpartition('-')[2]}")

    def _think_ms(self) -> int:
        habits = self._habits
        return max(
            habits.think_least_ms, int(self._random.lognormvariate(0, habits.think_sigma) * habits.think_median_ms)
        )
