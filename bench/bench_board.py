"""What a board costs while the floor is busy: folding and showing 2,000 events/s over 100,000 open conversations.

    python -m bench.bench_board [--open 100000] [--seconds 10] [--rate 2000] [--seed 42]

One simulated second is ten rounds of 200 events and one board each. CPU time of this process; under 1.0 s per simulated
second keeps up. `stage two` is what tiles cost beside the facts. In the product a round of this size is folded in one
batch as well, so its time is what the event loop waits for.
"""

import argparse
import random
import resource
import statistics
import sys
import time
from itertools import count

from bench.engine_workload import NOON_MS, PEOPLE, QUEUES, SOURCE, preamble
from bench.table import Figure, print_figures
from seatwatch.settings import load_defaults
from sla_engine._core.client import Change, ClientState, TileSettings, fold_client
from sla_engine._core.engine import live, new_shard, step
from sla_engine._core.tiles import client_part
from sla_engine._core.windows import WindowCalendar
from sla_engine.facts_store import key_of, revision_of
from sla_engine.runners.lookup import Lookup
from sla_engine.zones import zone_table
from wire.body import Body
from wire.codec import KIND_OF
from wire.conversation import AgentTurn, Assigned, Closed, CustomerTurn, Presence, PresenceChanged
from wire.record import Clock
from wire.recorded import Recorded
from wire.verdict import Fact

ROUNDS_PER_S = 10
CPU_PER_S_LIMIT = 1.0
MS_PER_ROUND = 100
PER_ROUND_BEFORE = 100
PRESENCE_ONE_IN = 100


class Floor:
    """Events of a busy floor around a stock of open conversations that all wait for a next reply."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._index = count()
        self._numbers = count()
        self._open: list[str] = []

    def entry(self, body: Body, source: str = SOURCE) -> Recorded:
        """A body as the ledger gives it back."""
        index = next(self._index)
        return Recorded(index, body.occurred_at, source, bytes(16), index, *KIND_OF[type(body)], body)

    def clock(self, at: int) -> Recorded:
        """The hub's time passes."""
        body = Clock(occurred_at=at, resolution_ms=1, clock="hub", monotonic_ms=None, synced=True, shard_key="")
        return self.entry(body, "~clock")

    def begin(self, at: int) -> Recorded:
        """Somebody new writes."""
        number = next(self._numbers)
        name = f"conversation-{number}"
        self._open.append(name)
        head = (at, 1, "chat", None, True, name)
        return self.entry(CustomerTurn(*head, name, queue=f"queue-{number % QUEUES}"))

    def presence(self, account: int, at: int) -> Recorded:
        """Somebody is ready, or takes a break."""
        state = Presence.ON_BREAK if self._random.randrange(4) == 0 else Presence.READY
        head = (at, 1, "chat", None, True, "")
        return self.entry(PresenceChanged(*head, f"account-{account}", state))

    def something(self, at: int) -> Recorded:
        """One event of the mix: new, assigned, answered, another message, closed, and now and then a presence."""
        if self._random.randrange(PRESENCE_ONE_IN) == 0:
            return self.presence(self._random.randrange(PEOPLE), at)
        place = self._random.randrange(len(self._open))
        name = self._open[place]
        head = (at, 1, "chat", None, True, name)
        account = f"account-{self._random.randrange(PEOPLE)}"
        match self._random.randrange(8):
            case 0:
                return self.begin(at)
            case 1:
                self._open[place] = self._open[-1]
                self._open.pop()
                return self.entry(Closed(*head, name))
            case 2 | 3:
                return self.entry(Assigned(*head, name, account))
            case 4 | 5:
                return self.entry(AgentTurn(*head, name, account))
            case _:
                return self.entry(CustomerTurn(*head, name))


class Client:
    """One shard and the second stage, facts kept in a dictionary."""

    def __init__(self) -> None:
        defaults = load_defaults()
        self.shard = new_shard()
        self.lookup = Lookup(self.shard)
        calendar = WindowCalendar(
            zone_table(defaults.text("contract.time_zone")),
            defaults.ms("board.interval"),
            defaults.minute_of_day("contract.business_day_starts") * 60_000,
        )
        self.state = ClientState(
            "acme", calendar, self.lookup.shown_of, self.lookup.place_of, defaults.fill(TileSettings, "board")
        )
        self.facts: dict[object, Fact] = {}
        self.stage_two_ns = 0

    def fold(self, batch: list[Recorded], now: int) -> None:
        """One step of both stages."""
        result = step(self.shard, batch, now)
        began = time.process_time_ns()
        changes = []
        for fact in result.facts:
            key = key_of(fact)
            changes.append(Change(fact, self.facts.get(key) if revision_of(fact) else None))
            self.facts[key] = fact
        self.state.observe(batch)
        stands = {conversation: live(self.shard, conversation) for conversation in result.touched}
        fold_client(self.state, changes, stands, self.lookup.live_watermark(), now)
        self.stage_two_ns += time.process_time_ns() - began


def resident_bytes() -> int:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def median_and_most(name: str, nanoseconds: list[int]) -> list[Figure]:
    """Both in ms."""
    median, most = statistics.median(nanoseconds), max(nanoseconds)
    return [Figure(f"{name}, median ms", median / 1e6), Figure(f"{name}, most ms", most / 1e6)]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--open", type=int, default=100_000)
    arguments.add_argument("--seconds", type=int, default=10)
    arguments.add_argument("--rate", type=int, default=2_000)
    arguments.add_argument("--seed", type=int, default=42)
    given = arguments.parse_args()
    floor, client = Floor(given.seed), Client()
    client.fold([floor.entry(body) for body in preamble()], NOON_MS)
    client.fold([floor.presence(account, NOON_MS) for account in range(PEOPLE)], NOON_MS)
    before, now = resident_bytes(), NOON_MS
    for _ in range(0, given.open, PER_ROUND_BEFORE):
        now += MS_PER_ROUND
        client.fold([*(floor.begin(now) for _ in range(PER_ROUND_BEFORE)), floor.clock(now)], now)
        client_part(client.state, client.lookup.promise_of)
    per_conversation = (resident_bytes() - before) // given.open
    client.stage_two_ns = 0
    boards, rounds, shown = [], [], 0
    for _ in range(given.seconds * ROUNDS_PER_S):
        now += MS_PER_ROUND
        batch = [*(floor.something(now) for _ in range(given.rate // ROUNDS_PER_S)), floor.clock(now)]
        started = time.process_time_ns()
        client.fold(batch, now)
        folded = time.process_time_ns()
        part = client_part(client.state, client.lookup.promise_of)
        boards.append(time.process_time_ns() - folded)
        rounds.append(time.process_time_ns() - started)
        shown = 1 + len(part.queues) + len(part.teams) + len(part.sites)
    events = given.seconds * given.rate
    print(
        f"{len(client.state.room):,} open conversations; {given.rate:,} events a simulated second, {events:,} in all;"
    )
    print(f"ten boards of {shown} tiles a simulated second")
    holds = print_figures(
        [
            Figure("CPU per simulated second, s", sum(rounds) / 1e9 / given.seconds, CPU_PER_S_LIMIT),
            Figure("stage two per event, us", client.stage_two_ns / events / 1000),
            *median_and_most("board", boards),
            *median_and_most("fold and board, a round", rounds),
            Figure("resident bytes per open conversation, both stages", per_conversation),
        ]
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
