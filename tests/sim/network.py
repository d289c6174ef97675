"""The network between processes: delays, drops, repeats, reorders, and is cut link by link."""

import contextvars
from collections.abc import Callable
from random import Random

from tests.sim.loop import INCARNATION, SimLoop
from tests.sim.marks import Marks


class Network:
    """Carries one-way messages. Nothing is promised but that a message arrives unchanged if it arrives."""

    def __init__(self, rng: Random, loop: SimLoop, marks: Marks) -> None:
        self._rng = rng
        self._loop = loop
        self._marks = marks
        self._cut: set[frozenset[str]] = set()
        self.drop = 0.05
        self.duplicate = 0.05
        self.slow = 0.03

    def calm(self) -> None:
        """Every link up, nothing lost or repeated from here on."""
        self._cut.clear()
        self.drop = self.duplicate = self.slow = 0.0

    def cut(self, one: str, other: str) -> None:
        """Nothing passes between the two until `mend`."""
        self._cut.add(frozenset((one, other)))

    def mend(self, one: str, other: str) -> None:
        """The link is back."""
        self._cut.discard(frozenset((one, other)))

    def send(self, sender: str, receiver: str, deliver: Callable[[], None]) -> None:
        """Deliver zero, one or two times, each after its own delay (hence reordering).

        A dead process sends nothing. Delivery runs outside the sender's incarnation: what is on the wire outlives it.
        """
        incarnation = INCARNATION.get()
        if incarnation is not None and not incarnation.alive:
            return
        rng = self._rng
        if frozenset((sender, receiver)) in self._cut:
            self._marks.hit("net.partitioned")
            return
        if rng.random() < self.drop:
            self._marks.hit("net.dropped")
            return
        copies = 1
        if rng.random() < self.duplicate:
            self._marks.hit("net.duplicated")
            copies = 2
        for _ in range(copies):
            delay = rng.expovariate(50)
            if rng.random() < self.slow:
                self._marks.hit("net.delayed")
                delay += rng.uniform(0.2, 8.0)
            self._loop.call_later(delay, deliver, context=WIRE)


WIRE = contextvars.Context()
"""Belongs to no process."""
