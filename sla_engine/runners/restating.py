"""Definitions that restate (E18): what past sessions count as under them, worked out beside the live fold.

The live fold lets a new version judge the sessions that open after its entry. A version that restates holds from its
own date on, so the ledger is folded once more with it in force from the beginning, a batch a turn, and what it says of
the sessions that were open or over at its entry is written under its label. What was said under other labels stays.

A contract with an earlier date that names one does the same for the sessions that opened before the contract's entry.

It is done when the version or the contract is first seen, and once more when nothing about those sessions can be
corrected any more. What is done is kept with the facts, in the same commit; a stop in between has it done again from
the start.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from ledger.recorded import recorded
from sla_engine._core.choices import Redefinition
from sla_engine._core.contract import decode_contract
from sla_engine._core.definition import DefinitionError, decode_definition, label_of
from sla_engine._core.engine import watermark
from sla_engine._core.shard import Shard
from sla_engine.replay import Replay, restating
from sla_engine.runners.tail import LedgerFeed
from wire.organisation import ContractSigned, DefinitionPublished
from wire.recorded import Recorded
from wire.verdict import Fact, ResponseFact, SessionFact

RESTATED: Final = "restated"
"""The section of the saved state that says what is done."""


class Restated(msgspec.Struct, kw_only=True):
    """A version that restates. index, received_at: of its entry, or of the last contract that put it in force before.

    written: done once. settled: nothing is left to do.
    """

    label: str
    name: str
    effective_from: int
    index: int
    received_at: int
    written: bool = False
    settled: bool = False


_decode: Final = msgspec.msgpack.Decoder(list[Restated]).decode
"""Made once, not in the threads of the runners: see sla_engine/_core/remembered.py."""


class _Pass:
    """One further fold of the ledger, up to where it is now."""

    def __init__(self, fold: Replay, until: int, versions: list[Restated], settling: list[str]) -> None:
        self.fold: Final = fold
        self.until: Final = until
        self.versions: Final = {version.label: version for version in versions}
        self.settling: Final = settling
        self.open_at: Final[dict[str, dict[str, int]]] = {}
        self.said: Final[set[str]] = set()

    def next_stop(self) -> int:
        """Where the next batch has to end: at the entry of a version, or at the end."""
        at = self.fold.shard.next_index
        return min([self.until, *(each.index for each in self.versions.values() if each.index > at)])

    def stop(self) -> None:
        """Note which sessions are open where a version enters: later ones are the live fold's."""
        for label, version in self.versions.items():
            if version.index == self.fold.shard.next_index:
                self.open_at[label] = {
                    key: max(track.session for track in held.tracks)
                    for key, held in self.fold.shard.conversations.items()
                    if held.tracks
                }

    def restates(self, fact: Fact) -> bool:
        """Whether `fact` is about a session that began before the version's entry.

        Sessions are numbered by the entry that opened their conversation, so what was let go of before has lower ones.
        """
        if not isinstance(fact, SessionFact | ResponseFact) or fact.definition not in self.versions:
            return False
        version = self.versions[fact.definition]
        held = self.open_at.get(fact.definition)
        begun = held is None or fact.session <= held.get(fact.conversation, version.index - 1)
        if begun:
            self.said.add(fact.definition)
        return begun


class Restating:
    """What one client's runner still has to restate."""

    def __init__(self, feed: LedgerFeed, batch_entries: int) -> None:
        self._feed: Final = feed
        self._batch_entries: Final = batch_entries
        self._versions: dict[str, Restated] = {}
        self._pass: _Pass | None = None
        self._finished = False

    def restore(self, section: bytes | None) -> None:
        """Take up what a commit left; None where nothing was. Raises msgspec.MsgspecError."""
        found = [] if section is None else _decode(section)
        self._versions = {version.label: version for version in found}
        self._pass = None

    def section(self) -> bytes:
        """What is done, for the commit that holds the facts said so far."""
        return msgspec.msgpack.encode(list(self._versions.values()))

    def observe(self, batch: Iterable[Recorded]) -> None:
        """Find versions that restate among new entries."""
        for entry in batch:
            if isinstance(entry.body, DefinitionPublished):
                self._enter(entry, entry.body)
            elif isinstance(entry.body, ContractSigned):
                self._sign(entry, entry.body)

    @property
    def outstanding(self) -> bool:
        """Whether `advance` has something to do at once."""
        return self._pass is not None

    def look(self, shard: Shard) -> None:
        """Begin where something is due. shard: the live one, caught up with the ledger."""
        if self._pass is not None or all(version.settled for version in self._versions.values()):
            return
        complete_at = watermark(shard)
        grace_ms = shard.rules.grace_ms
        versions = [version for version in self._versions.values() if not version.settled]
        settling = [
            each.label for each in versions if complete_at is not None and complete_at >= each.received_at + grace_ms
        ]
        state = shard.rules.state
        given = restating(state.definitions, state.contracts)
        if given is not None and (settling or any(not version.written for version in versions)):
            self._pass = _Pass(Replay(given), shard.next_index, versions, settling)
            self._pass.stop()

    def advance(self) -> list[Fact]:
        """Fold one batch more. Facts to be written, over what was said of the same sessions by an earlier pass."""
        running = self._pass
        if running is None:
            return []
        first = running.fold.shard.next_index
        count = min(self._batch_entries, running.next_stop() - first)
        batch = [recorded(entry) for entry in self._feed.reader.read(first, count)]
        facts = [fact for fact in running.fold.fold(batch) if running.restates(fact)]
        running.stop()
        if running.fold.shard.next_index >= running.until or not batch:
            self._finish(running)
        return facts

    def take_finished(self) -> bool:
        """Whether a pass ended since this was asked last."""
        finished, self._finished = self._finished, False
        return finished

    def _enter(self, entry: Recorded, body: DefinitionPublished) -> None:
        try:
            definition = decode_definition(body.document)
        except DefinitionError:
            return  # the live fold counts it
        label = label_of(definition)
        if definition.redefinition is Redefinition.RESTATES and label not in self._versions:
            is_future = definition.effective_from >= entry.received_at
            self._versions[label] = Restated(
                label=label,
                name=definition.name,
                effective_from=definition.effective_from,
                index=entry.index,
                received_at=entry.received_at,
                written=is_future,
                settled=is_future,
            )

    def _sign(self, entry: Recorded, body: ContractSigned) -> None:
        try:
            contract = decode_contract(body.document)
        except DefinitionError:
            return  # the live fold counts it
        if contract.effective_from >= entry.received_at:
            return
        for version in list(self._versions.values()):
            if version.name in contract.definitions and version.effective_from < entry.received_at:
                at = {"index": entry.index, "received_at": entry.received_at, "written": False, "settled": False}
                self._versions[version.label] = replace(version, **at)
                self._pass = None  # what it was to say is said again

    def _finish(self, running: _Pass) -> None:
        for label, version in running.versions.items():
            version.written = True
            untouched = label not in running.said and not running.open_at.get(label)
            version.settled = untouched or label in running.settling
        self._pass = None
        self._finished = True
