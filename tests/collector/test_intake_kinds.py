"""Kinds that the door does not know, or does not take from a sender: kept aside, whichever way they are said."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from tests.collector.posting import AUTHORISED, MSGPACK, document, http_client, said
from tests.collector.running import running_hub
from tests.collector.store import NOW, SOURCE, frame, raw_item
from wire.codec import encode_frame
from wire.conversation import CustomerTurn
from wire.errors import Reason
from wire.kinds import Kind
from wire.record import Quarantined


async def test_an_unknown_kind_in_words_is_kept_whole_and_told_in_any_order_of_its_keys(tmp_path: Path) -> None:
    typing = said(2, kind="customer_typing", feeling={"b": [1, 2.5], "a": None})
    again = dict(reversed(typing.items())) | {"feeling": {"a": None, "b": [1, 2.5]}}
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        for sent in (document(said(1), typing), document(again)):
            answer = await client.post("/v1/events", json=sent, headers=AUTHORISED)
            told = await answer.json()
            assert (answer.status, told["acknowledged_through"]) == (200, 2)
            assert [(each["sequence"], each["reason"]) for each in told["rejected"]] == [(2, "unknown_kind")]
        (kept,) = hub.bodies(Quarantined)
        assert (kept.reason, kept.kind, kept.kind_version) == (Reason.UNKNOWN_KIND, 0, 0)
        assert msgspec.msgpack.decode(kept.raw) == {k: v for k, v in typing.items() if k != "sequence"}
        assert hub.intake.stats.rejected[Reason.UNKNOWN_KIND] == 2
        other = document(typing | {"feeling": "none"})
        assert (await client.post("/v1/events", json=other, headers=AUTHORISED)).status == 409


async def test_a_later_version_and_an_unnumbered_item_of_an_unknown_kind_are_kept_and_named_by_their_id(
    tmp_path: Path,
) -> None:
    later = {"event_id": "d-1", "kind": "customer_turn.v3", "mood": "good"}
    known = {"event_id": "d-2", "kind": "customer_turn", "occurred_at": NOW, "conversation": "c-1"}
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        sent = {"source": SOURCE, "items": [later, known]}
        answer = await client.post("/v1/events", json=sent, headers=AUTHORISED)
        (rejected,) = (await answer.json())["rejected"]
        assert (answer.status, rejected["event_id"], rejected["reason"]) == (200, "d-1", "unknown_kind")
        assert len(hub.bodies(CustomerTurn)) == 1
        assert msgspec.msgpack.decode(hub.bodies(Quarantined)[0].raw) == {"kind": "customer_turn.v3", "mood": "good"}


async def test_a_token_of_bytes_that_are_no_text_is_as_unknown_as_any_other(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, door):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(
            b"POST /v1/events HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer \xff\xfe\r\nContent-Length: 0\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
        writer.close()
        assert door.stats.unauthorised == 1


@pytest.mark.parametrize("word", ["clock", "data_gap", "incident", "identity"])
async def test_what_only_seatwatch_says_is_kept_aside_in_words_as_by_number(tmp_path: Path, word: str) -> None:
    kind = Kind[word.upper()]
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        for sequence, sent in ((1, json.dumps(document(said(1, kind=word))).encode()), (2, None)):
            packed = encode_frame(frame(raw_item(sequence, b"\x90", kind=kind)))
            headers = MSGPACK if sent is None else {**AUTHORISED, "Content-Type": "application/json"}
            answer = await client.post(
                "/v1/events", data=sent or packed, headers={**headers, "Accept": "application/json"}
            )
            assert (answer.status, (await answer.json())["rejected"][0]["reason"]) == (200, "foreign_source")
        assert [kept.kind for kept in hub.bodies(Quarantined)] == [kind, kind]
