"""What a field takes, in words: no regular expression and no type's name reaches whoever wrote a file."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from wire.allowed import allowed, misfits
from wire.ids import NAME_PATTERN


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Part(msgspec.Struct):
    name: str
    size: Annotated[int, Meta(ge=1)] = 1


class Whole(msgspec.Struct):
    part: Part
    parts: Annotated[list[Part], Meta(min_length=1)]
    colours: list[Colour] = []
    spare: Part | None = None


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (bool, "true or false"),
        (int, "a whole number"),
        (Annotated[int, Meta(ge=0, lt=10)], "a whole number from 0 to 9"),
        (Annotated[int, Meta(gt=0)], "a whole number of at least 1"),
        (Annotated[int, Meta(le=5)] | None, "a whole number of at most 5, or leave it out"),
        (Annotated[float, Meta(gt=0, le=5)], "a number above 0 and at most 5"),
        (float, "a number"),
        (str, "text, in quotes"),
        (Annotated[str, Meta(max_length=9)], "text, in quotes, at most 9 characters"),
        (Annotated[str, Meta(min_length=1, max_length=1)], "one character, in quotes"),
        (Annotated[str, Meta(pattern=NAME_PATTERN, max_length=96)], "a name of letters, digits and"),
        (Annotated[str, Meta(pattern="^x$")], "text of another form"),
        (Annotated[str, Meta(pattern="^x$", description="the letter x")], "the letter x"),
        (Colour, "one of: red, green"),
        (Literal["a", "b"], "one of: a, b"),
        (list[Colour], "a list, in brackets, each one of: red, green"),
        (Annotated[tuple[int, ...], Meta(min_length=1)], "a list with at least one, in brackets, each a whole number"),
        (Part, "a table"),
        (dict[str, str], "a table"),
        (bytes, "another value"),
    ],
)
def test_a_type_is_told_in_words(hint: object, words: str) -> None:
    assert allowed(hint).startswith(words)


def test_a_number_is_told_in_the_unit_a_person_writes() -> None:
    assert allowed(Annotated[int, Meta(ge=1, le=2000)], lambda ms: f"{ms / 1000:g}") == "a number from 0.001 to 2"


def test_everything_that_does_not_fit_is_named_by_its_full_place() -> None:
    said = {"part": {"nane": "x", "size": 0}, "parts": [{"name": 1}, 7], "colours": ["blue"], "spare": [], "more": 1}
    assert {key: (problem, fix) for key, problem, fix in misfits(Whole, said)} == {
        "more": ("there is no such key", "leave it out; there are: part, parts, colours, spare"),
        "part.nane": ("there is no such key", "write name"),
        "part.name": ("is needed and not there", "write text, in quotes"),
        "part.size": ("0 does not fit", "write a whole number of at least 1"),
        "parts[0].name": ("1 does not fit", "write text, in quotes"),
        "parts[1]": ("is no table but 7", "write it as a table"),
        "colours": ("['blue'] does not fit", "write a list, in brackets, each one of: red, green"),
        "spare": ("[] does not fit", "write a table, or leave it out"),
    }
    assert list(misfits(Whole, {"part": {"name": "x"}, "parts": [{"name": "y"}], "spare": {"name": "z"}})) == []
    assert [key for key, _, _ in misfits(Whole, {"part": {"name": "x"}, "parts": []})] == ["parts"]
