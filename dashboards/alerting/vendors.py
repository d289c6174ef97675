"""How each messenger is spoken to: its body, its signature, and how it says no, which is often HTTP 200.

Only `webhook`, `dingtalk` and `command` are complete and tested end to end against a server of their kind; the others
are entries made from the vendors' documents, and `seatwatch notify test` is their first real use.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Final
from urllib.parse import quote_plus

import msgspec

from dashboards.alerting._core.message import Message, clipped

MS_PER_S: Final = 1_000
JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
# Format: statuses of RFC 9110.
OK: Final = 200
ACCEPTED: Final = 202
# Format: of PagerDuty's Events API v2.
PAGERDUTY_KEY_CHARS: Final = 255
# Layout: of a message with a title.
TITLE_PART: Final = 4
"""A title has at most one part in so many of a message: the rest is for the lines and the link."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a channel sends to. mention: telephone numbers or ids to call out."""

    url: str = ""
    secret: str = ""
    mention: tuple[str, ...] = ()


class Post(msgspec.Struct, frozen=True):
    """One request."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """One way to people. refusal: why an answer (status, body) means that nothing was delivered; "" = it was.

    is_by_trouble: it keeps incidents of its own, and is sent a message for each of ours.
    """

    post: Callable[[Message, Address, int, int], Post]
    refusal: Callable[[int, bytes], str]
    is_verified: bool
    is_by_trouble: bool = False


def _utf8(text: str) -> int:
    return len(text.encode())


def _in_json(text: str) -> int:
    """The bytes of a text within a request, where quotes and the like take two."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')


def _fitted(text: str, size_max: int, size: Callable[[str], int]) -> str:
    while text and (over := size(text) - size_max) > 0:
        text = clipped(text, max(0, _utf8(text) - over))
    return text


def _text(
    message: Message, bytes_max: int, *, head: str, bullet: str, link: str, tail: str = "", size: Callable[[str], int]
) -> str:
    """Head, lines, link and whom it calls out, in so many bytes: the lines give way, then the head, never the link."""
    end = f"\n\n{link}" if message.link else ""
    end += f"\n\n{tail}" if tail else ""
    head = _fitted(head, bytes_max - size(end), size)
    body = "\n".join(f"{bullet}{line}" for line in message.lines)
    return head + _fitted(body, bytes_max - size(end) - size(head), size) + end


def _markdown_link(message: Message) -> str:
    return f"[{message.link_text}]({message.link})"


def _no_links(message: Message) -> Message:
    """Names of sites and carriers are text: none of them leads anywhere in a page."""
    title, *lines = (text.replace("](", "] (") for text in (message.title, *message.lines))
    return msgspec.structs.replace(message, title=title, lines=lines)


def _slack_text(message: Message) -> Message:
    """As Slack wants text: only its own brackets make links and calls."""
    title, *lines = (escape(text, quote=False) for text in (message.title, *message.lines))
    return msgspec.structs.replace(message, title=title, lines=lines)


def _post(url: str, body: object, headers: Mapping[str, str] = JSON) -> Post:
    return Post(url, headers, json.dumps(body, ensure_ascii=False).encode())


def _webhook(message: Message, address: Address, now_ms: int, bytes_max: int) -> Post:
    """The message as JSON, signed as Standard Webhooks describe where there is a secret."""
    told = msgspec.structs.replace(
        message,
        title=clipped(message.title, bytes_max),
        lines=[clipped(line, bytes_max) for line in message.lines],
    )
    body = json.dumps(msgspec.to_builtins(told), ensure_ascii=False).encode()
    if not address.secret:
        return Post(address.url, JSON, body)
    number, at = hashlib.sha256(body).hexdigest(), str(now_ms // MS_PER_S)
    signed = hmac.new(address.secret.encode(), f"{number}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(signed).decode()
    own = {"webhook-id": number, "webhook-timestamp": at, "webhook-signature": signature}
    return Post(address.url, JSON | own, body)


def dingtalk_signature(secret: str, now_ms: int) -> str:
    """The signature of a custom robot, before it is quoted for the address."""
    signed = hmac.new(secret.encode(), f"{now_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(signed).decode()


def _dingtalk(message: Message, address: Address, now_ms: int, bytes_max: int) -> Post:
    url = address.url
    if address.secret:
        url += f"&timestamp={now_ms}&sign={quote_plus(dingtalk_signature(address.secret, now_ms))}"
    calls = " ".join(f"@{number}" for number in address.mention)  # calling out works only if the text names them too
    message = _no_links(message)
    title = _fitted(message.title, bytes_max // TITLE_PART, _in_json)
    room, link = bytes_max - _in_json(title), _markdown_link(message)
    text = _text(message, room, head=f"### {title}\n", bullet="- ", link=link, tail=calls, size=_in_json)
    markdown = {"title": title, "text": text}
    called = {"atMobiles": list(address.mention), "isAtAll": False}
    return _post(url, {"msgtype": "markdown", "markdown": markdown, "at": called})


def _wecom(message: Message, address: Address, _: int, bytes_max: int) -> Post:
    colour = "info" if message.is_resolved else "warning"
    calls = " ".join(f"<@{name}>" for name in address.mention)
    message = _no_links(message)
    head = f'## <font color="{colour}">{clipped(message.title, bytes_max // TITLE_PART)}</font>\n'
    link = _markdown_link(message)
    text = _text(message, bytes_max, head=head, bullet="> ", link=link, tail=calls, size=_utf8)
    return _post(address.url, {"msgtype": "markdown", "markdown": {"content": text}})


def feishu_signature(secret: str, now_s: int) -> str:
    """Unlike DingTalk's, keyed by time and secret over nothing, and in seconds."""
    return base64.b64encode(hmac.new(f"{now_s}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


def _feishu(message: Message, address: Address, now_ms: int, bytes_max: int) -> Post:
    calls = "".join(f"<at id={name}></at>" for name in address.mention)
    message = _no_links(message)
    content = _fitted(message.title, bytes_max // TITLE_PART, _in_json)
    room, link = bytes_max - _in_json(content), _markdown_link(message)
    text = _text(message, room, head="", bullet="- ", link=link, tail=calls, size=_in_json)
    title = {"tag": "plain_text", "content": content}
    header = {"title": title, "template": "green" if message.is_resolved else "red"}
    card = {"config": {"wide_screen_mode": True}, "header": header, "elements": [{"tag": "markdown", "content": text}]}
    body: dict[str, object] = {"msg_type": "interactive", "card": card}
    if address.secret:
        now_s = now_ms // MS_PER_S
        body |= {"timestamp": str(now_s), "sign": feishu_signature(address.secret, now_s)}
    return _post(address.url, body)


def _slack(message: Message, address: Address, _: int, bytes_max: int) -> Post:
    link = f"<{message.link}|{message.link_text}>"
    calls = " ".join(f"<@{name}>" for name in address.mention)
    message = _slack_text(message)
    head = f"*{clipped(message.title, bytes_max // TITLE_PART)}*\n"
    text = _text(message, bytes_max, head=head, bullet="\u2022 ", link=link, tail=calls, size=_utf8)
    return _post(address.url, {"text": text})


def _pagerduty(message: Message, address: Address, _: int, bytes_max: int) -> Post:
    """Events API v2; the secret is the routing key. A key that is too long for theirs goes as its SHA-256."""
    key = message.key if len(message.key) <= PAGERDUTY_KEY_CHARS else hashlib.sha256(message.key.encode()).hexdigest()
    severity = {"call": "critical", "page": "error", "ticket": "warning"}.get(message.severity, "info")
    payload = {
        "summary": clipped(message.title, bytes_max),
        "source": "seatwatch",
        "severity": severity,
        "custom_details": {"lines": [clipped(line, bytes_max) for line in message.lines]},
    }
    action = "resolve" if message.is_resolved else "trigger"
    body = {"routing_key": address.secret, "event_action": action, "dedup_key": key, "payload": payload}
    links = [{"href": message.link, "text": message.link_text}] if message.link else []
    return _post(address.url, body | {"links": links})


def _status_says_all(status: int, body: bytes) -> str:
    # Format: statuses of RFC 9110, section 15.3.
    is_taken = OK <= status < OK + 100
    return "" if is_taken else f"HTTP {status}: {clipped(body.decode(errors='replace'), len(body))}"


def _code_in_body(*names: str) -> Callable[[int, bytes], str]:
    """For those who answer 200 whatever happens, and put what happened into the body."""

    def refusal(status: int, body: bytes) -> str:
        if status != OK:
            return _status_says_all(status, body) or f"HTTP {status}"
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            return "an answer that is no JSON of theirs"
        code = next((told[name] for name in names if name in told), None)
        return "" if code == 0 else f"{names[0]} {code}: {told.get('errmsg') or told.get('msg') or ''}"

    return refusal


def _slack_refusal(status: int, body: bytes) -> str:
    return "" if status == OK and body.strip() == b"ok" else f"HTTP {status}: {body.decode(errors='replace')}"


def _pagerduty_refusal(status: int, body: bytes) -> str:
    return "" if status == ACCEPTED else f"HTTP {status}: {body.decode(errors='replace')}"


VENDORS: Final[Mapping[str, Vendor]] = {
    "webhook": Vendor(post=_webhook, refusal=_status_says_all, is_verified=True),
    "dingtalk": Vendor(post=_dingtalk, refusal=_code_in_body("errcode"), is_verified=True),
    "wecom": Vendor(post=_wecom, refusal=_code_in_body("errcode"), is_verified=False),
    "feishu": Vendor(post=_feishu, refusal=_code_in_body("code", "StatusCode"), is_verified=False),
    "slack": Vendor(post=_slack, refusal=_slack_refusal, is_verified=False),
    "pagerduty": Vendor(post=_pagerduty, refusal=_pagerduty_refusal, is_verified=False, is_by_trouble=True),
}
