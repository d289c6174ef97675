"""A probe on a disk that no longer keeps what is written to it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import DIES_WITH_THE_TESTS, free_port

CONFIG = """site = "s"
probe = "gw1"
role = "gateway"
data_dir = "{folder}"
broker = {{ host = "127.0.0.1", port = {port} }}
"""
SYNCS = "fdatasync,fsync"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "probe.toml"
    file.write_text(CONFIG.format(folder=tmp_path / "box", port=free_port()), encoding="utf-8")
    return file


def traced(config: Path, *options: str) -> "subprocess.Popen[str]":
    """The probe, with its calls to the kernel in `trace` beside its configuration, complete when its stderr ends."""
    trace = str(config.with_name("trace"))
    command = [*DIES_WITH_THE_TESTS, "strace", "-D", "-f", "-qq", "-o", trace, *options]
    command += [sys.executable, "-m", "seatwatch", "probe", "--config", str(config)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # what it writes is its own, no compiled module
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def run_with_failing_syncs(config: Path, after: int) -> list[str]:
    """What the probe says that fails to sync whatever it writes, but for the first few times."""
    failing = f"inject={SYNCS}:error=EIO:when={after + 1}+"
    with traced(config, "-e", f"trace={SYNCS}", "-e", failing) as process:
        _, errors = process.communicate(timeout=60)
    assert "(INJECTED)" in config.with_name("trace").read_text(encoding="utf-8")
    lines: list[str] = errors.splitlines()
    said = [line.split()[:2] for line in lines if not line.startswith("{")]
    assert (process.returncode, said) == (2, [[f"{config}:", "data_dir:"], ["fix:", "look"]])
    return lines


def require_nothing_taken(config: Path) -> None:
    left = {path.name for path in config.with_name("box").iterdir()}
    assert "outbox.sqlite" in left
    assert not [name for name in left if "aside" in name or "trial" in name]


def test_a_disk_that_keeps_nothing_ends_the_probe_with_one_line_and_costs_no_file(config: Path) -> None:
    lines = run_with_failing_syncs(config, after=0)
    assert not any("probe.started" in line for line in lines)
    require_nothing_taken(config)


def test_a_disk_that_stops_keeping_things_ends_a_running_probe_with_one_line_and_costs_no_file(config: Path) -> None:
    with traced(config, "-s", "200", "-e", f"trace={SYNCS},write") as process:
        assert process.stderr is not None
        assert any("probe.started" in line for line in process.stderr)
        process.terminate()
        process.communicate(timeout=60)
    calls = config.with_name("trace").read_text(encoding="utf-8").splitlines()
    started = next(at for at, call in enumerate(calls) if "probe.started" in call)
    config.with_name("box").joinpath("outbox.sqlite").unlink()
    config.with_name("box").joinpath("outbox.epoch").unlink(missing_ok=True)
    lines = run_with_failing_syncs(config, after=sum("sync(" in call for call in calls[:started]))
    assert any("probe.started" in line for line in lines)
    require_nothing_taken(config)
