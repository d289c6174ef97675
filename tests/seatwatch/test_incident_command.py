"""`seatwatch incident`: what happened at a site, in words of both languages, and the entries it rests on."""

import json
from pathlib import Path

import pytest

from seatwatch.cli import run
from seatwatch.glossary import words
from sla_engine._core.sites import fold_sites, new_sites
from tests.builders import Event
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.feeding import Feed
from tests.sla_engine.floors import two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.facility import Comms, Power
from wire.incident import Cause, IncidentAcknowledged, IncidentSaid, IncidentStep, Severity
from wire.phone import TrunkState
from wire.uplink import LineReason, LineState


@pytest.fixture
def said(tmp_path: Path) -> list[IncidentSaid]:
    """One line down for half a minute, then the mains lost for good; one on duty took the second one on."""
    log, state = Log(), new_sites(LIMITS)
    entries = [
        *two_lines(log),
        log.ups("gate", NOON),
        log.line("gate", NOON + 5_000, "telecom", LineState.DOWN, reason=LineReason.NO_INTERNET),
        log.failover("gate", NOON + 7_000, "telecom", "unicom"),
        log.phone_line("gate", NOON + 8_000, TrunkState.UNREACHABLE, via_line="telecom"),
        log.phone_line("gate", NOON + 34_000, TrunkState.REACHABLE),
        log.line("gate", NOON + 35_000, "telecom", LineState.UP),
        log.ups("gate", NOON + 60_000, Power.BATTERY, status="OB DISCHRG"),
        log.ups("gate", NOON + 61_000, Power.BATTERY, status="OB DISCHRG"),
        log.silent("gate", NOON + 61_000, NOON + 67_000),
    ]
    fold_sites(state, entries)
    feed = Feed(tmp_path / "operator")
    feed.append(Event(entry.body, entry.source, entry.received_at) for entry in entries if entry.body is not None)
    feed.append(Event(each, "~incident", each.occurred_at) for each in state.unsaid)
    taken_on = IncidentAcknowledged(NOON + 70_000, 1, "hub", None, True, "", state.unsaid[-1].incident, "lin")
    feed.append([Event(taken_on, "~pager", NOON + 70_000)])
    feed.close()
    return state.unsaid


def incident(tmp_path: Path, *arguments: str) -> int:
    return run(["incident", *arguments, "--data", str(tmp_path)])


def test_a_place_without_a_record_is_called_that_and_a_configuration_names_the_right_one(
    tmp_path: Path, said: list[IncidentSaid], capsys: pytest.CaptureFixture[str]
) -> None:
    assert incident(tmp_path / "elsewhere", "list", "--open") == 2
    assert f"{tmp_path / 'elsewhere'}: no hub's record is there" in capsys.readouterr().err
    config = tmp_path / "seatwatch.toml"
    config.write_text(f'[server]\ndata = "{tmp_path}"\n', encoding="utf-8")
    assert run(["incident", "list", "--config", str(config)]) == 0
    assert said[-1].incident in capsys.readouterr().out
    assert run(["incident", "show", said[-1].incident, "--config", str(config)]) == 0


def test_incidents_are_listed_with_where_how_grave_and_how_long(
    said: list[IncidentSaid], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert incident(tmp_path, "list") == 0
    line, power = capsys.readouterr().out.splitlines()
    headline = "Line down \u00b7 north telecom \u00b7 page now"
    assert line == f"{said[0].incident}  2026-11-22 12:00:05     0:00:30  {headline}"
    assert power.endswith("lasts  Site power lost \u00b7 north rack \u00b7 call")
    assert incident(tmp_path, "list", "--open", "--json") == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert (only["what"], only["cause"], only["ended_at"]) == ("site_power_lost", "site_power", None)
    assert incident(tmp_path, "list", "--site", "south") == 0
    assert capsys.readouterr().out == "no such incidents\n"


def test_an_incident_is_shown_with_every_revision_and_the_entries_it_rests_on(
    said: list[IncidentSaid], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert incident(tmp_path, "show", said[0].incident) == 0
    shown = capsys.readouterr().out
    for sentence in (
        "Cause: broadband lines",
        "telecom: line down (internet unreachable)",
        "traffic moved telecom → unicom (2.0 ",
        "trunk: trunk unreachable",
        "Over: Line down \u00b7 north telecom",
    ):
        assert sentence.casefold() in shown.casefold()
    assert incident(tmp_path, "show", said[-1].incident, "--lang", "zh") == 0
    shown = capsys.readouterr().out
    assert "UPS rack: 电池供电 (OB DISCHRG)" in shown
    assert shown.count("OB DISCHRG") == 1
    assert "lin 已接手" in shown


def test_what_ended_as_less_says_what_it_was_at_its_worst(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, state = Log(), new_sites(LIMITS)
    entries = [
        *two_lines(log),
        *(log.line("gate", NOON + 5_000, line, LineState.DOWN) for line in ("telecom", "unicom")),
        log.line("gate", NOON + 35_000, "telecom", LineState.UP),
        log.line("gate", NOON + 39_000, "unicom", LineState.UP),
    ]
    fold_sites(state, entries)
    assert [each.what for each in state.unsaid] == ["line_down", "lines_down", "line_down", "line_down"]
    feed = Feed(tmp_path / "operator")
    feed.append(Event(each, "~incident", each.occurred_at) for each in state.unsaid)
    feed.close()
    for arguments in (("list",), ("show", state.unsaid[0].incident)):
        assert incident(tmp_path, *arguments) == 0
        first = capsys.readouterr().out.splitlines()[0]
        assert first.endswith("Line down \u00b7 north unicom \u00b7 ticket  (at its worst: All lines down, call)")


def test_an_incident_nobody_knows_is_said_so(
    said: list[IncidentSaid], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said
    assert incident(tmp_path, "show", "i-0") == 1
    assert "holds no such incident" in capsys.readouterr().err


def test_every_value_that_is_told_has_its_word() -> None:
    keys = {f"incident_{step}" for step in IncidentStep} | {f"severity_{each}" for each in Severity}
    keys |= {f"line_{each}" for each in LineState} | {f"line_why_{each}" for each in LineReason}
    keys |= {f"trunk_{each}" for each in TrunkState}
    keys |= {f"comms_{each}" for each in Comms} - {"comms_ok"}
    keys |= {f"cause_{each}" for each in (Cause.SITE_POWER, Cause.UPLINK, Cause.MONITORING)}
    assert keys <= set(words())
