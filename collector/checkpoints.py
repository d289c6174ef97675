"""Signs each growing ledger's tree, so that a client who keeps one note can show that nothing before it changed."""

import asyncio
from typing import Final

import msgspec
import structlog

from collector._core import keys
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from ledger.checkpoint import Signer

MS_PER_S: Final = 1000
log = structlog.get_logger()


class CheckpointSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds from `[ledger]` in defaults.toml.

    checkpoint_interval_ms: between two notes of a ledger that grows. checkpoint_quiet_entries: how many entries of mere
    time may go unsigned.
    """

    checkpoint_interval_ms: int
    checkpoint_quiet_entries: int


class Checkpoints:
    """One per intake. signed: by client, the size its newest note of this run is about."""

    def __init__(self, intake: Intake, signer: Signer, settings: CheckpointSettings) -> None:
        self.signed: dict[str, int] = {}
        self._intake = intake
        self._signer = signer
        self._settings = settings
        self._refused: set[str] = set()

    async def run(self) -> None:
        """Sign until cancelled, and once more then. The intake must be running."""
        try:
            while True:
                await self.tick()
                await asyncio.sleep(self._settings.checkpoint_interval_ms / MS_PER_S)
        except IntakeStopped:
            return
        except asyncio.CancelledError:
            await self._last_words()
            raise

    async def tick(self) -> None:
        """Sign what has grown. What a full queue refuses is due again at the next tick."""
        for client in self._intake.ledgers:
            if self._grew(client):
                try:
                    await self._sign(client)
                except Busy:
                    return

    def _grew(self, client: str) -> bool:
        """Whether there is more to sign than time that passed over a quiet ledger."""
        handle = self._intake.ledgers[client]
        signed, quiet = self.signed.get(client, 0), self._settings.checkpoint_quiet_entries
        if handle.size - signed >= quiet:
            return True
        return any(entry.source != keys.CLOCK for entry in handle.reader.read(signed, quiet))

    async def _sign(self, client: str) -> None:
        """Raises Busy, IntakeStopped."""
        signed = await self._intake.checkpoint(client, self._signer)
        self.signed[client] = signed.size
        if signed.refused and client not in self._refused:
            self._refused.add(client)
            log.error("checkpoint.refused", client=client, problem=signed.refused)

    async def _last_words(self) -> None:
        try:
            await self.tick()
        except IntakeStopped:
            return
