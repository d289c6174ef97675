"""The rules on the record: which contract and definition count when."""

from pathlib import Path

import msgspec
import pytest

from seatwatch.record_rules import ClientRules, rules_in_force
from tests.builders import PRESET, changed, contract, declared, ms, published, signed
from tests.sla_engine.feeding import Feed


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A client that moved from Shanghai to Tokyo on the 30th day, and had another title from then on."""
    moved = changed(version=2, time_zone="Asia/Tokyo", effective_from=ms("30 00:00"))
    titled = msgspec.structs.replace(contract(PRESET.name, since="30 00:00"), title="Acme Tokyo")
    ledger = Feed(tmp_path / "clients" / "acme")
    first = msgspec.structs.replace(contract(PRESET.name), title="Acme")
    ledger.append([declared(0), published(), signed(first), published(moved), signed(titled)])
    ledger.close()
    quiet = Feed(tmp_path / "clients" / "quiet")
    quiet.append([declared(0)])
    quiet.close()
    return tmp_path


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("29 12:00", ClientRules("Acme", "Asia/Shanghai")),
        ("30 12:00", ClientRules("Acme Tokyo", "Asia/Tokyo")),
        (0, ClientRules("Acme", "Asia/Shanghai")),
    ],
)
def test_what_is_in_force_counts_and_the_first_before_anything_was(
    data: Path, at: str | int, expected: ClientRules
) -> None:
    assert rules_in_force(data, ms(at)) == {"acme": expected}


def test_only_who_is_asked_for_and_has_rules_is_found(data: Path, tmp_path: Path) -> None:
    assert rules_in_force(data, 0, ["quiet", "nobody"]) == {}
    assert rules_in_force(tmp_path / "nowhere", 0) == {}


def test_a_definition_that_cannot_be_read_is_passed_over(data: Path) -> None:
    ledger = Feed(data / "clients" / "acme")
    event = published()
    ledger.append([event._replace(body=msgspec.structs.replace(event.body, document=b"\xc1"))])
    ledger.close()
    assert rules_in_force(data, ms("29 12:00"))["acme"].time_zone == "Asia/Shanghai"
