"""What the doctor says of broadband lines, of their witness, and of phone lines: each trouble by its name."""

import asyncio
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from agent_probe.config import HubConfig
from agent_probe.doctor.findings import Because, Finding, Outcome, Subject
from agent_probe.doctor.lines import look_at_lines
from agent_probe.doctor.phone import look_at_phone_lines
from agent_probe.doctor.witness import look_at_witness
from agent_probe.line_config import LineConfig, RouterConfig
from agent_probe.platform import current
from agent_probe.sensors.config import PhoneLineConfig, RegisterConfig
from seatwatch.glossary import words
from tests.agent_probe.living_probe import SETTINGS, gateway
from tests.agent_probe.sip_replay import PhoneSystem, answering
from tests.collector.running import running_hub
from tests.integration.test_doctor import QUICK, secret
from tests.integration.test_https import GATEWAY, door
from tests.integration.test_snmp_ups import simulator
from tests.relays import Authority
from tests.servers import free_port, running


async def test_a_line_without_link_or_address_is_named_with_its_interface(tmp_path: Path) -> None:
    lines = [
        LineConfig("telecom", "Telecom", "no-such-device", ["192.0.2.1"]),
        LineConfig("unicom", "Unicom", "lo", ["192.0.2.1"], source_address="192.0.2.9"),
    ]
    platform = current()
    config = msgspec.structs.replace(gateway(tmp_path / "box", 1), line=lines)
    findings = await look_at_lines(config, QUICK, platform)
    assert [(each.about, each.because, each.values["interface"]) for each in findings] == [
        ("telecom", Because.LINE_NO_LINK, "no-such-device"),
        ("unicom", Because.LINE_NO_ADDRESS, "lo"),
    ]
    nothing = await look_at_lines(gateway(tmp_path / "box", 1), QUICK, platform)
    assert [each.outcome for each in nothing] == [Outcome.SKIPPED]


async def test_a_router_that_is_silent_or_has_no_such_interface_and_two_lines_of_one_address_are_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "router.snmprec").write_text("1.3.6.1.2.1.2.2.1.8.3|2|1\n1.3.6.1.2.1.2.2.1.8.4|2|4\n", encoding="ascii")
    with running(simulator(tmp_path)) as server:

        def line(name: str, router: RouterConfig | None) -> LineConfig:
            return LineConfig(name, name, "lo", ["192.0.2.1"], source_address="192.0.2.9", router=router)

        def router(index: int, port: int = server.port) -> RouterConfig:
            return RouterConfig("127.0.0.1", index, port, "router")

        async def about(*lines: LineConfig) -> list[tuple[str, Because]]:
            config = msgspec.structs.replace(gateway(tmp_path / "box", 1), line=list(lines))
            return [(each.about, each.because) for each in await look_at_lines(config, QUICK, current())]

        assert await about(line("a", router(3)), line("b", router(4)), line("c", router(5))) == [
            *((name, Because.LINE_NO_ADDRESS) for name in "abc"),
            ("a", Because.SEEN),
            ("b", Because.ROUTER_NO_LINK),
            ("c", Because.ROUTER_NO_LINK),
        ]
        assert await about(line("a", router(3, free_port())), line("b", None)) == [
            ("a", Because.LINE_NO_ADDRESS),
            ("b", Because.LINE_SHARED),
            ("a", Because.ROUTER_SILENT),
        ]


async def test_a_line_without_a_witness_is_never_said_to_be_fine(tmp_path: Path) -> None:
    lines = [
        LineConfig(name, name, "lo", ["127.0.0.1"], source_address=f"127.0.0.{n}") for n, name in enumerate("ab", 2)
    ]

    async def about(hub: HubConfig | None, *outcomes: Outcome) -> list[tuple[str, Outcome, Because]]:
        config = replace(gateway(tmp_path / "box", 1, hub=hub), line=lines)
        judged = [
            Finding(Subject.LINE, line.name, outcome, Because.SEEN, {"seen": "", "source": line.source_address})
            for line, outcome in zip(lines, outcomes, strict=True)
        ]
        return [
            (each.about, each.outcome, each.because) for each in await look_at_witness(config, QUICK, current(), judged)
        ]

    fine = (Outcome.OK, Outcome.OK)
    token = secret(tmp_path / "token")
    assert {each[1:] for each in await about(None, *fine)} == {(Outcome.SKIPPED, Because.WITNESS_NO_DOOR)}
    hidden = HubConfig("https://hub.example", proxy="http://127.0.0.1:1")
    assert {each[1:] for each in await about(hidden, *fine)} == {(Outcome.SKIPPED, Because.WITNESS_PROXY)}
    closed = HubConfig(f"http://127.0.0.1:{free_port()}", token_file=token)
    assert {each[1:] for each in await about(closed, *fine)} == {(Outcome.PROBLEM, Because.WITNESS_SILENT)}
    async with running_hub(tmp_path / "hub", sources=[GATEWAY]) as hub, door(hub) as port:
        there = HubConfig(f"http://127.0.0.1:{port}", token_file=token)
        assert await about(there, Outcome.OK, Outcome.PROBLEM) == [
            ("a", Outcome.OK, Because.SEEN),
            ("b", Outcome.SKIPPED, Because.NEEDS_FIRST),
        ]
        lines[1] = replace(lines[1], source_address="127.0.0.2")
        assert (await about(there, *fine))[1] == ("b", Outcome.PROBLEM, Because.WITNESS_SHARED)


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        ("SIP/2.0 200 OK", Because.SEEN),
        ("SIP/2.0 404 Not Found", Because.SEEN),
        ("SIP/2.0 503 Busy", Because.PHONE_REJECTS),
    ],
)
async def test_a_phone_line_that_answers_is_told_from_one_that_takes_no_calls(
    tmp_path: Path, answer: str, because: Because
) -> None:
    system = PhoneSystem([("OPTIONS", f"{answer}\nVia:\nFrom:\nTo: <sip:x>\nCall-ID:\nCSeq:\nContent-Length: 0")])
    async with answering(system) as port:
        account = RegisterConfig("sip:1@pbx", str(tmp_path / "none"))
        lines = [PhoneLineConfig("trunk", "127.0.0.1", port, register=account)]
        config = replace(gateway(tmp_path / "box", 1), phone_line=lines)
        (finding,) = await look_at_phone_lines(config, QUICK, current())
    assert (finding.about, finding.because) == ("trunk", because)
    assert [said.partition(" ")[0] for said in system.heard] == ["OPTIONS"], "the doctor registers nobody"


async def test_each_trouble_of_a_phone_line_is_named(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    silent = PhoneSystem([])
    quick = replace_fields(
        SETTINGS.phone_line, transaction=replace_fields(SETTINGS.phone_line.transaction, phone_answer_ms=400)
    )

    async def found_of(**line: Any) -> Because:
        config = replace(gateway(tmp_path / "box", 1), phone_line=[PhoneLineConfig("trunk", **line)])
        (finding,) = await look_at_phone_lines(config, QUICK._replace(phone_line=quick), current())
        words()[finding.because].text("zh").format(**finding.values)
        return finding.because

    here: dict[str, Any] = {"host": "127.0.0.1"}
    assert await found_of(host="no-such-host.invalid") is Because.PHONE_NAME
    assert await found_of(**here, port=free_port(), transport="tcp") is Because.PHONE_REFUSED
    assert await found_of(**here, port=1, transport="tcp", bind_address="192.0.2.9") is Because.PHONE_UNREACHABLE
    async with answering(silent) as port:
        assert await found_of(**here, port=port) is Because.PHONE_SILENT
    async with answering(silent, udp=False, tls=authority.serving()) as port:
        tls: dict[str, Any] = {**here, "port": port, "transport": "tls"}
        assert await found_of(**tls, ca_file=str(other.file)) is Because.PHONE_CERTIFICATE
        assert await found_of(**tls, ca_file=str(authority.file)) is Because.PHONE_SILENT
    nothing = await look_at_phone_lines(gateway(tmp_path / "box", 1), QUICK, current())
    assert [each.outcome for each in nothing] == [Outcome.SKIPPED]


@pytest.mark.parametrize(
    ("says", "because"),
    [(b"220 mail.example\r\n" * 4_000, Because.PHONE_NOT_SIP), (b"", Because.PHONE_CLOSED), (None, Because.PHONE_TLS)],
)
async def test_another_service_where_a_phone_line_should_be_is_told(
    tmp_path: Path, says: bytes | None, because: Because
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n" if says is None else says)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = PhoneLineConfig("trunk", "127.0.0.1", port, "tls" if says is None else "tcp")
    config = replace(gateway(tmp_path / "box", 1), phone_line=[line])
    (finding,) = await look_at_phone_lines(config, QUICK, current())
    assert finding.because is because
    server.close()
