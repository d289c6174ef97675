"""Identities times topics against a real Mosquitto: nothing outside its own topics is accepted from anybody."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from agent_probe.aiomqtt_port import AiomqttPort
from agent_probe.config import BrokerConfig, TlsConfig
from agent_probe.errors import ProbeUnavailable
from collector.enrolment._core.broker import CONTROL, HUB
from collector.enrolment._core.denials import Denials
from collector.enrolment.broker_log import BrokerLog
from seatwatch.clock import now_ms
from tests.agent_probe.living_probe import SETTINGS as PROBE_SETTINGS
from tests.integration.enrolled_broker import EnrolledBroker, Visitor, wait_for_end
from tests.servers import running
from tests.waiting import wait_until_blocking
from wire.topics import BROKER_LOG

PROBES = ("site1/gateway", "site1/seat-01", "site2/gateway")
TOPICS = (
    *(f"v1/{probe}/{lane}" for probe in PROBES for lane in ("up", "now", "ack")),
    "v1/site1/seat-010/up",
    "v1/site1/gateway",
    "v1/site1/gateway/up/more",
    "v1//up",
    "up",
    "$SYS/broker/version",
    "$CONTROL/dynamic-security/v1",
    "$CONTROL/dynamic-security/v1/response",
)
FILTERS = (
    *TOPICS,
    BROKER_LOG,
    "#",
    "+/#",
    "v1/#",
    "v1/+/+/up",
    "v1/+/+/ack",
    "v1/site1/+/ack",
    "$SYS/#",
    "$share/g/v1/#",
)
MAY_PUBLISH = {
    **{probe: {f"v1/{probe}/up", f"v1/{probe}/now"} for probe in PROBES},
    HUB: {f"v1/{probe}/ack" for probe in PROBES},
    CONTROL: {"$CONTROL/dynamic-security/v1"},
}
MAY_SUBSCRIBE = {
    **{probe: {f"v1/{probe}/ack"} for probe in PROBES},
    HUB: {"v1/+/+/up", BROKER_LOG},
    CONTROL: {"$CONTROL/dynamic-security/v1/response"},
}
TAKEN = {"Success", "No matching subscribers"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EnrolledBroker, dict[str, Visitor]]]:
    """A broker for three probes, all of them and the hub's two parts connected."""
    hub = EnrolledBroker(tmp_path_factory.mktemp("access"))
    pairs = {probe: hub.enrol(probe) for probe in PROBES} | {name: hub.part(name) for name in (HUB, CONTROL)}
    hub.broker.write(PROBES, now_ms())
    with running(hub.server):
        visitors = {
            name: Visitor(hub.directory, hub.authority, hub.port, pair, "any name") for name, pair in pairs.items()
        }
        assert {name: visitor.connect() for name, visitor in visitors.items()} == dict.fromkeys(visitors, "Success")
        yield hub, visitors
        for visitor in visitors.values():
            visitor.leave()
    hub.store.close()


@pytest.mark.parametrize("name", [*PROBES, HUB, CONTROL])
def test_an_identity_publishes_on_its_own_topics_and_is_told_not_authorized_elsewhere(
    world: tuple[EnrolledBroker, dict[str, Visitor]], name: str
) -> None:
    visitor = world[1][name]
    answers = {topic: visitor.publish(topic) for topic in TOPICS}
    assert {topic for topic, said in answers.items() if said in TAKEN} == MAY_PUBLISH[name] & set(TOPICS)
    assert {said for topic, said in answers.items() if topic not in MAY_PUBLISH[name]} == {"Not authorized"}


@pytest.mark.parametrize("name", [*PROBES, HUB, CONTROL])
def test_an_identity_subscribes_to_its_own_topics_and_is_told_not_authorized_elsewhere(
    world: tuple[EnrolledBroker, dict[str, Visitor]], name: str
) -> None:
    visitor = world[1][name]
    answers = {topic: visitor.subscribe(topic) for topic in FILTERS}
    assert {topic for topic, said in answers.items() if said.startswith("Granted")} == MAY_SUBSCRIBE[name]
    assert {said for topic, said in answers.items() if topic not in MAY_SUBSCRIBE[name]} == {"Not authorized"}


def test_what_was_published_reached_the_hub_and_no_probe(world: tuple[EnrolledBroker, dict[str, Visitor]]) -> None:
    _, visitors = world
    visitors[HUB].subscribe("v1/+/+/up")
    visitors[PROBES[0]].publish(f"v1/{PROBES[0]}/up", b"mine")
    wait_until_blocking(lambda: (f"v1/{PROBES[0]}/up", b"mine") in visitors[HUB].received, what="the hub to hear it")
    for probe in PROBES:
        assert {topic for topic, _ in visitors[probe].received} <= {f"v1/{probe}/ack"}


def test_an_answer_reaches_the_probe_it_is_for_alone(world: tuple[EnrolledBroker, dict[str, Visitor]]) -> None:
    _, visitors = world
    for probe in PROBES:
        visitors[probe].subscribe(f"v1/{probe}/ack")
    visitors[HUB].publish(f"v1/{PROBES[1]}/ack", b"for seat 1")
    wait_until_blocking(lambda: (f"v1/{PROBES[1]}/ack", b"for seat 1") in visitors[PROBES[1]].received, what="the ack")
    assert all(b"for seat 1" not in dict(visitors[p].received).values() for p in (PROBES[0], PROBES[2]))


def test_whoever_has_no_certificate_of_ours_does_not_get_past_tls(
    world: tuple[EnrolledBroker, dict[str, Visitor]], tmp_path: Path
) -> None:
    hub, _ = world
    stranger = EnrolledBroker(tmp_path)
    visitor = Visitor(tmp_path, hub.authority, hub.port, stranger.enrol("site1/gateway"))
    assert visitor.connect() == "closed"
    stranger.store.close()


def test_a_certificate_whose_identity_the_broker_does_not_know_may_do_nothing(
    world: tuple[EnrolledBroker, dict[str, Visitor]],
) -> None:
    hub, _ = world
    visitor = Visitor(hub.directory, hub.authority, hub.port, hub.enrol("site9/gateway"))
    assert visitor.connect() == "Success"
    assert visitor.publish("v1/site9/gateway/up") == "Not authorized"
    assert visitor.subscribe("v1/site9/gateway/ack") == "Not authorized"
    visitor.leave()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_probe_that_the_broker_does_not_know_any_more_says_so_and_is_not_connected(
    world: tuple[EnrolledBroker, dict[str, Visitor]], tmp_path: Path, protocol: str
) -> None:
    hub, _ = world
    authority, told = tmp_path / "ca.pem", list[bool]()
    authority.write_bytes(hub.authority.pem)
    for name, refused in (("site8/gateway", True), (PROBES[0], False)):
        pair, file = hub.enrol(name), tmp_path / "pair.pem"
        file.write_bytes(pair.certificate + pair.key)
        at = BrokerConfig("127.0.0.1", hub.port, protocol, tls=TlsConfig(str(authority), str(file), str(file)))
        port = AiomqttPort(
            at,
            PROBE_SETTINGS.uplink,
            client_id=name,
            ack_topic=f"v1/{name}/ack",
            bind_address=lambda: "",
            refused=told.append,
        )
        with pytest.raises(ProbeUnavailable, match="may not read v1/site8/gateway/ack") if refused else nullcontext():
            await port.connect()
        await port.close()
    assert told == [True, False]


def test_a_packet_beyond_the_limit_ends_the_session(world: tuple[EnrolledBroker, dict[str, Visitor]]) -> None:
    hub, _ = world
    visitor = Visitor(hub.directory, hub.authority, hub.port, hub.enrol("site1/gateway"))
    visitor.connect()
    assert visitor.publish("v1/site1/gateway/up", b"x" * 70_000) == "closed"


def test_nothing_is_kept_for_those_who_come_later(world: tuple[EnrolledBroker, dict[str, Visitor]]) -> None:
    hub, _ = world
    visitor = Visitor(hub.directory, hub.authority, hub.port, hub.enrol("site1/gateway"))
    visitor.connect()
    assert visitor.publish("v1/site1/gateway/now", b"for ever", retain=True) == "closed"
    assert wait_for_end(visitor, 5.0) == "Retain not supported"


def test_every_denial_is_counted_by_kind(world: tuple[EnrolledBroker, dict[str, Visitor]]) -> None:
    hub, visitors = world
    log, denials = BrokerLog(hub.log, 1_000_000), Denials()

    def counted() -> dict[str, int]:
        denials.take(log.lines())
        return {kind.value: count for kind, count in denials.counts.items()}

    before = counted()
    seat = visitors[PROBES[1]]
    for topic in ("v1/site2/gateway/up", "$SYS/broker/version"):
        assert seat.publish(topic) == "Not authorized"
    for topic in ("#", "v1/+/+/up", f"v1/{PROBES[1]}/ack"):
        seat.subscribe(topic)
    wanted = {"publish": before["publish"] + 2, "subscribe": before["subscribe"] + 2, "connect": before["connect"]}
    wait_until_blocking(lambda: counted() == wanted, what=f"{wanted}")
    assert before["connect"] >= 1, "a stranger's certificate, from the test before"
    assert before["publish"] >= 5 * (len(TOPICS) - 3)
