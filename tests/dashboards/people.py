"""Teams to show, person by person."""

import msgspec

from tests.dashboards.boards import NOON, board, figures, site, tile, waiting
from wire.board import Board, PersonTile, SeatTile, Tile

MINUTE_MS = 60_000
LIMIT_MS = 10_000
PATIENT_MS = 120_000
"""A promise so long that a busy machine sees every state before it passes."""


def person(
    id_: str = "w1001", *waits_ms: int, client: str = "acme", team: str = "red", **changes: object
) -> PersonTile:
    """Somebody who is ready, with customers who have been waiting for `waits_ms`; `changes` are fields of the tile."""
    dues = [NOON - wait + LIMIT_MS for wait in waits_ms]
    fields: dict[str, object] = {
        "id": id_,
        "client": client,
        "team": team,
        "seat": f"sh1/{id_[-2:]}",
        "site": "sh1",
        "presence": "ready",
        "activity": "serving" if waits_ms else "idle",
        "since": NOON - 72 * MINUTE_MS,
        "hands": len(waits_ms),
        "limit": 5,
        "waiting": len(waits_ms),
        "overdue": sum(due < NOON for due in dues),
        "oldest_since": NOON - max(waits_ms) if waits_ms else None,
        "due_at": min(dues, default=None),
        "overdue_today": sum(due < NOON for due in dues),
        "oldest": f"c-{id_}" if waits_ms else "",
        **changes,
    }
    return PersonTile(**fields)  # type: ignore[arg-type]  # the caller names real fields


def fifteen() -> list[PersonTile]:
    """A team with something of everything: overdue, warned, in time, on a break for too long, silent, never told."""
    away = {"presence": "on_break", "activity": "idle"}
    return [
        person("w1001", 14_000, 9_000, hands=3, overdue_today=4),
        person("w1002", 7_500, hands=2, overdue_today=1),
        person("w1003", 2_000, hands=5),
        person("w1004", hands=1, activity="serving", waiting=1, oldest_since=NOON - 26_000),
        person("w1005", since=NOON - 19 * MINUTE_MS, **away),
        person("w1006", since=NOON - 4 * MINUTE_MS, **away),
        person("w1007", hands=2, activity="serving"),
        person("w1008", activity="wrap_up", since=NOON - 3 * MINUTE_MS),
        person("w1009"),
        person("w1010", 3_100, followed_at=NOON - 20_000, followed_by="lead-one", hands=2),
        person("w1011", since=None, hands=1, activity="serving"),
        person("w1012", presence="offline", since=NOON - 95 * MINUTE_MS),
        person("w1013", 4_000, stale_since=NOON - 65_000),
        person("w1014", presence=None, activity=None, since=None, hands=0, limit=0),
        person("~acme:cs77", team="red", seat="unassigned", hands=2, activity="serving"),
    ]


def red(**changes: object) -> Tile:
    """The tile of that team."""
    fields: dict[str, object] = {"day": figures(702, 731, 17_900, 2_100), "live": waiting(NOON, 14_000), **changes}
    return tile("team", "red", "acme", **{"name": "Early shift", **fields})


def team_board(*people: PersonTile, **changes: object) -> Board:
    """A board with that team and those people."""
    fields: dict[str, object] = {
        "clients": [tile("client", "acme", "acme", name="Acme Outdoor")],
        "teams": [red()],
        "people": list(people),
        **changes,
    }
    return board(**fields)  # type: ignore[arg-type]  # the caller names real fields


def floor_board(sites: int = 4, rows: int = 10, columns: int = 15, **changes: object) -> Board:
    """A floor of seats with something of everything on it; an aisle after every fifth column."""
    seats, people = [], []
    states = [f"{name}{number}" for number, name in enumerate(["sh", "cd", "gz", "wh"][:sites], 1)]
    for number, place in enumerate((s, r, c) for s in states for r in range(rows) for c in range(columns)):
        of_site, row, column = place
        seat = f"{of_site}/{row + 1:02d}-{column + 1:02d}"
        letter = chr(ord("A") + row)
        seats.append(SeatTile(seat, of_site, letter, str(column + 1 + column // 5), of_site != "gz3" or None))
        if number % 41 != 40:
            people.append(_somebody(number, seat, of_site))
    named = [site(of_site, "on_battery" if of_site == "cd2" else "ok") for of_site in states]
    patient = red(first_response_limit_ms=PATIENT_MS, warning_after_ms=PATIENT_MS // 2)
    return team_board(*people, **{"seats": seats, "sites": named, "teams": [patient], **changes})


def _somebody(number: int, seat: str, of_site: str) -> PersonTile:
    kinds: dict[int, tuple[tuple[int, ...], dict[str, object]]] = {
        5: ((3_000,), {}),
        11: ((), {"presence": "on_break", "activity": "idle"}),
        17: ((), {"presence": "offline", "activity": "idle"}),
        23: ((65_000,), {}),
        29: ((125_000,), {}),
        31: ((), {"presence": None, "activity": None}),
    }
    waits, changes = kinds.get(number % 37, ((), {}))
    made = person(f"w{number:04d}", *waits)
    if waits:
        changes = {**changes, "due_at": NOON - waits[0] + PATIENT_MS, "overdue": int(waits[0] > PATIENT_MS)}
    return msgspec.structs.replace(made, **{"seat": seat, "site": of_site, **changes})
