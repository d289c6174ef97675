"""What deploy/ ships is accepted by the tools that will read it, and does what its comments say."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from seatwatch.config import Config
from seatwatch.on_call_config import AlertingSection
from seatwatch.server.on_call import alertmanager_text, rules_text
from seatwatch.server.promises import promises_text
from seatwatch.settings import load_defaults
from tests.servers import Server, ask, free_port, program, running
from wire.topics import ack_topic, backlog_topic

DEPLOY = Path(__file__).parents[2] / "deploy"
PASSWORDS = {"collector": "c0llector", "site1/gateway": "g4teway", "site2/gateway": "g4teway2"}


@pytest.fixture
def shipped_broker(tmp_path: Path) -> Iterator[Server]:
    """A Mosquitto with the shipped configuration; only paths, port and user are this machine's."""
    passwords = tmp_path / "passwords"
    passwords.touch()
    for user, password in PASSWORDS.items():
        subprocess.run([program("mosquitto_passwd"), "-b", str(passwords), user, password], check=True)
    port = free_port()
    text = (DEPLOY / "compose" / "mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("listener 1883 0.0.0.0", f"listener {port} 127.0.0.1\nuser root")
    shutil.copy(DEPLOY / "compose" / "acl", tmp_path / "acl")
    (tmp_path / "acl").chmod(0o600)
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(text.replace("/mosquitto/config", str(tmp_path)), encoding="utf-8")
    command = [program("mosquitto"), "-c", str(configuration)]
    with running(Server(command, port=port, directory=tmp_path, ready=lambda port: bool(_connects(port)))) as server:
        yield server


def _connects(port: int) -> bool:
    return ask(port, b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00") != b""


def _client(server: Server, user: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        server.port,
        username=user,
        password=PASSWORDS[user],
        protocol=aiomqtt.ProtocolVersion.V5,
    )


async def test_a_probe_speaks_for_itself_and_for_nobody_else(shipped_broker: Server) -> None:
    heard: list[str] = []
    async with _client(shipped_broker, "collector") as collector, _client(shipped_broker, "site1/gateway") as probe:
        await collector.subscribe("v1/#", qos=1)
        for topic in (backlog_topic("site2/gateway"), ack_topic("site1/gateway"), backlog_topic("site1/gateway")):
            await probe.publish(topic, b"said", qos=1)
        async with asyncio.timeout(5):
            async for message in collector.messages:
                heard.append(str(message.topic))
                if heard[-1] == backlog_topic("site1/gateway"):
                    break
    assert heard == ["v1/site1/gateway/up"]


async def test_a_probe_hears_its_own_acks_only(shipped_broker: Server) -> None:
    async with _client(shipped_broker, "collector") as collector, _client(shipped_broker, "site1/gateway") as probe:
        await probe.subscribe("v1/+/+/ack", qos=0)
        await probe.subscribe(ack_topic("site1/gateway"), qos=0)
        await collector.publish(ack_topic("site2/gateway"), b"not yours", qos=1)
        await collector.publish(ack_topic("site1/gateway"), b"yours", qos=1)
        async with asyncio.timeout(5):
            async for message in probe.messages:
                assert (str(message.topic), message.payload) == ("v1/site1/gateway/ack", b"yours")
                break


def test_redis_starts_with_the_shipped_configuration(tmp_path: Path) -> None:
    port = free_port()
    command = [program("redis-server"), str(DEPLOY / "compose" / "redis.conf"), "--port", str(port)]
    command += ["--bind", "127.0.0.1", "--dir", str(tmp_path)]
    ready = lambda port: ask(port, b"PING\r\n").startswith(b"+PONG")  # noqa: E731 - one line, used once
    with running(Server(command, port=port, directory=tmp_path, ready=ready)):
        assert b"noeviction" in ask(port, b"CONFIG GET maxmemory-policy\r\n")


def test_prometheus_accepts_the_shipped_configuration(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "seatwatch.rules.yml", "seatwatch.promises.rules.yml"):
        shutil.copy(DEPLOY / "compose" / name, tmp_path)
    (tmp_path / "scrape.token").write_text("made by hand")
    configuration = tmp_path / "prometheus.yml"
    checked = subprocess.run(
        [program("promtool"), "check", "config", str(configuration)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout


def test_rules_and_routes_are_those_that_this_version_writes() -> None:
    """Write them again with `seatwatch alerting`, for a server at server:8787."""
    config = Config(alerting=AlertingSection(bridge_url="http://server:8787/notify"))
    rules, routes = (DEPLOY / "compose" / name for name in ("seatwatch.rules.yml", "alertmanager.yml"))
    assert rules.read_text(encoding="utf-8") == rules_text(config, load_defaults())
    promises = (DEPLOY / "compose" / "seatwatch.promises.rules.yml").read_text(encoding="utf-8")
    assert promises == promises_text(config, DEPLOY, load_defaults()), "of no client; a site writes its own over it"
    token = Path("/etc/alertmanager/notify.token")
    assert routes.read_text(encoding="utf-8") == alertmanager_text(config, load_defaults(), token)


@pytest.mark.parametrize("unit", ["seatwatch-server.service", "seatwatch-probe.service", "seatwatch-deadman.service"])
def test_systemd_accepts_the_unit(unit: str, tmp_path: Path) -> None:
    """The program's path is this machine's; everything else is checked as shipped."""
    text = (DEPLOY / "systemd" / unit).read_text(encoding="utf-8")
    copy = tmp_path / unit
    copy.write_text(text.replace("/opt/seatwatch/bin/seatwatch", "/bin/true"), encoding="utf-8")
    checked = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in checked.stderr.splitlines() if unit in line]
    assert (checked.returncode, complaints) == (0, [])


@pytest.mark.parametrize("unit", ["seatwatch-server.service", "seatwatch-probe.service"])
def test_systemd_never_gives_up_on_a_unit_that_fails_quickly_and_often(unit: str) -> None:
    lines = (DEPLOY / "systemd" / unit).read_text(encoding="utf-8").splitlines()
    in_unit_section = lines[lines.index("[Unit]") : lines.index("[Service]")]
    assert "StartLimitIntervalSec=0" in in_unit_section
    assert "Restart=always" in lines


def test_the_compose_file_mounts_only_files_that_ship() -> None:
    """No container engine runs here: this checks the text, not the containers (deploy/README.md says so)."""
    text = (DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^  (\w+):$", text.partition("\nvolumes:")[0], re.MULTILINE) == [
        "mosquitto",
        "redis",
        "prometheus",
        "alertmanager",
        "grafana",
    ]
    mounted = re.findall(r"^ +- (\./[^:]+):", text, re.MULTILINE)
    made_by_hand = ["./passwords", "./scrape.token", "./notify.token", "./grafana/admin.password", "./grafana/boards"]
    assert len(mounted) == 13
    assert len(found := re.findall(r"image: (\S+)", text)) == 5
    assert all(re.search(r":v?\d+\.\d+", image) for image in found), "a version, or the next pull brings another"
    assert [name for name in mounted if not (DEPLOY / "compose" / name).exists()] == made_by_hand


def test_every_host_that_a_container_is_told_of_is_one_it_reaches() -> None:
    """Grafana alone had started without its Prometheus, which found no server under the name it was given."""
    compose = (DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8").partition("\nvolumes:")[0]
    services = dict(re.findall(r"^  (\w+):\n((?: {4}.*\n?)+)", compose, re.MULTILINE))
    told = {"prometheus": "prometheus.yml", "alertmanager": "alertmanager.yml"}
    told["grafana"] = "grafana/provisioning/datasources/prometheus.yaml"
    for service, file in told.items():
        text = (DEPLOY / "compose" / file).read_text(encoding="utf-8")
        for host in set(re.findall(r'(?:"|://)(\w+):\d{4}', text)):
            reached = "extra_hosts: " if host == "server" else "depends_on: "
            assert re.search(rf'{reached}\["?{host}\b', services[service]), (service, host)


def test_what_grafana_is_provisioned_with_is_where_the_compose_file_mounts_it() -> None:
    """Text again: the boards themselves are held to Grafana's published schemas in tests/dashboards/grafana."""
    compose = (DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8")
    provisioning = DEPLOY / "compose" / "grafana" / "provisioning"
    source = (provisioning / "datasources" / "prometheus.yaml").read_text(encoding="utf-8")
    boards = (provisioning / "dashboards" / "seatwatch.yaml").read_text(encoding="utf-8")
    (path,) = re.findall(r"path: (\S+)", boards)
    assert f"./grafana/boards:{path}:ro" in compose
    (scraped,) = re.findall(
        r"scrape_interval: (\S+)", (DEPLOY / "compose" / "prometheus.yml").read_text(encoding="utf-8")
    )
    assert f"timeInterval: {scraped}" in source
    assert "url: http://prometheus:9090" in source
    (password,) = re.findall(r"GF_SECURITY_ADMIN_PASSWORD__FILE: (\S+)", compose)
    assert f"./grafana/admin.password:{password}:ro" in compose, "or the first to come signs in as admin, admin"
