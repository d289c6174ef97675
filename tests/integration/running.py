"""A whole server, and probes, as processes a person would start: stopped by pid, logs kept for a failing test."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from seatwatch.runtime_file import Runtime, read_runtime
from tests.servers import DIES_WITH_THE_TESTS
from tests.waiting import wait_until_blocking

START_S: Final = 30.0
STOP_S: Final = 10.0
CHAT: Final = """
[[source]]
id = "chat/acme"
client = "acme"
token_file = "chat.token"
"""
"""Of a configuration: who tells conversations with `tell`, once there is its `chat_token`."""
_CHAT_TOKEN: Final = "chat"


def configuration(*parts: str, port: int = 0) -> str:
    """A configuration for one client with one queue, and further parts of it: CHAT, `site_of`, `redis_at`."""
    acme = f"""
[server]
port = {port}
[[client]]
id = "acme"
[[client.queue]]
id = "acme-presale"
"""
    return "".join((acme, *parts))


def site_of(seats: int) -> str:
    """Of a configuration: site1 with so many seats."""
    return f'[[site]]\nid = "site1"\nseats = {seats}\n'


def redis_at(port: int) -> str:
    """Of a configuration: a Redis on that port of this machine."""
    return f'[redis]\nurl = "redis://127.0.0.1:{port}/0"\n'


def chat_token(directory: Path) -> None:
    """Write the token that CHAT names beside a configuration in `directory`."""
    file = directory / "chat.token"
    file.touch(mode=0o600)
    file.write_text(f"{_CHAT_TOKEN}\n", encoding="utf-8")


class Running:
    """One `python -m seatwatch ...` process."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*DIES_WITH_THE_TESTS, sys.executable, "-m", "seatwatch", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> int:
        """SIGTERM and its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def said(self) -> str:
        """What it printed and logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def seatwatch(arguments: list[str], log: Path) -> Iterator[Running]:
    """Run a command until the block ends."""
    running = Running(arguments, log)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


@contextmanager
def server(directory: Path, configuration: str, *arguments: str) -> Iterator[tuple[Running, Runtime]]:
    """`seatwatch up` over `directory`/data, once it can be reached."""
    config, data = directory / "seatwatch.toml", directory / "data"
    config.write_text(configuration, encoding="utf-8")
    command = ["up", "--config", str(config), "--data", str(data), *arguments]
    with seatwatch(command, directory / "server.log") as running:

        def reachable() -> Runtime | None:
            assert running.process.poll() is None, running.said()
            runtime = read_runtime(data)
            return runtime if runtime is not None and _is_ready(runtime.url) else None

        runtime = wait_until_blocking(reachable, START_S, what="the server to be ready")
        assert runtime is not None
        yield running, runtime


def get(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The body of a page. Raises urllib.error.HTTPError."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers or {})), timeout=5) as answer:
        body: bytes = answer.read()
        return body


def post(url: str, body: object, headers: Mapping[str, str] | None = None) -> Any:
    """What a door answers to JSON. Raises urllib.error.HTTPError."""
    said = {**(headers or {}), "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), said, method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def tell(url: str, *items: Mapping[str, object]) -> None:
    """Have the source of CHAT tell `items`, none of which is refused."""
    frame = {"source": "chat/acme", "items": items}
    answer = post(f"{url}/v1/events", frame, {"Authorization": f"Bearer {_CHAT_TOKEN}"})
    assert answer["rejected"] == [], answer


def offer(url: str, conversation: str, at: int) -> None:
    """A customer who writes at `at` (ms)."""
    head = {"occurred_at": at, "conversation": conversation}
    tell(
        url,
        {"event_id": f"{conversation}-offered", "kind": "offered", "queue": "acme-presale", **head},
        {"event_id": f"{conversation}-turn", "kind": "customer_turn", **head},
    )


def board(url: str) -> dict[str, Any]:
    """The board as screens get it."""
    found: dict[str, Any] = json.loads(get(f"{url}/board.json"))
    return found


def _is_ready(url: str) -> bool:
    try:
        return get(f"{url}/readyz") != b"" and get(f"{url}/board.json") != b""
    except OSError:
        return False
