"""The rule that a skipped test is a failed test, tried on a suite that skips in every way pytest knows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

WAYS_TO_SKIP = {
    "in the body": "import pytest\ndef test_it(): pytest.skip('no server')\n",
    "by a mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): pass\n",
    "by a missing module": "import pytest\ndef test_it(): pytest.importorskip('no_such_module')\n",
    "by an expected failure": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n",
    "for a whole module": "import pytest\npytest.skip('none of it', allow_module_level=True)\n",
}


def run_pytest(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_sample.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-p", "no:cacheprovider", "--rootdir", ".", "."]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("way", WAYS_TO_SKIP)
def test_a_skip_is_a_failure(way: str, tmp_path: Path) -> None:
    result = run_pytest(tmp_path, WAYS_TO_SKIP[way])
    assert result.returncode != 0, result.stdout
    assert "Skipped tests prove nothing" in result.stdout


def test_a_suite_that_skips_nothing_passes(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, "def test_it(): assert True\n")
    assert result.returncode == 0, result.stdout
