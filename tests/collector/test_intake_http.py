import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector._core import keys
from collector.api_document import EXAMPLES
from collector.intake_http import HttpSettings, routes
from collector.sources import Source, token_hash
from ledger.errors import LedgerFailed
from tests.collector.posting import AUTHORISED, HTTP, MSGPACK, WORDS, document, http_client, said
from tests.collector.running import CLIENT, SETTINGS, SOURCES, TOKEN, running_hub
from tests.collector.store import EPOCH, NOW, SOURCE, frame, item, raw_item, turn
from tests.waiting import wait_until
from wire.codec import decode_ack, encode_frame
from wire.conversation import AgentTurn, CustomerTurn, NamedCustomerTurn, Offered, PresenceChanged, QualityScored
from wire.errors import Reason
from wire.frame import Lane, snapshot_epoch
from wire.limits import FRAME_BYTES_MAX
from wire.record import Gone


def hole(first: int, last: int, count: int = 1) -> dict[str, Any]:
    return {"first": first, "last": last, "drop_class": "x", "count": count}


async def test_messagepack_is_stored_as_it_came_and_acknowledged_as_over_mqtt(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, door):
        answer = await client.post("/v1/events", data=encode_frame(frame(item(1), item(2))), headers=MSGPACK)
        assert (answer.status, answer.content_type) == (200, "application/msgpack")
        ack = decode_ack(await answer.read())
        assert (ack.epoch, ack.acknowledged_through, ack.index) == (EPOCH, 2, len(hub.records()))
        assert len(hub.bodies(AgentTurn)) == 2
        assert (door.stats.frames, door.stats.acknowledged) == (1, 1)


async def test_json_says_the_same_with_names_and_fills_in_what_only_machines_know(tmp_path: Path) -> None:
    offered = said(1, kind="offered", queue="shop-a", customer="k1:ab12")
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post(
            "/v1/events", json=document(offered, said(2, customer="k1:ab12"), said(3)), headers=AUTHORISED
        )
        assert answer.status == 200
        assert await answer.json() == {
            "ledger": hub.intake.ledgers[CLIENT].ledger_id.hex(),
            "epoch": EPOCH.hex(),
            "acknowledged_through": 3,
            "index": 4,
            "wanted": [],
            "prev_wanted": [],
            "rejected": [],
            "version": 1,
            "started_at": NOW,
        }
        (opened,) = hub.bodies(Offered)
        assert (opened.resolution_ms, opened.clock, opened.monotonic_ms, opened.synced) == (1, SOURCE, None, True)
        assert (opened.customer, opened.shard_key) == ("k1:ab12", "k1:ab12")
        assert [turn.shard_key for turn in hub.bodies(CustomerTurn)] == ["k1:ab12", "c-1"]


async def test_a_message_that_names_its_customer_is_a_version_of_its_own_and_the_other_stays_as_it_was(
    tmp_path: Path,
) -> None:
    fields = {"customer": "k1:ab12", "queue": "shop-a"}
    named = said(2, kind="customer_turn.v2", customer_key="2026-11", **fields)
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        for _ in range(2):
            answer = await client.post("/v1/events", json=document(said(1, **fields), named), headers=AUTHORISED)
            assert (answer.status, (await answer.json())["rejected"]) == (200, [])
        plain, told = hub.bodies(CustomerTurn)
        assert type(plain) is CustomerTurn
        assert isinstance(told, NamedCustomerTurn)
        assert (told.customer, told.customer_key, told.shard_key) == ("k1:ab12", "2026-11", "k1:ab12")
        again = document(said(1, kind="customer_turn.v2", **fields))
        assert (await client.post("/v1/events", json=again, headers=AUTHORISED)).status == 409


async def test_a_quality_check_is_taken_like_any_event_and_without_its_result_is_not(tmp_path: Path) -> None:
    check = said(1, kind="quality_scored", passed=False, fatal=True, scorer="qc:7", sampled_by="frame-7")
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        assert (await client.post("/v1/events", json=document(check), headers=AUTHORISED)).status == 200
        (scored,) = hub.bodies(QualityScored)
        assert (scored.conversation, scored.passed, scored.fatal, scored.scorer) == ("c-1", False, True, "qc:7")
        del check["passed"]
        answer = await client.post("/v1/events", json=document(check | {"sequence": 2}), headers=AUTHORISED)
        (rejected,) = (await answer.json())["rejected"]
        assert (answer.status, rejected["reason"], rejected["field"]) == (200, "body_malformed", "$.items[0].passed")


async def test_the_answer_comes_in_the_language_asked_for(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        packed = encode_frame(frame(item(1)))
        answer = await client.post("/v1/events", data=packed, headers={**MSGPACK, "Accept": "application/json"})
        assert (await answer.json())["acknowledged_through"] == 1
        answer = await client.post(
            "/v1/events", json=document(said(2)), headers={**AUTHORISED, "Accept": "application/msgpack"}
        )
        assert decode_ack(await answer.read()).acknowledged_through == 2
        answer = await client.post("/v1/events", data=b"\xc1", headers=MSGPACK)
        assert msgspec.msgpack.decode(await answer.read())["error"] == "not_a_frame"


async def test_event_ids_suppress_duplicates_and_come_back_with_what_was_rejected(tmp_path: Path) -> None:
    late = {"event_id": "d-2", "kind": "customer_turn", "occurred_at": NOW + 10**9, "conversation": "c-1"}
    good = {"event_id": "d-1", "kind": "customer_turn", "occurred_at": NOW, "conversation": "c-1"}
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        for _ in range(2):
            sent = {"source": SOURCE, "items": [good, late]}
            answer = await client.post("/v1/events", json=sent, headers=AUTHORISED)
            assert answer.status == 200
            assert (await answer.json())["rejected"] == [
                {"event_id": "d-2", "sequence": keys.event_id_sequence("d-2"), "reason": "occurred_in_future"}
            ]
        assert len(hub.bodies(CustomerTurn)) == 1


async def test_seconds_sent_for_milliseconds_are_put_aside_and_said(tmp_path: Path) -> None:
    in_s = {"event_id": "d-1", "kind": "customer_turn", "occurred_at": NOW // 1000, "conversation": "c-1"}
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post("/v1/events", json={"source": SOURCE, "items": [in_s]}, headers=AUTHORISED)
        assert answer.status == 200
        (rejected,) = (await answer.json())["rejected"]
        assert (rejected["event_id"], rejected["reason"]) == ("d-1", "occurred_long_ago")
        assert hub.bodies(CustomerTurn) == []


async def test_a_contradiction_is_409_and_the_rest_of_the_frame_is_durable(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        await client.post("/v1/events", json=document(said(1)), headers=AUTHORISED)
        answer = await client.post(
            "/v1/events", json=document(said(1, conversation="c-2"), said(2)), headers=AUTHORISED
        )
        assert answer.status == 409
        body = await answer.json()
        assert (body["acknowledged_through"], body["rejected"][0]["reason"]) == (2, "equivocation")
        assert len(hub.bodies(CustomerTurn)) == 2


async def test_a_declared_hole_can_be_sent_as_json(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        gone = [{"first": 1, "last": 4, "drop_class": "presence", "count": 3}]
        answer = await client.post("/v1/events", json=document(said(5), gone=gone), headers=AUTHORISED)
        assert (await answer.json())["acknowledged_through"] == 5
        (gap,) = hub.bodies(Gone)
        assert (gap.first, gap.last, gap.count) == (1, 4, 3)
        answer = await client.post(
            "/v1/events", json=document(gone=[{**gone[0], "first": 6, "last": 6, "count": 1}]), headers=AUTHORISED
        )
        assert (await answer.json())["acknowledged_through"] == 6


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "send the header"),
        ({"Authorization": f"Basic {TOKEN}"}, "send the header"),
        ({"Authorization": "Bearer"}, "send the header"),
        ({"Authorization": "Bearer wrong"}, "no source has this token"),
    ],
)
async def test_without_a_registered_token_the_answer_is_401(tmp_path: Path, headers: dict[str, str], told: str) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, door):
        answer = await client.post("/v1/events", json=document(said(1)), headers=headers)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        problem = await answer.json()
        assert problem["error"] == "unauthorised"
        assert told in problem["problem"]
        assert door.stats.unauthorised == 1


async def test_a_token_of_another_source_is_403_and_stores_nothing(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, door):
        answer = await client.post("/v1/events", json=document(said(1), source="shop/two"), headers=AUTHORISED)
        assert (answer.status, (await answer.json())["field"]) == (403, "$.source")
        assert door.stats.refused[Reason.FOREIGN_SOURCE] == 1
        assert hub.records() == []


async def test_too_large_is_413_whether_announced_or_not(tmp_path: Path) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * (FRAME_BYTES_MAX // 8)

    async with running_hub(tmp_path) as hub, http_client(hub) as (client, door):
        answer = await client.post("/v1/events", data=b" " * (FRAME_BYTES_MAX + 1), headers=MSGPACK)
        assert answer.status == 413
        answer = await client.post("/v1/events", data=drip(), headers=MSGPACK)
        assert answer.status == 413
        assert door.stats.refused[Reason.TOO_LARGE] == 2


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {"Content-Type": "application/json", "Content-Encoding": "gzip"}],
)
async def test_other_types_and_compressed_bodies_are_415(tmp_path: Path, headers: dict[str, str]) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post("/v1/events", data=b"\x1f\x8b", headers={**AUTHORISED, **headers})
        assert answer.status == 415


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (document(gone=[hole(9, 2)]), "$.gone[0].last"),
        (document(gone=[hole(1, 4), hole(4, 9)]), "$.gone[1].first"),
        (document(gone=[hole(1, 2**53)]), "$.gone[0].last"),
        (document(gone=[hole(1, 4, count=-1)]), "$.gone[0].count"),
        (document(gone=[hole(1, 4, count=5)]), "$.gone[0].count"),
        (document(said(3), gone=[hole(1, 4)]), "$.items[0].sequence"),
        (document(said(3), base=4), "$.base"),
        (document(said(1), epoch="xyz"), "$.epoch"),
        (document(said(1), epoch=None), "$.epoch"),
        (document(epoch=None), "$.items"),
        (document(epoch=None, gone=[{"first": 1, "last": 2, "drop_class": "event", "count": 2}]), "$.epoch"),
        (document(said(1), base="x"), "$.base"),
        (document(said(1), colour="red"), "$.colour"),
        ([], "$"),
    ],
)
async def test_422_names_the_field_and_stores_nothing(tmp_path: Path, sent: object, field: str) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post("/v1/events", json=sent, headers=AUTHORISED)
        body = await answer.json()
        assert (answer.status, body["error"], body["field"]) == (422, "not_a_frame", field)
        assert body["problem"]
        assert hub.records() == []


async def test_a_newer_frame_version_is_422_by_name(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post("/v1/events", json=document(said(1), version=2), headers=AUTHORISED)
        assert (answer.status, (await answer.json())["error"]) == (422, "unknown_frame_version")


async def test_too_many_requests_are_429_with_the_seconds_to_wait(tmp_path: Path) -> None:
    settings = HttpSettings(requests_per_s=1, requests_burst=2, body_timeout_ms=5000, retry_after_ms=1500)
    async with running_hub(tmp_path) as hub, http_client(hub, settings) as (client, door):
        statuses = [
            (await client.post("/v1/events", json=document(said(n)), headers=AUTHORISED)).status for n in (1, 2, 3)
        ]
        assert statuses == [200, 200, 429]
        answer = await client.post("/v1/events", json=document(said(3)), headers=AUTHORISED)
        assert answer.headers["Retry-After"] == "1"
        other = {"Authorization": "Bearer shop-two-token"}
        answer = await client.post("/v1/events", json=document(said(1), source="shop/two"), headers=other)
        assert answer.status == 200, "one sender's haste is not another's"
        assert door.stats.too_often == 2
        assert len(hub.bodies(CustomerTurn)) == 3


async def test_a_token_of_several_sources_may_come_as_often_as_they_together(tmp_path: Path) -> None:
    settings = HttpSettings(requests_per_s=1, requests_burst=2, body_timeout_ms=5000, retry_after_ms=1500)
    site = [Source(id=f"site-1/seat-{n}", client=CLIENT, token_hash=token_hash("site-one")) for n in (1, 2, 3)]
    headers = {"Authorization": "Bearer site-one"}
    async with running_hub(tmp_path, sources=site) as hub, http_client(hub, settings) as (client, _):
        statuses = [
            (
                await client.post(
                    "/v1/events", json=document(said(n), source=f"site-1/seat-{n % 3 + 1}"), headers=headers
                )
            ).status
            for n in range(1, 8)
        ]
    assert statuses == [200] * 6 + [429]


async def test_a_full_queue_is_503_before_anything_is_stored(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SETTINGS, waiting_rows_max=2)
    async with running_hub(tmp_path, settings=settings) as hub, http_client(hub) as (client, _):
        hub.gate.open.clear()
        async with asyncio.TaskGroup() as tasks:
            for n in (1, 2):
                sent = client.post("/v1/events", json=document(said(n)), headers=AUTHORISED)
                tasks.create_task(sent._coro, name="post")
                await asyncio.to_thread(hub.gate.waiting.wait, 10)
            await wait_until(lambda: hub.intake.waiting_rows == 2, what="a frame to wait")
            answer = await client.post("/v1/events", json=document(said(3)), headers=AUTHORISED)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert (await answer.json())["error"] == "busy"
            hub.gate.open.set()
        assert len(hub.bodies(CustomerTurn)) == 2


async def test_a_failed_commit_is_never_answered_with_200(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        hub.gate.failure = LedgerFailed("disk says no")
        answer = await client.post("/v1/events", json=document(said(1)), headers=AUTHORISED)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert hub.died == [hub.gate.failure]


async def test_a_body_that_drips_is_given_up(tmp_path: Path) -> None:
    settings = HttpSettings(requests_per_s=10, requests_burst=10, body_timeout_ms=50, retry_after_ms=1500)
    hold = asyncio.Event()

    async def stall() -> AsyncIterator[bytes]:
        yield b"{"
        await hold.wait()

    async with running_hub(tmp_path) as hub, http_client(hub, settings) as (client, _):
        answer = await client.post(
            "/v1/events", data=stall(), headers={**AUTHORISED, "Content-Type": "application/json"}
        )
        assert answer.status == 408
        hold.set()


async def test_quarantined_items_are_acknowledged_with_their_reason(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        packed = encode_frame(frame(raw_item(1, b"\x90"), item(2)))
        answer = await client.post("/v1/events", data=packed, headers={**MSGPACK, "Accept": "application/json"})
        body = await answer.json()
        assert (answer.status, body["acknowledged_through"]) == (200, 2)
        assert body["rejected"] == [{"event_id": "", "sequence": 1, "reason": "body_malformed"}]


async def test_every_documented_example_is_taken(tmp_path: Path) -> None:
    source = Source(id="shop-a", client=CLIENT, token_hash=token_hash("t"))
    async with running_hub(tmp_path, sources=[source]) as hub, http_client(hub) as (client, _):
        hub.now += 3_600_000
        document = await (await client.get("/openapi.json")).json()
        post = document["paths"]["/v1/events"]["post"]
        examples = post["requestBody"]["content"]["application/json"]["examples"]
        assert set(examples) == set(EXAMPLES)
        for name, example in examples.items():
            answer = await client.post("/v1/events", json=example["value"], headers={"Authorization": "Bearer t"})
            body = await answer.json()
            assert (answer.status, body["rejected"], body["wanted"]) == (200, [], []), name
            properties = document["components"]["schemas"]["ack"]["properties"]
            assert set(body) <= set(properties)
        assert len(hub.bodies(PresenceChanged)) == 1
        answers = post["responses"].items()
        assert [status for status, answer in answers if "Retry-After" in answer.get("headers", {})] == ["429", "503"]
        assert all(set(answer["content"]) == {"application/json", "application/msgpack"} for _, answer in answers)


@pytest.mark.parametrize(
    ("asked", "language"), [("", "zh-CN"), ("en-GB,en;q=0.9", "en"), ("zh-TW", "zh-CN"), ("fr", "zh-CN")]
)
async def test_the_page_for_people_loads_nothing_from_elsewhere_and_shows_every_field(
    tmp_path: Path, asked: str, language: str
) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.get("/docs", headers={"Accept-Language": asked})
        page = await answer.text()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "://" not in page
        assert "{{" not in page
        headings = ("api_title", "api_answers", "api_examples", "api_fields", "api_required")
        assert [key for key in headings if f">{WORDS[language][key]}<" not in page.replace("Seatwatch: ", "")] == []
        assert f'<html lang="{language}">' in page
        schemas = (await (await client.get("/openapi.json")).json())["components"]["schemas"]
        for name, schema in schemas.items():
            assert f'id="{name}"' in page
            assert all(f"<td>{field}</td>" in page for field in schema.get("properties", {}))
        for _, body in EXAMPLES.values():
            assert json.dumps(body["source"]).strip('"') in page


async def test_routes_are_made_from_an_intake_and_its_sources(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        paths = {(route.method, route.path) for route in routes(hub.intake, hub.sources, HTTP)}
        assert paths == {("POST", "/v1/events"), ("GET", "/openapi.json"), ("POST", "/v1/witness")}


async def test_a_snapshot_frame_over_http_does_not_touch_the_backlogs_mark(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, http_client(hub) as (client, _):
        answer = await client.post("/v1/events", json=document(said(40), lane="snapshot"), headers=AUTHORISED)
        body = await answer.json()
        assert (body["epoch"], body["acknowledged_through"]) == (snapshot_epoch(EPOCH).hex(), 40)
        packed = encode_frame(frame(item(1, turn()), lane=Lane.BACKLOG))
        ack = decode_ack(await (await client.post("/v1/events", data=packed, headers=MSGPACK)).read())
        assert (ack.epoch, ack.acknowledged_through) == (EPOCH, 1)


def test_the_registered_sources_of_these_tests_keep_no_token() -> None:
    assert TOKEN not in repr(SOURCES)
