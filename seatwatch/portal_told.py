"""An answer for the portal, by a process of its own: `python -m seatwatch.portal_told FILE`.

It takes a question from its standard input, as MessagePack, and prints the answer likewise. FILE: number of the open
file that keeps what was read of the span asked about. Of other clients than the one asked about it is told nothing.
"""

import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from dashboards.portal.record import Asked, AskedWronglyError, NothingSaidError
from dashboards.portal.which import Which
from dashboards.wallboard._core.names import Names
from seatwatch.portal.kept_file import KeptFile
from seatwatch.portal.reading import Keeping
from seatwatch.portal.served import ServedClient, ServiceRecord
from seatwatch.settings import Defaults, load_defaults

_MS_PER_S: Final = 1_000


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """what: a method of ServiceRecord, whose further arguments are `text`, `form` and `page` as far as it has them.

    client, names: of the configuration. base: where its files are named from. now: ms.
    """

    what: str
    asked: Asked
    client: ServedClient
    names: Names
    base: str
    data: str
    now: int
    which: Which | None = None
    page: int | None = None
    texts: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """body: what the method gave, as MessagePack, or a file's bytes; else why there is none, a key of the glossary.

    wrong: the reader's to cure. filled: stands in the words.
    """

    body: bytes | None = None
    says: str = ""
    is_wrong: bool = False
    filled: dict[str, int] = {}


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Question).decode


def answer(question: Question, keeping: Keeping | None, defaults: Defaults) -> Answer:
    """What the record says."""
    started = time.monotonic_ns()

    def clock_ms() -> int:
        return question.now + (time.monotonic_ns() - started) // (_MS_PER_S * _MS_PER_S)

    record = ServiceRecord(
        [question.client],
        question.names,
        Path(question.base),
        Path(question.data),
        defaults=defaults,
        clock_ms=clock_ms,
        keeping=keeping,
    )
    given = (each for each in (question.which, question.page) if each is not None)
    try:
        found: Any = getattr(record, question.what)(question.asked, *given, *question.texts)
    except AskedWronglyError as wrong:
        filled = {name: value for name, value in wrong.filled.items() if isinstance(value, int)}
        return Answer(says=wrong.says, is_wrong=True, filled=filled)
    except NothingSaidError as nothing:
        return Answer(says=nothing.says)
    except MemoryError:
        return Answer(says="portal_page_too_much")
    return Answer(body=found if isinstance(found, bytes) else _encode(found))


def room(wanted: int, hard: int) -> int:
    """How much of addresses it may have: nobody but root raises a limit that whoever started the server set lower."""
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def main(arguments: list[str]) -> int:
    """Print one answer."""
    defaults = load_defaults()
    most = room(defaults.int("portal.reading_memory_max"), resource.getrlimit(resource.RLIMIT_AS)[1])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    said = answer(_decode(sys.stdin.buffer.read()), KeptFile(int(arguments[0])), defaults)
    sys.stdout.buffer.write(_encode(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
