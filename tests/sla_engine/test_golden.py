"""The transcripts in tests/golden count as what they say they count as."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.builders import (
    Event,
    accepted,
    agent,
    assigned,
    clock,
    clock_time,
    closed,
    customer,
    left,
    offered,
    queued,
    transcript,
    transferred,
)
from wire.conversation import Author, Form, LeftReason
from wire.ids import UNASSIGNED
from wire.verdict import SessionFact

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("*.toml"))


def event(line: dict[str, Any]) -> Event:
    at, arrives, account = line["at"], line.get("arrives"), line.get("account", "")
    match line["what"]:
        case "offered":
            voice, outbound = line.get("channel") == "voice", line.get("direction") == "outbound"
            return offered(at, voice=voice, outbound=outbound, arrives=arrives)
        case "customer":
            return customer(at, form=Form(line.get("form", "text")), arrives=arrives)
        case "agent":
            return agent(at, account, author=Author(line.get("author", "human")), arrives=arrives)
        case "queued":
            return queued(at, arrives=arrives)
        case "assigned":
            return assigned(at, account, arrives=arrives)
        case "accepted":
            return accepted(at, account, arrives=arrives)
        case "transferred":
            return transferred(at, account=account, arrives=arrives)
        case "left":
            return left(at, reason=LeftReason(line.get("reason", "hung_up")), arrives=arrives)
        case "closed":
            return closed(at, arrives=arrives)
        case "clock":
            return clock(at)
    raise AssertionError(line)


def in_words(fact: SessionFact) -> dict[str, Any]:
    said: dict[str, Any] = {
        "started": clock_time(fact.started_at),
        "outcome": str(fact.outcome),
        "verdict": str(fact.verdict),
        "why": str(fact.why),
        "revision": fact.revision,
        "account": fact.place.account,
    }
    for key in ("first_response", "seat_response", "queue_wait", "accept_wait"):
        value = getattr(fact, f"{key}_ms")
        if value is not None:
            said[f"{key}_s"] = value / 1000
    return {key: value for key, value in said.items() if value != UNASSIGNED}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_transcript_counts_as_what_its_file_says(path: Path) -> None:
    golden = tomllib.loads(path.read_text(encoding="utf-8"))
    play = transcript(*(event(line) for line in golden["happens"]))
    expected = golden["then"]["sessions"]
    got = [in_words(fact) for fact in play.sessions()]
    assert len(got) == len(expected)
    for seen, wanted in zip(got, expected, strict=True):
        assert {key: seen.get(key) for key in wanted} == wanted
    assert ["never" if turn is None else turn / 1000 for turn in play.turns()] == golden["then"]["turns_s"]


def test_there_is_a_golden_transcript_for_every_edge_case_that_is_implemented() -> None:
    named = {rule.strip() for path in GOLDEN for rule in tomllib.loads(path.read_text("utf-8"))["rule"].split(",")}
    assert {f"E{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)} <= named
