"""The part of the configuration that says who is called, over what: [alerting], [[duty]] and [[channel]]."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from dashboards.runbooks.server import PATH as RUNBOOKS
from seatwatch.sections import FileName
from wire.ids import is_name

# Bound: of a list that is called one after the other, 5 minutes each.
TIERS: Final = 9
Found = tuple[str, str, str]
"""A key, what is wrong with it, and what to write instead."""
ChannelKind = Literal["webhook", "dingtalk", "wecom", "feishu", "slack", "pagerduty", "command"]


class AlertingSection(msgspec.Struct, frozen=True, kw_only=True):
    """Alertmanagers, and how they and people reach this server.

    alertmanager_urls: both members of a pair. bridge_url: where an Alertmanager reaches the bridge. public_url: where a
    telephone reaches this server; "" sends no links. deadman_url: where the bridge reaches the dead man's switch, "" =
    there is none. deadman_token_file: holds its token. runbooks: the web address of a copy of the runbooks; "" = the
    server's own. tickets: channels for what can wait for the morning.
    """

    alertmanager_urls: list[str] = []
    bridge_url: str = "http://127.0.0.1:8787/notify"
    public_url: str = ""
    deadman_url: str = ""
    deadman_token_file: FileName = ""
    runbooks: str = ""
    scrape_job: str = "seatwatch"
    tickets: list[str] = []

    @property
    def runbooks_at(self) -> str:
        """Where the runbooks are; a path at the server where nobody said how a telephone reaches it."""
        return self.runbooks or f"{self.public_url.rstrip('/')}{RUNBOOKS}"


class DutySection(msgspec.Struct, frozen=True, kw_only=True):
    """One on duty, in the order in which they are called. channels: all of them are used at once."""

    name: str
    channels: list[str]


class ChannelSection(msgspec.Struct, frozen=True, kw_only=True):
    """A way to people. url_file: holds the address, which is a secret where it carries a token.

    secret_file: to sign with. mention: telephone numbers or ids to call out. fallback: the channel used when this one
    keeps failing. command: for kind "command", the program and its arguments; it reads the message as JSON, and finds
    the address, the secret and whom to call in its environment.
    """

    id: str
    kind: ChannelKind
    url_file: FileName | None = None
    secret_file: FileName | None = None
    language: Literal["zh-CN", "en"] = "zh-CN"
    mention: list[str] = []
    fallback: str | None = None
    command: list[str] = []


def on_call_problems(
    alerting: AlertingSection, duties: list[DutySection], channels: list[ChannelSection], base: Path
) -> Iterator[Found]:
    """Everything wrong with these sections."""
    known = {channel.id for channel in channels}
    count = Counter(channel.id for channel in channels)
    for number, channel in enumerate(channels):
        if not is_name(channel.id) or count[channel.id] > 1:
            problem = f"{channel.id!r} is no name or there {count[channel.id]} times"
            yield f"channel[{number}].id", problem, "give each channel a name of its own"
    yield from _address_problems(alerting, base)
    for number, duty in enumerate(duties):
        if not duty.channels:
            yield f"duty[{number}].channels", f"nothing reaches {duty.name!r}", "name at least one channel"
    if len(duties) > TIERS:
        yield "duty", f"{len(duties)} are too many to call one after the other", f"name at most {TIERS}"
    lists = [("alerting.tickets", alerting.tickets)]
    lists += [(f"duty[{number}].channels", duty.channels) for number, duty in enumerate(duties)]
    lists += [
        (f"channel[{n}].fallback", [channel.fallback])
        for n, channel in enumerate(channels)
        if channel.fallback is not None
    ]
    for key, wanted in lists:
        for name in wanted:
            if name not in known:
                yield key, f"no channel {name!r}", f"use one of {', '.join(sorted(known)) or '(none yet)'} or add it"
    for number, channel in enumerate(channels):
        yield from _channel_problems(f"channel[{number}]", channel, base)


def _address_problems(alerting: AlertingSection, base: Path) -> Iterator[Found]:
    urls = [(f"alertmanager_urls[{number}]", url) for number, url in enumerate(alerting.alertmanager_urls)]
    urls += [(name, getattr(alerting, name)) for name in ("bridge_url", "public_url", "deadman_url", "runbooks")]
    for name, url in urls:
        if url and not url.startswith(("http://", "https://")):
            yield f"alerting.{name}", f"{url!r} is no web address", 'write one such as "http://127.0.0.1:9093"'
    if alerting.deadman_token_file:
        yield from secret_problems("alerting.deadman_token_file", alerting.deadman_token_file, base)


def _channel_problems(key: str, channel: ChannelSection, base: Path) -> Iterator[Found]:
    if channel.kind == "command":
        if not channel.command:
            yield (
                f"{key}.command",
                "is needed and not there",
                'write the program and its arguments, ["/usr/local/bin/call"]',
            )
        elif "\0" in channel.command[0] or not os.access(channel.command[0], os.X_OK):
            yield f"{key}.command", f"{channel.command[0]} cannot be run", "name an executable by its full path"
    elif channel.url_file is None:
        yield f"{key}.url_file", "is needed and not there", "put the address into a file only its owner reads"
    for field, name in (("url_file", channel.url_file), ("secret_file", channel.secret_file)):
        if name is not None:
            yield from secret_problems(f"{key}.{field}", name, base)


def secret_problems(key: str, name: str, base: Path) -> Iterator[Found]:
    """What is wrong with a file that holds an address or a secret."""
    path = base / name
    if not path.is_file() or not path.read_text(encoding="utf-8", errors="replace").strip():
        yield key, f"no text in {name}", "write the address or the secret into it"
    elif os.name == "posix" and path.stat().st_mode & 0o077:
        yield key, f"{name} can be read by others", f"chmod 600 {name}"
