"""A client's year as the portal shows it, read by a process of its own: `python -m seatwatch.year_told`.

It takes a data directory and, as JSON, what is asked for and when it is (ms), and prints a year or why there is none.
"""

import sys
from pathlib import Path

import msgspec

from dashboards.portal.record import Asked, AskedWronglyError, NothingSaidError
from dashboards.portal.sessions import PortalSettings
from seatwatch.portal.reading import Reading, YearTold, report_settings
from seatwatch.printed.cause_words import cause_limits
from seatwatch.settings import load_defaults


class YearAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is asked. now: ms."""

    asked: Asked
    now: int


class NoYear(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is none. says: a key of the glossary. is_wrong: the reader's to cure. days: stands in the words."""

    says: str
    is_wrong: bool
    days: int = 0


class YearAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One of both."""

    told: YearTold | None = None
    nothing: NoYear | None = None


_decode = msgspec.json.Decoder(YearAsked).decode


def answer(data: Path, question: YearAsked) -> YearAnswer:
    """The year, or why there is none."""
    defaults = load_defaults()
    reading = Reading(
        data,
        defaults.fill(PortalSettings, "portal"),
        report_settings(defaults),
        cause_limits(defaults),
        lambda: question.now,
    )
    try:
        return YearAnswer(told=reading.year(question.asked))
    except AskedWronglyError as wrong:
        days = wrong.filled.get("days", 0)
        return YearAnswer(nothing=NoYear(says=wrong.says, is_wrong=True, days=days if isinstance(days, int) else 0))
    except NothingSaidError as nothing:
        return YearAnswer(nothing=NoYear(says=nothing.says, is_wrong=False))


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(answer(Path(sys.argv[1]), _decode(sys.argv[2]))))
