"""`make setup` where it cannot work: what a newcomer reads, and what to do about it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import program

ROOT = Path(__file__).parents[1]
CONNECTION = "Failed to establish a new connection"
OLD = """#!/bin/sh
exit 1
"""
CUT_OFF = f"""#!/bin/sh
case $2 in pip) echo "WARNING: {CONNECTION}" >&2; exit 1;; esac
"""

WRITES_DOWN = """#!/bin/sh
case "$*" in "-m pip --version"*) exit {pip} ;; "-m ensurepip"*) echo "$*" >>asked; exit {ensurepip} ;; esac
case "$2" in pip) echo "$2 $3" >>asked ;; esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The script with the interpreter of a virtual environment that no package reaches."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.sh", tmp_path / "tools")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    put(tmp_path / ".venv" / "bin" / "python", CUT_OFF)
    return tmp_path


def put(file: Path, script: str) -> Path:
    file.write_text(script)
    file.chmod(0o755)
    return file


def set_up(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = environment.pop("PATH", os.environ["PATH"])
    return subprocess.run(
        [program("sh"), "tools/setup.sh", "server"],
        cwd=checkout,
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_that_reaches_no_index_is_told_to_name_one_and_reads_no_password(checkout: Path) -> None:
    done = set_up(checkout, PIP_INDEX_URL="https://ann:secret@index.example/simple")
    *pips, where, fix = done.stderr.splitlines()
    assert (done.returncode, len(pips)) == (1, 1)
    assert "could not be installed from https://index.example/simple." in where
    assert "secret" not in done.stderr
    assert "PIP_INDEX_URL=https://your-index/simple make demo" in fix
    assert "the index that pip is configured for" in set_up(checkout).stderr
    assert not (checkout / ".venv" / ".installed-server").exists()


@pytest.mark.parametrize(("pip", "before"), [(0, []), (1, ["-m ensurepip"])])
def test_a_venv_without_pip_as_uv_makes_it_is_given_one(checkout: Path, pip: int, before: list[str]) -> None:
    put(checkout / ".venv" / "bin" / "python", WRITES_DOWN.format(pip=pip, ensurepip=0))
    assert set_up(checkout).returncode == 0
    asked = (checkout / "asked").read_text(encoding="utf-8").splitlines()
    assert asked == [*before, "pip install", "pip install"]
    assert (checkout / ".venv" / ".installed-server").exists()


def test_a_venv_that_can_be_given_no_pip_is_said_and_not_called_ready(checkout: Path) -> None:
    put(checkout / ".venv" / "bin" / "python", WRITES_DOWN.format(pip=1, ensurepip=1))
    ended = set_up(checkout)
    assert (ended.returncode, ended.stderr) == (
        1,
        ".venv has no pip, and this Python cannot put one into it: remove .venv and run this again\n",
    )
    assert not (checkout / ".venv" / ".installed-server").exists()


def test_an_old_interpreter_that_is_named_is_not_passed_over_in_silence(checkout: Path) -> None:
    put(checkout / ".venv" / "bin" / "python", OLD)
    old = put(checkout / "python3.10", OLD)
    tools = checkout / "bin"
    tools.mkdir()
    for name in ("dirname", "cat"):
        (tools / name).symlink_to(program(name))
    done = set_up(checkout, PYTHON=str(old), PATH=str(tools))
    assert done.returncode == 1
    assert f"PYTHON={old} is no Python 3.11 or newer" in done.stderr
    assert "make setup PYTHON=/path/to/python3.12" in done.stderr


def test_what_the_script_says_stands_in_first_steps() -> None:
    guide = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    for words in (CONNECTION, "Seatwatch could not be installed from", "Seatwatch needs Python 3.11 or newer"):
        assert words in guide
