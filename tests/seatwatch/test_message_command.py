"""`seatwatch message`: the messages of a day from the ledgers of a data directory."""

from pathlib import Path

import pytest

from seatwatch.cli import run
from seatwatch.duty.facts import main as facts_main
from seatwatch.duty.times import DutyTimes
from sla_engine._core.sites import fold_sites, new_sites
from sla_engine.definition_files import load_preset
from tests.builders import Event, agent, customer, ms, rules
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.feeding import Feed
from tests.sla_engine.floors import two_lines
from tests.sla_engine.site_limits import LIMITS
from wire.uplink import LineReason, LineState

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A client with one miss at 09:00 on 2026-11-02; a site whose standby line was lost at 02:13 on 2026-11-23."""
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([*rules(), customer("09:00:00"), agent("09:00:30", arrives="09:05:00")])
    ledger.close()
    log, state = Log(), new_sites(LIMITS)
    night = NOON + 14 * HOUR + 13 * MINUTE
    entries = [
        *two_lines(log),
        log.ups("gate", night - HOUR),
        log.line("gate", night, "unicom", LineState.DOWN, reason=LineReason.NO_INTERNET),
        log.ups("gate", night + 5 * HOUR),
    ]
    fold_sites(state, entries)
    operator = Feed(tmp_path / "operator")
    operator.append(Event(entry.body, entry.source, entry.received_at) for entry in entries if entry.body is not None)
    operator.append(Event(each, "~incident", each.occurred_at) for each in state.unsaid)
    operator.close()
    return tmp_path


def preview(data: Path, *arguments: str) -> int:
    return run(["message", "preview", *arguments, "--data", str(data)])


def test_the_standby_line_lost_at_night_is_in_the_check_before_opening(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(data, "pre-opening", "--site", "north", "--at", "2026-11-23 07:30") == 0
    page = capsys.readouterr().out
    assert "line down (since 02:13)" in page
    assert "  opens at 08:00" in page
    assert "Line down unicom (since 02:13, " in page


def test_the_daily_report_tells_the_business_day_that_ended(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview(data, "daily", "--client", "acme", "--at", "2026-11-03 04:00") == 0
    page = capsys.readouterr().out
    assert "presale: Offered 1, Attainment 0.0 % (0/1) few, Average response 30.0" in page
    assert "Misses: nothing known 1" in page
    assert preview(data, "daily", "--client", "acme", "--at", "2026-11-05 04:00") == 0
    assert "Attainment" not in capsys.readouterr().out


def test_a_handover_is_as_of_its_instant(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["handover", "--client", "acme", "--at", "2026-11-02 09:00:12", "--since", "2026-11-02 08:00"]
    assert preview(data, *asked) == 0
    assert "! presale: Waiting 1, Overdue 1, Open 1" in capsys.readouterr().out


def test_what_is_asked_for_wrongly_says_what_to_write(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview(data, "daily") == 2
    assert "--client, --site or both" in capsys.readouterr().err
    assert preview(data, "daily", "--client", "nobody") == 2
    assert "--client nobody: no such client" in capsys.readouterr().err
    assert run(["message", "preview", "daily", "--site", "north", "--data", str(data / "nowhere")]) == 2
    assert "name the data directory of `seatwatch up`" in capsys.readouterr().err


def test_openings_and_closings_are_those_of_the_service_window() -> None:
    times = DutyTimes(load_preset("contract-10s"))
    assert times.next_opening(ms("07:30")) == ms("08:00")
    assert times.next_opening(ms("08:00")) == ms("08:00") + 24 * HOUR
    assert times.last_closing(ms("07:30")) == ms("00:00")
    assert times.day_start(ms("03:59")) == ms("04:00") - 24 * HOUR
    assert times.next_day_start(ms("09:00")) == ms("04:00") + 24 * HOUR
    assert DutyTimes(load_preset("jd-30s-24h")).next_opening(ms("09:00")) is None


def test_the_facts_alone_are_printed_for_a_server_and_a_damaged_record_is_said(
    data: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    at = str(NOON + 19 * HOUR)
    assert facts_main([str(data), "duty_pre_opening", "", "north", at]) == 0
    assert b'"id":"north"' in capsysbinary.readouterr().out


def test_a_message_is_sent_at_once_over_the_channels_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = data / "seatwatch.toml"
    channels = [
        f'[[channel]]\nid = "{name}"\nkind = "command"\ncommand = ["/bin/{name}"]\n' for name in ("true", "false")
    ]
    config.write_text("".join(channels), encoding="utf-8")
    asked = ["message", "send", "pre-opening", "--site", "north", "--config", str(config), "--data", str(data)]
    assert run([*asked, "--channel", "true"]) == 0
    assert capsys.readouterr().out == "true: taken\n"
    assert run([*asked, "--channel", "true", "--channel", "false"]) == 1
    assert run([*asked, "--channel", "floor"]) == 2
    assert "no channel 'floor'; use one of true, false" in capsys.readouterr().err
