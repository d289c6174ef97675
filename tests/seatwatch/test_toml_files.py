"""Files of TOML that nest without end: every reader of one ends in the error it promises."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_probe.config import parse_config as parse_probe_config
from agent_probe.errors import ProbeConfigError
from collector.importers.columns import MappingError
from collector.importers.mapping import parse_mapping
from seatwatch.cli import run
from seatwatch.layouts import Known, read_layouts
from sla_engine._core.definition import DefinitionError
from sla_engine.definition_files import parse_definition

TOO_DEEP = "x=" + "[" * 100_000


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (parse_probe_config, ProbeConfigError),
        (parse_mapping, MappingError),
        (parse_definition, DefinitionError),
    ],
)
def test_a_reader_says_that_a_file_is_no_toml(read: Callable[[str], object], error: type[Exception]) -> None:
    with pytest.raises(error, match="too deeply"):
        read(TOO_DEEP)


def test_a_check_of_a_configuration_and_of_layouts_says_so_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "seatwatch.toml"
    file.write_text(TOO_DEEP, encoding="utf-8")
    assert run(["check-config", str(file)]) != 0
    assert "is not TOML: tables or lists stand within one another too deeply" in "".join(capsys.readouterr())
    _, faults = read_layouts(file, Known((), (), ()), 0)
    assert [fault.fix for fault in faults] == ["correct that line"]
