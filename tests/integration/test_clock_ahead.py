"""A hub whose clock was once more than a day ahead, then right: it never shows an empty board as live."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from seatwatch.clock import now_ms
from seatwatch.runtime_file import Runtime, read_runtime
from tests.integration.running import CHAT, START_S, board, chat_token, configuration, get, offer, seatwatch, server
from tests.waiting import wait_until_blocking

LEAD_MS = 100_000_000
AHEAD = f"import time\nright = time.time_ns\ntime.time_ns = lambda: right() + {LEAD_MS} * 10**6\n"


def refusal(url: str) -> str:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{url}/readyz")
    return str(refused.value.read().decode())


def test_a_customer_who_waits_is_not_shown_as_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chat_token(tmp_path)
    (tmp_path / "ahead").mkdir()
    (tmp_path / "ahead" / "sitecustomize.py").write_text(AHEAD, encoding="utf-8")
    with monkeypatch.context() as set_ahead:
        set_ahead.setenv("PYTHONPATH", str(tmp_path / "ahead"))
        with server(tmp_path, configuration(CHAT)) as (_, runtime):
            offer(runtime.url, "c-1", now_ms() + LEAD_MS)
    data = tmp_path / "data"
    up = ["up", "--config", str(tmp_path / "seatwatch.toml"), "--data", str(data)]
    with seatwatch(up, tmp_path / "again.log") as running:

        def listens() -> Runtime | None:
            assert running.process.poll() is None, running.said()
            return read_runtime(data)

        again = wait_until_blocking(listens, START_S, what="the server to listen")
        assert again is not None
        offer(again.url, "c-2", now_ms() - 3_000)
        shown = wait_until_blocking(lambda: _board_of(again.url), START_S, what="a board")
        assert shown is not None
        (queue,) = shown["queues"].values()
        assert (queue["live"], queue["stale_since"]) == (None, shown["as_of"])
        assert 0 < shown["record_ahead_ms"] <= LEAD_MS + START_S * 1000
        assert shown["as_of"] <= now_ms()
        assert "behind its record" in refusal(again.url)
        assert "WARNING: the hub's clock is 27 h 46 min behind its record" in running.said()


def _board_of(url: str) -> dict[str, Any] | None:
    try:
        shown = board(url)
    except urllib.error.HTTPError:
        return None
    told = [queue for queue in shown["queues"].values() if queue["feed"] is not None]
    return shown if told else None
