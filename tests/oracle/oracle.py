"""Everything a ledger amounts to: sessions, turns and legs, under every definition."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sla_engine._core.choices import ClockDomains
from sla_engine._core.definition import Definition, decode_definition, label_of
from tests.oracle.contracts import Contracts
from tests.oracle.hours import Hours
from tests.oracle.legs import Numbered, leg_facts
from tests.oracle.reading import Piece, Step, customer_of, first_queue, pieces_of, queue_at, told_of
from tests.oracle.surroundings import Surroundings
from tests.oracle.terms import Case
from tests.oracle.turns import response_facts
from tests.oracle.wait import measured, session_facts
from wire.organisation import DefinitionPublished
from wire.recorded import Recorded
from wire.verdict import LegFact, ResponseFact, SessionFact


class Reading(NamedTuple):
    """Facts without revision and entry_index, which are the engine's affair (both 0), and skew_bound_ms, which hangs on
    the latter.

    measured: (conversation, definition, session) -> the events its time lies between, where an offset counts (E17).
    """

    sessions: list[SessionFact]
    responses: list[ResponseFact]
    legs: list[LegFact]
    measured: dict[tuple[str, str, int], tuple[Step, Step]]
    around: Surroundings

    def skew_bound_ms(self, fact: SessionFact, said_at: int) -> int:
        """How far the time of `fact`, a session of this reading, may be off, if it was said with entry `said_at`."""
        between = self.measured.get((fact.conversation, fact.definition, fact.session))
        return 0 if between is None else self.around.apart_by(*between, said_at)


class Held(NamedTuple):
    """A version of a definition that is in force."""

    label: str
    definition: Definition
    hours: Hours


class Session(NamedTuple):
    """A session under one definition. first: the place of its first piece in the conversation; pieces: its own."""

    held: Held
    first: int
    pieces: list[Piece]


class Rulings:
    """What judges the sessions of one conversation: versions through time (E18) that contracts name for their queues.

    versions: by label. entered: label -> index of its entry. told, pieces: the conversation, in order of event time.
    """

    def __init__(
        self,
        versions: Mapping[str, Held],
        entered: Mapping[str, int],
        contracts: Contracts,
        told: Sequence[Recorded],
        pieces: Sequence[Piece],
    ) -> None:
        self._versions = versions
        self._entered = entered
        self._contracts = contracts
        self._told = [entry.index for entry in told]
        self._pieces = pieces
        self._queue = first_queue(pieces)

    def in_force(self, first: Step) -> dict[str, Held]:
        """Name -> the version that judges a session that starts so; of those from one instant on, the highest.

        Of two of one number the one entered last. It was entered, and so was the contract, before anything was told of
        the time from there on.
        """
        heard = min(self._told[self._told.index(first.entry) :])
        queue = queue_at(self._pieces, first, self._queue)
        found = {}
        for name in self._contracts.names(queue, first.at, heard) if self._queue else ():
            begun = [
                (held.definition.effective_from, held.definition.version, self._entered.get(label, -1), label)
                for label, held in self._versions.items()
                if held.definition.name == name
                and held.definition.effective_from <= first.at
                and self._entered.get(label, -1) < heard
            ]
            if begun:
                found[name] = self._versions[max(begun)[-1]]
        return found

    def sessions(self) -> tuple[list[Session], list[list[Piece]]]:
        """Those of every definition, and the pieces as the first definition in force puts them together.

        E6: who comes back sooner than the gap goes on with the session. While one goes on, a definition that has come
        into force since then waits for its own gap.
        """
        found: list[Session] = []
        led: list[list[Piece]] = []
        running: dict[str, Session] = {}
        for place, piece in enumerate(self._pieces):
            at = piece.steps[0].at
            away = at - self._pieces[place - 1].steps[-1].at if place else 0
            held = self.in_force(piece.steps[0])
            on = {name: one for name, one in running.items() if away < one.held.definition.gap_to_new_session_ms}
            fresh = {
                name: Session(version, place, [])
                for name, version in held.items()
                if name not in on and (not on or name in running or away >= version.definition.gap_to_new_session_ms)
            }
            if fresh or len(on) < len(running):
                on = {name: (on | fresh)[name] for name in (*held, *on) if name in on or name in fresh}
            found += fresh.values()
            running = on
            for one in running.values():
                one.pieces.append(piece)
            leader = next(iter(running.values()), None)
            if leader is None or leader in fresh.values() or not led:
                led.append([])
            led[-1].append(piece)
        return found, led


def read(entries: Sequence[Recorded], rules: Mapping[str, Definition], until: int) -> Reading:
    """What a ledger amounts to once the record is complete up to `until` (ms).

    rules: label -> definition, versions of one name replacing each other.
    """
    around = Surroundings(entries)
    contracts, entered = Contracts(entries), entered_in(entries)
    versions = {label: Held(label, definition, Hours(definition)) for label, definition in rules.items()}
    found = Reading([], [], [], {}, around)
    for conversation, told in sorted(told_of(entries).items()):
        heard = min(told, key=lambda entry: entry.index)
        pieces = pieces_of(told)
        customer, queue, tells_queue = customer_of(pieces), first_queue(pieces), around.tells_queue(heard)
        sessions, led = Rulings(versions, entered, contracts, told, pieces).sessions()
        for number, session in enumerate(sessions):
            label, definition, hours = session.held
            about = (conversation, label, number, customer, queue)
            so_far = pieces[: session.first + len(session.pieces)]
            case = Case(*about, so_far, session.pieces, definition, hours, around, until, tells_queue)
            found.sessions.extend(session_facts(case))
            between = measured(case) if definition.clock_domains is ClockDomains.ESTIMATED_OFFSET else None
            if between is not None:
                found.measured[conversation, label, number] = between
            found.responses.extend(response_facts(case))
        numbered = [Numbered(number, together) for number, together in enumerate(led)]
        found.legs.extend(leg_facts(conversation, pieces, numbered, around))
    return found


def entered_in(entries: Sequence[Recorded]) -> dict[str, int]:
    """Where a ledger's definitions stand in it, by label."""
    found: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry.body, DefinitionPublished):
            found.setdefault(label_of(decode_definition(entry.body.document)), entry.index)
    return found
