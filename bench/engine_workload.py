"""The conversations the engine's benches fold: as encoded bodies, in order of time, from one seed."""

import random
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sla_engine._core import contract as contracts
from sla_engine._core import definition as definitions
from sla_engine._core.contract import Contract, Settlement
from sla_engine.definition_files import load_preset
from wire.body import Body
from wire.codec import KIND_OF, encode_body
from wire.conversation import AgentTurn, Assigned, Closed, CustomerTurn, Offered
from wire.decoders import BODY_DECODERS
from wire.organisation import ContractSigned, DefinitionPublished, Relation, RosterLink
from wire.record import Clock, Feed, SourceDeclared
from wire.recorded import Recorded

SOURCE: Final = "chat-1"
QUEUES: Final = 20
PEOPLE: Final = 400
TURNS: Final = 3
NOON_MS: Final = 1_780_027_200_000
"""2026-05-29 12:00 in Shanghai: inside the service window."""


class Row(NamedTuple):
    """An entry before it is decoded."""

    kind: int
    kind_version: int
    data: bytes


def row(body: Body) -> Row:
    kind, version = KIND_OF[type(body)]
    return Row(kind, version, encode_body(body))


ONE: Final = ("contract-10s",)
THREE: Final = ("contract-10s", "jd-30s-2021-12-22", "tmall-art-2022")
"""Presets that judge every queue: unlike limits, replies, turns on transfer and ways to count."""


def preamble(presets: Sequence[str] = ONE) -> Iterator[Body]:
    """A source, definitions, a contract and a roster."""
    head = (NOON_MS, 1, "hub", None, True, "")
    yield SourceDeclared(*head, SOURCE, Feed.LIVE, "conversations")
    found = [load_preset(name) for name in presets]
    for preset in found:
        document = definitions.canonical(preset)
        yield DefinitionPublished(*head, preset.name, preset.version, preset.effective_from, document)
    contract = Contract(
        name="acme-2026",
        client="acme",
        title="",
        effective_from=0,
        effective_until=None,
        queues=("*",),
        definitions=tuple(preset.name for preset in found),
        settlement=Settlement.MONTH,
        running_in_until=None,
        attainment_target_bp=None,
    )
    yield ContractSigned(*head, contract.name, contract.effective_from, contracts.canonical(contract))
    for person in range(PEOPLE):
        yield RosterLink(*head, Relation.PERSON_OF_ACCOUNT, f"account-{person}", f"person-{person}", 0)
        yield RosterLink(*head, Relation.TEAM_OF_PERSON, f"person-{person}", f"team-{person // 15}", 0)
        yield RosterLink(*head, Relation.SEAT_OF_PERSON, f"person-{person}", f"seat-{person}", 0)
        yield RosterLink(*head, Relation.SITE_OF_SEAT, f"seat-{person}", f"site-{person // 200}", 0)


def conversations(count: int, seed: int, per_second: int = 50) -> list[Body]:
    """Conversations of nine events, `per_second` of them beginning each second, and a clock entry every second."""
    rng = random.Random(seed)
    bodies: list[Body] = []
    for number in range(count):
        at = NOON_MS + number * 1000 // per_second
        key = f"c{number:08d}-{rng.getrandbits(32):08x}"
        account = f"account-{rng.randrange(PEOPLE)}"
        queue = f"queue-{rng.randrange(QUEUES)}"

        def head(when: int, key: str = key) -> tuple[int, int, str, None, bool, str]:
            return (when, 1, "chat", None, True, key)

        bodies.append(Offered(*head(at), key, queue))
        at += rng.randrange(2_000)
        bodies.append(Assigned(*head(at), key, account))
        for _ in range(TURNS):
            at += rng.randrange(1, 5_000)
            bodies.append(CustomerTurn(*head(at), key))
            at += rng.randrange(1_000, 14_000)
            bodies.append(AgentTurn(*head(at), key, account))
        at += rng.randrange(1_000, 20_000)
        bodies.append(Closed(*head(at), key))
    bodies.sort(key=lambda body: body.occurred_at)
    last = bodies[-1].occurred_at
    clocks = [Clock(at, 1, "hub", None, synced=True, shard_key="") for at in range(NOON_MS, last + 1_000, 1_000)]
    return sorted([*bodies, *clocks], key=lambda body: body.occurred_at)


def decoded(rows: list[Row], first: int) -> list[Recorded]:
    """Rows as the engine is given them."""
    epoch = bytes(16)
    decoders = BODY_DECODERS
    return [
        Recorded(index, 0, SOURCE, epoch, index, kind, version, decoders[kind, version](data))
        for index, (kind, version, data) in enumerate(rows, first)
    ]
