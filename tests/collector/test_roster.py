from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from openpyxl import Workbook

from collector._core.roster import (
    Link,
    Problem,
    changes,
    clients_of,
    entries,
    in_force,
    link_of,
    minutes_of,
    problems,
    remarks,
)
from collector.importers.tables import TableError
from collector.roster import RosterError, read_roster
from sla_engine._core.roster import Roster as EngineRoster
from sla_engine._core.roster import RosterState
from tests.collector.importers.files import LIMITS
from tests.tidy.source import ROOT
from wire.codec import decode_body
from wire.ids import UNASSIGNED
from wire.organisation import Relation, RosterLink

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEADER = (
    "client,shop,queue,account,person,team,seat,site,seat_mode,contracted_seats,limit,shift,"
    "row,switch,circuit,line,carrier,carrier_line_id,egress,service_hours,time_zone,"
    "effective_from,effective_until"
)
FIELDS = HEADER.split(",")
DAY = 86_400_000
NOVEMBER = 1_793_462_400_000
"""2026-11-01 00:00 in Shanghai."""


def row(effective_from: str = "2026-11-01", **cells: str) -> str:
    return ",".join((cells | {"effective_from": effective_from}).get(field, "") for field in FIELDS)


BASE = (
    row(client="acme", shop="acme-shop"),
    row(client="zenith", shop="zenith-shop"),
    row(shop="acme-shop", queue="presale"),
    row(seat="A-01", site="chengdu"),
    row(seat="A-02", site="wuhan"),
)


def file_of(tmp_path: Path, *rows: str, base: tuple[str, ...] = BASE) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text("\n".join((HEADER, *base, *rows)) + "\n", encoding="utf-8")
    return path


def links_of(tmp_path: Path, *rows: str, base: tuple[str, ...] = BASE) -> list[Link]:
    roster = read_roster(file_of(tmp_path, *rows, base=base), SHANGHAI, LIMITS)
    assert roster.problems == []
    assert list(problems([], roster.stated)) == []
    return [each.link for each in roster.stated]


def found(tmp_path: Path, *rows: str, known: list[Link] | None = None) -> list[Problem]:
    roster = read_roster(file_of(tmp_path, *rows), SHANGHAI, LIMITS, known or [])
    return [*roster.problems, *problems(known or [], roster.stated)]


def remarked(tmp_path: Path, *rows: str) -> list[Problem]:
    return list(remarks([], read_roster(file_of(tmp_path, *rows), SHANGHAI, LIMITS).stated))


def person(name: str, **cells: str) -> str:
    return row(**({"account": f"acme:{name}", "shop": "acme-shop", "person": name} | cells))


# ------------------------------------------------------------------------------------------------------------ reading


def test_a_row_states_every_link_whose_two_columns_it_fills(tmp_path: Path) -> None:
    stated = links_of(tmp_path, person("P1", team="red", seat="A-01", shift="8:00-16:00"))[len(BASE) :]
    assert {(link.relation, link.subject, link.target) for link in stated} == {
        (Relation.PERSON_OF_ACCOUNT, "acme:P1", "P1"),
        (Relation.TEAM_OF_PERSON, "P1", "red"),
        (Relation.SEAT_OF_PERSON, "P1", "A-01"),
        (Relation.SHIFT_OF_PERSON, "P1", "08:00-16:00"),
    }
    assert {(link.effective_from, link.effective_until) for link in stated} == {(NOVEMBER, None)}


def test_an_account_or_a_seat_says_how_many_conversations_it_is_meant_to_hold(tmp_path: Path) -> None:
    account, mode = links_of(tmp_path, person("P1", limit="8"), row(seat="A-01", seat_mode="shared", limit="1"))[
        len(BASE) :
    ]
    assert account.attributes == (("client", "acme"), ("limit", "8"), ("shop", "acme-shop"))
    assert mode.attributes == (("limit", "1"),)


def test_an_account_says_which_shop_it_is_of_by_itself_or_by_its_queue_and_never_another_clients(
    tmp_path: Path,
) -> None:
    rows = (
        row(shop="zenith-shop", queue="theirs"),
        person("P1"),
        row(account="acme:P2", queue="presale", person="P2"),
        row(account="acme:P3", client="acme", person="P3"),
        row(account="acme:P4", client="acme", queue="theirs", person="P4"),
    )
    told = [dict(link.attributes) for link in links_of(tmp_path, *rows) if link.relation is Relation.PERSON_OF_ACCOUNT]
    of_shop = {"client": "acme", "shop": "acme-shop"}
    assert told == [of_shop, of_shop, {"client": "acme"}, {"client": "acme"}]


def test_a_seat_says_what_it_hangs_on_and_a_line_whose_it_is_and_where_it_comes_out(tmp_path: Path) -> None:
    seat, line = links_of(
        tmp_path,
        row(seat="A-03", site="wuhan", row="3", switch="sw-1", circuit="L2"),
        row(line="telecom", site="wuhan", carrier="电信", carrier_line_id="武汉 ETN0001NP", egress="203.0.113.0/29"),
        base=(),
    )
    assert seat.attributes == (("circuit", "L2"), ("row", "3"), ("switch", "sw-1"))
    assert line[:3] == (Relation.SITE_OF_LINE, "wuhan/telecom", "wuhan")
    named = ("carrier", "电信"), ("carrier_line_id", "武汉 ETN0001NP")
    assert line.attributes == (*named, ("egress", "203.0.113.0/29"))


def test_dates_begin_at_midnight_of_the_contracts_zone_and_the_last_day_still_counts(tmp_path: Path) -> None:
    (link,) = links_of(tmp_path, row(seat="A-03", site="wuhan", effective_until="2026-11-30"), base=())
    assert (link.effective_from, link.effective_until) == (NOVEMBER, NOVEMBER + 30 * DAY)


def test_a_time_of_day_is_the_exact_instant(tmp_path: Path) -> None:
    (link,) = links_of(
        tmp_path, row("2026-11-01 04:00", seat="A-03", site="wuhan", effective_until="2026/11/30 18:00"), base=()
    )
    assert link.effective_from == NOVEMBER + 4 * 3_600_000
    assert link.effective_until == NOVEMBER + 29 * DAY + 18 * 3_600_000


def test_the_example_files_in_both_languages_state_the_same() -> None:
    english, chinese = (
        read_roster(ROOT / "examples" / "roster" / name, SHANGHAI, LIMITS)
        for name in ("roster.csv", "roster.zh-CN.csv")
    )
    assert english.problems == chinese.problems == []
    assert [each.link for each in english.stated] == [each.link for each in chinese.stated]
    assert list(problems([], english.stated)) == []
    assert {each.link.relation for each in english.stated} == set(Relation)


def test_a_workbook_may_spread_it_over_sheets(tmp_path: Path) -> None:
    book = Workbook()
    for title, rows in {
        "shops": [["品牌", "店铺", "生效日期"], ["acme", "acme-shop", "2026-11-01"]],
        "people": [["店铺", "子账号", "工号", "生效日期"], ["acme-shop", "acme:01", "P1", "2026-11-01"]],
    }.items():
        sheet = book.create_sheet(title)
        for cells in rows:
            sheet.append(cells)
    del book["Sheet"]
    book.save(tmp_path / "roster.xlsx")
    roster = read_roster(tmp_path / "roster.xlsx", SHANGHAI, LIMITS)
    assert roster.problems == []
    assert [(each.sheet, each.row, each.link.relation) for each in roster.stated] == [
        ("shops", 2, Relation.SHOP_OF_CLIENT),
        ("people", 2, Relation.PERSON_OF_ACCOUNT),
    ]
    assert roster.stated[1].link.attributes == (("client", "acme"), ("shop", "acme-shop"))


def test_a_roster_of_too_many_rows_is_refused_as_text_too(tmp_path: Path) -> None:
    path = file_of(tmp_path, *(row(person=f"P{number}", team="early") for number in range(20)))
    assert read_roster(path, SHANGHAI, msgspec.structs.replace(LIMITS, rows_max=26)).rows == 25
    with pytest.raises(TableError, match=r"roster\.csv: has more than 25 rows"):
        read_roster(path, SHANGHAI, msgspec.structs.replace(LIMITS, rows_max=25))


@pytest.mark.parametrize("column", ["姓名", "Name", "手机号", "e-mail", "身份证"])
def test_a_file_with_a_personal_column_is_refused_whole(tmp_path: Path, column: str) -> None:
    (tmp_path / "r.csv").write_text(f"person,{column},effective_from\nP1,x,2026-11-01\n", encoding="utf-8")
    with pytest.raises(RosterError, match="looks personal"):
        read_roster(tmp_path / "r.csv", SHANGHAI, LIMITS)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("person,team", "effective_from"),
        ("person,colour,size,effective_from", "unknown column 'colour', 'size'; known are client, shop"),
        ("工号,颜色,生效", "unknown column '颜色'; known are 品牌, 店铺"),
        ("shop,店铺,from", "two columns"),
    ],
)
def test_a_header_that_cannot_be_used_is_said(tmp_path: Path, header: str, why: str) -> None:
    (tmp_path / "r.csv").write_text(f"{header}\na,b,c,d\n", encoding="utf-8")
    with pytest.raises(RosterError, match=why):
        read_roster(tmp_path / "r.csv", SHANGHAI, LIMITS)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row(client="acme", shop="天猫店"), "shop: not a code"),
        (person("张三"), "not a code"),
        (row(account="acme:01", shop="acme-shop", person="13800138000"), "telephone"),
        (row(client="acme", shop="acme-13800138000"), "shop: looks like a telephone"),
        (row(person="P1", team="13800138000"), "team: looks like a telephone"),
        (row("", client="acme", shop="s"), "effective_from is empty"),
        (row("soon", client="acme", shop="s"), "effective_from: no date"),
        (row("2026-02-30", client="acme", shop="s"), "effective_from: no date"),
        (row(client="acme", shop="s", effective_until="2026-10-31"), "not after"),
        (row(person="P1", shift="8-16"), "shift"),
        (row(person="P1", shift="08:00-25:00"), "shift"),
        (row(seat="A-01", seat_mode="reserved"), "dedicated or shared"),
        (row(client="acme", contracted_seats="many"), "whole number"),
        (person("P1", limit="0"), "from 1 on"),
        (row(client="acme", contracted_seats="18", limit="3"), "limit: nothing in this row"),
        (row(line="telecom", site="wuhan", egress="203.0.113.300"), "egress: write addresses"),
        (row(line="telecom", carrier="telecom"), "nothing in this row"),
        (row(seat="A-03", site="wuhan", row="3" * 97), "row: at most 96"),
        (row(client="operator", shop="s"), "operator's own"),
        (row(person="P1"), "nothing in this row to link it to"),
        (row(client="acme", shop="s", person="P1"), "nothing in this row to link it to"),
    ],
)
def test_a_wrong_row_is_named_with_what_is_wrong(tmp_path: Path, bad: str, why: str) -> None:
    (problem,) = found(tmp_path, bad)
    assert problem.row == 2 + len(BASE)
    assert why in problem.what


@pytest.mark.parametrize("header", ["line,site,egress,effective_from", "line,site,egress,effective_from,"])
def test_a_cell_under_no_heading_is_no_row_and_neither_is_what_it_pushed_aside(tmp_path: Path, header: str) -> None:
    rows = ['unicom,wuhan,"203.0.113.0/29,198.51.100.0/29",2026-11-01', "telecom,wuhan,203.0.113.8/29,2026-11-01,x"]
    (tmp_path / "r.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    roster = read_roster(tmp_path / "r.csv", SHANGHAI, LIMITS)
    assert [link.link.subject for link in roster.stated] == ["wuhan/unicom"]
    assert [(each.row, each.what.partition(";")[0]) for each in roster.problems] == [(3, "'x' stands under no heading")]


# ------------------------------------------------------------------------------------------------------------- checks


def test_a_person_on_two_seats_at_once_is_found(tmp_path: Path) -> None:
    (problem,) = found(
        tmp_path, person("P1", seat="A-01", effective_until="2026-11-20"), row("2026-11-10", person="P1", seat="A-02")
    )
    assert "on two at once" in problem.what
    assert problem.row == 8


def test_a_person_who_moves_is_no_contradiction(tmp_path: Path) -> None:
    assert found(tmp_path, person("P1", seat="A-01"), row("2026-11-10", person="P1", seat="A-02")) == []


def test_two_targets_from_the_same_day_contradict(tmp_path: Path) -> None:
    assert (
        "another seat from the same day in row 7"
        in found(tmp_path, person("P1", seat="A-01"), row(person="P1", seat="A-02"))[0].what
    )


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("08:00-16:00", "16:00-24:00", False),
        ("08:00-16:00", "15:00-23:00", True),
        ("22:00-06:00", "05:00-09:00", True),
        ("22:00-06:00", "06:00-22:00", False),
        ("", "08:00-16:00", True),
    ],
)
def test_two_people_share_a_seat_only_in_different_hours(tmp_path: Path, one: str, other: str, meet: bool) -> None:
    said = found(tmp_path, person("P1", seat="A-01", shift=one), person("P2", seat="A-01", shift=other))
    assert [problem.what for problem in said] == (["seat A-01: P1 and P2 at the same hours"] if meet else [])


def test_two_people_may_follow_each_other_on_a_seat(tmp_path: Path) -> None:
    first = person("P1", seat="A-01", effective_until="2026-11-30")
    assert (
        found(
            tmp_path, first, person("P2", seat="A-01", effective_from="2026-12-01").replace("2026-11-01", "2026-12-01")
        )
        == []
    )


def test_references_to_nothing_are_found(tmp_path: Path) -> None:
    said = found(tmp_path, person("P1", seat="A-99"), row(queue="q", shop="nowhere"), row(account="x:1", person="P2"))
    assert sorted(problem.what for problem in said) == [
        "account x:1: no client, neither by itself nor through its shop",
        "seat A-99 is at no site",
        "shop nowhere belongs to no client",
    ]


def test_what_the_ledger_knows_already_is_no_reference_to_nothing(tmp_path: Path) -> None:
    known = [Link(Relation.SITE_OF_SEAT, "A-99", "chengdu", NOVEMBER, None)]
    assert found(tmp_path, person("P1", seat="A-99"), known=known) == []


def test_people_on_a_dedicated_seat_who_also_serve_another_client_are_remarked_and_not_refused(tmp_path: Path) -> None:
    mode = row(seat="A-01", seat_mode="dedicated")
    second = row(account="zenith:P1", client="zenith", person="P1")
    rows = (mode, person("P1", seat="A-01"), second)
    assert found(tmp_path, *rows) == []
    (remark,) = remarked(tmp_path, *rows)
    assert remark.what == "seat A-01 is dedicated, and its people have accounts of acme, zenith"
    assert remarked(tmp_path, mode.replace("dedicated", "shared"), *rows[1:]) == []


@pytest.mark.parametrize(
    ("shift", "minutes"),
    [
        ("08:00-16:00", (480, 960)),
        ("22:00-06:00", (1320, 1800)),
        ("00:00-24:00", (0, 1440)),
        ("24:00-08:00", None),
        ("08:00-08:00", None),
        ("08:60-09:00", None),
        ("08:00", None),
    ],
)
def test_a_shift_is_minutes_of_the_day_and_may_cross_midnight(shift: str, minutes: tuple[int, int] | None) -> None:
    assert minutes_of(shift) == minutes


# ----------------------------------------------------------------------------------------------- what enters a ledger


def test_each_client_gets_what_it_needs_and_nothing_of_the_other(tmp_path: Path) -> None:
    stated = links_of(
        tmp_path,
        person("P1", team="red", seat="A-01"),
        row(account="zenith:1", shop="zenith-shop", person="P2", team="blue", seat="A-02"),
        row(account="acme:2", client="acme", person="P3", team="red"),
    )
    concerned = clients_of(stated)
    subjects = {
        client: {link.subject for link, clients in concerned.items() if client in clients}
        for client in ("acme", "zenith")
    }
    assert subjects["acme"] == {"acme-shop", "presale", "acme:P1", "P1", "A-01", "acme:2", "P3"}
    assert subjects["zenith"] == {"zenith-shop", "zenith:1", "P2", "A-02"}


def test_a_person_of_two_clients_is_in_both_ledgers_each_account_in_its_own(tmp_path: Path) -> None:
    stated = links_of(tmp_path, person("P1", team="red"), row(account="zenith:1", client="zenith", person="P1"))
    concerned = {link.subject: sorted(clients) for link, clients in clients_of(stated).items()}
    assert concerned["P1"] == ["acme", "zenith"]
    assert (concerned["acme:P1"], concerned["zenith:1"]) == (["acme"], ["zenith"])


def test_a_roster_that_is_known_changes_nothing(tmp_path: Path) -> None:
    stated = links_of(tmp_path, person("P1", seat="A-01"))
    assert changes(in_force(stated), stated) == []


def test_a_change_says_what_it_replaces_and_what_it_ends(tmp_path: Path) -> None:
    known = in_force(links_of(tmp_path, person("P1", seat="A-01", team="red")))
    now = links_of(tmp_path, person("P1", seat="A-01", team="blue"), row("2026-12-01", person="P1", seat="A-02"))
    moved, regrouped = changes(known, now)
    assert (regrouped.link.target, regrouped.before and regrouped.before.target) == ("blue", "red")
    assert moved.before is None
    assert [ended.target for ended in moved.ends] == ["A-01"]


def test_the_same_change_to_the_same_ledger_has_the_same_keys_and_going_back_has_others(tmp_path: Path) -> None:
    first = in_force(links_of(tmp_path, person("P1", team="red")))
    second = in_force(links_of(tmp_path, person("P1", team="blue")))
    there = entries(first, changes(first, second.values()), 1)
    assert entries(first, changes(first, second.values()), 1) == there
    both = first | second
    back = entries(both, changes(both, first.values()), 1)
    again = entries(first, changes(first, second.values()), 1)
    assert {entry.epoch for entry in back}.isdisjoint(entry.epoch for entry in again)


def test_the_engine_places_people_by_what_was_written(tmp_path: Path) -> None:
    stated = links_of(
        tmp_path,
        person("P1", team="red", seat="A-01", shift="08:00-16:00"),
        row("2026-11-10", person="P1", seat="A-02"),
    )
    engine = EngineRoster(RosterState())
    for entry in entries({}, changes({}, stated), NOVEMBER):
        body = decode_body(entry.kind, entry.kind_version, entry.body)
        assert isinstance(body, RosterLink)
        assert link_of(body) in stated
        engine.enter(body)
    before, after = engine.place("acme:P1", NOVEMBER + DAY), engine.place("acme:P1", NOVEMBER + 10 * DAY)
    assert (before.person, before.team, before.seat) == ("P1", "red", "A-01")
    assert (before.site, before.shift) == ("chengdu", "08:00-16:00")
    assert (after.seat, after.site) == ("A-02", "wuhan")
    assert engine.place("acme:P9", NOVEMBER + DAY).person == UNASSIGNED
