"""The transcripts in tests/golden count as what they say they count as, to the engine and to the oracle."""

from typing import Any

import pytest

from tests.sla_engine.golden import FILES, Golden, Variant, by_engine, by_oracle, golden, in_words, recorded

EVERY = [(one, variant) for one in map(golden, FILES) for variant in one.variants]
THE_ENGINES_AFFAIR = {"revision"}
every_variant = pytest.mark.parametrize(
    ("transcript", "variant"), [pytest.param(*case, id=f"{case[0].name}: {case[1].name}") for case in EVERY]
)


@every_variant
def test_a_transcript_counts_as_what_its_file_says(transcript: Golden, variant: Variant) -> None:
    facts = by_engine(recorded(transcript, variant))
    assert_says(variant.expected, in_words(facts, transcript.zone), set())


@every_variant
def test_the_oracle_reads_the_file_the_same_way(transcript: Golden, variant: Variant) -> None:
    facts = by_oracle(recorded(transcript, variant), variant.definitions())
    assert_says(variant.expected, in_words(facts, transcript.zone), THE_ENGINES_AFFAIR)


def assert_says(expected: dict[str, Any], got: dict[str, list[Any]], left_out: set[str]) -> None:
    for key in ("sessions", "turns", "legs"):
        if key in expected:
            assert len(got[key]) == len(expected[key]), (key, got[key])
            for seen, wanted in zip(got[key], expected[key], strict=True):
                stated = {name: value for name, value in wanted.items() if name not in left_out}
                assert {name: seen.get(name) for name in stated} == stated, key
    if "turns_s" in expected:
        assert got["turns_s"] == expected["turns_s"]


@pytest.mark.parametrize("number", range(1, 19))
def test_every_edge_case_has_its_transcripts_with_its_variants(number: int) -> None:
    of_case = [(one, variant) for one, variant in EVERY if f"E{number}" in one.rule.split(", ")]
    assert len({variant.name for _, variant in of_case}) >= 2
