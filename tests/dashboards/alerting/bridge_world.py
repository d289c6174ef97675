"""A bridge over a robot, a webhook and a program, and what Alertmanager may tell it."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from dashboards.alerting._core.message import AlertTold, Told
from dashboards.alerting.bridge import Bridge, PagerNow
from dashboards.alerting.channels import Channels
from seatwatch.config import Config, parse_config
from seatwatch.server.on_call import bridge, channels, links
from seatwatch.settings import Defaults, load_defaults
from tests.dashboards.alerting.vendors import Hook, Robot, messengers

NOON = 1_763_784_000_000
CONFIGURATION = """
[alerting]
public_url = "https://hub.example.com"
tickets = ["desk"]
[[site]]
id = "site1"
name = "一号职场"
[[client]]
id = "acme"
name = "Acme 旗舰店"
[[duty]]
name = "first"
channels = ["robot", "desk"]
[[duty]]
name = "second"
channels = ["caller"]
[[channel]]
id = "robot"
kind = "dingtalk"
url_file = "robot.url"
secret_file = "robot.secret"
mention = ["13800000000"]
fallback = "caller"
[[channel]]
id = "desk"
kind = "webhook"
url_file = "hook.url"
secret_file = "hook.secret"
language = "en"
[[channel]]
id = "caller"
kind = "command"
command = ["{command}"]
"""


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOON

    def __call__(self) -> int:
        return self.now_ms


class World:
    """One bridge over a robot, a webhook and a program."""

    def __init__(self, robot: Robot, hook: Hook, directory: Path) -> None:
        self.robot, self.hook, self.directory = robot, hook, directory
        self.clock = Clock()
        robot.now_ms = NOON
        self.called = directory / "called.json"
        for name, text in (
            ("robot.url", robot.url),
            ("robot.secret", Robot.SECRET),
            ("hook.url", hook.url),
            ("hook.secret", Hook.SECRET),
        ):
            (directory / name).write_text(text)
            (directory / name).chmod(0o600)
        self.program(f"cat > {self.called}")
        shipped = load_defaults()
        soon = replace(shipped["paging.send_timeout"], value=0.5)  # the shipped five seconds, in a tenth of the time
        self.config: Config = parse_config(CONFIGURATION.format(command=directory / "call"), base=directory)
        self.defaults = Defaults({**shipped, "paging.send_timeout": soon})
        self.restart()

    def restart(self, pager: PagerNow | None = None) -> None:
        """Another process over the same data directory."""
        ways_back = links(self.config, self.directory, self.defaults, self.clock)
        self.channels: Channels = channels(self.config.channel, self.directory, self.defaults, self.clock)
        beside = (self.config, self.directory, self.channels, self.defaults, ways_back, self.clock)
        self.bridge: Bridge = bridge(*beside, pager)

    def after(self, minutes: int) -> None:
        """So much later."""
        self.clock.now_ms += minutes * 60_000
        self.robot.now_ms = self.clock.now_ms

    def program(self, line: str) -> None:
        """What the operator's own program does."""
        (self.directory / "call").write_text(f"#!/bin/sh\n{line}\n")
        (self.directory / "call").chmod(stat.S_IRWXU)

    async def tell(self, *alerts: AlertTold, receiver: str = "duty-1") -> list[str]:
        names = {"duty-1": ["robot", "desk"], "duty-2": ["caller"]}[receiver]
        return await self.bridge.deliver(names, Told("firing", list(alerts)))


@asynccontextmanager
async def bridge_world(directory: Path) -> AsyncIterator[World]:
    """One of them, over this folder."""
    async with messengers() as (robot, hook):
        yield World(robot, hook, directory)


def told(
    what: str = "battery_low", status: str = "firing", *, severity: str = "call", tier: str = "1", **labels: str
) -> AlertTold:
    """An alert as Alertmanager's webhook has it; its identity is its labels."""
    own = {"alertname": "X", "site": "site1", "subject": "rack1", "what": what, "severity": severity, "tier": tier}
    own |= {"incident": "i-1"} | labels
    began, ended = "2025-11-22T03:59:48.5Z", "2025-11-22T04:11:02Z" if status == "resolved" else "0001-01-01T00:00:00Z"
    return AlertTold(status, own, {}, began, ended, "-".join(own.values()))


def over(alert: AlertTold, ended_at: str = "2025-11-22T04:11:02Z") -> AlertTold:
    """That alert, ended."""
    return msgspec.structs.replace(alert, status="resolved", endsAt=ended_at)
