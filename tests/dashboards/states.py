"""The states a wallboard gets into, one board each: what pictures are taken of and layouts are held against."""

from collections.abc import Sequence
from typing import Final

from tests.dashboards.boards import NOON, board, figures, line, people, second, site, tile, waiting
from tests.dashboards.demo_board import BLUE, PHONE, TARGET, TEA, demo_board
from wire.board import Board, Coverage, Figures, Load, Ratio, SiteTile, Staffing, Tile
from wire.record import Feed
from wire.surge import Surge

MINUTE_MS = 60_000
HALF_HOUR_MS = 1_800_000
WINDOW_MS = 4 * 3_600_000
SITES: Final = ("sh1", "cd2", "gz3")


def staffed(people_ms: int = 15 * HALF_HOUR_MS, contracted: int | None = 18, shortfall_ms: int = 5_400_000) -> Staffing:
    """People there over half an hour, beside the seats that are paid for."""
    short = None if contracted is None else shortfall_ms
    return Staffing("", NOON - HALF_HOUR_MS, Ratio(people_ms, HALF_HOUR_MS), contracted, short)


WHOLE: Final = Coverage(Ratio(WINDOW_MS, WINDOW_MS), 0, Ratio(12, 13), Ratio(12, 13))
LOSSY: Final = Coverage(Ratio(WINDOW_MS - 290_000, WINDOW_MS), 31, Ratio(1_914, 2_047), Ratio(1_945, 2_047))
UNKNOWN_LOSS: Final = Coverage(Ratio(WINDOW_MS - 4_000_000, WINDOW_MS), None, None, None)


def client(id_: str, *waits_ms: int, **changes: object) -> Tile:
    """A client with every figure a client has."""
    fields: dict[str, object] = {
        "name": id_,
        "live": waiting(NOON, *waits_ms),
        "staffing": [staffed()],
        "coverage": WHOLE,
        "saturation": Ratio(31, 48),
        "occupancy": Ratio(72 * MINUTE_MS, 100 * MINUTE_MS),
        "load": Load(Ratio(26, 10), 4, 5),
        **changes,
    }
    return tile("client", id_, id_, **fields)


def team(number: int, of: str, **changes: object) -> Tile:
    """A team with every figure a team has."""
    fields: dict[str, object] = {
        "name": f"Team {number}",
        "day": figures(340 + number, 371, 16_000 + 2_000 * number, 1_100),
        "saturation": Ratio(8 + number, 20),
        "occupancy": Ratio((600 + number) * MINUTE_MS, 1_000 * MINUTE_MS),
        **changes,
    }
    return tile("team", f"team{number}", of, **fields)


def queue(number: int, of: str, *waits_ms: int, **changes: object) -> Tile:
    """A queue with every figure a queue has."""
    fields: dict[str, object] = {
        "name": f"Queue {number}",
        "live": waiting(NOON, *waits_ms),
        "day": figures(400 + number, 451, 14_000 + 900 * number, 1_204),
        "saturation": Ratio(8, 20),
        "occupancy": Ratio(620 * MINUTE_MS, 1_000 * MINUTE_MS),
        **changes,
    }
    return tile("queue", f"queue{number}", of, **fields)


def sites(*states: str) -> list[SiteTile]:
    """Sites in these states."""
    battery = {"power": "battery", "charge_percent": 62, "runtime_ms": 1_380_000, "reason": "mains_lost"}
    made = []
    for id_, state in zip((*SITES, "wh4", "xa5"), states, strict=False):
        more = battery if state == "on_battery" else {}
        lines = [line("telecom"), line("unicom", "up" if state == "ok" else "down")]
        made.append(site(id_, state, since=NOON - 95_000, lines=lines, phone_lines=[line("trunk", "lagged")], **more))
    return made


def few(*waits_ms: int, **changes: object) -> Board:
    """One client with two queues, two teams, three sites."""
    fields: dict[str, object] = {
        "clients": [client(BLUE, *waits_ms, day=figures(812, 860, 18_900, 2_800))],
        "queues": [queue(1, BLUE, *waits_ms, name="\u552e\u524d\u54a8\u8be2"), queue(2, BLUE, name="\u552e\u540e")],
        "teams": [team(1, BLUE), team(2, BLUE)],
        "sites": sites("ok", "ok", "ok"),
        **changes,
    }
    return board(NOON, **fields)


def _busy(second_figures: Sequence[str] = ("tmall-art",)) -> Board:
    owners = [BLUE, TEA, PHONE]
    waits = [(12_400, 9_100, 3_000), (7_200, 1_500), (2_300,), (), (), (4_100,), (), (900,), (), (), (5_000,), ()]
    queues = [
        queue(n, owners[n % 3], *wait, seconds=[second(name, 388, 451) for name in second_figures] if n % 2 else [])
        for n, wait in enumerate(waits)
    ]
    teams = [team(n, owners[n % 3], surge=Surge(5, NOON - 2_000) if n == 4 else None) for n in range(8)]
    clients = [
        client(
            BLUE,
            12_400,
            7_200,
            day=figures(1_914, 2_016, 22_100, 6_114),
            coverage=LOSSY,
            seconds=[second("tmall-art", 1_790, 2_016)],
            attainment_target=TARGET,
        ),
        client(TEA, 2_300, day=figures(728, 790, 27_700, 1_770), coverage=UNKNOWN_LOSS),
        client(PHONE, 4_100, day=figures(52, 61, 31_900, 160), staffing=[staffed(contracted=None)]),
    ]
    return board(clients=clients, queues=queues, teams=teams, sites=sites("ok", "on_battery", "silent", "degraded"))


def _digits(power: int) -> Board:
    """The same floor with numbers of `power` digits."""
    many = 10**power - 1
    day = figures(many, many + 1, 999_900 if power > 3 else 9_000, many)
    fields: dict[str, object] = {
        "day": day,
        "agents": people(*[min(many, 999)] * 5),
        "saturation": Ratio(many, many + 1),
        "occupancy": Ratio(many * MINUTE_MS, (many + 1) * MINUTE_MS),
        "seconds": [second(met=many, judged=many + 1)],
    }
    live = waiting(NOON, *range(min(many, 9_999)))
    crowd = client(BLUE, **fields, live=live, staffing=[staffed(many * HALF_HOUR_MS, many)], coverage=LOSSY)
    return board(
        clients=[crowd, client(TEA)],
        queues=[queue(1, BLUE, **fields | {"live": live}), *(queue(n, TEA, 3_000) for n in range(2, 8))],
        teams=[team(n, BLUE, **fields) for n in range(1, 6)],
        sites=sites("ok", "on_battery", "silent", "degraded"),
    )


def _rush() -> Board:
    """Three queues in which eighteen are late, and sites in trouble with everybody behind them."""
    owners = ("Acme Outdoor", "Acme Outdoor", "Bolt Audio")
    late = [*[32_000] * 18, *[9_000] * 5]
    behind: dict[str, object] = {
        "clients": [*dict.fromkeys(owners)],
        "teams": [f"team{n}" for n in range(4)],
        "shops": {"Acme Outdoor": ["Acme Store"], "Bolt Audio": ["Bolt Store"]},
        "seats_expected": 24,
        "seats_present": 0,
    }
    dark: dict[str, object] = {
        "power": "battery",
        "charge_percent": 97,
        "runtime_ms": 1_620_000,
        "reason": "mains_lost",
    }
    unheard = {"power": None, "comms": None, "charge_percent": None, "runtime_ms": None, "reason": "never_heard"}
    states: dict[str, dict[str, object]] = {
        "silent": {"reason": "silent_together"},
        "redundancy_lost": {},
        "on_battery": dark,
    }
    return board(
        clients=[client(each, *late) for each in dict.fromkeys(owners)],
        queues=[queue(n, of, *late) for n, of in enumerate(owners)],
        teams=[team(n, owners[n % 3]) for n in range(8)],
        sites=[
            *(site(state, state, name=f"Site {n}", **behind, **more) for n, (state, more) in enumerate(states.items())),
            site("new", "unknown", name="Site 4", since=0, **behind, **unheard),
        ],
    )


NO_PEOPLE: Final = people(0, 0, 0, 0)
STATES: Final[dict[str, Board]] = {
    "empty": board(),
    "one": few(12_400, queues=[queue(1, BLUE, 12_400, 9_100, 3_000)]),
    "few": few(12_400, 9_100, 3_000),
    "calm": few(),
    "everything": demo_board(),
    "busy": _busy(),
    "rush": _rush(),
    "overflow": board(
        clients=[client(f"client-{n}", coverage=LOSSY) for n in range(6)],
        queues=[
            queue(n, f"client-{n % 6}", *((12_000,) if n % 20 == 7 else ()), seconds=[second()] if n % 3 else [])
            for n in range(60)
        ],
        teams=[team(n, f"client-{n % 6}") for n in range(15)],
        sites=sites("ok", "on_battery", "silent", "degraded", "isolated"),
    ),
    "silent": few(
        4_000,
        queues=[
            queue(1, BLUE, 12_400, stale_since=NOON - 65_000),
            queue(2, BLUE, 3_000, unsequenced=True, seconds=[second()]),
        ],
    ),
    "daily": few(
        queues=[
            queue(1, BLUE, feed=Feed.DAILY, live=None, agents=[], saturation=None, occupancy=None),
            queue(2, BLUE, 3_000),
        ],
    ),
    "running_in": few(4_000, clients=[client(BLUE, 4_000, day=figures(3, 4), coverage=None)]),
    "no_figures": few(
        clients=[client(BLUE, day=Figures(), coverage=None, staffing=[], saturation=None, occupancy=None)],
        queues=[queue(n, BLUE, day=Figures(), agents=[], saturation=None, occupancy=None) for n in (1, 2)],
        teams=[team(1, BLUE, day=Figures(), agents=[], saturation=None, occupancy=None)],
    ),
    "surge": few(
        7_000,
        6_800,
        6_500,
        6_300,
        teams=[team(1, BLUE, surge=Surge(12, NOON - 3_000)), team(2, BLUE)],
    ),
    "nobody": few(
        25_000,
        queues=[queue(1, BLUE, 25_000, agents=NO_PEOPLE, saturation=None), queue(2, BLUE, agents=NO_PEOPLE)],
        teams=[team(1, BLUE, agents=NO_PEOPLE, saturation=None)],
        clients=[client(BLUE, 25_000, agents=NO_PEOPLE, saturation=None, staffing=[staffed(0)])],
    ),
    "battery": few(4_000, sites=sites("ok", "on_battery", "power_lost")),
    "narrow": _digits(1),
    "wide": _digits(5),
}
