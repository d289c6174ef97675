"""What Mosquitto denied is read out of its log, line by line, as it grows and is cut short."""

from pathlib import Path

from collector.enrolment._core.denials import Denials
from collector.enrolment.broker_log import BrokerLog
from wire.enrolment import Access

LINES = [
    "1795321142: New client connected from 127.0.0.1:1 as s1/seat (p5, c1, k60, u's1/seat').",
    "1795321142: Received PUBLISH from s1/seat (d0, q1, r0, m1, 'v1/s1/seat/up', ... (1 bytes))",
    "1795321142: Denied PUBLISH from s1/seat (d0, q1, r0, m2, 'v1/s1/gw/up', ... (1 bytes))",
    "1795321142: Received SUBSCRIBE from s1/seat",
    "1795321142: \t# (QoS 1)",
    "1795321142: \tv1/s1/seat/ack (QoS 1)",
    "1795321142: \tv1/s1/gw/ack (QoS 0)",
    "1795321142: Sending SUBACK to s1/seat",
    "1795321142: \tv1/s1/gw/ack (QoS 0)",
    "1795321056: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed",
]


def test_each_denial_counts_once_under_its_kind() -> None:
    denials = Denials()
    denials.take(LINES)
    assert denials.counts == {Access.CONNECT: 1, Access.PUBLISH: 1, Access.SUBSCRIBE: 2}


def test_lines_may_come_in_any_pieces() -> None:
    denials = Denials()
    for line in LINES:
        denials.take([line])
    assert denials.counts[Access.SUBSCRIBE] == 2


def test_a_topic_that_looks_like_a_line_of_the_log_counts_as_what_it_is() -> None:
    denials = Denials()
    denials.take(["1: Received PUBLISH from s/p (d0, q0, r0, m0, 'x: Denied PUBLISH from y', ... (1 bytes))"])
    assert denials.counts[Access.PUBLISH] == 0


def test_a_log_is_read_once_and_cut_short_beyond_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "denied.log"
    log = BrokerLog(path, bytes_max=20)
    assert list(log.lines()) == []
    with path.open("ab") as written:
        written.write(b"one\ntwo\nhal")
        written.flush()
        assert list(log.lines()) == ["one", "two"]
        written.write(b"f\n" + b"x" * 30 + b"\n")
        written.flush()
        assert list(log.lines()) == ["half", "x" * 30]
        assert path.stat().st_size == 0
        written.write(b"after\n")
        written.flush()
        assert list(log.lines()) == ["after"]


def test_a_log_that_somebody_else_rotated_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "denied.log"
    path.write_bytes(b"one\ntwo\n")
    log = BrokerLog(path, bytes_max=1000)
    assert len(list(log.lines())) == 2
    path.write_bytes(b"new\n")
    assert list(log.lines()) == ["new"]
