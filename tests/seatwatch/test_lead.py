"""Who may follow up, from the configuration to the name it is recorded under; and the entry it becomes."""

from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web

from collector.errors import Busy
from seatwatch.config import Config, ReaderSection
from seatwatch.server.lead import FollowUps, leader_names
from tests.collector.running import CLIENT, running_hub
from tests.collector.store import NOW
from tests.dashboards.people import person
from wire.follow_up import FollowedUp


def test_only_readers_that_lead_may_and_under_their_own_name(tmp_path: Path) -> None:
    for name in ("lead", "tv"):
        (tmp_path / name).write_text(f"token of {name}\n", encoding="utf-8")
    readers = [
        ReaderSection(name="lead-3", token_file="lead", follows_up=True),
        ReaderSection(name="tv", token_file="tv"),
    ]
    assert leader_names(Config(reader=readers), tmp_path) == {sha256(b"token of lead").hexdigest(): "lead-3"}


async def test_a_follow_up_is_an_entry_of_the_clients_ledger_at_the_hubs_time(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        tile = person("w1001", 4_000, client=CLIENT)
        await FollowUps(hub.intake, lambda: NOW + 7).take(tile, "lead-3")
        (body,) = hub.bodies(FollowedUp, CLIENT)
    assert (body.occurred_at, body.conversation, body.waiting_since) == (NOW + 7, "c-w1001", tile.oldest_since)
    assert (body.person, body.team, body.seat, body.by) == ("w1001", "red", "sh1/01", "lead-3")


async def test_while_the_record_cannot_be_written_a_click_is_to_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise Busy(1_000)

    async with running_hub(tmp_path) as hub:
        monkeypatch.setattr(hub.intake, "append_derived", busy)
        with pytest.raises(web.HTTPServiceUnavailable):
            await FollowUps(hub.intake, lambda: NOW).take(person(client=CLIENT), "lead-3")
