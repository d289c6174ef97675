"""The doctor against real troubles: it names each one, and nothing else, and says what mends it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from agent_probe._core.sntp import PACKET, UNIX_EPOCH_IN_NTP
from agent_probe.config import BrokerConfig, HubConfig, ProbeConfig, TlsConfig, Transport
from agent_probe.doctor.examination import DoctorSettings, examine
from agent_probe.doctor.findings import Because, Finding, Outcome, Subject
from agent_probe.platform import current
from agent_probe.platform.linux import Linux
from agent_probe.sensors.config import NetworkConfig, UpsConfig
from seatwatch.glossary import words
from seatwatch.probe import command as probe_command
from seatwatch.settings import load_defaults
from tests.agent_probe.living_probe import SETTINGS, gateway
from tests.collector.running import running_hub
from tests.integration.test_https import GATEWAY, TOKEN, door
from tests.relays import Authority, connect_proxy, tls_in_front
from tests.servers import Server, UpsServer, free_port, run_mosquitto, run_ups_server
from wire.facility import Role

DOCTOR = DoctorSettings(load_defaults().ms("probe.doctor_clock"), load_defaults().ms("probe.doctor_listen"))
QUICK = SETTINGS._replace(uplink=SETTINGS.uplink._replace(connect_ms=500))


async def found(config: ProbeConfig, *, clock_ahead_ms: int = 0) -> list[Finding]:
    platform = current()
    return await examine(config, QUICK, DOCTOR, platform, now_ms=lambda: platform.wall_ms() + clock_ahead_ms)


def troubles(findings: list[Finding]) -> list[tuple[Subject, Because]]:
    return [(each.subject, each.because) for each in findings if each.outcome is Outcome.PROBLEM]


def secret(path: Path, text: str = TOKEN) -> str:
    path.write_text(text, encoding="ascii")
    path.chmod(0o600)
    return str(path)


def with_hub(directory: Path, url: str, **hub: Any) -> ProbeConfig:
    there = HubConfig(url, token_file=secret(directory / "token"), **hub)
    return gateway(directory / "box", 1, transport=Transport.HTTPS, hub=there)


async def test_where_everything_works_nothing_is_to_be_mended(
    tmp_path: Path, mosquitto: Server, ups_server: UpsServer
) -> None:
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        config = gateway(
            tmp_path / "box",
            mosquitto.port,
            nut_port=ups_server.port,
            ups="ups1",
            hub=HubConfig(f"http://127.0.0.1:{port}", token_file=secret(tmp_path / "token")),
        )
        findings = await found(config)
        assert troubles(findings) == []
        assert {each.subject for each in findings} == set(Subject)
        assert hub.intake.stats.doors[0].frames == 0, "looking stores nothing and counts as nothing"


async def test_a_name_nobody_knows_is_one_trouble_and_what_needs_it_is_not_looked_at(tmp_path: Path) -> None:
    config = ProbeConfig("sz1", "gw1", BrokerConfig("hub.invalid"), role=Role.GATEWAY, data_dir=str(tmp_path))
    findings = await found(config)
    assert troubles(findings) == [(Subject.NAME, Because.NAME_UNKNOWN)]
    assert [each.outcome for each in findings[1:3]] == [Outcome.SKIPPED, Outcome.SKIPPED]


async def test_a_closed_port_and_a_silent_one_are_told_apart(tmp_path: Path) -> None:
    closed = gateway(tmp_path, free_port())
    assert troubles(await found(closed)) == [(Subject.PORT, Because.PORT_REFUSED)]
    with ExitStack() as stack:  # a full queue of connections swallows the next one, as a firewall does
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(full.getsockname())
        silent = gateway(tmp_path, full.getsockname()[1])
        assert troubles(await found(silent)) == [(Subject.PORT, Because.PORT_SILENT)]


NOW = datetime.now(UTC).replace(tzinfo=None)  # noqa: TID251 - trustme takes naive dates; the clock is real


@pytest.mark.parametrize(
    ("validity", "identity", "trusted", "because"),
    [
        ({}, "127.0.0.1", False, Because.TLS_AUTHORITY),
        ({}, "elsewhere.example", True, Because.TLS_NAME),
        ({"not_after": NOW - timedelta(days=1)}, "127.0.0.1", True, Because.TLS_EXPIRED),
        ({"not_before": NOW + timedelta(days=1)}, "127.0.0.1", True, Because.TLS_NOT_YET),
    ],
)
async def test_a_certificate_that_proves_nothing_is_named_for_what_is_wrong_with_it(
    tmp_path: Path, mosquitto: Server, validity: dict[str, Any], identity: str, trusted: bool, because: Because
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    async with tls_in_front(mosquitto.port, authority.serving(identity, **validity)) as port:
        file = (authority if trusted else stranger).file
        config = gateway(tmp_path / "box", port, tls=TlsConfig(str(file)))
        assert troubles(await found(config)) == [(Subject.TLS, because)]


async def test_a_port_without_tls_and_a_broker_that_wants_our_certificate_are_named(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(tmp_path / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "server.pem"))
    strict = free_port()
    lines = [f"listener {strict} 127.0.0.1", f"cafile {tmp_path}/ca.pem", f"certfile {tmp_path}/server.pem"]
    lines += [f"keyfile {tmp_path}/server.key", "require_certificate true"]
    tls = TlsConfig(str(tmp_path / "ca.pem"))
    with run_mosquitto(tmp_path, lines=lines) as broker:
        plain = await found(gateway(tmp_path / "box", broker.port, tls=tls))
        assert troubles(plain) == [(Subject.TLS, Because.TLS_NOT_SPOKEN)]
        refused = await found(gateway(tmp_path / "box", strict, tls=tls))
        assert troubles(refused) == [(Subject.TLS, Because.TLS_WANTS_OURS)]


@pytest.mark.parametrize(("ahead_ms", "offset"), [(5_000, "+"), (-5_000, "-"), (86_400_000, "+86")])
async def test_a_clock_that_is_off_is_named_with_its_direction(tmp_path: Path, ahead_ms: int, offset: str) -> None:
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        findings = await found(with_hub(tmp_path, f"http://127.0.0.1:{port}"), clock_ahead_ms=ahead_ms)
        assert troubles(findings) == [(Subject.CLOCK, Because.CLOCK_WRONG)]
        (wrong,) = [each for each in findings if each.because is Because.CLOCK_WRONG]
        assert wrong.values["offset"].startswith(offset)


class TimeServer(asyncio.DatagramProtocol):
    """Says what time it is, `ahead_ms` wrong, and before that what somebody else was told."""

    def __init__(self, ahead_ms: int) -> None:
        self.ahead_ms = ahead_ms

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        ms = current().wall_ms() + self.ahead_ms
        now = (ms // 1000 + UNIX_EPOCH_IN_NTP, (ms % 1000 << 32) // 1000)
        asked = PACKET.unpack(data)[-2:]
        for nonce in ((1, 2), asked):
            answer = PACKET.pack(0x24, 2, 0, 0, 0, 0, 0, 0, 0, *nonce, *now, *now)
            self.transport.sendto(answer, addr)  # type: ignore[attr-defined]  # a datagram transport


@pytest.mark.parametrize(("ahead_ms", "offset"), [(0, None), (3_000, "-3.0"), (-90_000, "+90.0")])
async def test_a_time_server_is_asked_where_one_is_configured(
    tmp_path: Path, mosquitto: Server, ahead_ms: int, offset: str | None
) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: TimeServer(ahead_ms), ("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        config = replace(
            gateway(tmp_path, mosquitto.port), network=NetworkConfig(time_server="127.0.0.1", time_port=port)
        )
        clock = next(each for each in await found(config) if each.subject is Subject.CLOCK)
    finally:
        transport.close()
    assert clock.values.get("offset") == offset
    assert clock.outcome is (Outcome.OK if offset is None else Outcome.PROBLEM)
    silent = await found(config)
    assert troubles(silent) == [(Subject.CLOCK, Because.CLOCK_UNANSWERED)]


async def test_a_token_nobody_knows_is_refused_and_one_that_others_may_read_is_open(tmp_path: Path) -> None:
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        config = with_hub(tmp_path, f"http://127.0.0.1:{port}")
        secret(tmp_path / "token", "another")
        assert troubles(await found(config)) == [(Subject.IDENTITY, Because.IDENTITY_REFUSED)]
        by_certificate = HubConfig(f"http://127.0.0.1:{port}", tls=TlsConfig("", "own.pem", "own.pem"))
        assert (Subject.IDENTITY, Because.IDENTITY_ENDED) in troubles(await found(replace(config, hub=by_certificate)))
        secret(tmp_path / "token")
        (tmp_path / "token").chmod(0o644)
        assert troubles(await found(config)) == [(Subject.IDENTITY, Because.IDENTITY_OPEN)]
        secret(tmp_path / "token", "")
        assert (Subject.IDENTITY, Because.IDENTITY_UNREADABLE) in troubles(await found(config))


async def test_a_proxy_that_refuses_and_a_page_that_is_not_the_hub_are_named(tmp_path: Path) -> None:
    async def portal(_: web.Request) -> web.Response:
        return web.Response(text="please sign in", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", portal)
    async with TestServer(app) as captive, connect_proxy([], refuse=True) as refusing, connect_proxy([]) as passing:
        url = f"http://127.0.0.1:{captive.port}"
        caught = await found(with_hub(tmp_path, url, proxy=f"http://127.0.0.1:{passing}"))
        assert troubles(caught) == [(Subject.IDENTITY, Because.HUB_OTHER)]
        refused = await found(with_hub(tmp_path, url, proxy=f"http://127.0.0.1:{refusing}"))
        assert troubles(refused) == [(Subject.TLS, Because.PROXY_REFUSES)]


async def test_our_own_certificate_is_looked_at_for_its_dates_its_key_and_who_may_read_it(
    tmp_path: Path, mosquitto: Server
) -> None:
    authority = trustme.CA()
    issued = {
        "good": authority.issue_cert("gw1.sz1.example"),
        "old": authority.issue_cert("gw1.sz1.example", not_after=NOW - timedelta(days=1)),
    }
    for name, certificate in issued.items():
        certificate.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}.pem"))
        certificate.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
        (tmp_path / f"{name}.key").chmod(0o600)

    async def about(cert: str, key: str) -> list[Because]:
        tls = TlsConfig("", str(tmp_path / cert), str(tmp_path / key))
        config = gateway(tmp_path / "box", free_port(), tls=tls)
        return [each.because for each in await found(config) if each.subject is Subject.IDENTITY]

    assert await about("good.pem", "good.key") == [Because.SEEN]
    assert await about("old.pem", "old.key") == [Because.IDENTITY_EXPIRED]
    assert await about("good.pem", "old.key") == [Because.IDENTITY_MISMATCH]
    assert await about("good.pem", "none.key") == [Because.IDENTITY_UNREADABLE]
    assert await about("good.key", "good.key") == [Because.IDENTITY_UNREADABLE]
    (tmp_path / "good.key").chmod(0o640)
    assert await about("good.pem", "good.key") == [Because.IDENTITY_OPEN]


async def test_each_trouble_of_a_ups_is_told_apart(tmp_path: Path) -> None:
    def config(port: int, name: str = "ups1") -> ProbeConfig:
        there = gateway(tmp_path / "box", free_port())
        return ProbeConfig(
            there.site,
            there.probe,
            there.broker,
            role=Role.GATEWAY,
            data_dir=there.data_dir,
            ups=[UpsConfig(name, port=port)],
        )

    def about_ups(findings: list[Finding]) -> list[Because]:
        return [each.because for each in findings if each.subject is Subject.UPS]

    with run_ups_server(tmp_path, {"ups1": {"ups.status": "OL"}}) as server:
        assert about_ups(await found(config(server.port))) == [Because.SEEN]
        assert about_ups(await found(config(server.port, "rack9"))) == [Because.UPS_UNKNOWN]
        server.drivers["ups1"].kill()
        assert about_ups(await found(config(server.port))) == [Because.UPS_DRIVER]
        server.server.kill()
        assert about_ups(await found(config(server.port))) == [Because.UPS_NO_UPSD]


async def test_a_ups_that_is_no_nuts_is_not_told_to_start_nut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linux, "battery", lambda _: None)
    there = gateway(tmp_path / "box", free_port())
    card, own = UpsConfig("card", port=free_port(), via="snmp"), UpsConfig("own", via="battery")
    findings = await found(replace(there, ups=[card, own]))
    seen = [(each.about, each.because) for each in findings if each.subject is Subject.UPS]
    assert seen == [("card", Because.UPS_NO_AGENT), ("own", Because.UPS_NO_BATTERY)]


async def test_a_folder_that_is_a_file_or_a_disk_without_room_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    in_the_way = await found(gateway(tmp_path / "file" / "box", free_port()))
    assert troubles(in_the_way)[-1] == (Subject.DISK, Because.DISK_WRITE)
    huge = QUICK._replace(outbox=QUICK.outbox._replace(keep_bytes=1 << 60))
    findings = await examine(gateway(tmp_path, free_port()), huge, DOCTOR, current())
    assert troubles(findings)[-1] == (Subject.DISK, Because.DISK_FULL)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "probe.toml"
    file.write_text(
        f'site = "sz1"\nprobe = "gw1"\nrole = "gateway"\ndata_dir = "{tmp_path / "box"}"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {free_port()}\n',
        encoding="utf-8",
    )
    return file


def test_the_command_prints_a_line_each_with_the_fix_and_ends_with_1(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe_command.run(["doctor", "--config", str(written)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(Subject)
    (wrong,) = [line for line in lines if line.startswith("PROBLEM")]
    assert "start the service there" in wrong
    assert probe_command.run(["doctor", "--config", str(written), "--lang", "zh"]) == 1
    assert "请在对方启动服务" in capsys.readouterr().out


def test_the_command_speaks_json_and_ends_with_0_where_nothing_is_wrong_and_2_without_a_configuration(
    written: Path, mosquitto: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    text = written.read_text(encoding="utf-8")
    written.write_text(text[: text.rindex("port")] + f"port = {mosquitto.port}\n", encoding="utf-8")
    assert probe_command.run(["doctor", "--config", str(written), "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["outcome"] for line in said} == {"ok", "skipped"}
    assert [line["subject"] for line in said] == [
        *("name", "port", "tls", "clock", "identity", "line", "witness", "phone_line", "ups", "disk")
    ]
    assert probe_command.run(["doctor", "--config", str(written) + os.sep + "none"]) == 2
    assert "fix:" in capsys.readouterr().err
    assert probe_command.run(["doctor"]) == 2


def test_a_console_that_cannot_show_chinese_gets_the_whole_report_all_the_same(written: Path) -> None:
    command = [sys.executable, "-m", "seatwatch", "probe", "doctor", "--config", str(written), "--lang", "zh"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert len(done.stdout.splitlines()) == len(Subject)


def test_every_word_of_the_doctor_has_a_place_for_what_it_is_given() -> None:
    table = words()
    for key in (*Subject, *Outcome, *Because):
        assert set(_places(table[key].zh)) == set(_places(table[key].en)), key


def _places(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]
