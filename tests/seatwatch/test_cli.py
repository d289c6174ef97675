"""The command line: what it prints, what it returns, and what the probe's start does not load."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from seatwatch import __version__
from seatwatch.__main__ import main
from seatwatch.cli import COMMANDS, build_app

ROOT = Path(__file__).parent.parent.parent

SERVER_ONLY = ["typer", "rich", "structlog", "aiohttp", "redis", "jinja2", "cryptography", "openpyxl", "grafanalib"]


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_version_prints_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"seatwatch {__version__}\n"


def test_help_lists_the_commands_and_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert "Examples:" in page
    assert "probe" in page


def leaves(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every command by its whole name, and the end of its help page."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command.epilog or ""
    else:
        for word, verb in below.items():
            yield from leaves(verb, f"{name} {word}")


def commands(app: typer.Typer) -> set[str]:
    return set(getattr(typer.main.get_command(app), "commands", ()))


def test_the_help_of_every_command_shows_how_it_is_called() -> None:
    found = dict(leaves(typer.main.get_command(build_app()), "seatwatch"))
    del found["seatwatch probe"]  # has a parser of its own; tests/agent_probe
    assert len(found) > 40
    for name, epilog in found.items():
        examples = [line.strip() for line in epilog.splitlines() if line.startswith("  seatwatch ")]
        assert any(line.startswith(name) for line in examples), name


def test_an_unknown_command_is_asked_for_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-command"]) == 2
    assert "no-such-command" in capsys.readouterr().err


def test_a_command_that_is_asked_for_is_all_that_is_built() -> None:
    words = commands(build_app())
    assert len(words) == len(COMMANDS) + 1
    for word in words - {"probe"}:
        assert commands(build_app(asked=word)) == {"probe", word}


def test_a_short_command_does_not_wait_for_what_the_server_is_made_of() -> None:
    result = python(
        "import json, sys\n"
        "from seatwatch.__main__ import main\n"
        "main(['version'])\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    loaded = json.loads(result.stdout.splitlines()[-1])
    assert {*SERVER_ONLY, "seatwatch.config"} & set(loaded) == {"typer"}


def test_a_server_loads_no_workbooks_no_broker_and_no_redis_before_it_needs_them() -> None:
    result = python("import json, sys, seatwatch.server.process\nprint(json.dumps(sorted(sys.modules)))\n")
    assert {"openpyxl", "amqtt", "redis", "aiohttp"} & {*json.loads(result.stdout)} == {"aiohttp"}


def test_the_module_can_be_run_as_a_program() -> None:
    command = [sys.executable, "-m", "seatwatch", "version"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == f"seatwatch {__version__}\n"


def test_starting_the_probe_hands_over_its_arguments_and_loads_nothing_of_the_server() -> None:
    result = python(
        "import json, sys, types\n"
        "seen = []\n"
        "stand_in = types.ModuleType('seatwatch.probe.command')\n"
        "stand_in.run = lambda arguments: seen.extend(arguments) or 3\n"
        "sys.modules['seatwatch.probe.command'] = stand_in\n"
        "from seatwatch.__main__ import main\n"
        "import seatwatch.settings\n"
        "code = main(['probe', '--config', 'probe.toml'])\n"
        "print(json.dumps({'code': code, 'seen': seen, 'loaded': sorted(sys.modules)}))\n"
    )
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["code"], said["seen"]) == (3, ["--config", "probe.toml"])
    assert set(SERVER_ONLY) & set(said["loaded"]) == set()


def test_a_base_install_says_what_to_install_for_server_commands() -> None:
    result = python(
        "import sys\nsys.modules['typer'] = None\nfrom seatwatch.__main__ import main\nsys.exit(main(['version']))\n"
    )
    assert result.returncode == 2
    assert "pip install 'seatwatch[server]'" in result.stderr
