"""What a client's section says of definition and contract becomes entries, or is refused by name."""

from pathlib import Path

import pytest

from seatwatch.config import ClientSection, ConfigError
from seatwatch.server.rules import client_definitions, client_rules
from wire.kinds import Kind

CONTRACT = """
name = "acme-2026"
client = "acme"
time_zone = "Asia/Shanghai"
effective_from = 2026-11-01
queues = ["*"]
definitions = ["contract-10s"]
settlement = "month"
attainment_target_bp = 9500
"""


def refused(client: ClientSection, base: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        client_rules(client, base)
    return str(caught.value)


def test_the_same_section_gives_the_same_entries_and_they_are_definition_and_contract(tmp_path: Path) -> None:
    client = ClientSection(id="acme")
    entries = client_rules(client, tmp_path)
    assert entries == client_rules(client, tmp_path)
    assert [entry.kind for entry in entries] == [Kind.DEFINITION, Kind.CONTRACT]


def test_without_a_contract_no_percentage_is_promised(tmp_path: Path) -> None:
    client = ClientSection(id="acme")
    assert client_definitions(client, tmp_path)[1].attainment_target_bp is None


def test_a_contract_file_states_the_target(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(CONTRACT, encoding="utf-8")
    client = ClientSection(id="acme", contract="acme.toml")
    assert client_definitions(client, tmp_path)[1].attainment_target_bp == 9500


def test_a_contract_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(CONTRACT, encoding="utf-8")
    assert 'client = "bolt"' in refused(ClientSection(id="bolt", contract="acme.toml"), tmp_path)


def test_a_missing_contract_file_is_named(tmp_path: Path) -> None:
    assert "client acme: contract" in refused(ClientSection(id="acme", contract="none.toml"), tmp_path)


def test_a_time_zone_that_the_definition_does_not_judge_in_is_refused(tmp_path: Path) -> None:
    said = refused(ClientSection(id="acme", time_zone="America/New_York"), tmp_path)
    assert "Asia/Shanghai" in said
    assert client_rules(ClientSection(id="acme", time_zone="Asia/Shanghai"), tmp_path)


def judged_by(client: ClientSection, base: Path) -> list[tuple[str, int]]:
    return [(each.name, each.version) for each in client_definitions(client, base)[0]]


def test_a_second_definition_is_published_beside_the_first(tmp_path: Path) -> None:
    (tmp_path / "strict.toml").write_text(
        'based_on = "contract-10s"\nname = "strict"\nfirst_response_limit_s = 8\n', encoding="utf-8"
    )
    client = ClientSection(id="acme", further_definitions=["strict.toml"])
    assert judged_by(client, tmp_path) == [("contract-10s", 1), ("strict", 1)]
    assert client_definitions(client, tmp_path)[1].definitions == ("contract-10s", "strict")
    kinds = [entry.kind for entry in client_rules(client, tmp_path)]
    assert kinds == [Kind.DEFINITION, Kind.DEFINITION, Kind.CONTRACT]


def test_a_definition_of_the_contract_that_nobody_states_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(
        CONTRACT.replace('["contract-10s"]', '["contract-10s", "acme-old"]'), encoding="utf-8"
    )
    said = refused(ClientSection(id="acme", contract="acme.toml"), tmp_path)
    assert "acme-old" in said
    assert "further_definitions" in said


def test_a_warning_after_the_limit_of_the_definition_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(f'{CONTRACT}warnings_after_s = {{ "*" = [6, 10] }}\n', encoding="utf-8")
    assert "contract-10s (10)" in refused(ClientSection(id="acme", contract="acme.toml"), tmp_path)
