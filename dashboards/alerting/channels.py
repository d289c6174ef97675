"""Channels at work: a message goes out, within the vendor's limits, and whether it arrived is known afterwards."""

import asyncio
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import aiohttp
import msgspec
import structlog

from dashboards.alerting._core.message import Message, by_trouble
from dashboards.alerting.vendors import VENDORS, Address

log = structlog.get_logger()
MINUTE_MS: Final = 60_000
# Format: statuses of RFC 9110.
REDIRECTS: Final = range(300, 400)


class ClipSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How many bytes of text each vendor takes, from `[paging]`."""

    webhook_bytes: int
    dingtalk_bytes: int
    wecom_bytes: int
    feishu_bytes: int
    slack_bytes: int
    pagerduty_bytes: int

    def of(self, kind: str) -> int:
        """The limit of a kind."""
        found: int = getattr(self, f"{kind}_bytes")
        return found


class RateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages a minute each kind bears, from `[paging]`."""

    webhook_messages: int
    dingtalk_messages: int
    wecom_messages: int
    feishu_messages: int
    slack_messages: int
    pagerduty_messages: int
    command_messages: int

    def of(self, kind: str) -> int:
        """The limit of a kind."""
        found: int = getattr(self, f"{kind}_messages")
        return found


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`. rate: of each channel by itself. send_timeout_s: of one attempt, a command's run included."""

    clip: ClipSettings
    rate: RateSettings
    send_timeout_s: float


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A configured way to people. command: for kind "command" its program and arguments, else empty."""

    id: str
    kind: str
    language: str
    address: Address
    command: tuple[str, ...] = ()
    fallback: str | None = None


class Channels:
    """Every channel of a process. Made and used on one event loop."""

    def __init__(self, channels: Sequence[Channel], *, settings: ChannelSettings, clock_ms: Callable[[], int]) -> None:
        self.by_id: Final[Mapping[str, Channel]] = {channel.id: channel for channel in channels}
        # a counter that begins with its first failure has not increased, as Prometheus sees it
        self.results: Final = Counter(
            {(channel.id, result): 0 for channel in channels for result in ("sent", "failed")}
        )
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms
        self._sent_at: Final[dict[str, deque[int]]] = {channel.id: deque() for channel in channels}

    async def send(self, session: aiohttp.ClientSession, name: str, message: Message) -> str:
        """Send over the channel `name`. Returns why it was not taken; "" = it was."""
        channel = self.by_id[name]
        is_split = channel.kind in VENDORS and VENDORS[channel.kind].is_by_trouble
        messages = by_trouble(message) if is_split else [message]
        refusal = "" if self._may_send(name, len(messages)) else "too many messages within a minute"
        for each in messages:
            # what was taken of several comes again, under the same key
            refusal = refusal or await self._attempt(session, channel, each)
        self.results[name, "failed" if refusal else "sent"] += 1
        if refusal:
            log.warning("paging.channel_refused", channel=name, why=refusal)
        return refusal

    async def _attempt(self, session: aiohttp.ClientSession, channel: Channel, message: Message) -> str:
        try:
            if channel.kind == "command":
                return await self._run(channel, message)
            return await self._post(session, channel, message)
        except Exception as error:  # noqa: BLE001 - whatever one makes us stumble over, the others have to be told
            return type(error).__name__

    def _may_send(self, name: str, count: int) -> bool:
        """A robot that is asked more often is muted by its vendor for minutes, so we stop before.

        count: of messages that belong together; more of them than a minute bears are tried in one that is empty.
        """
        now, sent = self._clock_ms(), self._sent_at[name]
        while sent and not 0 <= now - sent[0] < MINUTE_MS:
            sent.popleft()  # a minute old, or of a clock that has been put back since
        rate = self._settings.rate.of(self.by_id[name].kind)
        if len(sent) + min(count, rate) > rate:
            return False
        sent.extend([now] * count)
        return True

    async def _post(self, session: aiohttp.ClientSession, channel: Channel, message: Message) -> str:
        vendor = VENDORS[channel.kind]
        post = vendor.post(message, channel.address, self._clock_ms(), self._settings.clip.of(channel.kind))
        try:
            async with (
                asyncio.timeout(self._settings.send_timeout_s),
                session.post(post.url, data=post.body, headers=post.headers, allow_redirects=False) as answer,
            ):
                if answer.status in REDIRECTS:  # followed, a POST becomes a GET of a page to log in, answered 200
                    return f"HTTP {answer.status}: it leads elsewhere; configure the address it leads to"
                return vendor.refusal(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__  # not its text, which names the address with its token

    async def _run(self, channel: Channel, message: Message) -> str:
        """Run the operator's own program, without a shell; it reads the message as JSON and says by its exit code.

        Whom to call, and what it says who it is with, are in its environment: everybody on the machine reads arguments.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *channel.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=os.environ | _told_apart(channel.address),
                start_new_session=True,
            )
        except OSError as error:
            return f"{channel.command[0]}: {error.strerror}"
        try:
            async with asyncio.timeout(self._settings.send_timeout_s):
                await process.communicate(msgspec.json.encode(message))
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with what it started: each attempt would leave one that hangs
            await process.wait()
            return f"{channel.command[0]} did not end in time"
        return "" if process.returncode == 0 else f"{channel.command[0]} ended with {process.returncode}"


def _told_apart(address: Address) -> dict[str, str]:
    """What a program is told besides the message; nothing that is not configured."""
    told = {"URL": address.url, "SECRET": address.secret, "MENTION": " ".join(address.mention)}
    return {f"SEATWATCH_{name}": text for name, text in told.items() if text}
