"""What stood in the way of a miss, and whether it was met but for that."""

import pytest
from msgspec.structs import replace

from sla_engine._core.attribution import AfterLimits, Held, Impaired, Miss, Trace, trace
from sla_engine._core.circumstances import Circumstances, LoadLimits
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import said_after
from wire.facility import Role
from wire.incident import Cause
from wire.kinds import Kind

S = 1_000
MISS = Miss(
    conversation="c1",
    session=0,
    queue="presale",
    source="chat",
    voice=False,
    since=100 * S,
    due_at=110 * S,
    until=130 * S,
    held=(Held("anna", "s1", "north", 101 * S, 131 * S),),
    busy_since=100 * S,
)
OUTAGE = Impaired(cause=Cause.SITE_POWER, since=102 * S, until=125 * S, site="north", incident="i-1")


def traced(miss: Miss, *impaired: Impaired) -> Trace:
    return trace(miss, impaired, AfterLimits(shifted_percent=20, aftermath_ms=120 * S, pile=2))


def test_a_reply_that_was_late_only_by_the_outage_was_met_but_for_it() -> None:
    found = traced(MISS, OUTAGE)
    assert (found.cause, found.incident, found.but_for) == (Cause.SITE_POWER, "i-1", True)
    assert [(each.overlap_ms, each.but_for) for each in found.candidates] == [(23 * S, True)]


def test_a_reply_that_was_late_anyway_has_no_cause_though_something_was_wrong() -> None:
    short = replace(OUTAGE, until=110 * S)
    found = traced(MISS, short)
    assert (found.cause, found.but_for) == (Cause.NONE, False)
    assert [(each.cause, each.overlap_ms, each.but_for) for each in found.candidates] == [
        (Cause.SITE_POWER, 8 * S, False)
    ]


def test_a_trouble_hits_only_those_it_is_about() -> None:
    elsewhere = [
        replace(OUTAGE, site="south"),
        replace(OUTAGE, site="", seats=frozenset({"s2"})),
        replace(OUTAGE, site="", account="ben"),
        replace(OUTAGE, voice=True),
        replace(OUTAGE, source="other"),
        replace(OUTAGE, queue="hotline"),
        replace(OUTAGE, since=131 * S, until=140 * S),
    ]
    assert traced(MISS, *elsewhere) == Trace(Cause.NONE, "", ())


def test_what_nobody_has_in_hands_is_hit_where_most_who_serve_it_sit() -> None:
    waiting = replace(MISS, held=())
    assert traced(waiting, OUTAGE).cause is Cause.NONE
    assert traced(replace(waiting, home_sites=frozenset({"north"})), OUTAGE).cause is Cause.SITE_POWER


def test_two_revisions_of_one_incident_are_counted_once_where_they_overlap() -> None:
    found = traced(MISS, replace(OUTAGE, until=115 * S), replace(OUTAGE, since=110 * S))
    assert [each.overlap_ms for each in found.candidates] == [23 * S]


def test_without_power_nobody_asks_for_the_break() -> None:
    absent = Impaired(cause=Cause.AGENT_ABSENT, since=0, account="anna")
    assert traced(MISS, absent, OUTAGE).cause is Cause.SITE_POWER
    assert traced(MISS, absent).cause is Cause.AGENT_ABSENT


def test_load_is_no_excuse_for_what_a_reply_took_by_itself() -> None:
    full = Impaired(cause=Cause.SATURATION, since=0, account="anna")
    assert traced(replace(MISS, alone_since=125 * S), full).cause is Cause.SATURATION
    assert traced(replace(MISS, alone_since=115 * S), full).cause is Cause.NONE


def test_load_that_came_on_top_of_an_outage_is_the_outages() -> None:
    pile = Impaired(cause=Cause.SATURATION, since=118 * S, until=129 * S, account="anna")
    short = replace(OUTAGE, until=118 * S)
    busy = replace(MISS, alone_since=129 * S)
    assert not any(each.but_for for each in traced(busy, short, pile).candidates)
    assert traced(busy, short, pile).cause is Cause.SITE_POWER


def test_the_pile_that_an_outage_left_behind_is_the_outages_as_long_as_it_is_worked_off() -> None:
    after = replace(MISS, alone_since=125 * S, ahead=2, busy_since=98 * S)
    assert traced(replace(after, busy_since=99 * S), replace(OUTAGE, since=10 * S, until=99 * S)).cause is Cause.NONE
    assert traced(replace(after, ahead=1), replace(OUTAGE, since=10 * S, until=99 * S)).cause is Cause.NONE
    assert traced(after, replace(OUTAGE, since=10 * S, until=99 * S)).cause is Cause.SITE_POWER
    assert traced(after, replace(OUTAGE, since=10 * S, until=99 * S, site="south")).cause is Cause.NONE
    assert traced(replace(after, alone_since=115 * S), replace(OUTAGE, since=10 * S, until=99 * S)).cause is Cause.NONE


def test_one_customer_who_waited_out_the_outage_before_this_one_is_the_outages_doing() -> None:
    #  outage 60 ═══════ 110 │ the one before: 58 ───────── 118 │ this one: 100 ────────────── 124
    outage = replace(OUTAGE, since=60 * S, until=110 * S)
    late = replace(MISS, until=124 * S, alone_since=118 * S, ahead=1, busy_since=58 * S, before=((58 * S, 118 * S),))
    assert traced(late, outage).cause is Cause.SITE_POWER
    slow = replace(late, until=129 * S)
    assert traced(slow, outage).cause is Cause.NONE
    came_during_it = replace(late, before=((105 * S, 118 * S),), busy_since=100 * S)
    assert traced(came_during_it, outage).cause is Cause.NONE, "without the outage, 105 and eight seconds, then six"


def test_too_much_to_do_because_others_were_cut_off_is_the_cut() -> None:
    busy = replace(MISS, alone_since=125 * S, ahead=2)
    away = replace(OUTAGE, site="south", since=80 * S)
    peers = (MISS.held[0], Held("ben", "s2", "south", 0, 1))
    assert traced(replace(busy, peers=peers), away).incident == "i-1"
    assert traced(replace(busy, peers=peers[:1]), away).cause is Cause.NONE
    assert traced(replace(busy, peers=peers), replace(away, since=101 * S)).cause is Cause.NONE, "came before it"


@pytest.mark.parametrize(
    ("kept_off", "wave_until_s", "named"),
    [
        (Cause.SITE_POWER, 124, Cause.SURGE),  # nobody comes because others were cut off
        (Cause.SITE_POWER, 119, Cause.SITE_POWER),  # the wave alone would not have made the difference
        (Cause.PLATFORM, 124, Cause.PLATFORM),  # whom a platform kept out comes when it lets them in
        (Cause.PHONE_LINE, 124, Cause.PHONE_LINE),  # likewise whom a trunk, or a feed that was silent
        (Cause.FEED_GAP, 124, Cause.FEED_GAP),
    ],
)
def test_a_wave_that_made_the_difference_by_itself_is_no_work_of_those_who_were_cut_off(
    kept_off: Cause, wave_until_s: int, named: Cause
) -> None:
    #  cut off, at the other site: 80 ═══════ 125 │ wave: 100 ~~~~~~~~ │ this one: 100 ─────────── 130, ten allowed
    cut = replace(OUTAGE, cause=kept_off, site="south", since=80 * S)
    wave = Impaired(cause=Cause.SURGE, since=100 * S, until=wave_until_s * S, queue="presale")
    floor = (MISS.held[0], Held("ben", "s2", "south", 0, 1))
    busy = replace(MISS, alone_since=125 * S, ahead=2, busy_since=wave_until_s * S, peers=floor)
    assert traced(busy, cut, wave).cause is named


@pytest.mark.parametrize(
    ("peers", "ahead", "came_after_s", "named"),
    [
        (2, 1, 0, True),  # half of them away: of two customers, three times in four one was sent here
        (2, 0, 0, False),
        (4, 1, 0, False),  # a quarter away: 44 in a hundred
        (4, 2, 0, True),  # 58 in a hundred
        (2, 1, 20, True),  # after its end only who is ahead was sent here: one time in two
        (4, 2, 20, False),  # 44 in a hundred
        (6, 9, 0, False),  # fewer than a fifth of them: they had work for no one else
    ],
)
def test_others_who_were_cut_off_are_the_cause_where_more_likely_than_not_their_work_came_here(
    peers: int, ahead: int, came_after_s: int, named: bool
) -> None:
    floor = tuple(Held(f"p{n}", f"s{n}", "south" if n == 0 else "north", 0, 1) for n in range(peers))
    cut = replace(OUTAGE, site="south", since=80 * S, until=(102 - came_after_s) * S)
    busy = replace(MISS, alone_since=125 * S, ahead=ahead, busy_since=81 * S, peers=floor)
    assert traced(busy, cut).cause is (Cause.SITE_POWER if named else Cause.NONE)


@pytest.mark.parametrize(("noticed_s", "named"), [(95, True), (100, True), (101, False), (None, False)])
def test_nobody_is_sent_elsewhere_before_the_platform_knows_who_is_away(noticed_s: int | None, named: bool) -> None:
    ben = Held("ben", "s2", "south", 0, 1)
    busy = replace(MISS, alone_since=125 * S, ahead=2, peers=(MISS.held[0], ben), presences_told=True)
    cut = replace(OUTAGE, site="south", since=80 * S)
    on_a_break = Impaired(cause=Cause.AGENT_ABSENT, since=90 * S, account="carl")
    away = [] if noticed_s is None else [Impaired(cause=Cause.AGENT_ABSENT, since=noticed_s * S, account="ben")]
    assert traced(busy, cut, on_a_break, *away).cause is (Cause.SITE_POWER if named else Cause.NONE)


def test_a_platform_that_turns_out_to_fail_everywhere_failed_everywhere_from_the_start() -> None:
    log = Log()
    seats = {"s1": "north", "s2": "south"}
    log_in = [log.heartbeat(seat, NOON, site, Role.SEAT, seat) for seat, site in seats.items()]
    failing = [
        log.platform(seat, NOON + n * 3 * S, is_reachable=False, site=site)
        for n, (seat, site) in enumerate(seats.items())
    ]
    circumstances = Circumstances(
        LoadLimits(
            surge_window_ms=1,
            surge_arrivals=1,
            surge_percent=1,
            surge_usual_ms=3_600_000,
            surge_windows_before=2,
            hands_limit=1,
            hands_idle_ms=1,
            platform_noticed_ms=60_000,
        )
    )
    for said in said_after(*log_in, *failing):
        circumstances.take(log.entry("~incident", Kind.INCIDENT, said))
    found = circumstances.impaired([], {})
    assert [(each.site, each.since) for each in found] == [("north", NOON), ("", NOON)]
