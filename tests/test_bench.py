"""What the benches measure is what they say they measure."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from bench.bench_probe import pss_alone
from bench.installed_probe import installed, started_as_by_the_unit
from bench.own_network import LINE_ADDRESSES, command_inside
from bench.page_frames import shares
from tests.servers import DIES_WITH_THE_TESTS


@contextmanager
def holding_python() -> Iterator[psutil.Process]:
    """A process that has loaded what a probe shares with others of its kind."""
    command = [*DIES_WITH_THE_TESTS, sys.executable, "-c", "import ssl, sqlite3; print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.kill()


def test_the_footprint_does_not_fall_with_other_processes_that_run_python() -> None:
    with holding_python() as measured:
        before = measured.memory_full_info().pss, pss_alone(measured)
        with ExitStack() as others:
            for _ in range(3):
                others.enter_context(holding_python())
            after = measured.memory_full_info().pss, pss_alone(measured)
    assert after[0] < before[0], "the usual measure falls"
    assert after[1] == before[1]


def test_the_share_among_chosen_processes_counts_a_page_by_how_many_of_them_map_it() -> None:
    with holding_python() as measured, holding_python() as beside:
        alone = shares([measured.pid])
        if not alone:
            pytest.skip("the system tells page frames to root alone")
        assert abs(alone[measured.pid] - measured.memory_info().rss) < 0.05 * alone[measured.pid], "every page whole"
        two = shares([measured.pid, beside.pid])
        assert two[measured.pid] < 0.8 * alone[measured.pid]
        with holding_python():
            assert shares([measured.pid, beside.pid]) == two, "whatever else runs Python here"


def test_the_probe_that_is_measured_is_the_one_that_the_unit_starts(tmp_path: Path) -> None:
    python, config = installed(tmp_path), tmp_path / "probe.toml"
    start = started_as_by_the_unit(python, config, tmp_path)
    assert start.command == [str(python), "-m", "seatwatch", "probe", "--config", str(config)]
    assert start.before == [[*start.command, "--check"]]
    code = "import msgspec, sys; print(sys.flags.optimize, sys.pycache_prefix, msgspec.__file__)"
    said = subprocess.run([str(python), "-c", code], env=start.environment, capture_output=True, text=True, check=True)
    optimised, cache, library = said.stdout.split()
    assert (optimised, cache) == ("2", str(tmp_path / "cache" / "seatwatch-probe"))
    assert Path(library).is_relative_to(tmp_path), "libraries of the tests would be measured with it"


def test_the_lines_that_are_measured_have_addresses_that_the_probe_takes_for_some() -> None:
    command = command_inside(["ip", "-oneline", "address", "show", "dev", "lo", "scope", "global"])
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(f" {address}/" in said for address in LINE_ADDRESSES), "lines without an address are asked nothing"
