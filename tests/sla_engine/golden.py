"""Golden transcripts as tests read them: what happens, under which rules, and what it counts as."""

import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from sla_engine._core.definition import Definition, DefinitionError, label_of
from sla_engine._core.engine import new_shard, step
from sla_engine.definition_files import parse_definition
from tests.builders import (
    HOUR_MS,
    Event,
    accepted,
    agent,
    assigned,
    clock,
    clock_time,
    closed,
    customer,
    declared,
    entries,
    left,
    offered,
    published,
    queued,
    signed,
    transferred,
)
from tests.builders import contract as contract_over
from tests.oracle.comparing import Judged, last_facts
from tests.oracle.oracle import read
from wire.conversation import Author, ClosedBy, Form, LeftReason, Presence, PresenceChanged
from wire.ids import UNASSIGNED
from wire.recorded import Recorded
from wire.verdict import LegFact, ResponseFact, SessionFact

FOLDER: Final = Path(__file__).parent.parent / "golden"
FILES: Final = sorted(FOLDER.glob("*.toml"))
PLAIN: Final = 'based_on = "contract-10s"\neffective_from = 2020-01-01\n'
SETTLED_AFTER_MS: Final = 20 * HOUR_MS
NOT_YET: Final = "not implemented yet"


class Variant(NamedTuple):
    """The same transcript under other rules. versions: what each differs in from contract-10s, as its file says it."""

    name: str
    versions: list[str]
    expected: dict[str, Any]

    def definitions(self) -> list[Definition]:
        """Raises DefinitionError where this build does not compute it."""
        return [
            parse_definition(
                PLAIN.replace("effective_from = 2020-01-01\n", "") + text if "effective_from" in text else PLAIN + text
            )
            for text in self.versions
        ]


class Golden(NamedTuple):
    """One file."""

    name: str
    rule: str
    happens: list[Event]
    variants: list[Variant]


def golden(path: Path) -> Golden:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    variants = [Variant("contract-10s", [""], table["then"])] if "then" in table else []
    for given in table.get("under", ()):
        versions = given["versions"] if "versions" in given else [given["rules"]]
        variants.append(Variant(" then ".join(versions), versions, given))
    events = [event for line in table["happens"] for event in _events(line)]
    return Golden(path.stem, table["rule"], events, variants)


def is_computed(variant: Variant) -> bool:
    """Whether this build computes it. A definition it refuses for another reason is a mistake in the file."""
    try:
        variant.definitions()
    except DefinitionError as error:
        if error.problem == NOT_YET:
            return False
        raise
    return True


def recorded(transcript: Golden, variant: Variant) -> list[Recorded]:
    """The ledger of a transcript: sources and rules, what happened, and the clock until all is settled."""
    events = transcript.happens
    last = max(max(event.received_at, event.body.occurred_at) for event in events)
    sources = [declared(0, source) for source in sorted({event.source for event in events if event.source[0] != "~"})]
    definitions = variant.definitions()
    names = dict.fromkeys(definition.name for definition in definitions)
    rules = [*(published(definition) for definition in definitions), signed(contract_over(*names))]
    return entries([*sources, *rules, *events, clock(last + SETTLED_AFTER_MS)])


def by_engine(ledger: list[Recorded]) -> list[Judged]:
    return last_facts(step(new_shard(), ledger, 0).facts)


def by_oracle(ledger: list[Recorded], definitions: list[Definition]) -> list[Judged]:
    until = ledger[-1].received_at - max(definition.lateness_allowance_ms for definition in definitions)
    reading = read(ledger, {label_of(definition): definition for definition in definitions}, until)
    return [*reading.sessions, *reading.responses, *reading.legs]


def in_words(facts: list[Judged]) -> dict[str, list[Any]]:
    """What a golden file says of facts: sessions, turns and legs in order."""
    sessions = sorted((f for f in facts if isinstance(f, SessionFact)), key=lambda f: (f.conversation, f.session))
    turns = sorted((f for f in facts if isinstance(f, ResponseFact)), key=lambda f: (f.conversation, f.session, f.turn))
    legs = sorted((f for f in facts if isinstance(f, LegFact)), key=lambda f: (f.conversation, f.session, f.leg))
    return {
        "sessions": [_session(fact) for fact in sessions],
        "turns_s": ["never" if turn.duration_ms is None else turn.duration_ms / 1000 for turn in turns],
        "turns": [_turn(fact) for fact in turns],
        "legs": [_leg(fact) for fact in legs],
    }


def _session(fact: SessionFact) -> dict[str, Any]:
    said: dict[str, Any] = {
        "conversation": fact.conversation,
        "definition": fact.definition.partition("#")[0],
        "started": clock_time(fact.started_at),
        "outcome": str(fact.outcome),
        "verdict": str(fact.verdict),
        "why": str(fact.why),
        "revision": fact.revision,
        "account": fact.place.account,
        "queue": fact.queue,
    }
    if fact.clock_started_at is not None:
        said["clock_started"] = clock_time(fact.clock_started_at)
    for key in ("first_response", "seat_response", "queue_wait", "accept_wait", "waited"):
        value = getattr(fact, f"{key}_ms")
        if value is not None:
            said[f"{key}_s"] = value / 1000
    said |= {key: True for key in ("answered_out_of_hours", "nobody_online") if getattr(fact, key)}
    return {key: value for key, value in said.items() if value != UNASSIGNED}


def _turn(fact: ResponseFact) -> dict[str, Any]:
    said = {
        "conversation": fact.conversation,
        "account": fact.place.account,
        "took_s": "never" if fact.duration_ms is None else fact.duration_ms / 1000,
        "verdict": None if fact.verdict is None else str(fact.verdict),
    }
    return {key: value for key, value in said.items() if value not in {UNASSIGNED, None}}


def _leg(fact: LegFact) -> dict[str, Any]:
    said = {
        "account": fact.place.account,
        "started": clock_time(fact.started_at),
        "ended": clock_time(fact.ended_at),
        "end": str(fact.end),
        "replied": "never" if fact.replied_at is None else clock_time(fact.replied_at),
        "was_owed": fact.was_owed,
    }
    return {key: value for key, value in said.items() if value != UNASSIGNED}


def _events(line: dict[str, Any]) -> list[Event]:
    told = _told(line, line.get("conversation", "c1"))
    source = line.get("source", "chat")
    domain = line.get("clock", told.body.clock)
    body = replace(told.body, clock=domain)
    once = told._replace(body=body, source=source if told.source == "chat" else told.source)
    again = [once._replace(received_at=at) for at in _instants(line.get("again", []))]
    return [once, *again]


def _instants(times: list[str]) -> list[int]:
    return [clock(at).received_at for at in times]


def _told(line: dict[str, Any], c: str) -> Event:
    at, arrives, account = line["at"], line.get("arrives"), line.get("account", "")
    queue = line.get("queue", "presale")
    match line["what"]:
        case "offered":
            voice, outbound = line.get("channel") == "voice", line.get("direction") == "outbound"
            return offered(at, c, queue, voice=voice, outbound=outbound, arrives=arrives)
        case "customer":
            resolution = line.get("resolution_ms", 1)
            return customer(at, c, queue, form=Form(line.get("form", "text")), resolution=resolution, arrives=arrives)
        case "agent":
            return agent(at, account, c, author=Author(line.get("author", "human")), arrives=arrives)
        case "queued":
            return queued(at, c, queue, arrives=arrives)
        case "assigned":
            return assigned(at, account, c, arrives=arrives)
        case "accepted":
            return accepted(at, account, c, arrives=arrives)
        case "transferred":
            return transferred(at, c, queue=line.get("queue", ""), account=account, arrives=arrives)
        case "left":
            return left(at, c, reason=LeftReason(line.get("reason", "hung_up")), arrives=arrives)
        case "closed":
            return closed(at, c, by=ClosedBy(line.get("by", "agent")), arrives=arrives)
        case "clock":
            return clock(at)
        case "presence":
            moment = clock(at).received_at
            body = PresenceChanged(moment, 1, "chat", None, True, "", account, Presence(line["presence"]))
            return Event(body, "chat", moment)
    raise AssertionError(line)
