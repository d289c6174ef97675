"""The second witness of what probes suspect: whether the people they lost go on answering customers.

Asked of the clients' ledgers, and held against how people answered in as long before. Says nothing where too little is
usual, and where the source of conversations is silent itself.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from ledger.recorded import recorded
from sla_engine.runners.tail import EntryReader
from wire.conversation import AgentTurn, Author, CustomerTurn, Offered, Presence, PresenceChanged
from wire.incident import IncidentSaid
from wire.kinds import Kind
from wire.recorded import Recorded

# Batch: entries of one read.
_READ_AT_ONCE: Final = 2_000
_KINDS: Final = frozenset({Kind.OFFERED, Kind.CUSTOMER_TURN, Kind.AGENT_TURN, Kind.PRESENCE})


class WitnessLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[incidents]` in defaults.toml.

    usual_ms: how people answered in so long before is what is usual. slack_ms: what happened so shortly after a trouble
    began may have been under way. replies: so many must be missing before it means something that none came.
    again: so many come in spite of it and nothing is wrong. entries: of a ledger, no more are looked through at once.
    """

    usual_ms: int
    slack_ms: int
    replies: int
    again: int
    entries: int


class Testimony(NamedTuple):
    """What was found. usual, replies: before and after. signed_out: accounts whose source says so."""

    usual: int
    replies: int
    signed_out: int
    is_working: bool


class Hearing:
    """One incident, and what clients' ledgers tell of the people it is about.

    accounts: theirs, by client. read_to: by client, how far its ledger was heard.
    """

    def __init__(self, said: IncidentSaid, accounts: Mapping[str, frozenset[str]], limits: WitnessLimits) -> None:
        self.accounts: Final = accounts
        self.read_to: dict[str, int] = {}
        self._since: Final = said.started_at
        self._is_of_seat: Final = bool(said.subject)
        self._limits: Final = limits
        self._usual: dict[str, int] = {}
        self._telling: set[str] = set()
        self._replies = 0
        self._presence: dict[str, tuple[int, Presence]] = {}

    def hear(self, client: str, reader: EntryReader, size: int) -> None:
        """Take in what a ledger of `size` entries holds that was not heard yet. Raises LedgerCorrupt."""
        limits = self._limits
        first = self.read_to.get(client, max(0, size - limits.entries))
        earliest = self._since - limits.usual_ms
        self.read_to[client] = size
        while first < size:
            stored = reader.read(first, min(_READ_AT_ONCE, size - first))
            if not stored:
                return
            first += len(stored)
            self.take(client, (recorded(e) for e in stored if e.kind in _KINDS and e.received_at >= earliest))

    def take(self, client: str, entries: Iterable[Recorded]) -> None:
        """Count entries of a client in."""
        accounts = self.accounts.get(client, frozenset())
        after = self._since + self._limits.slack_ms
        for entry in entries:
            body = entry.body
            if isinstance(body, AgentTurn | CustomerTurn | Offered) and body.occurred_at > after:
                self._telling.add(client)
            if isinstance(body, PresenceChanged) and body.account in accounts:
                newest = self._presence.get(body.account, (-1, body.presence))
                self._presence[body.account] = max(newest, (body.occurred_at, body.presence))
            elif isinstance(body, AgentTurn) and body.account in accounts and body.author is Author.HUMAN:
                was_before = self._since - self._limits.usual_ms <= body.occurred_at < self._since
                self._usual[client] = self._usual.get(client, 0) + was_before
                self._replies += body.occurred_at > after

    def testimony(self, now: int) -> Testimony | None:
        """What that makes of the incident at `now` (hub's ms); None where it says nothing yet."""
        if self._replies >= self._limits.again:
            # somebody with two accounts may answer on the other one
            is_sure = not self._is_of_seat or sum(map(len, self.accounts.values())) == 1
            return self._found(is_working=True) if is_sure else None
        if self._replies:
            return None
        if self._is_of_seat:
            return self._found(is_working=False) if self._signed_out() else None
        waited = now - self._since - self._limits.slack_ms
        missing = self._expected() * waited // self._limits.usual_ms
        return self._found(is_working=False) if missing >= self._limits.replies else None

    def _expected(self) -> int:
        """Where a source has told nothing since, it means nothing that it told of no reply."""
        return sum(usual for client, usual in self._usual.items() if client in self._telling)

    def _signed_out(self) -> int:
        return sum(presence is Presence.OFFLINE for _, presence in self._presence.values())

    def _found(self, *, is_working: bool) -> Testimony:
        return Testimony(sum(self._usual.values()), self._replies, self._signed_out(), is_working)
