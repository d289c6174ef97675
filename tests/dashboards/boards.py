"""Boards to show: one tile at a time, or a whole floor that moves with a seed."""

from random import Random

from wire.board import (
    RESPONSE_EDGES_MS,
    AgentCount,
    Board,
    Coverage,
    Detail,
    Figures,
    Histogram,
    LineTile,
    Mean,
    Ratio,
    SecondFigure,
    SiteTile,
    Staffing,
    Tile,
    Totals,
    Waiting,
)
from wire.record import Feed
from wire.surge import Surge

NOON = 1_763_697_600_000
"""2025-11-21T12:00:00+08:00."""
QUARTER_MS = 15 * 60_000


def figures(met: int = 12, judged: int = 13, mean_ms: int = 18_400, turns: int = 41) -> Figures:
    """A window in which `met` of `judged` first responses were in time."""
    return Figures(
        offered=judged + 2,
        answered=judged,
        abandoned=1,
        short_abandoned=1,
        attainment=Ratio(met, judged),
        first_response=Mean(judged * 7_000, judged),
        average_response=Mean(mean_ms * turns, turns),
        detail=Detail(near_limit=2, nobody_online=1, not_served=1),
    )


def second(name: str = "platform-3min", met: int = 9, judged: int = 13, **changes: object) -> SecondFigure:
    """Figures under a platform's own rules."""
    fields: dict[str, object] = {
        "name": name,
        "definition": f"{name}@1#0123456789ab",
        "title": "platform rules",
        "official": False,
        "interval": figures(3, 4),
        "day": figures(met, judged),
        **changes,
    }
    return SecondFigure(**fields)  # type: ignore[arg-type]  # the caller names real fields


def waiting(now: int, *waits_ms: int, limit_ms: int = 10_000, open_: int = 7) -> Waiting:
    """Customers who have been waiting for `waits_ms` at `now`."""
    due = [now - wait + limit_ms for wait in waits_ms]
    return Waiting(
        waiting=len(waits_ms),
        overdue=sum(at < now for at in due),
        oldest_since=now - max(waits_ms) if waits_ms else None,
        next_due_at=min((at for at in due if at >= now), default=None),
        open=open_ + len(waits_ms),
        overdue_since=min((at for at in due if at < now), default=None),
        oldest_due_at=min(due, default=None),
    )


def people(idle: int = 2, serving: int = 5, wrap_up: int = 1, on_break: int = 1, reserved: int = 0) -> list[AgentCount]:
    """Agents by state, those of none left out."""
    counts = {
        ("ready", "idle"): idle,
        ("ready", "reserved"): reserved,
        ("ready", "serving"): serving,
        ("ready", "wrap_up"): wrap_up,
        ("on_break", "idle"): on_break,
        ("offline", "idle"): 3,
    }
    return [AgentCount(presence, activity, number) for (presence, activity), number in counts.items() if number]


def tile(scope: str = "queue", id_: str = "chat", client: str = "acme", **changes: object) -> Tile:
    """A tile with ordinary figures; `changes` are its fields."""
    fields: dict[str, object] = {
        "scope": scope,
        "id": id_,
        "client": client,
        "name": f"{client} {id_}",
        "feed": Feed.LIVE,
        "live": waiting(NOON, 3_000),
        "interval": figures(4, 4, 12_000, 9),
        "day": figures(),
        "agents": people(),
        "definition": "contract-10s@7f3a9c21",
        "first_response_limit_ms": 10_000,
        "warning_after_ms": 6_000,
        "average_good_ms": 20_000,
        "average_limit_ms": 30_000,
        **changes,
    }
    return Tile(**fields)  # type: ignore[arg-type]  # the caller names real fields


def line(id_: str, state: str = "up", name: str | None = None) -> LineTile:
    """A broadband line, or with a trunk's state a phone line."""
    kind = "trunk" if state in {"unknown", "reachable", "lagged", "unavailable", "unreachable"} else "line"
    return LineTile(id_, name or id_, state, f"{kind}_{state}", NOON - 60_000)


def site(id_: str = "sh1", state: str = "ok", **changes: object) -> SiteTile:
    """A site on mains, with all its probes reporting."""
    fields: dict[str, object] = {
        "id": id_,
        "name": id_.upper(),
        "state": state,
        "reason": "",
        "since": NOON - 3 * 3_600_000,
        "power": "mains",
        "comms": "ok",
        "charge_percent": 100,
        "runtime_ms": 1_800_000,
        "probes_reporting": 16,
        "probes_known": 16,
        "last_heard_at": NOON - 400,
        **changes,
    }
    return SiteTile(**fields)  # type: ignore[arg-type]  # the caller names real fields


def board(now: int = NOON, **changes: object) -> Board:
    """An empty board as of `now`; `changes` are its fields."""
    fields: dict[str, object] = {
        "as_of": now,
        "computed_at": now,
        "watermark": now - 200,
        "interval_start": now - now % QUARTER_MS,
        "day_start": now - 8 * 3_600_000,
        "clients": [],
        "queues": [],
        "teams": [],
        "site_figures": [],
        "sites": [],
        "entries": 1_000,
        "quarantined": 0,
        "gaps": 0,
        "unrouted": 0,
        "equivocations": 0,
        **changes,
    }
    return Board(**fields)  # type: ignore[arg-type]  # the caller names real fields


def totals(random: Random) -> Totals:
    """Sums that go together."""
    counts = tuple(random.randrange(200) for _ in range(len(RESPONSE_EDGES_MS) + 1))
    judged = sum(counts)
    return Totals(
        offered=judged + 20,
        answered=judged,
        abandoned=12,
        short_abandoned=5,
        unanswered=3,
        met=sum(counts[:4]),
        judged=judged,
        first_response=Histogram(counts, judged * 8_000),
        response=Mean(judged * 19_000, judged),
    )


def floor(random: Random, *, queues: int = 200, teams: int = 40, sites: int = 10, now: int = NOON) -> Board:
    """A whole floor, everything on it with figures of its own."""
    clients = [f"client-{n}" for n in range(max(1, queues // 10))]

    def one(scope: str, number: int) -> Tile:
        client = clients[number % len(clients)]
        whole = random.randrange(1, 900)
        waits = [random.randrange(14_000) for _ in range(random.choice((0, 0, 0, 1, 3)))]
        return tile(
            scope,
            f"{scope}-{number:03}",
            client,
            live=waiting(now, *waits),
            day=figures(random.randrange(whole + 1), whole, random.randrange(8_000, 34_000), whole * 3),
            agents=people(*(random.randrange(9) for _ in range(5))),
            totals=totals(random) if scope == "queue" else None,
            saturation=Ratio(random.randrange(20), 40),
            occupancy=Ratio(random.randrange(50), 50),
            surge=Surge(4, now - 2_000) if scope == "team" and number == 0 else None,
            seconds=[second()] if scope == "queue" and number % 2 == 0 else [],
        )

    def whole_client(client: str) -> Tile:
        staffing = Staffing("", now - 600_000, Ratio(9_000_000, 600_000), 18, 3_600_000)
        coverage = Coverage(Ratio(980, 1_000), 3, Ratio(12, 16), Ratio(15, 16))
        return tile("client", client, client, staffing=[staffing], coverage=coverage)

    return board(
        now,
        clients=[whole_client(client) for client in clients],
        queues=[one("queue", n) for n in range(queues)],
        teams=[one("team", n) for n in range(teams)],
        sites=[
            site(
                f"site-{n:02}",
                random.choice(("ok", "ok", "on_battery", "silent")),
                seats_present=14,
                seats_expected=15,
            )
            for n in range(sites)
        ],
    )
