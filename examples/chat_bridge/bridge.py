"""Chat webhooks to Seatwatch: check, drop what is private, keep on disk, send until durable. Settings: README.md."""

import asyncio
import hmac
import json
import os
import re
import sqlite3

import aiohttp
from aiohttp import web

ENV = os.environ
outbox = sqlite3.connect(ENV["OUTBOX"], isolation_level=None)  # every INSERT is on disk when it returns
outbox.execute("CREATE TABLE IF NOT EXISTS outbox (event_id TEXT PRIMARY KEY, item TEXT, refused TEXT)")


def translate(hook: dict) -> dict | None:
    """Change this to your platform's webhooks. None: says nothing about response times."""
    chat = hook["conversation"]
    customer = hmac.new(ENV["PSEUDONYM_KEY"].encode(), chat["contact"].encode(), "sha256").hexdigest()[:32]
    item = {"event_id": hook["id"], "occurred_at": hook["at_ms"], "conversation": chat["id"], "customer": customer}
    reply = item | {"kind": "agent_turn", "account": hook.get("agent", "")}
    return {
        "opened": item | {"kind": "offered", "queue": chat["inbox"], "customer_key": ENV["PSEUDONYM_KEY_ID"]},
        "customer_message": item | {"kind": "customer_turn"},
        "agent_message": reply,
        "bot_message": reply | {"author": "bot"},
        "resolved": item | {"kind": "closed"},
    }.get(hook["event"])


async def webhook(request: web.Request) -> web.Response:
    """One delivery: answered when its event is on our disk, so that the platform may forget it."""
    signature = hmac.new(ENV["WEBHOOK_SECRET"].encode(), raw := await request.read(), "sha256").hexdigest()
    if not hmac.compare_digest(request.headers.get("X-Signature", "").encode(), signature.encode()):
        return web.Response(status=401)
    if item := translate(json.loads(raw)):
        outbox.execute("INSERT OR IGNORE INTO outbox VALUES (?, ?, NULL)", (item["event_id"], json.dumps(item)))
    return web.Response(status=204)


async def send(rows: list[tuple[str, str]]) -> float:
    """Hand rows of the outbox on; returns how many seconds to pause."""
    frame = {"source": ENV["SOURCE"], "items": [json.loads(item) for _, item in rows]}
    headers = {"Authorization": f"Bearer {ENV['SEATWATCH_TOKEN']}"}
    async with aiohttp.request("POST", ENV["SEATWATCH_URL"] + "/v1/events", json=frame, headers=headers) as answer:
        if answer.status in {200, 409}:  # durable there: forget it here
            outbox.executemany("DELETE FROM outbox WHERE event_id = ?", [row[:1] for row in rows])
        elif place := re.search(r"items\[(\d+)\]", text := await answer.text()):  # never fits: aside, for a person
            outbox.execute("UPDATE outbox SET refused = ? WHERE event_id = ?", (text, rows[int(place[1])][0]))
        return float(answer.headers.get("Retry-After", 0.2))


async def main() -> None:
    """Listen, and send whatever is in the outbox."""
    (app := web.Application()).add_routes([web.post("/webhook", webhook)])
    await (runner := web.AppRunner(app)).setup()
    await web.TCPSite(runner, "127.0.0.1", int(ENV["PORT"])).start()
    while True:
        rows = outbox.execute("SELECT event_id, item FROM outbox WHERE refused IS NULL LIMIT 100").fetchall()
        try:
            await asyncio.sleep(await send(rows) if rows else 0.2)
        except aiohttp.ClientError:
            await asyncio.sleep(1)


asyncio.run(main())
