"""Bytes nobody sends by accident: each at most one frame long, each made to cost more than it weighs."""

import struct
from collections.abc import Iterator
from random import Random

import msgspec

from tests.collector.store import NOW, frame, item, turn
from wire.codec import encode_body, encode_frame
from wire.frame import Frame, GoneRange
from wire.limits import FRAME_BYTES_MAX
from wire.record import GapReason

CAP = FRAME_BYTES_MAX
_SIGNIFICANT = 64


def msgpack_corpus() -> Iterator[tuple[str, bytes]]:
    """(name, bytes): none of these is a frame."""
    head = msgspec.msgpack.encode([1, "shop/one", b"e" * 16, 0, 0])[1:]
    yield "nothing", b""
    yield "64 KiB of empty maps", b"\xdd" + struct.pack(">I", CAP - 5) + b"\x80" * (CAP - 5)
    yield "64 KiB of empty maps one after the other", b"\x80" * CAP
    yield "64 KiB of empty arrays as items", b"\x97" + head + b"\x90\xdd" + struct.pack(">I", 60000) + b"\x90" * 60000
    yield "arrays 64 Ki deep", b"\x91" * CAP
    yield "maps 64 Ki deep", b"\x81\xc0" * (CAP // 2)
    yield "a body 60 Ki deep", b"\x97" + head + b"\x90\x91\x94\x01\x15\x01" + b"\x91" * 60000
    yield "four billion items", b"\xdd\xff\xff\xff\xff"
    yield "four billion keys", b"\xdf\xff\xff\xff\xff"
    yield "four billion bytes", b"\xc6\xff\xff\xff\xff"
    yield "four billion characters", b"\xdb\xff\xff\xff\xff"
    yield "four billion gone ranges", b"\x97" + head + b"\xdd\xff\xff\xff\xff"
    yield "an extension of 64 KiB", b"\xc9" + struct.pack(">I", CAP - 6) + b"\x01" + bytes(CAP - 6)
    yield "one code that means nothing", b"\xc1" * CAP
    yield "text that is not UTF-8", encode_frame(frame(item(1))).replace(b"shop/one", b"\xff\xfe/\xc0\x80\xed\xa0")
    yield "a name with a line feed in it", encode_frame(frame(item(1))).replace(b"shop/one", b"shop\none")
    yield "a name with a line feed at its end", encode_frame(frame(item(1))).replace(b"shop/one", b"shop/on\n")
    for name, contradiction in contradictions():
        yield name, encode_frame(contradiction)
    yield "501 items", encode_frame_unchecked(501)
    yield "a frame and then something", encode_frame(frame(item(1))) + b"\x00"
    yield "two frames", encode_frame(frame(item(1))) * 2
    yield "a long frame cut in the middle", encode_frame(frame(*map(item, range(1, 400))))[: CAP // 3]
    yield "one byte too many", bytes(CAP + 1)
    yield "random bytes", Random(1).randbytes(CAP)


def contradictions() -> Iterator[tuple[str, Frame]]:
    """(name, frame): what its numbers say of holes cannot be."""
    yield "a hole that ends before it begins", frame(gone=[GoneRange(9, 2, "x", 1)])
    yield "a hole up to 2^53", frame(gone=[GoneRange(1, 2**53, "x", 1)])
    yield "a hole from nought", frame(gone=[GoneRange(0, 4, "x", 1)])
    yield "a hole of less than nothing", frame(gone=[GoneRange(1, 4, "x", -1)])
    yield "a hole of more events than numbers", frame(gone=[GoneRange(1, 4, "x", 5)])
    yield "a hole told of in a time that ends first", frame(gone=[GoneRange(1, 4, "x", 4, GapReason.OVERFLOW, 20, 10)])
    yield (
        "holes that overlap",
        frame(gone=[GoneRange(5, 9, "x", 1), GoneRange(20, 22, "x", 1), GoneRange(1, 5, "x", 1)]),
    )
    yield "the same hole 64 times", frame(gone=[GoneRange(1, 4, "x", 4)] * 64)
    yield "an item in a hole", frame(item(1), item(7), gone=[GoneRange(2, 4, "x", 1), GoneRange(6, 9, "x", 1)])
    yield "a base above what is sent", frame(item(8), item(3), base=4)
    yield "an epoch that follows itself", frame(item(1), epoch=b"p" * 16, prev=(b"p" * 16, 4))
    yield "base 2^53", frame(base=2**53)
    yield "an epoch before that came to 2^53", frame(prev=(b"p" * 16, 2**53))


def json_corpus() -> Iterator[tuple[str, bytes]]:
    """(name, bytes): none of these is a frame in JSON."""
    start = b'{"source":"shop/one","epoch":"' + b"65" * 16 + b'","items":['
    yield "nothing", b""
    yield "64 KiB of empty objects", b"[" + b"{}," * ((CAP - 3) // 3) + b"{}"
    yield "64 KiB of empty objects as items", start + b"{}," * 21000
    yield "arrays 64 Ki deep", b"[" * CAP
    yield "objects 10 Ki deep", b'{"a":' * (CAP // 5)
    yield "arrays 60 Ki deep in an unknown field", b'{"x":' + b"[" * 60000
    yield "not a number", start + b'{"kind":"customer_turn","sequence":NaN,"conversation":"c"}]}'
    yield "text that is not UTF-8", b'{"source":"\xff\xfe\xc0\x80"}'
    yield "half of a surrogate pair", b'{"source":"\\ud800","items":[]}'
    yield "64 KiB of spaces", b" " * CAP
    yield "64 KiB of backslashes", b'{"source":"' + b"\\\\" * (CAP // 2 - 10)
    yield "30 KiB of escapes", b'{"source":"' + b"\\u0041" * 10000 + b'"}'
    yield "the same key 6,000 times", b"{" + b'"base":1,' * 6000 + b'"base":1}'
    yield "6,000 unknown keys", b"{" + b"".join(b'"k%05d":1,' % n for n in range(6000)) + b'"x":1}'
    hole = '{"source":"shop/one","epoch":"' + "65" * 16 + '","items":[],"gone":[%s]}'
    for name, first, last, count in (
        ("ends before it begins", 9, 2, 1),
        ("up to 2^53", 1, 2**53, 1),
        ("from nought", 0, 4, 1),
    ):
        yield f"a hole {name}", (hole % one_hole(first, last, count)).encode()
    yield "a hole of less than nothing", (hole % one_hole(1, 4, -1)).encode()
    yield "a hole of more events than numbers", (hole % one_hole(1, 4, 5)).encode()
    yield "holes that overlap", (hole % ",".join([one_hole(1, 4, 4)] * 64)).encode()
    yield "an unknown kind 8 Ki deep", start + b'{"sequence":1,"kind":"x","y":' + b"[" * 4000 + b"]" * 4000 + b"}]}"
    yield "501 items", start + b'{"kind":"x"},' * 500 + b'{"kind":"x"}]}'
    yield "a document and then something", start + b"]} []"
    yield "cut in the middle", start + b'{"kind":"customer_tu'
    yield "one byte too many", b" " * (CAP + 1)


def msgpack_items() -> Iterator[tuple[str, bytes]]:
    """(name, bytes): a frame whose second item of three is none."""
    whole = encode_frame(frame(item(1), item(2), item(3)))
    for name, sequence in (
        ("a negative sequence", b"\xff"),
        ("not a number as sequence", b"\xcb\x7f\xf8" + bytes(6)),
        ("sequence 2^64 - 1", b"\xcf" + b"\xff" * 8),
        ("sequence 2^53", msgspec.msgpack.encode(2**53)),
        ("arrays 900 deep as sequence", b"\x91" * 900 + b"\x90"),
        ("60 KiB of empty arrays as sequence", b"\xdd" + struct.pack(">I", 60000) + b"\x90" * 60000),
    ):
        yield name, whole.replace(b"\x95\x02", b"\x95" + sequence)
    head = msgspec.msgpack.encode([1, "shop/one", b"e" * 16, 0, 0])[1:]
    yield "500 items that are none", b"\x97" + head + b"\x90\xdc\x01\xf4" + b"\x90" * 500


def json_items() -> Iterator[tuple[str, bytes]]:
    """(name, bytes): a frame in JSON with one item that is none, however dear it is to look into."""
    start = b'{"source":"shop/one","epoch":"' + b"65" * 16 + b'","items":['
    closed = start + b'{"kind":"closed","occurred_at":1,"conversation":"c","sequence":%s}]}'
    yield "sequence 2^53", closed % b"9007199254740992"
    yield "a sequence of 60,000 digits", closed % (b"9" * 60000)
    yield "infinity as sequence", closed % b"1e999"
    unknown = start + b'{"sequence":1,"kind":"x","y":%s}]}'
    yield "an unknown kind of 9 KiB", unknown % (b'"' + b"y" * 9000 + b'"')
    yield "an unknown kind of 60 KiB of empty objects", unknown % (b"[" + b"{}," * 20000 + b"{}]")
    yield "an unknown kind with a number of 8,000 digits", unknown % (b"9" * 8000)
    yield "a known kind of 60 KiB of empty objects", (closed % b"1").replace(b'"c"', b"[" + b"{}," * 20000 + b"{}]")
    yield "500 items that are none", start + b"[]," * 499 + b"[]]}"
    nothing = b'{"kind":[],"sequence":[],"event_id":[]},'
    yield "500 items of which nothing fits", start + nothing * 499 + nothing[:-1] + b"]}"
    yield "500 items with too much", start + b'{"kind":"closed","x":1},' * 499 + b'{"kind":"closed"}]}'


def one_hole(first: int, last: int, count: int) -> str:
    """A gone range in JSON."""
    return f'{{"first":{first},"last":{last},"drop_class":"x","count":{count}}}'


def body_corpus() -> Iterator[tuple[str, bytes]]:
    """(name, bytes): bodies of no known kind; up to the cap of a frame."""
    body = encode_body(turn())
    yield "nothing", b""
    yield "empty maps", b"\xdd" + struct.pack(">I", 60000) + b"\x80" * 60000
    yield "60 Ki deep", b"\x91" * 60000
    yield "four billion items", b"\xdd\xff\xff\xff\xff"
    yield "an instant before 1970", b"\x98\xff" + body[10:]
    yield "an instant after 9999", msgspec.msgpack.encode([2**60, 1, "c", None, True, "", "c", ""])
    yield "an instant with a fraction", msgspec.msgpack.encode([NOW + 0.5, 1, "c", None, True, "", "c", ""])
    for name, reading in (("before the start", -1), ("of 10,000 years", 2**48), ("of 64 bits", 2**64 - 1)):
        yield f"a monotonic clock {name}", msgspec.msgpack.encode([NOW, 1, "c", reading, True, "", "c", ""])
    yield "a number of another kind", msgspec.msgpack.encode([True, 1, "c", None, True, "", "c", ""])
    yield "a name of 60 Ki characters", msgspec.msgpack.encode([NOW, 1, "c" * 60000, None, True, "", "c", ""])
    yield "a body and then something", body + b"\x00"


def flipped(data: bytes, random: Random, count: int) -> Iterator[bytes]:
    """`data` with one bit wrong, or its end missing; the first bytes, where lengths are, most often."""
    for _ in range(count):
        if random.random() < 0.2:
            yield data[: random.randrange(len(data))]
            continue
        place = random.randrange(_SIGNIFICANT) if random.random() < 0.5 else random.randrange(len(data))
        changed = bytearray(data)
        changed[place % len(data)] ^= 1 << random.randrange(8)
        yield bytes(changed)


def encode_frame_unchecked(items: int) -> bytes:
    """A frame of that many items, however many are allowed."""
    return msgspec.msgpack.encode(frame(*(item(n) for n in range(1, items + 1))))
