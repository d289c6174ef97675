"""The definitions that ship with the program: what a ledger names by hash must never change under its name."""

import pytest

from sla_engine._core.definition import check, label_of
from sla_engine._core.engine import definitions_of
from sla_engine.definition_files import load_preset, parse_contract, preset_names, preset_versions
from tests.builders import (
    Event,
    agent,
    assigned,
    clock,
    closed,
    customer,
    declared,
    left,
    ms,
    offered,
    published,
    signed,
    transcript,
)
from tests.tidy.source import ROOT
from wire.conversation import Presence, PresenceChanged
from wire.verdict import Verdict

LABELS = {
    "contract-10s": "contract-10s@1#c61b832139b7",
    "feige-3min": "feige-3min@1#312fb4cb387e",
    "feige-frt-2022": "feige-frt-2022@1#e828165a8f97",
    "feige-noservice": "feige-noservice@1#ce4d0c15ce1b",
    "jd-30s-2021-12-22": "jd-30s@2#b85892f3fa28",
    "jd-30s-24h": "jd-30s@1#d757f73d2dd2",
    "kuaishou-3min-2023": "kuaishou-3min-2023@1#9cefefa7ed7d",
    "kuaishou-5min-old": "kuaishou-5min-old@1#40db8c0a8ea3",
    "kuaishou-5min-old-seat": "kuaishou-5min-old-seat@1#973b4e674e81",
    "pdd-3min": "pdd-3min@1#737ce55fc4be",
    "pdd-5min": "pdd-5min@1#4f725c00597e",
    "taobao-3min": "taobao-3min@1#b59e9ddd1067",
    "tmall-art-2022": "tmall-art-2022@1#d98f74f6d9f7",
    "voice-80-20": "voice-80-20@1#b19416d66d79",
}
PAGE = (ROOT / "docs/reference/definitions.md").read_text(encoding="utf-8")
DAY_MS = 86_400_000
CONTRACT = """
name = "acme-2021"
client = "acme"
time_zone = "Asia/Shanghai"
effective_from = 2021-01-01
queues = ["*"]
definitions = ["jd-30s"]
settlement = "month"
"""


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_can_be_used_and_its_rules_never_change(name: str) -> None:
    check(load_preset(name))
    assert label_of(load_preset(name)) == LABELS[name]


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_called_after_its_definition_and_says_where_it_comes_from(name: str) -> None:
    preset = load_preset(name)
    assert name == preset.name or name.startswith(f"{preset.name}-")
    assert preset in preset_versions(preset.name)
    assert preset.source
    assert preset.source_date
    assert preset.title.count(" / ") == 1, "in Chinese / in English"
    assert preset.official is (name == "contract-10s"), "only what was read on its maker's own page is official"


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_on_the_page_with_its_date(name: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    assert load_preset(name).source_date.split(" (")[0] in row


def test_the_rule_of_jd_changed_in_the_middle_of_its_thirty_days() -> None:
    old, new = preset_versions("jd-30s")
    assert (old.version, new.version, old.redefinition, new.redefinition) == (1, 2, "new_sessions_only", "restates")
    assert (new.effective_from, new.source_date) == (ms("-1797 00:00"), "2021-12-22"), "told three weeks after it began"
    play = transcript(given=[declared(0), published(old), published(new), signed(parse_contract(CONTRACT))])
    ends = new.effective_from + 16 * DAY_MS
    judged_by = [definitions_of(play.shard, "presale", ends - days * DAY_MS)[0].version for days in range(30, 0, -1)]
    assert judged_by == [1] * 14 + [2] * 16


def test_the_two_clocks_of_an_old_rate_differ_in_nothing_but_their_start() -> None:
    shop, seat = load_preset("kuaishou-5min-old"), load_preset("kuaishou-5min-old-seat")
    differ = {field for field in shop.__struct_fields__ if getattr(shop, field) != getattr(seat, field)}
    assert differ == {"name", "title", "clock_start", "on_transfer"}


def test_a_call_that_is_only_offered_and_answered_waited_all_the_while() -> None:
    calls = [
        offered("10:00:00", "answered", voice=True),
        offered("10:00:00", "gave-up", voice=True),
        left("10:00:30", "gave-up"),
        assigned("10:00:35", c="answered"),
        agent("10:00:35", c="answered"),
    ]
    play = transcript(*calls, definition=load_preset("voice-80-20"))
    assert play.session("answered").first_response_ms == 35_000
    assert (play.session("gave-up").outcome, play.session("gave-up").verdict) == ("abandoned", "breached")


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (agent("14:00:00"), Verdict.MET),
        (left("09:00:05"), Verdict.BREACHED),
        (closed("09:30:00"), Verdict.BREACHED),
        (clock("+1 12:00"), Verdict.BREACHED),
        (agent("23:00:00"), Verdict.BREACHED),
    ],
    ids=["answered hours later", "left at once", "closed", "never answered", "answered as the window closes"],
)
def test_whether_anybody_was_free_moves_no_verdict_of_feiges_not_served(ending: Event, verdict: Verdict) -> None:
    def judged(presence: Presence) -> Verdict:
        known = [offered("08:30", "before"), closed("08:31", "before")]
        there = PresenceChanged(ms("08:40"), 1, "chat", None, True, "", "anna", presence)
        events = [*known, Event(there, "chat", ms("08:40")), customer("09:00:00"), ending, clock("+1 12:00:01")]
        return transcript(*events, definition=load_preset("feige-noservice")).session().verdict

    assert [judged(presence) for presence in (Presence.READY, Presence.OFFLINE)] == [verdict, verdict]
