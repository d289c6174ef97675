"""The NUT line protocol without I/O (RFC 9271): requests to bytes, bytes to answers.

Values are quoted, and a backslash escapes. Unknown variables, tokens and errors are kept as they came; bytes that are
no UTF-8 are tolerated. Lines and listings have caps, because the other end may be anything.
"""

from functools import lru_cache
from typing import Final, NamedTuple

# Bound: upsd says no line a tenth as long.
LINE_CHARS_TOLERATED: Final = 4096
LISTING_LINES_TOLERATED: Final = 4096  # Bound: nor a list
# Batch: of lines that are not split anew, because upsd says the same status again and again.
LINES_REMEMBERED: Final = 32


class NutProtocolError(Exception):
    """The other end does not speak NUT, or not to us: the connection is of no further use."""


class Variable(NamedTuple):
    """`VAR <ups> <name> "<value>"`."""

    ups: str
    name: str
    value: str


class Refusal(NamedTuple):
    """`ERR <code>`; codes are NUT's own words, such as DATA-STALE."""

    code: str


class Listing(NamedTuple):
    """A whole `BEGIN LIST` .. `END LIST`: the words of each line between."""

    query: tuple[str, ...]
    lines: list[tuple[str, ...]]

    def variables(self) -> dict[str, str]:
        """Name to value of a LIST VAR."""
        # Format: upsd's VAR <ups> <name> "<value>".
        return {words[2]: words[3] for words in self.lines if len(words) >= 4 and words[0] == "VAR"}


class Words(NamedTuple):
    """Any other answer, split."""

    words: tuple[str, ...]


Answer = Variable | Refusal | Listing | Words


def get_variable(ups: str, name: str) -> bytes:
    """Ask for one variable."""
    return _request("GET", "VAR", ups, name)


def list_variables(ups: str) -> bytes:
    """Ask for all variables of a UPS."""
    return _request("LIST", "VAR", ups)


@lru_cache(LINES_REMEMBERED)
def split_words(line: str) -> tuple[str, ...]:
    """The words of a line. A quoted word may be empty and hold blanks; after a backslash any character is itself."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = escaped = False
    for character in line:
        if escaped:
            word = [*(word or []), character]
            escaped = False
        elif character == "\\":
            word = word if word is not None else []
            escaped = True
        elif character == '"':
            word = word if word is not None else []
            quoted = not quoted
        elif character in " \t" and not quoted:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = word if word is not None else []
            word.append(character)
    if word is not None:
        words.append("".join(word))
    return tuple(words)


class NutParser:
    """Turns the byte stream of one connection into answers, in order."""

    def __init__(self) -> None:
        self._buffer = b""
        self._listing: Listing | None = None

    def feed(self, data: bytes) -> list[Answer]:
        """The answers completed by `data`. Raises NutProtocolError; the parser is then of no further use."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > LINE_CHARS_TOLERATED or any(len(line) > LINE_CHARS_TOLERATED for line in lines):
            raise NutProtocolError(f"a line of more than {LINE_CHARS_TOLERATED} bytes")
        answers = []
        for line in lines:
            answer = self._line(split_words(line.decode("utf-8", "replace").rstrip("\r")))
            if answer is not None:
                answers.append(answer)
        return answers

    def _line(self, words: tuple[str, ...]) -> Answer | None:
        if not words:
            return None
        if self._listing is not None:
            return self._in_listing(self._listing, words)
        if words[:2] == ("BEGIN", "LIST"):
            self._listing = Listing(words[2:], [])
            return None
        if words[0] == "ERR":
            return Refusal(words[1] if len(words) > 1 else "")
        # Format: upsd's VAR <ups> <name> "<value>".
        if words[0] == "VAR" and len(words) >= 4:
            return Variable(words[1], words[2], words[3])
        return Words(words)

    def _in_listing(self, listing: Listing, words: tuple[str, ...]) -> Answer | None:
        if words[:2] == ("END", "LIST"):
            self._listing = None
            return listing
        if words[0] == "ERR":
            self._listing = None
            return Refusal(words[1] if len(words) > 1 else "")
        if len(listing.lines) >= LISTING_LINES_TOLERATED:
            raise NutProtocolError(f"a listing of more than {LISTING_LINES_TOLERATED} lines")
        listing.lines.append(words)
        return None


def _request(*words: str) -> bytes:
    return (" ".join(_quoted(word) for word in words) + "\n").encode()


def _quoted(word: str) -> str:
    if word and not any(character in ' \t"\\\n\r' for character in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return f'"{escaped}"'
