"""Sites of a roster that the configuration does not name: taken, and noted."""

from pathlib import Path

import pytest

from seatwatch.cli import run


def test_a_site_that_the_configuration_does_not_name_is_noted_once_and_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, file = tmp_path / "seatwatch.toml", tmp_path / "seats.csv"
    config.write_text('[server]\ndata = "record"\n[[site]]\nid = "wuhan"\nseats = 3\n', encoding="utf-8")
    rows = ["A-1,wuhan", "A-2,wuhn", "A-3,wuhn"]
    file.write_text("\n".join(["seat,site,effective_from", *(f"{each},2026-11-01" for each in rows)]), encoding="utf-8")
    assert run(["roster", "import", str(file), "--config", str(config)]) == 0
    noted = capsys.readouterr().err
    assert f"row 3: {config} names no site wuhn, only: wuhan; nothing is seen of its seats" in noted
    assert len(noted.splitlines()) == 1
    assert run(["roster", "import", str(file), "--config", str(config), "--lang", "zh"]) == 0
    assert f"{config} 里没有职场 wuhn，只有：wuhan" in capsys.readouterr().err
