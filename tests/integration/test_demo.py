"""The demo as a stranger runs it: something happens, it is told, and nothing is lost, not even over kill -9."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from seatwatch.addresses import bind
from tests.waiting import wait_until_blocking


def _demo(*arguments: str, start_new_session: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            "setpriv",
            "--pdeathsig",
            "TERM",
            sys.executable,
            "-m",
            "seatwatch",
            "demo",
            "--port",
            "0",
            "--lang",
            "en",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=start_new_session,
    )


def _board(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{url}board.json", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except OSError:
        return {}


def _judged(url: str) -> int:
    return sum(client["day"]["attainment"]["whole"] for client in _board(url).get("clients", {}).values())


def _url(demo: "subprocess.Popen[str]") -> str:
    assert demo.stderr is not None
    return next(found[0] for line in demo.stderr if (found := re.search(r"http://\S+/", line)))


def _server(demo: "subprocess.Popen[str]") -> int:
    """The pid of the demo's server, once it runs."""
    children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children")

    def server() -> int:
        for pid in children.read_text(encoding="ascii").split():
            if "up\0" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"):
                return int(pid)
        return 0

    return wait_until_blocking(server, 30, what="the demo's server to run")


def test_ten_seconds_of_it_end_with_one_object_and_nothing_lost() -> None:
    running = _demo("--for", "10s", "--sites", "2", "--seats", "4", "--json")
    out, told = running.communicate(timeout=90)
    assert running.returncode == 0, told
    said = json.loads(out)
    assert said["sent"] > 20
    assert said["durable"] == said["acknowledged"] == said["sent"]
    assert (said["lost"], said["duplicates"], said["server_starts"]) == (0, 0, 1)
    assert set(said["clients"]) == {"acme", "bolt"}
    assert said["attainment"]["judged"] == sum(client["attainment"]["judged"] for client in said["clients"].values())
    assert said["attainment"]["judged"] > 0
    assert set(said["averages"]) == {"first_response", "average_response"}
    assert "customers arrive" in told


def test_its_server_killed_with_9_loses_nothing() -> None:
    running = _demo("--for", "14s", "--sites", "1", "--seats", "4", "--json")
    pid = _server(running)
    told: list[str] = []
    assert running.stderr is not None
    for line in running.stderr:
        told.append(line)
        if "customers arrive" in line:
            os.kill(pid, 9)
            break
    out, rest = running.communicate(timeout=90)
    assert running.returncode == 0, "".join(told) + rest
    said = json.loads(out)
    assert said["server_starts"] == 2
    assert (said["lost"], said["duplicates"]) == (0, 0)
    assert said["durable"] == said["sent"]
    assert "the server is back" in rest


def test_its_server_killed_again_while_it_starts_is_started_once_more() -> None:
    running = _demo("--for", "8s", "--sites", "1", "--seats", "1", "--json")
    assert running.stderr is not None
    told = [running.stderr.readline()]  # said once the server can be reached
    os.kill(_server(running), 9)
    for line in running.stderr:
        told.append(line)
        if "starting it again" in line:
            break
    os.kill(_server(running), 9)
    out, rest = running.communicate(timeout=90)
    assert running.returncode == 0, "".join(told) + rest
    said = json.loads(out)
    assert said["server_starts"] == 3
    assert (said["lost"], said["duplicates"]) == (0, 0)


def test_ctrl_c_ends_it_with_what_was_judged_at_the_port_it_had_from_the_start() -> None:
    with closing(bind("127.0.0.1", 0).socket) as taken:
        busy = taken.getsockname()[1]
        running = _demo("--port", str(busy), "--sites", "1", "--seats", "4", "--json", start_new_session=True)
        url = _url(running)
        assert not url.endswith(f":{busy}/")
        os.kill(_server(running), 9)
        judged = wait_until_blocking(lambda: _judged(url), 60, what="the server to judge at the address it had before")
        os.killpg(running.pid, signal.SIGINT)
        out, rest = running.communicate(timeout=90)
    assert running.returncode == 0, rest
    said = json.loads(out)
    assert said["attainment"]["judged"] >= judged
    assert (said["server_starts"], said["lost"], said["duplicates"]) == (2, 0, 0)
