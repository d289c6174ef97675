"""Codec, transaction, digest and the states of trunk and registration, without I/O."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe.sensors.phone_line.digest import challenge_of, credentials
from agent_probe.sensors.phone_line.registration import Registrar, RegistrationRules
from agent_probe.sensors.phone_line.sip import (
    Answer,
    Dialogue,
    Hop,
    SipProtocolError,
    SipStream,
    read_datagram,
    request,
)
from agent_probe.sensors.phone_line.transaction import Transaction, TransactionRules
from agent_probe.sensors.phone_line.trunk import Trunk, TrunkRules, Turn
from wire.phone import Registration, TrunkState

RULES = TrunkRules(phone_misses=3, phone_back=2, phone_lagged_ms=2_000)
LIVES = RegistrationRules(phone_registered_ms=300_000, phone_register_again_ms=60_000, phone_register_seldom_ms=600_000)
TIMES = TransactionRules(sip_t1_ms=500, sip_t2_ms=4_000, phone_answer_ms=10_000)
GOOD, SLOW, BUSY, MISS = Turn(200, 9_000), Turn(200, 2_500_000), Turn(503), Turn(None)
U, R, L = TrunkState.UNKNOWN, TrunkState.REACHABLE, TrunkState.LAGGED
X, D = TrunkState.UNAVAILABLE, TrunkState.UNREACHABLE
FOLDED = (
    b"SIP/2.0 200 OK\r\nv: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1 ,\r\n SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2\r\n"
    b"l: 4\r\nContact: <sip:a@b>;expires=9\r\nContact: <sip:c@d>\r\n\r\nbody"
)


@pytest.mark.parametrize(
    ("turns", "states"),
    [
        ([GOOD, MISS, MISS, GOOD, MISS, MISS, MISS], [R, R, R, R, R, R, D]),
        ([MISS, MISS, MISS, GOOD, GOOD], [U, U, D, D, R]),
        ([MISS, GOOD], [U, R]),
        ([GOOD, MISS, BUSY, BUSY, MISS], [R, R, R, X, D]),
        ([GOOD, SLOW, GOOD, SLOW, SLOW, GOOD, GOOD], [R, R, R, R, L, L, R]),
        ([MISS, MISS, MISS, GOOD, MISS, GOOD, GOOD], [U, U, D, D, D, D, R]),
        ([Turn(404), Turn(486), Turn(408), Turn(408), Turn(408)], [R, R, R, R, X]),
    ],
)
def test_a_trunk_is_believed_down_after_three_bad_turns_and_back_after_two_good_ones(
    turns: list[Turn], states: list[TrunkState]
) -> None:
    trunk = Trunk(RULES)
    assert [trunk.observe(turn, 1_000 * n).state for n, turn in enumerate(turns)] == states


def test_a_trunk_says_how_long_its_state_has_held_and_how_many_turns_were_bad() -> None:
    trunk = Trunk(RULES)
    seen = [trunk.observe(turn, now) for now, turn in [(0, GOOD), (5_000, MISS), (8_000, MISS), (11_000, MISS)]]
    assert [(believed.since_ms, believed.misses) for believed in seen] == [(0, 0), (5_000, 1), (8_000, 2), (0, 3)]


def test_a_request_goes_again_after_t1_doubled_up_to_t2_until_it_is_given_up() -> None:
    transaction = Transaction(TIMES, 0, is_reliable=False)
    sent = []
    now = 0
    while not transaction.is_over(now):
        if transaction.send(now):
            sent.append(now)
        now = transaction.next_wake_at
    assert (sent, now) == ([0, 500, 1_500, 3_500, 7_500], 10_000)


def test_over_a_reliable_transport_a_request_goes_once_and_a_provisional_answer_slows_the_rest() -> None:
    once = Transaction(TIMES, 0, is_reliable=True)
    assert (once.send(0), once.next_wake_at, once.send(9_999)) == (True, 10_000, False)
    once.heard(100)
    assert once.next_wake_at == 10_000
    slowed = Transaction(TIMES, 0, is_reliable=False)
    slowed.send(0)
    slowed.heard(100)
    assert slowed.next_wake_at == 4_100


def test_an_answer_is_read_with_folded_lines_compact_names_and_several_headers() -> None:
    (answer,) = SipStream().feed(FOLDED)
    assert (answer.code, answer.reason, answer.branch) == (200, "OK", "z9hG4bK1")
    assert answer.headers["contact"] == ["<sip:a@b>;expires=9", "<sip:c@d>"]
    assert read_datagram(FOLDED) == answer


@given(cuts=st.lists(st.integers(0, 2 * len(FOLDED) + 30), max_size=6))
def test_a_stream_gives_the_same_answers_however_it_is_cut(cuts: list[int]) -> None:
    request_to_us = b"OPTIONS sip:x SIP/2.0\r\n\r\n"
    data = FOLDED + b"\r\n\r\n" + request_to_us + FOLDED
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    stream = SipStream()
    answers = [a for begin, end in pairwise(edges) for a in stream.feed(data[begin:end])]
    assert [answer.code for answer in answers] == [200, 200]


@given(st.binary(max_size=300))
def test_noise_is_never_an_answer_and_never_an_accident(data: bytes) -> None:
    assert read_datagram(b"SIP/3.0 200 OK\r\n" + data) is None
    assert SipStream().feed(data) == []


@given(st.binary(max_size=300))
def test_an_answer_full_of_noise_is_read_without_an_accident(data: bytes) -> None:
    answer = read_datagram(b"SIP/2.0 200 OK\r\n" + data + b"\r\n\r\n")
    assert answer is not None
    assert (answer.code, answer.is_final) == (200, True)
    assert answer.number("retry-after") is None or data
    assert challenge_of(answer) is None


def test_a_message_without_end_is_refused() -> None:
    with pytest.raises(SipProtocolError, match="65536"):
        SipStream().feed(b"x" * 70_000)
    with pytest.raises(SipProtocolError, match="65536"):
        SipStream().feed(b"SIP/2.0 200 OK\r\nContent-Length: 99999999\r\n\r\n")


def test_a_request_over_ipv6_is_written_with_brackets() -> None:
    dialogue = Dialogue("sip:[2001:db8::1]:5060", "sip:[2001:db8::1]:5060", "", "tag", "call")
    lines = request("OPTIONS", dialogue, Hop("TCP", "2001:db8::9", 40_000), branch="z9hG4bKx", number=7).split(b"\r\n")
    assert lines[0] == b"OPTIONS sip:[2001:db8::1]:5060 SIP/2.0"
    assert b"Via: SIP/2.0/TCP [2001:db8::9]:40000;branch=z9hG4bKx;rport" in lines
    assert b"Contact: <sip:monitor@[2001:db8::9]:40000;transport=tcp>" in lines
    assert lines[-3:] == [b"Content-Length: 0", b"", b""]


def challenged(value: str, code: int = 401) -> Answer:
    header = "www-authenticate" if code == 401 else "proxy-authenticate"
    return Answer(code, "", {header: [value]})


def test_the_digest_of_the_old_standard_is_met() -> None:
    challenge = challenge_of(challenged('Digest realm="r", nonce="n", opaque="o"'))
    assert challenge is not None
    value = credentials(challenge, username="u", password="p", method="REGISTER", uri="sip:d", cnonce="c", count=1)
    secret, asked = (hashlib.md5(text).hexdigest() for text in (b"u:r:p", b"REGISTER:sip:d"))
    assert f'response="{hashlib.md5(f"{secret}:n:{asked}".encode()).hexdigest()}"' in value
    assert 'opaque="o"' in value
    assert "qop" not in value


def test_the_example_of_the_standard_gives_its_response() -> None:
    # RFC 7616, 3.9.1, SHA-256
    challenge = challenge_of(
        challenged(
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256,'
            ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",'
            ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        )
    )
    assert challenge is not None
    value = credentials(
        challenge,
        username="Mufasa",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        count=1,
    )
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in value


@pytest.mark.parametrize(
    "value",
    ['Basic realm="r"', 'Digest realm="r", nonce="n", algorithm=SHA-512-256', 'Digest nonce="n", qop="auth-int"', ""],
)
def test_a_challenge_that_cannot_be_met_is_none(value: str) -> None:
    assert challenge_of(challenged(value)) is None


def test_a_proxy_is_answered_in_its_own_header_and_an_old_nonce_is_told_from_a_wrong_password() -> None:
    challenge = challenge_of(challenged('Digest realm="r", nonce="n", stale=TRUE', 407))
    assert challenge is not None
    assert (challenge.header, challenge.stale, challenge.has_qop) == ("Proxy-Authorization", True, False)


@pytest.mark.parametrize(
    ("code", "state", "again"),
    [
        (401, Registration.REJECTED_PERMANENT, 600_000),
        (403, Registration.REJECTED_PERMANENT, 600_000),
        (500, Registration.REJECTED_TEMPORARY, 60_000),
        (503, Registration.REJECTED_TEMPORARY, 60_000),
    ],
)
def test_what_a_registrar_refuses_is_tried_again_soon_or_seldom(code: int, state: Registration, again: int) -> None:
    registrar = Registrar(LIVES)
    assert (registrar.state(0), registrar.is_due(0)) == (Registration.UNREGISTERED, True)
    registrar.began()
    assert registrar.state(0) is Registration.REGISTERING
    registrar.refused(code, 1_000)
    assert (registrar.state(1_000), registrar.expires_in_ms(1_000)) == (state, None)
    assert (registrar.is_due(1_000 + again - 1), registrar.is_due(1_000 + again)) == (False, True)


def test_a_binding_for_longer_than_was_asked_for_is_renewed_as_if_it_were_not() -> None:
    registrar = Registrar(LIVES)
    registrar.accepted(999_999_999_000, 0)
    assert registrar.expires_in_ms(0) == LIVES.phone_registered_ms
    assert registrar.is_due(LIVES.phone_registered_ms // 2)


def test_a_registrar_cannot_make_us_ask_for_ever() -> None:
    registrar = Registrar(LIVES)
    assert (registrar.wants_longer(900_000), registrar.wants_longer(900_000), registrar.wants_longer(0)) == (
        True,
        False,
        False,
    )
