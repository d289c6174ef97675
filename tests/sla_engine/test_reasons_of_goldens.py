"""A golden transcript is about an edge case, so its explanation names it."""

import pytest

from sla_engine._core.reasons import reasons
from tests.sla_engine.golden import FILES, Golden, golden, recorded
from tests.sla_engine.test_reasons import cases_in

NOTHING_DONE = {
    "at-opening": "it arrives inside the window, so the rule for outside it does nothing",
    "asterisk-attended-transfer": "a transfer after the answer moves no clock of the first response",
}


@pytest.mark.parametrize("transcript", [golden(path) for path in FILES], ids=lambda one: one.name)
def test_every_rule_that_a_golden_transcript_is_about_is_named_by_its_explanation(transcript: Golden) -> None:
    named = {
        applied.row
        for variant in transcript.variants
        for definition in variant.definitions()
        for case in cases_in(recorded(transcript, variant), definition)
        for applied in reasons(case)
    }
    rows = {row for row in transcript.rule.split(", ") if row.startswith("E")}
    assert rows <= named or transcript.name in NOTHING_DONE
