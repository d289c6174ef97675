"""Names that others gave, spelled as ids, and what a person reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.ids import is_name
from wire.spelling import as_name, isolated, readable

LONG = "售前接待一组二组三组四组五组"


@pytest.mark.parametrize(
    "name",
    ["售前", "VIP 售后-2", "Ann Lee", "张三", "~gap", "队列(夜)", "q-1", "PJSIP/7009", "Local/1001@agents/n", "Zoë"],
)
def test_a_name_that_was_spelled_reads_as_it_was(name: str) -> None:
    assert is_name(as_name(name))
    assert readable(as_name(name)) == name


def test_a_name_turns_nothing_around_it_and_one_written_from_the_right_is_set_apart() -> None:
    assert isolated("<b>Acme</b> \u202egnol") == "<b>Acme</b> gnol"
    assert isolated("a\u2066b\u2069c\u202cd") == "abcd"
    assert isolated("\u0634\u0631\u0643\u0629 12\u2069") == "\u2068\u0634\u0631\u0643\u0629 12\u2069"
    for name in ("Acme Outdoor", "\u552e\u524d 2", ""):
        assert isolated(name) == name


@pytest.mark.parametrize("spelled", ["%E5%94%AE%E5%89%8D", "%e5%94%ae%e5%89%8d"])
def test_a_name_that_came_in_url_escapes_reads_as_text(spelled: str) -> None:
    assert readable(as_name(spelled)) == readable(spelled) == "售前"


@pytest.mark.parametrize(
    "name", ["~20", "~BA1", "~41gent", "n~7", "q~FF", "a-1", "100%", "50%41", "%0A", "x~0A", "~E2~80~AE"]
)
def test_what_spells_no_text_that_had_to_be_spelled_stays(name: str) -> None:
    assert readable(name) in {name, " "}
    assert (readable(name) == " ") == (name == "~20")


def test_a_long_name_is_shown_by_its_beginning_and_apart_from_its_like() -> None:
    shown = {readable(as_name(LONG + end)) for end in ("甲", "乙")}
    assert len(shown) == 2
    assert all(each.startswith("售前接待一组") and "~" not in each and "\ufffd" not in each for each in shown)


@given(name=st.text(min_size=1, max_size=30))
def test_every_name_can_be_spelled_and_read(name: str) -> None:
    spelled = as_name(name)
    assert is_name(spelled)
    assert readable(spelled).isprintable()
