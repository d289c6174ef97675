"""Wills against a real Mosquitto: what a client leaves behind is spoken on its own topics or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.enrolment._core.broker import CONTROL, HUB
from seatwatch.clock import now_ms
from tests.integration.enrolled_broker import EnrolledBroker, Visitor, wait_for_end
from tests.integration.test_broker_access import MAY_PUBLISH, PROBES
from tests.servers import running
from tests.waiting import wait_until_blocking

HEARS = {
    HUB: ("v1/+/+/up", "v1/+/+/now"),
    CONTROL: ("$CONTROL/dynamic-security/v1/response",),
    **{probe: (f"v1/{probe}/ack",) for probe in (PROBES[0], PROBES[2])},
}
DYING = PROBES[1]
FOREIGN = (
    *(f"v1/{PROBES[0]}/{lane}" for lane in ("up", "now", "ack")),
    f"v1/{DYING}/ack",
    f"v1/{DYING}0/up",
    "$CONTROL/dynamic-security/v1",
    "$CONTROL/dynamic-security/v1/response",
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EnrolledBroker]:
    found = EnrolledBroker(tmp_path)
    for probe in PROBES:
        found.enrol(probe)
    found.broker.write(PROBES, now_ms())
    with running(found.server):
        yield found
    found.store.close()


def listeners(hub: EnrolledBroker) -> dict[str, Visitor]:
    """Everybody who may hear anything, hearing it."""
    visitors = {}
    for name, filters in HEARS.items():
        pair = hub.part(name) if name in {HUB, CONTROL} else hub.enrol(name)
        visitors[name] = visitor = Visitor(hub.directory, hub.authority, hub.port, pair)
        assert visitor.connect() == "Success"
        assert {visitor.subscribe(each) for each in filters} == {"Granted QoS 1"}
    return visitors


def test_a_will_is_spoken_on_ones_own_topics_and_dropped_elsewhere(hub: EnrolledBroker) -> None:
    heard = listeners(hub)
    pair = hub.enrol(DYING)
    own = sorted(MAY_PUBLISH[DYING])
    for topic in (*FOREIGN, *own):
        dying = Visitor(hub.directory, hub.authority, hub.port, pair, will=topic)
        if dying.connect() == "Success":
            dying.die()
    wanted = [(topic, f"will of {topic}".encode()) for topic in own]
    wait_until_blocking(lambda: set(wanted) <= set(heard[HUB].received), what="the wills that are allowed")
    assert sorted(heard[HUB].received) == wanted
    assert {name: visitor.received for name, visitor in heard.items() if name != HUB and visitor.received} == {}
    for visitor in heard.values():
        visitor.leave()


async def test_whoever_is_revoked_leaves_no_last_word(hub: EnrolledBroker) -> None:
    heard = listeners(hub)
    (own, _) = sorted(MAY_PUBLISH[DYING])
    revoked = Visitor(hub.directory, hub.authority, hub.port, hub.enrol(DYING), will=own)
    assert revoked.connect() == "Success"
    heard[CONTROL].leave()
    await hub.broker.bring_up_to_date("127.0.0.1", [probe for probe in PROBES if probe != DYING], now_ms())
    wait_for_end(revoked, 10)
    other = f"v1/{PROBES[0]}/up"
    assert heard[PROBES[0]].publish(other) == "Success"
    wait_until_blocking(lambda: heard[HUB].received, what="a message after it")
    assert heard[HUB].received == [(other, b"x")]
    for name, visitor in heard.items():
        if name != CONTROL:
            visitor.leave()
