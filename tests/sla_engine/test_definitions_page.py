"""docs/reference/definitions.md says every key and every word that a definition or contract file can have."""

import re
from enum import StrEnum
from typing import get_args, get_type_hints

import pytest

from sla_engine._core.contract import Contract
from sla_engine._core.definition import Definition
from sla_engine.definition_files import file_key, parse_contract, parse_definition
from sla_engine.definition_text import CASES
from tests.tidy.source import ROOT
from wire.conversation import Form

PAGE = (ROOT / "docs/reference/definitions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NEVER_WRITTEN = {"zone_offsets"}
NEVER_LISTED = {Form.EDIT, Form.RECALL}


def words_in(hint: object) -> list[StrEnum]:
    own = [*hint] if isinstance(hint, type) and issubclass(hint, StrEnum) else []
    return own + [word for part in get_args(hint) for word in words_in(part)]


@pytest.mark.parametrize("kind", [Definition, Contract])
def test_every_key_of_a_file_is_on_the_page(kind: type) -> None:
    keys = {file_key(field) for field in get_type_hints(kind)} - NEVER_WRITTEN
    assert {key for key in keys if not re.search(rf"\b{key}\b", PAGE)} == set()


def test_every_word_of_a_parameter_is_on_the_page() -> None:
    words = {word for hint in get_type_hints(Definition).values() for word in words_in(hint)} - NEVER_LISTED
    assert len(words) > 60
    assert {word for word in words if f"`{word}`" not in PAGE and f"`{word}," not in PAGE} == set()


def test_every_edge_case_has_its_section() -> None:
    sections = dict(re.findall(r"^### (E\d+) (.+)$", PAGE, re.MULTILINE))
    assert {case for key, case in CASES.items() if f"`{key}`" not in sections[case]} == set()


def test_the_files_on_the_page_can_be_used() -> None:
    definition, contract = EXAMPLES
    assert parse_definition(definition).first_response_limit_ms == 15_000
    assert parse_contract(contract).warnings
