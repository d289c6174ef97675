"""Names that others gave, spelled as ids, and ids read as the names they spell.

An id holds `[A-Za-z0-9._:@/~-]` only (`wire.ids`). In a spelled name `~` and two hex digits are a byte of UTF-8:
`Ann Lee` is `Ann~20Lee`. What has no letter or digit at its beginning gets an `n` before it.
"""

import re
import unicodedata
from hashlib import sha256
from typing import Final
from urllib.parse import unquote_to_bytes

from wire.ids import is_name
from wire.limits import NAME_CHARS_MAX

_SAFE: Final = re.compile(r"[A-Za-z0-9._:@/-]")
# Format: of a name that was cut.
_DIGEST_CHARS: Final = 16
_CUT: Final = re.compile(rf"-(?P<shown>[0-9a-f]{{4}})[0-9a-f]{{{_DIGEST_CHARS - 4}}}")
_BYTES: Final = re.compile(r"(?:~[0-9A-F]{2})+")
_URL_BYTES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
# Format: UAX 9, explicit directional formatting: embeddings, overrides, isolates and their ends.
_OVERRIDES: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
APART_BEGINS: Final = "\u2068"
APART_ENDS: Final = "\u2069"
"""FSI and PDI of Unicode: what stands between them turns nothing around it."""
_FROM_THE_RIGHT: Final = frozenset({"R", "AL", "AN"})
_HALF: Final = re.compile(r"~[0-9A-F]?$")


def isolated(name: str) -> str:
    """A name that turns nothing around it: without marks that override its direction, which no name needs.

    One that is written from the right is set apart from what stands before and behind it by two marks of Unicode
    (FSI, PDI), in every text, on screens and off them. Any other is as it is.
    """
    plain = name.translate(_OVERRIDES)
    apart = any(unicodedata.bidirectional(each) in _FROM_THE_RIGHT for each in plain)
    return f"{APART_BEGINS}{plain}{APART_ENDS}" if apart else plain


def as_name(text: str) -> str:
    """`text` as an id; one that is too long ends in a digest of all of it."""
    if is_name(text) and "~" not in text:
        return text
    name = "".join(part if _SAFE.fullmatch(part) else _escaped(part) for part in text)
    if not name[:1].isalnum():
        name = f"n{name}"
    if len(name) > NAME_CHARS_MAX:
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
        name = f"{name[: NAME_CHARS_MAX - _DIGEST_CHARS - 1]}-{digest}"
    return name


def readable(name: str) -> str:
    """The name an id spells, for a person to read, URL escapes in it read as well; any other id as it is.

    Of one that was too long its beginning, and so much of the digest as tells it from its like.
    """
    if "~" not in name:
        return _url_read(name)
    cut = _CUT.fullmatch(name[NAME_CHARS_MAX - _DIGEST_CHARS - 1 :]) if len(name) == NAME_CHARS_MAX else None
    spelled = _HALF.sub("", name[: -_DIGEST_CHARS - 1]) if cut else name
    first = _BYTES.match(spelled, 1) if spelled.startswith("n") else None
    if first is not None and _text(first[0], is_cut=cut is not None):
        spelled = spelled[1:]
    read = _BYTES.sub(lambda found: _text(found[0], is_cut=cut is not None) or found[0], spelled)
    if read == spelled:
        return name
    return _url_read(read) + (f"\u2026{cut['shown']}" if cut else "")


def _url_read(text: str) -> str:
    return _URL_BYTES.sub(lambda found: _text(found[0], is_cut=False) or found[0], text)


def _text(escaped: str, *, is_cut: bool) -> str:
    """What the bytes say where that is text that had to be escaped, else ""."""
    text = unquote_to_bytes(escaped.replace("~", "%")).decode("utf-8", "ignore" if is_cut else "replace")
    return text if text.isprintable() and "\ufffd" not in text and not _SAFE.search(text) else ""


def _escaped(part: str) -> str:
    return "".join(f"~{byte:02X}" for byte in part.encode("utf-8", "surrogatepass"))
