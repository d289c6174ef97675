"""The wheel, made of the source archive, holds every file of every package and nothing else, and works by itself."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tidy.source import PACKAGES, ROOT

RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"
PAGES = "dashboards/runbooks/pages"
"""Where the code finds them, a link in the repository."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_every_file_of_every_package_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *PACKAGES]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    runbooks = {f"{PAGES}/{page.relative_to(RUNBOOKS)}" for page in RUNBOOKS.glob("**/*.md")}
    assert held == wanted | runbooks


def test_the_runbooks_are_documents_that_the_hub_serves_by_a_link_and_no_copy_of_them() -> None:
    link = ROOT / PAGES
    assert link.is_symlink()
    assert not link.readlink().is_absolute(), "it leads nowhere in another clone"
    assert link.resolve() == RUNBOOKS


def test_its_thresholds_words_and_runbooks_load_away_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import seatwatch.settings, seatwatch.glossary\n"
        "from dashboards.runbooks.server import first_steps\n"
        "print(seatwatch.__file__, len(seatwatch.settings.load_defaults()), len(seatwatch.glossary.words()))\n"
        "print(len(first_steps('en')), len(first_steps('zh-CN')))\n"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded_from, thresholds, words, english, chinese = result.stdout.split()
    assert loaded_from.startswith(str(tmp_path))
    assert int(thresholds) > 0
    assert int(words) > 0
    assert int(english) == int(chinese) == len(list(RUNBOOKS.glob("*.md"))) > 1
