"""A golden transcript is about an edge case, so its explanation names it."""

import pytest

from sla_engine._core.reasons import reasons
from tests.builders import PRESET
from tests.sla_engine.golden import FILES, Golden, golden, recorded
from tests.sla_engine.test_reasons import cases_in

PARAMETERS = (
    *("clock_start", "credit", "on_transfer", "repeated_turns", "gap_to_new_session_ms", "out_of_hours"),
    *("window_closes", "answered_out_of_hours", "never_answered", "left_before_target", "turn_ends", "nobody_online"),
    *("outbound", "boundary", "clock_domains"),
)
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


SILENT = {
    ("e7-never-answered-all-day", "window_closes", 1): "it was due, and missed, long before the closing",
    (
        "back-as-the-window-closes",
        "window_closes",
        1,
    ): "it had ended before the closing, which only keeps it from going on",
    ("e11-leaves-in-a-later-turn", "left_before_target", 1): "semantics 1 counts every unanswered turn as missed",
}


@pytest.mark.parametrize("transcript", [golden(path) for path in FILES], ids=lambda one: one.name)
def test_each_variant_of_a_golden_transcript_is_explained_by_the_value_that_makes_it_one(transcript: Golden) -> None:
    for variant in transcript.variants:
        for definition in variant.definitions():
            said = {
                (applied.parameter, applied.value)
                for case in cases_in(recorded(transcript, variant), definition)
                for applied in reasons(case)
            }
            stated = {(name, str(getattr(definition, name))) for name in PARAMETERS}
            special = stated - {(name, str(getattr(PRESET, name))) for name in PARAMETERS}
            silent = {
                name for of, name, semantics in SILENT if (of, semantics) == (transcript.name, definition.semantics)
            }
            assert {(name, value) for name, value in special - said if name not in silent} == set()
