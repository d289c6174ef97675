"""In which time zone the dates of a roster begin."""

from pathlib import Path

import pytest

from collector.ledgers import ledger_directory
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.cli import run
from sla_engine.definition_files import parse_definition
from tests.builders import rules
from tests.sla_engine.feeding import Feed
from tests.tidy.source import ROOT
from wire.organisation import RosterLink
from wire.recorded import Recorded

ROSTER = ROOT / "examples" / "roster" / "roster.csv"
BERLIN_MIDNIGHT = 1_793_487_600_000
"""Of 2026-11-01, where the examples begin."""


def entered(data: Path) -> list[Recorded]:
    reader = LedgerReader.open(ledger_directory(data, "operator"))
    try:
        return [recorded(entry) for entry in reader.read(0, reader.size())]
    finally:
        reader.close()


def test_dates_of_a_roster_begin_where_the_days_of_the_clients_do_and_in_several_zones_it_has_to_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ruled(client: str, zone: str) -> None:
        ledger = Feed(tmp_path / "clients" / client)
        ledger.append(rules(parse_definition(f'based_on = "contract-10s"\ntime_zone = "{zone}"')))
        ledger.close()

    command = ["roster", "import", str(ROSTER), "--data", str(tmp_path)]
    ruled("acme", "Europe/Berlin")
    assert run(command) == 0
    link = next(each.body for each in entered(tmp_path) if isinstance(each.body, RosterLink))
    assert link.effective_from == BERLIN_MIDNIGHT
    assert "from 2026-11-01" in capsys.readouterr().out
    ruled("beta", "Asia/Shanghai")
    assert run(command) == 2
    assert "(Asia/Shanghai = beta, Europe/Berlin = acme)" in capsys.readouterr().err
    assert run([*command, "--time-zone", "Europe/Berlin"]) == 0
    assert "0 added" in capsys.readouterr().out
