"""`tools/setup.sh`, with an interpreter that only writes down what it was asked."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "tools" / "setup.sh"
PYTHON = """#!/bin/sh
case "$*" in "-m pip --version"*) exit {pip} ;; "-m ensurepip"*) echo "$*" >>asked; exit {ensurepip} ;; esac
case "$2" in pip) echo "$2 $3" >>asked ;; esac
"""


def set_up(folder: Path, *, pip: int, ensurepip: int) -> subprocess.CompletedProcess[str]:
    """pip, ensurepip: how the modules of these names end in the .venv that is there."""
    (folder / "tools").mkdir()
    (folder / "tools" / "setup.sh").write_bytes(SCRIPT.read_bytes())
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(pip=pip, ensurepip=ensurepip), encoding="utf-8")
    python.chmod(0o755)
    command = ["/bin/sh", "tools/setup.sh", "server"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("pip", "before"), [(0, []), (1, ["-m ensurepip"])])
def test_a_venv_without_pip_as_uv_makes_it_is_given_one(tmp_path: Path, pip: int, before: list[str]) -> None:
    assert set_up(tmp_path, pip=pip, ensurepip=0).returncode == 0
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked == [*before, "pip install", "pip install"]
    assert (tmp_path / ".venv" / ".installed-server").exists()


def test_a_venv_that_can_be_given_no_pip_is_said_and_not_called_ready(tmp_path: Path) -> None:
    ended = set_up(tmp_path, pip=1, ensurepip=1)
    assert (ended.returncode, ended.stderr) == (
        1,
        ".venv has no pip, and this Python cannot put one into it: remove .venv and run this again\n",
    )
    assert not (tmp_path / ".venv" / ".installed-server").exists()
