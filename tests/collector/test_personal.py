"""What says who a person is, refused at the door without a trace; and long numbers of platforms, which are not."""

import msgspec
import pytest

from collector._core import derived
from collector._core.admission import Outcome
from collector._core.personal import is_personal, is_telephone_number, masked, names_a_person
from tests.collector.store import EPOCH, NOW, SOURCE, Store, body_of, frame, item, outcomes, raw_item, turn
from wire.body import Body
from wire.codec import encode_body
from wire.conversation import (
    AgentTurn,
    Assigned,
    CustomerTurn,
    NamedCustomerTurn,
    Offered,
    Presence,
    PresenceChanged,
    QualityScored,
)
from wire.errors import Reason
from wire.facility import Heartbeat, Role
from wire.frame import Rejected
from wire.record import Equivocation, Quarantined, Unrouted

NUMBER = "13800138000"
HEAD = (NOW, 1, "chat", None, True)


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "19912345678",
        "8613800138000",
        "86-13800138000",
        "+8613800138000",
        "008613800138000",
        "138-0013-8000",
        "138 0013 8000",
        "138.0013.8000",
        "tel:13800138000",
        "acme:13800138000",
        "buyer-13800138000",
        "wx_13800138000",
        "SIP/13800138000-0002ecec",
        "13800138000@c.us",
        "+12025550123",
        "+442071838750",
        "010-12345678",
        "0571-87654321",
    ],
)
def test_a_telephone_number_is_one_however_it_is_written(text: str) -> None:
    assert is_telephone_number(text)
    assert is_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "c-1",
        "10086",
        "2088102175891234",  # a payment platform's user
        "1732262400000",  # ms since 1970
        "1732262400",
        "1717397390.239830",  # a channel of Asterisk
        "738291045566213120",  # a snowflake
        "12345678901",  # no mobile network begins with 12
        "58841646784",  # a video platform's user of eleven digits
        "213800138000",
        "138001380001",
        "20261122000013",
        "a13800138000",  # eleven digits within a token
        "13800138000f",
        "0af7651916cd43dd8448eb211c80319c",
        "7f3d1a52-9c1b-4a52-8f10-138001380001",
        "2026-11-22-0007",
        "x138-0013-80004",
        "010-1234",
    ],
)
def test_ids_that_platforms_give_are_none(text: str) -> None:
    assert not is_telephone_number(text)
    assert not is_personal(text)


@pytest.mark.parametrize("text", ["li.lei@example.com", "11010519491231002X", "11010519491231002x"])
def test_an_address_and_an_identity_card_say_who_somebody_is(text: str) -> None:
    assert is_personal(text)


@pytest.mark.parametrize("text", ["110105194912310021", "738291199001011234", "acme@07"])
def test_eighteen_digits_without_the_check_digit_are_an_id(text: str) -> None:
    assert not is_personal(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Local/13800138000@from-queue/n", "Local/138xxxx8000@from-queue/n"),
        ("+12025550123", "+12xxxx0123"),
        ("PJSIP/7009", "PJSIP/7009"),
    ],
)
def test_a_masked_number_keeps_what_tells_people_of_a_floor_apart(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert not is_telephone_number(masked(text))


@pytest.mark.parametrize(
    "body",
    [
        Offered(*HEAD, "c-1", "c-1", "q-1", customer=NUMBER),
        Offered(*HEAD, NUMBER, "c-1", "q-1"),
        NamedCustomerTurn(*HEAD, "c-1", "c-1", customer=NUMBER),
        Offered(*HEAD, "c-1", "c-1", "q-1", linked=NUMBER),
        Offered(*HEAD, "c-1", "c-1", "q-1", customer="Li Lei"),
        Offered(*HEAD, "c-1", "c-1", "q-1", customer="li.lei@example.com"),
        Offered(*HEAD, "c-1", "c-1", "q-1", linked="order of Li Lei"),
        CustomerTurn(*HEAD, "c-1", f"kf:{NUMBER}"),
        Assigned(*HEAD, "c-1", "c-1", f"acme:{NUMBER}"),
        AgentTurn(*HEAD, "c-1", "c-1", "Ann Lee"),
        QualityScored(*HEAD, "c-1", "c-1", True, f"acme:{NUMBER}"),
        QualityScored(*HEAD, "c-1", "c-1", True, "acme:1", sampled_by=f"asked by {NUMBER}"),
        PresenceChanged(*HEAD, "", "acme:1", Presence.ON_BREAK, pause_reason=f"calls back {NUMBER}"),
        AgentTurn(NOW, 1, NUMBER, None, True, "c-1", "c-1", "acme:1"),
        Heartbeat(NOW, 1, NUMBER, None, True, "", "site-1", "", Role.GATEWAY, 5000, 0),
    ],
)
def test_a_body_with_such_an_id_is_refused_and_nothing_of_it_is_kept(body: Body) -> None:
    assert names_a_person(body)
    store = Store()
    bad = item(1, body)
    admission = store.admit(frame(bad, item(2)))
    assert admission.rejected == [Rejected(1, Reason.PERSONAL_DATA)]
    assert admission.view.mark == 2
    kept = body_of(admission.entries[0])
    assert isinstance(kept, Quarantined)
    assert (kept.reason, kept.raw) == (Reason.PERSONAL_DATA, b"")
    assert not [entry for entry in admission.entries if b"1380013" in entry.body or b"Le" in entry.body]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (msgspec.msgpack.encode({"conversation": "c-1", "phone": NUMBER}), b""),
        (msgspec.msgpack.encode([NOW, 1, "chat", None, True, "", f"call {NUMBER} back"]), b""),
        (msgspec.msgpack.encode({"conversation": "c-1", "phone": "+12025550123"}), b""),
        (msgspec.msgpack.encode({"conversation": "c-1", "phone": "010-12345678"}), b""),
        (msgspec.msgpack.encode({"conversation": "c-1", "n": "a13800138000", "at": "2026-11-22T10:00+0800"}), None),
        (b"\x91\x01", None),
    ],
)
def test_bytes_that_cannot_be_read_are_kept_unless_a_number_stands_in_them(raw: bytes, kept: bytes | None) -> None:
    store = Store()
    bad = raw_item(1, raw)
    admission = store.admit(frame(bad))
    assert admission.rejected == [Rejected(1, Reason.BODY_MALFORMED)]
    quarantined = body_of(admission.entries[0])
    assert isinstance(quarantined, Quarantined)
    assert quarantined.raw == (raw if kept is None else kept)
    assert store.admit(frame(bad)).rejected == [Rejected(1, Reason.BODY_MALFORMED)]


def test_a_refused_item_that_comes_again_gets_the_same_answer() -> None:
    store = Store()
    bad = item(1, Offered(*HEAD, "c-1", "c-1", "q-1", customer=NUMBER))
    store.admit(frame(bad))
    again = store.admit(frame(bad))
    assert (again.entries, again.rejected) == ([], [Rejected(1, Reason.PERSONAL_DATA)])
    assert outcomes(again) == [(1, Outcome.REPEAT)]


def test_a_number_that_contradicts_what_is_stored_leaves_no_trace_either() -> None:
    store = Store()
    store.admit(frame(item(1, turn("first"))))
    (entry,) = store.admit(frame(item(1, turn(f"kf:{NUMBER}")))).entries
    kept = body_of(entry)
    assert isinstance(kept, Equivocation)
    assert (kept.about_source, kept.about_epoch, kept.raw) == (SOURCE, EPOCH, b"")


@pytest.mark.parametrize("kind", [CustomerTurn, NamedCustomerTurn])
@pytest.mark.parametrize("queue", [NUMBER, f"acme-{NUMBER}", "+12025550123", "010-12345678"])
def test_a_number_in_the_place_of_a_queue_is_kept_nowhere_in_clear(queue: str, kind: type[CustomerTurn]) -> None:
    turned = item(1, kind(*HEAD, "c-1", "c-1", queue=queue))
    routed = Store()
    admission = routed.admit(frame(turned), queues=frozenset({"presale"}))
    assert admission.rejected == [Rejected(1, Reason.UNROUTED_QUEUE)]
    stray = body_of(admission.unrouted[0])
    assert isinstance(stray, Unrouted)
    assert (stray.queue, stray.raw) == (masked(queue), b"")
    assert stray.queue != queue
    assert outcomes(routed.admit(frame(turned), queues=frozenset({"presale"}))) == [(1, Outcome.REPEAT)]
    anywhere = Store().admit(frame(turned))
    assert anywhere.rejected == [Rejected(1, Reason.PERSONAL_DATA)]
    ahead = kind(NOW + 10_000, 1, "chat", None, True, "c-1", "c-1", queue=queue)
    put_aside = Store().admit(frame(item(1, ahead)), queues=frozenset({queue}))
    assert put_aside.rejected == [Rejected(1, Reason.OCCURRED_IN_FUTURE)]
    entries = [*admission.entries, *admission.unrouted, *anywhere.entries, *put_aside.entries]
    assert not [entry for entry in entries if queue.encode() in entry.body]


def test_a_hotline_that_the_configuration_names_by_its_number_is_a_queue_like_any_other() -> None:
    offered = item(1, Offered(*HEAD, "c-1", "c-1", "010-12345678"))
    assert Store().admit(frame(offered), queues=frozenset({"010-12345678"})).accepted == 1


@pytest.mark.parametrize("queue", ["presale", "4008001234", "acme:presale"])
def test_a_queue_of_no_contract_that_is_no_number_is_told_to_the_operator_whole(queue: str) -> None:
    body = Offered(*HEAD, "c-1", "c-1", queue)
    (entry,) = Store().admit(frame(item(1, body)), queues=frozenset({"other"})).unrouted
    stray = body_of(entry)
    assert isinstance(stray, Unrouted)
    assert (stray.queue, stray.raw) == (queue, encode_body(body))


def test_the_first_item_of_an_unknown_sender_is_kept_without_what_says_who_a_person_is() -> None:
    bad, good = item(1, Offered(*HEAD, "c-1", "c-1", "q-1", customer=NUMBER)), item(1, turn())
    kept = [body_of(derived.stranger(frame(each), each, NOW)) for each in (bad, good)]
    assert [each.raw for each in kept if isinstance(each, Unrouted)] == [b"", encode_body(turn())]


def test_a_pseudonym_and_platform_ids_pass() -> None:
    pseudonym = "9f86d081884c7d659a2feaa0c55ad015"
    offered = Offered(*HEAD, pseudonym, "1717397390.239830", "q-1", customer=pseudonym)
    assert not names_a_person(offered)
    for reason in ("lunch", "午休", "until 13:30", "4000-1234 is down"):
        assert not names_a_person(PresenceChanged(*HEAD, "", "acme:1", Presence.ON_BREAK, pause_reason=reason))
    assert Store().admit(frame(item(1, offered))).accepted == 1


def test_a_clock_that_is_no_name_passes_and_makes_nobody_of_that_name_pass() -> None:
    assert not names_a_person(AgentTurn(NOW, 1, "Li Lei", None, True, "c-1", "c-1", "acme:1"))
    assert names_a_person(Offered(*HEAD, "c-1", "c-1", "q-1", customer="Li Lei"))
