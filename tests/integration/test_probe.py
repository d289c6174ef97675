"""A probe between a real upsd and a real Mosquitto, with a collector that acknowledges."""

import time
from functools import partial
from pathlib import Path

import trustme

from agent_probe.app import Probe
from agent_probe.config import TlsConfig
from tests.agent_probe.fake_collector import FakeCollector, running_collector
from tests.agent_probe.living_probe import gateway, living
from tests.servers import Server, UpsServer, free_port, run_mosquitto, run_ups_server
from tests.waiting import wait_until
from wire.facility import Comms, Power
from wire.frame import Frame, Lane


async def wait_until_said(
    collector: FakeCollector, power: Power, comms: Comms, ups: str = "ups1", timeout_s: float = 15
) -> None:
    def said() -> bool:
        newest = collector.newest(ups)
        return newest is not None and (newest.power, newest.comms) == (power, comms)

    await wait_until(said, timeout_s, what=f"{ups} to be {power.value}, {comms.value}; {collector.newest(ups)}")


def was_on_battery(collector: FakeCollector, lane: Lane) -> bool:
    return any(reading.power is Power.BATTERY for reading in collector.readings(lane))


def holds_more_than(probe: Probe, rows: int) -> bool:
    return probe.outbox.counts().rows > rows


async def test_mains_loss_is_published_on_both_lanes_within_two_seconds_of_the_driver_knowing(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    config = gateway(tmp_path / "box", mosquitto.port, nut_port=ups_server.port, ups="ups1")
    async with running_collector(mosquitto.host, mosquitto.port) as collector, living(config) as probe:
        await wait_until_said(collector, Power.MAINS, Comms.OK)
        ups_server.set("ups1", "ups.status", "OB DISCHRG")
        known_at = time.monotonic()
        for lane in (Lane.SNAPSHOT, Lane.BACKLOG):
            await wait_until(partial(was_on_battery, collector, lane), what=f"OB to arrive on {lane.name}")
        took_s = time.monotonic() - known_at
        assert took_s < 2
        newest = collector.newest()
        assert newest is not None
        assert (newest.status, newest.charge_percent, newest.runtime_ms) == ("OB DISCHRG", 100, 1_800_000)
        assert (newest.input_mv, newest.load_percent) == (230_000, None)
        await wait_until(lambda: probe.outbox.settled, what="everything to be acknowledged")
        assert probe.outbox.counts().rows == 0


async def test_the_last_word_on_battery_names_everything_the_probe_knows(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    config = gateway(tmp_path / "box", mosquitto.port, nut_port=ups_server.port, ups="ups1")
    async with running_collector(mosquitto.host, mosquitto.port) as collector, living(config):
        await wait_until_said(collector, Power.MAINS, Comms.OK)
        ups_server.set("ups1", "ups.status", "OB LB DISCHRG")
        await wait_until_said(collector, Power.CRITICAL, Comms.OK)
        last_word = next(f for f in reversed(collector.frames) if f.lane == Lane.SNAPSHOT and len(f.items) > 1)
        assert {item.kind for item in last_word.items} == {48, 49}


async def test_a_frozen_driver_is_stale_a_killed_one_is_dead_and_neither_is_a_power_loss(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    config = gateway(tmp_path / "box", mosquitto.port, nut_port=ups_server.port, ups="ups1")
    driver = ups_server.drivers["ups1"]
    async with running_collector(mosquitto.host, mosquitto.port) as collector, living(config):
        await wait_until_said(collector, Power.MAINS, Comms.OK)
        driver.pause()
        await wait_until_said(collector, Power.MAINS, Comms.STALE)
        driver.resume()
        await wait_until_said(collector, Power.MAINS, Comms.OK)
        driver.kill()
        await wait_until_said(collector, Power.MAINS, Comms.DRIVER_DEAD)
        ups_server.server.kill()
        await wait_until_said(collector, Power.MAINS, Comms.UNREACHABLE)
        assert {reading.power for reading in collector.readings(Lane.BACKLOG)} <= {Power.MAINS, Power.STARTING}


async def test_a_ups_that_upsd_does_not_know_costs_the_other_nothing(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    config = gateway(tmp_path / "box", mosquitto.port, nut_port=ups_server.port, ups="ups1 nobody")
    async with running_collector(mosquitto.host, mosquitto.port) as collector, living(config):
        await wait_until_said(collector, Power.MAINS, Comms.OK)
        await wait_until_said(collector, Power.UNKNOWN, Comms.UNKNOWN_UPS, ups="nobody")
        ups_server.set("ups1", "ups.status", "OB DISCHRG")
        await wait_until_said(collector, Power.BATTERY, Comms.OK)
        newest = collector.newest("nobody")
        assert newest is not None
        assert (newest.power, newest.comms) == (Power.UNKNOWN, Comms.UNKNOWN_UPS)


async def test_two_ups_whose_names_and_values_hold_odd_characters_are_read(tmp_path: Path, mosquitto: Server) -> None:
    devices = {
        "ups1": {"ups.status": "OL", "ups.model": "back\\slash", "device.mfr": "Müller", "battery.charge": "087"},
        "ups2": {"ups.status": "OL BYPASS", "ups.mfr": "", "input.voltage": "nan"},
    }
    with run_ups_server(tmp_path, devices) as server:
        config = gateway(tmp_path / "box", mosquitto.port, nut_port=server.port, ups="ups1 ups2")
        async with running_collector(mosquitto.host, mosquitto.port) as collector, living(config):
            await wait_until_said(collector, Power.MAINS, Comms.OK)
            await wait_until_said(collector, Power.BYPASS, Comms.OK, ups="ups2")
            newest = collector.newest("ups2")
            assert newest is not None
            assert newest.input_mv is None


async def test_what_happened_while_the_broker_was_dead_is_delivered_and_then_forgotten(
    tmp_path: Path, ups_server: UpsServer
) -> None:
    with run_mosquitto(tmp_path) as broker:
        config = gateway(tmp_path / "box", broker.port, nut_port=ups_server.port, ups="ups1")
        async with running_collector(broker.host, broker.port) as collector, living(config) as probe:
            await wait_until_said(collector, Power.MAINS, Comms.OK)
            broker.kill()
            await wait_until(lambda: not probe.uplink.is_connected, what="the probe to notice")
            for status in ("OB DISCHRG", "OL CHRG", "OB DISCHRG"):
                rows = probe.outbox.counts().rows
                ups_server.set("ups1", "ups.status", status)
                await wait_until(partial(holds_more_than, probe, rows), what=f"{status} to be kept")
            broker.start()
            await wait_until(lambda: collector.is_connected, what="the collector to be back")
            await wait_until(lambda: probe.outbox.settled, 20, what="everything to be acknowledged")
            powers = [reading.power for reading in collector.readings(Lane.BACKLOG)]
            told = [power for n, power in enumerate(powers) if n == 0 or power is not powers[n - 1]]
            assert told[-4:] == [Power.MAINS, Power.BATTERY, Power.MAINS, Power.BATTERY]
            assert probe.outbox.counts().rows == 0


async def test_rows_stay_until_the_collector_and_not_merely_the_broker_has_them(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    config = gateway(tmp_path / "box", mosquitto.port, nut_port=ups_server.port, ups="ups1")
    async with running_collector(mosquitto.host, mosquitto.port) as collector:
        collector.silent = True
        async with living(config) as probe:
            await wait_until(lambda: len(collector.readings(Lane.BACKLOG)) > 0, what="a row to reach the collector")
            kept = probe.outbox.counts().rows
            assert kept >= 2
        collector.silent = False
        async with living(config) as again:
            await wait_until(lambda: again.outbox.settled, what="everything to be acknowledged")
            assert again.outbox.counts().rows == 0
    epochs = [epoch for epoch, stream in collector.model.streams.items() if stream.bodies]
    assert len(epochs) == 2
    assert collector.model.prev[epochs[1]] == (epochs[0], kept)


async def test_a_stopping_probe_says_once_more_what_holds(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    config = gateway(tmp_path / "box", mosquitto.port, nut_port=ups_server.port, ups="ups1")
    async with running_collector(mosquitto.host, mosquitto.port) as collector:
        async with living(config):
            await wait_until_said(collector, Power.MAINS, Comms.OK)
            said = len(collector.frames)

        def last_words() -> list[Frame]:
            return [frame for frame in collector.frames[said:] if frame.lane == Lane.SNAPSHOT]

        last = (await wait_until(last_words, what="the last words"))[-1]
        assert {item.kind for item in last.items} == {48, 49}


async def test_mqtt_3_1_1_serves_as_well(tmp_path: Path, mosquitto: Server) -> None:
    config = gateway(tmp_path / "box", mosquitto.port, protocol="3.1.1")
    async with running_collector(mosquitto.host, mosquitto.port) as collector, living(config) as probe:
        await wait_until(lambda: collector.heartbeats(Lane.BACKLOG), what="a heartbeat")
        await wait_until(lambda: probe.outbox.settled, what="its acknowledgement")
        (beat, *_) = await wait_until(lambda: collector.heartbeats(Lane.SNAPSHOT), what="a beat that was not before us")
        assert beat.interval_ms == 2_000


async def test_a_probe_with_its_own_certificate_is_let_in_and_one_without_is_not(tmp_path: Path) -> None:
    authority = trustme.CA()
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "server_key", "server", "probe_key", "probe")}
    authority.cert_pem.write_to_path(str(files["ca"]))
    for name, identity in (("server", "127.0.0.1"), ("probe", "gw1.sz1.example")):
        certificate = authority.issue_cert(identity)
        certificate.private_key_pem.write_to_path(str(files[f"{name}_key"]))
        certificate.cert_chain_pems[0].write_to_path(str(files[name]))
    port = free_port()
    lines = [
        f"listener {port} 127.0.0.1",
        f"cafile {files['ca']}",
        f"certfile {files['server']}",
        f"keyfile {files['server_key']}",
        "require_certificate true",
    ]
    known = TlsConfig(str(files["ca"]), str(files["probe"]), str(files["probe_key"]))
    with run_mosquitto(tmp_path, lines=lines) as broker:
        async with running_collector(broker.host, broker.port) as collector:
            async with living(gateway(tmp_path / "stranger", port, tls=TlsConfig(str(files["ca"])))) as stranger:
                await wait_until(lambda: stranger.uplink.figures.failures > 0, what="the stranger to be refused")
                assert not collector.frames
            async with living(gateway(tmp_path / "box", port, tls=known)) as probe:
                await wait_until(lambda: collector.heartbeats(Lane.BACKLOG), what="a heartbeat over TLS")
                await wait_until(lambda: probe.outbox.settled, what="its acknowledgement")
