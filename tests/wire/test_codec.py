from collections.abc import Iterator

import msgspec
import msgspec.inspect
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.store import frame, item, raw_item
from tests.wire.bodies import bodies, fields_without_defaults
from tests.wire.fields import FIELDS
from wire.bodies import BODY_TYPES
from wire.body import Body
from wire.codec import (
    decode_ack,
    decode_body,
    decode_frame,
    encode_ack,
    encode_body,
    encode_frame,
)
from wire.conversation import AgentTurn, CustomerTurn, Form, NamedCustomerTurn
from wire.errors import DecodeError, EncodeError, Reason
from wire.frame import Ack, Frame, GoneRange, Lane, Rejected, SequenceRange
from wire.holes import fault_of
from wire.kinds import Kind
from wire.limits import BODY_BYTES_MAX, COUNTED_MAX, FRAME_BYTES_MAX
from wire.organisation import DefinitionPublished
from wire.stream import Announced, decode_announced, encode_announced

KINDS = sorted(BODY_TYPES)
NAMES = [f"{BODY_TYPES[key].__name__}.v{key[1]}" for key in KINDS]
HEAD = ("occurred_at", "resolution_ms", "clock", "monotonic_ms", "synced", "shard_key")
FEW = settings(max_examples=20)  # of each of the kinds, in each of three tests
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(max_size=40)
MSGPACK = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4), max_leaves=12)


"""What stands at which place since the kind was first written to a ledger. Only ever append to a row, or add one."""


def numbers(kind: msgspec.inspect.Type) -> Iterator[msgspec.inspect.IntType]:
    """The integers in a field's type."""
    if isinstance(kind, msgspec.inspect.IntType):
        yield kind
    elif isinstance(kind, msgspec.inspect.UnionType):
        for part in kind.types:
            yield from numbers(part)
    elif isinstance(kind, msgspec.inspect.Metadata):
        yield from numbers(kind.type)


@pytest.mark.parametrize("key", KINDS, ids=NAMES)
def test_every_number_of_a_body_has_both_caps(key: tuple[int, int]) -> None:
    uncapped = [
        field.name
        for field in msgspec.structs.fields(BODY_TYPES[key])
        for number in numbers(msgspec.inspect.type_info(field.type))
        if number.ge is None or number.le is None
    ]
    assert uncapped == []


@pytest.mark.parametrize("key", KINDS, ids=NAMES)
@FEW
@given(data=st.data())
def test_every_body_comes_back_as_it_went_and_encodes_to_the_same_bytes(
    key: tuple[int, int], data: st.DataObject
) -> None:
    body = data.draw(bodies(BODY_TYPES[key]))
    encoded = encode_body(body)
    decoded = decode_body(*key, encoded)
    assert decoded == body
    assert decoded is not None
    assert encode_body(decoded) == encoded


@pytest.mark.parametrize("key", KINDS, ids=NAMES)
@FEW
@given(data=st.data(), extra=st.lists(LEAVES, min_size=1, max_size=3))
def test_a_newer_sender_may_append_fields(key: tuple[int, int], data: st.DataObject, extra: list[object]) -> None:
    body = data.draw(bodies(BODY_TYPES[key]))
    fields = msgspec.msgpack.decode(encode_body(body), type=list[msgspec.Raw])
    longer = msgspec.msgpack.encode([*fields, *extra])
    assert decode_body(*key, longer) == body


@pytest.mark.parametrize("key", KINDS, ids=NAMES)
@FEW
@given(data=st.data())
def test_an_older_sender_may_leave_out_what_has_a_default(key: tuple[int, int], data: st.DataObject) -> None:
    body_type = BODY_TYPES[key]
    body = data.draw(bodies(body_type))
    fields = msgspec.msgpack.decode(encode_body(body), type=list[msgspec.Raw])
    required = fields_without_defaults(body_type)
    shorter = decode_body(*key, msgspec.msgpack.encode(fields[:required]))
    assert shorter == body_type(*(getattr(body, name) for name in body_type.__struct_fields__[:required]))
    with pytest.raises(DecodeError) as refused:
        decode_body(*key, msgspec.msgpack.encode(fields[: required - 1]))
    assert refused.value.reason is Reason.BODY_MALFORMED


@pytest.mark.parametrize(
    "key", sorted(FIELDS), ids=[f"{Kind(kind).name}.v{version}" for kind, version in sorted(FIELDS)]
)
def test_no_field_ever_moves(key: tuple[int, int]) -> None:
    fields = BODY_TYPES[key].__struct_fields__
    known = HEAD + FIELDS[key]
    assert fields[: len(known)] == known
    appended = msgspec.structs.fields(BODY_TYPES[key])[len(known) :]
    assert all(not field.required for field in appended), "an appended field has a default, for older senders"


def test_every_kind_that_is_written_has_its_fields_pinned() -> None:
    assert set(FIELDS) == set(BODY_TYPES)


def test_a_body_in_bytes_for_ever() -> None:
    body = AgentTurn(1_700_000_000_000, 1, "chat", None, True, "c-1", "c-1", "acme:07")
    written = "99cf0000018bcfe5680001a463686174c0c3a3632d31a3632d31a761636d653a3037a568756d616e"
    assert encode_body(body).hex() == written
    assert decode_body(Kind.AGENT_TURN, 1, bytes.fromhex(written)) == body


def test_a_customer_turn_that_names_nobody_is_the_bytes_it_always_was_and_one_that_does_is_another_version() -> None:
    head = (1_700_000_000_000, 1, "chat", None, True, "c-1", "c-1", Form.TEXT, "presale")
    written = "99cf0000018bcfe5680001a463686174c0c3a3632d31a3632d31a474657874a770726573616c65"
    assert encode_body(CustomerTurn(*head)).hex() == written
    assert decode_body(Kind.CUSTOMER_TURN, 1, bytes.fromhex(written)) == CustomerTurn(*head)
    named = "9b" + written[2:] + "a26b37a6323032362d31"
    assert encode_body(NamedCustomerTurn(*head, "k7", "2026-1")).hex() == named
    assert decode_body(Kind.CUSTOMER_TURN, 2, bytes.fromhex(named)) == NamedCustomerTurn(*head, "k7", "2026-1")


@given(kind=st.integers(0, 0xFFFF), kind_version=st.integers(0, 0xFFFF), value=MSGPACK)
def test_unknown_kinds_and_versions_travel_byte_for_byte(kind: int, kind_version: int, value: object) -> None:
    data = msgspec.msgpack.encode(value)
    (carried,) = decode_frame(encode_frame(frame(raw_item(1, data, kind=kind, kind_version=kind_version)))).items
    assert (carried.kind, carried.kind_version, bytes(carried.body)) == (kind, kind_version, data)
    if (kind, kind_version) not in BODY_TYPES:
        assert decode_body(kind, kind_version, carried.body) is None


@pytest.mark.parametrize(
    "data", [b"\xcf\x00\x00\x00\x00\x00\x00\x00\x01", b"\xd9\x01a", b"\xdc\x00\x01\xc0", b"\xca\x3f\x80\x00\x00"]
)
def test_a_body_in_a_longer_spelling_than_ours_is_not_respelled(data: bytes) -> None:
    (carried,) = decode_frame(encode_frame(frame(raw_item(1, data, kind=999)))).items
    assert bytes(carried.body) == data


def _frames() -> st.SearchStrategy[Frame]:
    sequences = st.integers(0, COUNTED_MAX)
    gone = st.builds(GoneRange, sequences, sequences, st.text(max_size=20), sequences)
    epochs = st.binary(min_size=16, max_size=16)
    items = st.builds(item, sequences, event_id=st.text(max_size=30))
    return st.builds(
        Frame,
        st.just(1),
        st.sampled_from(["a", "site-1/seat-01", "x" * 96]),
        epochs,
        st.sampled_from(Lane),
        sequences,
        st.lists(gone, max_size=3),
        st.lists(items, max_size=4),
        st.none() | epochs,
        st.none() | sequences,
    ).map(_without_contradictions)


def _without_contradictions(sent: Frame) -> Frame:
    """The nearest frame whose numbers can be true."""
    lowest = min((each.sequence for each in sent.items), default=COUNTED_MAX)
    before = None if sent.prev_epoch == sent.epoch else sent.prev_epoch
    based = msgspec.structs.replace(sent, base=min(sent.base, lowest), prev_epoch=before)
    return based if fault_of(based) is None else msgspec.structs.replace(based, gone=[])


@given(_frames())
def test_frames_come_back_as_they_went(sent: Frame) -> None:
    encoded = encode_frame(sent)
    decoded = decode_frame(encoded)
    assert encode_frame(decoded) == encoded
    assert [bytes(each.body) for each in decoded.items] == [bytes(each.body) for each in sent.items]


def test_a_frame_with_appended_fields_is_read_and_a_newer_version_is_refused_by_name() -> None:
    fields = msgspec.msgpack.decode(encode_frame(frame(item(1))), type=list[msgspec.Raw])
    assert decode_frame(msgspec.msgpack.encode([*fields, "later"])).source == "shop/one"
    with pytest.raises(DecodeError) as refused:
        decode_frame(msgspec.msgpack.encode([2, *fields[1:]]))
    assert refused.value.reason is Reason.UNKNOWN_FRAME_VERSION


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)), max_size=5), st.integers(0, 2**63 - 1))
def test_acks_come_back_as_they_went(spans: list[tuple[int, int]], through: int) -> None:
    wanted = [SequenceRange(*span) for span in spans]
    rejected = [Rejected(through, Reason.BODY_MALFORMED)]
    ack = Ack(b"l" * 16, b"e" * 16, through, through, wanted, rejected, prev_wanted=wanted)
    assert decode_ack(encode_ack(ack)) == ack


def test_a_body_or_frame_of_ours_that_is_too_large_is_our_mistake() -> None:
    huge = DefinitionPublished(0, 1, "", None, True, "", "d", 1, 0, bytes(BODY_BYTES_MAX))
    with pytest.raises(EncodeError, match=str(BODY_BYTES_MAX)):
        encode_body(huge)
    body: Body = DefinitionPublished(0, 1, "", None, True, "", "d", 1, 0, bytes(8000))
    with pytest.raises(EncodeError, match=str(FRAME_BYTES_MAX)):
        encode_frame(frame(*(item(n, body) for n in range(1, 10))))


def test_an_announced_ledger_survives_its_bytes_and_other_bytes_are_refused() -> None:
    announced = Announced(bytes(range(16)), 258)
    data = encode_announced(announced)
    assert data == bytes(range(16)) + b"\0\0\0\0\0\0\1\2"
    assert decode_announced(data) == announced
    for other in (b"", data[:16], data + b"\0"):
        with pytest.raises(DecodeError):
            decode_announced(other)
