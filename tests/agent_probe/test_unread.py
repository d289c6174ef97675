"""What libraries import and a daemon hardly ever reaches is not read before somebody does, and is whole then."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import trustme

from agent_probe.on_first_use import loaded_on_first_use
from bench.bench_probe import write_config
from bench.installed_probe import installed, started_as_by_the_unit
from seatwatch.probe.command import UNREAD
from tests.servers import LOOPBACK, free_port, run_mosquitto

NEVER = {"ast", "dis", "locale", "tokenize"}
"""What comes with inspect, linecache and subprocess."""
# Runs the daemon until it is connected, tells it to stop as systemd does, and prints what was read.
UNTIL_CONNECTED = """
from seatwatch.probe.command import UNREAD, run
import logging, os, signal, sys

class Connected(logging.Handler):
    def emit(self, record):
        if record.getMessage() == "uplink.connected":
            os.kill(os.getpid(), signal.SIGTERM)

logging.getLogger().addHandler(Connected())
code = run(sys.argv[1:])
read = {{name for name in UNREAD.keys() & sys.modules.keys() if "__getattr__" not in vars(sys.modules[name])}}
print(code, sorted(read | {never} & sys.modules.keys()))
"""


@pytest.fixture
def heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What happened to a module `heavy_one` that nobody has loaded: a word for each time that it was read."""
    readings: list[str] = []
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "readings", readings, raising=False)
    lines = ["import sys", "WEIGHT = 7", "import heavy_one", "sys.readings.append(str(heavy_one.WEIGHT))"]
    (tmp_path / "heavy_one.py").write_text("\n".join(lines), encoding="utf-8")
    yield readings
    sys.modules.pop("heavy_one", None)


def test_a_gateway_from_its_start_to_its_end_reads_nothing_that_it_hardly_ever_reaches(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "broker.pem"))
    port = free_port()
    keys = [f"{key} {tmp_path / 'broker.pem'}" for key in ("certfile", "keyfile")]
    with run_mosquitto(tmp_path, lines=[f"listener {port} {LOOPBACK}", *keys]):
        config = write_config(tmp_path, port, free_port(), free_port(), (LOOPBACK, LOOPBACK))
        start = started_as_by_the_unit(installed(tmp_path), config, tmp_path)
        python, _, _, _, *arguments = start.command
        command = [python, "-c", UNTIL_CONNECTED.format(never=NEVER), *arguments]
        done = subprocess.run(
            command, env=start.environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.stdout.strip() == "0 []", done.stderr[-3000:]


@pytest.mark.parametrize("name", [name for name, meanwhile in UNREAD.items() if meanwhile and name != "inspect"])
def test_what_is_said_of_an_unread_module_is_what_it_says_itself(name: str) -> None:
    module = import_module(name)
    for attribute, said in UNREAD[name].items():
        itself = getattr(module, attribute)
        assert (said() == itself()) if callable(said) else (said == itself)


def test_an_unread_module_is_read_once_and_whole_when_it_is_first_used(heavy: list[str]) -> None:
    with loaded_on_first_use({"heavy_one": {}}):
        module = import_module("heavy_one")
        assert import_module("heavy_one") is module
        assert not hasattr(module, "__wrapped__")  # tools look for such names in any module
    assert heavy == []
    assert (module.WEIGHT, module.WEIGHT) == (7, 7)
    assert heavy == ["7"]
    with pytest.raises(AttributeError, match="COLOUR"):
        _ = module.COLOUR


def test_what_an_unread_module_has_meanwhile_is_used_without_reading_it(heavy: list[str]) -> None:
    with loaded_on_first_use({"heavy_one": {"WEIGHT": 0}}):
        module = import_module("heavy_one")
    assert (module.WEIGHT, heavy) == (0, [])
    with pytest.raises(AttributeError):
        _ = module.COLOUR
    assert (module.WEIGHT, heavy) == (7, ["7"])


def test_threads_that_look_at_an_unread_module_at_once_all_see_the_whole_of_it(heavy: list[str]) -> None:
    with loaded_on_first_use({"heavy_one": {}}):
        module = import_module("heavy_one")
    seen: list[int] = []
    together = threading.Barrier(8)

    def look() -> None:
        together.wait()
        seen.append(module.WEIGHT)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen, heavy) == ([7] * 8, ["7"])


def test_a_module_that_could_not_be_read_says_so_each_time(heavy: list[str], tmp_path: Path) -> None:
    (tmp_path / "heavy_one.py").write_text("raise OSError('torn page')", encoding="utf-8")
    with loaded_on_first_use({"heavy_one": {}}):
        module = import_module("heavy_one")
    for _ in range(2):
        with pytest.raises(OSError, match="torn page"):
            _ = module.WEIGHT
    assert heavy == []


def test_a_module_that_was_loaded_before_stays_as_it_is(heavy: list[str]) -> None:
    module = import_module("heavy_one")
    with loaded_on_first_use({"heavy_one": {"WEIGHT": 0}}):
        assert import_module("heavy_one") is module
    assert (module.WEIGHT, heavy) == (7, ["7"])
