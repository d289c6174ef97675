"""Chat webhooks to Seatwatch: check, drop what is private, keep on disk, send until durable. Settings: README.md."""

import asyncio
import hmac
import json
import sqlite3
from os import environ
from time import monotonic

from aiohttp import ClientError, request, web

outbox = sqlite3.connect(environ["OUTBOX"], isolation_level=None)  # every INSERT is on disk when it returns
outbox.execute("CREATE TABLE IF NOT EXISTS outbox (event_id TEXT PRIMARY KEY, item TEXT, refused TEXT)")


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
    """One delivery: answered when its event is on our disk, so that the platform may forget it."""
    signature = hmac.new(environ["WEBHOOK_SECRET"].encode(), raw := await delivery.read(), "sha256").hexdigest()
    if not hmac.compare_digest(delivery.headers.get("X-Signature", "").encode(), signature.encode()):
        return web.Response(status=401)
    if item := translate(json.loads(raw)):
        if not isinstance(item["event_id"], str) or not 1 <= len(item["event_id"]) <= 256:
            return web.Response(status=400, text="the id must be a string of 1 to 256 characters")
        outbox.execute("INSERT OR IGNORE INTO outbox VALUES (?, ?, NULL)", (item["event_id"], json.dumps(item)))
    return web.Response(status=204)


async def send(rows: list[tuple[str, str]]) -> float:
    """Hand rows of the outbox on, or none as a sign of life; returns how many seconds to pause."""
    frame = {"source": environ["SOURCE"], "lane": "by_event_id", "items": [json.loads(item) for _, item in rows]}
    headers, half = {"Authorization": f"Bearer {environ['SEATWATCH_TOKEN']}"}, len(rows) // 2
    async with request("POST", environ["SEATWATCH_URL"] + "/v1/events", json=frame, headers=headers) as answer:
        if answer.status in {200, 409}:  # durable there: forget it here
            outbox.executemany("DELETE FROM outbox WHERE event_id = ?", [row[:1] for row in rows])
        elif answer.status in {413, 422} and half:  # one of them never fits: the others go on without it
            return max(await send(rows[:half]), await send(rows[half:]))
        elif answer.status in {413, 422} and rows:  # this is the one: aside, for a person
            outbox.execute("UPDATE outbox SET refused = ? WHERE event_id = ?", (await answer.text(), rows[0][0]))
        return float(answer.headers.get("Retry-After", 0.2))


async def main() -> None:
    """Listen, and send whatever is in the outbox, and where nothing is, that we live."""
    await asyncio.get_running_loop().create_server(web.Server(webhook), "127.0.0.1", int(environ["PORT"]))
    beat_at = 0.0
    while True:
        rows = outbox.execute("SELECT event_id, item FROM outbox WHERE refused IS NULL LIMIT 100").fetchall()
        pause = 0.2
        try:
            if rows or monotonic() >= beat_at:
                pause, beat_at = await send(rows), monotonic() + float(environ["HEARTBEAT_S"])
        except (ClientError, TimeoutError):
            pause = 1
        await asyncio.sleep(pause)


asyncio.run(main())
