"""A broker with the manners measured of a stock one.

MANNERS names each of them. tests/integration/test_broker_manners.py measures them on the real broker, test_broker.py
on this model; a manner that only one of the two has fails the suite.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

from tests.sim.loop import SimLoop
from tests.sim.marks import Marks
from tests.sim.network import WIRE, Network

BROKER: Final = "broker"
STOCK_QUEUE: Final = 1000
"""Messages a stock broker keeps for one subscriber."""
QUEUE_CAP: Final = 8
"""The model's: small, so that the world meets it within a minute."""
MANNERS: Final = {
    "acknowledged_is_not_kept": "it acknowledges a publish before anything is safe: kill -9 takes all of them",
    "queue_drops_without_a_word": "what a subscriber's queue does not hold is gone; whoever published is not told",
    "delivers_again_after_a_restart": "it comes back with an older save, and delivers again what it had delivered",
    "keeps_nothing_for_the_absent": "at QoS 0, which is all we use, what nobody hears is gone",
    "second_connection_ends_the_first": "of two connections of one name the older is closed",
    "a_stalled_subscriber_loses_and_stays_connected": "who does not read loses messages and is not told either",
}
SERVICE_S: Final = 0.004
"""Seconds between two deliveries to one subscriber."""


class Session:
    """One connected client. `alive` turns False for good when either end or the link breaks."""

    def __init__(self, client: str, receive: Callable[[str, bytes], None]) -> None:
        self.client = client
        self.filters: list[str] = []
        self.receive = receive
        self.on_lost: Callable[[], None] = lambda: None
        self.queue: deque[tuple[str, bytes]] = deque()
        self.draining = False
        self.alive = True


def matches(topic_filter: str, topic: str) -> bool:
    """MQTT `+` wildcards; `#` is not used here."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    return len(wanted) == len(given) and all(w in {"+", g} for w, g in zip(wanted, given, strict=True))


class Broker:
    """See the module's docstring."""

    def __init__(self, rng: Random, loop: SimLoop, network: Network, marks: Marks) -> None:
        self._rng = rng
        self._loop = loop
        self._network = network
        self._marks = marks
        self._sessions: dict[str, Session] = {}
        self._saved: list[tuple[str, bytes]] = []
        self._replay: list[tuple[str, bytes]] = []
        self.up = True
        self.stalls = 0.02

    def calm(self) -> None:
        """No stalled deliveries and no stale saves from here on."""
        self.stalls = 0.0
        self._replay = []

    def connect(self, client: str, receive: Callable[[str, bytes], None]) -> Session | None:
        """A new session, or None while the broker is down. A second connection of one client kicks the first off."""
        if not self.up:
            return None
        old = self._sessions.pop(client, None)
        if old is not None:
            self._end(old)
        session = self._sessions[client] = Session(client, receive)
        return session

    def subscribe(self, session: Session, topic_filter: str) -> None:
        """What matches comes from now on, and some of what came before a restart comes again."""
        session.filters.append(topic_filter)
        for topic, payload in self._replay:
            if matches(topic_filter, topic):
                self._marks.hit("broker.duplicates_after_restart")
                self._enqueue(session, topic, payload)

    def disconnect(self, session: Session) -> None:
        """The client went away (or died: its TCP connection closed)."""
        session.alive = False
        if self._sessions.get(session.client) is session:
            del self._sessions[session.client]

    def publish(self, session: Session, topic: str, payload: bytes) -> None:
        """One message from a client to whoever subscribes. The client's PUBACK says nothing about any of it."""

        def arrive() -> None:
            if not self.up:
                self._marks.hit("broker.acked_then_lost")
                return
            if self._rng.random() < 0.3:
                self._saved.append((topic, payload))
                del self._saved[:-QUEUE_CAP]
            for other in list(self._sessions.values()):
                if any(matches(f, topic) for f in other.filters):
                    self._enqueue(other, topic, payload)

        if session.alive:
            self._network.send(session.client, BROKER, arrive)

    def crash(self) -> None:
        """kill -9: every queue is gone, every connection reset."""
        self._marks.hit("broker.crashed")
        self.up = False
        for session in list(self._sessions.values()):
            if session.queue:
                self._marks.hit("broker.acked_then_lost")
            self._end(session)
        self._sessions.clear()

    def restart(self) -> None:
        """Up again, with an older save of what it once held: all of it has been delivered before or will be again."""
        self.up = True
        self._replay = self._saved if self._rng.random() < 0.7 else []
        self._saved = []

    def _enqueue(self, session: Session, topic: str, payload: bytes) -> None:
        if len(session.queue) >= QUEUE_CAP:
            self._marks.hit("broker.queue_cap_dropped")
            return
        session.queue.append((topic, payload))
        if not session.draining:
            session.draining = True
            self._later(SERVICE_S, self._drain, session)

    def _drain(self, session: Session) -> None:
        if not session.alive or not session.queue:
            session.draining = False
            return
        topic, payload = session.queue.popleft()

        def arrive() -> None:
            if session.alive:
                session.receive(topic, payload)

        self._network.send(BROKER, session.client, arrive)
        stalled = self.stalls and self._rng.random() < self.stalls
        self._later(self._rng.uniform(0.5, 5.0) if stalled else SERVICE_S, self._drain, session)

    def _end(self, session: Session) -> None:
        session.alive = False
        self._later(self._rng.expovariate(20), session.on_lost)

    def _later(self, delay: float, action: Callable[..., None], *args: Session) -> None:
        """The broker's own timers belong to no client that happens to be calling."""
        self._loop.call_later(delay, action, *args, context=WIRE)
