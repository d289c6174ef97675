"""The board of a past instant from a data directory: what `seatwatch board` and the screens ask for alike.

`python -m seatwatch.past_board DATA AT [KNOWN_AT]`, instants in ms, prints it as JSON, `DATA --day UNTIL SPAN` how the
SPAN ms up to UNTIL went; exit 1 where the record cannot be read. Screens ask it that way, as a process that loads no
other command starts in a fraction of the time.
"""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from dashboards.wallboard._core.names import Names, named, named_curve
from ledger.errors import LedgerError
from seatwatch.record_rules import ClientRules, rules_in_force
from seatwatch.settings import load_defaults
from seatwatch.site_limits import site_limits
from sla_engine._core.client import TileSettings
from sla_engine._core.windows import WindowCalendar
from sla_engine.board_at import BoardAtSettings, day_curve
from sla_engine.board_at import board as board_at
from sla_engine.zones import zone_table
from wire.board import Board
from wire.day_curve import DayCurve
from wire.scope import Scope
from wire.spelling import isolated

DAY: Final = "--day"
MS_PER_MINUTE: Final = 60_000


def zones_of(rules: Mapping[str, ClientRules]) -> dict[str, list[str]]:
    """The time zones in which clients' days run, with their clients."""
    zones: dict[str, list[str]] = {}
    for client, found in rules.items():
        zones.setdefault(found.time_zone, []).append(client)
    return zones


def past_board(
    data: Path,
    at: int,
    known_at: int | None,
    *,
    zone: str,
    clients: Collection[str] | None = None,
    names: Names | None = None,
) -> Board:
    """The board at `at`, as far as known at `known_at` (ms; None = by now). Raises LedgerCorrupt.

    zone: of the windows of clients without rules. clients: None = all. names: they win over those of contracts.
    """
    rules = rules_in_force(data, at, clients)
    scope = Scope(clients=None if clients is None else frozenset(clients))
    board = board_at(data, at, known_at, scope, settings=_settings(zone))
    titles = {name: isolated(found.title) for name, found in rules.items()}
    return named(board, _with_titles(names or Names(), titles))


def past_day(data: Path, until: int, span_ms: int, *, zone: str) -> DayCurve:
    """How the last `span_ms` up to `until` (ms) went. Raises LedgerCorrupt. zone: as of `past_board`."""
    curve = day_curve(data, until, span_ms, settings=_settings(zone))
    titles = {name: found.title for name, found in rules_in_force(data, until).items()}
    return named_curve(curve, _with_titles(Names(), titles))


def _with_titles(names: Names, titles: Mapping[str, str]) -> Names:
    """The names, and those of contracts for clients without one."""
    given = {name: text for name, text in names.clients.items() if text}
    english = None if names.english is None else _with_titles(names.english, titles)
    return msgspec.structs.replace(names, clients={**titles, **given}, english=english)


def _settings(zone: str) -> BoardAtSettings:
    """Thresholds, with the windows of a client without rules in that zone."""
    defaults = load_defaults()
    day_starts_ms = defaults.minute_of_day("contract.business_day_starts") * MS_PER_MINUTE
    calendar = WindowCalendar(zone_table(zone), defaults.ms("board.interval"), day_starts_ms)
    limits = site_limits(defaults)
    tiles = defaults.fill(TileSettings, "board")
    return defaults.fill(BoardAtSettings, "board", calendar=calendar, limits=limits, tiles=tiles)


def main(arguments: list[str]) -> int:
    """Print one board, or one day."""
    data, of_day = Path(arguments[0]), arguments[1] == DAY
    at, *rest = map(int, arguments[2 if of_day else 1 :])
    try:
        zones = zones_of(rules_in_force(data, at))
        # Format: one zone is theirs, of two neither.
        zone = next(iter(zones), load_defaults().text("contract.time_zone")) if len(zones) < 2 else "UTC"
        made: Board | DayCurve
        if of_day:
            made = past_day(data, at, *rest, zone=zone)
        else:
            made = past_board(data, at, rest[0] if rest else None, zone=zone)
    except LedgerError as error:
        sys.stderr.write(f"{data}: {error}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
