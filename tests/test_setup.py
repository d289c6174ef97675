"""`make`, and `tools/setup.sh` with an interpreter that only writes down what it was asked."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.servers import program

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "tools" / "setup.sh"
PYTHON = """#!/bin/sh
case "$*" in "-m pip --version"*) exit {pip} ;; "-m ensurepip"*) echo "$*" >>asked; exit {ensurepip} ;; esac
case "$2" in pip) echo "$2 $3" >>asked; exit {install} ;; esac
"""


def set_up(
    folder: Path, *, pip: int, ensurepip: int, install: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """pip, ensurepip, install: how the modules of these names, and `pip install`, end in the .venv that is there."""
    (folder / "tools").mkdir()
    (folder / "tools" / "setup.sh").write_bytes(SCRIPT.read_bytes())
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(pip=pip, ensurepip=ensurepip, install=install), encoding="utf-8")
    python.chmod(0o755)
    command = ["/bin/sh", "tools/setup.sh", "server"]
    environment = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


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


def test_a_machine_that_reaches_no_index_is_told_to_name_one_and_reads_no_password(tmp_path: Path) -> None:
    index = "https://ann:secret@index.example/simple"
    ended = set_up(tmp_path, pip=0, ensurepip=0, install=1, PIP_INDEX_URL=index)
    where, fix = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert "could not be installed from https://index.example/simple." in where
    assert "secret" not in ended.stderr
    assert "PIP_INDEX_URL=https://your-index/simple make demo" in fix
    assert not (tmp_path / ".venv" / ".installed-server").exists()


def test_an_interpreter_that_is_named_and_too_old_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "setup.sh").write_bytes(SCRIPT.read_bytes())
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "cat"):
        (tools / name).symlink_to(program(name))
    ended = subprocess.run(
        ["/bin/sh", "tools/setup.sh", "server"],
        cwd=tmp_path,
        env={"PATH": str(tools), "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert f"PYTHON={old} is no Python 3.11 or newer" in ended.stderr
    assert "make setup PYTHON=/path/to/python3.12" in ended.stderr


def test_what_the_script_says_stands_in_first_steps() -> None:
    guide = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    script = SCRIPT.read_text(encoding="utf-8")
    for words in ("Seatwatch could not be installed from", "Seatwatch needs Python 3.11 or newer"):
        assert words in guide
        assert words in script


def test_what_make_starts_keeps_what_it_compiled_whatever_the_container_says() -> None:
    command = ["make", "--silent", "--eval", "told: ; @env", "told"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert "SEATWATCH_SHARED_DATA=" in told
    assert "PYTHONDONTWRITEBYTECODE" not in told
