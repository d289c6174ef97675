"""Collector and engine as two processes: whatever dies between them, the engine's board never shows it as live."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from seatwatch.clock import now_ms
from seatwatch.runtime_file import Runtime, read_runtime
from tests.integration.running import (
    CHAT,
    START_S,
    Running,
    board,
    chat_token,
    configuration,
    get,
    offer,
    redis_at,
    seatwatch,
    server,
    site_of,
)
from tests.servers import Server
from tests.waiting import wait_until_blocking


@contextmanager
def collector(base: Path) -> Iterator[tuple[Running, Runtime]]:
    """The collector's process over `base`/record, once it can be reached."""
    data = base / "record"
    arguments = ["up", "--config", str(base / "seatwatch.toml"), "--data", str(data), "--only", "collector"]
    before = read_runtime(data)
    with seatwatch(arguments, base / "collector.log") as running:

        def listens() -> Runtime | None:
            assert running.process.poll() is None, running.said()
            found = read_runtime(data)
            return found if found != before else None

        runtime = wait_until_blocking(listens, START_S, what="the collector to listen")
        assert runtime is not None
        yield running, runtime


def waiting(url: str) -> int | None:
    (queue,) = board(url)["queues"].values()
    return None if queue["live"] is None else int(queue["live"]["waiting"])


def refusal(url: str) -> str:
    """What /readyz says where it refuses."""
    try:
        get(f"{url}/readyz")
    except urllib.error.HTTPError as refused:
        return str(refused.read().decode())
    return ""


def withheld(url: str) -> dict[str, Any] | None:
    shown = board(url)
    (queue,) = shown["queues"].values()
    return shown if queue["live"] is None else None


def assert_nothing_passes_for_live(url: str, stopped_at: int) -> None:
    """Of the engine at `url`, whose collector or Redis was dead from `stopped_at` (ms) on."""
    shown = wait_until_blocking(lambda: withheld(url), START_S, what="the board to be withheld")
    assert shown is not None
    (queue,) = shown["queues"].values()
    assert shown["as_of"] <= stopped_at + 1_000
    assert (queue["stale_since"], queue["day"]["offered"]) == (shown["as_of"], 1)
    (site,) = shown["sites"].values()
    assert (site["state"], site["reason"]) == ("unknown", "collector_unheard")
    assert "the collector was not heard for" in refusal(url)
    age = re.search(r"^seatwatch_board_age_seconds (\S+)$", get(f"{url}/metrics").decode(), re.MULTILINE)
    assert age is not None
    assert float(age[1]) > 2.5
    assert board(url)["as_of"] == shown["as_of"]


def test_a_dead_collector_and_a_dead_redis_are_seen_on_the_engines_board(tmp_path: Path, redis_server: Server) -> None:
    chat_token(tmp_path)
    written = configuration(site_of(seats=1), CHAT, redis_at(redis_server.port))
    (tmp_path / "seatwatch.toml").write_text(written, encoding="utf-8")
    with ExitStack() as stack:
        first, at = stack.enter_context(collector(tmp_path))
        _, engine = stack.enter_context(server(tmp_path, written, "--only", "engine"))
        offer(at.url, "c-1", now_ms())
        wait_until_blocking(lambda: waiting(engine.url) == 1, START_S, what="who waits to be shown")

        first.process.kill()
        first.process.wait()
        assert_nothing_passes_for_live(engine.url, now_ms())

        stack.enter_context(collector(tmp_path))
        wait_until_blocking(lambda: waiting(engine.url) == 1, START_S, what="the board to be live again")
        wait_until_blocking(lambda: refusal(engine.url) == "", START_S, what="the engine to be ready again")

        redis_server.kill()
        assert_nothing_passes_for_live(engine.url, now_ms())
