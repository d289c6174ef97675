import tomllib

import pytest

from wire.toml import read_toml

TOO_DEEP = "x=" + "[" * 100_000


def test_tables_are_read() -> None:
    assert read_toml("[a]\nb = [1, 2]") == {"a": {"b": [1, 2]}}


def test_what_a_windows_editor_saved_is_read_as_well() -> None:
    assert read_toml("\ufeff[a]\nb = 1") == {"a": {"b": 1}}


@pytest.mark.parametrize("text", [TOO_DEEP, "x=" + "{x=" * 100_000, "x=" + "9" * 5_000, "x=", "[x"])
def test_whatever_is_no_toml_is_told_as_such(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        read_toml(text)
