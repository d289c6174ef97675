"""Facts for tests of the second stage: every field has a plain value, a test names the ones it is about."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from sla_engine._core.calendar import Calendar
from sla_engine._core.choices import Boundary, ServiceLevelFormula, Unit
from sla_engine._core.contributions import FigureRule
from sla_engine.facts_store import PERIOD_FILES
from tests.builders import PRESET
from wire.verdict import Fact, LegEnd, LegFact, LoadChange, Outcome, Place, ResponseFact, SessionFact, Verdict, Why

NOBODY = Place(account="", person="", team="unassigned", seat="", site="unassigned", shift="")
ANNA = Place(account="anna@shop", person="anna", team="red", seat="a1", site="north", shift="early")
BO = Place(account="bo@shop", person="bo", team="blue", seat="b7", site="south", shift="late")

BREACH_WHY = {
    Outcome.ANSWERED: Why.ANSWERED_LATE,
    Outcome.ABANDONED: Why.LEFT_UNANSWERED,
    Outcome.UNANSWERED: Why.NOT_ANSWERED_WHEN_DUE,
    Outcome.EXCLUDED: Why.ARRIVED_OUT_OF_HOURS,
}

RULE = FigureRule(
    definition="promise@1",
    unit=Unit.SESSION,
    cap_ms=None,
    short_abandon_ms=5_000,
    formula=ServiceLevelFormula.WITHIN_OF_OFFERED,
    threshold_ms=10_000,
    boundary=Boundary.AT_MOST,
    calendar=Calendar(PRESET),
    turn_limit_ms=None,
)


def session(conversation: str = "c1", **given: Any) -> SessionFact:
    """A session of 2026-11-21 that was answered by Anna after 4 s, unless told otherwise."""
    started_at = given.get("started_at", 1_795_300_000_000)
    outcome = given.get("outcome", Outcome.ANSWERED)
    answered = outcome is Outcome.ANSWERED
    response = given.get("first_response_ms", 4_000 if answered else None)
    in_time = answered and response is not None and response <= 10_000
    verdict = Verdict.MET if in_time else Verdict.BREACHED
    fields: dict[str, Any] = {
        "session": 1,
        "definition": "promise@1",
        "revision": 0,
        "queue": "q1",
        "place": ANNA if answered else NOBODY,
        "started_at": started_at,
        "due_at": started_at + 10_000,
        "resolution_ms": 1,
        "outcome": outcome,
        "verdict": Verdict.EXCLUDED if outcome is Outcome.EXCLUDED else verdict,
        "why": Why.ANSWERED_IN_TIME if in_time else BREACH_WHY[outcome],
        "first_response_ms": response,
        "seat_response_ms": None,
        "queue_wait_ms": None,
        "accept_wait_ms": None,
        "ended_at": None if response is None else started_at + response,
        "entry_index": 0,
        "answer_wait_ms": response,
    }
    return SessionFact(conversation=conversation, **(fields | given))


def response(conversation: str = "c1", **given: Any) -> ResponseFact:
    """A turn that Anna answered after 20 s, unless told otherwise."""
    session_started_at = given.get("session_started_at", 1_795_300_000_000)
    fields: dict[str, Any] = {
        "session": 1,
        "turn": 1,
        "definition": "promise@1",
        "revision": 0,
        "queue": "q1",
        "place": ANNA,
        "session_started_at": session_started_at,
        "started_at": session_started_at,
        "duration_ms": 20_000,
        "entry_index": 0,
    }
    return ResponseFact(conversation=conversation, **(fields | given))


def load(conversation: str, ordinal: int, at: int, change: int, account: str = "anna@shop") -> LoadChange:
    """A conversation joined or left an account's hands."""
    return LoadChange(conversation=conversation, session=1, ordinal=ordinal, account=account, at=at, change=change)


def leg(conversation: str = "c1", **given: Any) -> LegFact:
    """A chat that Anna was given, answered after 3 s and closed after a minute, unless told otherwise."""
    session_started_at = given.get("session_started_at", 1_795_300_000_000)
    started_at = given.get("started_at", session_started_at + 1_000)
    fields: dict[str, Any] = {
        "session": 1,
        "leg": 0,
        "revision": 0,
        "queue": "q1",
        "place": ANNA,
        "session_started_at": session_started_at,
        "started_at": started_at,
        "accepted_at": None,
        "replied_at": started_at + 3_000,
        "ended_at": started_at + 60_000,
        "end": LegEnd.CLOSED,
        "was_owed": True,
        "closes": True,
        "voice": False,
        "entry_index": 0,
    }
    return LegFact(conversation=conversation, **(fields | given))


def written_facts(directory: Path) -> Iterator[Fact]:
    """Every fact in a directory of an engine, by period and in order of session start."""
    decoder = msgspec.msgpack.Decoder(Fact)
    for path in sorted(directory.glob(PERIOD_FILES)):
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            for (content,) in file.execute(
                "SELECT content FROM facts ORDER BY at, session, conversation, type, number"
            ):
                yield decoder.decode(content)
