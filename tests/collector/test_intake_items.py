"""One bad item among three, in MessagePack and in JSON: it alone is put aside and acknowledged, the others stand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from collector._core import keys
from collector._core.admission import Admission, Rules
from collector.json_frame import decode_json_frame
from tests.collector.posting import AUTHORISED, MSGPACK, document, http_client, said
from tests.collector.running import SETTINGS, running_hub
from tests.collector.store import NOW, SOURCE, Store, body_of
from wire.codec import decode_frame
from wire.conversation import CustomerTurn, Offered
from wire.errors import Reason
from wire.facility import Heartbeat
from wire.frame import Frame, Rejected
from wire.kinds import Kind
from wire.limits import BODY_BYTES_MAX, FRAME_BYTES_MAX
from wire.record import Quarantined

JSON = {**AUTHORISED, "Content-Type": "application/json"}
PACKED = {**MSGPACK, "Accept": "application/json"}
SECRET = "张三 13800138000"


class Damaged(NamedTuple):
    """One kind of damage. packed: what it is called by position, None where MessagePack has no such thing."""

    field: str
    value: Any
    reason: str
    packed: bool = True


MISSING = object()
DAMAGES = {
    "an id of foreign characters": Damaged("conversation", "会话", "body_malformed"),
    "an id that says who a person is": Damaged("conversation", SECRET, "body_malformed"),
    "an empty id": Damaged("conversation", "", "body_malformed"),
    "an id that is too long": Damaged("conversation", "c" * 97, "body_malformed"),
    "an id that is a number": Damaged("conversation", 7, "body_malformed"),
    "an id that is nothing": Damaged("conversation", None, "body_malformed"),
    "an id with a line feed": Damaged("conversation", "c-1\n", "body_malformed"),
    "no id": Damaged("conversation", MISSING, "body_malformed", packed=False),
    "a customer's name": Damaged("queue", "Li Lei", "unrouted_queue"),
    "an instant in words": Damaged("occurred_at", "14:03", "body_malformed"),
    "an instant before 1970": Damaged("occurred_at", -1, "body_malformed"),
    "an instant with a fraction": Damaged("occurred_at", NOW + 0.5, "body_malformed"),
    "an instant beyond 64 bits": Damaged("occurred_at", 2**64 - 1, "body_malformed"),
    "an instant in seconds": Damaged("occurred_at", 1000, "occurred_long_ago"),
    "an instant to come": Damaged("occurred_at", NOW + 10**9, "occurred_in_future"),
    "no instant": Damaged("occurred_at", MISSING, "body_malformed", packed=False),
    "a word of no list": Damaged("form", "smoke", "body_malformed"),
    "a list for a word": Damaged("form", [SECRET], "body_malformed"),
    "a field nobody knows": Damaged("content", SECRET, "body_malformed", packed=False),
    "a field nobody knows, in one word": Damaged("content", "Zhang", "body_malformed", packed=False),
    "a queue of nobody": Damaged("queue", "shop-b", "unrouted_queue"),
    "a number in words": Damaged("sequence", "2", "row_malformed"),
    "a negative number": Damaged("sequence", -2, "row_malformed"),
    "no number": Damaged("sequence", 0, "row_malformed"),
    "a number too high": Damaged("sequence", 2**53, "row_malformed"),
    "a kind of another type": Damaged("kind", [SECRET], "row_malformed"),
    "no kind": Damaged("kind", MISSING, "row_malformed", packed=False),
    "a kind too long": Damaged("kind", "x" * 257, "row_malformed", packed=False),
    "an unknown kind": Damaged("kind", "customer_typing", "unknown_kind", packed=False),
    "a kind only Seatwatch says": Damaged("kind", "data_gap", "foreign_source", packed=False),
}
SHAPES: dict[str, Any] = {
    "nothing": None,
    "a word": "word",
    "a text": SECRET,
    "a number": 7,
    "true": True,
    "an empty list": [],
    "a list of texts": [SECRET],
    "an empty object": {},
    "an object of lists": {"a": [[]]},
}
POSITIONS = (
    "occurred_at",
    "resolution_ms",
    "clock",
    "monotonic_ms",
    "synced",
    "shard_key",
    "conversation",
    "form",
    "queue",
)
DEFAULTS = {"resolution_ms": 1, "clock": SOURCE, "monotonic_ms": None, "synced": True, "shard_key": "c-1"}


def good(sequence: int, **fields: Any) -> dict[str, Any]:
    return said(sequence, form="text", queue="shop-a", **fields)


def positions(item: dict[str, Any]) -> list[Any]:
    """An item as MessagePack says it."""
    kind = Kind.CUSTOMER_TURN if item["kind"] == "customer_turn" else item["kind"]
    body = [(DEFAULTS | item)[name] for name in POSITIONS]
    return [item["sequence"], kind, 1, body, item.get("event_id", "")]


def as_json(first: Any, bad: Any, last: Any, **fields: Any) -> bytes:
    return msgspec.json.encode(document(first, bad, last, **fields))


def as_msgpack(first: Any, bad: Any, last: Any, *, lane: int = 0) -> bytes:
    items = [positions(item) if isinstance(item, dict) and "kind" in item else item for item in (first, bad, last)]
    return msgspec.msgpack.encode([1, SOURCE, b"e" * 16, lane, 0, [], items])


def damaged(item: dict[str, Any], damage: Damaged) -> dict[str, Any]:
    changed = {name: value for name, value in item.items() if name != damage.field}
    return changed if damage.value is MISSING else changed | {damage.field: damage.value}


def from_json(data: bytes) -> Frame:
    return decode_json_frame(data).frame


def rejected_alone(decode: Callable[[bytes], Frame], data: bytes) -> tuple[Admission, Rejected, Quarantined]:
    """What is said of the one bad item, after it was checked that the other two stand and a repeat adds nothing."""
    store = Store(rules=Rules(1000, 100, past_tolerance_ms=SETTINGS.past_tolerance_ms))
    admission = store.admit(decode(data), queues=frozenset({"shop-a"}))
    bodies = [body_of(entry) for entry in admission.entries]
    (kept,) = (body for body in bodies if isinstance(body, Quarantined))
    assert len(bodies) == 3
    again = store.admit(decode(data), queues=frozenset({"shop-a"}))
    assert (again.entries, again.rejected) == ([], admission.rejected)
    (rejected,) = admission.rejected
    assert kept.reason == rejected.reason
    assert not [secret for secret in ("张".encode(), b"13800138000", b"Li Lei", b"Zhang") if secret in kept.raw]
    return admission, rejected, kept


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_item_of_a_numbered_frame_is_put_aside_alike_in_both_forms(name: str) -> None:
    damage = DAMAGES[name]
    bad = damaged(good(2), damage)
    forms = [(from_json, as_json(good(1), bad, good(3)))]
    if damage.packed:
        forms.append((decode_frame, as_msgpack(good(1), bad, good(3))))
    for decode, data in forms:
        admission, rejected, _ = rejected_alone(decode, data)
        assert rejected.reason == damage.reason
        is_numbered = damage.field != "sequence"
        assert (rejected.sequence == 2) is is_numbered
        assert admission.view.mark == (3 if is_numbered else 1), "a number that cannot be read is waited for"


@pytest.mark.parametrize("name", [name for name, damage in DAMAGES.items() if damage.field != "sequence"])
def test_a_damaged_item_of_an_unnumbered_frame_is_put_aside_alike_in_both_forms(name: str) -> None:
    damage = DAMAGES[name]
    items = [good(0, event_id=f"d-{number}") for number in (1, 2, 3)]
    items[1] = damaged(items[1], damage)
    forms = [(from_json, as_json(*items, lane="by_event_id")), (from_json, as_json(*items, epoch=None))]
    if damage.packed:
        forms.append((decode_frame, as_msgpack(*items, lane=2)))
    for decode, data in forms:
        _, rejected, _ = rejected_alone(decode, data)
        assert rejected == Rejected(keys.event_id_sequence("d-2"), Reason(damage.reason))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("lane", ["backlog", "by_event_id"])
def test_what_is_no_item_at_all_is_put_aside_and_nothing_private_of_it_kept(name: str, lane: str) -> None:
    first, last = (good(number, event_id=f"d-{number}") for number in (1, 2))
    for decode, data in (
        (from_json, as_json(first, SHAPES[name], last, lane=lane)),
        (decode_frame, as_msgpack(first, SHAPES[name], last, lane=2 * (lane == "by_event_id"))),
    ):
        admission, rejected, _ = rejected_alone(decode, data)
        assert rejected.reason == "row_malformed"
        assert admission.view.mark == (2 if lane == "backlog" else 0)


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_over_the_door_one_bad_id_costs_nobody_else_anything(tmp_path: Path, form: str) -> None:
    items = good(1), good(2, conversation=SECRET), good(3)
    data, headers = (as_json(*items), JSON) if form == "json" else (as_msgpack(*items), PACKED)
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post("/v1/events", data=data, headers=headers)
        told = await answer.json()
        assert (answer.status, told["acknowledged_through"]) == (200, 3)
        assert [(each["sequence"], each["reason"]) for each in told["rejected"]] == [(2, "body_malformed")]
        assert len(hub.bodies(CustomerTurn)) == 2
        assert [kept.raw for kept in hub.bodies(Quarantined)] == [b""]


async def test_json_names_what_does_not_fit_in_a_rejected_item(tmp_path: Path) -> None:
    late = said(2, occurred_at=NOW + 10**9)
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        sent = document(said(1, occurred_at="14:03"), late, said(3, colour="red"), said(0), {"kind": "typing"})
        answer = await client.post("/v1/events", json=sent, headers=AUTHORISED)
        rejected = (await answer.json())["rejected"]
        assert [each.get("field") for each in rejected] == [
            "$.items[0].occurred_at",
            None,
            "$.items[2].colour",
            "$.items[3].sequence",
            "$.items[4].sequence",
        ]
        assert rejected[0]["problem"] == "Expected `int`, got `str`"
        answer = await client.post("/v1/events", json=document(said(4, conversation="会")), headers=AUTHORISED)
        (rejected_id,) = (await answer.json())["rejected"]
        assert "letters, digits and" in rejected_id["problem"], "no regular expression is shown to a person"


@pytest.mark.parametrize(
    ("kind", "reason"), [("customer_turn", "body_malformed"), ("typing", "unknown_kind"), (7, "row_malformed")]
)
async def test_an_item_too_long_to_look_into_is_put_aside_and_nothing_of_it_kept(
    tmp_path: Path, kind: object, reason: str
) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        long = said(1, kind=kind, remark="x" * BODY_BYTES_MAX)
        answer = await client.post("/v1/events", json=document(long, said(2)), headers=AUTHORISED)
        told = await answer.json()
        assert (answer.status, told["acknowledged_through"]) == (200, 2)
        assert [each["reason"] for each in told["rejected"]] == [reason]
        assert len(hub.bodies(Quarantined)[0].raw) == 1


async def test_a_body_that_fits_its_kind_and_not_the_cap_is_put_aside_like_in_messagepack(tmp_path: Path) -> None:
    measured = {name: [f"{name}-{n:03}-{'x' * 80}" for n in range(32)] for name in ("upses", "lines", "phone_lines")}
    beat = {"kind": "heartbeat", "occurred_at": NOW, "site": "site-1", "seat": "", "role": "gateway"}
    item = beat | {"sequence": 1, "interval_ms": 10_000, "uptime_ms": 0, **measured}
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post("/v1/events", json=document(item, said(2)), headers=AUTHORISED)
        told = await answer.json()
        assert (answer.status, told["acknowledged_through"]) == (200, 2)
        assert [each["reason"] for each in told["rejected"]] == ["body_too_large"]
        assert hub.bodies(Heartbeat) == []


async def test_a_frame_full_of_bad_items_is_one_answer_and_text_that_is_no_utf_8_stays_in_its_item(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        many = document(*(said(n, conversation="") for n in range(1, 401)))
        assert len(msgspec.json.encode(many)) < FRAME_BYTES_MAX
        told = await (await client.post("/v1/events", json=many, headers=AUTHORISED)).json()
        assert (told["acknowledged_through"], len(told["rejected"])) == (400, 400)
        broken = as_json(good(401), good(402), good(403)).replace(b'402,"kind":"customer_turn"', b'402,"kind":"\xff"')
        answer = await client.post("/v1/events", data=broken, headers=JSON)
        told = await answer.json()
        assert (answer.status, len(told["rejected"])) == (200, 1)
        assert len(hub.bodies(CustomerTurn)) == 2
        assert hub.bodies(Offered) == []
