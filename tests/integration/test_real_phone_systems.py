"""Phone lines against SIPp over UDP and TCP, and against Kamailio as a registrar that asks for a password."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent_probe.sensors.base import Stamp
from agent_probe.sensors.phone_line.sensor import Account, PhoneLineSensor
from tests.agent_probe.sip_replay import PASSWORD, SLOWER, phone_line
from tests.servers import LOOPBACK, Server, free_port, program, running
from wire.phone import PhoneLineReading, Registration, TrunkState

ANSWERS_OPTIONS = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answers OPTIONS">
  <recv request="OPTIONS"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]-[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
</scenario>
"""
KAMAILIO = """#!KAMAILIO
debug=1
log_stderror=yes
fork=no
children=1
listen=udp:127.0.0.1:{port}
auto_aliases=no
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
request_route {{
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  if (!pv_www_authenticate("$td", "{password}", "0")) {{ www_challenge("$td", "1"); exit; }}
  save("location");
  exit;
}}
"""
QUICK = replace(SLOWER, transaction=replace(SLOWER.transaction, sip_t1_ms=50, phone_answer_ms=300))


async def said(sensor: PhoneLineSensor, second: int) -> PhoneLineReading:
    (reading,) = await sensor.sample(Stamp(1_800_000_000_000 + second * 1000, second * 1000, True))
    body = reading.body()
    assert isinstance(body, PhoneLineReading)
    return body


def listens(protocol: str, port: int) -> bool:
    table = Path(f"/proc/net/{protocol}").read_text(encoding="ascii")
    return re.search(rf" 0100007F:{port:04X} 00000000:0000 ", table) is not None


@contextmanager
def run_sipp(directory: Path, transport: str) -> Iterator[Server]:
    scenario = directory / "answers.xml"
    scenario.write_text(ANSWERS_OPTIONS, encoding="ascii")
    port = free_port()
    mode = {"udp": "u1", "tcp": "t1"}[transport]
    options = ["-i", LOOPBACK, "-p", str(port), "-t", mode, "-nostdin", "-skip_rlimit"]
    command = [program("sipp"), "-sf", str(scenario), *options]
    with running(
        Server(command, port=port, directory=directory, ready=lambda port: listens(transport, port))
    ) as server:
        yield server


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_phone_system_that_freezes_is_unreachable_after_three_misses_and_back_after_two_answers(
    tmp_path: Path, transport: str
) -> None:
    with run_sipp(tmp_path, transport) as server:
        sensor = phone_line(server.port, transport=transport, settings=QUICK)
        seconds = itertools.count()
        first = await said(sensor, next(seconds))
        assert (first.state, first.last_code, first.transport) == (TrunkState.REACHABLE, 200, transport)
        assert first.rtt_us is not None
        assert first.rtt_us < 300_000
        server.pause()
        missed = [await said(sensor, next(seconds)) for _ in range(3)]
        assert [body.misses for body in missed] == [1, 2, 3]
        assert (missed[1].state, missed[2].state) == (TrunkState.REACHABLE, TrunkState.UNREACHABLE)
        assert {body.error for body in missed} == {"timeout"}
        server.kill()
        server.start()
        back = [await said(sensor, next(seconds)) for _ in range(2)]
        assert [body.state for body in back] == [TrunkState.UNREACHABLE, TrunkState.REACHABLE]
        server.kill()
        assert (await said(sensor, next(seconds))).error in {"refused", "closed"}
        assert (await said(sensor, next(seconds))).error == "refused"
        await sensor.close()


async def test_kamailio_registers_the_monitor_account_and_rejects_a_wrong_password(tmp_path: Path) -> None:
    port = free_port()
    configuration = tmp_path / "kamailio.cfg"
    configuration.write_text(KAMAILIO.format(port=port, password=PASSWORD), encoding="ascii")
    command = [program("kamailio"), "-DD", "-E", "-f", str(configuration), "-Y", str(tmp_path), "-m", "16", "-M", "4"]
    with running(Server(command, port=port, directory=tmp_path, ready=lambda port: listens("udp", port))):
        for password, expected in (
            (PASSWORD, Registration.REGISTERED),
            ("wrong", Registration.REJECTED_PERMANENT),
        ):
            file = tmp_path / password
            file.write_text(password, encoding="ascii")
            account = Account("sip:monitor@127.0.0.1", "monitor", str(file))
            sensor = phone_line(port, account=account, settings=SLOWER)
            body = await said(sensor, 0)
            await sensor.close()
            assert (body.state, body.registration) == (TrunkState.REACHABLE, expected)
