"""Chat webhooks to Seatwatch: check, drop what is private, keep on disk, send until durable. Settings: README.md."""

import asyncio
import hmac
import json
import sqlite3
from contextlib import suppress
from os import environ

from aiohttp import ClientError, request, web

outbox = sqlite3.connect(environ["OUTBOX"], isolation_level=None)  # every INSERT is on disk when it returns
outbox.execute("CREATE TABLE IF NOT EXISTS outbox (event_id TEXT PRIMARY KEY, item TEXT)")


def translate(hook: dict) -> dict | None:
    """Change this to your platform's webhooks. None: says nothing about response times."""
    chat, turn = hook["conversation"], {"kind": "agent_turn", "account": hook.get("agent", "")}
    customer = hmac.new(environ["PSEUDONYM_KEY"].encode(), chat["contact"].encode(), "sha256").hexdigest()[:32]
    what = {
        "opened": {"kind": "offered", "queue": chat["inbox"], "customer_key": environ["PSEUDONYM_KEY_ID"]},
        "customer_message": {"kind": "customer_turn"},
        "agent_message": turn,
        "bot_message": turn | {"author": "bot"},
        "resolved": {"kind": "closed"},
    }.get(hook["event"])
    item = {"event_id": hook["id"], "occurred_at": hook["at_ms"], "conversation": chat["id"], "customer": customer}
    return what and item | what


async def webhook(delivery: web.BaseRequest) -> web.Response:
    """One delivery: answered when its event is on our disk, so that the platform may forget it. Half an emoji is ?."""
    signature = hmac.new(environ["WEBHOOK_SECRET"].encode(), raw := await delivery.read(), "sha256").hexdigest()
    if not hmac.compare_digest(delivery.headers.get("X-Signature", "").encode(), signature.encode()):
        return web.Response(status=401)
    if item := translate(json.loads(json.dumps(json.loads(raw), ensure_ascii=False).encode(errors="replace"))):
        if not isinstance(item["event_id"], str) or not item["event_id"] or len(event := json.dumps(item)) > 1200:
            return web.Response(status=400, text="the id must be a string, the event no longer than 1,200 characters")
        outbox.execute("INSERT OR IGNORE INTO outbox VALUES (?, ?)", (item["event_id"], event))
    return web.Response(status=204)


async def main() -> None:
    """Listen, and send whatever is in the outbox until it is durable, and where nothing is, that we live."""
    await (loop := asyncio.get_running_loop()).create_server(web.Server(webhook), "127.0.0.1", int(environ["PORT"]))
    sent_at, pause, token = 0.0, 0.2, {"Authorization": f"Bearer {environ['SEATWATCH_TOKEN']}"}
    while True:
        rows = outbox.execute("SELECT event_id, item FROM outbox LIMIT 50").fetchall()  # they always fit a request
        frame = {"source": environ["SOURCE"], "lane": "by_event_id", "items": [json.loads(item) for _, item in rows]}
        with suppress(ClientError, TimeoutError):  # and then try again
            if rows or loop.time() >= sent_at + float(environ["HEARTBEAT_S"]):
                async with request("POST", environ["SEATWATCH_URL"] + "/v1/events", json=frame, headers=token) as hub:
                    print(hub.status, await hub.text(), flush=True)  # what does not fit is put aside there, and named
                pause, sent_at = float(hub.headers.get("Retry-After", 0.2 if hub.ok else 5)), loop.time()
                if hub.status in {200, 409}:  # durable there: forget it here
                    outbox.executemany("DELETE FROM outbox WHERE event_id = ?", [row[:1] for row in rows])
        await asyncio.sleep(pause)


asyncio.run(main())
