"""The leaders' screens in a server: who may follow up, and how it gets on the record."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from collector._core import derived
from collector.errors import Busy, IntakeStopped
from collector.intake import Intake
from seatwatch.config import Config, token_digest
from wire.board import PersonTile
from wire.follow_up import FollowedUp


def leader_names(config: Config, base: Path) -> dict[str, str]:
    """Who may follow up: SHA-256 of a reader's token as hex -> the name it is recorded under."""
    return {token_digest(base / reader.token_file).hex(): reader.name for reader in config.reader if reader.follows_up}


class FollowUps:
    """Writes them into the client's ledger, at the hub's own time."""

    def __init__(self, intake: Intake, clock_ms: Callable[[], int]) -> None:
        self._intake: Final = intake
        self._clock_ms: Final = clock_ms

    async def take(self, tile: PersonTile, by: str) -> None:
        """`by` looks after the longest wait of a person, or after a person who owes nothing."""
        body = FollowedUp(
            occurred_at=self._clock_ms(),
            resolution_ms=1,
            clock=derived.HUB_CLOCK,
            monotonic_ms=None,
            synced=True,
            shard_key="",
            conversation=tile.oldest,
            waiting_since=tile.oldest_since,
            person=tile.id,
            team=tile.team,
            seat=tile.seat,
            by=by,
        )
        try:
            await self._intake.append_derived(tile.client, [derived.followed_up(body)])
        except (Busy, IntakeStopped):
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"}) from None
