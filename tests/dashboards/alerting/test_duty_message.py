"""The three messages of a day, as transcripts of what a telephone shows."""

import json
from zoneinfo import ZoneInfo

import pytest

from dashboards.alerting._core.duty_facts import CauseCount, Clocks, DutyFacts, DutyKind
from dashboards.alerting._core.duty_message import DutyShown, compose_duty
from dashboards.alerting._core.message import Message, Reader
from dashboards.alerting.vendors import VENDORS, Address
from seatwatch.glossary import Language, words
from tests.dashboards.alerting.incidents import incident
from tests.dashboards.boards import NOON, figures, line, site, tile, waiting
from wire.board import Coverage, Figures, LineTile, Ratio, SiteTile
from wire.incident import Severity

HOUR = 3_600_000
MORNING = NOON - 4 * HOUR - HOUR // 2
"""07:30 at Shanghai."""
TARGET = Ratio(97, 100)
NIGHT = NOON - 9 * HOUR
SHOWN = DutyShown(lines_shown=40, few_judged=20)
LINK = "https://hub.example.com/?at=2025-11-21T07:30:00%2B08:00"


def reader(language: Language) -> Reader:
    texts = {key: word.text(language) for key, word in words().items()}
    return Reader(language, texts, ZoneInfo("Asia/Shanghai"), {"north": "North"})


def composed(facts: DutyFacts, language: Language = "en", shown: DutyShown = SHOWN, late_ms: int = 0) -> Message:
    return compose_duty(facts, reader(language), shown, link=LINK, late_ms=late_ms)


def north(**changes: object) -> SiteTile:
    lines = [line("telecom"), LineTile("unicom", "unicom", "down", "line_down", NIGHT)]
    fields: dict[str, object] = {
        "name": "North",
        "seats_present": 14,
        "seats_expected": 15,
        "lines": lines,
        "phone_lines": [line("trunk", "reachable")],
        **changes,
    }
    return site("north", "ok", **fields)


def check(**changes: object) -> DutyFacts:
    """Before opening: the standby line was lost at night and nobody was woken for it."""
    lost = incident("line_down", NIGHT, site="north", subject="unicom", severity=Severity.TICKET)
    over = incident("mains_lost", NIGHT - HOUR, site="north", subject="rack", ended_at=NIGHT - HOUR + 90_000)
    fields: dict[str, object] = {
        "kind": DutyKind.PRE_OPENING,
        "id": "north",
        "name": "North",
        "at": MORNING,
        "since": NOON - 12 * HOUR,
        "opens_at": NOON - 4 * HOUR,
        "tiles": [tile("site", "north", name="acme")],
        "sites": [north()],
        "clocks": {"north": Clocks(14, 1, 1_450)},
        "open_incidents": [lost],
        "ended": [over],
        "taken_by": {lost.incident: "lin"},
        **changes,
    }
    return DutyFacts(**fields)  # type: ignore[arg-type]  # the caller names real fields


def test_the_check_before_opening_names_the_standby_line_that_was_lost_at_night() -> None:
    message = composed(check())
    assert message.title == "[Pre-opening check] North 11-21 07:30 4 to look at"
    assert message.lines == [
        "! Seats there: 14/15",
        "! unicom: line down (since 03:00)",
        "! Seat clocks: 1 of 14 off, at worst 1.4 s",
        "! North Line down unicom (since 03:00, ticket, with lin)",
        "opens at 08:00",
        "telecom: line up",
        "trunk: trunk answers",
        "UPS: Mains, charge 100 %, lasts 30 min",
        "UPS self-test: not told by the probe",
        "Feeds heard: 1/1",
        "Resolved: North Site mains lost rack (02:00 to 02:01, 2 min)",
    ]
    assert (message.link, message.link_text) == (LINK, "Open the board of that instant")


def test_the_check_says_when_all_is_well_and_never_when_something_is_not_known() -> None:
    whole = {"seats_present": 15, "lines": [line("telecom")]}
    well = check(sites=[north(**whole)], clocks={"north": Clocks(15, 0, 0)}, open_incidents=[], ended=[], taken_by={})
    assert composed(well).title.endswith("nothing found wrong")
    assert "no open incidents" in composed(well).lines
    unheard = north(
        power=None, comms=None, charge_percent=None, seats_present=None, seats_expected=None, lines=[], phone_lines=[]
    )
    blind = composed(check(sites=[unheard], clocks={}, tiles=[], open_incidents=[], ended=[], taken_by={}))
    assert blind.title.endswith(" 6 without data")
    assert "Feeds heard: No data" in blind.lines
    assert {"UPS: No data", "Seats there: No data", "Seat clocks: No data", "Broadband lines: No data"} <= {
        *blind.lines
    }
    assert not any("100 %" in line or " 0" in line for line in blind.lines[1:] if "opens" not in line)


def test_the_check_names_a_gateway_whose_clock_is_wrong_and_by_how_much() -> None:
    wrong = incident(
        "clock_wrong",
        NOON,
        site="north",
        severity=Severity.TICKET,
        subject="north/gateway",
        details={"offset": "-3 min"},
    )
    words = "North Clock wrong (its times are put on the hub's) north/gateway -3 min"
    assert any(words in line for line in composed(check(open_incidents=[wrong])).lines)


@pytest.mark.parametrize(
    ("told", "language", "line"),
    [
        ({"self_test": "failed", "self_test_date": "10/25/93"}, "en", "! UPS self-test: failed, rack (10/25/93)"),
        ({"self_test": "warning"}, "en", "! UPS self-test: passed with a warning, rack"),
        ({"self_test": "passed"}, "zh", "UPS 最近自检: 通过, rack"),
        ({"self_test": "never"}, "zh", "UPS 最近自检: 从未做过, rack"),
        ({"self_test": "unknown"}, "en", "UPS self-test: in words nobody knows, rack"),
        ({}, "en", "UPS self-test: not told by the probe"),
    ],
)
def test_the_check_says_how_the_last_self_test_went_and_never_that_one_passed_unsaid(
    told: dict[str, str], language: Language, line: str
) -> None:
    assert line in composed(check(sites=[north(self_test_ups="rack", **told)]), language).lines


def test_before_any_shift_begins_no_seat_is_missed() -> None:
    early = composed(check(sites=[north(seats_present=2, seats_expected=0)]))
    assert "Seats there: 2 (none expected yet)" in early.lines


@pytest.mark.parametrize(
    ("there", "expected", "line"),
    [
        (2, 0, "Seats there: 2 (15 due at opening by their shifts)"),
        (14, 15, "! Seats there: 14/15"),
        (5, 5, "Seats there: 5/5 (15 due at opening by their shifts)"),
        (None, None, "Seats there: No data (15 due at opening by their shifts)"),
    ],
)
def test_the_check_says_how_many_are_due_at_opening(there: int | None, expected: int | None, line: str) -> None:
    message = composed(check(sites=[north(seats_present=there, seats_expected=expected)], seats_due={"north": 15}))
    assert line in message.lines


def test_a_silent_feed_and_a_ups_on_battery_ask_for_something() -> None:
    quiet = tile("queue", "chat", stale_since=MORNING - HOUR)
    on_battery = north(power="battery", charge_percent=71, runtime_ms=1_380_000, runtime_is_estimate=True)
    message = composed(check(tiles=[quiet, tile("queue", "phone")], sites=[on_battery]))
    assert "! UPS: On battery, charge 71 %, lasts 23 min (estimated)" in message.lines
    assert {"! Feeds heard: 1/2", "! acme chat: Stale (since 06:30)"} <= {*message.lines}


def test_of_several_sites_each_line_says_where() -> None:
    message = composed(check(sites=[north(), site("south", name="South")]))
    assert "! North Seats there: 14/15" in message.lines
    assert "south UPS: Mains, charge 100 %, lasts 30 min" in message.lines


def daily(**changes: object) -> DutyFacts:
    coverage = Coverage(Ratio(57_000_000, 57_600_000), 12, Ratio(1_234, 1_315), Ratio(1_246, 1_315))
    fields: dict[str, object] = {
        "kind": DutyKind.DAILY,
        "id": "acme",
        "name": "Acme",
        "at": NOON,
        "since": NOON - 24 * HOUR,
        "tiles": [
            tile("queue", "chat", name="chat", day=figures(1_204, 1_260, 18_450, 2_900), attainment_target=TARGET),
            tile("queue", "vip", name="vip", day=figures(12, 13, 31_000, 41), attainment_target=TARGET),
            tile("queue", "night", name="night", day=Figures()),
        ],
        "client": tile("client", "acme", day=figures(1_234, 1_303, 21_000, 3_000), coverage=coverage),
        "causes": [CauseCount("uplink", 40, 31), CauseCount("none", 29, 0)],
        "ended": [incident("line_down", NOON - 6 * HOUR, site="north", subject="telecom", ended_at=NOON - 5 * HOUR)],
        **changes,
    }
    return DutyFacts(**fields)  # type: ignore[arg-type]  # likewise


def test_the_daily_report_has_counts_beside_every_percentage_and_the_average_on_its_scale() -> None:
    message = composed(daily())
    assert message.title == "[Daily report] Acme 11-21 12:00 3 to look at, 1 without data"
    assert message.lines == [
        "! chat: Offered 1,262, Attainment 95.5 % (1,204/1,260), Average response 18.4 / 20.0 / 30.0 s",
        "! vip: Offered 15, Attainment 92.3 % (12/13) few, Average response 31.0 / 20.0 / 30.0 s",
        "! Data coverage: 98.9 % (950/960 min), Attainment between 93.8 % (1,234/1,315)..94.7 % (1,246/1,315)",
        "night: No data",
        "every queue: Offered 1,305, Attainment 94.7 % (1,234/1,303), Average response 21.0 / 20.0 / 30.0 s",
        "Misses: broadband lines 40 (met but for it 31), nothing known 29",
        "no open incidents",
        "Resolved: North Line down telecom (06:00 to 07:00, 60 min)",
    ]


def test_a_day_of_which_nothing_was_told_has_no_figures_rather_than_zeroes() -> None:
    empty = [tile("queue", "chat", name="chat", day=Figures())]
    message = composed(daily(tiles=empty, client=tile("client", "acme", day=Figures()), causes=[], ended=[]))
    assert message.lines == [
        "! Data coverage: No data",
        "Offered: No data",
        "chat: No data",
        "Misses: No data",
        "no open incidents",
    ]
    met = daily(tiles=[tile("queue", "chat", name="chat", day=figures(50, 50))], causes=[])
    assert "Misses: 0" in composed(met).lines
    assert not any(line.startswith("Misses") for line in composed(daily(causes=None)).lines)


def handover(**changes: object) -> DutyFacts:
    lost = incident("lines_down", NOON - HOUR, site="north", severity=Severity.CALL, is_planned=True)
    fields: dict[str, object] = {
        "kind": DutyKind.HANDOVER,
        "tiles": [
            tile("queue", "chat", name="chat", live=waiting(NOON, 12_000, 3_000, open_=20)),
            tile("queue", "mail", name="mail", live=None, day=Figures()),
        ],
        "client": None,
        "open_incidents": [lost],
        **changes,
    }
    return daily(**fields)


def test_the_handover_says_who_waits_and_what_goes_on() -> None:
    message = composed(handover())
    assert message.title == "[Shift handover] Acme 11-21 12:00 1 to look at, 2 without data"
    assert message.lines[:2] == ["! chat: Waiting 2, Overdue 1, Open 22", "mail: Waiting No data"]
    assert "North All lines down (since 11:00, call, planned)" in message.lines


def test_a_late_message_says_so_before_anything_else() -> None:
    assert composed(daily(), late_ms=61_000).lines[0] == "sent 2 min late; it says how things stood when it was due"


def test_lines_beyond_what_is_shown_are_counted_and_what_asks_for_something_stays() -> None:
    message = composed(check(), shown=DutyShown(lines_shown=4, few_judged=20))
    assert [line[:2] for line in message.lines] == ["! ", "! ", "! ", "! ", "7 "]
    assert message.title.endswith("4 to look at")


def test_a_name_with_a_line_break_stays_on_its_line() -> None:
    odd = tile("queue", "chat", name="ch\nat\u202e", stale_since=NOON)
    message = composed(check(tiles=[odd], name="Nor\nth"))
    assert "\n" not in message.title + "".join(message.lines)


@pytest.mark.parametrize(
    ("kind", "holder", "field", "limit"),
    [("dingtalk", "markdown", "text", 18_000), ("wecom", "markdown", "content", 4_096)],
)
def test_a_message_too_long_for_its_vendor_is_cut_at_the_byte_and_keeps_its_link(
    kind: str, holder: str, field: str, limit: int
) -> None:
    many = [tile("queue", f"q{n}", name="\u5ba2" * 90, day=figures(900, 1_000)) for n in range(200)]
    message = composed(daily(tiles=many), "zh", DutyShown(lines_shown=200, few_judged=20))
    post = VENDORS[kind].post(message, Address(url="https://robot.example.com/x"), NOON, limit)
    text = json.loads(post.body)[holder][field]
    assert limit * 0.98 < len(text.encode()) <= limit
    assert LINK in text


def test_both_languages_have_the_same_lines_and_no_place_is_left_unfilled() -> None:
    for facts in (check(), daily(), handover()):
        english, chinese = composed(facts), composed(facts, "zh", late_ms=0)
        assert len(english.lines) == len(chinese.lines)
        assert english.title != chinese.title
        assert "{" not in "".join([*english.lines, *chinese.lines, english.title, chinese.title])
