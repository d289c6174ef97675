"""What was taken from elsewhere is what its VENDOR.toml says, byte for byte, and nothing else."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from dashboards.wallboard.server import STATIC

NOTE = "VENDOR.toml"
FOLDERS = sorted(path for path in (STATIC / "vendor").iterdir())


def note(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((folder / NOTE).read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_file_has_the_hash_it_was_taken_with(folder: Path) -> None:
    stated = {name: file["sha256"] for name, file in note(folder)["files"].items()}
    held = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.name != NOTE}
    assert held == stated
    assert "LICENSE" in held


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_it_says_which_package_that_was_and_names_no_host(folder: Path) -> None:
    told = note(folder)
    assert {"name", "version", "licence"} <= set(told)
    assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", str(told["integrity"]))
    for path in folder.iterdir():
        assert "://" not in path.read_text(encoding="utf-8"), f"{path.name} names a host"


@pytest.mark.parametrize("script", sorted((STATIC / "vendor").rglob("*.js")), ids=lambda path: path.name)
def test_its_scripts_have_no_syntax_that_browsers_of_old_tvs_refuse(script: Path) -> None:
    """ES2019: seen by a parser when it was taken, and by the signs of what came later ever since."""
    text = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`", "", script.read_text(encoding="utf-8"))
    later = re.findall(r"\?\.(?!\d)|\?\?|\|\|=|&&=|\bimport\(|\bimport\.meta|\d_\d|\dn\b|#[a-z]+[=(;]|static\{", text)
    assert later == []


def test_the_rules_of_our_own_code_leave_out_nothing_but_what_is_vendored() -> None:
    assert [path.name for path in (STATIC / "vendor").iterdir()] == ["uplot"]
