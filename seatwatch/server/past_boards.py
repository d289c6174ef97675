"""Boards of past instants for screens, as `seatwatch board --at` makes them, in a process of its own."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec
import structlog

from collector.ledgers import ledger_directory
from dashboards.wallboard._core.names import Names, named, named_curve
from dashboards.wallboard.past_errors import NothingThenError, UnreadableError
from ledger.errors import LedgerError
from ledger.reader import LedgerReader
from seatwatch.own_process import OwnProcess, OwnProcessError
from seatwatch.past_board import DAY
from sla_engine.board_at import CLIENTS, STANDING
from wire.board import Board
from wire.day_curve import DayCurve
from wire.ids import OPERATOR
from wire.limits import INSTANT_MAX_MS

log = structlog.get_logger()
_decode: Final = msgspec.json.Decoder(Board).decode
_decode_day: Final = msgspec.json.Decoder(DayCurve).decode


class RecordedBoards:
    """Implements dashboards.wallboard.past.PastBoards over a data directory. names: of the configuration."""

    def __init__(self, data: Path, names: Names, process: OwnProcess, *, rules_max: int) -> None:
        self._data: Final = data
        self._names: Final = names
        self._process: Final = process
        self._rules_max: Final = rules_max
        self._begins_at: int | None = None

    async def board(self, at: int, known_at: int | None) -> Board:
        """The board at `at` (ms), as `seatwatch board` prints it. Raises NothingThenError, UnreadableError."""
        board = _decode(await self._printed(str(at), *([] if known_at is None else [str(known_at)])))
        if _is_empty(board) and at < await asyncio.to_thread(self._begins):
            raise NothingThenError
        return named(board, self._names)

    async def day(self, until: int, span_ms: int) -> DayCurve:
        """How the `span_ms` up to `until` (ms) went. Raises UnreadableError."""
        return named_curve(_decode_day(await self._printed(DAY, str(until), str(span_ms))), self._names)

    async def _printed(self, *arguments: str) -> bytes:
        try:
            return await self._process.printed("seatwatch.past_board", str(self._data), *arguments)
        except OwnProcessError as error:
            log.warning("past.failed", said=str(error))
            raise UnreadableError from None

    def _begins(self) -> int:
        """When (ms) the first entry of any ledger came in. It never changes, as ledgers only grow."""
        if self._begins_at is None:
            clients = self._data / CLIENTS
            names = [path.name for path in clients.iterdir() if path.is_dir()] if clients.is_dir() else []
            found = [
                _first_received_at(ledger_directory(self._data, name), self._rules_max) for name in (OPERATOR, *names)
            ]
            self._begins_at = min((at for at in found if at is not None), default=None)
        return INSTANT_MAX_MS if self._begins_at is None else self._begins_at


def _first_received_at(directory: Path, rules_max: int) -> int | None:
    """When its first entry came in that is no rule: rules hold by dates of their own.

    rules_max: entries looked at; a server that starts enters its rules first, and there are fewer of them.
    """
    try:
        reader = LedgerReader.open(directory)
    except LedgerError:
        return None
    try:
        return next((stored.received_at for stored in reader.read(0, rules_max) if stored.kind not in STANDING), None)
    finally:
        reader.close()


def _is_empty(board: Board) -> bool:
    """Whether nobody was heard of: neither a queue nor a site."""
    return not board.sites and not any(tile.live is not None or tile.day.offered for tile in board.queues)
