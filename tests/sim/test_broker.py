"""The manners of the model, one by one; tests/integration/test_broker_manners.py has the same of the real broker."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.sim.broker import MANNERS, QUEUE_CAP, Broker, Session
from tests.sim.loop import SimLoop, pause
from tests.sim.marks import Marks
from tests.sim.network import Network

TOPIC = "v1/site/probe/up"


class Bench:
    """A broker on a calm network, and what each client was handed."""

    def __init__(self, loop: SimLoop) -> None:
        self.loop = loop
        network = Network(Random(0), loop, Marks())
        network.calm()
        self.broker = Broker(Random(0), loop, network, Marks())
        self.broker.calm()
        self.received: list[bytes] = []

    def connect(self, name: str, *, subscribed: bool = False) -> Session:
        session = self.broker.connect(name, lambda _topic, payload: self.received.append(payload))
        assert session is not None
        if subscribed:
            self.broker.subscribe(session, "v1/+/+/up")
        return session

    def publish(self, count: int) -> None:
        sender = self.connect("probe")
        for number in range(count):
            self.broker.publish(sender, TOPIC, str(number).encode())

    def let_pass(self, seconds: float = 60.0) -> None:
        self.loop.run_until_complete(pause(seconds))


@pytest.fixture
def bench() -> Iterator[Bench]:
    loop = SimLoop()
    yield Bench(loop)
    loop.abandon()


def test_model_acknowledged_is_not_kept(bench: Bench) -> None:
    bench.connect("collector", subscribed=True)
    bench.publish(5)
    bench.broker.crash()
    bench.let_pass()
    bench.broker.restart()
    bench.connect("collector", subscribed=True)
    bench.let_pass()
    assert bench.received == []


def test_model_queue_drops_without_a_word(bench: Bench) -> None:
    session = bench.connect("collector", subscribed=True)
    for _ in range(3 * QUEUE_CAP):
        bench.broker._enqueue(session, TOPIC, b"")
    bench.let_pass()
    assert len(bench.received) == QUEUE_CAP


def test_model_delivers_again_after_a_restart(bench: Bench) -> None:
    bench.connect("collector", subscribed=True)
    for _ in range(10):
        bench.publish(4)
        bench.let_pass()
    assert len(bench.received) == 40
    bench.broker.crash()
    bench.broker.restart()
    bench.connect("collector", subscribed=True)
    bench.let_pass()
    again = bench.received[40:]
    assert 0 < len(again) <= QUEUE_CAP


def test_model_keeps_nothing_for_the_absent(bench: Bench) -> None:
    bench.broker.disconnect(bench.connect("collector", subscribed=True))
    bench.publish(5)
    bench.let_pass()
    bench.connect("collector", subscribed=True)
    bench.let_pass()
    assert bench.received == []


def test_model_second_connection_ends_the_first(bench: Bench) -> None:
    lost: list[str] = []
    first = bench.connect("collector")
    first.on_lost = lambda: lost.append("first")
    bench.connect("collector")
    bench.let_pass()
    assert (first.alive, lost) == (False, ["first"])


def test_model_a_stalled_subscriber_loses_and_stays_connected(bench: Bench) -> None:
    session = bench.connect("collector", subscribed=True)
    bench.broker.stalls = 1.0
    bench.publish(3 * QUEUE_CAP)
    bench.let_pass(300.0)
    assert 0 < len(bench.received) < 3 * QUEUE_CAP
    assert session.alive


def test_every_manner_is_held_here() -> None:
    held = {name.removeprefix("test_model_") for name in globals() if name.startswith("test_model_")}
    assert held == MANNERS.keys()
