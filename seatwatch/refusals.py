"""What a command refuses, in the language of the person who asked.

The parts below say in English what is wrong and what to do, as sentences that a `; ` joins, behind the place they are
about and a `: `. Those sentences stand in the glossary as `refused_...`, with their places, and are told from there;
names, keys and values stay. What has no sentence there is told as it is, and said to be so.
"""

import re
from contextvars import ContextVar
from enum import IntEnum
from functools import cache
from typing import Final

import typer

from seatwatch.glossary import Language, Word, words

_SENTENCE: Final = "refused_"
_FILLED: Final = "filled_"
"""Words that only stand in the places of a sentence."""
_PLACE: Final = re.compile(r"\\\{(\w+)\\\}")
_NUMBERS: Final = frozenset({"least", "most", "n"})
_language: Final[ContextVar[Language]] = ContextVar("language", default="en")


def speak(language: Language) -> None:
    """What is refused from now on in this run is told in `language`."""
    _language.set(language)


def say(sentence: str) -> None:
    """Tell on stderr what is refused, why, and what to do instead."""
    typer.echo(said(sentence), err=True)


def said(sentence: str) -> str:
    """An English refusal of one or more lines in the language spoken."""
    if _language.get() == "en":
        return sentence
    return "\n".join(_line(line) for line in sentence.split("\n"))


def phrase(text: str) -> str:
    """A problem or a fix alone, in the language spoken; as it is where the glossary has no sentence for it."""
    return text if _language.get() == "en" else _sentences(text, "told_more")[0]


def _line(line: str) -> str:
    """Where it is about more than one place, the longest rest of it that is known whole, or else the longest known."""
    parts = line.split(": ")
    rests = [
        (": ".join(parts[:number]), *_sentences(": ".join(parts[number:]), "told_and")) for number in range(len(parts))
    ]
    best = max(rests, key=lambda rest: rest[2])
    where, told, known = best
    if known is _Known.NOTHING:
        return _word("told_as_it_is").format(said=line)
    return _word("told_where").format(where=where, what=told) if where else told


class _Known(IntEnum):
    NOTHING = 0
    IN_PART = 1
    WHOLE = 2


def _sentences(text: str, joint: str) -> tuple[str, _Known]:
    """The whole as one sentence, or else each that a semicolon joins; and how much of it is known.

    joint: the word that joins the first with the rest.
    """
    whole = _sentence(text)
    if whole is not None:
        return whole, _Known.WHOLE
    first, semicolon, rest = text.partition("; ")
    if not semicolon:
        return text, _Known.NOTHING
    one, (other, known) = _sentence(first), _sentences(rest, "told_more")
    if one is None and known is _Known.NOTHING:
        return text, known
    is_whole = one is not None and known is _Known.WHOLE
    return _word(joint).format(one=one or first, other=other), _Known.WHOLE if is_whole else _Known.IN_PART


def _sentence(text: str, *, fills: bool = False) -> str | None:
    """In the language spoken. fills: it stands in the place of another one."""
    for pattern, word in _patterns(fills=fills):
        found = pattern.fullmatch(text)
        if found is not None:
            places = {name: _sentence(each, fills=True) or each for name, each in found.groupdict().items()}
            return word.zh.format(**places)
    return None


def _word(key: str) -> str:
    return words()[key].text(_language.get())


@cache
def _patterns(*, fills: bool) -> list[tuple[re.Pattern[str], Word]]:
    """Sentences with their places open, those with most words of their own first; with `fills` also what fills them."""
    prefixes = (_SENTENCE, _FILLED) if fills else (_SENTENCE,)
    found = [word for key, word in words().items() if key.startswith(prefixes)]
    found.sort(key=lambda word: len(re.sub(r"\{\w+\}", "", word.en)), reverse=True)
    return [(re.compile(_PLACE.sub(_filled, re.escape(word.en)), re.DOTALL), word) for word in found]


def _filled(place: re.Match[str]) -> str:
    """What may stand in a place: a number, or whatever is no further sentence."""
    return rf"(?P<{place[1]}>{r'[^ ,;]+' if place[1] in _NUMBERS else r'(?:(?!; ).)+'})"
