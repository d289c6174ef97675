"""Screen words: both languages and a meaning for each, one word per idea."""

import re

import pytest

from seatwatch.glossary import GlossaryError, language_of, parse_glossary, words

HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_word_has_both_languages_and_one_sentence_of_meaning() -> None:
    for key, word in words().items():
        assert HAN.search(word.zh), f"[{key}] zh has no Chinese in it"
        assert not HAN.search(word.en + word.meaning), f"[{key}] en and meaning are English"
        assert word.meaning[0].isupper(), f"[{key}] meaning begins like a sentence"
        assert not re.search(r"[.!?] [A-Z]", word.meaning), f"[{key}] meaning is one sentence"


def test_the_words_the_wallboard_is_promised_with_are_there() -> None:
    assert words()["waiting"].text("zh") == "等待"
    assert words()["t_plus_1_only"].text("zh") == "次日数据"
    assert words()["t_plus_1_only"].text("en") == "T+1 only"
    states = {"ok", "degraded", "redundancy_lost", "on_battery", "power_lost", "isolated", "silent"}
    assert states <= words().keys()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[a]\nzh = "甲"\nen = "A"', "needs exactly zh, en, meaning"),
        ('[a]\nzh = "甲"\nen = ""\nmeaning = "A thing."', "needs exactly"),
        ('[a]\nzh = "甲"\nen = "A"\nmeaning = "A thing"', "full stop"),
        ('[a]\nzh = "甲"\nen = "A"\nmeaning = "A."\n[b]\nzh = "甲"\nen = "B"\nmeaning = "B."', "one idea, one word"),
    ],
)
def test_an_unfinished_word_is_refused_by_name(text: str, problem: str) -> None:
    with pytest.raises(GlossaryError, match=problem):
        parse_glossary(text)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "", "LC_MESSAGES": "zh_TW"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_locale_as_programs_read_it(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language
