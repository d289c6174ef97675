"""What a server's engines say of themselves to whoever asks."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from seatwatch.commands import up
from seatwatch.config import ClientSection
from seatwatch.server.engines import Engines
from seatwatch.server.process import EXIT_COMMIT_FAILED
from seatwatch.settings import load_defaults
from tests.builders import ms
from tests.full_disk import full_disk
from tests.integration.kill_checks import Written
from tests.seatwatch.portal.worlds import client_of, day
from wire.ids import OPERATOR


def test_what_anybody_may_ask_names_no_client(tmp_path: Path) -> None:
    with engines_over(tmp_path) as engines:
        assert engines.problems() == ["3 of 3 ledgers are still being read"]
        for behind in (engines.sites.caught_up, engines.runners["acme"].caught_up):
            behind.set()
        assert engines.problems() == ["1 of 3 ledgers are still being read"]
        engines.runners["beta"].caught_up.set()
        assert engines.problems() == []


async def test_facts_that_cannot_be_written_end_the_server_with_one_line_of_its_log(tmp_path: Path) -> None:
    with engines_over(tmp_path) as engines, full_disk(), pytest.raises(ExceptionGroup) as ended:
        async with asyncio.timeout(30):
            await engines.run()
    with capture_logs() as logs:
        assert up._explain(up._cause(ended.value), "seatwatch.toml") == EXIT_COMMIT_FAILED
    assert [(log["event"], log["log_level"]) for log in logs] == [("server.failed", "critical")]
    assert "disk" in logs[0]["error"]


async def test_sites_that_cannot_be_kept_end_nothing(tmp_path: Path) -> None:
    with engines_over(tmp_path) as engines, capture_logs() as logs:
        running = asyncio.get_running_loop().create_task(engines.sites.run(), name="sites")
        async with asyncio.timeout(30):
            await engines.sites.caught_up.wait()
        running.cancel()
        with full_disk(16), pytest.raises(asyncio.CancelledError):
            await running
    assert [log["event"] for log in logs] == ["sites.not_kept"]


@contextmanager
def engines_over(folder: Path) -> Iterator[Engines]:
    """Of two clients who had the same day, and of the operator."""
    clients = [ClientSection(id="acme"), ClientSection(id="beta")]
    feeds = {}
    for name in (*(client.id for client in clients), OPERATOR):
        client_of(folder, name, day())
        feeds[name] = Written(folder / "clients" / name)
    yield Engines(clients, feeds, folder / "facts", defaults=load_defaults(), clock_ms=lambda: ms("12:00"))
    for feed in feeds.values():
        feed.reader.close()
