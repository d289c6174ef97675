"""`seatwatch incident show ID --for-carrier`: a text that the hotline of a carrier can act on."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from seatwatch.cli import run
from sla_engine._core.sites import fold_sites, new_sites
from tests.builders import Event
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.feeding import Feed
from tests.sla_engine.floors import hours
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Power
from wire.incident import Cause, IncidentSaid
from wire.organisation import Relation, RosterLink
from wire.recorded import Recorded
from wire.uplink import LineReason, LineState

SECOND = 1_000
GOOD: dict[str, Any] = {"rtt_us": 12_340, "loss_permille": 0, "targets": 3, "source_address": "203.0.113.7"}
OTHER: dict[str, Any] = GOOD | {"rtt_us": 20_000, "source_address": "198.51.100.7"}
BAD: dict[str, Any] = {
    "reason": LineReason.NO_INTERNET,
    "gateway_reachable": True,
    "internet_reachable": False,
    "loss_permille": 1_000,
    "targets": 3,
    "targets_failed": 3,
    "source_address": "203.0.113.7",
    "first_bad_at": NOON + 58 * SECOND,
}


def kept(directory: Path, entries: list[Recorded]) -> list[IncidentSaid]:
    """These entries, and what they say of incidents, as a ledger."""
    state = new_sites(LIMITS)
    fold_sites(state, entries)
    feed = Feed(directory / "operator")
    feed.append(Event(entry.body, entry.source, entry.received_at) for entry in entries if entry.body is not None)
    feed.append(Event(each, "~incident", each.occurred_at) for each in state.unsaid)
    feed.close()
    return state.unsaid


def two_lines(log: Log) -> list[Recorded]:
    return [
        log.heartbeat("gate", NOON),
        log.line("gate", NOON, "ct", carrier="电信", is_default_route=True, **GOOD),
        log.line("gate", NOON, "cu", carrier="联通", is_default_route=False, **OTHER),
    ]


def told(directory: Path, said: IncidentSaid, lang: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    arguments = ["incident", "show", said.incident, "--for-carrier", "--lang", lang, "--data", str(directory)]
    assert run(arguments) == 0
    return capsys.readouterr().out.splitlines()


def test_a_carrier_is_told_when_how_bad_and_that_the_other_line_worked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    #  12:00:58 first probe fails ── 12:01:00 down ─────────────── 12:05:00 up
    log = Log()
    entries = [
        *two_lines(log),
        log.line("gate", NOON + 60 * SECOND, "ct", LineState.DOWN, carrier="电信", **BAD),
        log.line("gate", NOON + 70 * SECOND, "cu", carrier="联通", since_ms=3_600_000, **OTHER),
        log.line("gate", NOON + 300 * SECOND, "ct", LineState.UP, carrier="电信", **GOOD),
    ]
    said = kept(tmp_path, entries)[0]
    lines = told(tmp_path, said, "en", capsys)
    assert lines[0] == "== Line fault: 电信 =="
    for row in (
        "Faulty line: ct (电信)",
        "Site: north",
        "Our address: 203.0.113.7",
        "Fault began: 2026-11-22 12:00:58.000 (2026-11-22 04:00:58.000 UTC)",
        "Fault ended: 2026-11-22 12:05:00.000 (2026-11-22 04:05:00.000 UTC)",
        "Fault length: 242 s",
        "Carrier's gateway: answers",
        "Internet: does not answer",
    ):
        assert row in lines
    assert any(line.startswith("Before the fault: ") and "12.3 ms" in line and "0.0 %" in line for line in lines)
    assert any(line.startswith("During the fault: ") and "3 of 3 targets failed" in line for line in lines)
    assert (
        "Other line meanwhile: 联通: line up, packet loss 0.0 %, round trip 20.0 ms, 0 of 3 targets failed, "
        "2026-11-22 12:01:10.000 (2026-11-22 04:01:10.000 UTC)"
    ) in lines
    assert lines[-1].startswith(f"Reference and evidence: {said.incident}, ")


def test_a_carrier_reads_what_the_site_is_called_where_a_configuration_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    said = kept(tmp_path, [*two_lines(log), log.line("gate", NOON + SECOND, "ct", LineState.DOWN, **BAD)])[0]
    config = tmp_path / "seatwatch.toml"
    config.write_text(f'[server]\ndata = "{tmp_path}"\n[[site]]\nid = "north"\nname = "成都一职场"\n', encoding="utf-8")
    for more, row in ((["--lang", "zh"], "职场: 成都一职场 (north)"), (["--lang", "en"], "Site: 成都一职场 (north)")):
        assert run(["incident", "show", said.incident, "--for-carrier", *more, "--config", str(config)]) == 0
        assert row in capsys.readouterr().out.splitlines()
    for arguments in (["list"], ["show", said.incident]):
        assert run(["incident", *arguments, "--config", str(config)]) == 0
        assert "\u00b7 成都一职场 ct \u00b7" in capsys.readouterr().out


def test_a_carrier_reads_the_clock_of_the_site_and_not_of_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    entries = [hours(log, "north", "08:00", "20:00", "Asia/Tokyo"), *two_lines(log)]
    said = kept(tmp_path, [*entries, log.line("gate", NOON + SECOND, "ct", LineState.DOWN, **BAD)])[0]
    began = "Fault began: 2026-11-22 {}:00:58.000 (2026-11-22 04:00:58.000 UTC)"
    assert began.format("13") in told(tmp_path, said, "en", capsys)
    named = ["incident", "show", said.incident, "--for-carrier", "--data", str(tmp_path), "--zone", "Asia/Shanghai"]
    assert run(named) == 0
    assert began.format("12") in capsys.readouterr().out.splitlines()


def test_a_carrier_reads_the_number_it_knows_the_line_by_as_of_the_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()

    def line(name: str, number: str, since: int) -> Recorded:
        told = {"carrier_line_id": number} if number else {}
        entry = log.link(Relation.SITE_OF_LINE, f"north/{name}", "north", **told)
        assert isinstance(entry.body, RosterLink)
        return replace(entry, body=replace(entry.body, effective_from=since))

    roster = [line("ct", "ETN0001NP", 0), line("ct", "ETN0002NP", NOON + 600 * SECOND), line("cu", "", 0)]
    both = [log.line("gate", NOON + SECOND, name, LineState.DOWN, **BAD) for name in ("ct", "cu")]
    said = kept(tmp_path, [*roster, *two_lines(log), *both])[-1]
    for lang, row in (("en", "Circuit number or account: ETN0001NP"), ("zh", "专线编号/宽带账号: ETN0001NP")):
        found = told(tmp_path, said, lang, capsys)
        assert [each for each in found if each.startswith(row.partition(":")[0])] == [row], "the other has none yet"
        assert found[2] == row, "it is what the hotline asks for first"


def test_a_number_that_was_looked_up_while_the_line_was_down_is_on_the_ticket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    entry = log.link(Relation.SITE_OF_LINE, "north/ct", "north", carrier_line_id="ETN0007NP")
    assert isinstance(entry.body, RosterLink)
    later = replace(entry, body=replace(entry.body, effective_from=NOON + 90 * SECOND))
    down = log.line("gate", NOON + SECOND, "ct", LineState.DOWN, **BAD)
    said = kept(tmp_path, [log.link(Relation.SITE_OF_LINE, "north/ct", "north"), later, *two_lines(log), down])[-1]
    assert "Circuit number or account: ETN0007NP" in told(tmp_path, said, "en", capsys)


@pytest.mark.parametrize(
    ("carrier", "numbers", "row"),
    [
        ("Telecom", [("ETN0007NP", "Telecom"), ("ETN0070NP", "Telecom")], ["Circuit number or account: ETN0070NP"]),
        ("Telecom", [("UNI0009NP", "Unicom")], []),
        ("", [("UNI0009NP", "Unicom")], ["Circuit number or account: UNI0009NP"]),
    ],
    ids=["mistyped at first", "of another carrier since", "carrier named since"],
)
def test_a_number_entered_since_is_the_one_that_holds_and_of_the_carrier_that_had_the_line(
    carrier: str,
    numbers: list[tuple[str, str]],
    row: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log, named = Log(), {"carrier": carrier} if carrier else {}
    roster = [log.link(Relation.SITE_OF_LINE, "north/ct", "north", **named)]
    for number, whose in numbers:
        entry = log.link(Relation.SITE_OF_LINE, "north/ct", "north", carrier_line_id=number, carrier=whose)
        assert isinstance(entry.body, RosterLink)
        roster.append(replace(entry, body=replace(entry.body, effective_from=NOON + 90 * SECOND)))
    down = log.line("gate", NOON + SECOND, "ct", LineState.DOWN, **BAD)
    said = kept(tmp_path, [*roster, *two_lines(log), down])[-1]
    assert [each for each in told(tmp_path, said, "en", capsys) if each.startswith("Circuit")] == row


def test_of_a_line_that_comes_and_goes_the_times_it_was_well_are_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    #  down 60..80, 120..140, 180..200: a minute in all, not 140 s
    log = Log()
    turns = [(at, state) for at in (60, 120, 180) for at, state in ((at, LineState.DOWN), (at + 20, LineState.UP))]
    entries = [
        *two_lines(log),
        *(log.line("gate", NOON + at * SECOND, "ct", state, reason=LineReason.NO_INTERNET) for at, state in turns),
    ]
    said = kept(tmp_path, entries)[-1]
    assert said.what == "flapping"
    assert "Fault length: 60 s in all, 3 times" in told(tmp_path, said, "en", capsys)
    assert "故障时长: 60 秒，共 3 次" in told(tmp_path, said, "zh", capsys)


def test_each_of_two_carriers_gets_a_text_of_its_own_while_the_fault_lasts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    entries = [
        *two_lines(log),
        log.line("gate", NOON + 60 * SECOND, "ct", LineState.DOWN, carrier="电信", **BAD),
        log.line("gate", NOON + 61 * SECOND, "cu", LineState.DOWN, carrier="联通", **BAD),
    ]
    said = kept(tmp_path, entries)[-1]
    lines = told(tmp_path, said, "zh", capsys)
    assert [line for line in lines if line.startswith("==")] == ["== 线路故障单: 电信 ==", "== 线路故障单: 联通 =="]
    assert lines.count("故障结束: 仍在持续") == 2


def test_what_was_not_measured_is_not_claimed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    entries = [*two_lines(log), log.line("gate", NOON + SECOND, "ct", LineState.DOWN, reason=LineReason.NO_LINK)]
    lines = told(tmp_path, kept(tmp_path, entries)[0], "en", capsys)
    assert "Carrier's gateway: not asked" in lines
    assert "Internet: not asked" in lines


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        # well before the fault, and nothing since: nobody knows how it was
        ([(-30, LineState.UP, 0)], "not asked"),
        # well before the fault and down during it: nothing is well about it
        ([(-30, LineState.UP, 0), (59, LineState.DOWN, 0)], "line down, "),
        # heard of after the worst moment, and down then by its own word
        ([(-30, LineState.UP, 0), (90, LineState.DOWN, 60_000)], "line down, "),
        # up again after the worst moment only
        ([(90, LineState.UP, 10_000)], "not asked"),
    ],
)
def test_of_the_other_line_only_what_the_record_shows_of_that_time_is_told(
    others: list[tuple[int, LineState, int]], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    told_of = [
        *((60, log.line("gate", NOON + 60 * SECOND, "ct", LineState.DOWN, carrier="电信", **BAD)),),
        *(
            (at, log.line("gate", NOON + at * SECOND, "cu", state, carrier="联通", since_ms=since_ms, **OTHER))
            for at, state, since_ms in others
        ),
        *((300, log.line("gate", NOON + 300 * SECOND, "ct", LineState.UP, carrier="电信", **GOOD)),),
    ]
    entries = [log.heartbeat("gate", NOON - 60 * SECOND), *(entry for _, entry in sorted(told_of, key=lambda e: e[0]))]
    said = [each for each in kept(tmp_path, entries) if each.cause is Cause.UPLINK]
    lines = told(tmp_path, said[0], "en", capsys)
    about_ct = lines[lines.index("== Line fault: 电信 ==") :]
    row = next(line for line in about_ct if line.startswith("Other line meanwhile: "))
    assert row.startswith(f"Other line meanwhile: 联通: {expected}")


def test_no_carrier_is_told_of_a_power_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    entries = [*two_lines(log), log.ups("gate", NOON + SECOND, Power.BATTERY, status="OB DISCHRG")]
    lines = told(tmp_path, kept(tmp_path, entries)[0], "en", capsys)
    assert lines == ["no line failed, there is nothing to tell a carrier"]


def test_of_two_outages_minutes_apart_the_carrier_is_told_the_times_of_the_one_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    #  12:01 down ── 12:05 up ──────────── 12:20 down ── 12:26 up
    log = Log()
    entries = two_lines(log)
    for fell, rose in ((60, 300), (1_200, 1_560)):
        bad = BAD | {"first_bad_at": NOON + (fell - 2) * SECOND}
        entries += [
            log.line("gate", NOON + fell * SECOND, "ct", LineState.DOWN, carrier="电信", **bad),
            log.line("gate", NOON + rose * SECOND, "ct", LineState.UP, carrier="电信", **GOOD),
        ]
    said = kept(tmp_path, entries)
    first, second = dict.fromkeys(each.incident for each in said)
    for incident, began, ended, before, length in (
        (first, "12:00:58", "12:05:00", "12:00:00", 242),
        (second, "12:19:58", "12:26:00", "12:05:00", 362),
    ):
        lines = told(tmp_path, next(each for each in said if each.incident == incident), "en", capsys)
        assert any(line.startswith(f"Fault began: 2026-11-22 {began}") for line in lines)
        assert any(line.startswith(f"Fault ended: 2026-11-22 {ended}") for line in lines)
        assert any(line.startswith("Before the fault: ") and f"2026-11-22 {before}" in line for line in lines)
        assert f"Fault length: {length} s" in lines


def test_a_line_that_a_later_revision_no_longer_names_is_told_its_carrier_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    entries = [
        *two_lines(log),
        log.line("gate", NOON + 60 * SECOND, "ct", LineState.DOWN, carrier="电信", **BAD),
        log.line("gate", NOON + 61 * SECOND, "cu", LineState.DOWN, carrier="联通", **BAD),
        log.line("gate", NOON + 300 * SECOND, "cu", LineState.UP, carrier="联通", **OTHER),
    ]
    lines = told(tmp_path, kept(tmp_path, entries)[0], "en", capsys)
    assert [line for line in lines if line.startswith("==")] == ["== Line fault: 电信 ==", "== Line fault: 联通 =="]


def test_lines_that_fell_with_our_own_mains_are_put_before_no_carrier_without_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    #  mains at 12:00:59 ── both lines at 12:01:00 ── mains back at 12:03 ── 电信 back at 12:05; 联通 alone at 12:30
    log = Log()
    entries = [
        *two_lines(log),
        log.ups("gate", NOON, Power.MAINS),
        log.ups("gate", NOON + 59 * SECOND, Power.BATTERY),
        log.line("gate", NOON + 60 * SECOND, "ct", LineState.DOWN, carrier="电信", **BAD),
        log.line("gate", NOON + 60 * SECOND, "cu", LineState.DOWN, carrier="联通", **BAD),
        log.ups("gate", NOON + 180 * SECOND, Power.MAINS),
        log.line("gate", NOON + 300 * SECOND, "ct", LineState.UP, carrier="电信", **GOOD),
        log.line("gate", NOON + 300 * SECOND, "cu", LineState.UP, carrier="联通", **OTHER),
        log.line("gate", NOON + 1_800 * SECOND, "cu", LineState.DOWN, carrier="联通", **BAD | {"first_bad_at": None}),
    ]
    said = kept(tmp_path, entries)
    lines_down = next(each for each in said if each.what == "lines_down")
    later = said[-1]
    assert (later.what, later.subject) == ("line_down", "cu")
    shown = told(tmp_path, lines_down, "en", capsys)
    assert sum(line.startswith("No mains at our site: 2026-11-22 12:00:59.000") for line in shown) == 2
    assert any(line.startswith("同时段本职场市电中断: ") for line in told(tmp_path, lines_down, "zh", capsys))
    assert not any("No mains" in line for line in told(tmp_path, later, "en", capsys))
