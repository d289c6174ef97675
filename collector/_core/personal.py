"""What no id may be, because it says who a person is: a telephone number, a name, an address, an identity card.

Ids travel into reports, exports and other people's screens, and the record is never rewritten. So what looks like one
of these is refused at the door, and nothing of it is kept. docs/operate/connect-chat.md says which ids are.
"""

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import msgspec

from collector._core.reserved import CONVERSATION_KINDS
from wire.bodies import BODY_TYPES
from wire.body import Body
from wire.decoders import BODY_DECODERS
from wire.frame import Item
from wire.ids import is_name
from wire.kinds import Kind
from wire.limits import BODY_BYTES_MAX

_MAYBE_MOBILE: Final = re.compile(r"1[3-9]\d[-. ]?\d{4}[-. ]?\d{4}").search
"""Quick, since it begins with one character; finds every mobile number that `_NUMBER` does."""
_NUMBER: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:00|\+)?86[-. ]?)?1[3-9]\d(?:\d{8}|([-. ])\d{4}\1\d{4})(?![0-9A-Za-z])"  # mobile, China
    r"|\+\d{7,15}(?!\d)"  # international (E.164)
    r"|^0\d{2,3}[- ]\d{7,8}$"  # fixed line, China
)
_NUMBER_IN_WORD: Final = re.compile(r"(?<!\d)(?:86)?1[3-9]\d{9}(?!\d)")
_NUMBER_IN_BYTES: Final = re.compile(
    rb"(?<![0-9A-Za-z])(?:(?:\+?86)?1[3-9]\d{9}|0\d{2,3}-\d{7,8})(?![0-9A-Za-z])|\+\d{7,15}(?!\d)"
).search
_OF_NO_ID: Final = re.compile(r"[^!-~]").search
_A_CONNECTORS: Final = CONVERSATION_KINDS | {Kind.QUARANTINED}
"""What tells of people: conversations, and what is of no kind that could be read."""
# Format: of a mask as people know it, 138****1234; and GB 11643, the weights of a card's digits.
_LEFT_SHOWN: Final = 3
_RIGHT_SHOWN: Final = 4
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}").fullmatch
_CARD: Final = re.compile(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]").fullmatch
_CARD_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CARD_DIGITS: Final = "10X98765432"

# Batch: words known to be harmless.
_REMEMBERED: Final = 1 << 14

_IDS: Final = ("conversation", "account", "scorer", "linked")
_PSEUDONYMS: Final = ("customer", "shard_key")
"""Stand for a person, so they are looked at more closely: what a platform numbers has its own id."""
_WORDS: Final = ("pause_reason", "sampled_by")
"""Written freely, so that only what says who a person is makes them personal."""


def is_telephone_number(text: str) -> bool:
    """Whether an id is, or has as one of its parts, what a person can be called by."""
    if _MAYBE_MOBILE(text) is None and "+" not in text and text[:1] != "0":
        return False
    return _NUMBER.search(text) is not None


def masked(text: str) -> str:
    """`text` with the middle of telephone numbers taken out: 138xxxx8000. Still one for each person of a floor."""
    return _NUMBER.sub(_mask, text)


def masked_word(text: str) -> str:
    """As `masked`, of a word of capitals that a number may stand in the midst of: FOO138XXXX8000."""
    return _NUMBER_IN_WORD.sub(
        lambda found: _mask(found).upper(), _NUMBER.sub(lambda found: _mask(found).upper(), text)
    )


def _mask(found: re.Match[str]) -> str:
    return f"{found[0][:_LEFT_SHOWN]}xxxx{found[0][-_RIGHT_SHOWN:]}"


def is_personal(text: str) -> bool:
    """Whether what stands for a person says who it is."""
    return is_telephone_number(text) or _is_address_or_card(text)


def names_a_person(body: Body, *, any_queue: bool = False) -> bool:
    """Whether an id in it says who somebody is; a name or a text shows by the characters no id has.

    any_queue: nobody has named the queues there are, so that the body's own may be any number that a sender mistook for
    one. A hotline that somebody did name may be called by its number.
    """
    return not _says_nothing(_TAKES[type(body)](body)) and _says_who(body, any_queue=any_queue)


def keepable(item: Item) -> bytes:
    """The body of an item that was not taken, as it may be kept: nothing, where it says who a person is.

    What cannot be decoded is searched for a telephone number as it stands; of what a connector told, for a text and
    whatever else no id may be.
    """
    raw = bytes(item.body)
    decode = BODY_DECODERS.get((item.kind, item.kind_version))
    try:
        is_bad = decode is not None and names_a_person(decode(raw), any_queue=True)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        is_bad = _NUMBER_IN_BYTES(raw) is not None or (item.kind in _A_CONNECTORS and _holds_a_text(raw))
    return b"" if is_bad else raw


def _holds_a_text(raw: bytes) -> bool:
    """Whether a string anywhere in it is none an id could be. Its size is looked at first: its shape is anybody's."""
    if len(raw) > BODY_BYTES_MAX:
        return False
    try:
        left = [msgspec.msgpack.decode(raw)]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    while left:
        said = left.pop()
        if isinstance(said, dict):
            left += [*said.keys(), *said.values()]
        elif isinstance(said, list | tuple):
            left += said
        elif isinstance(said, str) and (_OF_NO_ID(said) is not None or is_personal(said)):
            return True
    return False


def _says_who(body: Body, *, any_queue: bool) -> bool:
    """As `names_a_person`, of one with an id that is not remembered."""
    if len(_HARMLESS) > _REMEMBERED:
        _HARMLESS.clear()
        _HARMLESS.add("")
    clock = body.clock
    if clock not in _HARMLESS:
        if is_personal(clock):
            return True
        if is_name(clock):
            _HARMLESS.add(clock)
    if _is_number(getattr(body, "queue", "")) and any_queue:
        return True
    if any(is_personal(getattr(body, name, "")) for name in _WORDS):
        return True
    ids = {getattr(body, name, "") for name in _IDS} - _HARMLESS
    for text in ids:
        if not is_name(text) or is_telephone_number(text):
            return True
        if not _is_address_or_card(text):
            _HARMLESS.add(text)
    for text in {getattr(body, name, "") for name in _PSEUDONYMS} - ids - _HARMLESS:
        if not is_name(text) or is_personal(text):
            return True
        _HARMLESS.add(text)
    return False


def _is_number(queue: str) -> bool:
    if queue not in _HARMLESS and is_name(queue) and not is_personal(queue):
        _HARMLESS.add(queue)
    return queue not in _HARMLESS and is_telephone_number(queue)


def _is_address_or_card(text: str) -> bool:
    """What says who somebody is, other than a telephone number."""
    return _MAIL(text) is not None or _is_identity_card(text)


def _is_identity_card(text: str) -> bool:
    if _CARD(text) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _CARD_WEIGHTS, strict=False))
    return text[-1].upper() == _CARD_DIGITS[total % len(_CARD_DIGITS)]


def _taking(body_type: type[Body]) -> Callable[[Any], tuple[str, ...]]:
    """What takes the ids out of a body; each has a shard key and a clock, which a sender may name as it likes."""
    said = (name for name in ("queue", *_IDS, *_PSEUDONYMS, *_WORDS) if name in body_type.__struct_fields__)
    return attrgetter("clock", *said)


_TAKES: Final = {kind: _taking(kind) for kind in BODY_TYPES.values()}
_HARMLESS: Final = {""}
"""Ids that were looked at and say nothing, whatever they stand for. A memory only: others are looked at again.

Events come by tens of thousands a second, those of a conversation one after the other.
"""
_says_nothing: Final = _HARMLESS.issuperset
