"""The part of the configuration that says which messages go to whom: [[message]]."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import time
from typing import Literal

import msgspec

Found = tuple[str, str, str]
"""A key, what is wrong with it, and what to write instead."""


class MessageSection(msgspec.Struct, frozen=True, kw_only=True):
    """One message that is sent by itself. times: of a handover, when shifts change, by the client's or site's clock.

    client, site: whom it is about; a client alone takes in the sites its people sit at.
    """

    kind: Literal["pre-opening", "daily", "handover"]
    client: str = ""
    site: str = ""
    channels: list[str] = []
    times: list[str] = []

    @property
    def key(self) -> str:
        """Tells it from all others."""
        return f"{self.kind} {self.client} {self.site}"


def message_problems(
    messages: list[MessageSection], clients: Collection[str], sites: Collection[str], channels: Collection[str]
) -> Iterator[Found]:
    """Everything wrong with these sections."""
    count = Counter(message.key for message in messages)
    for number, message in enumerate(messages):
        key = f"message[{number}]"
        if count[message.key] > 1:
            yield f"{key}.kind", f"{message.kind} of the same is there twice", "name all channels in one section"
        if not (message.client or message.site):
            yield f"{key}.client", "is about nobody", "name a client, a site or both"
        for field, name, known in (("client", message.client, clients), ("site", message.site, sites)):
            if name and name not in known:
                yield f"{key}.{field}", f"no {field} {name!r}", f"use one of {_list(known)} or add it"
        if not message.channels:
            yield f"{key}.channels", "reaches nobody", "name at least one channel"
        for name in message.channels:
            if name not in channels:
                yield f"{key}.channels", f"no channel {name!r}", f"use one of {_list(channels)} or add it"
        if bool(message.times) != (message.kind == "handover"):
            problem = "are needed and not there" if message.kind == "handover" else "are a handover's alone"
            yield (
                f"{key}.times",
                problem,
                'write when shifts change, ["08:00", "16:00"]; other kinds follow the contract',
            )
        for text in message.times:
            if not _is_clock_time(text):
                yield f"{key}.times", f"{text!r} is no time of day", 'write it as "16:00"'


def _is_clock_time(text: str) -> bool:
    try:
        return time.fromisoformat(text).strftime("%H:%M") == text
    except ValueError:
        return False


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "(none yet)"
