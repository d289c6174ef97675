"""The days and months in tests/golden/figures come to the figures they say, to the engine and to the oracle."""

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sla_engine._core.contributions import figure_rule
from sla_engine._core.definition import label_of
from sla_engine._core.figures import Tally
from tests.builders import (
    Event,
    accepted,
    agent,
    assigned,
    clock,
    closed,
    customer,
    declared,
    entries,
    left,
    offered,
    published,
    signed,
)
from tests.builders import contract as contract_over
from tests.oracle.comparing import Judged
from tests.sla_engine.golden import (
    EPOCH,
    FOLDER,
    SHANGHAI,
    Golden,
    Variant,
    by_engine,
    by_oracle,
    golden,
    recorded,
    variants_of,
)
from tests.sla_engine.golden import FILES as TRANSCRIPTS
from wire.board import Figures, Mean, Ratio
from wire.conversation import Presence, PresenceChanged
from wire.recorded import Recorded

FILES = sorted((FOLDER / "figures").glob("*.toml"))
TABLES = [(path, tomllib.loads(path.read_text(encoding="utf-8"))) for path in FILES]
CASES = [
    pytest.param(table, variant, id=f"{path.stem}: {variant.name}")
    for path, table in TABLES
    for variant in variants_of(table)
]


def ledger_of(table: dict[str, Any], variant: Variant) -> list[Recorded]:
    """Every day of it, a conversation after another, and the clock until all is settled."""
    days = [table["days"]["from"] + timedelta(days=number) for number in range(table["days"]["count"])]
    events = [event for line in table.get("presence", ()) for event in present(days[0], line)]
    for day in days:
        events += [event for line in table["each_day"] for event in conversations(day, line)]
    definitions = variant.definitions()
    names = dict.fromkeys(definition.name for definition in definitions)
    rules = [declared(0), *map(published, definitions), signed(contract_over(*names))]
    return entries([*rules, *events, clock(max(event.received_at for event in events) + 3_600_000)])


def conversations(day: date, line: dict[str, Any]) -> list[Event]:
    """As many as it says, alike."""
    told: list[Event] = []
    at = instant(day, line["at"])
    for number in range(line["count"]):
        c = f"{day}T{line['at'].replace(':', '.')}-{number}"
        voice = line["channel"] == "voice"
        told.append(offered(at, c, voice=voice))
        if not voice:
            told.append(customer(at, c))
        if "answered_after_s" in line:
            reply = at + int(line["answered_after_s"] * 1000)
            told += [*rung(at, line, c), agent(reply, "anna", c), closed(reply + 60_000, c)]
        elif "left_after_s" in line:
            told.append(left(at + int(line["left_after_s"] * 1000), c))
        else:
            told.append(closed(at + 600_000, c))
    return told


def rung(at: int, line: dict[str, Any], c: str) -> list[Event]:
    """A desk after another where it rang, each taking it from the one before; the last one picks up."""
    rings = [at + int(ring * 1000) for ring in line.get("rings_s", ())]
    desks = [*(f"desk-{number}" for number in range(len(rings) - 1)), "anna"]
    told = [assigned(ring, desk, c) for ring, desk in zip(rings, desks, strict=False)]
    return [*told, accepted(at + int(line["answered_after_s"] * 1000), "anna", c)] if rings else []


def present(day: date, line: dict[str, Any]) -> list[Event]:
    at = instant(day, line["at"])
    body = PresenceChanged(at, 1, "chat", None, True, "", line["account"], Presence(line["presence"]))
    return [Event(body, "chat", at)]


def instant(day: date, time_of_day: str) -> int:
    moment = datetime.fromisoformat(f"{day}T{time_of_day}").replace(tzinfo=SHANGHAI)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def figures_of(facts: list[Judged], variant: Variant) -> Figures:
    """Each fact counted by its own version, the whole stated by the last one."""
    rules = {
        label_of(definition): figure_rule(definition, label_of(definition)) for definition in variant.definitions()
    }
    tally = Tally()
    for fact in facts:
        definition = getattr(fact, "definition", "")
        if definition:
            tally.apply(fact, rules[definition])
    return tally.figures([*rules.values()][-1])


def in_words(ratio: Ratio) -> str:
    if not ratio.whole:
        return "no data"
    tenths = (ratio.part * 2_000 + ratio.whole) // (2 * ratio.whole)
    return f"{tenths // 10}.{tenths % 10} = {ratio.part} of {ratio.whole}"


@pytest.mark.parametrize(("table", "variant"), CASES)
@pytest.mark.parametrize("by", ["engine", "oracle"])
def test_a_day_or_a_month_comes_to_what_its_file_says(table: dict[str, Any], variant: Variant, by: str) -> None:
    ledger = ledger_of(table, variant)
    facts = by_engine(ledger) if by == "engine" else by_oracle(ledger, variant.definitions())
    figures = figures_of(facts, variant)
    expected = variant.expected
    counts = expected.get("counts", {})
    assert {name: getattr(figures, name) for name in counts} == counts
    if "attainment" in expected:
        assert in_words(figures.attainment) == expected["attainment"]
    if "service_level" in expected:
        assert figures.service_level is not None
        assert in_words(figures.service_level.ratio) == expected["service_level"]
    for name, seconds in expected.get("means_s", {}).items():
        assert mean_s(figures, name) == seconds, name


def mean_s(figures: Figures, name: str) -> float:
    mean: Mean = getattr(figures, name, None) or getattr(figures.detail, name)
    return mean.total_ms / mean.count / 1000


@pytest.mark.parametrize(
    ("transcript", "variant"),
    [
        pytest.param(one, variant, id=f"{one.name}: {variant.name}")
        for one in map(golden, TRANSCRIPTS)
        for variant in one.variants
        if "figures" in variant.expected
    ],
)
@pytest.mark.parametrize("by", ["engine", "oracle"])
def test_a_transcript_comes_to_the_figures_its_file_says(transcript: Golden, variant: Variant, by: str) -> None:
    ledger = recorded(transcript, variant)
    figures = figures_of(by_engine(ledger) if by == "engine" else by_oracle(ledger, variant.definitions()), variant)
    expected = dict(variant.expected["figures"])
    assert expected.pop("attainment", None) in {None, in_words(figures.attainment)}
    assert figures.service_level is not None
    assert in_words(figures.service_level.ratio) == expected.pop("service_level")
    assert expected.pop("near_limit", None) in {None, figures.detail.near_limit}
    assert {name: mean_s(figures, name.removesuffix("_s")) for name in expected} == expected


def test_a_hundred_calls_are_told_under_every_formula_there_is() -> None:
    (table,) = [table for path, table in TABLES if path == Path(FOLDER / "figures" / "hundred-calls.toml")]
    formulas = {definition.service_level_formula for one in variants_of(table) for definition in one.definitions()}
    assert len(formulas) == 7
