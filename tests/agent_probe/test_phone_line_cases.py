"""Phone systems as they answered once, replayed over real sockets: what the probe makes of each."""

import json
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from agent_probe.sensors import phone_line as folder
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.phone_line.sensor import Account, PhoneLineSensor
from tests.agent_probe.sip_replay import PASSWORD, SLOWER, PhoneSystem, answering, phone_line, recorded
from tests.servers import free_port
from wire.codec import encode_body
from wire.phone import PhoneLineReading, Registration, TrunkState

CASES = sorted((Path(folder.__file__).parent / "cases").iterdir())
OK = "SIP/2.0 200 OK\nVia: x\nFrom: x\nCall-ID: x\nCSeq: x\nContent-Length: 0"


def at(second: int) -> Stamp:
    return Stamp(1_800_000_000_000 + second * 1000, second * 1000, True)


@pytest.fixture
def account(tmp_path: Path) -> Account:
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n", encoding="ascii")
    return Account("sip:monitor@127.0.0.1", "monitor", str(password))


async def said(sensor: PhoneLineSensor, second: int) -> PhoneLineReading:
    (reading,) = await sensor.sample(at(second))
    body = reading.body()
    assert isinstance(body, PhoneLineReading)
    encode_body(body)
    return body


def in_short(body: PhoneLineReading, sensor: PhoneLineSensor) -> dict[str, Any]:
    return {
        "state": body.state.value,
        "registration": body.registration.value,
        "last_code": body.last_code,
        "misses": body.misses,
        "retry_after_ms": body.retry_after_ms,
        "error": body.error,
        "next_after_ms": sensor.schedule.interval_ms,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_recorded_phone_system_gives_what_its_case_expects(case: Path, account: Account) -> None:
    steps = recorded(case / "session.txt")
    registers = any(method == "REGISTER" for method, _ in steps)
    system = PhoneSystem(list(steps))
    async with answering(system) as port:
        sensor = phone_line(port, account=account if registers else None)
        turns = sum(method == "OPTIONS" for method, _ in steps)
        seen = [in_short(await said(sensor, second), sensor) for second in range(turns)]
        await sensor.close()
    assert seen == json.loads((case / "expected.json").read_text(encoding="utf-8"))


async def test_a_silent_phone_system_is_asked_again_within_one_turn_with_the_same_request() -> None:
    system = PhoneSystem([("OPTIONS", "(silence)")])
    async with answering(system) as port:
        sensor = phone_line(port)
        body = await said(sensor, 0)
        await sensor.close()
    assert (body.state, body.misses, body.error, body.last_code) == (TrunkState.UNKNOWN, 1, "timeout", None)
    assert len(system.heard) >= 3
    assert len(set(system.heard)) == 1


async def test_a_provisional_answer_is_no_answer_but_slows_the_asking() -> None:
    system = PhoneSystem([("OPTIONS", OK.replace("200 OK", "100 Trying"))])
    async with answering(system) as port:
        sensor = phone_line(port)
        assert (await said(sensor, 0)).error == "timeout"
        await sensor.close()
    assert len(system.heard) == 1


async def test_a_port_where_nobody_listens_is_known_at_once_and_down_after_three_turns() -> None:
    sensor = phone_line(free_port())
    bodies = [await said(sensor, second) for second in range(3)]
    await sensor.close()
    assert {body.error for body in bodies} == {"refused"}
    assert [body.state for body in bodies] == [TrunkState.UNKNOWN, TrunkState.UNKNOWN, TrunkState.UNREACHABLE]


async def test_a_name_that_does_not_resolve_is_a_miss_that_says_so() -> None:
    sensor = phone_line(5060, host="no-such-host.invalid")
    body = await said(sensor, 0)
    await sensor.close()
    assert (body.error, body.misses) in {("name", 1), ("timeout", 1)}


async def test_over_tcp_one_connection_carries_many_turns_and_the_request_names_its_transport() -> None:
    system = PhoneSystem([("OPTIONS", OK)])
    async with answering(system, udp=False) as port:
        sensor = phone_line(port, transport="tcp")
        states = [(await said(sensor, second)).state for second in range(3)]
        await sensor.close()
    assert states == [TrunkState.REACHABLE] * 3
    assert len({text.split("Via: ")[1].split(";")[0] for text in system.heard}) == 1
    assert "Via: SIP/2.0/TCP 127.0.0.1:" in system.heard[0]


async def test_over_tls_the_certificate_is_checked(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    for name, chosen in {"ours": authority, "other": stranger}.items():
        chosen.cert_pem.write_to_path(str(tmp_path / name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    system = PhoneSystem([("OPTIONS", OK)])
    async with answering(system, udp=False, tls=context) as port:
        wary = phone_line(port, transport="tls", ca_file=str(tmp_path / "other"), settings=SLOWER)
        assert (await said(wary, 0)).error == "certificate"
        sensor = phone_line(port, transport="tls", ca_file=str(tmp_path / "ours"), settings=SLOWER)
        assert (await said(sensor, 0)).state is TrunkState.REACHABLE
        await sensor.close()
    assert "SIP/2.0/TLS" in system.heard[0]


async def test_a_registration_is_renewed_at_half_of_its_life_and_runs_out_when_that_fails(account: Account) -> None:
    granted = OK + "\nContact: <sip:monitor@127.0.0.1:1>;expires=60, <sip:old@127.0.0.1:2>;expires=7"
    system = PhoneSystem([("OPTIONS", OK), ("REGISTER", granted), ("REGISTER", "(silence)")])
    async with answering(system) as port:
        sensor = phone_line(port, account=account)
        seen = [(second, await said(sensor, second)) for second in (0, 29, 30, 59, 60)]
        await sensor.close()
    assert [(second, body.registration) for second, body in seen] == [
        (0, Registration.REGISTERED),
        (29, Registration.REGISTERED),
        (30, Registration.TIMEOUT),
        (59, Registration.TIMEOUT),
        (60, Registration.EXPIRED),
    ]
    assert [body.expires_in_ms for _, body in seen] == [60_000, 31_000, 30_000, 1_000, 0]


async def test_a_registrar_that_wants_a_longer_life_gets_it(account: Account) -> None:
    brief = OK.replace("200 OK", "423 Interval Too Brief") + "\nMin-Expires: 900"
    system = PhoneSystem([("OPTIONS", OK), ("REGISTER", brief), ("REGISTER", OK)])
    async with answering(system) as port:
        sensor = phone_line(port, account=account)
        body = await said(sensor, 0)
        await sensor.close()
    assert (body.registration, body.expires_in_ms) == (Registration.REGISTERED, 900_000)
    assert [line for text in system.heard for line in text.split("\r\n") if line.startswith("Expires")] == [
        "Expires: 300",
        "Expires: 900",
    ]


async def test_a_password_file_that_vanished_stops_nothing_but_the_registration(tmp_path: Path) -> None:
    challenge = OK.replace("200 OK", "401 Unauthorized") + '\nWWW-Authenticate: Digest realm="r", nonce="n"'
    system = PhoneSystem([("OPTIONS", OK), ("REGISTER", challenge)])
    async with answering(system) as port:
        sensor = phone_line(port, account=Account("sip:a@b", "a", str(tmp_path / "none")))
        body = await said(sensor, 0)
        await sensor.close()
    assert (body.state, body.registration) == (TrunkState.REACHABLE, Registration.TIMEOUT)
