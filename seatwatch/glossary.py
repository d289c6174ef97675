"""The words on our screens, in Chinese and English, each with its meaning: `seatwatch/glossary.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final, Literal

Language = Literal["zh", "en"]

FIELDS: Final = ("zh", "en", "meaning")


class GlossaryError(ValueError):
    """A word is missing a translation or its meaning, or two keys share one word."""


@dataclass(frozen=True, slots=True)
class Word:
    """One idea: its Chinese word, its English word, and one English sentence saying what it means."""

    zh: str
    en: str
    meaning: str

    def text(self, language: Language) -> str:
        """The word in `language`."""
        return self.zh if language == "zh" else self.en


def language_of(environment: Mapping[str, str]) -> Language:
    """The language a person's locale asks for; English unless it is Chinese."""
    named = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, named), "").lower().startswith("zh") else "en"


@cache
def words() -> Mapping[str, Word]:
    """Every word by its key. Raises GlossaryError if the file is damaged."""
    return parse_glossary(resources.files("seatwatch").joinpath("glossary.toml").read_text(encoding="utf-8"))


def parse_glossary(text: str) -> Mapping[str, Word]:
    """The words in TOML `text`. Raises GlossaryError naming the key at fault, tomllib.TOMLDecodeError."""
    found: dict[str, Word] = {}
    for key, fields in tomllib.loads(text).items():
        if set(fields) != set(FIELDS) or not all(isinstance(v, str) and v.strip() for v in fields.values()):
            message = f"[{key}] in glossary.toml needs exactly {', '.join(FIELDS)}, each with text"
            raise GlossaryError(message)
        if not fields["meaning"].endswith("."):
            message = f"[{key}] in glossary.toml: write the meaning as one sentence, with its full stop"
            raise GlossaryError(message)
        word = Word(**fields)
        twin = next((k for k, w in found.items() if w.zh == word.zh or w.en == word.en), None)
        if twin is not None:
            message = f"[{key}] and [{twin}] in glossary.toml share a word; one idea, one word"
            raise GlossaryError(message)
        found[key] = word
    return MappingProxyType(found)
