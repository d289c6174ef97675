"""Bodies and refusals of every messenger, as their documents have them; and a text that fits to the byte."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.alerting._core.message import Message, clipped
from dashboards.alerting.vendors import VENDORS, Address, dingtalk_signature, feishu_signature
from tests.dashboards.alerting.bridge_world import NOON

MESSAGE = Message(
    title="[告警] 一号职场 电信 线路中断",
    lines=["电信 (始于 11:59:48)", "联通 (始于 11:59:49)"],
    is_resolved=False,
    severity="call",
    key="i-1",
    link="https://hub.example.com/acknowledge?incidents=i-1",
    link_text="我来处理",
)
ADDRESS = Address(url="https://messenger.example.com/send?key=k", secret="s3cret", mention=("u1",))

TAKEN = {
    "webhook": (204, b""),
    "dingtalk": (200, b'{"errcode":0,"errmsg":"ok"}'),
    "wecom": (200, b'{"errcode":0,"errmsg":"ok"}'),
    "feishu": (200, b'{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}'),
    "slack": (200, b"ok"),
    "pagerduty": (202, b'{"status":"success","message":"Event processed","dedup_key":"i-1"}'),
}
REFUSED = [
    ("webhook", 500, b"no"),
    ("dingtalk", 200, b'{"errcode":310000,"errmsg":"sign not match"}'),
    ("dingtalk", 200, b'{"errcode":130101,"errmsg":"send too fast"}'),
    ("dingtalk", 502, b"bad gateway"),
    ("dingtalk", 200, b"<html>"),
    ("dingtalk", 200, b'"ok"'),
    ("wecom", 200, b'{"errcode":45009,"errmsg":"api freq out of limit"}'),
    ("wecom", 200, b'{"errcode":93000,"errmsg":"invalid webhook url"}'),
    ("feishu", 200, b'{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour"}'),
    ("feishu", 200, b'{"code":11232,"msg":"frequency limited"}'),
    ("slack", 404, b"no_service"),
    ("slack", 200, b"invalid_payload"),
    ("pagerduty", 400, b'{"status":"invalid event","message":"Event object is invalid"}'),
    ("pagerduty", 429, b""),
]


@pytest.mark.parametrize("kind", VENDORS)
def test_what_a_vendor_took_counts_as_sent(kind: str) -> None:
    assert VENDORS[kind].refusal(*TAKEN[kind]) == ""


@pytest.mark.parametrize(("kind", "status", "body"), REFUSED)
def test_what_a_vendor_refused_does_not_whatever_the_status(kind: str, status: int, body: bytes) -> None:
    assert VENDORS[kind].refusal(status, body) != ""


def test_only_what_was_spoken_to_a_server_of_its_kind_is_called_verified() -> None:
    assert {kind for kind, vendor in VENDORS.items() if vendor.is_verified} == {"webhook", "dingtalk"}


def body_of(kind: str, message: Message = MESSAGE, bytes_max: int = 4096) -> dict[str, object]:
    found: dict[str, object] = json.loads(VENDORS[kind].post(message, ADDRESS, NOON, bytes_max).body)
    return found


def test_each_body_is_the_vendors_own() -> None:
    link = f"[我来处理]({MESSAGE.link})"
    lines = "- 电信 (始于 11:59:48)\n- 联通 (始于 11:59:49)"
    assert body_of("dingtalk") == {
        "msgtype": "markdown",
        "markdown": {"title": MESSAGE.title, "text": f"### {MESSAGE.title}\n{lines}\n\n{link}\n\n@u1"},
        "at": {"atMobiles": ["u1"], "isAtAll": False},
    }
    quoted = lines.replace("- ", "> ")
    wecom = f'## <font color="warning">{MESSAGE.title}</font>\n{quoted}\n\n{link}\n\n<@u1>'
    assert body_of("wecom") == {"msgtype": "markdown", "markdown": {"content": wecom}}
    assert body_of("feishu")["sign"] == feishu_signature("s3cret", NOON // 1000)
    assert body_of("feishu")["timestamp"] == str(NOON // 1000)
    assert body_of("pagerduty")["dedup_key"] == "i-1"
    assert body_of("pagerduty")["event_action"] == "trigger"
    assert str(body_of("slack")["text"]).startswith(f"*{MESSAGE.title}*\n")


def test_signatures_are_those_the_vendors_document() -> None:
    """Computed once with `openssl dgst -sha256 -hmac`, over "TIME LF SECRET" and, keyed by that, over nothing."""
    assert dingtalk_signature("s3cret", NOON) == DINGTALK
    assert feishu_signature("s3cret", NOON // 1000) == FEISHU


DINGTALK = "jAr+g6on7FIozZdKEKEVawVmuhiRJUMuxb3taT4s0Ng="
FEISHU = "JysSc4rKPzDIH/zVMJbwvvjKFOgLLOIGS30VmzoKTzw="


@given(st.text(), st.integers(0, 60))
def test_a_clipped_text_fits_to_the_byte_and_cuts_no_character(text: str, bytes_max: int) -> None:
    text = text.encode("utf-8", "ignore").decode()
    found = clipped(text, bytes_max)
    assert len(found.encode()) <= bytes_max
    assert found == text or text.startswith(found.removesuffix("\u2026"))
    assert found == text or len(text.encode()) > bytes_max


def text_of(told: dict[str, object]) -> str:
    """The text that a person reads."""
    markdown, card = told.get("markdown"), told.get("card")
    if isinstance(card, dict):
        return str(card["elements"][0]["content"])
    return str(told["text"] if not isinstance(markdown, dict) else markdown.get("text") or markdown["content"])


WORDS = st.text(st.sampled_from('线路中断 a"\\<&\n😀'), max_size=400)


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "feishu", "slack"])
@given(title=WORDS, lines=st.lists(WORDS, max_size=13))
def test_a_long_message_loses_lines_and_title_and_never_its_link(kind: str, title: str, lines: list[str]) -> None:
    long = msgspec.structs.replace(MESSAGE, title=title, lines=lines)
    body = VENDORS[kind].post(long, ADDRESS, NOON, 2048).body
    text = text_of(json.loads(body))
    assert len(text.encode()) <= 2048
    assert MESSAGE.link in text
    assert text.endswith("u1") or "u1>" in text[-20:], "whom it calls out"
    if kind in {"dingtalk", "feishu"}:
        assert len(body) <= 2048 + 500, "these count the whole request"


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "feishu", "slack"])
def test_a_message_that_fits_to_the_byte_is_left_as_it_is_and_one_byte_less_cuts_it(kind: str) -> None:
    long = msgspec.structs.replace(MESSAGE, lines=["线路中断" * 50])
    whole = text_of(body_of(kind, long))
    escaped = len(json.dumps(whole, ensure_ascii=False).encode()) - 2 if kind in {"dingtalk", "feishu"} else 0
    exact = escaped + len(MESSAGE.title.encode()) if escaped else len(whole.encode())
    assert text_of(body_of(kind, long, exact)) == whole
    cut = text_of(body_of(kind, long, exact - 1))
    assert "\u2026" in cut
    assert len(whole.encode()) - 6 <= len(cut.encode()) < len(whole.encode())


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "feishu"])
def test_a_name_makes_no_link_in_a_page(kind: str) -> None:
    evil = "电信 [我来处理](https://elsewhere.example)"
    text = text_of(body_of(kind, msgspec.structs.replace(MESSAGE, title=evil, lines=[evil])))
    assert text.count("](") == 1, "our own"
    assert "](https://elsewhere" not in text


def test_a_name_calls_nobody_out_in_slack() -> None:
    text = text_of(body_of("slack", msgspec.structs.replace(MESSAGE, title="<!channel> & co", lines=["<http://x|y>"])))
    assert text.startswith("*&lt;!channel&gt; &amp; co*\n\u2022 &lt;http://x|y&gt;\n")
    assert f"<{MESSAGE.link}|我来处理>" in text
