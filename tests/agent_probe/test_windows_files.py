"""The Windows scripts, as far as can be told without Windows: they agree with the code and are whole.

They have not been run on Windows (docs/operate/probe-windows.md says so).
"""

import re
import subprocess
from pathlib import Path

import pytest

from agent_probe.platform.windows import Windows
from agent_probe.platform.windows_service import NAME
from seatwatch.probe import command as probe_command

WINDOWS = Path(__file__).parents[2] / "deploy" / "windows"
SCRIPTS = {name: (WINDOWS / name).read_text(encoding="utf-8") for name in ("install.ps1", "uninstall.ps1")}
INSTALL = SCRIPTS["install.ps1"]
TEXT_OR_COMMENT = re.compile(r"<#.*?#>|#[^\n]*|'[^'\n]*'|\"(?:`.|[^\"\n`])*\"", re.DOTALL)
PAIRS = {")": "(", "]": "[", "}": "{"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_windows_powershell_reads_it_as_written(name: str) -> None:
    assert SCRIPTS[name].isascii(), "without a byte order mark, Windows PowerShell 5.1 reads the system's code page"
    assert SCRIPTS[name].startswith("#Requires -Version 5.1\n")


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_bracket_outside_texts_and_comments_is_closed(name: str) -> None:
    opened: list[str] = []
    for sign in TEXT_OR_COMMENT.sub("", SCRIPTS[name]):
        if sign in PAIRS.values():
            opened.append(sign)
        elif sign in PAIRS:
            assert opened, f"{sign} closes nothing"
            assert opened.pop() == PAIRS[sign]
    assert opened == []
    assert not set("'\"") & set(TEXT_OR_COMMENT.sub("", SCRIPTS[name])), "a text is not closed"


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_exit_codes_are_the_ones_it_says(name: str) -> None:
    said = re.search(r"Exit code: (.*?)\n\n|Exit code: (.*?)\n\.", SCRIPTS[name], re.DOTALL)
    assert said is not None
    promised = set(re.findall(r"(?:^|[,;] )(\d) ", said[1] or said[2]))
    used = set(re.findall(r"(?:exit|Stop-Here) (\d)", SCRIPTS[name]))
    assert used == promised


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_means_the_service_and_the_folder_that_the_code_means(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(r"^\$Service = '(\w+)'$", SCRIPTS[name], re.MULTILINE)[1] == NAME  # type: ignore[index]  # it is there
    monkeypatch.setenv("PROGRAMDATA", "data")
    folder = re.search(r"Join-Path \$env:ProgramData '(\w+)'", SCRIPTS[name])
    assert folder is not None
    assert Windows().default_data_dir().parent == Path("data") / folder[1]


def test_the_registered_command_is_one_that_the_probe_understands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = re.search(r'\$command = "(.*)"\n', INSTALL)
    assert command is not None
    words = command[1].replace('`"', "").split()
    assert words[1:4] == ["-m", "seatwatch", "probe"]
    arguments = [str(tmp_path / "probe.toml") if word.startswith("$") else word for word in words[4:]]
    assert probe_command.run(arguments) == 2
    assert "this is not Windows" in capsys.readouterr().err, "everything before that was understood"


def test_files_are_taken_as_the_documentation_gives_them_one_text_with_commas() -> None:
    page = (WINDOWS.parents[1] / "docs" / "operate" / "probe-windows.md").read_text(encoding="utf-8")
    assert re.search(r"powershell\.exe .* -File install\.ps1 .* -Files \w\S+,\S+$", page, re.MULTILINE)
    assert "$_ -split ','" in INSTALL[INSTALL.index("$Files = @(") : INSTALL.index("foreach ($file in")]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_stopped_services_process_is_waited_for_before_its_program_is_removed(name: str) -> None:
    assert 0 < SCRIPTS[name].index("Wait-Process -Id $process") < SCRIPTS[name].index("Remove-Item -LiteralPath $there")


def test_an_update_is_copied_before_the_probe_is_stopped_and_one_that_fails_starts_it_again() -> None:
    steps = [INSTALL.index(f"\n    {step}\n") for step in ("Copy-Beside", "Stop-Probe", "Switch-Program")]
    assert steps == sorted(steps)
    caught = INSTALL[INSTALL.index("} catch {") :]
    assert caught.index("Start-Service") < caught.index("Stop-Here 1")
    copying = INSTALL[INSTALL.index("function Copy-Beside") : INSTALL.index("function Switch-Program")]
    assert '"$part.new"' in copying
    assert "-Destination $beside" in copying
    for left in ("'python.new'", "'packages.new'"):
        assert left in SCRIPTS["uninstall.ps1"], "what a failed update left behind goes too"


@pytest.mark.parametrize("name", SCRIPTS)
def test_started_by_a_32_bit_agent_it_still_means_the_programs_folder_of_a_64_bit_program(name: str) -> None:
    assert "if ($env:ProgramW6432) { $env:ProgramW6432 } else { $env:ProgramFiles }" in SCRIPTS[name]


def test_the_bundle_takes_what_the_installer_looks_for_and_the_locked_libraries() -> None:
    script = WINDOWS.parents[1] / "tools" / "windows-bundle.sh"
    subprocess.run(["sh", "-n", str(script)], check=True)
    text = script.read_text(encoding="utf-8")
    assert "--require-hashes" in text
    assert "--platform win_amd64" in text
    for name in SCRIPTS:
        assert f"deploy/windows/{name}" in text
    for folder in ("python", "packages"):
        assert f'"$bundle/{folder}"' in text
        assert f"'{folder}\\" in INSTALL


def test_it_runs_with_few_rights_comes_back_after_failures_and_opens_no_port() -> None:
    assert '"NT SERVICE\\$Service"' in INSTALL
    for tool in (
        "'sidtype'",
        "'privs', $Service, 'SeChangeNotifyPrivilege'",
        "'failure', ",
        "'failureflag', $Service, '1'",
    ):
        assert tool in INSTALL
    assert not re.search(r"netsh|NetFirewall|LocalSystem|-Credential|Read-Host", INSTALL)
