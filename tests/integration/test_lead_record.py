"""A leader's click on a real server: on the record, on the team's screen and on the wallboard, until the reply."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collector.ledgers import ledger_directory
from dashboards.wallboard._core.board import apply
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch.clock import now_ms
from tests.integration.running import CHAT, chat_token, configuration, get, post, server, tell
from tests.waiting import wait_until_blocking
from wire.follow_up import FollowedUp

SHOWN_S = 20.0


def said(number: int, kind: str, **fields: object) -> dict[str, object]:
    return {"event_id": f"d-{number}", "kind": kind, "occurred_at": now_ms(), **fields}


@contextmanager
def stream(url: str, path: str) -> Iterator["Stream"]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SHOWN_S)
    connection.request("GET", path)
    try:
        yield Stream(connection.getresponse())
    finally:
        connection.close()


class Stream:
    """One screen's events, put together as the page does."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.view: Any = None

    def take(self) -> Any:
        """The view after the next event."""
        line = self._response.readline()
        while not line.startswith(b"event: "):
            line = self._response.readline()
        name, data = line[7:].strip(), json.loads(self._response.readline()[6:])
        if name == b"hello":
            self.view = data["board"]
        elif name == b"delta":
            self.view = apply(self.view, data)
        return self.view or {}

    def until(self, wanted: Any) -> Any:
        while not (found := wanted(self.take())):
            pass
        return found


def follow_ups(data: Path) -> list[FollowedUp]:
    reader = LedgerReader.open(ledger_directory(data, "acme"))
    try:
        bodies = [recorded(entry).body for entry in reader.read(0, reader.size())]
    finally:
        reader.close()
    return [body for body in bodies if isinstance(body, FollowedUp)]


def test_a_click_is_on_the_record_and_on_every_screen_until_the_reply(tmp_path: Path) -> None:
    chat_token(tmp_path)
    with server(tmp_path, configuration(CHAT)) as (_, runtime):
        url = runtime.url
        tell(url, said(1, "presence", account="a1", presence="ready"))
        tell(url, said(2, "customer_turn", conversation="c-1", queue="acme-presale"))
        tell(url, said(3, "assigned", conversation="c-1", account="a1"))
        with stream(url, "/team/unassigned/events") as team:
            person = team.until(lambda view: (one := view.get("people", {}).get("acme|~a1")) and one["waiting"] and one)
            assert (person["presence"], person["hands"], person["followed_at"]) == ("ready", 1, None)
            door = f"{url}/team/unassigned/follow-up"
            assert post(door, {"person": "acme|~a1"}) == {"by": "localhost"}
            person = team.until(lambda view: (one := view["people"]["acme|~a1"])["followed_at"] and one)
            assert person["followed_by"] == "localhost"
            assert post(door, {"person": "acme|~a1"}) == {"by": "localhost"}
            tiles = json.loads(get(f"{url}/board.json"))
            assert tiles["queues"]["acme|acme-presale"]["followed"] == 1
            assert tiles["people"] == {}
            tell(url, said(4, "agent_turn", conversation="c-1", account="a1"))
            assert team.until(lambda view: view["people"]["acme|~a1"]["followed_at"] is None)
        wait_until_blocking(
            lambda: json.loads(get(f"{url}/board.json"))["queues"]["acme|acme-presale"]["followed"] == 0,
            SHOWN_S,
            what="the wallboard to forget what was answered",
        )
    (body,) = follow_ups(tmp_path / "data")
    assert (body.conversation, body.person, body.by) == ("c-1", "~a1", "localhost")
