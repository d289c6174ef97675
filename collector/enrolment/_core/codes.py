"""Codes as people carry them: 128 bits in letters that are hard to confuse, stored only as their digest."""

from hashlib import sha256
from typing import Final

# Format: of a claim code.
CODE_BITS: Final = 128
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u."""
# Format: Crockford's base 32, written in groups.
_BITS_EACH: Final = 5
_GROUP: Final = 5
_LOOKS_LIKE: Final = str.maketrans({"o": "0", "i": "1", "l": "1"})


def spell(secret: int) -> str:
    """The code of a random number of CODE_BITS bits, in groups."""
    letters = []
    for _ in range(-(-CODE_BITS // _BITS_EACH)):
        letters.append(_LETTERS[secret & 31])
        secret >>= _BITS_EACH
    text = "".join(letters)
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def digest(code: str) -> str:
    """What is stored of a code. How a person typed it makes no difference: case, dashes, spaces, o for 0."""
    plain = "".join(code.lower().translate(_LOOKS_LIKE).replace("-", "").split())
    return sha256(plain.encode()).hexdigest()
