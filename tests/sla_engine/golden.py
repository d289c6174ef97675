"""Golden transcripts as tests read them: what happens, under which rules, and what it counts as."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from sla_engine._core.definition import Definition, label_of
from sla_engine._core.engine import new_shard, step
from sla_engine.definition_files import parse_definition
from tests.builders import (
    HOUR_MS,
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
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SETTLED_AFTER_MS: Final = 20 * HOUR_MS


class Variant(NamedTuple):
    """The same transcript under other rules. versions: what each differs in from contract-10s, as its file says it.

    entered: when each came in, where that is not before everything.
    """

    name: str
    versions: list[str]
    expected: dict[str, Any]
    entered: list[str | int]

    def definitions(self) -> list[Definition]:
        return [definition_of(text) for text in self.versions]


def definition_of(differences: str) -> Definition:
    """contract-10s with differences; in force for ever, unless they say from when."""
    since = "" if "effective_from" in differences else "effective_from = 2020-01-01\n"
    return parse_definition(f'based_on = "contract-10s"\n{since}{differences}')


class Golden(NamedTuple):
    """One file."""

    name: str
    rule: str
    zone: ZoneInfo
    happens: list[Event]
    variants: list[Variant]


def golden(path: Path) -> Golden:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    events = [event for line in table["happens"] for event in _events(line)]
    zone = ZoneInfo(table["time_zone"]) if "time_zone" in table else SHANGHAI
    return Golden(path.stem, table["rule"], zone, events, variants_of(table))


def variants_of(table: dict[str, Any]) -> list[Variant]:
    variants = [Variant("contract-10s", [""], table["then"], [0])] if "then" in table else []
    for given in table.get("under", ()):
        versions = given["versions"] if "versions" in given else [given["rules"]]
        entered = given.get("entered", [0] * len(versions))
        name = " then ".join(" ".join(text.split()) for text in versions)
        variants.append(Variant(name + "".join(f" at {at}" for at in entered if at), versions, given, entered))
    return variants


def recorded(transcript: Golden, variant: Variant) -> list[Recorded]:
    """The ledger of a transcript: sources and rules, what happened, and the clock until all is settled."""
    events = transcript.happens
    last = max(max(event.received_at, event.body.occurred_at) for event in events)
    sources = [declared(0, source) for source in sorted({event.source for event in events if event.source[0] != "~"})]
    definitions = variant.definitions()
    names = dict.fromkeys(definition.name for definition in definitions)
    came = zip(definitions, variant.entered, strict=True)
    rules = [*(published(definition, arrives=at) for definition, at in came), signed(contract_over(*names))]
    return entries([*sources, *rules, *events, clock(last + SETTLED_AFTER_MS)])


def by_engine(ledger: list[Recorded]) -> list[Judged]:
    return last_facts(step(new_shard(), ledger, 0).facts)


def by_oracle(ledger: list[Recorded], definitions: list[Definition]) -> list[Judged]:
    until = ledger[-1].received_at - max(definition.lateness_allowance_ms for definition in definitions)
    reading = read(ledger, {label_of(definition): definition for definition in definitions}, until)
    return [*reading.sessions, *reading.responses, *reading.legs]


def in_words(facts: list[Judged], zone: ZoneInfo = SHANGHAI) -> dict[str, list[Any]]:
    """What a golden file says of facts: sessions, turns and legs in order."""
    sessions = sorted((f for f in facts if isinstance(f, SessionFact)), key=lambda f: (f.conversation, f.session))
    turns = sorted((f for f in facts if isinstance(f, ResponseFact)), key=lambda f: (f.conversation, f.session, f.turn))
    legs = sorted((f for f in facts if isinstance(f, LegFact)), key=lambda f: (f.conversation, f.session, f.leg))
    return {
        "sessions": [_session(fact, zone) for fact in sessions],
        "turns_s": ["never" if turn.duration_ms is None else turn.duration_ms / 1000 for turn in turns],
        "turns": [_turn(fact) for fact in turns],
        "legs": [_leg(fact, zone) for fact in legs],
    }


def written(at: int, zone: ZoneInfo) -> str:
    """The time of day, with its offset where the clocks change."""
    moment = (EPOCH + timedelta(milliseconds=at)).astimezone(zone)
    time_of_day = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    return time_of_day if zone is SHANGHAI else f"{time_of_day} {moment:%z}"


def _session(fact: SessionFact, zone: ZoneInfo) -> dict[str, Any]:
    said: dict[str, Any] = {
        "conversation": fact.conversation,
        "definition": fact.definition.partition("#")[0],
        "started": written(fact.started_at, zone),
        "outcome": str(fact.outcome),
        "verdict": str(fact.verdict),
        "why": str(fact.why),
        "revision": fact.revision,
        "account": fact.place.account,
        "queue": fact.queue,
        "resolution_s": fact.resolution_ms / 1000,
    }
    if fact.clock_started_at is not None:
        said["clock_started"] = written(fact.clock_started_at, zone)
    for key in ("first_response", "seat_response", "queue_wait", "accept_wait", "answer_wait", "waited"):
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
        "why": None if fact.why is None else str(fact.why),
    }
    return {key: value for key, value in said.items() if value not in {UNASSIGNED, None}}


def _leg(fact: LegFact, zone: ZoneInfo) -> dict[str, Any]:
    said = {
        "account": fact.place.account,
        "started": written(fact.started_at, zone),
        "ended": written(fact.ended_at, zone),
        "end": str(fact.end),
        "queue": fact.queue,
        "replied": "never" if fact.replied_at is None else written(fact.replied_at, zone),
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


def _instant(time: str) -> str | int:
    """A time of day in Shanghai as it is, a date and time with its offset in ms."""
    if "T" not in time:
        return time
    return (datetime.fromisoformat(time) - EPOCH) // timedelta(milliseconds=1)


def _instants(times: list[str]) -> list[int]:
    return [clock(at).received_at for at in times]


def _told(line: dict[str, Any], c: str) -> Event:
    at, arrives, account = _instant(line["at"]), line.get("arrives"), line.get("account", "")
    queue = line.get("queue", "presale")
    match line["what"]:
        case "offered":
            voice, outbound = line.get("channel") == "voice", line.get("direction") == "outbound"
            return offered(at, c, queue, voice=voice, outbound=outbound, arrives=arrives)
        case "customer":
            resolution = line.get("resolution_ms", 1)
            form, whose = Form(line.get("form", "text")), line.get("customer", "")
            return customer(at, c, queue, form=form, resolution=resolution, arrives=arrives, whose=whose)
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
