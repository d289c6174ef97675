"""The probe as a customer runs it: a base install in an environment of its own, started as the unit that ships says."""

import asyncio
import os
import venv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
UNIT: Final = ROOT / "deploy" / "systemd" / "seatwatch-probe.service"
PROGRAM: Final = "/opt/seatwatch/bin/seatwatch"
CONFIG: Final = "/etc/seatwatch/probe.toml"
PACKAGES: Final = ("wire", "agent_probe", "seatwatch")
LIBRARIES: Final = ("aiomqtt", "msgspec", "paho", "psutil")
"""What the base install brings and the daemon may load. Beside others it would weigh more: libraries try them."""


def installed(home: Path) -> Path:
    """Install into a folder of its own in `home`. Returns its Python."""
    folder = home / "installed"
    venv.create(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in PACKAGES:
        (packages / name).symlink_to(ROOT / name)
    for name in LIBRARIES:
        (packages / name).symlink_to(Path(str(import_module(name).__file__)).parent)
    return folder / "bin" / "python"


class Start(NamedTuple):
    """before: what is run, each to its end, before `command`; all in `environment`."""

    before: list[list[str]]
    command: list[str]
    environment: dict[str, str]


def started_as_by_the_unit(python: Path, config: Path, home: Path) -> Start:
    """How the unit starts the daemon, with this `python` and `config`, and the system's cache folder in `home`."""

    def command(line: str) -> list[str]:
        words = line.removeprefix("-").replace(PROGRAM, f"{python} -m seatwatch").replace(CONFIG, str(config))
        return words.split()

    settings = [setting.replace("%C", str(home / "cache")) for setting in _said_by_the_unit("Environment")]
    (start,) = _said_by_the_unit("ExecStart")
    return Start(
        [command(line) for line in _said_by_the_unit("ExecStartPre")],
        command(start),
        {"PATH": os.environ["PATH"], **dict(setting.split("=", 1) for setting in settings)},
    )


def _said_by_the_unit(key: str) -> list[str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(f"{key}=") for line in lines if line.startswith(f"{key}=")]


@asynccontextmanager
async def running_probe(home: Path, config: Path) -> AsyncIterator[int]:
    """Install it, start it as the unit does, and give its process id. Its log is beside the configuration."""
    start = started_as_by_the_unit(installed(home), config, home)
    with (home / "probe.log").open("wb") as log:

        async def run(command: list[str]) -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(
                *command, stdout=log, stderr=log, cwd=home, env=start.environment
            )

        for command in start.before:
            await (await run(command)).wait()
        process = await run(start.command)
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()
