"""One floor with something of everything on it: for pictures, and for looking at the page by hand."""

from tests.dashboards.boards import NOON, board, figures, line, people, site, tile, waiting
from wire.board import AgentCount, Board, Figures, LineTile, Ratio, Tile, TroubleTile
from wire.record import Feed

BLUE, TEA, PHONE = "\u84dd\u5cb3\u8fd0\u52a8", "\u5c71\u91ce\u8336\u4e1a", "Nordlicht Audio"
TARGET = Ratio(90, 100)
CARRIERS = ("\u7535\u4fe1", "\u8054\u901a")


def _lines(*states: str) -> list[LineTile]:
    return [line(f"line{n}", state, name) for n, (state, name) in enumerate(zip(states, CARRIERS, strict=True))]


def _queue(id_: str, client: str, name: str, *waits_ms: int, day: Figures | None = None, **changes: object) -> Tile:
    fields = {"live": waiting(NOON, *waits_ms), "day": day or figures(), "name": name, **changes}
    return tile("queue", id_, client, **fields)


def _queues() -> list[Tile]:
    nobody: list[AgentCount] = []
    return [
        _queue("presale", BLUE, "\u552e\u524d\u54a8\u8be2", 12_400, 9_100, 3_000, day=figures(412, 451, 18_400, 1_204)),
        _queue("aftersale", BLUE, "\u552e\u540e\u670d\u52a1", 7_200, 1_500, day=figures(298, 305, 16_100, 890)),
        _queue(
            "live-room",
            BLUE,
            "\u76f4\u64ad\u95f4",
            2_300,
            day=figures(1_204, 1_260, 24_700, 4_020),
            attainment_target=TARGET,
        ),
        _queue("tea", TEA, "\u65d7\u8230\u5e97", day=figures(88, 88, 12_300, 240), agents=people(3, 2, 0, 0)),
        _queue(
            "tea-day",
            TEA,
            "\u5206\u9500\u5e73\u53f0",
            feed=Feed.DAILY,
            live=None,
            day=figures(640, 702, 33_800, 1_530),
            agents=nobody,
        ),
        _queue("sales", PHONE, "Sales", 4_100, day=figures(52, 61, 31_900, 160), attainment_target=TARGET),
        _queue("support", PHONE, "Support", day=Figures(), agents=people(1, 0, 0, 2), unsequenced=True),
    ]


def demo_board() -> Board:
    """Three clients, seven queues, five teams, four sites: calm, warning, overdue, T+1, no data, on battery, silent."""
    clients = [
        _queue("c", BLUE, BLUE, 12_400, 7_200, 2_300, day=figures(1_914, 2_016, 22_100, 6_114)),
        _queue("c", TEA, TEA, day=figures(728, 790, 27_700, 1_770)),
        _queue("c", PHONE, PHONE, 4_100, day=figures(52, 61, 31_900, 160), attainment_target=TARGET),
    ]
    teams = [
        _queue(f"t{n}", client, name, day=figures(met, judged, mean, judged * 3))
        for n, (client, name, met, judged, mean) in enumerate(
            [
                (BLUE, "\u767d\u73ed A \u7ec4", 702, 731, 17_900),
                (BLUE, "\u767d\u73ed B \u7ec4", 640, 688, 22_500),
                (TEA, "\u665a\u73ed\u7ec4", 350, 371, 19_800),
                (PHONE, "Night shift", 52, 61, 31_900),
                (PHONE, "Weekend", 0, 0, 0),
            ]
        )
    ]
    sites = [
        site("sh1", name="\u4e0a\u6d77\u4e00", lines=_lines("up", "up"), phone_lines=[line("trunk1", "reachable")]),
        site(
            "cd2",
            "on_battery",
            name="\u6210\u90fd\u4e8c",
            power="battery",
            charge_percent=82,
            runtime_ms=1_380_000,
            since=NOON - 95_000,
            lines=_lines("up", "down"),
            troubles=[TroubleTile("line_down", 1, NOON - 60_000, False, False)],
            clients=[BLUE, TEA],
            teams=["t0", "t2"],
            shops={BLUE: ["blue-tmall", "blue-jd"], TEA: ["tea-flagship", "tea-outlet", "tea-pdd"]},
        ),
        site(
            "gz3",
            "silent",
            name="\u5e7f\u5dde\u4e09",
            power=None,
            comms=None,
            charge_percent=None,
            runtime_ms=None,
            probes_reporting=0,
            since=NOON - 42_000,
        ),
        site("wh4", "degraded", name="\u6b66\u6c49\u56db", comms="stale", probes_reporting=14, since=NOON - 7_200_000),
    ]
    return board(clients=clients, queues=_queues(), teams=teams, sites=sites, entries=184_233, gaps=2)
