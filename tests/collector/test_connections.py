"""What the hub sees of connections, by requests and by the broker's log."""

from pathlib import Path

import pytest

from collector.connections import Noticed, noticed
from tests.collector.running import running_hub
from wire.ids import OPERATOR
from wire.limits import MEASURED_MAX
from wire.uplink import ConnectionSeen, LineWitnessed

GATEWAY = "site-1/gateway"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "1795320000: New client connected from 203.0.113.1:50764 as site-1/gateway (p5, c1, k10, u'x').",
            Noticed(GATEWAY, "203.0.113.1"),
        ),
        (
            "1795320000: New client connected from 2001:db8::7:50764 as site-1/gateway (p5, c0, k10).",
            Noticed(GATEWAY, "2001:db8::7"),
        ),
        ("1795320000: Client site-1/gateway closed its connection.", Noticed(GATEWAY, "")),
        ("1795320000: Client site-1/gateway disconnected.", Noticed(GATEWAY, "")),
        ("1795320000: Client site-1/gateway [203.0.113.1:50764] disconnected: keepalive", Noticed(GATEWAY, "")),
        ("1795320000: Client site-1/gateway has exceeded timeout, disconnecting.", Noticed(GATEWAY, "")),
        ("1795320000: mosquitto version 2.0.11 running", None),
    ],
)
def test_each_line_of_the_brokers_log_says_who_came_from_where_or_left(line: str, expected: Noticed | None) -> None:
    assert noticed(line) == expected


async def test_only_probes_are_put_on_record_and_only_when_something_changed(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for source, address in [
            (GATEWAY, "203.0.113.1"),
            (GATEWAY, "203.0.113.1"),
            ("shop/two", "203.0.113.9"),
            ("nobody", "203.0.113.9"),
            (GATEWAY, ""),
            (GATEWAY, "198.51.100.1"),
        ]:
            hub.now += 1
            await hub.intake.connections.seen(source, address)
        seen = hub.bodies(ConnectionSeen, OPERATOR)
    assert [(body.about_source, body.is_open, body.egress) for body in seen] == [
        (GATEWAY, True, "203.0.113.1"),
        (GATEWAY, False, "203.0.113.1"),
        (GATEWAY, True, "198.51.100.1"),
    ]


async def test_an_address_of_a_line_is_recorded_when_it_is_new_and_once_more_when_it_is_seen_again(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path) as hub:
        for line, address in [
            ("telecom", "203.0.113.1"),
            ("unicom", "198.51.100.1"),
            ("telecom", "203.0.113.1"),
            ("telecom", "203.0.113.1"),
            ("telecom", "203.0.113.1"),
            ("unicom", "203.0.113.1"),
        ]:
            hub.now += 1
            await hub.intake.connections.witnessed(GATEWAY, line, address)
        await hub.intake.connections.witnessed("nobody", "telecom", "203.0.113.1")
        await hub.intake.connections.witnessed("shop/two", "telecom", "203.0.113.1")
        seen = hub.bodies(LineWitnessed, OPERATOR)
    assert [(body.about_source, body.line, body.egress) for body in seen] == [
        (GATEWAY, "telecom", "203.0.113.1"),
        (GATEWAY, "unicom", "198.51.100.1"),
        (GATEWAY, "telecom", "203.0.113.1"),
        (GATEWAY, "unicom", "203.0.113.1"),
    ]


async def test_a_line_is_recorded_anew_after_the_connection_came_from_elsewhere(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for _ in range(3):
            hub.now += 1
            await hub.intake.connections.witnessed(GATEWAY, "telecom", "203.0.113.1")
        await hub.intake.connections.seen(GATEWAY, "198.51.100.1")
        hub.now += 1
        await hub.intake.connections.witnessed(GATEWAY, "telecom", "203.0.113.1")
        assert len(hub.bodies(LineWitnessed, OPERATOR)) == 3


async def test_a_probe_that_makes_up_lines_fills_no_memory(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for n in range(2 * MEASURED_MAX):
            hub.now += 1
            await hub.intake.connections.witnessed(GATEWAY, f"line-{n}", "203.0.113.1")
        assert len(hub.bodies(LineWitnessed, OPERATOR)) == MEASURED_MAX
