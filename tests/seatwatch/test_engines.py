"""What a server's engines say of themselves to whoever asks."""

from pathlib import Path

from seatwatch.config import ClientSection
from seatwatch.server.engines import Engines
from seatwatch.settings import load_defaults
from tests.builders import ms
from tests.integration.kill_checks import Written
from tests.seatwatch.portal.worlds import client_of, day
from wire.ids import OPERATOR


def test_what_anybody_may_ask_names_no_client(tmp_path: Path) -> None:
    clients = [ClientSection(id="acme"), ClientSection(id="beta")]
    for name in (*(client.id for client in clients), OPERATOR):
        client_of(tmp_path, name, day())
    feeds = {name: Written(tmp_path / "clients" / name) for name in ("acme", "beta", OPERATOR)}
    engines = Engines(clients, feeds, tmp_path / "facts", defaults=load_defaults(), clock_ms=lambda: ms("12:00"))
    assert engines.problems() == ["3 of 3 ledgers are still being read"]
    for behind in (engines.sites.caught_up, engines.runners["acme"].caught_up):
        behind.set()
    assert engines.problems() == ["1 of 3 ledgers are still being read"]
    engines.runners["beta"].caught_up.set()
    assert engines.problems() == []
    for feed in feeds.values():
        feed.reader.close()
